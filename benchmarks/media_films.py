"""Films to measure with, and how a player and FFmpeg's programs come to a part of one."""

import http.client
import os
import re
import resource
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urljoin

from benchmarks.peers import Server
from benchmarks.processes import Unavailable, cpu_s, own_cpu_s
from benchmarks.report import Figures

PIECE_S = 24
GOP_S = 8
ANSWER_S = 60.0

_PICTURE = f"testsrc2=size=1280x720:rate=24:duration={PIECE_S},noise=alls=12:allf=t"
_SOUND = f"sine=frequency=440:sample_rate=48000:duration={PIECE_S}"
_H264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-b:v", "3M", "-maxrate", "3M", "-bufsize", "6M")
_GOP = ("-g", str(GOP_S * 24), "-keyint_min", str(GOP_S * 24), "-sc_threshold", "0", "-pix_fmt", "yuv420p")


def make_film(path: Path, length_s: int) -> None:
    """A film of 720p at 3 Mbit/s with AC-3, a keyframe every 8 seconds: a piece over and over, not encoded again."""
    piece = path.with_name(".piece.mkv")
    if not piece.exists():
        inputs = ("-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _SOUND)
        ffmpeg(*inputs, *_H264, *_GOP, "-c:a", "ac3", "-b:a", "192k", piece)
    ffmpeg("-stream_loop", str(max(0, length_s // PIECE_S - 1)), "-i", piece, "-map", "0", "-c", "copy", path)


def ffmpeg(*words: str | Path) -> None:
    """Run it. Raises Unavailable without one."""
    try:
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True)
    except FileNotFoundError as missing:
        raise Unavailable("ffmpeg is not installed") from missing


def renew(path: Path) -> None:
    """Make it another version of the file: whatever was made of it counts no more."""
    os.utime(path)


@dataclass(slots=True)
class Viewer:
    """One kept connection to the server."""

    port: int
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> bytes:
        """The body. Raises AssertionError for any status but 200: what failed fast is no figure."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {body[:300]!r}")
        return body

    def track(self, name: str, kind: str) -> "Track":
        """The addresses of the film's pictures (`video`) or of its first sound (`audio`)."""
        at = f"/media/{name}/hls/master.m3u8"
        master = self.get(at).decode()
        found = re.search(r'TYPE=AUDIO.*URI="([^"]+)"' if kind == "audio" else r"STREAM-INF:.*\n(.+)", master)
        assert found, master
        playlist = urljoin(at, found[1])
        lines = self.get(playlist).decode().splitlines()
        init = next(line.split('"')[1] for line in lines if line.startswith("#EXT-X-MAP"))
        segments = tuple(urljoin(playlist, line) for line in lines if line and not line.startswith("#"))
        return Track(urljoin(playlist, init), segments)


@dataclass(frozen=True, slots=True)
class Track:
    """Where the parts of a track are."""

    init: str
    segments: tuple[str, ...]


def spent_by_server(server: Server, acts: Iterable[Callable[[], object]]) -> Figures:
    """Milliseconds of one act, by the clock and of processors: of server and workers, and of the workers alone."""
    acts = tuple(acts)
    before_s, own_before_s, started_s = cpu_s(server.pid), own_cpu_s(server.pid), time.perf_counter()
    for act in acts:
        act()
    elapsed_s, used_s = time.perf_counter() - started_s, cpu_s(server.pid) - before_s
    making_s = used_s - (own_cpu_s(server.pid) - own_before_s)
    return _each(len(acts), elapsed_s, used_s, making_s)


def spent_by_programs(commands: Iterable[tuple[str, ...]]) -> Figures:
    """The same of a program that is started for each act; what it writes is read to the end."""
    commands = tuple(commands)
    before_s, started_s = _children_s(), time.perf_counter()
    for command in commands:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        assert done.stdout, command
    elapsed_s, used_s = time.perf_counter() - started_s, _children_s() - before_s
    return _each(len(commands), elapsed_s, used_s, used_s)


def _each(count: int, elapsed_s: float, used_s: float, making_s: float) -> Figures:
    return {
        name: 1000 * time_s / count
        for name, time_s in (("ms", elapsed_s), ("CPU ms", used_s), ("of it made with", making_s))
    }


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
