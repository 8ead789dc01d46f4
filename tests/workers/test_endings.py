"""Every way in which a worker can end, and what is said of it."""

import os
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest

from fileserver.workers import WorkerDied, WorkerEnd
from tests.workers.pools import children_of, gone, open_pool


async def ended(folder: Path, spec: dict[str, Any], entry: str = "jobs", **limits: float) -> WorkerEnd:
    """How the worker of a job that cannot be done ended."""
    with anyio.fail_after(60):
        async with open_pool(entry, **limits) as pool:
            with pytest.raises(WorkerDied) as died:
                async with pool.worker(spec, folder=folder) as worker:
                    [message async for message in worker.messages()]
    return died.value.end


async def test_too_much_memory(folder: Path) -> None:
    end = await ended(folder, {"job": "grow"}, data_size=256 << 20)
    assert end.reason == "memory"
    assert end.peak_rss < 400 << 20


async def test_a_library_that_aborts_for_want_of_memory(folder: Path) -> None:
    assert (await ended(folder, {"job": "abort_without_memory"})).reason == "memory"


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_too_much_processor_time(folder: Path, is_deaf: bool) -> None:
    end = await ended(folder, {"job": "spin", "is_deaf": is_deaf}, cpu_s=1)
    assert end.reason == "cpu"
    assert 0.5 < end.cpu_s < 4  # the kernel counts ticks


async def test_too_much_time(folder: Path) -> None:
    assert (await ended(folder, {"job": "read_nothing"}, wall_s=0.2)).reason == "time"


async def test_the_time_of_a_job_does_not_run_while_its_process_waits(folder: Path) -> None:
    async with open_pool(wall_s=1.0) as pool:
        async with pool.worker({"job": "look_around"}, folder=folder) as worker:
            await worker.wait()
        await anyio.sleep(1.2)  # the warm process grows older than a job may
        async with pool.worker({"job": "look_around"}, folder=folder) as worker:
            assert (await worker.wait()).reason == "done"


async def test_a_crash(folder: Path) -> None:
    end = await ended(folder, {"job": "crash"})
    assert (end.reason, end.signal) == ("crashed", signal.SIGSEGV)
    assert "Segmentation fault" in end.words


async def test_an_exception(folder: Path) -> None:
    end = await ended(folder, {"job": "fail"})
    assert (end.reason, end.exit_code) == ("crashed", 1)
    assert "ValueError: the job is wrong" in end.words


async def test_an_exit(folder: Path) -> None:
    end = await ended(folder, {"job": "leave"})
    assert (end.reason, end.exit_code) == ("crashed", 7)


async def test_a_thread_that_the_sandbox_would_not_hold(folder: Path) -> None:
    end = await ended(folder, {}, "threaded")
    assert end.reason == "crashed"
    assert "a thread runs already" in end.words


async def test_an_entry_that_cannot_be_prepared(folder: Path) -> None:
    assert (await ended(folder, {}, "broken")).reason == "crashed"


async def test_words_have_a_bound_and_keep_nobody_waiting(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "complain"}, folder=folder) as worker:
        end = await worker.wait()
    assert end.reason == "done"
    assert 60_000 < len(end.words) <= 64 << 10


async def test_a_stranger_kills_the_worker(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "read_nothing"}, folder=folder) as worker:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerDied) as died:
            [message async for message in worker.messages()]
        assert await worker.read() == b""
    assert died.value.reason == "killed"


async def test_a_stranger_kills_a_warm_process(folder: Path) -> None:
    async with open_pool() as pool:
        async with pool.worker({"job": "look_around"}, folder=folder) as worker:
            await worker.wait()
        assert pool.zygote_pid
        for pid in children_of(pool.zygote_pid):
            os.kill(pid, signal.SIGKILL)
            await gone(pid)
        async with pool.worker({"job": "look_around"}, folder=folder) as worker:
            assert (await worker.wait()).reason == "done"


async def test_when_the_zygote_dies_its_workers_do_and_the_next_job_has_a_new_one(folder: Path) -> None:
    async with open_pool() as pool:
        async with pool.worker({"job": "read_nothing"}, folder=folder) as worker:
            first = pool.zygote_pid
            assert first
            os.kill(first, signal.SIGKILL)
            with pytest.raises(WorkerDied) as died:
                [message async for message in worker.messages()]
        assert died.value.reason == "crashed"
        await gone(worker.pid)
        async with pool.worker({"job": "look_around"}, folder=folder) as worker:
            assert (await worker.wait()).reason == "done"
        assert pool.zygote_pid != first


async def test_when_the_zygote_dies_between_jobs_nobody_notices(folder: Path) -> None:
    async with open_pool() as pool:
        for _ in range(5):
            async with pool.worker({"job": "look_around"}, folder=folder) as worker:
                assert (await worker.wait()).reason == "done"
            zygote = pool.zygote_pid
            assert zygote
            os.kill(zygote, signal.SIGKILL)
            await gone(zygote)


async def test_a_zygote_that_hangs_is_replaced(folder: Path) -> None:
    async with open_pool(burial_s=0.2) as pool:
        async with pool.worker({"job": "read_nothing"}, folder=folder) as worker:
            assert pool.zygote_pid
            os.kill(pool.zygote_pid, signal.SIGSTOP)
        await gone(worker.pid)
        async with pool.worker({"job": "look_around"}, folder=folder) as worker:
            assert (await worker.wait()).reason == "done"


async def test_threads_are_bounded_by_the_memory_for_their_stacks(folder: Path) -> None:
    async with open_pool(data_size=256 << 20) as pool, pool.worker({"job": "start_threads"}, folder=folder) as worker:
        told = [message async for message in worker.messages()]
    assert 1 < told[0]["threads"] < 100
