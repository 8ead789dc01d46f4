"""Clients that mean no good, in numbers."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from tests.support.files import MIB, known_bytes
from tests.support.wire import Connection, form_bytes, request_bytes

MANY = 200

# What the two socket buffers of a connection hold at most, and a good deal more.
MOST_TAKEN = 16 * MIB


@contextmanager
def hostile(port: int) -> Iterator[Sequence[Connection]]:
    """Two hundred connections, each of which has begun something and does not go on."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(port, receive_buffer=4096)) for _ in range(MANY)]
        for number, connection in enumerate(connections):
            connection.send(_BEGUN[number % len(_BEGUN)](number))
        yield connections


def open_head(number: int) -> bytes:
    """All of a head but its last line end."""
    return request_bytes("GET", f"/files/hello.txt?{number}", ("Cookie", "a" * 1000))[:-2]


def _open_put(number: int) -> bytes:
    content = known_bytes(100_000)
    return request_bytes("PUT", f"/files/never-{number}", ("Content-Length", str(MIB)), body=content)


def _open_chunk(number: int) -> bytes:
    start = request_bytes("PUT", f"/files/never-{number}", ("Transfer-Encoding", "chunked"))
    return start + b"%x\r\n" % MIB + known_bytes(1000)


def _open_form(number: int) -> bytes:
    kind, form = form_bytes((f"never-{number}", known_bytes(1000)), is_closed=False)
    return request_bytes("POST", "/files/", kind, ("Content-Length", str(MIB)), body=form)


def _open_transform(number: int) -> bytes:
    kind = ("Content-Type", "text/csv")
    return request_bytes(
        "POST", f"/transform?select=a&{number}", kind, ("Content-Length", str(MIB)), body=b"a,b\n1,2\n"
    )


def _unread_download(number: int) -> bytes:
    return request_bytes("GET", f"/files/large.bin?{number}", ("Connection", "keep-alive"))


def _unread_parts(number: int) -> bytes:
    return request_bytes("GET", f"/files/large.bin?{number}", ("Range", "bytes=0-7999999,9000000-"))


_BEGUN = (open_head, _open_put, _open_chunk, _open_form, _open_transform, _unread_download, _unread_parts)


@contextmanager
def pouring(port: int, start: bytes, piece: bytes) -> Iterator[Sequence[Connection]]:
    """Five connections that send without end, until the server has gone or will not have more."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(port, receive_buffer=4096)) for _ in range(5)]
        for connection in connections:
            pourer = threading.Thread(target=_pour, args=(connection, start, piece))
            pourer.start()
            stack.callback(pourer.join)
        yield connections


def _pour(connection: Connection, start: bytes, piece: bytes) -> None:
    with suppress(OSError):
        connection.send(start)
        while connection.sent < 2 * MOST_TAKEN:
            connection.send(piece)
