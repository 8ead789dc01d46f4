"""Long work over real servers: it is followed from outside, and it never runs for ever once its server is gone."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.files import GIB
from tests.support.listener import Framing, listen
from tests.support.process import process_stats
from tests.support.server import Serve, Server, wait_until
from tests.support.sparse import make_sparse
from tests.support.wire import Answer, Truncated, request

JSON = ("Content-Type", "application/json")
_IDLE_SOCKETS = 6  # the one it listens on, and those of its loop
SILENT = ("--hash-rate", "0")  # nobody else reads the files


def begun(server: Server, **wish: str) -> str:
    """The address of a job that was begun."""
    answer = request(server.port, "POST", "/jobs", JSON, body=json.dumps(wish).encode())
    assert answer.status == 202, answer
    location = answer.head.get("location")
    assert location is not None
    return location


def told(server: Server, href: str) -> dict[str, Any]:
    """What a job tells."""
    answer = request(server.port, "GET", href)
    assert answer.status == 200, answer
    found: dict[str, Any] = json.loads(answer.body)
    return found


def endless_job(server: Server) -> str:
    """The address of a job that runs, and is busy with a file for hours."""
    make_sparse(server.root / "vast", 1000 * GIB, {})
    href = begun(server, work="hash", prefix="vast")
    wait_until(lambda: told(server, href), lambda seen: seen["bytes_done"] > 0)
    return href


def cancel(server: Server, href: str) -> Answer:
    return request(server.port, "DELETE", href)


def test_a_job_whose_server_was_killed_has_failed(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *SILENT)
    href = endless_job(server)
    waiting = [begun(server, work="hash", prefix="vast") for _ in range(3)]
    with listen(server.port, f"{href}/events") as stream:
        last_id = stream.until("job", state="running").last_id
        server.kill()
    server = serve(tmp_path, *SILENT)
    for each in (href, *waiting):
        seen = told(server, each)
        assert (seen["state"], seen["fault"]["reason"]) == ("failed", "the server process that ran this has ended")
    with listen(server.port, f"{href}/events?last_event_id={last_id}") as stream:  # it comes back, and learns of it
        last = stream.until("job")
        assert last.content["state"] == "failed"
        assert list(stream) == []
    again = request(server.port, "GET", f"{href}/events", ("Last-Event-ID", str(last.last_id)))
    assert again.status == 204


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_job_whose_server_was_stopped_has_failed_at_once(serve: Serve, tmp_path: Path, workers: str) -> None:
    server = serve(tmp_path, *SILENT, "--workers", workers, "--drain-timeout", "60")
    href = endless_job(server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) in (0, -signal.SIGTERM), server.log()  # it does not wait for what has no client
    (record,) = (json.loads(path.read_text()) for path in tmp_path.glob(".fileserver/scratch/jobs/*/job.json"))
    assert (record["state"], record["fault"]["code"]) == ("failed", "server-stopped")
    seen = told(serve(tmp_path, *SILENT), href)
    assert (seen["state"], seen["fault"]["code"]) == ("failed", "server-stopped")


def test_any_process_tells_of_a_job_and_cancels_it(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *SILENT, "--workers", "3")
    href = endless_job(server)
    streams = [listen(server.port, f"{href}/events", framing="ndjson") for _ in range(12)]  # some at each process
    for stream in streams:
        assert stream.until("job", state="running").content["work"] == "hash"
    assert cancel(server, href).status == 202
    for stream in streams:
        with stream:
            assert stream.until("job", state="cancelled").content["fault"]["code"] == "cancelled"
            assert [record.kind for record in stream] == ["end"]


def test_a_job_whose_process_was_killed_among_others_has_failed_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *SILENT, "--workers", "2")
    href = endless_job(server)
    streams = [listen(server.port, f"{href}/events") for _ in range(8)]
    for stream in streams:
        stream.until("job", state="running")
    os.kill(_reader_of(server, tmp_path / "vast"), signal.SIGKILL)
    for stream in streams:
        with stream, suppress(Truncated, OSError):  # those that the dead process had
            assert stream.until("job", state="failed").content["fault"]["code"] == "engine-failed"
    assert told(server, href)["state"] == "failed"


def _reader_of(server: Server, path: Path) -> int:
    """The process below a server that has a file open."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    (reader,) = (int(pid) for pid in children if process_stats(int(pid)).descriptors[str(path)])
    return reader


def test_the_feed_hears_of_a_job_in_every_process_without_its_id(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *SILENT, "--workers", "2")
    with listen(server.port, "/events?kind=job").begun() as feed:
        href = endless_job(server)
        running = feed.until("job", state="running", bytes_total=1000 * GIB)
        cancel(server, href)
        assert feed.until("job", state="cancelled").content["job"] == running.content["job"]
    assert href.rpartition("/")[2] not in json.dumps(running.content)


def test_the_feed_learns_of_a_job_that_died_when_a_server_is_back(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *SILENT)
    with listen(server.port, "/events?kind=job").begun() as feed:
        endless_job(server)
        running = feed.until("job", state="running")
        server.kill()
    server = serve(tmp_path, *SILENT)
    with listen(server.port, f"/events?kind=job&last_event_id={running.last_id}") as feed:
        assert feed.until("job", state="failed").content["job"] == running.content["job"]


def test_who_leaves_a_jobs_events_leaves_nothing_behind(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, *SILENT)
    href = endless_job(server)
    framings: tuple[Framing, ...] = ("sse", "ndjson")
    for number in range(20):
        with listen(server.port, f"{href}/events", framing=framings[number % 2]) as stream:
            stream.until("job")
            stream.connection.reset()
    wait_until(server.open_transfers, lambda count: count == 0)
    wait_until(lambda: server.stats().descriptors["socket"], lambda count: count <= _IDLE_SOCKETS)
    assert server.stats().files_below(tmp_path) == [str(tmp_path / "vast")]
    assert not [name for name in server.stats().descriptors if name.endswith("job.json")]
    cancel(server, href)
    wait_until(lambda: server.stats().files_below(tmp_path), lambda files: files == [])
