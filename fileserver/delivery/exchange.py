"""One transform between its client and its worker: what ends it, who waits for whom, what its job tells afterwards."""

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import anyio
import anyio.to_thread

from fileserver.delivery.asgi import ClientLeft, HeaderLines, Message, Receive, Send, end, more, start
from fileserver.delivery.spill import Spill, SpillFull
from fileserver.delivery.table_sources import Source, Table, joined_files
from fileserver.delivery.together import together
from fileserver.delivery.workshop import Keep, Work, Workshop, saved
from fileserver.jobs import Json, OpenJob, State
from fileserver.tables import Asked, Counts, PlanFault, TableFault
from fileserver.workers import QueueFull
from storage import (
    Condition,
    DigestMismatch,
    Entry,
    IsFolder,
    Key,
    Library,
    NoSpace,
    NotFound,
    PreconditionFailed,
    StorageError,
    TooLarge,
)

Way: TypeAlias = Literal["stream", "whole", "store"]
"""How output leaves: to the client as it comes, to the client when all is there, or into the library."""

_SMALL_HASH = 64 * 1024  # bytes that take less time to hash than a thread takes to wake


class JobCancelled(Exception):
    """Somebody wanted the job to end."""


class TransformFailed(Exception):
    """A transform that has sent nothing yet has failed of `cause`; the job of this id tells more."""

    def __init__(self, cause: Exception, job_id: str) -> None:
        super().__init__(job_id)
        self.cause = cause
        self.job_id = job_id


@dataclass(frozen=True, slots=True)
class TransformRequest:
    """What is asked of a transform.

    `joins` are the keys of other tables by the names that a worker knows them by; `name` is that of the table, where it
    has one; `download` has a browser save the answer, under this name if it is not empty; `keep` stores what comes;
    `on_end` is told how the job ended; `told` is what the job says it works on.
    """

    asked: Asked
    source: Source
    joins: Mapping[str, Key]
    owner: str
    job_href: Callable[[str], str]
    on_end: Callable[[str, Counts], None]
    content_encoding: str = ""
    name: str | None = None
    download: str | None = None
    keep: Keep | None = None
    told: Mapping[str, Json] = field(default_factory=dict)


class Exchange:
    """One transform in progress."""

    def __init__(
        self, workshop: Workshop, request: TransformRequest, way: Way, job: OpenJob, table: Table, spill: Spill
    ) -> None:
        self.request = request
        self.job = job
        self.spill = spill
        self.work = Work(workshop, job, table, keep=request.keep)
        self.digest = hashlib.sha256() if way == "whole" else None
        """Of all the output, where it is held."""
        self.is_read = False
        """Whether the client has sent all it had to send: only then does it surely read."""
        self.has_started = False
        self._workshop = workshop
        self._way = way
        self._ahead = table.ahead
        self._is_live = table.descriptor is None
        self._is_fed = anyio.Event()
        self._is_ending = False

    @property
    def input_size(self) -> int:
        """Bytes of the table, as far as it has come."""
        return self.work.fed_size if self._is_live else self.job.record.bytes_total or 0

    async def start(self, send: Send, headers: HeaderLines, *, status: int = 200) -> None:
        """Send the head of the answer."""
        self.has_started = True
        await start(_telling(send), status, headers)

    async def more(self, send: Send, chunk: bytes) -> None:
        """Send a piece of the answer."""
        await more(_telling(send), chunk)

    async def end(self, send: Send, chunk: bytes = b"") -> None:
        """Send its last piece."""
        self._is_ending = True  # from now on the server may say that the client left: the exchange is over
        await end(_telling(send), chunk)

    async def output(self) -> AsyncGenerator[bytes, None]:
        """What the transform makes. It ends only when all went well."""
        while (chunk := await self.spill.take()) is not None:
            yield chunk

    async def make_output(self, files: Mapping[str, int]) -> None:
        """Have a worker do the work. Raises what `Work.run` raises, and SpillFull."""
        if not self._is_live:
            self._on_fed(True)  # before it has its turn: who waits may leave
        plan, encoding = self.request.asked.plan, self.request.content_encoding
        spec = self._workshop.spec("transform", plan, is_live=self._is_live, content_encoding=encoding)
        await self.work.run(spec, files, self._put, self._on_fed)
        self.spill.end()

    async def watch(self, receive: Receive) -> None:
        """Throw away what still comes of a table that is not wanted further. Raises ClientLeft when the client does."""
        await self._is_fed.wait()
        receive = receive if self._ahead is None else self._ahead.receive
        while (message := await receive())["type"] != "http.disconnect":
            self.is_read = self.is_read or not message.get("more_body", False)
        if not self._is_ending:
            raise ClientLeft

    async def until_unwanted(self) -> None:
        """Tell of the job. Raises JobCancelled when somebody wants it to end."""
        await self.job.until_unwanted()
        raise JobCancelled

    async def _put(self, chunk: bytes) -> None:
        if self.digest is not None:
            if len(chunk) > _SMALL_HASH:
                await anyio.to_thread.run_sync(self.digest.update, chunk)
            else:
                self.digest.update(chunk)
        await self.spill.put(chunk)
        if self._way == "store" or (self._way == "stream" and self.is_read):
            await self.spill.has_room()

    def _on_fed(self, is_all_read: bool) -> None:
        self.is_read = self.is_read or is_all_read
        self._is_fed.set()


Finish: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""Answers with the output of an exchange."""


async def exchanged(
    workshop: Workshop, library: Library, request: TransformRequest, way: Way, receive: Receive, finish: Finish
) -> None:
    """Run a transform, and let `finish` answer with its output.

    Raises TransformFailed, QueueFull and what the source and the library raise; once the answer has begun, whatever
    ended it. A client that leaves ends it all, at once.
    """
    async with request.source(receive) as table, workshop.jobs.begin(request.owner, asked=request.told) as job:
        try:
            await exchanged_as(
                job,
                table,
                workshop=workshop,
                library=library,
                request=request,
                way=way,
                receive=receive,
                finish=finish,
            )
        except QueueFull:
            job.forget()
            raise


async def exchanged_as(
    job: OpenJob,
    table: Table,
    *,
    workshop: Workshop,
    library: Library,
    request: TransformRequest,
    way: Way,
    receive: Receive,
    finish: Finish,
) -> None:
    """As `exchanged`, as a job and with a table that are there."""
    job.set_total(table.size)
    async with Spill(job.folder, workshop.spill) as spill:
        exchange = Exchange(workshop, request, way, job, table, spill)
        try:
            async with joined_files(library, request.joins, job.folder) as files:
                await together(
                    lambda: exchange.make_output(files),
                    lambda: finish(exchange),
                    meanwhile=(lambda: exchange.watch(receive), exchange.until_unwanted),
                )
        except Exception as error:  # of any kind: the job tells of it, whoever knows its words answers
            await _fail(exchange, error)
            raise
        finally:
            if job.record.state != "waiting":  # else nothing was done
                request.on_end(job.record.state, exchange.work.counts)


async def stored_output(
    exchange: Exchange, library: Library, key: Key, *, condition: Condition, max_size: int | None
) -> Entry:
    """Store what the transform makes, which ends the job. Raises what `Library.receive` and `commit` do."""
    async with (
        aclosing(exchange.output()) as output,
        library.receive(output, length=None, max_size=max_size, digests={}) as received,
    ):
        entry, _ = await library.commit(received, key, condition=condition)
    exchange.job.add_saved(saved(entry))
    await exchange.job.end("done")
    return entry


async def _fail(exchange: Exchange, error: Exception) -> None:
    """Have the job tell why it failed. Raises TransformFailed where the client can still be told too."""
    if isinstance(error, QueueFull):
        return
    if isinstance(error, PlanFault):
        error = exchange.request.asked.as_asked(error)
    await exchange.job.end(*ending_of(error))
    if isinstance(error, JobCancelled | TableFault | SpillFull) and not exchange.has_started:
        raise TransformFailed(error, exchange.job.id) from error


def ending_of(error: Exception) -> tuple[State, Mapping[str, Json]]:
    """How a job ends that met an error, and what it says: nobody may be there who could be told otherwise."""
    match error:
        case ClientLeft():
            return "cancelled", _fault("client-left", "the client left before the end")
        case JobCancelled():
            return "cancelled", _fault("cancelled", "the job was cancelled")
        case TableFault():
            return "failed", error.as_message()
        case _:
            return "failed", _told_of(error)


def _told_of(error: Exception) -> Mapping[str, Json]:
    match error:
        case SpillFull():
            return _fault("no-space", "the output took more disk than it may")
        case DigestMismatch():
            return _fault("digest-mismatch", "the table that came is not the one that its digest promised")
        case PreconditionFailed(key=key):
            return _fault("precondition-failed", f"what is stored under {key} is not what the request expects")
        case NotFound(key=key) | IsFolder(key=key):
            return _fault("not-found", f"no file is stored under {key}")
        case TooLarge(max_size=max_size):
            return _fault("too-large", f"files up to {max_size} bytes are stored")
        case NoSpace():
            return _fault("no-space", "the disk has no room for this")
        case StorageError():
            return _fault("storage-unavailable", f"the storage failed ({type(error).__name__})")
        case _:
            return _fault("not-carried-out", f"the request could not be carried out ({type(error).__name__})")


def _fault(code: str, reason: str) -> Mapping[str, Json]:
    return {"code": code, "reason": reason}


def _telling(send: Send) -> Send:
    """Raises ClientLeft where servers of specification 2.4 say by an OSError that the client is gone."""

    async def sent(message: Message) -> None:
        try:
            await send(message)
        except OSError as error:
            raise ClientLeft from error

    return sent
