"""A table on its way through a worker: bytes in, bytes out, and what the worker tells of it."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal, TypeAlias

import anyio

from fileserver.delivery.disk_cache import DiskCache
from fileserver.delivery.table_sources import Table
from fileserver.delivery.together import together
from fileserver.delivery.upload import Promise
from fileserver.jobs import Jobs, Json, OpenJob
from fileserver.tables import Counts, EngineFailed, OutOfMemory, OutOfTime, Plan, TableFault, fault_of
from fileserver.workers import Pool, Worker, WorkerDied, WorkerEnd, WorkerGone
from storage import Condition, Entry, Key, Library

log = logging.getLogger("fileserver.workshop")

THREADS = 2
"""Of each worker: DuckDB's third one gains nothing while a single stream feeds them."""
REJECTS_SIZE = 64 << 20
"""Bytes of rejected rows that one job keeps."""

Kind: TypeAlias = Literal["transform", "profile", "slice"]
Out: TypeAlias = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class Workshop:
    """Where tables are worked on: worker processes, records of what they do, and what each may use (bytes).

    `cache` is what was learned of tables. `missing` are the layers of the sandbox that this machine does not have; they
    are known when the server has started.
    """

    pool: Pool
    jobs: Jobs
    memory: int
    spill: int
    cache: DiskCache
    missing: frozenset[str] = frozenset()

    def spec(self, kind: Kind, plan: Plan, *, is_live: bool, content_encoding: str = "") -> dict[str, Any]:
        """What a worker is told of its job."""
        return {
            "kind": kind,
            "plan": plan.model_dump(mode="json"),
            "is_live": is_live,
            "content_encoding": content_encoding,
            "memory": self.memory,
            "spill": self.spill,
            "threads": THREADS,
            "rejects_size": REJECTS_SIZE,
        }


@dataclass(frozen=True, slots=True)
class Keep:
    """The table that comes is stored as well, if all goes well: where, and what the client promised of its bytes."""

    library: Library
    key: Key
    condition: Condition
    promise: Promise


class Work:
    """One table in one worker."""

    def __init__(self, workshop: Workshop, job: OpenJob, table: Table, *, keep: Keep | None = None) -> None:
        self._pool = workshop.pool
        self._job = job
        self._table = table
        self._keep = keep
        self._is_through = anyio.Event()
        self._is_wanted = True
        self.has_begun = anyio.Event()
        """Set when the worker has said how it understands the table, or that it does not."""
        self.begun: Mapping[str, Any] = {}
        self.counts = Counts()
        self.fed_size = 0
        """Bytes of the table that came, where it has no descriptor."""

    async def run(
        self, spec: Mapping[str, Any], files: Mapping[str, int], out: Out, on_fed: Callable[[bool], None]
    ) -> None:
        """Give the table to a worker and its output to `out`; returns when all is done and what is kept is stored.

        `on_fed` is called when no more of the table is wanted, at last with False, and with True when it has all been
        read. Raises TableFault of every kind, QueueFull, what the table's chunks raise, and what `out` and the library
        raise.
        """
        files = {**files, "rejects": self._job.rejects}
        ahead = self._table.ahead
        running = partial(self._run, spec, files, out, on_fed)
        try:
            await together(running, meanwhile=() if ahead is None else (ahead.keep,))
        except WorkerDied as error:  # before it had the job
            raise _fault_of_end(error.end) from error

    async def _run(
        self, spec: Mapping[str, Any], files: Mapping[str, int], out: Out, on_fed: Callable[[bool], None]
    ) -> None:
        async with self._pool.worker(spec, files, folder=self._job.work, input=self._table.descriptor) as worker:
            if self._table.ahead is not None:
                await self._table.ahead.stop()
            feed, convert = partial(self._feed, worker, on_fed), partial(self._convert, worker, out)
            if self._keep is None and not self._table.is_checked:
                await together(convert, meanwhile=(feed,))  # who has enough does not wait for what a slow client sends
                on_fed(False)
            else:
                await together(feed, convert)

    async def _feed(self, worker: Worker, on_fed: Callable[[bool], None]) -> None:
        if self._table.chunks is None:
            on_fed(True)
        elif self._keep is None:
            on_fed(await self._fed(self._table.chunks, worker))
        else:
            await self._feed_and_keep(worker, self._table.chunks, self._keep, on_fed)

    async def _feed_and_keep(
        self, worker: Worker, chunks: AsyncGenerator[bytes, None], keep: Keep, on_fed: Callable[[bool], None]
    ) -> None:
        promise = keep.promise
        async with aclosing(self._passing(chunks, worker)) as passing:
            receiving = keep.library.receive(
                passing, length=promise.length, max_size=promise.max_size, digests=promise.digests
            )
            async with receiving as received:
                worker.end_input()
                on_fed(True)
                await self._is_through.wait()
                entry, _ = await keep.library.commit(received, keep.key, condition=keep.condition)
        self._job.add_saved(saved(entry))

    async def _fed(self, chunks: AsyncGenerator[bytes, None], worker: Worker) -> bool:
        """Whether the table was read to its end: a worker that has its limit wants no more."""
        async with aclosing(self._passing(chunks, worker)) as passing:
            async for _ in passing:
                if not self._is_wanted and not self._table.is_checked:
                    return False
        worker.end_input()
        return True

    async def _passing(self, chunks: AsyncGenerator[bytes, None], worker: Worker) -> AsyncGenerator[bytes, None]:
        """The chunks, each after the worker has it, for as long as it wants them."""
        async for chunk in chunks:
            self.fed_size += len(chunk)
            if self._is_wanted:
                try:
                    await worker.write(chunk)
                except WorkerGone:
                    self._is_wanted = False
            yield chunk

    async def _convert(self, worker: Worker, out: Out) -> None:
        await together(partial(self._take, worker, out), partial(self._listen, worker))
        self._is_through.set()

    async def _take(self, worker: Worker, out: Out) -> None:
        while chunk := await worker.read():
            self._job.add_output(len(chunk))
            await out(chunk)

    async def _listen(self, worker: Worker) -> None:
        try:
            async with aclosing(_messages(worker)) as messages:
                async for message in messages:
                    if self._heard(message):
                        return
        finally:
            self.has_begun.set()
        raise _fault_of_end(await worker.wait())

    def _heard(self, message: Mapping[str, Any]) -> bool:
        """Note what the worker says; whether it was the last word. Raises TableFault."""
        match message["type"]:
            case "begun":
                self.begun = {name: value for name, value in message.items() if name != "type"}
                self._job.begin(self.begun)
                self.has_begun.set()
            case "progress" | "done":
                self._count(message)
            case "failed":
                self._count(message.get("counts") or {})
                raise fault_of({name: value for name, value in message.items() if name not in ("type", "counts")})
        return bool(message["type"] == "done")

    def _count(self, message: Mapping[str, Any]) -> None:
        told = {each.name: message[each.name] for each in fields(Counts) if each.name in message}
        self.counts = Counts(**told)
        self._job.count(told)
        if self.counts.bytes_in:
            self._job.set_done(self.counts.bytes_in)


def saved(entry: Entry) -> Mapping[str, Json]:
    """A stored file, as the record of a job tells of it."""
    sha256 = None if entry.sha256 is None else entry.sha256.hex()
    return {"key": entry.key, "size": entry.size, "etag": entry.etag, "sha256": sha256}


async def _messages(worker: Worker) -> AsyncGenerator[dict[str, Any], None]:
    """What the worker says until it has ended, however that comes."""
    messages: AsyncIterator[dict[str, Any]] = worker.messages()
    try:
        async for message in messages:
            yield message
    except WorkerDied:
        return


def _fault_of_end(end: WorkerEnd) -> TableFault:
    """Why a worker ended without a last word."""
    match end.reason:
        case "memory":
            return OutOfMemory("the transform needs more memory than it may have")
        case "time" | "cpu":
            return OutOfTime("the transform takes longer than it may")
        case _:
            words = end.words.encode("unicode_escape").decode("ascii")  # a table's own text may be among them
            log.error("a worker has %s (exit code %s, signal %s): %s", end.reason, end.exit_code, end.signal, words)
            return EngineFailed("the worker ended before its work did")
