"""Jobs, from the place they wait for to the end of their worker."""

import os
from pathlib import Path

import anyio
import pytest

from fileserver.workers import LAYERS, Pool, PoolLimits, QueueFull, Worker, WorkerDied, WorkerGone
from tests.workers.pools import children_of, gone, is_running, open_pool


async def output_of(worker: Worker) -> bytes:
    """All that comes out."""
    blocks = []
    while block := await worker.read():
        blocks.append(block)
    return b"".join(blocks)


async def through(worker: Worker, data: bytes) -> bytes:
    """What comes out while `data` goes in."""

    async def feed() -> None:
        for start in range(0, len(data), 65536):
            await worker.write(data[start : start + 65536])
        worker.end_input()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feed)
        found = await output_of(worker)
    return found  # noqa: RET504 - the group may swallow a cancellation


async def test_bytes_go_through_and_messages_come_in_order(folder: Path) -> None:
    data = os.urandom(5_000_000)
    async with open_pool() as pool, pool.worker({"job": "echo", "note": "näh"}, folder=folder) as worker:
        assert await through(worker, data) == data
        told = [message async for message in worker.messages()]
        assert [message["type"] for message in told] == ["begun", "done"]
        assert told[0]["note"] == "näh"
        assert told[0]["sandbox"] == sorted(LAYERS)
        assert told[1]["size"] == len(data)
        end = await worker.wait()
        assert (end.reason, end.exit_code, end.signal) == ("done", 0, None)
        assert worker.usage().cpu_s > 0
        assert worker.usage().rss > 1 << 20


async def test_nothing_is_started_before_the_first_job() -> None:
    before = children_of(os.getpid())
    async with open_pool() as pool:
        assert children_of(os.getpid()) == before
        assert pool.zygote_pid is None


async def test_the_next_job_finds_a_process_that_is_warm(folder: Path) -> None:
    async with open_pool() as pool:
        async with pool.worker({"job": "echo"}, folder=folder) as first:
            assert pool.zygote_pid
            waiting = children_of(pool.zygote_pid) - {first.pid}
        async with pool.worker({"job": "echo"}, folder=folder) as second:
            second.end_input()
            told = [message async for message in second.messages()]
            assert told[0]["state"] == f"warm in {second.pid}"
        assert second.pid != first.pid
        assert not waiting or waiting == {second.pid}  # it may not have been born while we looked


async def test_the_table_is_read_from_a_descriptor(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"id\n1\n")
    with (tmp_path / "table").open("rb") as table:
        async with open_pool() as pool, pool.worker({"job": "echo"}, folder=folder, input=table.fileno()) as worker:
            assert await output_of(worker) == b"id\n1\n"
        assert not table.closed


async def test_files_are_handed_over_by_name(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "rejects").open("ab") as rejects, (tmp_path / "join").open("wb") as join:
        files = {"rejects": rejects.fileno(), "join:2": join.fileno()}
        async with open_pool() as pool, pool.worker({"job": "append"}, files, folder=folder) as worker:
            worker.end_input()
            assert await output_of(worker) == b""
    assert (tmp_path / "rejects").read_text() == "rejects\n"
    assert (tmp_path / "join").read_text() == "join:2\n"


async def test_a_worker_has_its_own_descriptors_and_no_other(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "look_around", "threads": 8}, folder=folder) as worker:
        told = [message async for message in worker.messages()]
    assert len(told[0]["open"]) == 6  # three standard ones, the line to the server, input, output
    assert told[0]["cwd"] == str(folder)
    assert told[0]["threads"] == 8


async def test_a_worker_knows_nothing_of_the_servers_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILESERVER_DATABASE", "secret")
    async with open_pool() as pool, pool.worker({"job": "look_around"}, folder=folder) as worker:
        told = [message async for message in worker.messages()]
    assert "FILESERVER_DATABASE" not in told[0]["environment"]


async def test_the_folder_is_the_workers_to_use_and_the_callers_to_remove(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "use_folder"}, folder=folder) as worker:
        told = [message async for message in worker.messages()]
    assert told == [{"type": "done", "text": "spilled", "names": ["b"]}]
    assert (folder / "left").read_text() == "spilled"


async def test_threads_of_a_job_are_in_the_sandbox_too(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "thread_in_sandbox"}, folder=folder) as worker:
        assert [message["found"] async for message in worker.messages()] == ["refused"]


async def test_more_jobs_than_places_wait_and_more_than_that_are_refused(folder: Path) -> None:
    ran = []

    async def job(pool: Pool, number: int) -> None:
        async with pool.worker({"job": "echo"}, folder=folder) as worker:
            worker.end_input()
            await output_of(worker)
            ran.append(number)

    async with open_pool(jobs=1, queue=2) as pool:
        async with anyio.create_task_group() as tasks, pool.worker({"job": "echo"}, folder=folder):
            for number in range(2):
                tasks.start_soon(job, pool, number)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(QueueFull):
                async with pool.worker({"job": "echo"}, folder=folder):
                    pass
        assert ran == [0, 1]


async def test_a_worker_that_reads_nothing_holds_its_writer_back(folder: Path) -> None:
    written = 0
    async with open_pool() as pool, pool.worker({"job": "read_nothing"}, folder=folder) as worker:
        with anyio.move_on_after(0.5):
            while True:
                await worker.write(bytes(65536))
                written += 65536
        assert written == 1 << 20


async def test_a_worker_that_closes_its_input_early_is_gone_but_not_dead(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "close_input"}, folder=folder) as worker:
        with pytest.raises(WorkerGone):
            while True:
                await worker.write(bytes(65536))
        assert [message["type"] async for message in worker.messages()] == ["begun"]


async def test_a_worker_that_closes_its_output_early_is_done(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "close_output"}, folder=folder) as worker:
        assert await output_of(worker) == b"half"
        assert [message["type"] async for message in worker.messages()] == ["done"]


async def test_a_flood_of_output_waits_in_a_pipe(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "flood"}, folder=folder) as worker:
        for _ in range(20):
            assert 0 < len(await worker.read()) <= 1 << 20
        pid = worker.pid
    assert not is_running(pid)


async def test_progress_that_nobody_hears_is_dropped_and_what_matters_is_not(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "chatter"}, folder=folder) as worker:
        assert await output_of(worker) == b""  # it came to its end although nobody listened
        told = [message async for message in worker.messages()]
    assert told[-1] == {"type": "done"}
    assert 2 < len(told) < 20_000


@pytest.mark.parametrize("job", ["shout", "babble"])
async def test_a_worker_that_says_what_is_no_message_is_killed(folder: Path, job: str) -> None:
    async with open_pool() as pool, pool.worker({"job": job}, folder=folder) as worker:
        with pytest.raises(WorkerDied) as died:
            [message async for message in worker.messages()]
    assert died.value.reason == "crashed"


async def test_a_large_spec_arrives(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "echo", "note": "x" * 900_000}, folder=folder) as worker:
        worker.end_input()
        told = [message async for message in worker.messages()]
    assert len(told[0]["note"]) == 900_000


async def test_an_error_in_the_body_of_the_job_comes_out_as_it_is(folder: Path) -> None:
    with pytest.raises(LookupError):
        async with open_pool() as pool, pool.worker({"job": "read_nothing"}, folder=folder):
            raise LookupError


async def test_when_the_pool_closes_nothing_is_left(folder: Path) -> None:
    async with open_pool() as pool:
        async with pool.worker({"job": "echo"}, folder=folder) as worker:
            pid = worker.pid
        zygote = pool.zygote_pid
        assert zygote
        warm = children_of(zygote)
    await gone(pid, zygote, *warm)


async def test_a_closed_pool_takes_no_job(folder: Path) -> None:
    pool = Pool("tests.workers.jobs", PoolLimits())
    with pytest.raises(RuntimeError):
        async with pool.worker({"job": "echo"}, folder=folder):
            pass
