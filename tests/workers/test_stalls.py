"""Workers that hang while the server waits for them, and those that only look as if they did."""

import math
from pathlib import Path
from typing import Any

import anyio
import pytest

from fileserver.workers import Reason, Worker, WorkerDied, WorkerGone
from tests.workers.pools import open_pool

STALL_S = 0.4
SLOW_S = 1.2  # long enough for a stall to be found, were it one


async def reason_of_end(worker: Worker) -> Reason:
    """Why it ended, once it has."""
    try:
        with anyio.fail_after(30):
            async for _ in worker.messages():
                pass
    except WorkerDied as died:
        return died.reason
    return "done"


async def hear_that_it_is_done(worker: Worker) -> None:
    """For a task of its own, so that no word that waits to be heard excuses the worker."""
    assert await reason_of_end(worker) == "done"


async def write_until_gone(worker: Worker) -> None:
    """Write as much as it takes."""
    with pytest.raises(WorkerGone):
        while True:
            await worker.write(bytes(65536))


async def drain(worker: Worker) -> int:
    """How many bytes come out."""
    size = 0
    while block := await worker.read():
        size += len(block)
    return size


async def write_all(worker: Worker, size: int) -> None:
    """Write so many bytes and end the input."""
    await worker.write(bytes(size))
    worker.end_input()


async def test_a_worker_that_sleeps_before_a_full_pipe_has_stalled(folder: Path) -> None:
    async with open_pool(stall_s=STALL_S) as pool, pool.worker({"job": "read_nothing"}, folder=folder) as worker:
        with anyio.fail_after(30):
            await write_until_gone(worker)
        assert await reason_of_end(worker) == "stalled"


async def test_a_worker_that_sleeps_over_all_its_input_has_stalled(folder: Path) -> None:
    spec = {"job": "sleep_over_all_input"}
    async with open_pool(stall_s=STALL_S) as pool, pool.worker(spec, folder=folder) as worker:
        await write_all(worker, 3 << 20)
        with anyio.fail_after(30):
            assert await worker.read() == b""
        assert await reason_of_end(worker) == "stalled"


async def test_a_worker_that_sleeps_over_a_stored_file_has_stalled(folder: Path, tmp_path: Path) -> None:
    path, spec = tmp_path / "table", {"job": "read_nothing"}
    path.write_bytes(b"stored")
    with path.open("rb") as table:
        async with open_pool(stall_s=STALL_S) as pool, pool.worker(spec, folder=folder, input=table.fileno()) as worker:
            with anyio.fail_after(30):
                assert await worker.read() == b""
            assert await reason_of_end(worker) == "stalled"


async def test_a_worker_that_wants_no_more_input_and_sleeps_has_stalled(folder: Path) -> None:
    spec = {"job": "close_input", "seconds": 1000}
    async with (
        open_pool(stall_s=STALL_S) as pool,
        pool.worker(spec, folder=folder) as worker,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(drain, worker)
        assert await reason_of_end(worker) == "stalled"


async def test_a_worker_that_computes_has_not_stalled(folder: Path) -> None:
    spec = {"job": "ponder", "seconds": SLOW_S}
    async with open_pool(stall_s=STALL_S) as pool, pool.worker(spec, folder=folder) as worker:
        await write_all(worker, 1)
        assert await drain(worker) == 0
        assert await reason_of_end(worker) == "done"


async def test_a_worker_that_gives_bytes_now_and_then_has_not_stalled(folder: Path) -> None:
    async with open_pool(stall_s=STALL_S) as pool, pool.worker({"job": "drip"}, folder=folder) as worker:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write_all, worker, 2 << 20)
            assert await drain(worker) == 20
        assert await reason_of_end(worker) == "done"


async def test_a_client_that_writes_slowly_stalls_no_worker(folder: Path) -> None:
    async with open_pool(stall_s=STALL_S) as pool, pool.worker({"job": "echo"}, folder=folder) as worker:

        async def write_slowly() -> None:
            await worker.write(bytes(1000))
            await anyio.sleep(SLOW_S)
            await write_all(worker, 1000)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hear_that_it_is_done, worker)
            tasks.start_soon(write_slowly)
            assert await drain(worker) == 2000


async def test_a_client_that_reads_slowly_stalls_no_worker(folder: Path) -> None:
    async with (
        open_pool(stall_s=STALL_S) as pool,
        pool.worker({"job": "echo"}, folder=folder) as worker,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(hear_that_it_is_done, worker)
        tasks.start_soon(write_all, worker, 5 << 20)  # both pipes are full and the rest waits
        await anyio.sleep(SLOW_S)
        first = len(await worker.read())
        await anyio.sleep(SLOW_S)
        assert first + await drain(worker) == 5 << 20


async def test_a_worker_that_nobody_hears_has_not_stalled(folder: Path) -> None:
    told: list[dict[str, Any]] = []
    async with open_pool(stall_s=STALL_S) as pool, pool.worker({"job": "explain"}, folder=folder) as worker:
        await write_all(worker, 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drain, worker)
            await anyio.sleep(SLOW_S)
            told.extend([message async for message in worker.messages()])
    assert [message["type"] for message in told] == ["word"] * 1000 + ["done"]


async def test_without_a_limit_a_worker_may_sleep(folder: Path) -> None:
    spec = {"job": "read_nothing"}
    async with open_pool(stall_s=math.inf, wall_s=SLOW_S) as pool, pool.worker(spec, folder=folder) as worker:
        await write_until_gone(worker)
        assert await reason_of_end(worker) == "time"
