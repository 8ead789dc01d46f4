"""What others do in the folder is seen as it happens, and takes away neither place nor selection."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site
from tests.page.relay import relay


@pytest.fixture
def folder(site: Site, request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own with a hundred files."""
    name: str = request.node.name
    folder = site.root / name.partition("[")[0][:60]
    folder.mkdir()
    for number in range(100):
        (folder / f"file {number}.txt").write_text("x")
    return folder


def test_files_come_change_and_go(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    (folder / "file 1b.txt").write_text("12345")
    expect(_row(desktop, "file 1b.txt")).to_contain_text("5 bytes")
    names = desktop.locator(".browse-row bdi").all_inner_texts()
    assert names[:4] == ["file 0.txt", "file 1.txt", "file 1b.txt", "file 2.txt"]
    (folder / "file 1b.txt").write_text("1234567")
    expect(_row(desktop, "file 1b.txt")).to_contain_text("7 bytes")
    (folder / "file 1b.txt").rename(folder / "file 0b.txt")
    expect(_row(desktop, "file 0b.txt")).to_be_visible()
    expect(_row(desktop, "file 1b.txt")).to_have_count(0)
    (folder / "file 0b.txt").unlink()
    expect(_row(desktop, "file 0b.txt")).to_have_count(0)


def test_a_folder_appears_with_the_first_file_in_it(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    desktop.request.put(f"{site.url}/files/{folder.name}/new/deep/a.txt", data="x")
    expect(_row(desktop, "new")).to_be_visible()
    shutil.rmtree(folder / "new")
    expect(_row(desktop, "new")).to_have_count(0)


def test_place_focus_and_selection_stay(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    desktop.evaluate("scrollTo(0, 2500)")
    row = _row(desktop, "file 60.txt")
    row.get_by_role("checkbox").check()
    desktop.keyboard.press("Tab")
    row.focus()
    before = row.bounding_box()
    for number in range(5):
        (folder / f"earlier {number}.txt").write_text("x")
    expect(desktop.get_by_role("grid")).to_have_attribute("aria-rowcount", "106")
    after = row.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 1
    expect(row).to_be_focused()
    expect(row).to_have_attribute("aria-selected", "true")
    (folder / "file 60.txt").unlink()
    expect(row).to_have_count(0)
    expect(desktop.get_by_role("toolbar")).to_have_count(0)


def test_very_many_changes_at_once_end_in_what_is_there(site: Site, desktop: Page, folder: Path) -> None:
    _open(site, desktop, folder)
    for number in range(400):
        (folder / f"more {number}.txt").write_text("x")
    for number in range(50):
        (folder / f"file {number}.txt").unlink()
    expect(desktop.get_by_role("grid")).to_have_attribute("aria-rowcount", "451", timeout=20_000)


def test_a_folder_that_is_deleted_by_others_says_so(site: Site, desktop: Page, folder: Path) -> None:
    desktop.request.put(f"{site.url}/files/{folder.name}/here/a.txt", data="x")
    with desktop.expect_response("**/events"):
        desktop.goto(f"{site.url}/files/{folder.name}/here/")
    expect(_row(desktop, "a.txt")).to_be_visible()
    (folder / "here" / "hollow").mkdir()
    shutil.rmtree(folder / "here")
    expect(desktop.get_by_text("It is not here any more.")).to_be_visible()
    expect(desktop.get_by_role("grid")).to_have_count(0)


def test_a_server_that_is_away_is_missed_and_shown_again_when_it_is_back(
    site: Site, desktop: Page, folder: Path
) -> None:
    with relay(site.port, rate=1e9) as network:
        with desktop.expect_response("**/events"):
            desktop.goto(f"{network.url}/files/{folder.name}/")
        network.to_port = 1  # where nobody listens
        network.cut()
        told = desktop.get_by_text("The server cannot be reached. What you see may be old.")
        expect(told).to_be_visible()
        desktop.get_by_role("navigation", name="Folders").get_by_role("link", name="Files").click()
        expect(desktop.get_by_role("heading", name="This folder cannot be shown")).to_be_visible()
        network.to_port = site.port
        expect(_row(desktop, folder.name)).to_be_visible()
        expect(told).to_have_count(0)


def _open(site: Site, page: Page, folder: Path) -> None:
    with page.expect_response("**/events"):
        page.goto(f"{site.url}/files/{folder.name}/")
    expect(page.get_by_role("grid")).to_be_visible()


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=f"{name}, ")
