"""A person fetches a large file: whole, after a cut, in pieces at once, and with a browser. Every byte is right."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.clients import curl, piped_sha256, run
from tests.support.files import GIB, MIB, KnownFile, make_file, sha256_of
from tests.support.server import Server, wait_until

_PARTS = 8


@pytest.fixture(scope="module")
def big(server: Server) -> Iterator[KnownFile]:
    """2 GiB in the shared server's folder."""
    known = make_file(server.root / "big.bin", 2 * GIB)
    yield known
    known.path.unlink()


@pytest.fixture
def goal(tmp_path: Path) -> Iterator[Path]:
    """Where a download goes; nothing so large stays behind."""
    path = tmp_path / "arrived.bin"
    yield path
    path.unlink(missing_ok=True)


def test_curl_fetches_a_whole_file(server: Server, big: KnownFile) -> None:
    assert piped_sha256("curl", "-q", "-sSf", f"{server.url}/files/big.bin") == big.sha256


def test_curl_continues_where_it_was_cut(server: Server, big: KnownFile, goal: Path) -> None:
    url = f"{server.url}/files/big.bin"
    _cut_midway(["curl", "-q", "-sS", "-o", str(goal), url], goal, big)
    had = goal.stat().st_size
    done = curl("-f", "-C", "-", "-o", goal, "-w", "%{http_code} %{size_download}", url)
    assert done.text == f"206 {big.size - had}", done.errors
    assert sha256_of(goal) == big.sha256


def test_wget_continues_where_it_was_cut(server: Server, big: KnownFile, goal: Path) -> None:
    command = ["wget", "--no-config", "-q", "-c", "-O", str(goal), f"{server.url}/files/big.bin"]
    _cut_midway(command, goal, big)
    had = goal.stat().st_size
    assert run(*command).code == 0
    assert sha256_of(goal) == big.sha256
    assert 0 < had < big.size


def test_aria2c_fetches_eight_parts_at_once(server: Server, big: KnownFile, goal: Path) -> None:
    options = (f"-x{_PARTS}", f"-s{_PARTS}", "-k1M", "--no-conf", "-q", "--file-allocation=none", "-o", goal.name)
    assert run("aria2c", *options, "-d", goal.parent, f"{server.url}/files/big.bin").code == 0
    assert sha256_of(goal) == big.sha256


def test_curl_fetches_eight_ranges_at_once(server: Server, big: KnownFile) -> None:
    size = big.size // _PARTS
    starts = [number * size for number in range(_PARTS)]

    def arrived(start: int) -> str:
        return piped_sha256("curl", "-q", "-sSf", "-r", f"{start}-{start + size - 1}", f"{server.url}/files/big.bin")

    with ThreadPoolExecutor(_PARTS) as curls:
        assert list(curls.map(arrived, starts)) == [sha256_of(big.path, start, size) for start in starts]


def test_a_browser_saves_a_file_under_its_name(server: Server, page: Page, goal: Path) -> None:
    known = make_file(server.root / "Ferien, 2. Teil – süß.bin", 64 * MIB)
    page.goto(f"{server.url}/files/")
    with page.expect_download() as waiting:
        page.evaluate("location.href = '/files/' + encodeURIComponent('Ferien, 2. Teil – süß.bin') + '?download'")
    waiting.value.save_as(goal)
    assert waiting.value.failure() is None
    assert waiting.value.suggested_filename == "Ferien, 2. Teil – süß.bin"
    assert sha256_of(goal) == known.sha256
    known.path.unlink()


def _cut_midway(command: list[str], goal: Path, known: KnownFile) -> None:
    """Start a download and kill it when a third of the file has come."""
    with subprocess.Popen(command) as process:
        wait_until(lambda: goal.exists() and goal.stat().st_size > known.size // 3, timeout_s=60)
        process.kill()
    assert goal.stat().st_size < known.size, "the download was over before it could be cut"
