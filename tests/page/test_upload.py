"""Files go up: dropped, pasted and picked, in folders and many at once, with questions about names asked once."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import DESK, HAND, Site, Visit
from tests.page.dropping import Drag, drop
from tests.support.server import running_server, wait_until
from tests.support.wire import request

_WITHOUT_HANDLES = "delete window.showOpenFilePicker; delete DataTransferItem.prototype.getAsFileSystemHandle;"
_PASTE = """
() => {
  const data = new DataTransfer();
  data.items.add(new File(["picture"], "image.png", {type: "image/png"}));
  data.items.add(new File(["words"], "words.txt", {lastModified: 0}));
  document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}
"""


def panel_of(page: Page) -> Locator:
    """The panel of uploads."""
    return page.get_by_role("region", name="Uploads")


def test_a_dropped_file_is_stored_and_checked(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "notes ü.txt"
    source.write_bytes(os.urandom(70_000))
    desktop.goto(f"{site.url}/files/")
    drop(desktop, source)
    panel = panel_of(desktop)
    expect(panel.get_by_role("button", name="1 file uploaded")).to_be_visible()
    expect(panel.get_by_role("img", name="Uploaded and checked")).to_be_visible()
    assert site.stored()["notes ü.txt"] == source.read_bytes()
    panel.get_by_role("link", name="notes ü.txt").click()
    assert desktop.evaluate("new URL(location).searchParams.get('view')") == "notes ü.txt"


def test_a_large_file_goes_resumably(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "film.bin"
    source.write_bytes(os.urandom(5_000_000))
    desktop.goto(f"{site.url}/files/")
    with desktop.expect_request(lambda each: each.method == "PATCH" and "/uploads/" in each.url):
        drop(desktop, source)
    expect(panel_of(desktop).get_by_role("button", name="1 file uploaded")).to_be_visible()
    assert site.stored()["film.bin"] == source.read_bytes()
    assert site.drafts() == []


@pytest.mark.parametrize("scripts", ["", _WITHOUT_HANDLES], ids=["by handles", "by entries"])
def test_a_dropped_folder_keeps_its_shape(site: Site, visit: Visit, tmp_path: Path, scripts: str) -> None:
    name = f"shape{len(scripts)}"
    expected = {f"{name}/{number // 20}/{number}.txt": f"{number}".encode() for number in range(70)}
    for key, content in expected.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    (tmp_path / name / "empty").mkdir()
    page = visit(DESK)
    page.add_init_script(scripts or "true")
    page.goto(f"{site.url}/files/")
    drop(page, tmp_path / name)
    panel = panel_of(page)
    expect(panel.get_by_role("button", name="71 files uploaded")).to_be_visible(timeout=30_000)
    assert {key: content for key, content in site.stored().items() if key.startswith(name)} == expected
    assert (site.root / name / "empty").is_dir()
    assert panel.get_by_role("listitem").count() == 61
    expect(panel.get_by_text("and 11 more")).to_be_visible()


def test_files_dropped_on_a_folder_go_into_it(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "letter.txt"
    source.write_text("dear")
    (site.root / "inbox").mkdir()
    desktop.goto(f"{site.url}/files/")
    folder = desktop.locator('[data-key="inbox/"]')
    expect(folder).to_be_visible()
    drag = Drag(desktop, [source]).until_seen("Drop to upload here")
    drag.over(folder).until_seen("Drop to upload into “inbox”")
    drag.drop()
    expect(panel_of(desktop).get_by_text("In inbox")).to_be_visible()
    assert site.stored()["inbox/letter.txt"] == b"dear"
    expect(desktop.get_by_text("Drop to upload")).to_have_count(0)


def test_the_drop_zone_goes_with_the_files(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "never.txt"
    source.write_text("never")
    desktop.goto(f"{site.url}/files/")
    Drag(desktop, [source]).until_seen("Drop to upload here").leave()
    expect(desktop.get_by_text("Drop to upload here")).to_have_count(0)
    assert "never.txt" not in site.stored()


def test_pasted_files_are_stored_and_pictures_are_named(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    desktop.evaluate(_PASTE)
    expect(panel_of(desktop).get_by_role("button", name="2 files uploaded")).to_be_visible()
    stored = site.stored()
    assert stored["words.txt"] == b"words"
    assert [content for key, content in stored.items() if key.startswith("Pasted 20")] == [b"picture"]


def test_a_phone_picks_files_and_shows_a_bar_that_opens(site: Site, phone: Page, tmp_path: Path) -> None:
    sources = [tmp_path / "one.jpg", tmp_path / "two.jpg"]
    for source in sources:
        source.write_bytes(os.urandom(1000))
    phone.goto(f"{site.url}/files/")
    phone.get_by_role("button", name="New").tap()
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("menuitem", name="Upload files").tap()
    chooser.value.set_files(sources)
    bar = panel_of(phone).get_by_role("button", name="2 files uploaded")
    expect(bar).to_have_attribute("aria-expanded", "false")
    bar.tap()
    expect(panel_of(phone).get_by_role("link", name="two.jpg")).to_be_visible()
    assert site.stored()["two.jpg"] == sources[1].read_bytes()


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("Keep both", {"a.txt": b"old a", "a (2).txt": b"new a", "b.txt": b"old b", "b (2).txt": b"new b"}),
        ("Replace", {"a.txt": b"new a", "b.txt": b"new b"}),
        ("Skip", {"a.txt": b"old a", "b.txt": b"old b"}),
    ],
)
def test_a_name_that_is_taken_is_asked_about_once_for_all(
    site: Site, desktop: Page, tmp_path: Path, answer: str, kept: dict[str, bytes]
) -> None:
    folder = f"clash {answer}"
    for name in ("a", "b"):
        request(site.port, "PUT", f"/files/{folder}/{name}.txt".replace(" ", "%20"), body=f"old {name}".encode())
        (tmp_path / f"{name}.txt").write_text(f"new {name}")
    (tmp_path / "c.txt").write_text("c")
    desktop.goto(f"{site.url}/files/{folder}/")
    drop(desktop, *(tmp_path / f"{name}.txt" for name in "abc"))
    dialog = desktop.get_by_role("dialog", name="is here already")
    dialog.get_by_role("checkbox", name="Do the same for all").check()
    dialog.get_by_role("button", name=answer).click()
    expect(panel_of(desktop).get_by_role("button", name="uploaded")).to_be_visible()
    expect(dialog).to_have_count(0)
    stored = {key.split("/")[1]: content for key, content in site.stored().items() if key.startswith(folder)}
    assert stored == {**kept, "c.txt": b"c"}


def test_a_large_file_whose_name_is_taken_is_asked_about_before_it_is_sent(
    site: Site, desktop: Page, tmp_path: Path
) -> None:
    source = tmp_path / "taken.bin"
    source.write_bytes(os.urandom(3_000_000))
    request(site.port, "PUT", "/files/taken.bin", body=b"old")
    desktop.goto(f"{site.url}/files/")
    drop(desktop, source)
    dialog = desktop.get_by_role("dialog", name="“taken.bin” is here already")
    expect(dialog.get_by_text("3 bytes")).to_be_visible()
    expect(dialog.get_by_text("3.0 MB")).to_be_visible()
    assert dialog.get_by_role("checkbox").count() == 0
    dialog.get_by_role("button", name="Replace").click()
    expect(panel_of(desktop).get_by_role("button", name="1 file uploaded")).to_be_visible()
    assert site.stored()["taken.bin"] == source.read_bytes()


def test_the_same_files_again_raise_no_question(site: Site, desktop: Page, tmp_path: Path) -> None:
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_text("the same")
    large.write_bytes(os.urandom(3_000_000))
    for source in (small, large):
        request(site.port, "PUT", f"/files/{source.name}", body=source.read_bytes())
    desktop.goto(f"{site.url}/files/")
    drop(desktop, small, large)
    expect(panel_of(desktop).get_by_role("button", name="2 files uploaded")).to_be_visible()


def test_what_fails_stays_on_screen_until_it_is_dismissed(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "way"
    source.write_text("in the way")
    (site.root / "way" / "deep").mkdir(parents=True)
    request(site.port, "PUT", "/files/way/deep/file.txt", body=b"x")
    desktop.goto(f"{site.url}/files/")
    drop(desktop, source)
    panel = panel_of(desktop)
    expect(panel.get_by_role("button", name="1 file was not uploaded")).to_be_visible()
    (site.root / "way" / "deep" / "file.txt").unlink()
    (site.root / "way" / "deep").rmdir()
    (site.root / "way").rmdir()
    panel.get_by_role("button", name="Try again: way").click()
    expect(panel.get_by_role("button", name="1 file uploaded")).to_be_visible()
    assert site.stored()["way"] == b"in the way"
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)


def test_a_file_that_changes_before_it_is_sent_is_not_sent(site: Site, visit: Visit, tmp_path: Path) -> None:
    source = tmp_path / "moving.bin"
    source.write_bytes(bytes(3_000_000))
    page = visit(DESK)
    page.goto(f"{site.url}/files/")
    page.route("**/uploads", lambda route: (source.write_bytes(b"other"), route.continue_())[1])
    drop(page, source)
    expect(panel_of(page).get_by_text("The file was changed or moved")).to_be_visible()
    page.unroute("**/uploads")
    panel_of(page).get_by_role("button", name="Try again: moving.bin").click()
    expect(panel_of(page).get_by_role("button", name="1 file uploaded")).to_be_visible()
    assert site.stored()["moving.bin"] == b"other"
    assert site.drafts() == []


def test_names_of_strangers_are_words(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "<img src=x onerror=alert(1)>{name}.txt"
    source.write_text("words")
    desktop.goto(f"{site.url}/files/")
    drop(desktop, source)
    expect(panel_of(desktop).get_by_role("link", name=source.name)).to_be_visible()
    assert panel_of(desktop).locator("img").count() == 0


def test_the_panel_works_by_keys_alone(site: Site, desktop: Page, tmp_path: Path) -> None:
    source = tmp_path / "keys.txt"
    source.write_text("keys")
    desktop.goto(f"{site.url}/files/")
    drop(desktop, source)
    title = panel_of(desktop).get_by_role("button", name="1 file uploaded")
    title.focus()
    desktop.keyboard.press("Enter")
    expect(title).to_have_attribute("aria-expanded", "false")
    desktop.keyboard.press("Tab")
    desktop.keyboard.press("Enter")
    expect(panel_of(desktop)).to_have_count(0)


@pytest.mark.parametrize("device", [DESK, HAND], ids=["desk", "hand"])
def test_the_panel_is_accessible(site: Site, visit: Visit, tmp_path: Path, device: dict[str, object]) -> None:
    axe = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    source = tmp_path / "axe.txt"
    source.write_text("axe")
    page = visit(device, bypass_csp=True)
    page.goto(f"{site.url}/files/")
    drop(page, source)
    title = panel_of(page).get_by_role("button", name="1 file uploaded")
    if title.get_attribute("aria-expanded") == "false":
        title.click()
    page.add_script_tag(path=axe)
    found = page.evaluate("axe.run('.upload-panel').then(all => all.violations.map(each => each.id + each.help))")
    assert found == []


def test_nothing_can_be_dropped_where_nothing_may_be_written(visit: Visit, tmp_path: Path) -> None:
    source = tmp_path / "no.txt"
    source.write_text("no")
    root = tmp_path / "root"
    root.mkdir()
    with running_server(root, "--read-only") as server:
        page = visit(DESK)
        page.goto(f"{server.url}/files/")
        drag = Drag(page, [source])
        expect(page.get_by_text("Drop to upload")).to_have_count(0)
        drag.drop()
        wait_until(lambda: page.evaluate("document.readyState") == "complete")
        assert page.url == f"{server.url}/files/"
        assert server.stored() == {}
