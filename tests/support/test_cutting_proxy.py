"""The proxy cuts as often as it was told, at the byte it drew, and then lets everything pass."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.cutting_proxy import cutting_proxy


@contextmanager
def _echoing() -> Iterator[tuple[int, list[int]]]:
    """A port that sends back all that comes, and how many bytes came on each connection that has ended."""
    heard: list[int] = []

    def echo(connection: socket.socket) -> None:
        count = 0
        with connection, suppress(ConnectionError):
            while piece := connection.recv(65536):
                count += len(piece)
                connection.sendall(piece)
        heard.append(count)

    def serve(listener: socket.socket, threads: list[threading.Thread]) -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=echo, args=(listener.accept()[0],)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener, threads))
        server.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
    for thread in (server, *threads):
        thread.join()


def _echoed(port: int, content: bytes) -> bytes:
    """What comes back of this before the connection ends."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, suppress(ConnectionError):
        connection.sendall(content)
        while len(received) < len(content) and (piece := connection.recv(65536)):
            received += piece
    return received


def test_each_connection_is_cut_until_none_is_left() -> None:
    content = bytes(range(256)) * 8
    with _echoing() as (port, heard):
        with cutting_proxy(port, cuts=40, most_sent=1000, most_answered=1000, seed=3) as proxy:
            broken = [_echoed(proxy.port, content) for _ in range(40)]
            whole = _echoed(proxy.port, content)
        assert len(proxy.done) == 40
        assert whole == content
        for received, cut in zip(broken, proxy.done, strict=True):
            assert content.startswith(received)
            assert len(received) <= cut.size
    assert max(heard) == len(content)
    assert {cut.end for cut in proxy.done} == {"reset", "close", "silence"}
    assert {cut.direction for cut in proxy.done} == {"request", "answer"}


def test_a_seed_draws_the_same_cuts() -> None:
    drawn = []
    with _echoing() as (port, _):
        for _ in range(2):
            with cutting_proxy(port, cuts=5, most_sent=100, most_answered=100, seed=7) as proxy:
                for _ in range(5):
                    _echoed(proxy.port, bytes(1000))
            drawn.append(proxy.done)
    assert drawn[0] == drawn[1]


def test_a_short_connection_is_not_cut() -> None:
    with _echoing() as (port, _), cutting_proxy(port, cuts=1, most_sent=10**9, most_answered=10**9, seed=1) as proxy:
        assert _echoed(proxy.port, b"short") == b"short"
        assert proxy.done == []
