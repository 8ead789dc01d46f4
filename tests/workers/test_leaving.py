"""Users that leave at any moment, servers that die: nothing of a worker stays."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from fileserver.workers import Pool, WorkerDied
from tests.workers.pools import children_of, gone, is_running, open_pool

DEPARTURES = 40


async def _cancel_after(turns: int, scope: anyio.CancelScope) -> None:
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()
    scope.cancel()


async def _one_job(pool: Pool, folder: Path) -> None:
    async with pool.worker({"job": "echo", "padding": "x" * 300_000}, folder=folder) as worker:
        await worker.write(bytes(1000))
        worker.end_input()
        while await worker.read():
            pass
        async for _ in worker.messages():
            pass
        await worker.wait()


@pytest.mark.parametrize("warm", [0, 1])
async def test_cancelled_at_each_await_all_is_freed(folder: Path, warm: int) -> None:
    async with open_pool(warm=warm, jobs=1) as pool:
        for turns in range(DEPARTURES):
            async with anyio.create_task_group() as tasks:
                with anyio.CancelScope() as scope:
                    tasks.start_soon(_cancel_after, turns, scope)
                    await _one_job(pool, folder)
        assert pool.zygote_pid
        await _one_job(pool, folder)  # its place is free again
        await anyio.wait_all_tasks_blocked()
        assert len(children_of(pool.zygote_pid)) <= warm


@pytest.mark.parametrize("warm", [0, 1])
async def test_cancelled_by_asyncio_itself_nothing_stays_open(folder: Path, warm: int) -> None:
    """Such a cancellation breaks through shields: one comes while the job is under way, one in the midst of burial."""
    async with open_pool(warm=warm, jobs=1) as pool:
        await _one_job(pool, folder)
        before = len(os.listdir("/proc/self/fd"))
        for turns in range(DEPARTURES):
            task = asyncio.ensure_future(_one_job(pool, folder))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await _one_job(pool, folder)
        with anyio.fail_after(20):
            while len(os.listdir("/proc/self/fd")) > before:  # the zygote tells of the last ones
                await anyio.sleep(0.01)


async def test_the_first_job_is_cancelled_while_the_zygote_starts(folder: Path) -> None:
    async with open_pool() as pool:
        with anyio.move_on_after(0.01):
            await _one_job(pool, folder)
        await _one_job(pool, folder)


@pytest.mark.parametrize("job", ["flood", "spin", "read_nothing"])
async def test_a_worker_is_killed_while_it_works(folder: Path, job: str) -> None:
    async with open_pool() as pool:
        with anyio.CancelScope() as scope:
            async with pool.worker({"job": job}, folder=folder) as worker:
                pid = worker.pid
                while worker.usage().cpu_s == 0 and job == "spin":
                    await anyio.sleep(0.01)
                scope.cancel()
                await anyio.sleep_forever()
        assert not is_running(pid)


async def test_a_zygote_that_hangs_delays_a_job_by_no_more_than_its_time(folder: Path) -> None:
    async with open_pool(wall_s=0.3, burial_s=0.3) as pool:
        await _one_job(pool, folder)
        assert pool.zygote_pid
        os.kill(pool.zygote_pid, signal.SIGSTOP)
        with anyio.fail_after(20), pytest.raises(WorkerDied):
            await _one_job(pool, folder)
        await _one_job(pool, folder)


async def test_two_hundred_jobs_leave_nothing(folder: Path) -> None:
    async with open_pool(jobs=4, queue=200) as pool:
        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(_one_job, pool, folder)
        assert pool.zygote_pid
        assert len(children_of(pool.zygote_pid)) <= 1
        assert len(os.listdir(f"/proc/{pool.zygote_pid}/fd")) < 12


async def test_jobs_run_on_uvloop_too(folder: Path) -> None:
    program = f"import tests.workers.server as s, uvloop; uvloop.run(s.some_jobs({str(folder)!r}))"
    done = await anyio.run_process([sys.executable, "-c", program], check=False, stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout) == (0, b"3 jobs\n")


async def test_a_server_that_is_killed_takes_all_with_it(folder: Path) -> None:
    command = [sys.executable, "-m", "tests.workers.server", str(folder)]
    async with await anyio.open_process(command, stderr=None) as server:
        assert server.stdout
        pids = json.loads(await server.stdout.receive())
        assert len(set(pids)) == 3
        os.kill(server.pid, signal.SIGKILL)
        await gone(*pids)
