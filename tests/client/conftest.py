"""What tests of the client share: a state folder of their own, and the command as people run it."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import pytest

from fileserver.client.get import GetOptions, get
from fileserver.client.outcome import Outcome
from fileserver.client.progress import Display
from fileserver.client.put import PutOptions, put
from tests.client.scripted_web import Script, scripted_web
from tests.client.serving import Fetch, Send
from tests.support.files import MIB, KnownFile, make_file
from tests.support.server import COMMAND

_DEADLINE_S = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended."""

    code: int
    output: str
    errors: str

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """What `--json` told, file by file."""
        return [json.loads(line) for line in self.output.splitlines()]


class Run(Protocol):
    """Runs `fileserver` in the test's folder to its end."""

    def __call__(self, *words: str | Path) -> Ended:
        """How it ended."""


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads are remembered; the same for commands that a test starts. No proxy comes between."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("no_proxy", "*")
    return folder / "fileserver" / "uploads"


@pytest.fixture
def display() -> Display:
    """What a command says, where nobody looks."""
    return Display(is_quiet=True)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command, in the test's folder."""

    def running(*words: str | Path) -> Ended:
        done = subprocess.run(
            command(words), cwd=tmp_path, capture_output=True, text=True, timeout=_DEADLINE_S, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where downloads go."""
    made = tmp_path / "downloads"
    made.mkdir()
    return made


@pytest.fixture
def fetch(folder: Path, display: Display) -> Fetch:
    """Fetch a file from a server with this script, without patience for more than three failures."""

    def fetching(script: Script) -> Outcome:
        with scripted_web(script) as origin:
            return get(f"{origin}/file.bin", GetOptions(f"{folder}/", retries=3), display)

    return fetching


@pytest.fixture
def film(tmp_path: Path) -> KnownFile:
    """A file to send."""
    return make_file(tmp_path / "film.bin", 5 * MIB + 3)


@pytest.fixture
def send(film: KnownFile, display: Display) -> Send:
    """Send the film to a server with this script, at /tus/, without patience for more than three failures."""

    def sending(script: Script, path: str = "/tus/", **options: Any) -> list[Outcome]:
        with scripted_web(script) as origin:
            return list(put([film.path], origin + path, PutOptions(retries=3, **options), display))

    return sending


def command(words: Sequence[str | Path]) -> list[str]:
    """The words of a command line."""
    return [str(COMMAND), *map(str, words)]


@contextmanager
def started(folder: Path, *words: str | Path, output: IO[bytes] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The command, running in this folder; killed at the end if it still runs."""
    with subprocess.Popen(
        command(words),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if output is None else output,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
