"""The stand-in application in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import wait_until

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """A server process, its folder of marks and its log."""

    process: subprocess.Popen[bytes]
    root: Path
    log_path: Path

    def log(self) -> str:
        """All that was said."""
        return self.log_path.read_text()

    @property
    def port(self) -> int:
        """The port it listens on."""
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.log())
        assert found, self.log()
        return int(found[1])

    def go(self) -> None:
        """Let slow answers come to their end."""
        (self.root / "go").touch()

    def marks(self, what: str) -> list[Path]:
        """Marks of this kind, one for each process that left one."""
        return list(self.root.glob(f"{what}-*"))

    def workers(self) -> list[int]:
        """The worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(**settings)`: a server with these settings, which answers already."""
    with ExitStack() as stack:

        def start_one(**settings: object) -> Running:
            running = stack.enter_context(launched(tmp_path, **settings))
            wait_until(lambda: "://" in running.log() or "unix:" in running.log() or running.process.poll() is not None)
            return running

        yield start_one


@contextmanager
def launched(folder: Path, **settings: object) -> Iterator[Running]:
    """A server process that may still be starting; killed at the end."""
    log_path = folder / "log"
    known = {"root": folder, "port": 0, "allow_write": True, **settings}
    variables = {f"FILESERVER_{name.upper()}": str(value) for name, value in known.items()}
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.stand_in"],
            cwd=PROJECT,
            env={**os.environ, **variables, "TMPDIR": str(folder)},  # it may be killed before it tidies up
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a process group of its own, as a terminal gives it
        )
    try:
        yield Running(process, folder, log_path)
    finally:
        process.kill()
        process.wait()
