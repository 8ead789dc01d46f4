"""Music plays on while somebody does something else: the bar at the bottom of the page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site
from tests.page.media_shelf import box_of, put, stock
from tests.support.media_files import shared_folder
from tests.support.server import wait_until

_SONGS = ("book.m4b", "song.flac", "song.mp3")


@pytest.fixture(scope="module", autouse=True)
def shelf(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Records, and something that only calls itself one."""
    folder = shared_folder(tmp_path_factory.getbasetemp())
    stock(site, folder, *_SONGS)
    broken = folder / "broken.mp3"
    broken.write_bytes(b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" + bytes(2000))
    put(site, broken, "broken/broken.mp3")


def test_a_record_is_seen_with_who_made_it_and_its_shape(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/?view=song.mp3")
    expect(desktop.get_by_role("heading", name="A song")).to_be_visible()
    expect(desktop.get_by_text("Nobody · Tones")).to_be_visible()
    _is(desktop, "!audio.paused && audio.currentTime > 0.2")
    line = desktop.get_by_role("slider", name="Position in the recording")
    expect(line.locator("path").first).to_have_attribute("d", re.compile(r"v1\.\d+"))  # louder than the flat line
    line.press("End")
    expect(line).to_have_attribute("aria-valuetext", re.compile("^0:24 / 0:24"))


def test_music_goes_on_while_browsing_and_over_a_reload(site: Site, desktop: Page) -> None:
    bar = _queue(site, desktop, "song.mp3")
    expect(bar.get_by_text("A song")).to_be_visible()
    bar.get_by_role("button", name="Pause").click()
    expect(bar.get_by_role("button", name="Play", exact=True)).to_be_visible()
    bar.get_by_role("slider", name="Position in the recording").press("PageUp")
    desktop.reload()
    expect(bar.get_by_text("A song")).to_be_visible()
    expect(bar.get_by_role("slider", name="Position in the recording")).to_have_attribute(
        "aria-valuenow", re.compile("^2[0-4]$")
    )
    bar.get_by_role("button", name="Stop and close").click()
    expect(bar).to_have_count(0)
    desktop.reload()
    expect(desktop.get_by_role("region", name="Music player")).to_have_count(0)


def test_a_record_follows_another(site: Site, desktop: Page) -> None:
    bar = _queue(site, desktop, "song.flac")
    with desktop.expect_response(re.compile(r"/media/song\.mp3$")):
        bar.get_by_role("slider", name="Position in the recording").press("End")
    expect(bar.get_by_role("button", name="Pause")).to_be_visible()
    bar.get_by_role("button", name="Repeat: off").click()
    with desktop.expect_response(re.compile(r"/media/book\.m4b$")):
        bar.get_by_role("button", name="Next").click()


def test_the_queue_is_a_list_to_choose_from_and_to_thin_out(site: Site, desktop: Page) -> None:
    bar = _queue(site, desktop, "song.mp3")
    bar.get_by_role("button", name="Show the queue").click()
    sheet = desktop.get_by_role("dialog", name="Queue")
    expect(sheet.get_by_role("listitem")).to_have_count(3)
    expect(sheet.locator("[aria-current=true]")).to_have_text("song.mp3")
    sheet.get_by_role("button", name="Remove song.flac from the queue").click()
    expect(sheet.get_by_role("listitem")).to_have_count(2)
    sheet.get_by_role("button", name="book.m4b", exact=True).click()
    expect(sheet.locator("[aria-current=true]")).to_have_text("book.m4b")
    desktop.keyboard.press("Escape")
    expect(bar.get_by_text("A book")).to_be_visible()


def test_what_is_no_record_is_told_and_passed_over(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/broken/")
    _play_all(desktop, ["broken/broken.mp3", "song.mp3"])
    expect(desktop.get_by_text("“broken.mp3” cannot be played here.")).to_be_visible(timeout=30_000)
    expect(desktop.get_by_role("region", name="Music player").get_by_text("A song")).to_be_visible()


def test_on_a_phone_all_of_it_is_a_touch_away(site: Site, phone: Page) -> None:
    bar = _queue(site, phone, "song.mp3")
    box = wait_until(lambda: box_of(bar), lambda box: box["y"] + box["height"] == 844)  # it has come up
    assert box["height"] < 100
    bar.get_by_title("Open the player").tap()
    sheet = phone.get_by_role("dialog", name="Queue")
    for name in ("Shuffle", "Repeat: off", "Previous", "Pause", "Next"):
        target = box_of(sheet.get_by_role("button", name=name, exact=True))
        assert min(target["width"], target["height"]) >= 44
    sheet.get_by_role("button", name="Pause").tap()
    expect(sheet.get_by_role("button", name="Play", exact=True)).to_be_visible()


def _queue(site: Site, page: Page, name: str) -> Locator:
    """Open a record, and have it play on with the others while one browses."""
    page.goto(f"{site.url}/files/?view={name}")
    _is(page, "!audio.paused && audio.currentTime > 0")
    page.get_by_role("button", name="Keep playing while browsing").click()
    bar = page.get_by_role("region", name="Music player")
    expect(bar.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".view")).to_have_count(0)
    return bar


def _play_all(page: Page, keys: list[str]) -> None:
    page.evaluate(
        """async (keys) => {
          const main = document.querySelector("script[type=module]").src;
          const { playAll } = await import(new URL("play/queue.js", main).href);
          const file = { type: "file", media_type: "audio/mpeg" };
          await playAll(keys.map((key) => ({ ...file, key, name: key.split("/").at(-1), href: `/files/${key}` })));
        }""",
        keys,
    )


def _is(page: Page, expression: str) -> None:
    """`audio` is the record in the viewer."""
    page.wait_for_function(
        f"() => {{ const audio = document.querySelector('.play audio'); return audio && {expression}; }}",
        timeout=30_000,
    )
