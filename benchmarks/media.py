"""Films on demand: segments, thumbnails and descriptions beside FFmpeg's programs, a cold film's first segment.

What is measured and how to read it is in benchmarks/README.md. Tables are Markdown on standard output, progress is on
standard error.
"""

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.media_films import (
    GOP_S,
    Track,
    Viewer,
    make_film,
    renew,
    spent_by_programs,
    spent_by_server,
)
from benchmarks.peers import Peer, Server, ours, serving
from benchmarks.report import OURS, Bar, Figures, Results, judge, share, show
from benchmarks.rounds import Bench, medians, say

LENGTH_S = 600
LONG_S = 7200
FILMS = ("film.mkv", "film.mp4", "film.ts")
LONG_FILMS = ("long.mkv", "long.mp4")
ACTS = 20
"""A program's acts are fewer: each takes long enough for ticks of 10 ms."""
PROGRAM_ACTS = 5

SPENT = {"ms": "{:.1f}", "CPU ms": "{:.1f}", "of it made with": "{:.1f}"}
NAMES = {OURS: "this server", "program": "ffmpeg or ffprobe"}

Way = Callable[[], Figures]


def in_turns(bench: Bench, title: str, ways: Mapping[str, Way]) -> Results:
    """The medians of each way, measured once each, then again."""
    found: dict[str, list[Figures]] = {key: [] for key in ways}
    for number in range(bench.runs):
        for key, way in ways.items():
            say(f"{title}, round {number + 1} of {bench.runs}: {NAMES.get(key, key)}")
            found[key].append(way())
    return {key: medians(runs) for key, runs in found.items()}


def some(track: Track, count: int) -> tuple[str, ...]:
    """Addresses of segments from all over the film, each once."""
    return tuple(random.Random(1).sample(track.segments, min(count, len(track.segments))))


def segment(bench: Bench, server: Server) -> Iterator[Bar]:
    """A segment of pictures that are copied, and one of sound that is converted."""
    video = ("-c:v", "copy", "-an", "-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4", "-")
    audio = ("-vn", "-c:a", "aac", "-movflags", "empty_moov+default_base_moof", "-f", "mp4", "-")
    for name in FILMS:
        for kind, coding in (("video", video), ("audio", audio)):
            title = f"segment: {kind} of {name}"
            film = server.site.folder / name
            ways = {OURS: partial(_segments, server, film, kind), "program": partial(_cut_by_ffmpeg, film, coding)}
            results = in_turns(bench, title, ways)
            show(title, results, NAMES, SPENT)
            if kind == "video":
                yield Bar(
                    f"CPU of ffmpeg, of ours, {name}", share(results, "of it made with", OURS, of="program"), 10, False
                )


def _segments(server: Server, film: Path, kind: str) -> Figures:
    renew(film)
    with Viewer(server.site.port) as viewer:
        track = viewer.track(film.name, kind)
        viewer.get(track.segments[0])  # what is found out once for a file is not a segment's
        return spent_by_server(server, [partial(viewer.get, each) for each in some(track, ACTS)])


def _cut_by_ffmpeg(film: Path, coding: tuple[str, ...]) -> Figures:
    starts = [str(GOP_S * number) for number in range(1, 1 + PROGRAM_ACTS)]
    head = ("ffmpeg", "-v", "error", "-nostdin")
    return spent_by_programs([(*head, "-ss", at, "-i", str(film), "-t", str(GOP_S), *coding) for at in starts])


def cold(bench: Bench, server: Server) -> Iterator[Bar]:
    """From a file that was never asked about to the first segment: master, playlist, init and segment."""
    for names in (FILMS, LONG_FILMS):
        title = f"cold: {'ten minutes' if names is FILMS else 'two hours'}"
        ways = {name: partial(_first_segment, server, server.site.folder / name) for name in names}
        results = in_turns(bench, title, ways)
        show(title, results, {name: name for name in names}, {"ms": "{:.0f}"})
        for name in FILMS[:2] if names is FILMS else ():
            yield Bar(f"ms from a cold {name} to its first segment", results[name]["ms"], 150)


def _first_segment(server: Server, film: Path) -> Figures:
    renew(film)
    with Viewer(server.site.port) as viewer:
        started_s = time.perf_counter()
        track = viewer.track(film.name, "video")
        viewer.get(track.init)
        viewer.get(track.segments[0])
        return {"ms": 1000 * (time.perf_counter() - started_s)}


def throughput(bench: Bench, server: Server) -> Iterator[Bar]:
    """Segments of pictures for one viewer, four and sixteen at once."""
    ways = {str(count): partial(_at_once, bench, server, count) for count in (1, 4, 16)}
    columns = {"segments/s": "{:.0f}", "MB/s": "{:.0f}"}
    results = in_turns(bench, "throughput", ways)
    show("throughput: film.mkv", results, {key: f"{key} at once" for key in ways}, columns)
    yield from ()


def _at_once(bench: Bench, server: Server, count: int) -> Figures:
    seconds = bench.seconds(5)
    with ThreadPoolExecutor(count) as viewers:
        started_s = time.perf_counter()
        sizes = list(viewers.map(lambda seed: _watched(server, seed, started_s + seconds), range(count)))
        elapsed_s = time.perf_counter() - started_s
    segments = sum(len(each) for each in sizes)
    return {"segments/s": segments / elapsed_s, "MB/s": sum(map(sum, sizes)) / elapsed_s / 1e6}


def _watched(server: Server, seed: int, until_s: float) -> list[int]:
    """Sizes of the segments that one viewer had until then, from anywhere in the film."""
    chance, sizes = random.Random(seed), []
    with Viewer(server.site.port) as viewer:
        track = viewer.track("film.mkv", "video")
        while time.perf_counter() < until_s:
            sizes.append(len(viewer.get(chance.choice(track.segments))))
    return sizes


def thumbnail(bench: Bench, server: Server) -> Iterator[Bar]:
    """A picture of 320 pixels at some time, as WebP."""
    for name in FILMS:
        film = server.site.folder / name
        results = in_turns(
            bench,
            f"thumbnail: {name}",
            {OURS: partial(_thumbnails, server, film), "program": partial(_drawn_by_ffmpeg, film)},
        )
        show(f"thumbnail: {name}", results, NAMES, SPENT)
        yield Bar(f"ms of ffmpeg, of ours, thumbnail of {name}", share(results, "ms", OURS, of="program"), 5, False)


def _thumbnails(server: Server, film: Path) -> Figures:
    renew(film)
    with Viewer(server.site.port) as viewer:
        viewer.get(f"/media/{film.name}")
        paths = [f"/media/{film.name}/thumbnail?t={7 + 3 * number}&width=320" for number in range(ACTS)]
        return spent_by_server(server, [partial(viewer.get, path) for path in paths])


def _drawn_by_ffmpeg(film: Path) -> Figures:
    drawing = ("-frames:v", "1", "-vf", "scale=320:-2", "-c:v", "libwebp", "-f", "webp", "-")
    head = ("ffmpeg", "-v", "error", "-nostdin")
    starts = [str(7 + 3 * number) for number in range(PROGRAM_ACTS)]
    return spent_by_programs([(*head, "-ss", at, "-i", str(film), *drawing) for at in starts])


def probe(bench: Bench, server: Server) -> Iterator[Bar]:
    """What the file is, of one that was never asked about."""
    for name in (*FILMS, *LONG_FILMS):
        film = server.site.folder / name
        shown = ("ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json", str(film))
        results = in_turns(
            bench,
            f"probe: {name}",
            {OURS: partial(_descriptions, server, film), "program": partial(spent_by_programs, [shown] * PROGRAM_ACTS)},
        )
        show(f"probe: {name}", results, NAMES, SPENT)
        yield Bar(f"ms of ffprobe, of ours, {name}", share(results, "ms", OURS, of="program"), 5, False)


def _descriptions(server: Server, film: Path) -> Figures:
    def act() -> None:
        renew(film)
        viewer.get(f"/media/{film.name}")

    with Viewer(server.site.port) as viewer:
        return spent_by_server(server, [act] * ACTS)


CASES: Mapping[str, Callable[[Bench, Server], Iterator[Bar]]] = {
    "segment": segment,
    "cold": cold,
    "throughput": throughput,
    "thumbnail": thumbnail,
    "probe": probe,
}


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench media", description="Films on demand beside FFmpeg's programs."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; default: all")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; the medians are shown")
    parser.add_argument("--smoke", action="store_true", help="one run with short films: does everything work?")
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
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        bench = Bench(Path(name, "files"), Path(name, "scratch"), runs, asked.smoke, ())
        bench.folder.mkdir()
        bench.scratch.mkdir()
        say("Making films")
        for film in (*FILMS, *LONG_FILMS):
            length_s = LONG_S if film in LONG_FILMS else LENGTH_S
            make_film(bench.folder / film, length_s // 10 if asked.smoke else length_s)
        server = stack.enter_context(serving(Peer(OURS, NAMES[OURS], ours()), bench.folder, bench.scratch))
        bars = [bar for case in asked.cases or CASES for bar in CASES[case](bench, server)]
    judge(*bars)


if __name__ == "__main__":
    main(sys.argv[1:])
