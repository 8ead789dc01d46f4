"""A stored table looked at: its profile, or a few of its rows, found by a worker and remembered."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

import anyio

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, start, while_connected
from fileserver.delivery.disk_cache import DiskCache
from fileserver.delivery.table_sources import Table, table_of
from fileserver.delivery.together import together
from fileserver.delivery.workshop import Kind, Work, Workshop
from fileserver.jobs import TELL_S, OpenJob
from fileserver.tables import Plan, TableFault
from storage import Entry, Key, Library, Reader, StorageError

_FORMAT_VERSION = 2
"""Of what is remembered: a server that would find something else has another."""

_PAST_ALL_ROWS = 10**15
"""Where a slice begins that reads a table to its end; no table has so many rows."""

SliceFormat: TypeAlias = Literal["json", "csv", "ndjson"]


@dataclass(frozen=True, slots=True)
class ProfileOf:
    """What is in a table, by its first `rows`, all of them, or (None) as many as are quickly looked at."""

    rows: int | Literal["all"] | None

    kind: ClassVar[Kind] = "profile"

    def terms(self) -> Mapping[str, int | str | None]:
        """What a worker is told of it."""
        return {"rows": self.rows}


@dataclass(frozen=True, slots=True)
class SliceOf:
    """Up to `limit` rows from a row on, counted from 0."""

    offset: int
    limit: int
    format: SliceFormat

    kind: ClassVar[Kind] = "slice"

    def terms(self) -> Mapping[str, int | str | None]:
        """What a worker is told of it."""
        return {"offset": self.offset, "limit": self.limit, "format": self.format}


@dataclass(frozen=True, slots=True)
class TableView:
    """An ASGI application that answers with what is in a stored table.

    Raises NotFound, IsFolder, TableFault of every kind, QueueFull, StorageError. `next_href` is where the rows from one
    on are.
    """

    workshop: Workshop
    library: Library
    key: Key
    owner: str
    plan: Plan
    asked: ProfileOf | SliceOf
    headers: HeaderLines
    next_href: Callable[[int], str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves ends the work for it."""

        async def answering() -> None:
            try:
                content, next_row = await self._found()
            except OSError as error:  # not the client's departure: nothing was sent to it yet
                raise StorageError from error
            link = () if next_row is None else (("link", f'<{self.next_href(next_row)}>; rel="next"'),)  # RFC 8288
            await start(send, 200, (*self.headers, *link, ("content-length", str(len(content)))))
            await end(send, b"" if scope["method"] == "HEAD" else content)

        await while_connected(receive, answering)

    async def _found(self) -> tuple[bytes, int | None]:
        """The answer, and the row to go on with."""
        cache = self.workshop.cache
        async with self.library.open(self.key) as reader:
            name = _name_of(reader.entry, self.plan)
            if isinstance(self.asked, SliceOf):
                return await self._worked_out(cache, f"{name}.rows", reader)
            kept = f"{name}.{self.asked.rows}.profile"
            # all is better than a sample, once somebody has waited for it
            better = await cache.read(f"{name}.all.profile") if self.asked.rows is None else None
            content = better or await cache.read(kept)
            if content is None:
                content, _ = await self._worked_out(cache, f"{name}.rows", reader)
                await cache.write(kept, content)
            return content, None

    async def _worked_out(self, cache: DiskCache, index: str, reader: Reader) -> tuple[bytes, int | None]:
        async with table_of(reader) as table, self.workshop.jobs.begin(self.owner) as job:
            job.forget()  # who asked waits for the answer, and has no other use for it
            view = _View(self.workshop, job, table, self.plan, self.asked)
            content, begun = await view.worked_out(cache, index, reader.entry.size)
        return content, begun.get("next")


@dataclass(eq=False)
class NotIndexed(TableFault):
    """The rows of a table cannot be found by the bytes that they begin on."""

    code: ClassVar[str] = "not-indexed"


async def index_rows(job: OpenJob, workshop: Workshop, library: Library, key: Key, plan: Plan) -> None:
    """Find out where the rows of a stored table are, as slices of it would bit by bit.

    Raises NotFound, IsFolder, TableFault of every kind, QueueFull, StorageError.
    """
    cache = workshop.cache
    async with library.open(key) as reader, table_of(reader) as table:
        size = reader.entry.size
        job.set_total(size)
        job.begin({})
        index = f"{_name_of(reader.entry, plan)}.rows"
        view = _View(workshop, job, table, plan, SliceOf(_PAST_ALL_ROWS, 1, "json"))
        found = dict[str, Any]()

        async def find() -> None:
            _, begun = await view.worked_out(cache, index, size)
            found.update(begun)

        await together(find, meanwhile=(partial(_tell_position, job, table.descriptor),))
    job.begin({"columns": found["columns"]})
    if found["total"] is None:
        raise NotIndexed("the table is packed, or no UTF-8: its rows are not found by their bytes")
    job.set_done(size)
    job.count({"rows": found["total"]})


@dataclass(frozen=True, slots=True)
class _View:
    """One look of a worker at a table."""

    workshop: Workshop
    job: OpenJob
    table: Table
    plan: Plan
    asked: ProfileOf | SliceOf

    async def worked_out(self, cache: DiskCache, index: str, size: int) -> tuple[bytes, Mapping[str, Any]]:
        """What the worker found, and how it understood the table."""
        content = bytearray()

        async def take(chunk: bytes) -> None:
            content.extend(chunk)

        spec = {**self.workshop.spec(self.asked.kind, self.plan, is_live=False), **self.asked.terms()}
        work = Work(self.workshop, self.job, self.table)
        async with cache.growing(index) as files:
            await work.run(spec | {"size": size}, files, take, lambda _all_was_read: None)
        return bytes(content), work.begun


async def _tell_position(job: OpenJob, descriptor: int | None) -> None:
    """Have a job tell how far its table is read: the worker shares the descriptor, and so its position."""
    while descriptor is not None:
        await anyio.sleep(TELL_S)
        job.set_done(os.lseek(descriptor, 0, os.SEEK_CUR))


def _name_of(entry: Entry, plan: Plan) -> str:
    """Another one for each version of a file, and for each way to read it."""
    told = json.dumps([_FORMAT_VERSION, entry.key, entry.identity, entry.size, plan.input.model_dump(mode="json")])
    return hashlib.sha256(told.encode()).hexdigest()
