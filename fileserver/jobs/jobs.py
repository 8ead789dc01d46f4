"""All jobs of one server, whichever of its processes has them."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import anyio
import anyio.to_thread

from fileserver.jobs import folders
from fileserver.jobs.record import TICK_S, Json, NoSuchJob, Record, State, Work
from fileserver.jobs.reports import Report, Reports, report_safely, unreported

TELL_S = 0.5
"""How old what others see of a running job may be."""
BUDGET = 1 << 30
"""Bytes that the rejects of jobs that are over may have together."""
MOST = 10_000
"""Jobs that are over and are kept: a sweep looks at each, and so do those who list the folder."""
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
T = TypeVar("T")
_NOTHING: Mapping[str, Json] = {}
_CUT_OFF: Mapping[str, Json] = {"code": "cut-off", "reason": "the request was cut off: its server was told to stop"}


class OpenJob:
    """A job in the hands of its owner. What is told of it here is seen by others a little later."""

    def __init__(self, path: Path, record: Record, open_files: folders.Descriptors, reports: Reports) -> None:
        self.record = record
        self._reports = reports
        self._path = path
        self._open_files = open_files
        self._told = record
        self._is_forgotten = False
        self._telling = Lock()  # two threads may: the last word has to stay

    @property
    def id(self) -> str:
        """Its name, which nobody can guess."""
        return self.record.id

    @property
    def folder(self) -> Path:
        """Where its owner may keep files of its own."""
        return self._path

    @property
    def work(self) -> Path:
        """An empty folder for the worker alone; it is gone when the job ends."""
        return self._path / folders.WORK

    @property
    def rejects(self) -> int:
        """The descriptor that rejected rows are appended to."""
        return self._open_files.rejects

    def begin(self, begun: Mapping[str, Json]) -> None:
        """Say that the work has begun, and how its input was understood, as soon as that is known."""
        begun_at = self.record.begun_at or time.time()
        self._change(replace(self.record, state="running", begun=begun, begun_at=begun_at))

    def count(self, counts: Mapping[str, Json]) -> None:
        """Say how far the work is."""
        self._change(replace(self.record, counts=counts))

    def add_done(self, size: int) -> None:
        """Count bytes that were read."""
        self.set_done(self.record.bytes_done + size)

    def set_done(self, size: int) -> None:
        """Say how many bytes are read."""
        self._change(replace(self.record, bytes_done=size))

    def add_output(self, size: int) -> None:
        """Count bytes that came out."""
        self._change(replace(self.record, bytes_out=self.record.bytes_out + size))

    def set_total(self, size: int | None) -> None:
        """Say how many bytes there are to read, where that is known."""
        self._change(replace(self.record, bytes_total=size))

    def add_saved(self, saved: Mapping[str, Json]) -> None:
        """Name a file that the job has left in the library."""
        self._change(replace(self.record, saved=(*self.record.saved, saved)))

    async def end(self, state: State, fault: Mapping[str, Json] | None = None) -> None:
        """Say how the job ended, at once. The first word counts."""
        if not self.record.is_over:
            self._end(state, fault)
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._tell)
                await self._reports.end(self.record)

    async def until_unwanted(self) -> None:
        """Let others know what is told here, until one of them wants the job to end."""
        await self._reports.tell(self.record)
        is_unwanted = False
        while not is_unwanted:
            await anyio.sleep(TELL_S)
            is_unwanted = await anyio.to_thread.run_sync(self._tell)
            await self._reports.tell(self.record)

    def forget(self) -> None:
        """Have nothing of the job left when it ends: it was none."""
        self._is_forgotten = True

    async def close(self) -> None:
        """Let go of the job; one that was not ended was cut off: of a client that leaves its owner knows."""
        if not self.record.is_over:
            self._end("cancelled", _CUT_OFF)
        ending = partial(folders.end, self._path, self.record, self._open_files, is_forgotten=self._is_forgotten)
        with anyio.CancelScope(shield=True):
            await asyncio.shield(_begun(ending))
            if not self._is_forgotten:
                await self._reports.end(self.record)

    def _end(self, state: State, fault: Mapping[str, Json] | None) -> None:
        changed_at = max(time.time(), self._told.changed_at + TICK_S)
        self.record = replace(self.record, state=state, fault=fault, changed_at=changed_at)

    def _change(self, record: Record) -> None:
        if not self.record.is_over:  # a thread may still count what it had begun to read
            self.record = replace(record, changed_at=time.time())

    def _tell(self) -> bool:
        """Write what is new; whether somebody wants the job to end."""
        with self._telling, suppress(OSError):  # what others see stays old while the disk is full
            record = self.record
            if record is not self._told:
                folders.write(self._path, record)
                self._told = record
            return folders.is_unwanted(self._path)
        return False


class Jobs:
    """Jobs in folders below one. Of those that ended `most` are kept, for `lifetime_s` and within `budget` (bytes).

    `report` is told of those that last (see `Reports`).
    """

    def __init__(
        self,
        folder: Path,
        lifetime_s: float,
        *,
        budget: int = BUDGET,
        most: int = MOST,
        report: Report = unreported,
    ) -> None:
        self._folder = folder
        self._lifetime_s = lifetime_s
        self._budget = budget
        self._most = most
        self._report = report

    @asynccontextmanager
    async def begin(
        self,
        owner: str,
        *,
        work: Work = "transform",
        asked: Mapping[str, Json] = _NOTHING,
        in_background: bool = False,
    ) -> AsyncIterator[OpenJob]:
        """A new job, for the length of the block. Its record stays, its work folder does not.

        Raises NoRoomForJob, OSError.
        """
        now = time.time()
        record = Record(secrets.token_urlsafe(16), owner, "waiting", now, now, work=work, asked=asked)
        path = self._folder / record.id
        reports = Reports(self._report, in_background=in_background)
        job = OpenJob(path, record, await _created(path, record), reports)
        try:
            yield job
        finally:
            await job.close()

    async def find(self, job_id: str, owner: str) -> Record:
        """A job as its owner told last. Raises NoSuchJob."""
        record = await anyio.to_thread.run_sync(folders.read, self._path(job_id))
        if record.owner != owner:
            raise NoSuchJob
        return record

    async def cancel(self, job_id: str, owner: str) -> Record:
        """Have a job ended soon; one that is over is forgotten. The record as it was. Raises NoSuchJob."""
        record = await self.find(job_id, owner)
        change = folders.remove if record.is_over else folders.ask_to_cancel
        await anyio.to_thread.run_sync(change, self._path(job_id))
        return record

    async def rejects(self, job_id: str, owner: str) -> Path:
        """The file with the rows that a transform rejected so far: a JSON object a line. Raises NoSuchJob."""
        return await self._lines(job_id, owner, "transform")

    async def findings(self, job_id: str, owner: str) -> Path:
        """The file with what a verification found so far: a JSON object a line. Raises NoSuchJob."""
        return await self._lines(job_id, owner, "verify")

    async def sweep(self) -> None:
        """Forget the jobs whose time is over, and tell of those whose process died."""
        sweeping = partial(folders.sweep, self._folder, self._lifetime_s, self._budget, self._most)
        for record in await anyio.to_thread.run_sync(sweeping):
            await report_safely(self._report, record)

    async def _lines(self, job_id: str, owner: str, work: Work) -> Path:
        if (await self.find(job_id, owner)).work != work:
            raise NoSuchJob
        return self._path(job_id) / folders.REJECTS

    def _path(self, job_id: str) -> Path:
        if _ID.fullmatch(job_id) is None:
            raise NoSuchJob
        return self._folder / job_id


async def _created(path: Path, record: Record) -> folders.Descriptors:
    """What `folders.create` opens. Whoever is cancelled meanwhile leaves nothing: the thread cannot be."""
    creating = _begun(partial(folders.create, path, record))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        creating.add_done_callback(partial(_undo, path))
        raise


def _begun(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Work in a thread that begins now: anyio's begin at an await, which a cancellation may hit."""
    return asyncio.get_running_loop().run_in_executor(None, work)


def _undo(path: Path, created: "asyncio.Future[folders.Descriptors]") -> None:
    if created.exception() is None:
        created.result().close()
        folders.remove(path)
