"""Processes to run jobs in: forked ahead of need, replaced when they die, buried for certain."""

from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

import anyio
import anyio.abc

from fileserver.workers.endings import WorkerDied
from fileserver.workers.forking import Zygote
from fileserver.workers.limits import PoolLimits
from fileserver.workers.process import Process

_BIRTH_S = 60.0  # the zygote loads its libraries first: a second, or many on a machine that is busy


class Nursery:
    """Has a zygote from the first process on, and a new one when that dies. To be entered and left in one task."""

    def __init__(self, entry: str, limits: PoolLimits) -> None:
        self._entry = entry
        self._limits = limits
        self._tasks: anyio.abc.TaskGroup | None = None
        self._zygote: Zygote | None = None
        self._warm: deque[Process] = deque()

    async def __aenter__(self) -> "Nursery":
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the zygote and all that it forked, and wait until they are gone."""
        tasks = self._running
        self._tasks = None
        tasks.cancel_scope.cancel()
        try:
            await tasks.__aexit__(None, None, None)  # without the error, which would come out in a group
        finally:
            while self._warm:
                self._warm.popleft().close()

    @property
    def zygote_pid(self) -> int | None:
        """The process that forks; None when none runs."""
        return self._zygote.pid if self._zygote and self._zygote.is_alive else None

    async def take(self) -> Process:
        """A process that waits for its job, warm or new. The caller buries it. WorkerDied when none can be had."""
        while self._warm:
            process = self._warm.popleft()
            if await self._is_born(process):
                return process
        process = await self._fork()
        if await self._is_born(process):
            return process
        process = await self._fork()  # the zygote died over it
        if await self._is_born(process):
            return process
        raise WorkerDied(process.end)

    async def breed(self) -> None:
        """Have as many processes forked ahead as the limits say."""
        while len(self._warm) < self._limits.warm:
            self._warm.append(await self._fork())

    def start(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have something done until all is over."""
        self._running.start_soon(task)

    def watch(self, process: Process) -> None:
        """Kill it when its time is over, which begins now."""
        self._running.start_soon(self._watch, process)

    async def bury(self, process: Process) -> None:
        """Kill it if it lives; it is dead when this returns, also when this is cancelled.

        A task's own `cancel` (asyncio's) breaks through every shield: then it is dying, and closed all the same.
        """
        process.kill("killed")
        try:
            with anyio.CancelScope(shield=True):
                await self._dead(process)
        finally:
            process.close()

    async def _dead(self, process: Process) -> None:
        with anyio.move_on_after(self._limits.burial_s):
            await process.has_ended.wait()
        if self._zygote and not process.has_ended.is_set():
            self._zygote.kill()  # it tells nothing any more
        await process.has_ended.wait()

    @property
    def _running(self) -> anyio.abc.TaskGroup:
        if self._tasks is None:
            raise RuntimeError("the pool is not open")
        return self._tasks

    async def _is_born(self, process: Process) -> bool:
        is_usable = False
        try:
            with anyio.move_on_after(_BIRTH_S):
                await process.is_born.wait()
                is_usable = self.zygote_pid is not None and process.is_alive
        finally:
            if not is_usable:
                await self.bury(process)
        return is_usable

    async def _fork(self) -> Process:
        try:
            return await self._living_zygote().fork(self._limits)
        except ConnectionError:  # it died just now
            return await self._living_zygote().fork(self._limits)

    def _living_zygote(self) -> Zygote:
        tasks = self._running
        if self._zygote is None or not self._zygote.is_alive:
            self._zygote = Zygote.start(self._entry)
            tasks.start_soon(self._zygote.listen)
        return self._zygote

    async def _watch(self, process: Process) -> None:
        with anyio.move_on_after(self._limits.wall_s):
            await process.has_ended.wait()
        if not process.has_ended.is_set():
            process.kill("time")
            await self._dead(process)  # or whoever waits for its end would wait for a zygote that hangs
