"""Measure peers in rounds: each once, then each again, so that noise of the machine hits all alike."""

import os
import statistics
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import LoadFailed
from benchmarks.peers import Peer, Server, serving
from benchmarks.processes import Unavailable
from benchmarks.report import Figures, Results

SMOKE = 64
"""A smoke run has a 64th of the bytes: every case then ends within seconds."""

Measure = Callable[[Server], Figures]


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark: the folder served, a folder for the servers' own things, how much, and of whom."""

    folder: Path
    scratch: Path
    runs: int
    is_smoke: bool
    chosen: tuple[str, ...]

    def size(self, size: int) -> int:
        """So many bytes, or the smoke run's part of them, in whole pages."""
        return max(size // SMOKE, 4096) if self.is_smoke else size

    def seconds(self, seconds: float) -> float:
        """So long, or a tenth."""
        return seconds / 10 if self.is_smoke else seconds

    def among(self, peers: Iterable[Peer]) -> tuple[Peer, ...]:
        """The peers that were asked for."""
        return tuple(peer for peer in peers if not self.chosen or peer.key in self.chosen)

    def file(self, size: int) -> str:
        """The name of a file of that size in the folder, synced to the medium and in the page cache."""
        path = self.folder / f"{size}.bin"
        if not path.exists():
            write_random(path, size)
        return path.name


def write_random(path: Path, size: int) -> None:
    """Bytes without a pattern that a disk or a file system could leave out, synced."""
    block = os.urandom(min(size, 1 << 20))
    with path.open("wb") as file:
        for _ in range(max(1, size >> 20)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def say(text: str) -> None:
    """Tell who waits, and leave the output to the tables."""
    print(text, file=sys.stderr, flush=True)


def skipped(peer: Peer, reason: Exception) -> None:
    """The one line of a peer that is not in the table."""
    print(f"- skipped: {peer.name}: {reason}", flush=True)


def medians(runs: Iterable[Figures]) -> Figures:
    """Of each figure, over the runs."""
    runs = list(runs)
    return {heading: statistics.median(run[heading] for run in runs) for heading in runs[0]}


def in_rounds(bench: Bench, peers: Iterable[Peer], measure: Measure, *, title: str) -> Results:
    """The medians of each peer. All are started first; those that wait for their turn are idle."""
    found: dict[str, list[Figures]] = {}
    with ExitStack() as stack:
        servers = []
        for peer in bench.among(peers):
            try:
                servers.append(stack.enter_context(serving(peer, bench.folder, bench.scratch)))
            except Unavailable as reason:
                skipped(peer, reason)
        for number in range(bench.runs):
            for server in tuple(servers):
                say(f"{title}, round {number + 1} of {bench.runs}: {server.peer.name}")
                try:
                    found.setdefault(server.peer.key, []).append(measure(server))
                except LoadFailed as reason:
                    servers.remove(server)
                    found.pop(server.peer.key, None)
                    skipped(server.peer, reason)
    return {key: medians(runs) for key, runs in found.items()}


def started_each_time(bench: Bench, peers: Iterable[Peer], measure: Measure, *, title: str) -> Results:
    """The medians of each peer, started anew for each run: for figures that a past run would spoil, as memory."""
    found: dict[str, list[Figures]] = {}
    for number in range(bench.runs):
        for peer in bench.among(peers):
            say(f"{title}, round {number + 1} of {bench.runs}: {peer.name}")
            try:
                with serving(peer, bench.folder, bench.scratch) as server:
                    found.setdefault(peer.key, []).append(measure(server))
            except (Unavailable, LoadFailed) as reason:
                skipped(peer, reason)
    return {key: medians(runs) for key, runs in found.items()}
