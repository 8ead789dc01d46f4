"""Clients of files that are still being uploaded, and uploads that take their time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.server import Server
from tests.support.wire import Answer, Connection, Head, request, request_bytes

Line = tuple[str, str]
BLOCK = 4096
"""Of a body that lasts, whole blocks are kept as they come."""
DEADLINE_S = 30.0


@contextmanager
def follower(server: Server, key: str, *lines: Line, port: int | None = None) -> Iterator[tuple[Connection, Head]]:
    """A connection whose answer to `?follow` has begun."""
    with Connection(port or server.port) as connection:
        connection.send(request_bytes("GET", f"/files/{key}?follow", *lines))
        yield connection, connection.head()


def followed(server: Server, key: str, *lines: Line, method: str = "GET") -> Answer:
    """The whole answer to `?follow`."""
    return request(server.port, method, f"/files/{key}?follow", *lines)


class Sender:
    """A client that sends a file of known content block by block, for as long as it is asked to."""

    def __init__(self, connection: Connection, *, is_chunked: bool) -> None:
        self.sent = bytearray()
        self._connection = connection
        self._is_chunked = is_chunked

    def send(self, content: bytes) -> None:
        """Send a piece of the file."""
        self._connection.send(b"%x\r\n%s\r\n" % (len(content), content) if self._is_chunked else content)
        self.sent += content

    def until_followed(self, server: Server, key: str) -> None:
        """Send blocks until the server knows of the upload."""
        deadline = time.monotonic() + DEADLINE_S
        while followed(server, key, method="HEAD").status != 200:
            assert time.monotonic() < deadline, "nobody can follow it"
            self.send(bytes([len(self.sent) // BLOCK % 251]) * BLOCK)

    def leave(self) -> None:
        """Break off in the midst of it."""
        self._connection.reset()

    def end(self, rest: bytes = b"") -> Answer:
        """Send the rest, and nothing more; the answer."""
        if rest:
            self.send(rest)
        if self._is_chunked:
            self._connection.send(b"0\r\n\r\n")
        return self._connection.answer()


@contextmanager
def sending(server: Server, method: str, target: str, *lines: Line, length: int | None = None) -> Iterator[Sender]:
    """A request whose body is sent by and by; in chunks where its length is not said."""
    framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
    with Connection(server.port) as connection:
        head = request_bytes(method, target, framing, *lines)
        connection.send(head)
        yield Sender(connection, is_chunked=length is None)
