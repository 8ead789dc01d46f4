"""A big CSV through transforms, beside the tools that people use instead: scripts/bench transform [CASE...].

What is measured and how to read it is in benchmarks/README.md. Tables are Markdown on standard output, progress is on
standard error.
"""

import argparse
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import LoadFailed
from benchmarks.peers import Server, serving
from benchmarks.processes import Unavailable
from benchmarks.report import Bar, Figures, Results, judge, share, show
from benchmarks.rounds import SMOKE, medians, say
from benchmarks.tables_data import write_table
from benchmarks.transform_client import asked
from benchmarks.transform_pressing import CASES, LONG, SLOW_S, Pressed
from benchmarks.transform_ways import (
    COMMANDS,
    LIVE,
    OURS,
    TUTORIAL_PEER,
    TUTORIAL_WAY,
    WAYS,
    Run,
    Table,
    Way,
    by_form,
    by_key,
    by_upload,
)
from benchmarks.transform_works import WORKS, Work

COLUMNS = {"MB/s": "{:.1f}", "first byte s": "{:.3f}", "CPU s/GB": "{:.2f}", "MB": "{:.0f}"}
WARMING = 10_000  # bytes
CASE_NAMES = ("proof", *WORKS, *CASES)
NAMES = {way.key: way.name for way in WAYS.values()}


class Bench:
    """One run: the folder that is served, tables of any size in it, and the servers that are up."""

    def __init__(self, folder: Path, scratch: Path, size: int, chosen: Sequence[str], stack: ExitStack) -> None:
        self.folder = folder
        self.scratch = scratch
        self.size = size
        self._chosen = chosen
        self._stack = stack
        self._servers: dict[str, Server] = {}

    def table(self, size: int) -> Table:
        """The table of that size, made now unless it is there."""
        path = self.folder / f"{size}.csv"
        if not path.exists():
            say(f"Making a table of {size / 1e6:.0f} MB")
            write_table(path, size)
        return Table(path, path.stat().st_size)

    def ours(self) -> Server:
        """This server, started once; what its first transform starts is there."""
        if OURS.key not in self._servers:
            server = self._stack.enter_context(serving(OURS, self.folder, self.scratch))
            asked(server.site.port, f"/transform/{self.table(WARMING).path.name}", WORKS["select"].query)
            self._servers[OURS.key] = server
        return self._servers[OURS.key]

    def runs(self) -> Iterator[tuple[Way, Run]]:
        """The ways that were asked for and can be had."""
        for way in WAYS.values():
            if self._chosen and way.key not in self._chosen:
                continue
            try:
                yield way, self._run(way)
            except Unavailable as reason:
                print(f"- skipped: {way.name}: {reason}", flush=True)

    def _run(self, way: Way) -> Run:
        if way in COMMANDS:
            return COMMANDS[way]
        if way == TUTORIAL_WAY:
            return by_form(self._stack.enter_context(serving(TUTORIAL_PEER, self.folder, self.scratch)))
        return by_upload(self.ours()) if way == LIVE else by_key(self.ours())


def work_case(bench: Bench, work: Work, runs: Sequence[tuple[Way, Run]], rounds: int) -> Results:
    """The table of a work: every way once, then each again, so that noise of the machine hits all alike."""
    found: dict[str, list[Figures]] = {}
    failed: set[str] = set()
    for number in range(rounds):
        for way, run in runs:
            if way.key in failed:
                continue
            say(f"{work.key}, round {number + 1} of {rounds}: {way.name}")
            try:
                figures = run(work, bench.table(max(1, bench.size // way.part)))
            except (Unavailable, LoadFailed) as reason:
                failed.add(way.key)
                found.pop(way.key, None)
                print(f"- skipped: {way.name}: {reason}", flush=True)
                continue
            if figures is not None:
                found.setdefault(way.key, []).append(figures)
    results = {key: medians(figures) for key, figures in found.items()}
    show(work.title, results, NAMES, COLUMNS)
    return results


def judge_select(results: Results) -> None:
    """The bars of select and filter."""
    live, first = "MB/s", results.get(LIVE.key, {}).get("first byte s")
    judge(
        Bar("speed live, of the tutorial's", share(results, live, TUTORIAL_WAY.key), 5, is_at_most=False),
        Bar("speed live, of duckdb's command", share(results, live, "duckdb"), 0.5, is_at_most=False),
        Bar("seconds to the first byte, live", first, 0.2),
    )


def proof(bench: Bench) -> None:
    """What is measured is also right: nothing changes where nothing is asked, and all ways agree."""
    server, table = bench.ours(), bench.table(bench.size)
    with table.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    for key in ("pass", "select", "distinct"):
        query, port = WORKS[key].query, server.site.port
        live = asked(port, "/transform", query, table.path, is_hashed=True)
        stored = asked(port, f"/transform/{table.path.name}", query, is_hashed=True)
        if live.sha256 != stored.sha256 or (key == "pass" and live.sha256 != digest):
            raise AssertionError(f"{key}: the bytes are not those that they have to be")
    print(f"\nProof: {table.size} bytes through a transform that changes nothing come out the same, live and stored.")


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench transform", description="Transforms beside other tools.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASE_NAMES)}; default: all")
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured; the medians are shown")
    parser.add_argument("--size", type=int, default=10**9, help="bytes of the table; default: 1 GB")
    parser.add_argument("--peers", default="", help=f"some of {','.join(WAYS)}; default: all")
    parser.add_argument("--smoke", action="store_true", help="one run of a 64th of the bytes: does everything work?")
    wanted = parser.parse_args(arguments)
    for case in set(wanted.cases) - set(CASE_NAMES):
        parser.error(f"there is no case {case}")
    for peer in set(filter(None, wanted.peers.split(","))) - WAYS.keys():
        parser.error(f"there is no peer {peer}")
    if wanted.size < 1 or wanted.runs < 1:
        parser.error("sizes and runs are at least 1")
    return wanted


def run_cases(bench: Bench, cases: Sequence[str], rounds: int, *, is_smoke: bool) -> None:
    """All that were asked for, in the order of the help."""
    if "proof" in cases:
        proof(bench)
    works = [work for key, work in WORKS.items() if key in cases]
    runs = tuple(bench.runs()) if works else ()
    for work in works:
        results = work_case(bench, work, runs, rounds)
        if work.key == "select":
            judge_select(results)
    pressing = [press for key, press in CASES.items() if key in cases]
    if pressing:
        table, seconds = bench.table(bench.size), SLOW_S / (10 if is_smoke else 1)
        pressed = Pressed(bench.ours(), table, lambda: bench.table(LONG * bench.size), seconds)
        for press in pressing:
            press(pressed)


def main(arguments: list[str]) -> None:
    """Measure, and print what was found."""
    wanted = parsed(arguments)
    rounds, size = (1, wanted.size // SMOKE) if wanted.smoke else (wanted.runs, wanted.size)
    print(f"{os.cpu_count()} processors, Linux {platform.release()}, Python {platform.python_version()}, {rounds} runs")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, scratch = Path(name, "files"), Path(name, "scratch")
        folder.mkdir()
        scratch.mkdir()
        bench = Bench(folder, scratch, size, tuple(filter(None, wanted.peers.split(","))), stack)
        run_cases(bench, wanted.cases or CASE_NAMES, rounds, is_smoke=wanted.smoke)


if __name__ == "__main__":
    main(sys.argv[1:])
