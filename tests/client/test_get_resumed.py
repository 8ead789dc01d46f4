"""`get` after its own end: killed, interrupted, or twice at once."""

import json
import signal
import threading
from pathlib import Path

import pytest

from tests.client.conftest import Run, started
from tests.client.scripted_web import Asked, Reply, ranged, scripted_web
from tests.client.serving import TAG, Fetch, Once, names
from tests.support.files import MIB, known_bytes
from tests.support.server import wait_until


@pytest.mark.parametrize("journal", ["", "{}", "[]", '{"url": 1}', '{"done": [[0, 99999999]]}'])
def test_a_journal_that_cannot_be_believed_makes_no_part_ours(fetch: Fetch, folder: Path, journal: str) -> None:
    (folder / "file.bin.part").write_bytes(b"\0" * 5000)
    (folder / "file.bin.part.json").write_text(journal)
    assert "is not ours: --force overwrites it" in (fetch(Once()).error or "")
    assert (folder / "file.bin.part").read_bytes() == b"\0" * 5000
    assert (folder / "file.bin.part.json").read_text() == journal


class Slow:
    """Serves by ranges; from 6 MiB on it hardly gives anything until it is told to."""

    def __init__(self, content: bytes, tag: str = TAG) -> None:
        self.content = content
        self.tag = tag
        self.is_open = threading.Event()
        self.ranges: list[str | None] = []

    def __call__(self, asked: Asked) -> Reply:
        self.ranges.append(asked.fields.get("range"))
        honest = ranged(asked, self.content, etag=self.tag)
        if self.is_open.is_set():
            return honest
        return Reply(honest.status, honest.fields, honest.body, sent=6 * MIB, drips=True)


def _journal(folder: Path) -> int:
    """Bytes that the journal counts."""
    try:
        done = json.loads((folder / "big.bin.part.json").read_text())["done"]
    except (FileNotFoundError, ValueError):
        return 0
    return sum(stop - start for start, stop in done)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.parametrize(("size", "requests"), [(20 * MIB, 2), (68 * MIB, 5)])
def test_a_killed_download_goes_on_where_it_was(folder: Path, run: Run, size: int, requests: int) -> None:
    content = known_bytes(size)
    slow = Slow(content)
    with scripted_web(slow) as origin:
        url = f"{origin}/big.bin"
        with started(folder, "get", url, "-q") as killed:
            wait_until(lambda: _journal(folder), timeout_s=20)
            killed.kill()
        had = _journal(folder)
        assert names(folder) == ["big.bin.part", "big.bin.part.json"]
        slow.is_open.set()
        slow.ranges.clear()
        done = run("get", url, "-o", folder, "-q")
    assert (done.code, done.errors) == (0, "")
    assert (folder / "big.bin").read_bytes() == content
    assert None not in slow.ranges
    assert 0 < had < size
    assert len(slow.ranges) <= requests
    assert names(folder) == ["big.bin"]


def test_an_interrupted_download_keeps_what_came(folder: Path, run: Run) -> None:
    slow = Slow(known_bytes(8 * MIB))
    with scripted_web(slow) as origin:
        with started(folder, "get", f"{origin}/big.bin", "-q") as interrupted:
            wait_until(lambda: _size(folder / "big.bin.part") >= 6 * MIB)
            interrupted.send_signal(signal.SIGINT)
            assert interrupted.wait(20) == 130
        had = _journal(folder)
        slow.is_open.set()
        assert run("get", f"{origin}/big.bin", "-o", folder).code == 0
    assert had >= 6 * MIB
    assert slow.ranges[1] == f"bytes={had}-{8 * MIB - 1}"


def test_a_version_that_changed_between_two_runs_is_fetched_anew(folder: Path, run: Run) -> None:
    slow = Slow(known_bytes(8 * MIB))
    with scripted_web(slow) as origin:
        with started(folder, "get", f"{origin}/big.bin", "-q") as killed:
            wait_until(lambda: _size(folder / "big.bin.part") >= 6 * MIB)
            killed.send_signal(signal.SIGINT)
            killed.wait(20)
        slow.content, slow.tag = known_bytes(8 * MIB, seed=2), '"two"'
        slow.is_open.set()
        assert run("get", f"{origin}/big.bin", "-o", folder).code == 0
    assert (folder / "big.bin").read_bytes() == slow.content


@pytest.mark.parametrize("way", ["whole", "newer"])
def test_parallel_ranges_answered_by_the_whole_fall_back_to_one(folder: Path, run: Run, way: str) -> None:
    """The first answer promises ranges; later ones are of the whole, or of another version."""
    content = known_bytes(65 * MIB)
    tags = [TAG]

    def script(asked: Asked) -> Reply:
        if "range" not in asked.fields:
            return ranged(asked, content, etag=tags[0])
        if way == "whole":
            return Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, content)
        tags[0] = '"two"'
        return ranged(asked, content, etag='"two"')

    with scripted_web(script) as origin:
        done = run("get", f"{origin}/big.bin", "-o", folder, "-q")
    assert (done.code, done.errors) == (0, "")
    assert (folder / "big.bin").read_bytes() == content


def test_two_at_once_do_not_write_one_part(folder: Path, run: Run) -> None:
    slow = Slow(known_bytes(8 * MIB))
    with scripted_web(slow) as origin, started(folder, "get", f"{origin}/big.bin", "-q") as first:
        wait_until(lambda: (folder / "big.bin.part").exists())
        second = run("get", f"{origin}/big.bin", "-o", folder / "big.bin")
        first.kill()
    assert second.code == 1
    assert "another process" in second.errors
