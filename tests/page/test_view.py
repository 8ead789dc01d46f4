"""A file in the whole window: in and out of it, from one to the next, pictures, documents, and what cannot be shown."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site

_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/MediaBox[0 0 200 200]/Parent 2 0 R/Resources<<>>>>endobj
trailer<</Root 1 0 R>>
"""
_EVIL = "<img src=x onerror=alert(1)>.bin"


@pytest.fixture(scope="module", autouse=True)
def _files(site: Site) -> None:
    """Three pictures of different shapes, a damaged one, a document, and files that no browser shows."""
    for name, size in (("p1.png", "320x180"), ("p2.jpg", "180x320"), ("p10.webp", "200x200")):
        _picture(site.root / name, size)
    (site.root / "p11.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (site.root / "page.pdf").write_bytes(_PDF)
    (site.root / _EVIL).write_bytes(b"\x00\x01\x02" * 400)
    (site.root / "notes.txt").write_text("A note.\n")


def viewer(page: Page) -> Locator:
    """The file that is shown."""
    return page.locator(".view")


def heading(page: Page, name: str) -> Locator:
    """The heading of the viewer once it shows this file."""
    return viewer(page).get_by_role("heading", name=name, exact=True)


def shown_picture(page: Page, name: str) -> Locator:
    """The picture in the middle, once it has been drawn."""
    return page.locator(".pswp__item[aria-hidden=false]").get_by_role("img", name=name)


def open_from_list(page: Page, site: Site, name: str) -> None:
    """Open a file as a person does."""
    page.goto(f"{site.url}/files/")
    expect(page.get_by_role("grid")).to_be_visible()  # before, a click is a link to another page
    page.get_by_role("row", name=name).get_by_text(name).click()


def view(page: Page, site: Site, name: str) -> None:
    """Open a file by its address."""
    page.goto(f"{site.url}/files/?view={name}")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_picture_opens_and_the_back_button_closes_it(device: str, site: Site, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(device)
    open_from_list(page, site, "p1.png")
    expect(heading(page, "p1.png")).to_be_visible()
    expect(shown_picture(page, "p1.png")).to_be_visible()
    page.go_back()
    expect(viewer(page)).to_have_count(0)
    expect(page.get_by_role("row", name="p1.png")).to_be_visible()


def test_escape_leads_back_to_the_row_of_the_last_file(site: Site, desktop: Page) -> None:
    open_from_list(desktop, site, "p1.png")
    expect(shown_picture(desktop, "p1.png")).to_be_visible()
    desktop.keyboard.press("ArrowRight")
    expect(heading(desktop, "p2.jpg")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(viewer(desktop)).to_have_count(0)
    expect(desktop.locator("[data-key='p2.jpg']")).to_be_focused()


def test_arrows_lead_through_files_of_every_kind_and_stop_at_the_end(site: Site, desktop: Page) -> None:
    view(desktop, site, "p10.webp")
    expect(shown_picture(desktop, "p10.webp")).to_be_visible()
    for name in ("p11.png", "page.pdf"):
        desktop.keyboard.press("ArrowRight")
        expect(heading(desktop, name)).to_be_visible()
    expect(desktop.get_by_role("button", name="Next")).to_be_disabled()
    for name in ("p11.png", "p10.webp", "p2.jpg", "p1.png", "notes.txt"):
        desktop.get_by_role("button", name="Previous").click()
        expect(heading(desktop, name)).to_be_visible()
    desktop.go_back()
    expect(viewer(desktop)).to_have_count(0)


def test_a_swipe_leads_on(site: Site, phone: Page) -> None:
    view(phone, site, "p1.png")
    expect(shown_picture(phone, "p1.png")).to_be_visible()
    swipe_left(phone)
    expect(heading(phone, "p2.jpg")).to_be_visible()
    expect(shown_picture(phone, "p2.jpg")).to_be_visible()
    view(phone, site, _EVIL)
    expect(heading(phone, _EVIL)).to_be_visible()
    swipe_left(phone)
    expect(heading(phone, "notes.txt")).to_be_visible()


def swipe_left(page: Page) -> None:
    """A finger drawn across the middle of the window."""
    touch = page.context.new_cdp_session(page)
    for x in (320, 280, 200, 120, 60):
        kind = "touchStart" if x == 320 else "touchMove"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 420}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_picture_is_enlarged_moved_and_turned_by_keys(site: Site, desktop: Page) -> None:
    view(desktop, site, "p1.png")
    picture = shown_picture(desktop, "p1.png")
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    expect(desktop.get_by_role("button", name="Zoom out")).to_be_disabled()
    desktop.keyboard.press("+")
    desktop.keyboard.press("+")
    expect(desktop.get_by_role("button", name="Zoom out")).to_be_enabled()
    desktop.keyboard.press("ArrowRight")
    expect(heading(desktop, "p1.png")).to_be_visible()
    for _ in range(3):
        desktop.keyboard.press("-")
    expect(desktop.get_by_role("button", name="Zoom out")).to_be_disabled()
    desktop.keyboard.press("r")
    expect(desktop.locator(".view-turned")).to_be_visible()
    after = desktop.locator(".view-turned").bounding_box()
    assert before
    assert after
    assert before["width"] > before["height"]
    assert after["width"] < after["height"]


def test_escape_closes_a_menu_and_not_the_file_behind_it(site: Site, desktop: Page) -> None:
    view(desktop, site, "notes.txt")
    desktop.get_by_role("button", name="More", exact=True).click()
    expect(desktop.get_by_role("menu")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(desktop.get_by_role("menu")).to_have_count(0)
    expect(heading(desktop, "notes.txt")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(viewer(desktop)).to_have_count(0)


def test_a_damaged_picture_says_so_and_can_be_downloaded(site: Site, desktop: Page) -> None:
    view(desktop, site, "p11.png")
    expect(desktop.get_by_role("heading", name="This picture cannot be shown")).to_be_visible()
    with desktop.expect_download() as download:
        viewer(desktop).get_by_role("alert").get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == (site.root / "p11.png").read_bytes()


def test_a_document_is_shown_from_memory_as_pdf_and_nothing_else(site: Site, desktop: Page) -> None:
    view(desktop, site, "page.pdf")
    expect(desktop.locator("iframe[title='page.pdf']")).to_be_visible()
    desktop.wait_for_function("document.querySelector('iframe').contentDocument?.contentType === 'application/pdf'")


def test_a_browser_without_a_pdf_viewer_is_offered_a_tab(site: Site, desktop: Page) -> None:
    desktop.add_init_script("Object.defineProperty(navigator, 'pdfViewerEnabled', {get: () => false})")
    view(desktop, site, "page.pdf")
    link = desktop.get_by_role("link", name="Open in a new tab")
    expect(link).to_have_attribute("href", "blob:" + (link.get_attribute("href") or "").removeprefix("blob:"))
    expect(desktop.locator("iframe")).to_have_count(0)


def test_a_name_never_becomes_markup_and_other_files_can_be_tried_as_text(site: Site, desktop: Page) -> None:
    view(desktop, site, _EVIL)
    expect(heading(desktop, _EVIL)).to_be_visible()
    expect(desktop.get_by_role("heading", name="No preview")).to_be_visible()
    desktop.get_by_role("button", name="Show as text").click()
    expect(desktop.get_by_role("region", name=f"Text of {_EVIL}")).to_be_visible()
    assert desktop.locator("img[src=x]").count() == 0


def test_a_file_that_is_deleted_meanwhile_says_so(site: Site, desktop: Page) -> None:
    doomed = site.root / "doomed.txt"
    doomed.write_text("for now\n")
    view(desktop, site, "doomed.txt")
    expect(desktop.get_by_text("for now")).to_be_visible()
    doomed.unlink()
    expect(desktop.get_by_role("heading", name="This file is not here any more")).to_be_visible(timeout=20_000)


def test_a_file_that_is_replaced_stays_until_one_wants_the_new_one(site: Site, desktop: Page) -> None:
    changing = site.root / "changing.txt"
    changing.write_text("the first\n")
    view(desktop, site, "changing.txt")
    expect(desktop.get_by_text("the first")).to_be_visible()
    changing.write_text("the second one\n")
    button = desktop.get_by_role("button", name="Show the new version")
    expect(button).to_be_visible(timeout=20_000)
    expect(desktop.get_by_text("the first")).to_be_visible()
    button.click()
    expect(desktop.get_by_text("the second one")).to_be_visible()


def test_the_list_behind_is_out_of_reach_while_a_file_is_shown(site: Site, desktop: Page) -> None:
    open_from_list(desktop, site, "notes.txt")
    expect(heading(desktop, "notes.txt")).to_be_visible()
    for _ in range(20):
        desktop.keyboard.press("Tab")
        inside = desktop.evaluate("!document.activeElement.closest('main')")
        assert inside


def _picture(path: Path, size: str) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}", "-frames:v", "1", "-y"]
    subprocess.run([*command, str(path)], check=True)
