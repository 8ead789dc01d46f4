"""uvicorn in a process of its own with our protocol class, and an application that sends what a test wrote."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from tests.support.process import ProcessStats, process_stats
from tests.support.server import wait_until
from tests.support.wire import Connection, Truncated, request_bytes

FOLDER_VARIABLE = "SCRIPTED_FOLDER"
"""Where the application finds its files and leaves its record, in the environment of its process."""

ZEROCOPY = "http.response.zerocopysend"
INTERIM = "http.response.interim"

Step = dict[str, Any]
"""A message of an answer, or what else tests/server/zero_copy_app.py does."""

SHARED = "shared.bin"
"""The file that stays open for all requests."""

_OWN_FILES = ("log", SHARED)
_numbers = count()
_PROJECT = Path(__file__).parents[2]
_PROTOCOL = "fileserver.server.protocol:HardProtocol"
_APP = "tests.server.zero_copy_app:app"
_RUNNING = re.compile(r"Uvicorn running on (?:https?://127\.0\.0\.1:(\d+)|unix socket)")


@dataclass(frozen=True, slots=True)
class Scripted:
    """One running server; `port` is 0 where it listens on a Unix socket."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    _own_sockets: int

    def connect(self, *, receive_buffer: int | None = None) -> Connection:
        """A new connection."""
        return Connection(self.port, receive_buffer=receive_buffer)

    def stats(self) -> ProcessStats:
        """What the process holds."""
        return process_stats(self.process.pid)

    def held(self) -> tuple[int, tuple[str, ...]]:
        """How many connections it holds, or halves of them, and which files are open for a request."""
        stats = self.stats()
        names = (name.removeprefix(f"{self.folder.resolve()}/") for name in stats.files_below(self.folder))
        return stats.descriptors["socket"] - self._own_sockets, tuple(name for name in names if name not in _OWN_FILES)

    def wait_until_idle(self) -> None:
        """Wait until it holds what it held when it began."""
        wait_until(self.held, lambda held: held == (0, ()))

    def outcomes(self, path: str) -> list[tuple[str, ...] | None]:
        """What became of each message of the script under this path, as soon as it has ended: the error's classes."""
        records = wait_until(lambda: self._records(path), timeout_s=15)
        return [None if outcome is None else tuple(outcome) for outcome in records[-1]["outcomes"]]

    def log(self) -> str:
        """All that was said."""
        return (self.folder / "log").read_text()

    def has_failed(self, path: str, name: str) -> bool:
        """Whether the script under this path ended with an error of this class."""
        return name in (self.outcomes(path)[-1] or ())

    def cut_after(self, request: bytes) -> bytes:
        """What comes of the body of an answer that is visibly cut off; AssertionError when it is whole."""
        with self.connect() as connection:
            connection.send(request)
            try:
                whole = connection.answer()
            except Truncated as cut:
                return cut.received
        raise AssertionError(f"a whole answer came: {whole}")

    def reset_after(self, request: bytes) -> bytes:
        """The same of a body that only its connection ends, which must be a reset then."""
        with self.connect() as connection:
            connection.send(request)
            connection.head()
            received, end = connection.ending()
        assert end == "reset"
        return received

    def _records(self, path: str) -> list[dict[str, Any]]:
        record = self.folder / "record"
        lines = record.read_text().splitlines() if record.exists() else []
        return [record for line in lines if (record := json.loads(line))["path"] == path]


@contextmanager
def scripted(folder: Path, *arguments: str) -> Iterator[Scripted]:
    """uvicorn with these arguments over a folder of files; killed at the end if it still runs."""
    log_path = folder / "log"
    address = () if "--uds" in arguments else ("--port", "0")
    fixed = ("--http", _PROTOCOL, "--lifespan", "off", "--no-access-log", *address)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *fixed, *arguments, _APP],
            cwd=_PROJECT,
            env={**os.environ, FOLDER_VARIABLE: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        found = wait_until(lambda: _RUNNING.search(log_path.read_text()) or process.poll() is not None, timeout_s=30)
        assert isinstance(found, re.Match), log_path.read_text()
        yield Scripted(process, int(found[1] or 0), folder, process_stats(process.pid).descriptors["socket"])
    finally:
        process.kill()
        process.wait()


def fresh_path() -> str:
    """A path that no script had yet."""
    return f"/script-{next(_numbers)}"


def asking(path: str, *steps: Step, method: str = "GET", fields: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A request for these messages, over a connection that stays open unless a field says otherwise."""
    target = f"{path}?{quote(json.dumps(steps, separators=(',', ':')), safe='')}"
    given = {name.lower() for name, _ in fields}
    kept = () if "connection" in given else (("Connection", "keep-alive"),)
    return request_bytes(method, target, *kept, *fields)


def start(
    status: int = 200, *, length: int | None = None, headers: tuple[tuple[str, str], ...] = (), **more: Any
) -> Step:
    """The head of an answer."""
    lines = headers if length is None else (("content-length", str(length)), *headers)
    return {"type": "http.response.start", "status": status, "headers": lines, **more}


def body(content: int | str = "", *, is_last: bool = False, **more: Any) -> Step:
    """A piece of known bytes, or of text."""
    return {"type": "http.response.body", "body": content, "more_body": not is_last, **more}


def file(name: str, offset: int | None = None, size: int | None = None, **more: Any) -> Step:
    """A piece of a file, without the keys that are None; the last unless `more_body` is said."""
    keys = {"offset": offset, "count": size, **more}
    return {"type": ZEROCOPY, "file": name, **{key: value for key, value in keys.items() if value is not None}}


def interim(status: int, *headers: tuple[str, str], **more: Any) -> Step:
    """An interim answer."""
    return {"type": INTERIM, "status": status, "headers": headers, **more}


def scope_seen(connection: Connection, *, version: str = "1.1") -> dict[str, Any]:
    """What the application is told of a request over this connection."""
    request = request_bytes("GET", "/scope", ("Connection", "keep-alive"))
    connection.send(request.replace(b" HTTP/1.1", f" HTTP/{version}".encode()))
    seen = json.loads(connection.answer().body)
    assert isinstance(seen, dict)
    return seen


def in_1_0(request: bytes) -> bytes:
    """The same request from a client that knows no chunks."""
    return request.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)


class Adopted(Connection):
    """The same client over a socket that is connected already."""

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(20)
        self.sent = 0
        self._socket = connected
        self._pending = bytearray()


def over_unix(address: Path) -> Adopted:
    """A connection to a Unix socket."""
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.connect(str(address))
    return Adopted(connected)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key and a certificate for loopback that nobody but itself has signed."""

    key: str
    own: str

    @classmethod
    def make(cls, folder: Path) -> Self:
        """A new one, in files of this folder."""
        made = cls(str(folder / "key.pem"), str(folder / "own.pem"))
        command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2")
        subprocess.run([*command, "-keyout", made.key, "-out", made.own], check=True, capture_output=True)
        return made

    @property
    def arguments(self) -> tuple[str, ...]:
        """What uvicorn is told."""
        return "--ssl-keyfile", self.key, "--ssl-certfile", self.own

    def connect(self, port: int) -> Adopted:
        """A connection to whoever has it."""
        context = ssl.create_default_context(cafile=self.own)
        context.check_hostname = False
        return Adopted(context.wrap_socket(socket.create_connection(("127.0.0.1", port))))
