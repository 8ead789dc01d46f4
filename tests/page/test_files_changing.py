"""Somebody tidies up: new folders, other names, other places, and what was deleted comes back."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import HAND, Site, Visit
from tests.support.server import wait_until


@pytest.fixture
def folder(site: Site, request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own, with three files and a folder."""
    name: str = request.node.name
    folder = site.root / name.partition("[")[0][:60]
    (folder / "Archive").mkdir(parents=True)
    for name in ("one.txt", "two.txt", "three.txt"):
        (folder / name).write_text(name)
    return folder


def test_a_folder_is_made_and_gone_into(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    desktop.get_by_role("button", name="New").click()
    desktop.get_by_role("menuitem", name="New folder").click()
    desktop.get_by_label("Name", exact=True).fill("Archive")
    desktop.get_by_role("button", name="Create").click()
    expect(desktop.get_by_role("alert")).to_have_text("“Archive” is there already.")
    desktop.get_by_label("Name", exact=True).fill("Ordner 7")
    desktop.keyboard.press("Enter")
    expect(_row(desktop, "Ordner 7")).to_be_focused()
    assert (folder / "Ordner 7").is_dir()
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_role("heading", name="This folder is empty")).to_be_visible()


def test_a_file_gets_another_name_without_a_mouse(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.type("two")
    desktop.keyboard.press("F2")
    expect(desktop.get_by_label("Name", exact=True)).to_be_focused()
    desktop.keyboard.type("second")  # the ending is not selected
    desktop.keyboard.press("Enter")
    expect(_row(desktop, "second.txt")).to_be_focused()
    assert (folder / "second.txt").read_text() == "two.txt"
    assert not (folder / "two.txt").exists()


def test_a_name_that_is_taken_is_refused_where_it_is_typed(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    _menu(desktop, "one.txt", "Rename")
    desktop.get_by_label("Name", exact=True).fill("two.txt")
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_role("alert")).to_have_text("“two.txt” is there already.")
    desktop.get_by_label("Name", exact=True).fill("a/b")
    expect(desktop.get_by_role("alert")).to_have_text("A name cannot have a slash.")
    desktop.keyboard.press("Escape")
    assert (folder / "one.txt").exists()


def test_a_selection_is_moved_and_the_way_back_taken(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    for name in ("one.txt", "two.txt"):
        _row(desktop, name).get_by_role("checkbox").check()
    desktop.get_by_role("button", name="Move").click()
    dialog = desktop.get_by_role("dialog", name="Move 2 items to")
    dialog.get_by_role("button", name="Archive").click()
    expect(dialog.get_by_role("heading", level=3)).to_have_text("Archive")
    dialog.get_by_role("button", name="Move here").click()
    expect(desktop.get_by_text("2 items moved to Archive")).to_be_visible()
    expect(_row(desktop, "one.txt")).to_have_count(0)
    assert (folder / "Archive" / "two.txt").read_text() == "two.txt"
    desktop.get_by_role("button", name="Undo").click()
    expect(_row(desktop, "one.txt")).to_be_visible()
    expect(_row(desktop, "two.txt")).to_be_visible()
    assert (folder / "two.txt").read_text() == "two.txt"


def test_what_to_do_with_taken_names_is_asked_once(site: Site, desktop: Page, folder: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (folder / "Archive" / name).write_text("older")
    _open(site, desktop, folder)
    desktop.keyboard.press("Control+a")
    _row(desktop, "Archive").get_by_role("checkbox").uncheck()
    desktop.get_by_role("toolbar").get_by_role("button", name="More").click()
    desktop.get_by_role("menuitem", name="Copy to").click()
    dialog = desktop.get_by_role("dialog", name="Copy 3 items to")
    dialog.get_by_role("button", name="Archive").click()
    dialog.get_by_role("button", name="Copy here").click()
    question = desktop.get_by_role("dialog", name="“one.txt” is there already")
    question.get_by_label("Do the same for all").check()
    question.get_by_role("button", name="Keep both").click()
    expect(desktop.get_by_text("3 items copied to Archive")).to_be_visible()
    names = {path.name: path.read_text() for path in (folder / "Archive").iterdir()}
    assert names == {
        "one.txt": "older",
        "one (2).txt": "one.txt",
        "two.txt": "older",
        "two (2).txt": "two.txt",
        "three.txt": "three.txt",
    }


def test_a_row_is_dragged_onto_a_folder_and_onto_a_crumb(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    _row(desktop, "one.txt").get_by_role("link").drag_to(_row(desktop, "Archive"))
    expect(desktop.get_by_text("“one.txt” moved to Archive")).to_be_visible()
    _row(desktop, "Archive").click()
    crumb = desktop.get_by_role("navigation", name="Folders").get_by_role("link", name=folder.name)
    _row(desktop, "one.txt").get_by_role("link").drag_to(crumb)
    expect(_row(desktop, "one.txt")).to_have_count(0)
    wait_until(lambda: (folder / "one.txt").exists())


def test_what_is_deleted_comes_back(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("Delete")
    expect(desktop.get_by_text("“one.txt” deleted")).to_be_visible()
    expect(_row(desktop, "three.txt")).to_be_focused()
    assert not (folder / "one.txt").exists()
    desktop.get_by_role("button", name="Undo").click()
    expect(_row(desktop, "one.txt")).to_be_visible()
    assert (folder / "one.txt").read_text() == "one.txt"


def test_more_than_one_request_can_name_is_deleted_and_comes_back(site: Site, desktop: Page, folder: Path) -> None:
    names = [f"page {number:04}.txt" for number in range(1005)]
    for name in names:
        (folder / name).touch()
    _open(site, desktop, folder)
    expect(desktop.get_by_role("grid")).to_have_attribute("aria-rowcount", f"{len(names) + 5}")
    desktop.keyboard.press("Control+a")
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("Control+a")
    desktop.keyboard.press("Delete")
    expect(desktop.get_by_text(f"{len(names) + 4:,} items deleted")).to_be_visible(timeout=60_000)
    assert list(folder.iterdir()) == []
    desktop.get_by_role("button", name="Undo").click()
    wait_until(lambda: len(list(folder.iterdir())), lambda count: count == len(names) + 4, timeout_s=60)


def test_a_folder_is_deleted_with_what_a_search_found_in_it(site: Site, desktop: Page, folder: Path) -> None:
    (folder / "Letters").mkdir()
    (folder / "Letters" / "love letters.txt").write_text("x")
    desktop.goto(f"{site.url}/files/{folder.name}/?search=letters")
    expect(_row(desktop, "love letters.txt")).to_be_visible()
    _row(desktop, "Letters").focus()
    desktop.keyboard.press("Control+a")
    desktop.keyboard.press("Delete")
    expect(desktop.get_by_text("2 items deleted")).to_be_visible()
    expect(desktop.get_by_role("heading", name="Nothing found")).to_be_visible()
    assert not (folder / "Letters").exists()


def test_what_was_deleted_is_listed_restored_and_gone_for_good(site: Site, visit: Visit, folder: Path) -> None:
    page = visit(HAND)
    _open(site, page, folder)
    for name in ("one.txt", "Archive"):
        _menu(page, name, "Delete")
        expect(_row(page, name)).to_have_count(0)
    page.get_by_role("button", name="View and order").click()
    page.get_by_role("menuitem", name="Recently deleted").click()
    dialog = page.get_by_role("dialog", name="Recently deleted")
    dialog.get_by_role("button", name="Restore one.txt").click()
    expect(dialog.get_by_role("button", name="Restore one.txt")).to_have_count(0)
    assert (folder / "one.txt").exists()
    dialog.get_by_role("button", name="Delete Archive for good").click()
    page.get_by_role("dialog", name="Delete “Archive” for good?").get_by_role("button", name="Delete for good").click()
    expect(dialog.get_by_role("button", name="Restore Archive")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(_row(page, "one.txt")).to_be_visible()


def test_what_cannot_be_done_is_said_and_stays_said(site: Site, desktop: Page, folder: Path) -> None:
    with desktop.expect_response("**/repeat.js"):  # what deeds need comes last, and this the last of it
        _open(site, desktop, folder)
    desktop.context.set_offline(True)
    _menu(desktop, "one.txt", "Delete")
    alert = desktop.get_by_role("alert")
    expect(alert).to_contain_text("“one.txt” was not deleted. The server cannot be reached")
    expect(_row(desktop, "one.txt")).to_be_visible()
    desktop.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    expect(_row(desktop, "one.txt")).to_have_count(0)
    expect(alert).to_have_count(0)


def test_a_selection_is_downloaded_file_by_file(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    with desktop.expect_download() as downloaded:
        _menu(desktop, "one.txt", "Download")
    assert downloaded.value.suggested_filename == "one.txt"
    assert downloaded.value.path().read_text() == "one.txt"
    saved: list[str] = []
    desktop.on("download", lambda download: saved.append(download.suggested_filename))
    desktop.keyboard.press("Control+a")
    desktop.get_by_role("button", name="Download").click()
    expect(desktop.get_by_text("Folders are left out")).to_be_visible()
    expected = ["one.txt", "three.txt", "two.txt"]
    for _ in expected:
        if len(saved) < len(expected):
            desktop.wait_for_event("download")
    assert sorted(saved) == expected


def test_links_and_commands_are_copied(site: Site, visit: Visit, folder: Path) -> None:
    (folder / "it's one.txt").write_text("x")
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    _open(site, page, folder)
    _menu(page, "it's one.txt", "Copy curl command")
    expect(page.get_by_text("Command copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"curl -fC - -o 'it'\\''s one.txt' {site.url}/files/{folder.name}/it%27s%20one.txt"
    _menu(page, "one.txt", "Copy link")
    expect(page.get_by_text("Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}/files/{folder.name}/?view=one.txt"


def _open(site: Site, page: Page, folder: Path) -> None:
    page.goto(f"{site.url}/files/{folder.name}/")
    expect(page.get_by_role("grid")).to_be_visible()


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=f"{name}, ")


def _menu(page: Page, name: str, deed: str) -> None:
    _row(page, name).get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name=deed).click()
