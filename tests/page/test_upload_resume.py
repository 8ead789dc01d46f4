"""Uploads outlast what breaks them: the network, the server, the page, and a pause."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, Request, expect

from tests.page.conftest import DESK, Site, Visit
from tests.page.dropping import drop
from tests.page.relay import Relay, relay
from tests.support.nginx import nginx
from tests.support.server import running_server, wait_until

_WITHOUT_HANDLES = "delete window.showOpenFilePicker; delete DataTransferItem.prototype.getAsFileSystemHandle;"
_SIZE = 3_500_000
_RATE = 2_000_000  # bytes a second: slow enough to be broken midway, whatever else the machine does


@pytest.fixture
def slow(site: Site) -> Iterator[Relay]:
    """A slow network before the site."""
    with relay(site.port, rate=_RATE) as network:
        yield network


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file that takes a while."""
    path = tmp_path / f"{tmp_path.name}.bin"
    path.write_bytes(os.urandom(_SIZE))
    return path


def panel_of(page: Page) -> Locator:
    """The panel of uploads."""
    return page.get_by_role("region", name="Uploads")


def test_a_broken_network_costs_only_what_was_on_the_way(site: Site, slow: Relay, desktop: Page, film: Path) -> None:
    desktop.goto(f"{slow.url}/files/")
    pieces = _pieces(desktop)
    drop(desktop, film)
    _sent_some(slow)
    slow.cut()
    _ends(desktop, site, film)
    assert len(pieces) == 2
    assert pieces[0] == 0 < pieces[1]


def test_a_server_that_is_killed_goes_on_when_it_is_back(visit: Visit, tmp_path: Path, film: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    page = visit(DESK)
    with ExitStack() as stack:
        server = stack.enter_context(running_server(root))
        network = stack.enter_context(relay(server.port, rate=_RATE))
        page.goto(f"{network.url}/files/")
        pieces = _pieces(page)
        drop(page, film)
        _sent_some(network)
        server.kill()
        expect(panel_of(page).get_by_text("The connection broke")).to_be_visible()
        again = stack.enter_context(running_server(root))
        network.to_port = again.port
        _ends(page, again, film)
    assert pieces[0] == 0 < pieces[-1]


def test_a_reload_goes_on_by_itself_where_the_browser_keeps_handles(
    site: Site, slow: Relay, desktop: Page, film: Path
) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    desktop.on("dialog", leave)
    desktop.goto(f"{slow.url}/files/")
    desktop.get_by_role("searchbox").or_(desktop.locator("body")).first.click()  # pages nobody touched may not ask
    pieces = _pieces(desktop)
    drop(desktop, film)
    _sent_some(slow)
    desktop.reload()
    assert asked == ["beforeunload"]
    _ends(desktop, site, film)
    assert pieces[0] == 0 < pieces[-1]
    desktop.reload()
    assert asked == ["beforeunload"]
    expect(panel_of(desktop)).to_have_count(0)


def test_a_reload_asks_for_the_file_again_where_it_must(site: Site, slow: Relay, visit: Visit, film: Path) -> None:
    other = film.with_name("other.bin")
    other.write_text("not the one")
    page = visit(DESK)
    page.add_init_script(_WITHOUT_HANDLES)
    page.goto(f"{slow.url}/files/")
    pieces = _pieces(page)
    drop(page, film)
    _sent_some(slow)
    page.reload()
    panel = panel_of(page)
    expect(panel.get_by_role("button", name="1 upload was interrupted")).to_be_visible()
    _choose(page, film, other)
    expect(page.get_by_role("alert")).to_contain_text("is not one of the interrupted files")
    _choose(page, film, film)
    _ends(page, site, film)
    assert pieces[0] == 0 < pieces[-1]


def test_the_same_file_dropped_after_a_reload_goes_on(site: Site, slow: Relay, visit: Visit, film: Path) -> None:
    page = visit(DESK)
    page.add_init_script(_WITHOUT_HANDLES)
    page.goto(f"{slow.url}/files/")
    pieces = _pieces(page)
    drop(page, film)
    _sent_some(slow)
    page.reload()
    expect(panel_of(page).get_by_role("button", name="1 upload was interrupted")).to_be_visible()
    drop(page, film)
    _ends(page, site, film)
    assert pieces[0] == 0 < pieces[-1]


def test_another_window_leaves_running_uploads_alone(site: Site, slow: Relay, desktop: Page, film: Path) -> None:
    desktop.goto(f"{slow.url}/files/")
    drop(desktop, film)
    _sent_some(slow)
    other = desktop.context.new_page()
    pieces = _pieces(other)
    other.goto(f"{slow.url}/files/")
    _ends(desktop, site, film)
    assert pieces == []
    expect(panel_of(other)).to_have_count(0)


def test_a_pause_keeps_what_was_sent(site: Site, slow: Relay, desktop: Page, film: Path) -> None:
    desktop.goto(f"{slow.url}/files/")
    pieces = _pieces(desktop)
    drop(desktop, film)
    _sent_some(slow)
    panel = panel_of(desktop)
    panel.get_by_role("button", name=f"Pause {film.name}").click()
    expect(panel.get_by_role("button", name="1 upload paused")).to_be_visible()
    panel.get_by_role("button", name="Resume all").click()
    _ends(desktop, site, film)
    assert len(pieces) == 2
    assert pieces[0] == 0 < pieces[1]


def test_a_cancelled_upload_leaves_nothing(site: Site, slow: Relay, desktop: Page, film: Path) -> None:
    desktop.goto(f"{slow.url}/files/")
    drop(desktop, film)
    _sent_some(slow)
    assert site.drafts() != []
    panel_of(desktop).get_by_role("button", name="Cancel all").click()
    desktop.get_by_role("dialog").get_by_role("button", name="Cancel uploads").click()
    expect(panel_of(desktop)).to_have_count(0)
    wait_until(lambda: site.drafts() == [])
    assert film.name not in site.stored()
    desktop.reload()
    expect(desktop.get_by_role("main")).to_be_visible()
    expect(panel_of(desktop)).to_have_count(0)


def test_uploads_go_on_while_somebody_browses(site: Site, slow: Relay, desktop: Page, film: Path) -> None:
    (site.root / "elsewhere").mkdir(exist_ok=True)
    desktop.goto(f"{slow.url}/files/")
    drop(desktop, film)
    _sent_some(slow)
    desktop.get_by_role("link", name="elsewhere").first.click()
    desktop.wait_for_url("**/files/elsewhere/")
    _ends(desktop, site, film)
    assert desktop.url.endswith("/files/elsewhere/")


@pytest.mark.parametrize("size", [1_500_000, 4_000_000], ids=["by put", "by tus"])
def test_a_proxy_that_takes_only_small_requests_gets_small_ones(
    site: Site, visit: Visit, tmp_path: Path, size: int
) -> None:
    film = tmp_path / f"small {size}.bin"
    film.write_bytes(os.urandom(size))
    (tmp_path / "nginx").mkdir()
    with nginx(tmp_path / "nginx", f"location / {{ proxy_pass {site.url}; proxy_set_header Host $http_host; }}") as url:
        page = visit(DESK)
        page.goto(f"{url}/files/")
        drop(page, film)
        _ends(page, site, film)


def _pieces(page: Page) -> list[int]:
    """The offsets of the pieces that the page sends, as they are sent."""
    offsets: list[int] = []

    def note(each: Request) -> None:
        if each.method == "PATCH":
            offsets.append(int(each.headers["upload-offset"]))

    page.on("request", note)
    return offsets


def _sent_some(network: Relay) -> None:
    wait_until(lambda: network.sent > _SIZE / 3, timeout_s=30)


def _choose(page: Page, film: Path, chosen: Path) -> None:
    with page.expect_file_chooser() as chooser:
        panel_of(page).get_by_role("button", name=f"Choose file: {film.name}").click()
    chooser.value.set_files(chosen)


def _ends(page: Page, site: Site, film: Path) -> None:
    """The upload comes to its end, and what is stored is the file."""
    expect(panel_of(page).get_by_role("button", name="1 file uploaded")).to_be_visible(timeout=30_000)
    assert (site.root / film.name).read_bytes() == film.read_bytes()
