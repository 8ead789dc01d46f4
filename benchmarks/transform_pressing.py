"""Transforms under pressure: a long upload, a slow reader, several at once, a client that leaves, a small budget."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.load import LoadFailed
from benchmarks.peers import Server
from benchmarks.report import Bar, judge
from benchmarks.transform_client import answering, asked
from benchmarks.transform_ways import MB, Table
from benchmarks.transform_works import WORKS
from benchmarks.watching import Watch, has_ended, resident, until

LONG = 5
"""So many times the table is what a long upload has."""

SLOW_RATE = 1_000_000  # bytes a second
SLOW_S = 20.0
CROWD = 4
SORTING_S = 1.0
"""Processor seconds for each GB that a worker has spent when its client leaves."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the cases are given: a server that has done a transform already, and the table it has stored."""

    server: Server
    table: Table
    long_table: Callable[[], Table]
    seconds: float

    def path(self) -> str:
        """The path of the stored table's transforms."""
        return f"/transform/{self.table.path.name}"


def long(pressed: Pressed) -> None:
    """A long upload: what server and worker hold at their highest."""
    table = pressed.long_table()
    for key in ("pass", "select"):
        before = resident(pressed.server.pid)
        with Watch(pressed.server.pid) as watch:
            answer = asked(pressed.server.site.port, "/transform", WORKS[key].query, table.path)
        growth = (watch.peak - before) / MB
        told = f"{table.size / 1e9:.2f} GB live, {WORKS[key].title}"
        print(f"\n{told}: {table.size / MB / answer.seconds:.0f} MB/s, worker {watch.child_peak / MB:.0f} MB")
        judge(
            Bar("MB that the server grew by", growth, 50),
            Bar("MB of the worker", watch.child_peak / MB, 400),
            Bar("seconds to the first byte", answer.first_byte_s, 0.2),
        )


def slow(pressed: Pressed) -> None:
    """A reader of 1 MB/s: the worker must wait, not work ahead."""
    seconds = pressed.seconds
    with (
        Watch(pressed.server.pid) as watch,
        answering(pressed.server.site.port, pressed.path(), WORKS["pass"].query) as response,
    ):
        _read_slowly(response.read, seconds / 2)
        _, spent_before_s = watch.busiest_child()
        server_before = resident(pressed.server.pid)
        _read_slowly(response.read, seconds / 2)
        _, spent_s = watch.busiest_child()
        growth = (resident(pressed.server.pid) - server_before) / MB
    print(f"\nA reader of 1 MB/s for {seconds:.0f} s: worker {watch.child_peak / MB:.0f} MB")
    judge(
        Bar("CPU of the worker in the second half, of the time", (spent_s - spent_before_s) / (seconds / 2), 0.05),
        Bar("MB that the server grew by in the second half", growth, 5),
        Bar("MB of the worker", watch.child_peak / MB, 400),
    )


def _read_slowly(read: Callable[[int], bytes], seconds: float) -> None:
    started_s, taken = time.monotonic(), 0
    while (passed_s := time.monotonic() - started_s) < seconds:
        taken += len(read(SLOW_RATE // 10))
        time.sleep(max(0.0, taken / SLOW_RATE - passed_s))


def crowd(pressed: Pressed) -> None:
    """Four at once, as fast as one after the other."""
    query = WORKS["select"].query
    one = asked(pressed.server.site.port, pressed.path(), query)
    started_s = time.perf_counter()
    with ThreadPoolExecutor(CROWD) as pool:
        waiting = [pool.submit(asked, pressed.server.site.port, pressed.path(), query) for _ in range(CROWD)]
        answers = [each.result() for each in waiting]
    seconds = time.perf_counter() - started_s
    if {answer.size for answer in answers} != {one.size}:
        raise LoadFailed("the same transform gave answers of different sizes")
    speed = CROWD * pressed.table.size / MB / seconds
    print(f"\n{CROWD} at once, {WORKS['select'].title}: {speed:.0f} MB/s together")
    judge(Bar("speed together, of one alone", speed / (pressed.table.size / MB / one.seconds), 0.9, is_at_most=False))


def leaving(pressed: Pressed) -> None:
    """A client that leaves while its table is sorted: how long the worker lives on, and its files."""
    connection = HTTPConnection("127.0.0.1", pressed.server.site.port)
    with Watch(pressed.server.pid) as watch:
        connection.request("GET", f"{pressed.path()}?{urlencode(WORKS['sort'].query)}")
        until(lambda: watch.busiest_child()[1] >= SORTING_S * pressed.table.size / 1e9)
        worker, spent_s = watch.busiest_child()
    spilt = _spilt(pressed.server.site.folder)
    connection.close()
    left_s = time.perf_counter()
    until(lambda: has_ended(worker))
    ended_s = time.perf_counter() - left_s
    until(lambda: not _spilt(pressed.server.site.folder))
    freed_s = time.perf_counter() - left_s
    held = f"{watch.child_peak / MB:.0f} MB and {spilt / MB:.0f} MB of files"
    print(f"\nA client that leaves {spent_s:.2f} CPU seconds into a sort; the worker holds {held}")
    judge(Bar("seconds until the worker has ended", ended_s, 0.5), Bar("and its files are gone", freed_s, 0.5))


def _spilt(root: Path) -> int:
    """Bytes in the folders of the workers that work."""
    files = (path for folder in root.glob(".fileserver/scratch/jobs/*/work") for path in (folder, *folder.rglob("*")))
    size = 0
    for path in files:
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def budget(pressed: Pressed) -> None:
    """What takes more than a row at a time: the memory that it takes."""
    for key in ("sort", "distinct"):
        with Watch(pressed.server.pid) as watch:
            answer = asked(pressed.server.site.port, pressed.path(), WORKS[key].query)
        speed = pressed.table.size / MB / answer.seconds
        print(f"\n{pressed.table.size / 1e9:.2f} GB stored, {WORKS[key].title}: {speed:.0f} MB/s")
        judge(Bar("MB of the worker, whose budget is 1 GiB", watch.child_peak / MB, 1400))


CASES: dict[str, Callable[[Pressed], None]] = {
    "long": long,
    "slow": slow,
    "crowd": crowd,
    "leaving": leaving,
    "budget": budget,
}
