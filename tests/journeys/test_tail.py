"""People follow logs: beside the tool `tail -F`, through rotations and cut connections, a hundred leaving at once."""

import http.client
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.server import Serve, Server, wait_until
from tests.support.wire import Connection, request, request_bytes

_ALL = "9999999999999999999bytes"
_NDJSON, _SSE = "application/x-ndjson", "text/event-stream"
_KERNEL_TELLS_NOTHING = ("unshare", "--user", "--map-root-user", "sh", "-c")

_WRITER = """
import os, random, shutil, sys
path, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
log = open(path, "ab", buffering=0)
record = open(path + ".record", "ab", buffering=0)

def write(size):
    while size > 0:
        content = chance.randbytes(min(size, chance.choice((1, 10, 100, 5000, 70000))))
        log.write(content)
        record.write(content)
        size -= len(content)

for order in sys.stdin:
    name, size = order.split()
    if name == "truncate":  # as logrotate's copytruncate
        shutil.copy(path, path + ".1")
        os.truncate(path, 0)
    elif name == "rotate":
        os.rename(path, path + ".1")
        log.close()
        log = open(path, "ab", buffering=0)
    write(int(size))
    print(record.tell(), flush=True)
"""


@dataclass(slots=True)
class _Writer:
    """Another process that writes a log as it is told, and beside it a record of all that it has written."""

    path: Path
    process: subprocess.Popen[str]
    size: int = field(default=0)
    """Of the log as it is now."""

    def do(self, order: str, size: int) -> int:
        """Truncate or rotate the log, or neither, then write so many bytes; how many have been written in all."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{order} {size}\n")
        self.process.stdin.flush()
        self.size = size + (self.size if order == "append" else 0)
        return int(self.process.stdout.readline())

    def record(self) -> bytes:
        """All that has been written."""
        return Path(f"{self.path}.record").read_bytes()


@contextmanager
def _writing(path: Path, seed: int) -> Iterator[_Writer]:
    command = [sys.executable, "-c", _WRITER, str(path), str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Writer(path, process)
        finally:
            process.kill()


@contextmanager
def _running(command: list[str], output: IO[bytes]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bytes_are_those_of_tail_f(server: Server, tmp_path: Path, seed: int) -> None:
    """The writer waits before it truncates or rotates: what nobody has read by then, the tool loses."""
    chance = random.Random(seed)
    log = server.root / f"beside-{seed}.log"
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with ours.open("wb") as our_output, theirs.open("wb") as their_output, _writing(log, seed) as writer:
        writer.do("append", 1000)
        url = f"{server.url}/files/{log.name}?tail={_ALL}"
        with (
            _running(["curl", "-sN", url], our_output),
            _running(["tail", "-c", "+1", "-F", str(log)], their_output),
        ):
            for _ in range(12):
                order = chance.choice(("append", "truncate", "rotate"))
                # Less than was there, or it could not be told from a file that went on.
                most = 400_000 if order != "truncate" else writer.size - 1
                written = writer.do(order, chance.randrange(1, most) if most > 1 else 0)
                for output in (ours, theirs):
                    _until_it_has(output, written)
        assert theirs.read_bytes() == writer.record()
        assert ours.read_bytes() == writer.record()


def _until_it_has(path: Path, size: int) -> None:
    wait_until(lambda: path.stat().st_size, lambda found: found >= size, timeout_s=30)


@dataclass(slots=True)
class _CutOff:
    """A client that reads a little, is cut off, and comes back with the last id that it has whole."""

    server: Server
    key: str
    accept: str
    by_header: bool
    chance: random.Random
    wanted: int
    records: list[dict[str, Any]] = field(default_factory=list)
    last_id: str | None = None
    connections: int = 0

    def read_on(self) -> None:
        """One connection, and what comes before it is cut."""
        self.connections += 1
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)) as connection:
            connection.request("GET", self._target(), headers=self._fields())
            response = connection.getresponse()
            assert response.status == 200
            left, pending = self.chance.choice((1, 50, 500, 20_000)), b""
            while left > 0 and len(self.records) < self.wanted:
                content = response.read1(min(left, self.chance.choice((7, 300, 4096))))
                assert content, "the answer ended"
                left -= len(content)
                *whole, pending = (pending + content).split(self._separator)
                for each in whole:
                    self._take(each.decode("ascii"))

    @property
    def _separator(self) -> bytes:
        return b"\n" if self.accept == _NDJSON else b"\n\n"

    def _target(self) -> str:
        resumed = "" if self.last_id is None or self.by_header else f"&last_event_id={self.last_id}"
        return f"/files/{self.key}?tail={_ALL}{resumed}"

    def _fields(self) -> dict[str, str]:
        return {"Accept": self.accept} | ({"Last-Event-ID": self.last_id} if self.by_header and self.last_id else {})

    def _take(self, text: str) -> None:
        if self.accept == _NDJSON:
            record = json.loads(text)
            self.last_id = record.get("id", record.get("last_id"))
        else:
            fields = dict(line.split(": ", 1) for line in text.split("\n"))
            self.last_id = fields["id"]
            if "data" not in fields:
                return
            record = json.loads(fields["data"])
            assert (record["type"], record["id"]) == (fields["event"], fields["id"])
        if record["type"] not in ("meta", "heartbeat"):
            self.records.append(record)


@pytest.mark.parametrize("by_header", [True, False])
@pytest.mark.parametrize("accept", [_NDJSON, _SSE])
def test_who_is_cut_off_and_comes_back_misses_nothing(server: Server, accept: str, by_header: bool) -> None:
    log = server.root / f"cut-{accept[-3:]}-{by_header}.log"
    chance = random.Random(9)
    lines = [b"%d %s\n" % (number, b"x" * chance.choice((0, 3, 90, 2000))) for number in range(600)]
    log.write_bytes(lines[0])

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            for line in lines[1:]:
                half = chance.randrange(len(line))
                file.write(line[:half])
                file.write(line[half:])

    writing = threading.Thread(target=write)
    writing.start()
    client = _CutOff(server, log.name, accept, by_header, random.Random(8), len(lines))
    while len(client.records) < len(lines):
        client.read_on()
    writing.join()
    assert [f"{record['line']}\n".encode() for record in client.records] == lines
    assert client.connections > 10


def test_who_comes_back_after_a_rotation_is_told_and_has_the_new_file(server: Server) -> None:
    log = server.root / "rotated.log"
    log.write_bytes(b"one\ntwo\n")
    (_, second), last_id = _records(server, log.name, 2)
    log.rename(log.with_suffix(".1"))
    log.write_bytes(b"a new file that is longer than the old one was\n")
    (reset, line), _ = _records(server, log.name, 2, last_id)
    assert second["line"] == "two"
    assert (reset["type"], reset["reason"]) == ("reset", "rotated")
    assert (line["offset"], line["line"]) == (0, "a new file that is longer than the old one was")


def test_a_bare_offset_goes_on_raw(server: Server) -> None:
    log = server.root / "bare.log"
    log.write_bytes(b"one\ntwo\n")
    with Connection(server.port) as connection:
        connection.send(request_bytes("GET", "/files/bare.log?tail&last_event_id=4"))
        head = connection.head()
        assert (head.status, head.get("tail-offset")) == (200, "4")
        assert connection.read(3 + 4 + 2) == b"4\r\ntwo\n\r\n"


def test_where_the_kernel_has_no_room_for_watches_growth_comes_all_the_same(serve: Serve, tmp_path: Path) -> None:
    script = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"'
    server = serve(tmp_path, prefix=(*_KERNEL_TELLS_NOTHING, script))
    log = tmp_path / "app.log"
    log.write_bytes(b"one\n")
    with Connection(server.port) as connection:
        connection.send(request_bytes("GET", "/files/app.log?tail=0"))
        assert connection.head().status == 200
        assert _watches(server) == 0
        log.write_bytes(b"one\ntwo\n")
        assert connection.read(9) == b"4\r\ntwo\n\r\n"


@pytest.mark.parametrize(
    ("target", "accept", "status"),
    [
        ("/files/missing.log?tail", "*/*", 404),
        ("/files/asked.log?tail=x", "*/*", 400),
        ("/files/asked.log?tail=1000001", "*/*", 400),
        ("/files/asked.log?tail&last_event_id=x", "*/*", 400),
        ("/files/asked.log?tail", "image/png", 406),
    ],
)
def test_what_cannot_be_followed_is_a_problem(server: Server, target: str, accept: str, status: int) -> None:
    (server.root / "asked.log").write_bytes(b"one\n")
    answer = request(server.port, "GET", target, ("Accept", accept))
    assert (answer.status, answer.head.get("content-type")) == (status, "application/problem+json")


def test_pages_of_other_origins_may_read_where_the_bytes_begin(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b"one\n")
    server = serve(tmp_path, "--allowed-origins", "https://app.example")
    answer = request(server.port, "HEAD", "/files/app.log?tail=0", ("Origin", "https://app.example"))
    assert answer.head.get("tail-offset") == "4"
    assert "Tail-Offset" in (answer.head.get("access-control-expose-headers") or "")


def test_a_hundred_who_leave_at_any_moment_leave_nothing(server: Server) -> None:
    chance = random.Random(4)
    log = server.root / "left.log"
    log.write_bytes(b"line\n" * 50_000)
    _leave(server, log.name, chance)
    before = wait_until(lambda: _held(server), lambda held: held[:2] == (0, 0))
    for number in range(100):
        if number % 10 == 0:
            log.rename(log.with_suffix(f".{number}"))
            log.write_bytes(b"line\n" * 50_000)
        _leave(server, log.name, chance)
    wait_until(lambda: _held(server), lambda held: held == before, timeout_s=20)


def _leave(server: Server, key: str, chance: random.Random) -> None:
    accept = chance.choice((_NDJSON, _SSE, "*/*"))
    amount = chance.choice(("0", "", _ALL, "&last_event_id=77"))
    with Connection(server.port, receive_buffer=65536) as connection:
        connection.send(request_bytes("GET", f"/files/{key}?tail={amount}", ("Accept", accept)))
        if chance.random() < 0.9:
            assert connection.head().status == 200
            connection.read(chance.choice((0, 0, 1, 40)) if amount == _ALL else 0)
        if chance.random() < 0.5:
            connection.reset()


def _records(server: Server, key: str, count: int, last_id: str = "") -> tuple[list[dict[str, Any]], str]:
    """The first records of a file's tail, and the id that the last of them has."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request("GET", f"/files/{key}?tail", headers={"Accept": _NDJSON, "Last-Event-ID": last_id})
        response = connection.getresponse()
        found = [json.loads(response.readline()) for _ in range(count + 1)][1:]
        return found, found[-1]["id"]


def _held(server: Server) -> tuple[int, int, int]:
    """Files below the root, inotify watches, and sockets that the server has open."""
    stats = server.stats()
    return len(stats.files_below(server.root)), _watches(server), stats.descriptors["socket"]


def _watches(server: Server) -> int:
    """Of the files that are followed alone: another part of the server may watch folders."""
    count = 0
    for number in os.listdir(f"/proc/{server.pid}/fdinfo"):
        try:
            lines = Path(f"/proc/{server.pid}/fdinfo/{number}").read_text().splitlines()
        except FileNotFoundError:
            continue
        count += sum(line.startswith("inotify wd:") and " mask:c06 " in line for line in lines)
    return count
