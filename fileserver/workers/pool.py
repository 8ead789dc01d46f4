"""Workers for jobs: a place, a process that is warm already, and an end that is certain."""

import fcntl
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio

from fileserver.workers import wire
from fileserver.workers.endings import QueueFull
from fileserver.workers.limits import PoolLimits
from fileserver.workers.nursery import Nursery
from fileserver.workers.process import Process
from fileserver.workers.worker import Pipes, Worker

_PIPE_SIZE = 1 << 20


class Pool:
    """Runs jobs of the module `entry` (see `child.Entry`), each in a process of its own.

    Nothing is started before the first job. To be entered and left in one task.
    """

    def __init__(self, entry: str, limits: PoolLimits) -> None:
        self._limits = limits
        self._places = anyio.Semaphore(limits.jobs)
        self.nursery = Nursery(entry, limits)

    async def __aenter__(self) -> "Pool":
        await self.nursery.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill all workers and the zygote, and wait until they are gone."""
        await self.nursery.__aexit__(kind, error, trace)

    @property
    def zygote_pid(self) -> int | None:
        """The process that workers are forked from; None when none runs."""
        return self.nursery.zygote_pid

    @asynccontextmanager
    async def worker(
        self,
        spec: Mapping[str, Any],
        files: Mapping[str, int] | None = None,
        *,
        folder: Path,
        input: int | None = None,  # noqa: A002 - the word for it everywhere else
    ) -> AsyncIterator[Worker]:
        """A worker that has the job, and is dead and buried when the context ends, however it ends.

        `files` and `input` are descriptors that stay the caller's; `input` is a file to read the table from, without it
        the caller fills a pipe by `Worker.write`. `folder` is an empty folder for this job alone, where the worker may
        write. QueueFull when too many wait for a place; WorkerDied when none can be had.
        """
        async with self.place(), self._process() as process:
            with _pipes(input) as pipes:
                descriptors = {"<input>": pipes.far_input, "<output>": pipes.far_output, **(files or {})}
                try:
                    await send_job(process.control, spec, descriptors, folder, is_last=True)
                finally:
                    pipes.close_far()
                yield Worker(process, pipes, self._limits.stall_s)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places to run a job in. QueueFull when too many wait for one."""
        if self._places.value == 0 and self._places.statistics().tasks_waiting >= self._limits.queue:
            raise QueueFull
        async with self._places:
            yield

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Process]:
        process = await self.nursery.take()
        try:
            self.nursery.watch(process)
            await self.nursery.breed()
            yield process
        finally:
            await self.nursery.bury(process)


@contextmanager
def _pipes(given: int | None) -> Iterator[Pipes]:
    """Both pipes; the input's only when no descriptor was given to read from."""
    pipes = Pipes()
    try:
        pipes.output, pipes.far_output = _pipe()
        os.set_blocking(pipes.output, False)
        if given is None:
            pipes.far_input, pipes.input = _pipe()
            os.set_blocking(pipes.input, False)
        else:
            pipes.far_input = os.dup(given)
        yield pipes
    finally:
        pipes.close()


def _pipe() -> tuple[int, int]:
    read, write = os.pipe2(os.O_CLOEXEC)
    with suppress(OSError):  # the user has too much in pipes already: 64 KiB work as well
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    return read, write


async def send_job(
    control: socket.socket, spec: Mapping[str, Any], descriptors: Mapping[str, int], folder: Path, *, is_last: bool
) -> None:
    """Give a worker a job; one that is not its last has it wait for the next in the same folder."""
    told = {"spec": spec, "names": list(descriptors), "folder": os.fspath(folder), "is_last": is_last}
    job = memoryview(wire.line(told))
    beside = list(descriptors.values())
    while job:
        try:
            sent = socket.send_fds(control, [job], beside)
        except BlockingIOError:
            await anyio.wait_writable(control)
        except ConnectionError:  # it died already, which its end will tell
            return
        else:
            job, beside = job[sent:], []
