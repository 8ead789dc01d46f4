"""A page listens to the feed through nginx: live, with nothing held back, and across a restart of the server."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.listener import listen
from tests.support.nginx import documented_locations, free_port, nginx
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.wire import Truncated, request

_DOCUMENT = Path(__file__).parents[2] / "docs" / "deployment.md"
# What a page of the site's own would be: nginx's, so that it is there while the server is not.
_PAGE = "location = /page { default_type text/html; return 200 '<!doctype html><title>here</title>'; }"
_AS_IT_IS = "location / {{ proxy_pass {url}; }}"

_LISTEN = """
(address) => {
  window.told = [];
  window.opened = 0;
  window.source = new EventSource(address);
  window.source.onopen = () => { window.opened += 1; };
  for (const kind of ["created", "replaced", "deleted", "reset", "error"])
    window.source.addEventListener(kind, (event) => {
      if (event.data) window.told.push({kind, id: event.lastEventId, content: JSON.parse(event.data)});
    });
}
"""


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server."""
    with running_server(tmp_path_factory.mktemp("feed")) as server:
        yield server


@pytest.fixture(scope="module", params=["as it is installed", "as documented"])
def origin(request: pytest.FixtureRequest, feed: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of an nginx before that server."""
    documented = " ".join(documented_locations(_DOCUMENT, feed.url))
    location = documented if request.param == "as documented" else _AS_IT_IS.format(url=feed.url)
    with nginx(tmp_path_factory.mktemp("nginx"), f"{location} {_PAGE}") as origin:
        yield origin


def test_a_page_is_told_of_each_change_while_it_listens(feed: Server, origin: str, page: Page) -> None:
    _listen(page, origin)
    for number in range(20):
        key = f"live/{number}.txt"
        request(feed.port, "PUT", f"/files/{key}", body=b"x")
        assert _kinds_of(page, key, count=1) == ["created"]
        request(feed.port, "DELETE", f"/files/{key}")
        assert _kinds_of(page, key, count=2) == ["created", "deleted"]


def test_a_page_that_filters_is_told_of_its_folder_alone(feed: Server, origin: str, page: Page) -> None:
    _listen(page, origin, "/events?prefix=mine/&kind=created")
    for key in ("other/a.txt", "mine/b.txt", "mine.txt", "mine/c.txt"):
        request(feed.port, "PUT", f"/files/{key}", body=b"x")
        request(feed.port, "DELETE", f"/files/{key}")
    told = wait_until(lambda: _told(page), lambda told: len(told) >= 2)
    assert [(change["kind"], change["content"]["key"]) for change in told] == [
        ("created", "mine/b.txt"),
        ("created", "mine/c.txt"),
    ]


def test_a_page_that_goes_away_is_noticed(feed: Server, origin: str, page: Page) -> None:
    before = feed.open_transfers()
    _listen(page, origin)
    assert feed.open_transfers() == before + 1
    page.evaluate("window.source.close()")
    wait_until(feed.open_transfers, lambda count: count == before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_page_misses_nothing_when_the_server_is_started_anew(
    serve: Serve, tmp_path: Path, page: Page, number: signal.Signals
) -> None:
    root, scratch, port = _folder(tmp_path / "root"), _folder(tmp_path / "nginx"), free_port()
    first = serve(root, "--port", str(port))
    location = " ".join(documented_locations(_DOCUMENT, first.url))
    with nginx(scratch, f"{location} {_PAGE}") as origin:
        _listen(page, origin)
        _store(port, "before", 30)
        first.process.send_signal(number)
        first.process.wait(15)
        wait_until(lambda: page.evaluate("window.source.readyState"), lambda state: state == 0)
        wait_until(lambda: page.evaluate("window.opened") > 1)  # nginx has stood in
        serve(root, "--port", str(port))
        _store(port, "after", 30)
        keys = _names("before", 30) + _names("after", 30)
        wait_until(lambda: _told_of(page, keys[-1]), timeout_s=20)
        told = _told(page)
    assert [change["content"]["key"] for change in told] == keys
    assert len({change["id"] for change in told}) == len(told)


def test_without_a_stand_in_a_page_gives_up(serve: Serve, tmp_path: Path, page: Page) -> None:
    server = serve(tmp_path)
    with nginx(_folder(tmp_path / "nginx"), f"{_AS_IT_IS.format(url=server.url)} {_PAGE}") as origin:
        _listen(page, origin)
        server.kill()
        wait_until(lambda: page.evaluate("window.source.readyState"), lambda state: state == 2)


def test_what_a_killed_server_had_begun_does_not_look_whole(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    location = " ".join(documented_locations(_DOCUMENT, server.url))
    with (
        nginx(_folder(tmp_path / "nginx"), location) as origin,
        listen(int(origin.rpartition(":")[2]), framing="ndjson") as stream,
    ):
        stream.begun()
        server.kill()
        with pytest.raises(Truncated):
            stream.next()


def _listen(page: Page, origin: str, path: str = "/events") -> None:
    """Have the page listen, and wait until it does."""
    page.goto(f"{origin}/page")
    page.evaluate(_LISTEN, f"{origin}{path}")
    wait_until(lambda: page.evaluate("window.opened") == 1)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _told(page: Page) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = page.evaluate("window.told")
    return told


def _told_of(page: Page, key: str) -> list[dict[str, Any]]:
    return [change for change in _told(page) if change["content"]["key"] == key]


def _kinds_of(page: Page, key: str, *, count: int) -> list[str]:
    """What the page was told of a key, once it was told so often."""
    told = wait_until(lambda: _told_of(page, key), lambda told: len(told) >= count)
    return [change["kind"] for change in told]


def _names(folder: str, count: int) -> list[str]:
    return [f"{folder}/{number}.txt" for number in range(count)]


def _store(port: int, folder: str, count: int) -> None:
    for name in _names(folder, count):
        assert request(port, "PUT", f"/files/{name}", body=b"x").status == 201
