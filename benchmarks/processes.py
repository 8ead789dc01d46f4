"""Start a server, and read what it spends: of its process, of every descendant, of every thread."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_S = 30.0


class Unavailable(Exception):
    """A server that does not start, in the words of its last line."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """The server's process id, once it listens. Raises Unavailable when it ends or does not listen in time."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdout=errors, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        try:
            if not listens(process, port):
                errors.seek(0)
                lines = [line for line in errors.read().decode(errors="replace").splitlines() if line.strip(" │╰╯─╮╭")]
                raise Unavailable(lines[-1].strip(" │") if lines else f"it does not listen after {START_S:.0f} s")
            yield process.pid
        finally:
            stop(process)


def listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the server takes a connection before it ends and before the time is over."""
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and what it started."""
    processes = tree(process.pid)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        process.wait()


def tree(pid: int) -> tuple[int, ...]:
    """A process and its living descendants. A child belongs to the thread that made it, so every thread is asked."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in task.read_text().split():
                found.extend(tree(int(child)))
    return tuple(found)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, its threads and its descendants, those that have ended included."""
    return sum(map(_ticks, tree(pid))) / TICKS


def _ticks(pid: int) -> int:
    try:
        return sum(int(field) for field in stat(pid)[11:15])
    except (FileNotFoundError, ProcessLookupError):  # it has just ended: its parent has its time now
        return 0


def own_cpu_s(pid: int) -> float:
    """CPU seconds of a process and its threads alone."""
    return sum(int(field) for field in stat(pid)[11:13]) / TICKS


def resident(pid: int) -> int:
    """Bytes of memory that a process and its descendants hold."""
    return sum(int(stat(each)[21]) for each in tree(pid)) * PAGE


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, so that utime, field 14 of proc(5), is number 11."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
