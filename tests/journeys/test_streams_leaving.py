"""Five hundred listeners leave streams of every kind at random moments: the server gives up what it held for them."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.inside import Held, Inside, server_inside
from tests.support.listener import ACCEPT, listen
from tests.support.server import wait_until
from tests.support.wire import Connection, Truncated, request, request_bytes

_DEPARTURES = 500
_AT_ONCE = 8
_FILES = 3000
_JSON = "application/json"
_SSE, _LINES = ACCEPT["sse"], ACCEPT["ndjson"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A stream to leave: what is asked for, and how it is to be framed."""

    target: str
    accept: str


@dataclass(frozen=True, slots=True)
class _Site:
    """A server with something of everything: `open_ended` are its streams that do not end by themselves."""

    server: Inside
    open_ended: dict[str, _Kind]
    ending: dict[str, _Kind]

    @property
    def kinds(self) -> dict[str, _Kind]:
        """All of them."""
        return self.open_ended | self.ending


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Site]:
    """A server in this process: a log that is written to, an upload that is coming in, a job that runs, many files."""
    root = tmp_path_factory.mktemp("leaving")
    _fill(root)
    with server_inside(root, hash_rate=0, min_rate=0) as server, _transform(server) as running:
        _begin_upload(server.port)
        rejects = _job_with_rejects(server.port)
        open_ended = {
            "feed, SSE": _Kind("/events", _SSE),
            "feed, NDJSON": _Kind("/events?prefix=many/", _LINES),
            "feed, all that is kept": _Kind("/events?last_event_id=0", _SSE),
            "tail, raw": _Kind("/files/grows.log?tail=5", "*/*"),
            "tail, SSE": _Kind("/files/grows.log?tail=5", _SSE),
            "tail, NDJSON": _Kind("/files/grows.log?tail=5", _LINES),
            "follow": _Kind("/files/comes.bin?follow", "*/*"),
            "job, SSE": _Kind(f"/jobs/{running}/events", _SSE),
            "job, NDJSON": _Kind(f"/jobs/{running}/events", _LINES),
        }
        ending = {
            "export, NDJSON": _Kind("/files/?recursive", _LINES),
            "export, CSV": _Kind("/files/?recursive", "text/csv"),
            "export, JSON": _Kind("/files/?recursive", _JSON),
            "export, unsorted": _Kind("/files/?recursive&sort=none", _LINES),
            "rejects": _Kind(f"/jobs/{rejects}/rejects", _LINES),
            "rejects, CSV": _Kind(f"/jobs/{rejects}/rejects", "text/csv"),
        }
        site = _Site(server, open_ended, ending)
        _leave_all(site, times=4 * len(site.kinds), seed=1)  # pools, threads and caches are then as they stay
        yield site


def test_five_hundred_who_leave_at_random_moments_leave_nothing(site: _Site) -> None:
    before = _settled(site.server)
    with _stirred(site.server):
        _leave_all(site, times=_DEPARTURES, seed=2)
    _has_given_up(site.server, before)
    assert request(site.server.port, "GET", "/files/many/0000.txt").status == 200


@pytest.mark.parametrize("way", ["close", "reset"])
def test_who_leaves_while_nothing_happens_is_noticed(site: _Site, way: str) -> None:
    before = _settled(site.server)
    connections = [_asked(site.server.port, kind) for kind in site.open_ended.values()]
    for connection in connections:
        assert connection.head().status == 200
        connection.read(1)
    for connection in connections:
        connection.close() if way == "close" else connection.reset()
    _has_given_up(site.server, before)


def test_a_stream_that_ends_gives_up_what_it_held(site: _Site) -> None:
    before = _settled(site.server)
    for kind in site.ending.values():
        answer = request(site.server.port, "GET", kind.target, ("Accept", kind.accept))
        assert answer.status == 200
        assert answer.body
    _has_given_up(site.server, before)


def test_head_holds_nothing(site: _Site) -> None:
    before = _settled(site.server)
    for kind in site.kinds.values():
        assert request(site.server.port, "HEAD", kind.target, ("Accept", kind.accept)).status == 200
    _has_given_up(site.server, before)


def test_a_hundred_listeners_hold_one_watch_of_a_file(site: _Site) -> None:
    before = _settled(site.server)
    log = site.open_ended["tail, SSE"]
    streams = [listen(site.server.port, log.target).begun() for _ in range(100)]
    watches = site.server.held().watches - before.watches
    for stream in streams:
        stream.connection.close()
    _has_given_up(site.server, before)
    assert 1 <= watches <= 4  # the file, and folders above it


def _leave_all(site: _Site, *, times: int, seed: int) -> None:
    """So many departures, all kinds alike, from streams and at moments that chance chooses."""
    print(f"departures are drawn from the seed {seed}")
    chance = random.Random(seed)
    kinds = list(site.kinds.items())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        left = [
            pool.submit(_leave, site.server.port, *kinds[number % len(kinds)], random.Random(chance.random()))
            for number in range(times)
        ]
        for departure in left:
            departure.result(60)


def _leave(port: int, name: str, kind: _Kind, chance: random.Random) -> None:
    """Ask, and leave: in the head of the question, before the answer, within it, or while it waits for more."""
    connection = _asked(port, kind, most=chance.choice((10, None, None, None, None)), timeout_s=0.3)
    try:
        match chance.choice(("at once", "soon", "after the head", "within", "later")):
            case "soon":
                time.sleep(chance.uniform(0, 0.03))
            case "after the head":
                _read_some(connection, name, 0)
            case "within":
                _read_some(connection, name, chance.choice((1, 100, 5000)))
            case "later":
                _read_some(connection, name, 1)
                time.sleep(chance.uniform(0, 0.3))
    finally:
        connection.close() if chance.random() < 0.5 else connection.reset()


def _read_some(connection: Connection, name: str, size: int) -> None:
    """The head and some of the body: what comes within a moment, for a stream may have no more to say."""
    with suppress(TimeoutError, Truncated):
        head = connection.head()
        assert head.status == 200, (name, head)
        connection.read(size)


def _asked(port: int, kind: _Kind, *, most: int | None = None, timeout_s: float = 20) -> Connection:
    """A connection on which a stream was asked for, or the first bytes of the question."""
    connection = Connection(port, timeout_s, receive_buffer=65536)
    connection.send(request_bytes("GET", kind.target, ("Accept", kind.accept))[:most])
    return connection


def _settled(server: Inside) -> Held:
    """What is held once two looks in a row see the same."""
    seen: list[Held] = []

    def look() -> bool:
        seen.append(server.held())
        return len(seen) > 1 and seen[-1] == seen[-2]

    wait_until(look, timeout_s=20)
    return seen[-1]


def _has_given_up(server: Inside, before: Held) -> None:
    wait_until(lambda: server.held().beyond(before), lambda more: not more, timeout_s=20)


@contextmanager
def _stirred(server: Inside) -> Iterator[None]:
    """Meanwhile files come and go, the log grows, and so does the upload."""
    is_over = threading.Event()

    def stir() -> None:
        number = 0
        while not is_over.wait(0.01):
            number += 1
            request(server.port, "PUT", f"/files/many/stirred-{number % 50}.txt", body=b"x")
            if number % 3 == 0:
                request(server.port, "DELETE", f"/files/many/stirred-{number % 50}.txt")
            with (server.root / "grows.log").open("ab") as log:
                log.write(b"and another line\n")

    thread = threading.Thread(target=stir)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _fill(root: Path) -> None:
    (root / "many").mkdir()
    for number in range(_FILES):
        (root / "many" / f"{number:04}.txt").write_bytes(b"x")
    (root / "grows.log").write_bytes(b"a line\n" * 1000)


def _begin_upload(port: int) -> None:
    """An upload that has come half."""
    fields = (("Tus-Resumable", "1.0.0"), ("Upload-Length", "200000"), ("Upload-Metadata", "filename Y29tZXMuYmlu"))
    kind = ("Content-Type", "application/offset+octet-stream")
    assert request(port, "POST", "/uploads", *fields, kind, body=bytes(100_000)).status == 201


def _job_with_rejects(port: int) -> str:
    """A transform that is over and has thousands of rejects."""
    table = b"a,b\n" + b"1,2,3\n" * 5000
    answer = request(port, "POST", "/transform?select=a&on_bad_row=skip", ("Content-Type", "text/csv"), body=table)
    assert answer.status == 200, answer
    return answer.head.get("transform-id") or ""


@contextmanager
def _transform(server: Inside) -> Iterator[str]:
    """A transform that waits for the rest of its table, and so goes on; the job's id."""
    with Connection(server.port) as connection:
        fields = (("Content-Type", "text/csv"), ("Content-Length", "1000000"))
        connection.send(request_bytes("POST", "/transform?select=a", *fields) + b"a,b\n1,2\n")
        (job,) = wait_until(lambda: list(server.root.glob(".fileserver/scratch/jobs/*/job.json")))
        yield job.parent.name
