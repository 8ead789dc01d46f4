"""The parts of the page are kept for ever, come compressed, and change their address with their content."""

import gzip
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from fileserver.web.assets import MAIN, STATIC, STYLESHEET, assets
from tests.page.conftest import Site
from tests.support.wire import request

_FIRST_LOAD = 60_000  # bytes, compressed: what a person waits for before the page is theirs
_NAMES = {"http://www.w3.org/2000/svg", "https://iana.org/assignments/http-problem-types"}  # nobody goes there


def test_each_part_of_a_page_is_there_for_ever_and_compressed(site: Site) -> None:
    page = request(site.port, "GET", "/files/", ("Accept", "text/html")).body.decode()
    addresses = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert any(address.endswith(STYLESHEET) for address in addresses)
    assert any(address.endswith(MAIN) for address in addresses)
    for address in addresses:
        answer = request(site.port, "GET", address, ("Accept-Encoding", "gzip"))
        assert answer.status == 200, address
        assert answer.head.get("cache-control") == "public, max-age=31536000, immutable"
        plain = request(site.port, "GET", address)
        if not address.endswith(".png"):
            assert answer.head.get("content-encoding") == "gzip"
            assert gzip.decompress(answer.body) == plain.body


def test_the_first_load_is_small(site: Site) -> None:
    page = request(site.port, "GET", "/files/", ("Accept", "text/html"), ("Accept-Encoding", "gzip"))
    text = gzip.decompress(page.body) if page.head.get("content-encoding") == "gzip" else page.body
    addresses = set(re.findall(r'(?:href|src)="(/assets/[^"]+\.(?:js|css))"', text.decode()))
    sizes = {
        address: len(request(site.port, "GET", address, ("Accept-Encoding", "gzip")).body) for address in addresses
    }
    assert len(page.body) + sum(sizes.values()) < _FIRST_LOAD, sizes


def test_a_part_of_another_version_is_not_found(site: Site) -> None:
    assert request(site.port, "GET", f"/assets/0123456789abcdef/{MAIN}").status == 404
    assert request(site.port, "GET", f"/assets/{assets().digest}/app/../../page.py").status == 404
    assert request(site.port, "GET", f"/assets/{assets().digest}/%2e%2e/page.py").status == 404


def test_every_module_that_is_imported_is_there() -> None:
    known = assets().by_path
    for path, asset in known.items():
        if path.startswith(("app/", "strings/")) and path.endswith(".js"):
            text = re.sub(r"/\*.*?\*/", "", asset.content.decode(), flags=re.DOTALL)  # types are imported there, too
            for relative in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""", text):
                target = (Path("/") / path).parent / relative
                assert str(target.resolve()).lstrip("/") in known, f"{path} imports {relative}"


def test_no_address_leaves_this_origin_in_what_we_wrote() -> None:
    ours = [
        path
        for path in assets().by_path
        if path.startswith(("app/", "strings/", "styles/")) and not path.endswith(".svg")
    ]
    assert ours
    for path in ours:
        text = assets().by_path[path].content.decode()
        assert set(re.findall(r"""["'(](https?://[^"'#)]*)""", text)) <= _NAMES, path


def test_comments_do_not_travel_and_all_else_does() -> None:
    for path in (path for path in assets().by_path if path.startswith(("app/", "strings/"))):
        there, sent = (STATIC / path).read_bytes().split(b"\n"), assets().by_path[path].content.split(b"\n")
        assert len(there) == len(sent), path
        is_in_template = False
        for line, left in zip(there, sent, strict=True):
            assert left == line or (not left and not is_in_template), f"{path}: {line!r}"
            is_in_template ^= bool(left.split(b"//")[0].count(b"`") % 2)


def test_a_first_view_has_the_drawings_that_it_shows(site: Site, desktop: Page) -> None:
    for name in ("a.txt", "b.png", "c.mp3", "d.mp4", "e.csv", "f.zip", "g.bin"):
        (site.root / name).write_bytes(b"x")
    (site.root / "folder").mkdir()
    sent = set(re.findall(r'id="(icon-[^"]+)"', request(site.port, "GET", "/", ("Accept", "text/html")).body.decode()))
    desktop.goto(site.url)
    expect(desktop.get_by_role("grid")).to_be_visible()
    shown = set(desktop.evaluate("Array.from(document.querySelectorAll('use'), (use) => use.getAttribute('href'))"))
    assert len(shown) > 8
    assert {f"#{name}" for name in sent} >= shown


def test_the_other_drawings_come_after_it(site: Site, desktop: Page) -> None:
    desktop.goto(site.url)
    every = {f"icon-{path.stem}" for path in (STATIC / "vendor" / "lucide").glob("*.svg")}
    desktop.wait_for_function(
        "(count) => document.querySelectorAll('#icons > symbol').length === count", arg=len(every)
    )
    assert set(desktop.evaluate("Array.from(document.querySelectorAll('#icons > symbol'), ({id}) => id)")) == every
    desktop.wait_for_function("() => Array.from(document.styleSheets).some(({href}) => href.endsWith('rooms.css'))")
