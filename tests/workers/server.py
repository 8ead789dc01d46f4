"""A server with a pool, to be killed; prints the processes it has: `python -m tests.workers.server FOLDER`."""

import json
import sys
from pathlib import Path

import anyio

from fileserver.workers import Pool, PoolLimits, Worker
from tests.workers.pools import children_of


async def serve(folder: str) -> None:
    """Run a job that does not end, with another process warm."""
    async with Pool("tests.workers.jobs", PoolLimits()) as pool, pool.worker({"job": "spin"}, folder=Path(folder)):
        assert pool.zygote_pid
        while len(workers := children_of(pool.zygote_pid)) < 2:
            await anyio.sleep(0.01)
        print(json.dumps([pool.zygote_pid, *workers]), flush=True)
        await anyio.sleep_forever()


async def some_jobs(folder: str) -> None:
    """Three jobs, one after the other."""
    async with Pool("tests.workers.jobs", PoolLimits()) as pool:
        for _ in range(3):
            async with pool.worker({"job": "echo"}, folder=Path(folder)) as worker:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_fill, worker)
                    size = 0
                    while block := await worker.read():
                        size += len(block)
                assert size == 4 << 20
                assert [message["type"] async for message in worker.messages()] == ["begun", "done"]
    print("3 jobs")


async def _fill(worker: Worker) -> None:
    for _ in range(4):
        await worker.write(bytes(1 << 20))
    worker.end_input()


if __name__ == "__main__":
    anyio.run(serve, sys.argv[1])
