"""All files of a folder as rows: case `export` of benchmarks.streams, in a tree of folders and in a single one.

nginx and copyparty list a single folder and have no other way; nginx tells names, sizes and times.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.peers import Peer, Server, copyparty, nginx, ours
from benchmarks.processes import resident
from benchmarks.report import Bar, Figures, Results, judge, show
from benchmarks.rounds import SMOKE, Bench, say, started_each_time
from benchmarks.streams_reading import read_rows
from benchmarks.watching import Watch

COUNT = 1_000_000
FOLDERS = 1000
COLUMNS = {"first row ms": "{:.0f}", "rows/s": "{:,.0f}", "seconds": "{:.1f}", "MB added": "{:.1f}", "CPU s": "{:.1f}"}
FIRST_MS = 100
ADDED_MB = 32
"""A page of names, and of rows; a million rows are some 230 MB."""
MB = 1e6
_MARK = b"file-"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a peer; a row of its answer holds a file's name `marks` times."""

    query: str
    marks: int
    accept: str = "*/*"


_NDJSON, _CSV, _JSON = "application/x-ndjson", "text/csv", "application/json"
_OURS: Mapping[str, Ask] = {
    "ours": Ask("?recursive=true", 3, _NDJSON),
    "ours-csv": Ask("?recursive=true", 3, _CSV),
    "ours-json": Ask("?recursive=true", 3, _JSON),
    "ours-unsorted": Ask("?recursive=true&sort=none", 3, _NDJSON),
}
_OTHERS: Mapping[str, Ask] = {"nginx": Ask("", 1), "copyparty": Ask("?ls", 1)}
ASKS = {**_OURS, **_OTHERS}
PEERS = (
    Peer("ours", "this server, NDJSON", ours("--read-only"), "/files/"),
    Peer("ours-csv", "this server, CSV", ours("--read-only"), "/files/"),
    Peer("ours-json", "this server, JSON", ours("--read-only"), "/files/"),
    Peer("ours-unsorted", "this server, NDJSON, sort=none", ours("--read-only"), "/files/"),
    Peer("nginx", "nginx, autoindex_format json", nginx(dav="autoindex on; autoindex_format json;"), needs="nginx"),
    Peer("copyparty", "copyparty, ?ls", copyparty),
)
NAMES = {peer.key: peer.name for peer in PEERS}


def export(bench: Bench) -> Results:
    """A table and bars for each shape; the results are those of the single folder."""
    count = (COUNT // SMOKE if bench.is_smoke else COUNT) // 100 * 100
    in_tree = _measured(bench, "tree", min(FOLDERS, count // 100), count)
    judge(*(_bar(in_tree, key, "first row ms", FIRST_MS) for key in _OURS))
    judge(*(_bar(in_tree, key, "MB added", ADDED_MB) for key in _OURS))
    flat = _measured(bench, "flat", 1, count)
    judge(_bar(flat, "ours-unsorted", "first row ms", FIRST_MS))
    judge(*(_bar(flat, key, "MB added", ADDED_MB) for key in _OURS))
    return flat


def _measured(bench: Bench, shape: str, folders: int, count: int) -> Results:
    folder = bench.folder / shape
    say(f"export: making {count} files in {folders} folders")
    _make(folder, folders, count)
    peers = PEERS if folders == 1 else tuple(peer for peer in PEERS if peer.key in _OURS)

    def measure(server: Server) -> Figures:
        return _figures(server, count)

    results = started_each_time(replace(bench, folder=folder), peers, measure, title=f"export, {shape}")
    show(f"{count:,} files, {shape}: {folders:,} folders", results, NAMES, COLUMNS)
    return results


def _figures(server: Server, count: int) -> Figures:
    ask = ASKS[server.peer.key]
    before = resident(server.pid)
    with Watch(server.pid) as watch:
        read = read_rows(server.site.port, server.path(ask.query), _MARK, count * ask.marks, accept=ask.accept)
    return {
        "first row ms": read.first_s * 1000,
        "rows/s": count / read.seconds,
        "seconds": read.seconds,
        "MB added": (max(watch.peak, resident(server.pid)) - before) / MB,
        "CPU s": watch.cpu_s,
    }


def _make(folder: Path, folders: int, count: int) -> None:
    """Empty files, `count` in all; a single folder is the one that is served."""
    for number in range(folders):
        path = folder if folders == 1 else folder / f"folder-{number:04}"
        path.mkdir(parents=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        for each in range(count // folders):
            os.mknod(f"file-{each:07}.bin", dir_fd=descriptor)
        os.close(descriptor)


def _bar(results: Results, key: str, heading: str, limit: float) -> Bar:
    return Bar(f"{heading} of {NAMES[key]}", results.get(key, {}).get(heading), limit)
