"""A real server process over a folder, watched from outside: its address, its log, its descriptors, its figures.

The process writes standard output and standard error into one log file, opened for appending, so that nothing is lost
when it is killed and no thread is needed to drain a pipe. It is always ended by its own process id.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.support.process import ProcessStats, process_stats

COMMAND = Path(sys.executable).with_name("fileserver")

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/?")
T = TypeVar("T")

_START_DEADLINE_S = 30.0


class Serve(Protocol):
    """Starts a server of the test's own and leaves its ending to whoever made this."""

    def __call__(self, root: Path, *args: str, prefix: Sequence[str] = ()) -> "Server":
        """A running server over `root`."""


class ServerFailed(Exception):
    """The process ended, or stayed silent, before it said where it listens; the text is its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """One running server. `root` is the folder it serves as seen from here."""

    process: subprocess.Popen[bytes]
    port: int
    root: Path
    log_path: Path

    @property
    def url(self) -> str:
        """The origin, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the process that was started (with several workers, their parent)."""
        return self.process.pid

    def log(self) -> str:
        """All that the process has said so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def access_lines(self) -> list[dict[str, Any]]:
        """The log's JSON objects, in order: one for each finished request, and whatever else is structured."""
        return [record for line in self.log().splitlines() if (record := _json_object(line)) is not None]

    def stats(self) -> ProcessStats:
        """Descriptors, threads and memory of the process at this moment."""
        return process_stats(self.pid)

    def metrics(self) -> dict[str, float]:
        """The samples of `/metrics`, by name with its labels as printed."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def open_transfers(self) -> float:
        """How many requests the server counts as running, the one that asks aside."""
        return sum(value for name, value in self.metrics().items() if name.startswith("fileserver_open_transfers"))

    def drafts(self) -> list[str]:
        """Names of drafts that exist on disk."""
        folder = self.root / ".fileserver" / "drafts"
        return sorted(os.listdir(folder)) if folder.is_dir() else []

    def stored(self) -> dict[str, bytes]:
        """Every file in the folder by its key, the server's own aside; for small folders."""
        files = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        keyed = ((path.relative_to(self.root), path) for path in files)
        return {str(key): path.read_bytes() for key, path in keyed if key.parts[0] != ".fileserver"}

    def kill(self) -> None:
        """End the process at once, as a power cut would, and wait until it is gone."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_server(root: Path, *args: str, prefix: Sequence[str] = ()) -> Iterator[Server]:
    """A server over `root` that listens on a free loopback port; killed at the end if it still runs.

    `prefix` is a command that ends in exec (prlimit, unshare), so that the process id stays the server's.
    """
    with tempfile.TemporaryDirectory(prefix="fileserver-log-") as folder:
        log_path = Path(folder) / "server.log"
        command = [*prefix, str(COMMAND), "serve", str(root), "--host", "127.0.0.1", "--port", "0", *args]
        with log_path.open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield Server(process, _port(process, log_path), root, log_path)
        finally:
            process.kill()
            process.wait()


@contextmanager
def server_on_small_disk(root: Path, size: int, *args: str) -> Iterator[Server]:
    """A server whose root is a file system of `size` bytes, in a mount namespace that ends with the process.

    Its `root` leads through /proc and is there while the process lives. Raises ServerFailed where namespaces of one's
    own are forbidden.
    """
    who = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    prefix = ("unshare", *who, "--mount", "sh", "-c", script, str(root))
    with running_server(root, *args, prefix=prefix) as server:
        inside = Path(f"/proc/{server.pid}/root{root.resolve()}")
        yield Server(server.process, server.port, inside, server.log_path)


def wait_until(look: Callable[[], T], is_good: Callable[[T], bool] = bool, *, timeout_s: float = 10) -> T:
    """The first look that is good; AssertionError with the last look when none was before the deadline."""
    deadline = time.monotonic() + timeout_s
    while not is_good(seen := look()):
        assert time.monotonic() < deadline, f"after {timeout_s} s still {seen!r}"
        time.sleep(0.02)
    return seen


def _port(process: subprocess.Popen[bytes], log_path: Path) -> int:
    deadline = time.monotonic() + _START_DEADLINE_S
    while (address := _ADDRESS.search(log_path.read_text(errors="replace"))) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"exit code {process.poll()}:\n{log_path.read_text(errors='replace')}")
        time.sleep(0.02)
    return int(address[1])


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
