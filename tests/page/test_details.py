"""What is to be known of a file: facts, checksum, links and commands that work, and what people say about it."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import DESK, HAND, Site, Visit
from tests.support.server import running_server
from tests.support.wire import request

_NAME = "it's a $(touch x) file.txt"
_CONTENT = b"known content\n"


@pytest.fixture(scope="module", autouse=True)
def _files(site: Site) -> None:
    """A text with a name that shells dislike, and a film."""
    (site.root / _NAME).write_bytes(_CONTENT)
    (site.root / "other.txt").write_bytes(b"other\n")
    source = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=6")
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-metadata", "title=A film", "-y")
    subprocess.run(["ffmpeg", "-loglevel", "error", *source, *coding, str(site.root / "film.mp4")], check=True)


def open_details(page: Page, site: Site, name: str) -> Locator:
    """The details of a file, from its viewer."""
    page.goto(f"{site.url}/files/")
    page.get_by_role("row", name=name).get_by_text(name).click()
    page.get_by_role("group", name="File actions").get_by_role("button", name="Details").click()
    return details_of(page, name)


def details_of(page: Page, name: str) -> Locator:
    """The pane or sheet of a file."""
    return page.get_by_label(f"Details of {name}")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_facts_and_checksum_are_there(device: str, site: Site, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(device)
    details = open_details(page, site, _NAME)
    expect(details.get_by_text("14 bytes")).to_be_visible()
    expect(details.get_by_text("Text (text/plain)")).to_be_visible()
    compute = details.get_by_role("button", name="Compute")
    checksum = details.get_by_text(hashlib.sha256(_CONTENT).hexdigest())
    expect(compute.or_(checksum).first).to_be_visible()
    if compute.is_visible():
        compute.click()
    expect(checksum).to_be_visible()
    page.keyboard.press("Escape")
    expect(details).to_have_count(0 if device == "phone" else 1)


def test_what_is_copied_works_in_a_shell(site: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit(DESK, permissions=["clipboard-read", "clipboard-write"])
    details = open_details(page, site, _NAME)
    for program in ("curl", "wget", "aria2"):
        details.get_by_role("button", name=program, exact=True).click()
        details.get_by_role("button", name="Copy line").click()
        expect(page.get_by_text("Copied").last).to_be_visible()
        folder = tmp_path / program
        folder.mkdir()
        line = page.evaluate("navigator.clipboard.readText()")
        subprocess.run(["sh", "-c", line], cwd=folder, check=True, capture_output=True)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {_NAME: _CONTENT}


def test_details_go_along_with_the_file_that_is_shown(site: Site, desktop: Page) -> None:
    open_details(desktop, site, _NAME)
    desktop.get_by_role("button", name="Next", exact=True).click()
    details = details_of(desktop, "other.txt")
    expect(details.get_by_text("6 bytes")).to_be_visible()
    details.get_by_role("button", name="Close details").click()
    expect(details).to_have_count(0)


def test_a_film_tells_what_is_in_it(site: Site, desktop: Page) -> None:
    details = open_details(desktop, site, "film.mp4")
    for fact in ("A film", "320 × 180", "25 per second", "0:06"):
        expect(details.get_by_text(fact, exact=True)).to_be_visible()


def test_a_comment_is_said_seen_by_others_at_once_and_deleted(site: Site, visit: Visit) -> None:
    desk, hand = visit(DESK), visit(HAND)
    mine, theirs = (open_details(page, site, "other.txt") for page in (desk, hand))
    expect(theirs.get_by_text("Nobody has said anything yet.")).to_be_visible()
    mine.get_by_label("Say something about this file").fill("Look <b>here</b>\n& there")
    mine.get_by_label("Your name").fill("Ada <i>L.</i>")
    mine.get_by_role("button", name="Post").click()
    for details in (mine, theirs):
        expect(details.get_by_text("Look <b>here</b>\n& there")).to_be_visible()
        expect(details.get_by_text("Ada <i>L.</i>")).to_be_visible()
    expect(mine.get_by_label("Say something about this file")).to_have_value("")
    theirs.get_by_role("button", name="Delete comment").click()
    hand.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    for details in (mine, theirs):
        expect(details.get_by_text("Nobody has said anything yet.")).to_be_visible()


def test_a_comment_is_about_the_moment_that_is_shown(site: Site, desktop: Page) -> None:
    details = open_details(desktop, site, "film.mp4")
    desktop.locator("video").evaluate(
        "(video) => new Promise((done) => { video.pause(); video.onseeked = done; video.currentTime = 4; })"
    )
    details.get_by_label("Say something about this file").fill("here")
    expect(details.get_by_text("At 0:04")).to_be_visible()
    details.get_by_role("button", name="Post").click()
    place = details.get_by_role("button", name="Go to 0:04")
    expect(place).to_be_visible()
    desktop.locator("video").evaluate("(video) => { video.currentTime = 1; }")
    place.click()
    desktop.wait_for_function("Math.abs(document.querySelector('video').currentTime - 4) < 0.5")


def test_a_comment_that_is_too_long_is_not_sent(site: Site, desktop: Page) -> None:
    details = open_details(desktop, site, _NAME)
    details.get_by_label("Say something about this file").fill("x" * 4001)
    expect(details.get_by_text("1 character too many")).to_be_visible()
    expect(details.get_by_role("button", name="Post")).to_be_disabled()
    details.get_by_label("Say something about this file").fill("\N{GRINNING FACE}" * 4000)
    details.get_by_role("button", name="Post").click()
    expect(details.get_by_role("listitem")).to_have_count(1)


def test_a_read_only_server_offers_nothing_to_write(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    with running_server(tmp_path, "--read-only") as server:
        details = open_details(visit(DESK), server, "a.txt")
        expect(details.get_by_text("This server takes no new comments.")).to_be_visible()
        expect(details.get_by_role("button", name="Post")).to_have_count(0)


def test_details_end_with_the_file(site: Site, desktop: Page) -> None:
    (site.root / "brief.txt").write_text("x")
    details = open_details(desktop, site, "brief.txt")
    expect(details.get_by_text("1 byte", exact=True)).to_be_visible()
    assert request(site.port, "DELETE", "/files/brief.txt").status == 204
    expect(details).to_have_count(0)
