"""The load client load.c from Python: compiled once, each of its modes a function that returns what it saw."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SOURCES = tuple(Path(__file__).parent / name for name in ("load.c", "load.h"))


class LoadFailed(Exception):
    """The client saw an answer that was not as it should be, and says which."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What `drain` reports: bytes of bodies, and the median time to the first byte of an answer."""

    bytes: int
    seconds: float
    first_byte_s: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What `requests` reports. An error is another status than the expected, or an answer cut off."""

    requests: int
    seconds: float
    requests_per_s: float
    p50_s: float
    p99_s: float
    errors: int
    reconnects: int


@dataclass(frozen=True, slots=True)
class Slow:
    """What `slow` reports: how many readers were cut off before the end of their answer."""

    bytes: int
    seconds: float
    cut_off: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What `put` reports."""

    status: int
    seconds: float


def cache_folder() -> Path:
    """Where compiled and installed things stay between runs."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (
        Path(base) / "fileserver-bench" if base else Path(tempfile.gettempdir()) / f"fileserver-bench-{os.getuid()}"
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def client() -> str:
    """The compiled client, compiled now if its sources have changed."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()[:16]
    program = cache_folder() / f"load-{digest}"
    if not program.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise LoadFailed("a C compiler is needed: install gcc and libc6-dev")
        draft = program.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O2", "-o", str(draft), str(SOURCES[0])], check=True)
        draft.rename(program)
    return str(program)


def start(mode: str, port: int, path: str, *options: str) -> subprocess.Popen[str]:
    """A client at work; `finish` waits for it."""
    command = [client(), mode, str(port), path, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    """The client's report, once it has ended. Raises LoadFailed."""
    try:
        report, errors = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise LoadFailed(errors.strip().removeprefix("load: "))
    return report


def drain(port: int, path: str, *, connections: int = 1, size: int, ranges: bool = False) -> Drained:
    """Download on every connection at once: the whole of `size` bytes each, or an equal range of it each."""
    options = ["-c", str(connections), "-n", str(size), *(["-r"] if ranges else [])]
    return Drained(**json.loads(finish(start("drain", port, path, *options))))


def drain_for(seconds: float, work: Callable[[], Drained]) -> Drained:
    """The same download again until so many seconds were spent in it, as one."""
    done = [work()]
    while sum(each.seconds for each in done) < seconds:
        done.append(work())
    first_bytes_s = sorted(each.first_byte_s for each in done)
    return Drained(sum(each.bytes for each in done), sum(each.seconds for each in done), first_bytes_s[len(done) // 2])


def request(
    port: int, path: str, *, connections: int, seconds: float, header: str | None = None, status: int = 200
) -> Answered:
    """Small requests on kept connections, as fast as they are answered."""
    options = ["-c", str(connections), "-s", str(seconds), "-e", str(status), *(["-h", header] if header else [])]
    return Answered(**json.loads(finish(start("requests", port, path, *options))))


def request_beside(port: int, path: str, work: Callable[[], object], *, interval_s: float) -> Answered:
    """A small request every so often, for as long as the work takes."""
    process = start("requests", port, path, "-s", "3600", "-i", str(interval_s))
    try:
        work()
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        report = finish(process)
    return Answered(**json.loads(report))


def read_slowly(
    port: int, path: str, beside: Callable[[], None], *, connections: int, rate: int, seconds: float
) -> Slow:
    """Readers of `rate` bytes a second each; `beside` is called over and over while they read."""
    options = ["-c", str(connections), "-b", str(rate), "-s", str(seconds)]
    process = start("slow", port, path, *options)
    try:
        while process.poll() is None:
            beside()
            time.sleep(0.1)
    finally:
        process.terminate()
        report = finish(process)
    return Slow(**json.loads(report))


def put(port: int, path: str, *, size: int, form: bool = False, header: str | None = None) -> Stored:
    """Upload `size` bytes: by PUT, or as the one file of a form by POST. Raises LoadFailed if they are refused."""
    options = ["-n", str(size), *(["-f"] if form else []), *(["-h", header] if header else [])]
    stored = Stored(**json.loads(finish(start("put", port, path, *options))))
    if stored.status not in (200, 201, 204):
        raise LoadFailed(f"the upload was answered with {stored.status}")
    return stored
