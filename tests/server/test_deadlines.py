"""A client that is too slow loses its connection, whatever it is slow at; one that is slow by our own will does not."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.files import MIB, known_bytes
from tests.support.kernel import server_sides
from tests.support.refusals import assert_refused, unheard
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.wire import Connection, Truncated, form_bytes, request, request_bytes

_HELLO = b"hello, world\n"
_KIB = 1024
_LARGE = 32 * MIB
"""More than the kernel takes of an answer before its client reads."""
_SMALL = 256 * _KIB
"""As much as the kernel takes at once, so that the request is over before its client reads."""

# Each deadline is alone in being short, so that no test can mistake one for another.
_HEAD = ("--header-timeout", "0.5", "--keep-alive-timeout", "600", "--min-rate", "0")
_IDLE = ("--header-timeout", "600", "--keep-alive-timeout", "0.5", "--min-rate", "0")
_RATE = ("--header-timeout", "600", "--keep-alive-timeout", "600", "--min-rate", "20KiB", "--min-rate-period", "0.5")


@pytest.fixture(scope="module")
def head_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits half a second for a head."""
    with running_server(_folder(tmp_path_factory), *_HEAD) as server:
        yield server


@pytest.fixture(scope="module")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that keeps an idle connection for half a second."""
    with running_server(_folder(tmp_path_factory), *_IDLE) as server:
        yield server


@pytest.fixture(scope="module")
def rate_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants 20 KiB/s, measured over half a second."""
    with running_server(_folder(tmp_path_factory), *_RATE) as server:
        yield server


@pytest.fixture(scope="module", params=["--zero-copy", "--no-zero-copy"])
def sender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same, once for each way of sending a file."""
    with running_server(_folder(tmp_path_factory), *_RATE, request.param) as server:
        yield server


def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deadlines")
    (folder / "hello.txt").write_bytes(_HELLO)
    (folder / "small.bin").write_bytes(known_bytes(_SMALL))
    (folder / "large.bin").write_bytes(known_bytes(_LARGE))
    return folder


_CUT_HEADS = {
    "a letter": b"G",
    "a first line in part": b"GET /files/hel",
    "a first line": b"GET /files/hello.txt HTTP/1.1\r\n",
    "a field in part": b"GET /files/hello.txt HTTP/1.1\r\nHost: loc",
    "all but the end": b"GET /files/hello.txt HTTP/1.1\r\nHost: localhost\r\n",
    "all but the last byte": b"GET /files/hello.txt HTTP/1.1\r\nHost: localhost\r\n\r",
}


def test_a_head_that_stops_is_408(head_server: Server) -> None:
    with unheard(head_server), _connected(head_server, len(_CUT_HEADS)) as connections:
        for connection, head in zip(connections, _CUT_HEADS.values(), strict=True):
            connection.send(head)
        for connection in connections:
            assert_refused(connection, 408)


@pytest.mark.parametrize("piece", [b"a", b"X-A: a\r\n"])
def test_a_head_that_trickles_is_408(head_server: Server, piece: bytes) -> None:
    with (
        unheard(head_server),
        Connection(head_server.port) as connection,
        _trickling(connection, _CUT_HEADS["all but the end"], piece),
    ):
        assert_refused(connection, 408)


def test_the_second_head_has_a_deadline_of_its_own(head_server: Server) -> None:
    with Connection(head_server.port) as connection:
        for _ in range(2):
            connection.send(_keeping("GET", "/files/hello.txt"))
            assert connection.answer().body == _HELLO
            _wait_for_a_header_timeout(head_server)  # an idle connection is not late with its head
        connection.send(_CUT_HEADS["all but the end"])
        assert_refused(connection, 408)


def test_a_whole_head_has_no_deadline_for_its_body(head_server: Server) -> None:
    with Connection(head_server.port) as connection:
        connection.send(_keeping("PUT", "/files/late.txt", ("Content-Length", "4")))
        _wait_for_a_header_timeout(head_server)
        connection.send(b"late")
        assert connection.answer().status == 201


def test_a_connection_without_a_word_is_closed_without_a_word(head_server: Server) -> None:
    with Connection(head_server.port) as connection:
        assert connection.ending() == (b"", "close")


def test_a_connection_with_empty_lines_alone_is_closed(head_server: Server) -> None:
    """They count as nothing (RFC 9112 s.2.2), and as no reason to stay."""
    with Connection(head_server.port) as connection, _trickling(connection, b"\r\n", b"\r\n"):
        connection.read_to_end()


def test_an_idle_connection_is_closed_without_a_word(idle_server: Server) -> None:
    with Connection(idle_server.port) as connection:
        connection.send(_keeping("GET", "/files/hello.txt"))
        assert connection.answer().body == _HELLO
        assert connection.ending() == (b"", "close")


def test_an_idle_connection_is_not_kept_by_an_empty_line(serve: Serve, tmp_path: Path) -> None:
    """Whichever of the two deadlines ends it."""
    server = serve(tmp_path, "--header-timeout", "0.5", "--keep-alive-timeout", "0.5")
    with Connection(server.port) as connection:
        connection.send(_keeping("HEAD", "/"))
        assert connection.answer(method="HEAD").status < 400
        connection.send(b"\r\n")
        connection.read_to_end()


def test_an_upload_is_not_idle(idle_server: Server) -> None:
    with Connection(idle_server.port) as connection:
        connection.send(_keeping("PUT", "/files/late.txt", ("Content-Length", "4")))
        _wait_for_an_idle_end(idle_server)
        connection.send(b"late")
        assert connection.answer().status == 201


def test_a_download_is_not_idle(idle_server: Server) -> None:
    with Connection(idle_server.port, receive_buffer=4096) as connection:
        connection.send(_keeping("GET", "/files/large.bin"))
        head = connection.head()
        _wait_for_an_idle_end(idle_server)
        assert connection.body(head) == known_bytes(_LARGE)


def _announced(body: bytes) -> bytes:
    return _keeping("PUT", "/files/never.bin", ("Content-Length", str(MIB))) + body


def _chunked(body: bytes) -> bytes:
    return _keeping("PUT", "/files/never.bin", ("Transfer-Encoding", "chunked")) + b"%x\r\n" % MIB + body


def _form(body: bytes) -> bytes:
    kind, form = form_bytes(("never.bin", body), is_closed=False)
    return _keeping("POST", "/files/", kind, ("Content-Length", str(MIB))) + form


_UPLOADS = {"announced": _announced, "chunked": _chunked, "form": _form}


@pytest.mark.parametrize("sent", [0, 100, 100 * _KIB])
def test_a_body_that_stops_is_408(rate_server: Server, sent: int) -> None:
    with _connected(rate_server, len(_UPLOADS)) as connections:
        for connection, upload in zip(connections, _UPLOADS.values(), strict=True):
            connection.send(upload(known_bytes(sent)))
        for connection in connections:
            assert_refused(connection, 408)
    _assert_nothing_came(rate_server)


def test_a_body_that_trickles_is_408(rate_server: Server) -> None:
    with ExitStack() as stack:
        connections = stack.enter_context(_connected(rate_server, len(_UPLOADS)))
        for connection, upload in zip(connections, _UPLOADS.values(), strict=True):
            stack.enter_context(_trickling(connection, upload(b""), b"a" * 50))
        for connection in connections:
            assert_refused(connection, 408)
    _assert_nothing_came(rate_server)


def test_a_body_that_trickles_in_tiny_chunks_is_408(rate_server: Server) -> None:
    start = _keeping("PUT", "/files/never.bin", ("Transfer-Encoding", "chunked"))
    with Connection(rate_server.port) as connection, _trickling(connection, start, b"1\r\na\r\n"):
        assert_refused(connection, 408)
    _assert_nothing_came(rate_server)


def test_a_body_that_was_asked_for_and_does_not_come_is_408(rate_server: Server) -> None:
    expecting = (("Content-Length", "5"), ("Expect", "100-continue"))
    with Connection(rate_server.port) as connection:
        connection.send(_keeping("PUT", "/files/never.bin", *expecting))
        assert connection.next_head().status == 100
        assert_refused(connection, 408)
    _assert_nothing_came(rate_server)


def test_a_transform_whose_table_stops_is_ended(rate_server: Server) -> None:
    """Its answer may have begun, and is then visibly torn."""
    rows = b"a,b\n" + b"1,2\n" * 50_000
    kind = (("Content-Type", "text/csv"), ("Transfer-Encoding", "chunked"))
    with Connection(rate_server.port) as connection:
        connection.send(_keeping("POST", "/transform?select=a", *kind) + b"%x\r\n%s\r\n" % (len(rows), rows))
        with suppress(Truncated):
            assert connection.answer().status == 408
    wait_until(rate_server.open_transfers, lambda count: count == 0)


def test_a_body_that_is_fast_enough_is_taken(rate_server: Server) -> None:
    """80 KiB/s, for three periods."""
    content = known_bytes(120 * _KIB)
    with Connection(rate_server.port) as connection:
        connection.send(_keeping("PUT", "/files/steady.bin", ("Content-Length", str(len(content)))))
        for start in range(0, len(content), 4 * _KIB):
            connection.send(content[start : start + 4 * _KIB])
            time.sleep(0.05)
        assert connection.answer().status == 201
    assert (rate_server.root / "steady.bin").read_bytes() == content


def test_without_a_rate_a_body_may_take_its_time(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *_HEAD, "--min-rate-period", "0.1")
    with Connection(server.port) as connection:
        connection.send(_keeping("PUT", "/files/late.txt", ("Content-Length", "4")))
        _wait_for_a_header_timeout(server)
        connection.send(b"late")
        assert connection.answer().status == 201


def test_a_download_that_is_not_read_is_reset(sender: Server) -> None:
    before = sender.stats().descriptors["socket"]
    with _connected(sender, 10, receive_buffer=4096) as connections:
        for number, connection in enumerate(connections):
            connection.send(_keeping("GET", f"/files/large.bin?unread={number}"))
        _wait_until_gone(sender, connections)
        wait_until(lambda: sender.stats().files_below(sender.root), lambda files: files == [])
        wait_until(lambda: sender.stats().descriptors["socket"], lambda count: count <= before)
        for connection in connections:
            received, end = connection.ending()
            assert (len(received) < _LARGE, end) == (True, "reset")
    _assert_aborted(sender, "unread=", 10)


_UNREAD = {
    "parts of a file": request_bytes("GET", "/files/large.bin", ("Range", "bytes=0-20000000,25000000-")),
    "a file and then nothing": request_bytes("GET", "/files/large.bin", ("Connection", "close")),
    "two files at once": request_bytes("GET", "/files/large.bin", ("Connection", "keep-alive")) * 2,
    # Their requests are long over. After an orderly close the rest would be the kernel's for many minutes.
    "what only the kernel still has": request_bytes("GET", "/files/small.bin", ("Connection", "keep-alive")),
    "what the kernel has, then nothing": request_bytes("GET", "/files/small.bin", ("Connection", "close")),
}


def test_whatever_is_not_read_is_reset(sender: Server) -> None:
    with _connected(sender, len(_UNREAD), receive_buffer=4096) as connections:
        for connection, sent in zip(connections, _UNREAD.values(), strict=True):
            connection.send(sent)
        _wait_until_gone(sender, connections)
        ends = dict(zip(_UNREAD, (connection.ending()[1] for connection in connections), strict=True))
        assert ends == dict.fromkeys(_UNREAD, "reset")
    wait_until(lambda: sender.stats().files_below(sender.root), lambda files: files == [])


def test_a_download_that_is_read_by_crumbs_is_reset(sender: Server) -> None:
    """2 KiB/s. A window opens now and then, which is progress, and not enough of it."""
    with Connection(sender.port, receive_buffer=4096) as connection:
        connection.send(_keeping("GET", "/files/large.bin?crumbs"))
        with suppress(Truncated):
            while server_sides(sender.port, {connection.own_port}):
                connection.read(100)
                time.sleep(0.05)
        _wait_until_gone(sender, [connection])
    _assert_aborted(sender, "crumbs", 1)


def test_a_client_of_200_kb_a_second_is_served_to_the_end(sender: Server) -> None:
    """With a small window; more than the kernel holds lies behind it, for four periods."""
    size = 400_000
    with Connection(sender.port, receive_buffer=32768) as connection:
        connection.send(_keeping("GET", "/files/large.bin", ("Range", f"bytes=0-{size - 1}")))
        assert connection.head().status == 206
        received = b""
        for _ in range(size // 10_000):
            received += connection.read(10_000)
            time.sleep(0.05)
    assert received == known_bytes(MIB)[:size]


def test_an_answer_that_we_slow_down_ourselves_is_whole(serve: Serve, tmp_path: Path) -> None:
    """512 bytes a second, where a client has to take twice as many."""
    (tmp_path / "slow.txt").write_bytes(known_bytes(1000))
    server = serve(tmp_path, "--limit-rate", "512", "--min-rate", "1KiB", "--min-rate-period", "0.4")
    with Connection(server.port) as connection:
        connection.send(_keeping("GET", "/files/slow.txt"))
        assert connection.answer().body == known_bytes(1000)


def test_a_slow_answer_is_not_idle_and_its_request_not_late(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "slow.txt").write_bytes(known_bytes(1500))
    deadlines = ("--header-timeout", "0.2", "--keep-alive-timeout", "0.2")
    server = serve(tmp_path, "--limit-rate", "1500", *deadlines)
    with Connection(server.port) as connection:
        connection.send(_keeping("GET", "/files/slow.txt"))
        assert connection.answer().body == known_bytes(1500)


def test_a_usual_request_is_answered_after_all_that(
    head_server: Server, idle_server: Server, rate_server: Server, sender: Server
) -> None:
    for server in (head_server, idle_server, rate_server, sender):
        assert _fetch(server) == _HELLO


def test_several_workers_keep_the_same_deadlines(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_bytes(_HELLO)
    (tmp_path / "large.bin").write_bytes(known_bytes(_LARGE))
    rate = ("--min-rate", "20KiB", "--min-rate-period", "0.5")
    server = serve(tmp_path, "--workers", "2", "--header-timeout", "0.5", *rate)
    with ExitStack() as stack:
        heads = stack.enter_context(_connected(server, 10))
        readers = stack.enter_context(_connected(server, 10, receive_buffer=4096))
        for connection in heads:
            connection.send(_CUT_HEADS["all but the end"])
        for connection in readers:
            connection.send(_keeping("GET", "/files/large.bin"))
        for connection in heads:
            assert_refused(connection, 408)
        _wait_until_gone(server, readers)
        for connection in readers:
            assert connection.ending()[1] == "reset"
    assert _fetch(server) == _HELLO


def _keeping(method: str, target: str, *fields: tuple[str, str]) -> bytes:
    return request_bytes(method, target, ("Connection", "keep-alive"), *fields)


def _fetch(server: Server) -> bytes:
    return request(server.port, "GET", "/files/hello.txt").body


@contextmanager
def _connected(server: Server, count: int, *, receive_buffer: int | None = None) -> Iterator[Sequence[Connection]]:
    with ExitStack() as stack:
        connect = partial(Connection, server.port, receive_buffer=receive_buffer)
        yield [stack.enter_context(connect()) for _ in range(count)]


@contextmanager
def _trickling(connection: Connection, start: bytes, piece: bytes) -> Iterator[None]:
    """Send the start, and beside what happens within a piece twenty times a second, until the server has gone."""
    is_over = threading.Event()

    def trickle() -> None:
        with suppress(OSError):
            while not is_over.wait(0.05):
                connection.send(piece)

    connection.send(start)
    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _wait_until_gone(server: Server, connections: Sequence[Connection]) -> None:
    """The kernel keeps nothing of the server's ends, though the clients are still there."""
    ports = {connection.own_port for connection in connections}
    wait_until(lambda: server_sides(server.port, ports), lambda sides: sides == [])


def _wait_for_a_header_timeout(server: Server) -> None:
    """Another connection's: more than that time has passed, by the server's own clock."""
    with Connection(server.port) as connection:
        connection.read_to_end()


def _wait_for_an_idle_end(server: Server) -> None:
    """Another connection's."""
    with Connection(server.port) as connection:
        connection.send(_keeping("GET", "/files/hello.txt"))
        connection.answer()
        connection.read_to_end()


def _assert_nothing_came(server: Server) -> None:
    """The upload is neither stored nor kept as a draft, and its request is over."""
    wait_until(server.drafts, lambda drafts: drafts == [])
    wait_until(server.open_transfers, lambda count: count == 0)
    assert not (server.root / "never.bin").exists()


def _assert_aborted(server: Server, query: str, count: int) -> None:
    """The access log blames the client, once for each request."""

    def sides() -> list[object]:
        return [line["aborted"] for line in server.access_lines() if query in (line.get("query") or "")]

    assert wait_until(sides, lambda seen: len(seen) >= count) == ["client"] * count
