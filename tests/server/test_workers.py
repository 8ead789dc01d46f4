"""Several processes behind one address."""

import os
import signal
from pathlib import Path

from tests.server.conftest import Running, Start
from tests.support.server import wait_until
from tests.support.wire import request


def test_a_worker_that_dies_is_replaced(start: Start) -> None:
    server = start(workers=2)
    first, second = server.workers()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(set(server.workers()) - {first}) == 2)
    assert second in server.workers()
    assert wait_until(lambda: request(server.port, "GET", "/pid").status) == 200


def test_workers_end_when_their_parent_is_killed(start: Start) -> None:
    server = start(workers=2)
    workers = server.workers()
    server.process.kill()
    wait_until(lambda: not any(map(_is_running, workers)))
    assert len(server.marks("stopped")) == 2


def test_an_application_that_does_not_start_is_not_tried_for_ever(start: Start) -> None:
    server = start(workers=2, root_path="/broken")
    assert server.process.wait(10) == 1
    assert "http://" not in server.log()


def test_the_figures_are_those_of_all_workers(start: Start) -> None:
    server = start(workers=2)
    answering = _ask(server, 50)
    assert _requests(server) == 50, f"answered by {answering}"


def test_what_a_dead_worker_counted_stays_and_what_it_held_goes(start: Start) -> None:
    server = start(workers=2)
    _ask(server, 5)
    first, _ = server.workers()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(set(server.workers()) - {first}) == 2)
    assert _requests(server) == 5


def test_a_worker_takes_the_settings_and_nothing_else(start: Start, tmp_path: Path) -> None:
    """The file is read once, by the parent: what became of it since does not matter to a worker that is replaced."""
    config = tmp_path / "fileserver.toml"
    config.write_text("workers = 2\n")
    server = start(config=config)
    config.write_text("not TOML")
    before = server.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert int(request(server.port, "GET", "/pid").body) not in before


def _ask(server: Running, times: int) -> set[bytes]:
    """Ask so many times and wait until all is counted, which is after the answer; the processes that answered."""
    answering = {request(server.port, "GET", "/pid").body for _ in range(times)}
    wait_until(lambda: server.log().count('"/pid"') == times)
    return answering


def _requests(server: Running) -> float:
    """Requests counted so far, those for the figures aside."""
    lines = request(server.port, "GET", "/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("fileserver_requests_total"))


def _is_running(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
