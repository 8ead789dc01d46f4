"""A resumable upload in chunks of 8 MiB, beside our own PUT and beside @tus/server, in one run.

What is measured and how to read it is in benchmarks/README.md. Tables are Markdown on standard output, progress is on
standard error.
"""

import argparse
import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.peers import Peer, Server, ours
from benchmarks.processes import cpu_s
from benchmarks.report import Bar, Figures, Results, judge, share, show
from benchmarks.resumable_ways import Content, Way, by_draft, by_put, by_tus, by_tus_whole
from benchmarks.rounds import Bench, in_rounds, say
from benchmarks.tus_peer import tus_server
from benchmarks.wire_pressing import disk_folder, file_system

GIB = 1 << 30
ROOM = 3
"""So many times the size must be free: one stored file, and what a file system is slow to give back."""

ANSWER_S = 120.0
COLUMNS = {"GB/s": "{:.3g}", "CPU s/GB": "{:.3f}"}
ROOTS = {"disk": "fsync waits for the medium", "memory": "fsync costs nothing"}


def of_ours(key: str, name: str) -> Peer:
    """This server; what differs is how it is sent to."""
    return Peer(key, f"this server, {name}", ours(), "/files/", is_written=True)


def of_tus(key: str, name: str, *options: str) -> Peer:
    """@tus/server."""
    command = tus_server(*options)
    return Peer(key, f"@tus/server, {name}", command, "/uploads/", needs="node", is_python=False, is_written=True)


WAYS: dict[Peer, Way] = {
    of_ours("ours", "tus, 8 MiB each"): by_tus,
    of_ours("ours-draft", "IETF draft, 8 MiB each"): by_draft,
    of_ours("ours-whole", "tus, one PATCH"): by_tus_whole,
    of_ours("ours-put", "PUT"): by_put,
    of_tus("tus-server", "8 MiB each, never synced"): by_tus,
    of_tus("tus-server-synced", "8 MiB each, each synced", "--synced"): by_tus,
}
"""Each server with the way that a file is sent to it."""

NAMES = {peer.key: peer.name for peer in WAYS}


def measured(content: Content) -> Callable[[Server], Figures]:
    """Sends the content, once a call. What is stored must have its size, and the first time its digest too."""
    digest = content.sha256()
    proven: set[str] = set()

    def measure(server: Server) -> Figures:
        os.sync()  # what the server before has left to the kernel is not this one's to wait for
        before_s, started_s = cpu_s(server.pid), time.perf_counter()
        path = sent(server, content)
        elapsed_s, spent_s = time.perf_counter() - started_s, cpu_s(server.pid) - before_s
        stored = server.site.folder / Path(path).name
        if stored.stat().st_size != content.size:
            raise AssertionError(f"{server.peer.name} stored {stored.stat().st_size} bytes of {content.size}")
        if server.peer.key not in proven and sha256(stored) != digest:
            raise AssertionError(f"{server.peer.name} stored other bytes")
        proven.add(server.peer.key)
        stored.unlink()
        return {"GB/s": content.size / elapsed_s / 1e9, "CPU s/GB": spent_s / content.size * 1e9}

    return measure


def sent(server: Server, content: Content) -> str:
    """Send the content in the server's way, on one connection; the path of its URL. Raises LoadFailed."""
    connection = HTTPConnection("127.0.0.1", server.site.port, timeout=ANSWER_S)
    try:
        return WAYS[server.peer](connection, content)
    finally:
        connection.close()


def sha256(path: Path) -> str:
    """The digest of a stored file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def at_root(bench: Bench, root: str, size: int) -> None:
    """The table and the bars of all ways to one root."""
    above = disk_folder() if root == "disk" else Path("/dev/shm")
    if above is None or not above.is_dir() or shutil.disk_usage(above).free < ROOM * size:
        say(f"{root}: skipped, there is no folder with room")
        return
    with tempfile.TemporaryDirectory(dir=above) as name:
        folder = Path(name)
        results = in_rounds(replace(bench, folder=folder), WAYS, measured(Content(size)), title=root)
        kind = file_system(folder)
    show(f"{root}: {size >> 20} MiB to {kind}, where {ROOTS[root]}", results, NAMES, COLUMNS)
    judge(*bars(results))


def bars(results: Results) -> Iterable[Bar]:
    """What either dialect has to clear."""
    for key in ("ours", "ours-draft"):
        cpu = share(results, "CPU s/GB", "ours-put", of=key)
        speed = share(results, "GB/s", "tus-server", of=key)
        yield Bar(f"CPU per GB of {NAMES[key]}, of PUT's", cpu, 1.3)
        yield Bar(f"GB/s of {NAMES[key]}, of @tus/server's", speed, 1, is_at_most=False)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench resumable", description="Resumable uploads beside PUT.")
    parser.add_argument("roots", nargs="*", metavar="ROOT", help=f"{', '.join(ROOTS)}; default: both")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; the medians are shown")
    parser.add_argument("--size", type=int, default=GIB, help="bytes of the file; default: a GiB")
    parser.add_argument("--peers", default="", help=f"some of {','.join(NAMES)}; default: all")
    parser.add_argument("--smoke", action="store_true", help="one run of a 64th of the bytes: does everything work?")
    asked = parser.parse_args(arguments)
    for root in set(asked.roots) - ROOTS.keys():
        parser.error(f"there is no root {root}")
    for peer in set(filter(None, asked.peers.split(","))) - NAMES.keys():
        parser.error(f"there is no peer {peer}")
    if asked.size < 1 or asked.runs < 1:
        parser.error("sizes and runs are at least 1")
    return asked


def main(arguments: list[str]) -> None:
    """Measure, and print a table for each root."""
    asked = parsed(arguments)
    runs = 1 if asked.smoke else asked.runs
    print(f"{os.cpu_count()} processors, Linux {platform.release()}, Python {platform.python_version()}, {runs} runs")
    with tempfile.TemporaryDirectory() as name:
        chosen = tuple(filter(None, asked.peers.split(",")))
        bench = Bench(Path(name), Path(name), runs, asked.smoke, chosen)
        for root in asked.roots or ROOTS:
            at_root(bench, root, bench.size(asked.size))


if __name__ == "__main__":
    main(sys.argv[1:])
