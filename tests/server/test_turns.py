"""Requests and answers in their turn, for clients of the less usual kind."""

from collections.abc import Iterator

import pytest

from tests.support.files import MIB, known_bytes
from tests.support.heads import get, put, put_chunked
from tests.support.refusals import assert_refused
from tests.support.server import Server, running_server
from tests.support.wire import Connection

_HELLO = b"hello, world\n"
_LARGE = known_bytes(8 * MIB)
_H2C = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two files."""
    folder = tmp_path_factory.mktemp("turns")
    (folder / "hello.txt").write_bytes(_HELLO)
    (folder / "large.bin").write_bytes(_LARGE)
    with running_server(folder) as running:
        yield running


def test_a_bad_body_behind_a_good_request_is_refused_in_its_turn(server: Server) -> None:
    with Connection(server.port) as connection:
        connection.send(get() + get() + put_chunked(b"ZZ\r\n"))
        assert [connection.answer().body for _ in range(2)] == [_HELLO, _HELLO]
        assert_refused(connection, 400)


def test_who_asked_for_another_protocol_is_refused_as_others_are(server: Server) -> None:
    with Connection(server.port) as connection:
        connection.send(get(*_H2C) + get(host=b"Host: evil.example"))
        assert connection.answer().body == _HELLO
        assert_refused(connection, 421)


def test_an_old_client_is_not_told_to_continue(server: Server) -> None:
    sent = put(b"Expect: 100-continue", b"Content-Length: 5", body=b"hello", version=b"1.0")
    with Connection(server.port) as connection:
        connection.send(sent.replace(b"never", b"old"))
        head = connection.head()
    assert (head.status, head.interim) == (201, ())


def test_a_client_that_only_stops_sending_gets_its_answer(server: Server) -> None:
    for sent in (get(), put(b"Content-Length: 5", body=b"hello").replace(b"never", b"finished")):
        with Connection(server.port) as connection:
            connection.send(sent)
            connection.finish()
            assert connection.answer().status in (200, 201)
            assert connection.ending() == (b"", "close")


def test_an_answer_is_whole_though_the_request_had_a_body_nobody_wants(server: Server) -> None:
    with Connection(server.port) as connection:
        sent = get(b"Content-Length: 3000000").replace(b"hello.txt", b"large.bin")
        connection.send(sent + b"x" * 500_000)
        head = connection.head()
        assert connection.body(head) == _LARGE
