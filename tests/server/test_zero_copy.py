"""Pieces of files in an answer, as ASGI's extension "Zero Copy Send" describes them: every byte, and whoever leaves.

All of it is asked of uvicorn with our protocol class in a process of its own, on each of the two event loops.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.files import GIB, MIB, known_bytes, make_file
from tests.support.mixtures import END, LARGE, MIXTURES, SOME, any_steps, expected, piece, seek, write_files
from tests.support.scripted import (
    SHARED,
    Certificate,
    Scripted,
    Step,
    asking,
    body,
    file,
    fresh_path,
    in_1_0,
    interim,
    over_unix,
    scope_seen,
    scripted,
    start,
)
from tests.support.server import wait_until
from tests.support.sparse import make_sparse
from tests.support.wire import Connection, Truncated

_HUGE = 64 * MIB
"""More than the kernel takes of an answer that nobody reads."""

_RECEIVE: Step = {"type": "receive"}


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """A server on each event loop."""
    folder = tmp_path_factory.mktemp("zero-copy")
    write_files(folder)
    make_file(folder / "huge.bin", _HUGE)
    with scripted(folder, "--loop", request.param) as running:
        yield running


def test_the_scope_offers_it(server: Scripted) -> None:
    with server.connect() as connection:
        seen = scope_seen(connection)
        assert (seen["extensions"]["http.response.zerocopysend"], seen["spec_version"]) == ({}, "2.4")


@pytest.mark.parametrize("what", MIXTURES)
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_the_bytes_asked_for(server: Scripted, what: str, framing: str) -> None:
    steps = MIXTURES[what]
    request = asking("/mixture", start(length=len(expected(steps)) if framing == "length" else None), *steps)
    with server.connect() as connection:
        connection.send(in_1_0(request) if framing == "close" else request)
        assert connection.answer().body == expected(steps)


def test_any_mixture_of_pieces_one_after_another(server: Scripted) -> None:
    chance = random.Random(1)
    with server.connect() as connection:
        for number in range(60):
            steps = any_steps(chance)
            connection.send(asking("/any", start(length=len(expected(steps)) if number % 2 else None), *steps))
            assert connection.answer().body == expected(steps), steps


def test_pieces_are_chunks_and_those_of_nothing_are_none(server: Scripted) -> None:
    steps = (body("ab"), piece("some.bin", 1, 26), piece("empty.bin"), piece("some.bin", 3, 0), body())
    with server.connect() as connection:
        connection.send(asking("/chunks", start(), *steps, file("one.bin"), fields=(("Connection", "close"),)))
        assert connection.head().get("transfer-encoding") == "chunked"
        assert connection.read_to_end() == b"2\r\nab\r\n1a\r\n" + SOME[1:27] + b"\r\n1\r\n1\r\n0\r\n\r\n"


@pytest.mark.parametrize("length", [None, len(SOME)])
def test_head_has_no_body(server: Scripted, length: int | None) -> None:
    with server.connect() as connection:
        connection.send(asking("/head", start(length=length), piece("some.bin"), file("empty.bin"), method="HEAD"))
        assert connection.head().get("content-length") == (None if length is None else str(length))
        _assert_still_good(connection)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_ends_with_an_empty_piece(server: Scripted, status: int) -> None:
    with server.connect() as connection:
        connection.send(asking("/bodiless", start(status), piece("empty.bin"), file("some.bin", 5, 0)))
        assert connection.head().status == status
        _assert_still_good(connection)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_takes_none(server: Scripted, status: int) -> None:
    path = fresh_path()
    with server.connect() as connection:
        connection.send(asking(path, start(status), file("some.bin")))
        assert (connection.head().status, connection.ending()[0]) == (status, b"")
    assert server.has_failed(path, "RuntimeError")


def test_requests_in_a_pipeline_are_answered_in_order(server: Scripted) -> None:
    plain = asking("/p", start(length=5), body("plain", is_last=True))
    requests = [asking("/p", start(), file("large.bin")), plain, asking("/p", start(length=1), file("one.bin"))] * 3
    with server.connect() as connection:
        connection.send(b"".join(requests))
        assert [connection.answer().body for _ in requests] == [LARGE, b"plain", b"1"] * 3


_TOO_MUCH: dict[str, tuple[tuple[Step, ...], bytes]] = {
    "a file": ((start(length=10), file("some.bin")), b""),
    "one byte": ((start(length=10), file("some.bin", 0, 11)), b""),
    "a file after a body": ((start(length=10), body("12345"), file("some.bin", 0, 6)), b"12345"),
    "a file after a file": ((start(length=11), piece("some.bin", 0, 10), file("some.bin", 0, 2)), SOME[:10]),
    "a body after a file": ((start(length=11), piece("some.bin", 0, 10), body("12", is_last=True)), SOME[:10]),
}


@pytest.mark.parametrize("what", _TOO_MUCH)
def test_more_than_was_promised_is_an_error_and_stays_here(server: Scripted, what: str) -> None:
    path, (steps, sent) = fresh_path(), _TOO_MUCH[what]
    assert server.cut_after(asking(path, *steps)) == sent
    assert server.has_failed(path, "RuntimeError")


@pytest.mark.parametrize("size", [0, 9])
def test_less_than_was_promised_tears_the_answer(server: Scripted, size: int) -> None:
    path = fresh_path()
    assert server.cut_after(asking(path, start(length=10), file("some.bin", 0, size))) == SOME[:size]
    assert server.has_failed(path, "RuntimeError")


def test_a_file_before_the_start_is_an_error(server: Scripted) -> None:
    path = fresh_path()
    with server.connect() as connection:
        connection.send(asking(path, file("some.bin")))
        assert connection.answer().status == 500
    assert server.has_failed(path, "RuntimeError")


def test_nothing_comes_after_the_end(server: Scripted) -> None:
    with server.connect() as connection:
        connection.send(asking("/late", start(length=1), file("one.bin"), file("one.bin", 0, goes_on=True)))
        assert connection.answer().body == b"1"
        _assert_still_good(connection)


_ENDS_EARLY = {
    "a byte too far": (piece("some.bin", 99_000, 1001), SOME[99_000:]),
    "beyond its end": (piece("some.bin", 100_000, 1), b""),
    "of an empty file": (piece("empty.bin", 0, 1), b""),
    "from where it stands": (piece("some.bin", size=100_001), SOME),
    "of many": (piece("large.bin", 0, 1 << 40), LARGE),
}


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
@pytest.mark.parametrize("what", _ENDS_EARLY)
def test_a_file_that_ends_too_soon_tears_the_answer(server: Scripted, what: str, framing: str) -> None:
    path, (step, sent) = fresh_path(), _ENDS_EARLY[what]
    request = asking(path, start(length=step["count"] if framing == "length" else None), step, END)
    if framing == "close":
        assert sent.startswith(server.reset_after(in_1_0(request)))
    else:
        assert server.cut_after(request) == sent
    assert server.has_failed(path, "EOFError")


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_an_application_cannot_make_up_for_a_broken_piece(server: Scripted, framing: str) -> None:
    """What it sends then would pass for the file's bytes, and the next answer for a part of this one."""
    path, broken = fresh_path(), {**piece("some.bin", 99_000, 1005), "goes_on": True}
    steps = start(length=1010 if framing == "length" else None), broken, body("12345", is_last=True)
    request = asking(path, *steps)
    if framing == "close":
        assert SOME[99_000:].startswith(server.reset_after(in_1_0(request)))
    else:
        assert server.cut_after(request) == SOME[99_000:]
    assert "EOFError" in (server.outcomes(path)[1] or ())


def test_a_file_that_shrinks_midway_tears_the_answer(server: Scripted) -> None:
    path, known = fresh_path(), make_file(server.folder / "shrinking.bin", _HUGE)
    with server.connect() as connection:
        connection.send(asking(path, start(length=_HUGE), file("shrinking.bin")))
        head = connection.head()
        assert connection.read(MIB) == known_bytes(MIB)
        os.truncate(known.path, 0)
        with pytest.raises(Truncated):
            connection.body(head)
    assert server.has_failed(path, "EOFError")


def test_a_slow_reader_gets_every_byte(server: Scripted) -> None:
    with server.connect(receive_buffer=16384) as connection:
        connection.send(asking("/slow", start(), piece("large.bin"), file("some.bin")) * 2)
        assert [connection.answer().body for _ in range(2)] == [LARGE + SOME] * 2


def test_two_at_once_from_one_open_file(server: Scripted) -> None:
    content = make_file(server.folder / SHARED, 16 * MIB).path.read_bytes()

    def arrives(offset: int) -> bool:
        with server.connect() as connection:
            connection.send(asking("/shared", start(), file(SHARED, offset, handed="shared")))
            return connection.answer().body == content[offset:]

    with ThreadPoolExecutor(2) as clients:
        assert list(clients.map(arrives, [0, 12_345_678])) == [True, True]


def test_places_beyond_four_gibibytes(server: Scripted) -> None:
    across, last = known_bytes(200_000, seed=4), known_bytes(1000, seed=5)
    make_sparse(server.folder / "sparse.bin", 5 * GIB, {4 * GIB - 100_000: across, 5 * GIB - 1000: last})
    steps = (
        piece("sparse.bin", 4 * GIB - 100_000, 200_000),
        piece("sparse.bin", 5 * GIB - 1000),
        *(seek("sparse.bin", 4 * GIB - 1), piece("sparse.bin", size=2)),
        *(seek("sparse.bin", 5 * GIB - 1), file("sparse.bin")),
    )
    with server.connect() as connection:
        connection.send(asking("/sparse", start(), *steps))
        assert connection.answer().body == across + last + across[99_999:100_001] + last[-1:]


@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize("taken", [None, 0, 1, 300_000, 9 * MIB])
def test_a_client_that_leaves_leaves_nothing(server: Scripted, taken: int | None, way: str) -> None:
    path = fresh_path()
    with server.connect() as connection:
        connection.send(asking(path, start(length=_HUGE), file("huge.bin", 0)))
        if taken is not None:
            connection.head()
            connection.read(taken)
        getattr(connection, way)()
    assert server.has_failed(path, "OSError")
    server.wait_until_idle()


def test_a_client_that_only_stops_sending_gets_its_answer(server: Scripted) -> None:
    with server.connect() as connection:
        connection.send(asking(fresh_path(), start(length=_HUGE), file("huge.bin", 0)))
        connection.finish()
        assert len(connection.answer().body) == _HUGE
        assert connection.ending() == (b"", "close")
    server.wait_until_idle()


def test_a_client_that_leaves_within_its_head_leaves_nothing(server: Scripted) -> None:
    for way in (Connection.close, Connection.reset):
        with server.connect() as connection:
            connection.send(asking("/never", start(), file("huge.bin"))[:20])
            way(connection)
    server.wait_until_idle()


@pytest.mark.parametrize("request_count", [1, 2], ids=["one request", "a pipeline"])
def test_clients_that_never_read_hold_up_nobody_and_leave_nothing(server: Scripted, request_count: int) -> None:
    """Behind a pipelined request nothing is read of a client, its leaving neither."""
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect(receive_buffer=16384)) for _ in range(20)]
        for client in clients:
            client.send(asking("/stuck", start(), file("huge.bin", 0)) * request_count)
        wait_until(server.held, lambda held: held[1].count("huge.bin") >= 20)
        with server.connect() as other:
            _assert_still_good(other)
        for number, client in enumerate(clients):
            (client.close if number % 2 else client.reset)()
    server.wait_until_idle()


def test_who_left_is_sent_nothing_more(server: Scripted) -> None:
    """ASGI 2.4: `send` raises an OSError, whatever is sent."""
    path = fresh_path()
    with server.connect() as connection:
        steps = (_RECEIVE, _RECEIVE, start(goes_on=True), interim(103, goes_on=True), body("a", goes_on=True))
        connection.send(asking(path, *steps, file("some.bin", goes_on=True), file("some.bin")))
    assert all("OSError" in (outcome or ()) for outcome in server.outcomes(path)[2:]), server.outcomes(path)


def test_who_left_midway_is_sent_nothing_more(server: Scripted) -> None:
    path = fresh_path()
    with server.connect() as connection:
        steps = (start(), body("a"), _RECEIVE, _RECEIVE, body("b", goes_on=True), file("some.bin", goes_on=True))
        connection.send(asking(path, *steps, file("empty.bin", 0, more_body=True, goes_on=True), END))
        connection.head()
    assert all("OSError" in (outcome or ()) for outcome in server.outcomes(path)[4:]), server.outcomes(path)


@pytest.mark.parametrize("goes_on", [False, True], ids=["stops", "goes on"])
def test_an_application_that_gives_up_sending_tears_the_answer(server: Scripted, *, goes_on: bool) -> None:
    """What comes next on the connection would pass for what it gave up."""
    path, late = fresh_path(), file("huge.bin", 0, more_body=True, within_s=0.05, goes_on=goes_on)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(asking(path, start(), late, END) + asking("/next", start(headers=(("x-next", "1"),)), END))
        connection.head()
        assert "TimeoutError" in (server.outcomes(path)[1] or ())
        assert b"x-next" not in connection.ending()[0]
    server.wait_until_idle()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_unix_socket_has_it_too(tmp_path: Path, loop: str) -> None:
    write_files(tmp_path)
    make_file(tmp_path / "huge.bin", _HUGE)
    address = tmp_path / "socket"
    with scripted(tmp_path, "--loop", loop, "--uds", str(address)) as server:
        with over_unix(address) as connection:
            assert "http.response.zerocopysend" in scope_seen(connection)["extensions"]
            _assert_still_good(connection)
        with over_unix(address) as connection:
            connection.send(asking("/left", start(), file("huge.bin", 0)))
            connection.head()
        assert server.has_failed("/left", "OSError")
        server.wait_until_idle()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for loopback."""
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_tls_is_served_without_it(certificate: Certificate, tmp_path: Path, loop: str) -> None:
    with (
        scripted(tmp_path, "--loop", loop, *certificate.arguments) as server,
        certificate.connect(server.port) as connection,
    ):
        assert "http.response.zerocopysend" not in scope_seen(connection)["extensions"]
        connection.send(asking("/plain", start(), body(3 * MIB), END))
        assert connection.answer().body == known_bytes(3 * MIB)


def test_tls_sends_nothing_in_the_clear(certificate: Certificate, tmp_path: Path) -> None:
    """Not even for an application that sends a message it was not offered."""
    write_files(tmp_path)
    with scripted(tmp_path, *certificate.arguments) as server:
        with certificate.connect(server.port) as connection, pytest.raises(Truncated):
            connection.send(asking("/clear", start(length=len(SOME)), file("some.bin")))
            connection.answer()
        assert server.has_failed("/clear", "RuntimeError")


def _assert_still_good(connection: Connection) -> None:
    """The connection's next request is answered, by bytes and a file."""
    connection.send(asking("/good", start(), body("<"), file("some.bin", 0)))
    assert connection.answer().body == b"<" + SOME
