"""Workers that wait for more of the same: of many small jobs on one file, only the first has to begin a process.

A worker is kept for one `subject` alone, so that what takes it over by one file sees no other. It goes when nobody has
needed it for a moment, when others need the room, when its job failed, or when it has grown.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio

from fileserver.workers.endings import WorkerDied
from fileserver.workers.limits import PoolLimits
from fileserver.workers.pool import Pool, send_job
from fileserver.workers.process import Process
from fileserver.workers.worker import Pipes, Worker

IDLE_S = 10.0
"""A player asks for its next segment within the time that one plays."""
MOST_IDLE = 8

_LARGEST_RSS = 128 << 20
"""Bytes that one may have and be kept; libraries that it shares with the others are 60 MB of them."""
_SHARE_OF_CPU = 2
"""One that has used such a part of its time goes: the limit is for all its jobs together."""


class KeptWorkers:
    """Does the jobs of a module by workers that are kept between jobs, at most `MOST_IDLE` of them idle.

    Those that have been idle for `idle_s` go. Nothing is started before the first job. To be entered and left in one
    task.
    """

    def __init__(self, entry: str, limits: PoolLimits, *, idle_s: float = IDLE_S) -> None:
        self._pool = Pool(entry, limits)
        self._limits = limits
        self._idle_s = idle_s
        self._idle: OrderedDict[str, tuple[Process, float]] = OrderedDict()  # since when (monotonic)
        self._has_idle = anyio.Event()

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        self._pool.nursery.start(self._watch)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill all workers and the process that they are forked from, and wait until they are gone."""
        try:
            await self._dismiss(0.0)
        finally:
            await self._pool.__aexit__(kind, error, trace)

    @property
    def zygote_pid(self) -> int | None:
        """The process that workers are forked from; None when none runs."""
        return self._pool.zygote_pid

    async def do(
        self, subject: str, spec: Mapping[str, Any], files: Mapping[str, int], *, folder: Path
    ) -> Mapping[str, Any]:
        """The last word of the worker on a job, whose `type` is "done" or "failed".

        `files` are descriptors that stay the caller's, `folder` is the same for all jobs. QueueFull when too many wait
        for a place; WorkerDied when it ends without a last word.
        """
        async with self._pool.place():
            process = await self._taken(subject)
            is_fit = False
            try:
                await self._pool.nursery.breed()
                said = await self._said(process, spec, files, folder)
                is_fit = said["type"] == "done" and self._is_fit(process)
            finally:
                if not is_fit:
                    await self._pool.nursery.bury(process)
        if is_fit:
            self._keep(subject, process)
        return said

    async def _taken(self, subject: str) -> Process:
        process, _ = self._idle.pop(subject, (None, 0.0))
        if process is not None and process.is_alive:
            return process
        if process is not None:
            await self._pool.nursery.bury(process)
        return await self._pool.nursery.take()

    async def _said(
        self, process: Process, spec: Mapping[str, Any], files: Mapping[str, int], folder: Path
    ) -> Mapping[str, Any]:
        worker = Worker(process, Pipes(), self._limits.stall_s)
        with anyio.move_on_after(self._limits.wall_s) as deadline:
            await send_job(process.control, spec, files, folder, is_last=False)
            while (said := await worker.next_message()) is not None:
                if said.get("type") in {"done", "failed"}:
                    return said
        if deadline.cancelled_caught:
            process.kill("time")
        with anyio.move_on_after(self._limits.burial_s):
            await process.has_ended.wait()  # by itself, or by that: burying it would give another reason
        await self._pool.nursery.bury(process)
        raise WorkerDied(process.end)

    def _is_fit(self, process: Process) -> bool:
        usage = process.usage()
        return usage.rss <= _LARGEST_RSS and usage.cpu_s * _SHARE_OF_CPU <= self._limits.cpu_s

    def _keep(self, subject: str, process: Process) -> None:
        """Have it wait; whom it takes the room from goes by and by, for nobody's job waits for that."""
        former, _ = self._idle.pop(subject, (None, 0.0))
        self._idle[subject] = process, time.monotonic()
        self._has_idle.set()
        leaving = [] if former is None else [former]
        while len(self._idle) > MOST_IDLE:
            _, (oldest, _) = self._idle.popitem(last=False)
            leaving.append(oldest)
        for each in leaving:
            self._pool.nursery.start(partial(self._pool.nursery.bury, each))

    async def _watch(self) -> None:
        while True:
            await self._has_idle.wait()
            await anyio.sleep(self._idle_s / 4)
            await self._dismiss(self._idle_s)
            if not self._idle:
                self._has_idle = anyio.Event()

    async def _dismiss(self, idle_s: float) -> None:
        """Let those go that have been idle for so long."""
        until_s = time.monotonic() - idle_s
        for subject, (process, since_s) in list(self._idle.items()):
            if since_s <= until_s and self._idle.get(subject, (None, 0.0))[0] is process:
                del self._idle[subject]
                await self._pool.nursery.bury(process)
