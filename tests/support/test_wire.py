"""The raw client reads as strictly as it must, against a server that says exactly what a test wrote."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.wire import Connection, Truncated, form_bytes, request, request_bytes


@contextmanager
def _saying(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port where one connection gets `answer` after its first bytes, then is closed; and what it had sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join()


def test_a_target_goes_out_as_it_stands() -> None:
    with _saying(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, heard):
        assert request(port, "PUT", b"/files/%2e%2e/../\xff", body=b"x").status == 204
    assert heard[0].startswith(b"PUT /files/%2e%2e/../\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert heard[0].endswith(b"Content-Length: 1\r\n\r\nx")


def test_interim_heads_are_kept_beside_the_final_one() -> None:
    with _saying(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 2\r\n\r\nab") as (
        port,
        _,
    ):
        answer = request(port, "GET", "/")
    assert [head.status for head in answer.head.interim] == [100]
    assert (answer.status, answer.head.get("A"), answer.body) == (200, "1, 2", b"ab")


def test_chunks_are_joined() -> None:
    text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"
    with _saying(text) as (port, _):
        assert request(port, "GET", "/").body == b"abc"


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    ],
)
def test_a_body_without_its_end_is_truncated(text: bytes) -> None:
    with _saying(text) as (port, _), pytest.raises(Truncated) as cut:
        request(port, "GET", "/")
    assert cut.value.received == b"ab"


def test_a_little_may_be_read() -> None:
    with _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef") as (port, _), Connection(port) as connection:
        connection.send(request_bytes("GET", "/"))
        assert connection.head().status == 200
        assert connection.read(2) == b"ab"
        assert connection.read_to_end() == b"cdef"


def test_a_form_says_a_name_as_it_stands() -> None:
    kind, body = form_bytes(("../a", b"x"), boundary="b", is_closed=False)
    assert kind == ("Content-Type", "multipart/form-data; boundary=b")
    assert body.startswith(b'--b\r\nContent-Disposition: form-data; name="file"; filename="../a"\r\n')
    assert body.endswith(b"\r\n\r\nx\r\n")
