"""The operator stops the server: nobody new is let in, and who is in the middle of something may finish it."""

import signal
from pathlib import Path

from tests.support.files import MIB, known_bytes
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import Connection, request_bytes


def test_a_running_download_finishes(serve: Serve, tmp_path: Path) -> None:
    content = known_bytes(32 * MIB)
    (tmp_path / "film.bin").write_bytes(content)
    server = serve(tmp_path)
    with Connection(server.port, receive_buffer=65536) as connection:
        connection.send(request_bytes("GET", "/files/film.bin"))
        head = connection.head()
        _ask_to_stop(server)
        assert connection.body(head) == content
    _has_ended(server)


def test_a_running_upload_finishes(serve: Serve, tmp_path: Path) -> None:
    content = known_bytes(2 * MIB)
    whole = request_bytes("PUT", "/files/mine.bin", body=content)
    server = serve(tmp_path)
    with Connection(server.port) as connection:
        connection.send(whole[: len(whole) // 2])
        wait_until(server.drafts)
        _ask_to_stop(server)
        connection.send(whole[len(whole) // 2 :])
        assert connection.answer().status == 201
    _has_ended(server)
    assert server.stored() == {"mine.bin": content}


def test_an_idle_server_stops_and_starts_again(serve: Serve, tmp_path: Path) -> None:
    first = serve(tmp_path)
    with Connection(first.port) as idle:
        idle.send(request_bytes("GET", "/health", ("Connection", "keep-alive")))
        assert idle.answer().status == 200
        first.process.send_signal(signal.SIGTERM)
        _has_ended(first)
    with Connection(serve(tmp_path).port) as connection:
        connection.send(request_bytes("GET", "/health"))
        assert connection.answer().status == 200


def _ask_to_stop(server: Server) -> None:
    """Send SIGTERM, and wait until nobody is let in any more."""
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not _lets_in(server))


def _lets_in(server: Server) -> bool:
    try:
        Connection(server.port).close()
    except ConnectionRefusedError:
        return False
    return True


def _has_ended(server: Server) -> None:
    """The process is gone by itself: with 0, or by the signal it was sent."""
    assert server.process.wait(15) in (0, -signal.SIGTERM), server.log()
