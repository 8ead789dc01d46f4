"""Somebody presses play: films in the viewer, with what browsers' own controls lack."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.page.conftest import Site
from tests.page.media_shelf import LONG_S, box_of, long_film, put, stock
from tests.support.media_files import shared_folder
from tests.support.server import running_server

_FILMS = ("index-at-front.mp4", "languages.mkv", "languages.mp4", "mpeg2-ac3.mkv", "open-gop.mp4")
_PATIENCE_MS = 30_000


@pytest.fixture(scope="module", autouse=True)
def shelf(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What there is to see."""
    folder = shared_folder(tmp_path_factory.getbasetemp())
    stock(site, folder, *_FILMS)
    put(site, long_film(folder))
    for name in ("one.mp4", "two.mp4"):
        put(site, long_film(folder), f"series/{name}")


@pytest.fixture(scope="module")
def converting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that converts films."""
    with running_server(tmp_path_factory.mktemp("converting"), "--video-transcode") as server:
        stock(server, shared_folder(tmp_path_factory.getbasetemp()), "open-gop.mp4")
        yield server


def test_a_film_plays_when_it_is_opened(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    desktop.get_by_role("link", name="index-at-front.mp4").first.click()
    _plays(desktop, beyond=0.5)
    assert _video(desktop, "video.currentSrc").startswith(f"{site.url}/files/index-at-front.mp4")
    assert _video(desktop, "video.getVideoPlaybackQuality().totalVideoFrames") > 5
    assert "/poster?width=" in _video(desktop, "video.poster")


def test_sound_that_browsers_lack_is_heard_by_another_way(site: Site, desktop: Page) -> None:
    _open(site, desktop, "languages.mkv")
    _plays(desktop, beyond=0.5)
    assert _video(desktop, "video.webkitAudioDecodedByteCount") > 0


def test_another_language_is_heard_from_where_one_is(site: Site, desktop: Page) -> None:
    _open(site, desktop, "languages.mp4", "t=5")
    _plays(desktop, beyond=5.5)
    with desktop.expect_request(re.compile(r"/hls/a2/\d+\.m4s")):
        _choose(desktop, "Audio track", "German")
    _plays(desktop, beyond=6)
    _tool(desktop, "Audio track").click()
    expect(desktop.get_by_role("menuitemradio", name="German")).to_be_checked()


def test_a_language_once_chosen_is_heard_in_the_next_film_too(site: Site, desktop: Page) -> None:
    _open(site, desktop, "languages.mp4")
    _choose(desktop, "Audio track", "German")
    with desktop.expect_request(re.compile(r"languages\.mkv/hls/a2/\d+\.m4s")):
        _open(site, desktop, "languages.mkv")


def test_subtitles_are_shown_and_remembered(site: Site, desktop: Page) -> None:
    _open(site, desktop, "languages.mkv", "t=1")
    assert _words(desktop) == []
    _choose(desktop, "Subtitles", "English")
    _seek(desktop, 5.5)
    _is(desktop, "[...video.textTracks].some((each) => each.activeCues?.length)")
    assert _words(desktop) == ["English"]
    _open(site, desktop, "languages.mp4")
    _plays(desktop)
    assert _words(desktop) == ["English"]
    desktop.keyboard.press("c")
    assert _words(desktop) == []


def test_a_chapter_is_a_press_away(site: Site, desktop: Page) -> None:
    _open(site, desktop, "languages.mkv")
    _plays(desktop)
    _choose(desktop, "Chapters", "Two")
    _plays(desktop, beyond=8.2)
    expect(_tool(desktop, "Chapters")).to_have_text("Two")


def test_a_way_that_fails_midway_gives_way_to_the_next_where_it_was(converting: Site, desktop: Page) -> None:
    """Chromium cannot jump in a film with open GOPs, neither in the file nor in a copy of its pictures."""
    _open(converting, desktop, "open-gop.mp4")
    _plays(desktop)
    with desktop.expect_request(re.compile(r"master\.m3u8\?video=h264")):
        _seek(desktop, 14.5)
    _plays(desktop, beyond=14.5)


def test_where_no_way_is_left_one_can_begin_anew(site: Site, desktop: Page) -> None:
    _open(site, desktop, "open-gop.mp4")
    _plays(desktop)
    _seek(desktop, 14.5)
    expect(desktop.get_by_role("heading", name="This browser cannot go on here")).to_be_visible(timeout=_PATIENCE_MS)
    desktop.get_by_role("button", name="Start over").click()
    _plays(desktop, beyond=0.5)


def test_what_cannot_be_played_says_why_and_what_to_do(site: Site, desktop: Page) -> None:
    _open(site, desktop, "mpeg2-ac3.mkv")
    expect(desktop.get_by_role("heading", name="This browser cannot play this file")).to_be_visible()
    expect(desktop.get_by_text("It is coded as mpeg2video, ac3.")).to_be_visible()
    desktop.get_by_text("Why").click()
    expect(desktop.get_by_text("--video-transcode")).to_be_visible()
    with desktop.expect_download() as download:
        desktop.get_by_role("link", name="Open in VLC or another player").click()
    assert download.value.suggested_filename.endswith(".m3u")


def test_a_damaged_film_is_not_called_fine(site: Site, desktop: Page) -> None:
    (site.root / "damaged.mp4").write_bytes(b"\0\0\0\x20ftypisom" + b"no film" * 500)
    _open(site, desktop, "damaged.mp4")
    expect(desktop.get_by_role("heading", name="This file is damaged")).to_be_visible()
    expect(desktop.get_by_text("The file itself is fine")).to_have_count(0)


def test_a_film_goes_on_where_one_stopped(site: Site, desktop: Page) -> None:
    _open(site, desktop, "long.mp4")
    _plays(desktop)
    _seek(desktop, 100)
    with desktop.expect_response(lambda answer: answer.request.method == "PUT" and answer.url.endswith("/progress")):
        desktop.keyboard.press("Escape")
    _open(site, desktop, "long.mp4")
    expect(desktop.locator(".play-chip", has_text=re.compile(r"Continued at 1:4\d\."))).to_be_visible()
    _plays(desktop, beyond=100)
    desktop.get_by_role("button", name="Start over").click()
    _is(desktop, "video.currentTime < 90")


def test_an_address_may_name_a_second(site: Site, desktop: Page) -> None:
    _open(site, desktop, "long.mp4", "t=60")
    _plays(desktop, beyond=60)
    assert _video(desktop, "video.currentTime") < 90


def test_keys_do_what_they_do_in_players(site: Site, desktop: Page) -> None:
    _open(site, desktop, "long.mp4", "t=60")
    _plays(desktop, beyond=60)
    desktop.keyboard.press(" ")
    _is(desktop, "video.paused")
    before = _video(desktop, "video.currentTime")
    for key, change in (("l", 10), ("j", -10), ("ArrowRight", 5), ("ArrowLeft", -5)):
        desktop.keyboard.press(key)
        before += change
        _is(desktop, f"Math.abs(video.currentTime - {before}) < 0.01")
    desktop.keyboard.press("5")
    _is(desktop, f"video.currentTime === {LONG_S / 2}")
    desktop.keyboard.press(">")
    _is(desktop, "video.playbackRate === 1.25")
    expect(_tool(desktop, "Speed: 1.25×")).to_have_text("1.25×")
    desktop.keyboard.press("m")
    _is(desktop, "video.muted")
    desktop.keyboard.press("k")
    _is(desktop, "!video.paused")
    desktop.keyboard.press("Escape")
    expect(desktop.locator("video")).to_have_count(0)


def test_the_next_film_of_a_folder_comes_by_itself_unless_somebody_says_no(site: Site, desktop: Page) -> None:
    _open(site, desktop, "one.mp4", folder="series/")
    _plays(desktop)
    _seek(desktop, LONG_S - 0.3)
    desktop.get_by_role("button", name="Cancel").click()
    _is(desktop, "video.ended")
    _seek(desktop, LONG_S - 1)
    desktop.keyboard.press("k")
    desktop.get_by_role("button", name="Play now").click()
    expect(desktop.get_by_role("heading", name="two.mp4")).to_be_visible()
    _plays(desktop)


def test_a_film_is_seen_at_a_glance_and_jumped_along(site: Site, desktop: Page) -> None:
    _open(site, desktop, "long.mp4", "t=1")
    strip = desktop.get_by_role("slider", name="Position in the film")
    strip.wait_for(timeout=_PATIENCE_MS)
    box = box_of(strip)
    strip.hover(position={"x": box["width"] / 2, "y": 10})
    expect(desktop.get_by_text("1:15")).to_be_visible()
    strip.click(position={"x": box["width"] * 0.8, "y": 10})
    _plays(desktop, beyond=LONG_S * 0.8 - 1)
    strip.press("Home")
    _is(desktop, "video.currentTime < 60")


def test_two_taps_on_a_phone_jump(site: Site, phone: Page) -> None:
    _open(site, phone, "long.mp4", "t=60")
    _plays(phone, beyond=60)
    box = box_of(phone.locator("video"))
    right, middle = box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 3
    phone.touchscreen.tap(right, middle)
    phone.touchscreen.tap(right, middle)
    expect(phone.locator(".play-flash")).to_have_text("+10 s")
    _plays(phone, beyond=70)


def test_on_a_phone_every_control_can_be_reached(site: Site, phone: Page) -> None:
    _open(site, phone, "languages.mkv")
    for name in ("Chapters", "Subtitles", "Audio track", "Speed: 1×", "Full screen", "More playback options"):
        box = box_of(_tool(phone, name))
        assert min(box["width"], box["height"]) >= 44
        assert 0 <= box["x"] <= 390 - box["width"]
        assert box["y"] > 600


def test_a_server_that_was_away_is_waited_for(site: Site, desktop: Page) -> None:
    """Nothing of what is needed next has come yet: the jump goes beyond what was read ahead."""
    desktop.route(re.compile(r"/hls/.*/[1-3]\.m4s"), lambda route: route.abort("connectionreset"))
    desktop.route(re.compile(r"/hls/master\.m3u8"), lambda route: _unless_head(route))
    _open(site, desktop, "languages.mkv", "t=1")
    expect(desktop.get_by_text("The server cannot be reached.")).to_be_visible(timeout=_PATIENCE_MS)
    desktop.unroute_all()
    desktop.get_by_role("button", name="Try again").click()
    _plays(desktop, beyond=7)
    expect(desktop.get_by_text("The server cannot be reached.")).to_have_count(0)


def _unless_head(route: Route) -> None:
    """Away is away: also for who asks whether it is."""
    if route.request.method == "HEAD":
        route.abort("connectionreset")
    else:
        route.continue_()


def _open(site: Site, page: Page, name: str, query: str = "", *, folder: str = "") -> None:
    page.goto(f"{site.url}/files/{folder}?view={name}&{query}")
    page.locator("video, .play-aside .empty").first.wait_for(state="attached")


def _tool(page: Page, name: str) -> Locator:
    return page.locator(".play-bar").get_by_role("button", name=name)


def _choose(page: Page, menu: str, item: str) -> None:
    _tool(page, menu).click()
    page.get_by_role("menuitemradio", name=item).click()


def _video(page: Page, expression: str) -> Any:
    return page.evaluate(f"() => {{ const video = document.querySelector('video'); return {expression}; }}")


def _is(page: Page, expression: str) -> None:
    script = f"() => {{ const video = document.querySelector('video'); return video && {expression}; }}"
    page.wait_for_function(script, timeout=_PATIENCE_MS)


def _plays(page: Page, *, beyond: float = 0) -> None:
    _is(page, f"!video.paused && video.currentTime > {beyond}")


def _seek(page: Page, seconds: float) -> None:
    page.evaluate("(time) => { document.querySelector('video').currentTime = time; }", seconds)


def _words(page: Page) -> list[str]:
    """The subtitles that are shown."""
    shown = "[...video.textTracks].filter((each) => each.mode === 'showing').map((each) => each.label)"
    return list(_video(page, shown))
