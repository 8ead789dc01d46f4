"""SIGTERM closes the door and lets those inside finish; a deadline or a second signal does not wait for them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.server.conftest import Running, Start
from tests.server.stand_in import HALF
from tests.support.server import wait_until
from tests.support.wire import Connection, Truncated, request_bytes

EACH_NUMBER = pytest.mark.parametrize("workers", [1, 2])


@EACH_NUMBER
def test_an_answer_in_progress_comes_to_its_end(start: Start, workers: int) -> None:
    server = start(workers=workers)
    with _halfway(server) as connection:
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _lets_in(server))
        server.go()
        assert connection.read(len(HALF)) == HALF
    assert server.process.wait(10) == 0
    assert len(server.marks("stopped")) == workers


@EACH_NUMBER
def test_a_terminals_interrupt_goes_to_all_processes_and_is_one_signal(start: Start, workers: int) -> None:
    server = start(workers=workers)
    with _halfway(server) as connection:
        os.killpg(server.process.pid, signal.SIGINT)
        wait_until(lambda: not _lets_in(server))
        server.go()
        assert connection.read(len(HALF)) == HALF
    assert server.process.wait(10) == 0


@EACH_NUMBER
def test_a_second_signal_cuts(start: Start, workers: int) -> None:
    server = start(workers=workers)
    with _halfway(server) as connection:
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _lets_in(server))
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(Truncated):
            connection.read(len(HALF))
    assert server.process.wait(10) == 0
    assert len(server.marks("cleaned")) == 1
    assert len(server.marks("stopped")) == workers
    assert '"aborted": "server"' in server.log()
    assert "Traceback" not in server.log()


@EACH_NUMBER
def test_a_deadline_cuts(start: Start, workers: int) -> None:
    server = start(workers=workers, drain_timeout=0.1)
    with _halfway(server) as connection:
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(Truncated):
            connection.read(len(HALF))
    assert server.process.wait(10) == 0
    assert len(server.marks("stopped")) == workers


def test_a_client_that_reads_nothing_is_cut_too(start: Start) -> None:
    server = start(drain_timeout=0.1)
    with _halfway(server):
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0


@EACH_NUMBER
def test_an_idle_connection_holds_nothing_up(start: Start, workers: int) -> None:
    server = start(workers=workers)
    with Connection(server.port) as idle:
        idle.send(request_bytes("GET", "/pid", ("Connection", "keep-alive")))
        assert idle.answer().status == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0


@contextmanager
def _halfway(server: Running) -> Iterator[Connection]:
    """A connection with half of an answer read."""
    with Connection(server.port) as connection:
        connection.send(request_bytes("GET", "/slow"))
        connection.head()
        assert connection.read(len(HALF)) == HALF
        yield connection


def _lets_in(server: Running) -> bool:
    try:
        Connection(server.port).close()
    except ConnectionRefusedError:
        return False
    return True
