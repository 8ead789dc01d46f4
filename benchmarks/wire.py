"""This server beside its peers over the wire, in one run: scripts/bench wire [CASE...]. What is measured and how to
read it is in benchmarks/README.md. Tables are Markdown on standard output, progress is on standard error.
"""

import argparse
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.load import client
from benchmarks.peers import PEERS, UPLOADS
from benchmarks.rounds import Bench
from benchmarks.wire_pressing import cold, slow, upload
from benchmarks.wire_reading import large, listing_health, not_modified, ranges, small

CASES: dict[str, Callable[[Bench], None]] = {
    "large": large,
    "ranges": ranges,
    "small": small,
    "not-modified": not_modified,
    "listing-health": listing_health,
    "slow": slow,
    "upload": upload,
    "cold": cold,
}
OPEN_FILES = 8192


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench wire", description="This server beside its peers.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; default: all")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; the medians are shown")
    parser.add_argument("--peers", default="", help=f"some of {','.join({**PEERS, **UPLOADS})}; default: all")
    parser.add_argument("--smoke", action="store_true", help="one run of a 64th of the bytes: does everything work?")
    asked = parser.parse_args(arguments)
    for case in set(asked.cases) - CASES.keys():
        parser.error(f"there is no case {case}")
    for peer in set(filter(None, asked.peers.split(","))) - PEERS.keys() - UPLOADS.keys():
        parser.error(f"there is no peer {peer}")
    return asked


def raise_open_files() -> None:
    """Let this process and the servers it starts hold a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(arguments: list[str]) -> None:
    """Run the cases and print their tables."""
    asked = parsed(arguments)
    raise_open_files()
    client()
    runs = 1 if asked.smoke else asked.runs
    print(f"{os.cpu_count()} processors, Linux {platform.release()}, Python {platform.python_version()}, {runs} runs")
    with tempfile.TemporaryDirectory() as name:
        folder, scratch = Path(name, "files"), Path(name, "scratch")
        folder.mkdir()
        scratch.mkdir()
        chosen = tuple(filter(None, asked.peers.split(",")))
        bench = Bench(folder, scratch, runs, asked.smoke, chosen)
        for case in asked.cases or CASES:
            CASES[case](bench)


if __name__ == "__main__":
    main(sys.argv[1:])
