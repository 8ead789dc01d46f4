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
from fileserver.jobs.record import Json, NoSuchJob, Record, State

TELL_S = 0.5
"""How old what others see of a running job may be."""
BUDGET = 1 << 30
"""Bytes that the rejects of jobs that are over may have together."""
MOST = 10_000
"""Jobs that are over and are kept: a sweep looks at each, and so do those who list the folder."""
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
T = TypeVar("T")
_CUT_OFF: Mapping[str, Json] = {"code": "cut-off", "reason": "the request was cut off: its server was told to stop"}


class OpenJob:
    """A job in the hands of its owner. What is told of it here is seen by others a little later."""

    def __init__(self, path: Path, record: Record, open_files: folders.Descriptors) -> None:
        self.record = record
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
        """Say that the work has begun, and how its input was understood."""
        self._change(replace(self.record, state="running", begun=begun))

    def count(self, counts: Mapping[str, Json]) -> None:
        """Say how far the work is."""
        self._change(replace(self.record, counts=counts))

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
            self._change(replace(self.record, state=state, fault=fault))
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._tell)

    async def until_unwanted(self) -> None:
        """Let others know what is told here, until one of them wants the job to end."""
        is_unwanted = False
        while not is_unwanted:
            await anyio.sleep(TELL_S)
            is_unwanted = await anyio.to_thread.run_sync(self._tell)

    def forget(self) -> None:
        """Have nothing of the job left when it ends: it was none."""
        self._is_forgotten = True

    async def close(self) -> None:
        """Let go of the job; one that was not ended was cut off: of a client that leaves its owner knows."""
        if not self.record.is_over:
            self._change(replace(self.record, state="cancelled", fault=_CUT_OFF))
        ending = partial(folders.end, self._path, self.record, self._open_files, is_forgotten=self._is_forgotten)
        with anyio.CancelScope(shield=True):
            await asyncio.shield(_begun(ending))

    def _change(self, record: Record) -> None:
        self.record = replace(record, changed_at=time.time())

    def _tell(self) -> bool:
        """Write what is new; whether somebody wants the job to end."""
        with self._telling, suppress(OSError):  # what others see stays old while the disk is full
            record = self.record
            if record is not self._told:
                folders.write(self._path, record)
                self._told = record
        return folders.is_unwanted(self._path)


class Jobs:
    """Jobs in folders below one. Of those that ended `most` are kept, for `lifetime_s` and within `budget` (bytes)."""

    def __init__(self, folder: Path, lifetime_s: float, *, budget: int = BUDGET, most: int = MOST) -> None:
        self._folder = folder
        self._lifetime_s = lifetime_s
        self._budget = budget
        self._most = most

    @asynccontextmanager
    async def begin(self, owner: str) -> AsyncIterator[OpenJob]:
        """A new job, for the length of the block. Its record stays, its work folder does not.

        Raises NoRoomForJob, OSError.
        """
        now = time.time()
        record = Record(secrets.token_urlsafe(16), owner, "waiting", now, now)
        path = self._folder / record.id
        job = OpenJob(path, record, await _created(path, record))
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
        """The file with the rejected rows so far: a JSON object a line. Raises NoSuchJob."""
        await self.find(job_id, owner)
        return self._path(job_id) / folders.REJECTS

    async def sweep(self) -> None:
        """Forget the jobs whose time is over."""
        sweeping = partial(folders.sweep, self._folder, self._lifetime_s, self._budget, self._most)
        await anyio.to_thread.run_sync(sweeping)

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
