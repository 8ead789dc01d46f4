"""A file on the page of its folder, for whoever has no scripts."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from fileserver.web.page import page, page_headers
from fileserver.web.view import Shown, is_text, view
from tests.web.conftest import SITE, Visit

FILE = Shown("a.bin", None, 1500, "2026-01-02T03:04:05Z", "/files/a.bin", "/files/a.bin?download", "/files/")


@pytest.mark.parametrize(
    ("media_type", "tag", "src"),
    [
        ("image/png", "img", "/files/a.bin"),
        ("image/svg+xml", "img", "/files/a.bin"),
        ("image/heic", "img", "/media/a.bin/preview"),
        ("video/mp4", "video", "/files/a.bin"),
        ("audio/flac", "audio", "/files/a.bin"),
    ],
)
def test_what_a_browser_shows_by_itself_is_shown(media_type: str, tag: str, src: str) -> None:
    shown = view(replace(FILE, media_type=media_type, preview_href="/media/a.bin/preview"))
    assert f'<{tag} src="{src}"' in shown


def test_a_picture_that_no_browser_shows_is_not_tried_where_there_are_no_previews() -> None:
    assert "<img" not in view(replace(FILE, media_type="image/heic"))


@pytest.mark.parametrize(
    ("media_type", "text", "said"),
    [
        ("text/plain", b"caf\xc3\xa9", "café"),
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ("text/plain; charset=utf-16le", b"\xff\xfea\0", "a"),
        ("text/plain; charset=hex", b"6", "6"),
        ("text/plain; charset=none-such", b"caf\xe9", "caf\ufffd"),
        ("text/html", b"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("application/json", b"{}\r\n[]", "{}\n[]"),
    ],
)
def test_text_is_text(media_type: str, text: bytes, said: str) -> None:
    assert is_text(media_type)
    assert f"<pre>{said}</pre>" in view(replace(FILE, media_type=media_type, text=text))


@pytest.mark.parametrize("media_type", [None, "application/zip", "image/svg+xml", "video/mp4", "application/pdf"])
def test_what_is_no_text_is_not_read_as_one(media_type: str | None) -> None:
    assert not is_text(media_type)


def test_every_file_has_its_facts_and_ways_on_without_scripts(visit: Visit) -> None:
    site = visit(java_script_enabled=False)
    shown = replace(FILE, media_type="text/plain", text=b"first lines", is_whole=False)
    site.serve("/", page("Folder", view(shown), base="/"), page_headers())
    site.page.goto(SITE)
    article = site.page.get_by_role("article", name="a.bin")
    expect(article).to_contain_text("first lines")
    expect(article).to_contain_text("1.5 KB · text/plain · 2026-01-02 03:04 UTC")
    expect(article.get_by_role("link", name="Download", exact=True)).to_have_attribute("href", "/files/a.bin?download")
    expect(article.get_by_role("link", name="Download all of it")).to_have_attribute("href", "/files/a.bin?download")
    expect(article.get_by_role("link", name="Close")).to_have_attribute("href", "/files/")
    assert site.complaints == []


def test_where_scripts_run_nothing_of_it_is_loaded(visit: Visit) -> None:
    site = visit()
    site.serve("/", page("Folder", view(replace(FILE, media_type="video/mp4")), base="/"), page_headers())
    site.page.goto(SITE)
    assert site.page.get_by_role("article").count() == 0
    assert [request for request in site.requests if "a.bin" in request.url] == []
