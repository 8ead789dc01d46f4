"""Hundreds of clients that mean no good: whoever means well is answered beside them, and nothing stays when they go."""

import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.files import MIB, known_bytes
from tests.support.hostile import MANY, MOST_TAKEN, hostile, open_head, pouring
from tests.support.kernel import server_sides
from tests.support.refusals import assert_refusal, assert_refused, unheard
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.wire import Answer, Connection, Truncated, form_bytes, request, request_bytes

_HELLO = b"hello, world\n"
_LARGE = known_bytes(16 * MIB)

_PATIENT = ("--header-timeout", "600", "--keep-alive-timeout", "600", "--min-rate", "0")
_STRICT = ("--header-timeout", "0.5", "--keep-alive-timeout", "0.5", "--min-rate", "20KiB", "--min-rate-period", "0.5")

_MOST_MEMORY = 64 * MIB


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file and a large one."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hello.txt").write_bytes(_HELLO)
    (folder / "large.bin").write_bytes(_LARGE)
    return folder


@pytest.fixture(scope="module")
def patient(folder: Path) -> Iterator[Server]:
    """A server without a deadline that a test would reach."""
    with running_server(folder, *_PATIENT) as server:
        _greet(server)
        yield server


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[Server]:
    """A server with short deadlines."""
    with running_server(folder, *_STRICT) as server:
        _greet(server)
        yield server


def test_good_requests_are_answered_beside_two_hundred_that_never_end(patient: Server) -> None:
    before = patient.stats().descriptors["socket"]
    with hostile(patient.port) as connections:
        for _ in range(5):
            _assert_all_is_well(patient)
        assert len(server_sides(patient.port, {each.own_port for each in connections})) == MANY
    _assert_nothing_is_left(patient)
    wait_until(lambda: patient.stats().descriptors["socket"], lambda count: count <= before)


def test_two_hundred_that_never_end_are_let_go_in_time(strict: Server) -> None:
    before = strict.stats().descriptors["socket"]
    with hostile(strict.port) as connections:
        _assert_all_is_well(strict)
        ports = {each.own_port for each in connections}
        wait_until(
            lambda: [side for side in server_sides(strict.port, ports) if side.state != "FIN_WAIT2"],
            lambda sides: sides == [],
            timeout_s=20,
        )
        wait_until(lambda: strict.stats().descriptors["socket"], lambda count: count <= before)
        wait_until(lambda: (strict.stats().files_below(strict.root), strict.drafts()), lambda held: held == ([], []))
        _assert_all_is_well(strict)
    _assert_nothing_is_left(strict)


def test_several_workers_do_as_well(folder: Path, serve: Serve) -> None:
    server = serve(folder, *_STRICT, "--workers", "2")
    with hostile(server.port) as connections:
        for _ in range(5):
            _assert_all_is_well(server)
        ports = {each.own_port for each in connections}
        wait_until(
            lambda: [side for side in server_sides(server.port, ports) if side.state != "FIN_WAIT2"],
            lambda sides: sides == [],
            timeout_s=20,
        )
    for sent, statuses in _SMUGGLING.values():
        with Connection(server.port) as connection:
            connection.send(sent)
            assert_refused(connection, *statuses)
    _assert_all_is_well(server)


def test_a_server_with_two_hundred_that_never_end_can_be_stopped(folder: Path, serve: Serve) -> None:
    server = serve(folder, *_PATIENT, "--drain-timeout", "0.5")
    with hostile(server.port):
        _assert_all_is_well(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    assert server.drafts() == []


def test_endless_heads_in_parallel_cost_neither_answers_nor_memory(patient: Server) -> None:
    before = patient.stats().rss
    with pouring(patient.port, open_head(0), b"X-A: %s\r\n" % (b"a" * 1000)) as connections:
        _assert_all_is_well(patient)
        for connection in connections:
            assert_refusal(connection.answer(), 431)
    assert max(connection.sent for connection in connections) < MOST_TAKEN
    assert patient.stats().rss - before < _MOST_MEMORY
    _assert_nothing_is_left(patient)


@pytest.mark.parametrize("target", ["/files/hello.txt", "/files/large.bin"])
def test_requests_without_end_whose_answers_nobody_reads_are_not_taken(folder: Path, serve: Serve, target: str) -> None:
    """A server that reads on while its answers wait keeps as many requests as a client cares to send."""
    server = serve(folder, *_STRICT)
    _greet(server)
    before = server.stats().rss
    pipeline = request_bytes("GET", target, ("Connection", "keep-alive")) * 1000
    with pouring(server.port, b"", pipeline) as connections:
        _assert_all_is_well(server)
        wait_until(
            lambda: server_sides(server.port, {each.own_port for each in connections}), lambda sides: sides == []
        )
    assert server.stats().rss - before < _MOST_MEMORY
    _assert_nothing_is_left(server)


def _smuggled(*lines: bytes, body: bytes = b"") -> bytes:
    """A request whose framing two servers may read differently; to one of them its body is another request."""
    head = (b"PUT /files/outer HTTP/1.1", b"Host: localhost", *lines, b"", b"")
    return b"\r\n".join(head) + body


_INNER = b"GET /files/smuggled HTTP/1.1\r\nHost: localhost\r\nX-Rest: "
_ENDED = b"0\r\n\r\n" + _INNER
_WRAPPED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(_INNER), _INNER)
_SMUGGLING: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "length, then chunked": (_smuggled(b"Content-Length: 64", b"Transfer-Encoding: chunked", body=_ENDED), (400,)),
    "chunked, then length": (_smuggled(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=_WRAPPED), (400,)),
    "chunked behind a space": (_smuggled(b"Content-Length: 64", b"Transfer-Encoding : chunked", body=_ENDED), (400,)),
    "chunked behind a tab": (_smuggled(b"Content-Length: 64", b"Transfer-Encoding:\tchunked", body=_ENDED), (400,)),
    "chunked behind a vertical tab": (
        _smuggled(b"Content-Length: 64", b"Transfer-Encoding: \x0bchunked", body=_ENDED),
        (400, 501),
    ),
    "chunked on a folded line": (
        _smuggled(b"Content-Length: 64", b"Transfer-Encoding:", b" chunked", body=_ENDED),
        (400,),
    ),
    "chunked behind a bare LF": (
        _smuggled(b"Content-Length: 64", b"X-A: a\nTransfer-Encoding: chunked", body=_ENDED),
        (400,),
    ),
    "chunked behind a bare CR": (
        _smuggled(b"Content-Length: 64", b"X-A: a\rTransfer-Encoding: chunked", body=_ENDED),
        (400,),
    ),
    "chunked and something else": (_smuggled(b"Transfer-Encoding: chunked, x", body=_WRAPPED), (400, 501)),
    "something else and chunked": (_smuggled(b"Transfer-Encoding: x, chunked", body=_ENDED), (400, 501)),
    "two codings in two lines": (
        _smuggled(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x", body=_WRAPPED),
        (400, 501),
    ),
    "no coding": (_smuggled(b"Transfer-Encoding: identity", body=_INNER), (400, 501)),
    "two lengths": (_smuggled(b"Content-Length: 0", b"Content-Length: 64", body=_INNER), (400,)),
    "a length with a plus": (_smuggled(b"Content-Length: +0", body=_INNER), (400,)),
    "a length in another base": (_smuggled(b"Content-Length: 0x0", body=_INNER), (400,)),
    "a length and a comma": (_smuggled(b"Content-Length: 0, 64", body=_INNER), (400,)),
    "a length with a vertical tab": (_smuggled(b"Content-Length: \x0b0", body=_INNER), (400,)),
    "HTTP/1.0 in chunks": (
        _smuggled(b"Transfer-Encoding: chunked", body=_ENDED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        (400,),
    ),
    "HTTP/0.9": (b"GET /files/outer\r\n\r\n" + _INNER, (400,)),
    "a head within a target": (b"GET /files/outer\x20HTTP/1.1\nX: HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
}


@pytest.mark.parametrize("how", _SMUGGLING)
def test_a_request_within_a_request_is_not_found(patient: Server, how: str) -> None:
    sent, statuses = _SMUGGLING[how]
    with unheard(patient), Connection(patient.port) as connection:
        connection.send(sent + b"\r\n\r\n" + _INNER + b"\r\n\r\n")
        assert_refused(connection, *statuses)


def test_a_request_in_the_body_of_another_is_its_content(patient: Server) -> None:
    content = _INNER + b"\r\n\r\n"
    with Connection(patient.port) as connection:
        connection.send(request_bytes("PUT", "/files/outer", ("Connection", "keep-alive"), body=content))
        assert connection.answer().status in (200, 201)
        connection.send(request_bytes("GET", "/files/outer"))
        assert connection.answer().body == content
        assert connection.read_to_end() == b""


_GOOD = (
    request_bytes("GET", "/files/hello.txt", ("Connection", "keep-alive"), ("Range", "bytes=0-4")),
    request_bytes("PUT", "/files/mutant.bin", ("Connection", "keep-alive"), body=b"content"),
    request_bytes(
        "PUT", "/files/mutant.bin", ("Transfer-Encoding", "chunked"), body=b"3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"
    ),
    request_bytes("POST", "/files/", form_bytes(("mutant.txt", b"a"))[0], body=form_bytes(("mutant.txt", b"a"))[1]),
    request_bytes("POST", "/transform?select=a", ("Content-Type", "text/csv"), body=b"a,b\n1,2\n"),
    request_bytes("GET", "http://localhost:80/files/?limit=1", ("Upgrade", "h2c"), ("Connection", "upgrade")),
    request_bytes("GET", "/nothing", ("Connection", "keep-alive")) + request_bytes("DELETE", "/files/mutant.bin"),
)
_SPICES = (b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b",", b";", b"%", b"/", b"\xff", b"0", b"-", b"\r\n\r\n")


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_is_nearly_a_request_breaks_the_server(strict: Server, seed: int) -> None:
    """Whatever comes back is whole answers, none of which says that the server failed."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(strict.port)) for _ in range(150)]
        sent = [_mutant(chance) for _ in connections]
        for connection, content in zip(connections, sent, strict=True):
            with suppress(ConnectionError):
                connection.send(content)
        for connection, content in zip(connections, sent, strict=True):
            assert all(answer.status != 500 for answer in _answers(connection)), content
    assert "Traceback" not in strict.log()
    _assert_all_is_well(strict)
    _assert_nothing_is_left(strict)


def test_a_storm_of_connections_that_come_and_go_leaves_nothing(patient: Server) -> None:
    before = patient.stats().descriptors["socket"]
    for number in range(1000):
        connection = Connection(patient.port)
        with suppress(ConnectionError):
            connection.send((b"", b"G", open_head(number), b"GET /files/large.bin HTTP/1.0\r\n\r\n")[number % 4])
        if number % 3:
            connection.reset()
        else:
            connection.close()
    _assert_all_is_well(patient)
    _assert_nothing_is_left(patient)
    wait_until(lambda: patient.stats().descriptors["socket"], lambda count: count <= before)


def _mutant(chance: random.Random) -> bytes:
    """A good request with one to four faults."""
    content = bytearray(chance.choice(_GOOD))
    for _ in range(chance.randint(1, 4)):
        place, length = chance.randrange(len(content)), chance.randint(1, 8)
        match chance.randrange(5):
            case 0:
                content[place] = chance.randrange(256)
            case 1:
                del content[place : place + length]
            case 2:
                content[place:place] = content[place : place + length]
            case 3:
                content[place:place] = chance.choice(_SPICES)
            case _:
                content[place : place + 1] = chance.choice(_SPICES)
    return bytes(content)


def _answers(connection: Connection) -> list[Answer]:
    """All answers until the server closes; AssertionError when the last is not whole."""
    answers = []
    while True:
        try:
            answers.append(connection.answer())
        except Truncated as cut:
            rest = cut.received + connection.read_to_end()
            break
    assert rest == b""
    return answers


def _greet(server: Server) -> None:
    """Have it start its threads and fill its caches, which stay."""
    for _ in range(20):
        _assert_all_is_well(server)


def _assert_all_is_well(server: Server) -> None:
    """Requests of each kind are answered as ever."""
    assert request(server.port, "GET", "/files/hello.txt").body == _HELLO
    assert request(server.port, "GET", "/files/large.bin", ("Range", "bytes=-1000")).body == _LARGE[-1000:]
    assert request(server.port, "PUT", "/files/beside.txt", body=b"beside").status in (200, 201)
    assert request(server.port, "GET", "/files/").status == 200
    assert request(server.port, "GET", "/health").status == 200


def _assert_nothing_is_left(server: Server) -> None:
    """Neither in the server, nor on the disk, nor in the kernel."""
    wait_until(lambda: (server.stats().files_below(server.root), server.drafts()), lambda held: held == ([], []))
    wait_until(server.open_transfers, lambda count: count == 0)
    wait_until(lambda: server_sides(server.port), lambda sides: sides == [])
    assert not list(server.root.glob("never*"))
