"""The listener reads streams as the standard says, or the tests would believe a server that is wrong."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.listener import Framing, Listener, Record, Stream, listen
from tests.support.server import wait_until
from tests.support.wire import Truncated

_TYPES = {"sse": b"text/event-stream", "ndjson": b"application/x-ndjson"}


def test_an_event_ends_at_an_empty_line() -> None:
    stream = (
        b'retry: 7\nid: 1\n\nevent: a\nid: 2\ndata: {"type":"a",\ndata: "n":1}\n\n:\n\nevent: b\nid: 3\ndata: {"type"'
    )
    with _answered("sse", stream, is_whole=False) as answer:
        assert answer.begun().last_id == "1"
        assert answer.next() == Record("a", {"n": 1}, "2")
        answer.silence()
        with pytest.raises(Truncated):
            answer.next()
        assert (answer.retry_ms, answer.last_id) == (7, "2")


def test_pieces_may_end_anywhere() -> None:
    stream = b'retry: 7\r\nid: 1\r\n\r\nevent: a\r\nid: 2\r\ndata: {"type":"a"}\r\n\r\n'
    with _answered("sse", stream, size=1) as answer:
        assert answer.begun().last_id == "1"
        assert list(answer) == [Record("a", {}, "2")]


def test_a_line_of_ndjson_ends_at_its_lf() -> None:
    stream = b'{"type":"meta","last_id":"1"}\n{"type":"heartbeat","last_id":"4"}\n{"type":"a","id":5}\n{"type":"b"}'
    with _answered("ndjson", stream) as answer:
        assert answer.begun().last_id == "1"
        answer.silence()
        assert answer.last_id == "4"
        assert list(answer) == [Record("a", {"id": 5}, "5")]


def test_who_listens_comes_back_with_the_last_id() -> None:
    asked: list[bytes] = []
    with _serving(asked) as port, Listener(port) as listener:
        wait_until(lambda: len(asked) >= 3)
        assert listener.last_id == "2"
    assert b"last-event-id" not in asked[0].lower()
    assert all(b"\r\nLast-Event-ID: 2\r\n" in request for request in asked[1:])
    assert listener.records[0] == Record("a", {"key": "k", "id": 2}, "2")


@contextmanager
def _answered(framing: Framing, body: bytes, *, size: int = 1000, is_whole: bool = True) -> Iterator[Stream]:
    """The stream of a server that answers with this, in chunks of this size."""
    answer = _answer(framing, body, size, is_whole=is_whole)
    with _accepting(lambda _request: answer) as port, listen(port, framing=framing) as stream:
        yield stream


@contextmanager
def _serving(asked: list[bytes]) -> Iterator[int]:
    """A server whose streams have one event each and are cut off then; it keeps what it was asked."""

    def answer(request: bytes) -> bytes:
        asked.append(request)
        return _answer("sse", b'id: 1\n\nid: 2\nevent: a\ndata: {"type":"a","key":"k","id":2}\n\n', 9, is_whole=False)

    with _accepting(answer) as port:
        yield port


def _answer(framing: Framing, body: bytes, size: int, *, is_whole: bool) -> bytes:
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % _TYPES[framing]
    return head + chunks + (b"0\r\n\r\n" if is_whole else b"")


@contextmanager
def _accepting(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that gives each connection one answer, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the end of the test
                    return
                with connection:
                    connection.sendall(answer(connection.recv(65536)))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
