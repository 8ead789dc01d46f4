"""What is counted inside a server is there: a connection that is held is seen, and seen to go."""

from pathlib import Path

from sqlalchemy import create_engine

from tests.support.files import make_file
from tests.support.inside import server_inside
from tests.support.server import wait_until
from tests.support.wire import Connection, request, request_bytes


def test_a_request_is_held_until_its_client_leaves(tmp_path: Path) -> None:
    make_file(tmp_path / "large.bin", 64 << 20)
    with server_inside(tmp_path, hash_rate=0) as server:
        request(server.port, "GET", "/files/")
        before = server.held()
        with Connection(server.port, receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/files/large.bin"))
            assert connection.head().status == 200
            more = server.held().beyond(before)
        assert str(tmp_path / "large.bin") in str(more["descriptors"])
        assert "RequestResponseCycle.run_asgi" in str(more["tasks"])
        wait_until(lambda: server.held().beyond(before), lambda left: not left)


def test_a_connection_to_a_database_is_counted_while_it_is_in_use(tmp_path: Path) -> None:
    with server_inside(tmp_path, hash_rate=0) as server:
        wait_until(lambda: server.in_use() == 0)
        engine = create_engine("sqlite://")
        with engine.connect():
            assert server.in_use() == 1
        engine.dispose()
        assert server.in_use() == 0


def test_a_server_that_was_stopped_holds_nothing(tmp_path: Path) -> None:
    with server_inside(tmp_path) as server:
        loop = server.loop
        assert request(server.port, "GET", "/health").status == 200
    assert loop.is_closed()
