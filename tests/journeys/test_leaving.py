"""People leave in the middle: a hundred downloads and a hundred uploads later the server holds what it held before."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.support.files import MIB, known_bytes, make_file
from tests.support.server import Server, running_server, wait_until
from tests.support.wire import Connection, form_bytes, request, request_bytes

_TIMES = 100
_SIZE = 64 * MIB


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one large file, warmed up: its threads, its pools and its caches are as they will stay."""
    with running_server(tmp_path_factory.mktemp("leaving")) as server:
        make_file(server.root / "large.bin", _SIZE)
        for _ in range(4):
            assert request(server.port, "PUT", "/files/warm.bin", body=known_bytes(MIB)).status in (200, 201)
            assert request(server.port, "GET", "/files/warm.bin").status == 200
        _leave_downloads(server, times=4)
        _leave_uploads(server, times=4)
        yield server


@dataclass(frozen=True, slots=True)
class _Held:
    """What a server holds that a client could have left behind."""

    sockets: int
    files: tuple[str, ...]
    drafts: tuple[str, ...]
    open_transfers: float


def test_a_hundred_downloads_left_midway_leave_nothing(busy: Server) -> None:
    before = _settled(busy)
    _leave_downloads(busy, times=_TIMES)
    wait_until(lambda: _held(busy), lambda held: held == before, timeout_s=15)
    assert _fetches_whole(busy)


def test_a_hundred_uploads_left_midway_leave_nothing(busy: Server) -> None:
    before, stored = _settled(busy), set(busy.stored())
    _leave_uploads(busy, times=_TIMES)
    wait_until(lambda: _held(busy), lambda held: held == before, timeout_s=15)
    assert set(busy.stored()) == stored
    assert request(busy.port, "PUT", "/files/warm.bin", body=b"still works").status == 200


def test_fifty_who_leave_at_once_leave_nothing(busy: Server) -> None:
    before = _settled(busy)
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(busy.port, receive_buffer=65536)) for _ in range(50)]
        for connection in connections:
            connection.send(request_bytes("GET", "/files/large.bin"))
        for connection in connections:
            assert connection.head().status == 200
        assert len(busy.stats().files_below(busy.root)) >= 50
        for connection in connections:
            connection.reset()
    wait_until(lambda: _held(busy), lambda held: held == before, timeout_s=15)


def _leave_downloads(server: Server, *, times: int) -> None:
    """Leave in the head, after it, after some or many bytes; by close and by reset; by ranges and by parts."""
    chance = random.Random(1)
    fields = ((), (("Range", "bytes=1000-"),), (("Range", "bytes=0-9999999,20000000-"),))
    for number in range(times):
        with Connection(server.port, receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/files/large.bin", *chance.choice(fields)))
            if chance.random() < 0.9:
                assert connection.head().status in (200, 206)
                connection.read(chance.choice((0, 1, 100_000, 3_000_000)))
            _leave(connection, number)


def _leave_uploads(server: Server, *, times: int) -> None:
    """Leave before the body, within it, or a byte before its end; by PUT, by chunks and by form."""
    chance = random.Random(2)
    content = known_bytes(2 * MIB)
    for number in range(times):
        request = chance.choice((_put, _put_chunked, _form))(content, number)
        body = request.index(b"\r\n\r\n") + 4
        end = chance.choice((body, body + 1, chance.randrange(body, len(request) - 16), len(request) - 16))
        with Connection(server.port) as connection:
            connection.send(request[:end])
            _leave(connection, number)


def _leave(connection: Connection, number: int) -> None:
    """By turns politely and abruptly."""
    if number % 2:
        connection.close()
    else:
        connection.reset()


def _put(content: bytes, number: int) -> bytes:
    return request_bytes("PUT", f"/files/never-{number}.bin", body=content)


def _put_chunked(content: bytes, number: int) -> bytes:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    return request_bytes("PUT", f"/files/never-{number}.bin", ("Transfer-Encoding", "chunked"), body=body)


def _form(content: bytes, number: int) -> bytes:
    kind, body = form_bytes((f"never-{number}.txt", b"small"), (f"never-{number}.bin", content))
    return request_bytes("POST", "/files/", kind, body=body)


def _settled(server: Server) -> _Held:
    """What the server holds when no transfer runs."""
    return wait_until(lambda: _held(server), lambda held: not (held.files or held.drafts or held.open_transfers))


def _held(server: Server) -> _Held:
    open_transfers, stats = server.open_transfers(), server.stats()
    files, drafts = tuple(stats.files_below(server.root)), tuple(server.drafts())
    return _Held(stats.descriptors["socket"], files, drafts, open_transfers)


def _fetches_whole(server: Server) -> bool:
    answer = request(server.port, "GET", "/files/large.bin")
    return answer.status == 200 and len(answer.body) == _SIZE
