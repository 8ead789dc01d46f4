"""Work that goes on without the client who asked for it: a few jobs at a time, some more waiting, none beyond."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup, TaskStatus

from fileserver.delivery.exchange import JobCancelled, ending_of
from fileserver.delivery.together import together
from fileserver.delivery.verifying import Verify
from fileserver.jobs import Jobs, Json, OpenJob, Record, Work
from fileserver.workers import QueueFull
from storage import Catalogue, Pace, Rereader, Store, Verification

log = logging.getLogger("fileserver.long_work")

AT_ONCE = 2
"""Jobs that one server process works on: each reads a disk from end to end, and more are no faster together."""
MOST_WAITING = 16
"""Jobs that wait for their turn: enough for a person, and a bound to what a script can ask for."""
_AGAIN_S = 0.5
_SERVER_STOPPED: Mapping[str, Json] = {"code": "server-stopped", "reason": "the server was told to stop"}

READ_AT_ONCE = 2
"""Files that one job reads at a time: while one is opened another is read."""

Task: TypeAlias = Callable[[OpenJob], Awaitable[None]]


class TooManyJobs(Exception):
    """As many jobs wait for their turn as may, or the server stops."""


@dataclass(frozen=True, slots=True, eq=False)  # two who want the same are two
class Errand:
    """What is to be done: the kind of work, on what (as the job's record tells it), for whom, and the task itself."""

    work: Work
    asked: Mapping[str, Json]
    owner: str
    task: Task


class LongWork:
    """The jobs that go on by themselves while `run` does. `verify` makes what those need that read files."""

    def __init__(self, jobs: Jobs, verify: Verify, *, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING) -> None:
        self.verify = verify
        self._jobs = jobs
        self._turns = anyio.Semaphore(at_once)
        self._most = at_once + most_waiting
        self._errands = set[Errand]()
        self._tasks: TaskGroup | None = None

    async def run(self, stopping: anyio.Event, *, task_status: TaskStatus[None]) -> None:
        """Carry out what is begun, until the server stops; what is not done then has failed."""
        try:
            async with anyio.create_task_group() as self._tasks:
                task_status.started()
                await stopping.wait()
                self._tasks.cancel_scope.cancel()
        finally:
            self._tasks = None

    async def begin(self, errand: Errand) -> Record:
        """Have a job done in its turn; answers its record. Raises TooManyJobs, NoRoomForJob, OSError."""
        if self._tasks is None or self._tasks.cancel_scope.cancel_called or len(self._errands) >= self._most:
            raise TooManyJobs
        self._errands.add(errand)
        try:
            record: Record = await self._tasks.start(self._run, errand)
        except BaseException:
            self._errands.discard(errand)
            raise
        return record

    async def _run(self, errand: Errand, *, task_status: TaskStatus[Record]) -> None:
        has_begun = False
        try:
            beginning = self._jobs.begin(errand.owner, work=errand.work, asked=errand.asked, in_background=True)
            async with beginning as job:
                task_status.started(job.record)
                has_begun = True
                await self._carried_out(errand, job)
        except OSError:  # a disk that does not take the last word of one job ends no other
            if not has_begun:
                raise
            log.exception("the record of a job could not be kept")
        finally:
            self._errands.discard(errand)

    async def _carried_out(self, errand: Errand, job: OpenJob) -> None:
        """Do the work, and have the job tell how it ended."""
        try:
            await together(partial(self._in_turn, errand, job), meanwhile=(partial(_until_unwanted, job),))
        except anyio.get_cancelled_exc_class():
            await job.end("failed", _SERVER_STOPPED)
            raise
        except Exception as error:  # of any kind: one job's failure ends no other
            state, fault = ending_of(error)
            if fault["code"] == "not-carried-out":
                log.exception("a job has failed")
            await job.end(state, fault)
        else:
            await job.end("done")

    async def _in_turn(self, errand: Errand, job: OpenJob) -> None:
        async with self._turns:
            await errand.task(job)


@asynccontextmanager
async def long_work(jobs: Jobs, store: Store, catalogue: Catalogue, stopping: anyio.Event) -> AsyncIterator[LongWork]:
    """Long work on a library for the length of the block, or until `stopping`."""
    rereader = Rereader(Pace(), threads=AT_ONCE * READ_AT_ONCE)
    work = LongWork(jobs, partial(Verification, store, catalogue, rereader, parallel=READ_AT_ONCE))
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(work.run, stopping)
            yield work
            tasks.cancel_scope.cancel()
    finally:
        rereader.close()


async def when_a_worker_is_free(part: Callable[[], Awaitable[None]]) -> None:
    """Do what needs a worker as soon as one can be had: those who wait for an answer go first."""
    while True:
        try:
            return await part()
        except QueueFull:
            await anyio.sleep(_AGAIN_S)  # polled: the pool wakes those alone who may wait in it


async def _until_unwanted(job: OpenJob) -> None:
    await job.until_unwanted()
    raise JobCancelled
