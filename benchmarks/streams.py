"""Answers that go on for long: rows of a generator, an export of a million files, a thousand listeners.

scripts/bench streams [CASE...]; what is measured and how to read it is in benchmarks/README.md. Tables are Markdown on
standard output, progress is on standard error.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.report import Results
from benchmarks.rounds import Bench
from benchmarks.streams_exporting import export
from benchmarks.streams_listening import listeners
from benchmarks.streams_rows import rows

CASES: Mapping[str, Callable[[Bench], Results]] = {"rows": rows, "export": export, "listeners": listeners}


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench streams", description="Answers that go on for long.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; default: all")
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured; the medians are shown")
    parser.add_argument("--peers", default="", help="some of a case's peers, by their keys; default: all")
    parser.add_argument("--smoke", action="store_true", help="one run of a 64th of the rows: does everything work?")
    asked = parser.parse_args(arguments)
    for case in set(asked.cases) - CASES.keys():
        parser.error(f"there is no case {case}")
    if asked.runs < 1:
        parser.error("there is at least one run")
    return asked


def main(arguments: list[str]) -> None:
    """Measure, and print a table for each case."""
    asked = parsed(arguments)
    runs = 1 if asked.smoke else asked.runs
    print(f"{os.cpu_count()} processors, Linux {platform.release()}, Python {platform.python_version()}, {runs} runs")
    for case in asked.cases or CASES:
        with tempfile.TemporaryDirectory() as name:
            folder, scratch = Path(name, "files"), Path(name, "scratch")
            folder.mkdir()
            scratch.mkdir()
            CASES[case](Bench(folder, scratch, runs, asked.smoke, tuple(filter(None, asked.peers.split(",")))))


if __name__ == "__main__":
    main(sys.argv[1:])
