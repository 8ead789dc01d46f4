"""More connections than a server will have are told so at once, and the others do not notice."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.refusals import assert_refusal, assert_refused
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.wire import Answer, Connection, request_bytes

_HERE, _THERE = "127.0.0.1", "127.0.0.2"
_MOST = 5
_PATIENT = ("--header-timeout", "600", "--keep-alive-timeout", "600")
_EVERYWHERE = ("--host", "0.0.0.0", "--read-only")
_DEFAULT_PER_ADDRESS = 256


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has five connections."""
    with running_server(tmp_path_factory.mktemp("small"), *_PATIENT, "--max-connections", str(_MOST)) as server:
        yield server


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has five connections with each client."""
    flags = ("--max-connections-per-address", str(_MOST))
    with running_server(tmp_path_factory.mktemp("fair"), *_PATIENT, *flags) as server:
        yield server


@pytest.fixture(params=["small", "fair"])
def full(request: pytest.FixtureRequest) -> Iterator[tuple[Server, int]]:
    """Each of them without a connection, and the status of its refusals."""
    server: Server = request.getfixturevalue(request.param)
    _wait_until_empty(server)
    yield server, {"small": 503, "fair": 429}[request.param]
    _wait_until_empty(server)


def test_one_connection_too_many_is_refused_before_it_says_a_word(full: tuple[Server, int]) -> None:
    server, status = full
    with _connected(server, _MOST), Connection(server.port) as connection:
        answer = assert_refused(connection, status)
        assert answer.head.get("retry-after") == "1"


def test_one_connection_too_many_is_refused_also_when_it_asks_at_once(full: tuple[Server, int]) -> None:
    """Its end may be a reset, for nobody waits for more of it; the answer comes before."""
    server, status = full
    with _connected(server, _MOST), Connection(server.port) as connection:
        connection.send(_asking("?unheard"))
        assert_refusal(connection.answer(), status)
    assert not [line for line in server.access_lines() if line.get("query") == "unheard"]


def test_those_who_were_there_before_are_served_on(full: tuple[Server, int]) -> None:
    server, status = full
    with _connected(server, _MOST) as connections:
        for _ in range(3):
            _refuse(server, 20, status)
            assert [_ask(connection).status for connection in connections] == [200] * _MOST


def test_a_place_that_is_left_is_free_again(full: tuple[Server, int]) -> None:
    server, status = full
    with ExitStack() as stack:
        for leaving in stack.enter_context(_connected(server, _MOST)):
            _refuse(server, 1, status)
            leaving.close()
            stack.enter_context(_placed(server))


def test_whoever_is_refused_holds_no_place_though_it_stays(full: tuple[Server, int]) -> None:
    server, status = full
    with ExitStack() as stack:
        connections = stack.enter_context(_connected(server, _MOST))
        before = server.stats().descriptors["socket"]
        for _ in range(50):
            assert_refused(stack.enter_context(Connection(server.port)), status)
        wait_until(lambda: server.stats().descriptors["socket"], lambda count: count == before)
        connections[0].close()
        stack.enter_context(_placed(server))


def test_a_refused_request_gives_its_place_back(full: tuple[Server, int]) -> None:
    server, _ = full
    for _ in range(3 * _MOST):
        with Connection(server.port) as connection:
            connection.send(b"nonsense\r\n\r\n")
            assert_refused(connection, 400)
        _wait_until_empty(server)


def test_another_address_is_not_made_to_suffer(fair: Server) -> None:
    _wait_until_empty(fair)
    with _connected(fair, _MOST), _connected(fair, _MOST, source=_THERE):
        for source in (_HERE, _THERE):
            with Connection(fair.port, source=source) as connection:
                assert_refused(connection, 429)
        with Connection(fair.port, source="127.0.0.3") as connection:
            assert _ask(connection).status == 200


def test_the_whole_server_is_full_whoever_comes(small: Server) -> None:
    _wait_until_empty(small)
    with _connected(small, _MOST), Connection(small.port, source=_THERE) as connection:
        assert_refused(connection, 503)


def test_on_loopback_an_address_has_any_number(serve: Serve, tmp_path: Path) -> None:
    with _connected(serve(tmp_path, *_PATIENT), _DEFAULT_PER_ADDRESS + 50) as connections:
        assert _ask(connections[-1]).status == 200


def test_elsewhere_an_address_has_256(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *_PATIENT, *_EVERYWHERE)
    with _connected(server, _DEFAULT_PER_ADDRESS):
        with Connection(server.port) as connection:
            assert_refused(connection, 429)
        with Connection(server.port, source=_THERE) as connection:
            assert _ask(connection).status == 200


def test_a_trusted_proxy_has_any_number(serve: Serve, tmp_path: Path) -> None:
    """Behind it are many clients, and it can count them itself."""
    proxy = ("--forwarded-allow-ips", _THERE, "--max-connections-per-address", str(_MOST))
    server = serve(tmp_path, *_PATIENT, *proxy)
    with _connected(server, 3 * _MOST, source=_THERE), _connected(server, _MOST):
        _refuse(server, 1, 429)


@pytest.mark.parametrize(("flag", "status"), [("--max-connections", 503), ("--max-connections-per-address", 429)])
def test_each_of_several_workers_keeps_the_number(serve: Serve, tmp_path: Path, flag: str, status: int) -> None:
    """Which of them a connection comes to is the kernel's choice; together they have room for twice as many."""
    server = serve(tmp_path, *_PATIENT, "--workers", "2", flag, str(_MOST))
    with ExitStack() as stack:
        answers = []
        for _ in range(8 * _MOST):
            connection = stack.enter_context(Connection(server.port))
            connection.send(_asking())
            answers.append(connection.answer())
        served = [answer for answer in answers if answer.status == 200]
        assert _MOST <= len(served) <= 2 * _MOST
        for answer in answers:
            if answer not in served:
                assert_refusal(answer, status)


@contextmanager
def _connected(server: Server, count: int, *, source: str | None = None) -> Iterator[Sequence[Connection]]:
    """Connections that the server knows of; the last is answered, so that those before it are accepted."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(server.port, source=source)) for _ in repeat(None, count)]
        assert _ask(connections[-1]).status == 200
        yield connections


@contextmanager
def _placed(server: Server) -> Iterator[Connection]:
    """A connection that the server serves, as soon as it will."""
    deadline = time.monotonic() + 10
    while True:
        with Connection(server.port) as connection:
            connection.send(_asking())
            if connection.answer().status == 200:
                yield connection
                return
        assert time.monotonic() < deadline, "no place became free"


def _wait_until_empty(server: Server) -> None:
    """All places are free: as many as there are can be had at once."""

    def is_empty() -> bool:
        with ExitStack() as stack:
            connections = [stack.enter_context(Connection(server.port)) for _ in range(_MOST)]
            return all(_try(connection) == 200 for connection in connections)

    wait_until(is_empty)


def _refuse(server: Server, count: int, status: int) -> None:
    for _ in range(count):
        with Connection(server.port) as connection:
            assert_refused(connection, status)


def _asking(query: str = "") -> bytes:
    return request_bytes("GET", f"/health{query}", ("Connection", "keep-alive"))


def _ask(connection: Connection) -> Answer:
    connection.send(_asking())
    return connection.answer()


def _try(connection: Connection) -> int:
    try:
        return _ask(connection).status
    except ConnectionError:
        return 503
