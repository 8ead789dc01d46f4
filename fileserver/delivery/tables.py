"""A stored table looked at: its profile, or a few of its rows, found by a worker and remembered."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, start, while_connected
from fileserver.delivery.table_cache import TableCache
from fileserver.delivery.table_sources import table_of
from fileserver.delivery.workshop import Kind, Work, Workshop
from fileserver.tables import Plan
from storage import Entry, Key, Library, Reader, StorageError

_FORMAT_VERSION = 2
"""Of what is remembered: a server that would find something else has another."""

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
        cache = TableCache(self.workshop.scratch / "tables")
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

    async def _worked_out(self, cache: TableCache, index: str, reader: Reader) -> tuple[bytes, int | None]:
        content = bytearray()

        async def take(chunk: bytes) -> None:
            content.extend(chunk)

        spec = {**self.workshop.spec(self.asked.kind, self.plan, is_live=False), **self.asked.terms()}
        async with table_of(reader) as table, self.workshop.jobs.begin(self.owner) as job:
            job.forget()  # who asked waits for the answer, and has no other use for it
            work = Work(self.workshop, job, table)
            async with cache.growing(index) as files:
                await work.run(spec | {"size": reader.entry.size}, files, take, lambda _all_was_read: None)
        return bytes(content), work.begun.get("next")


def _name_of(entry: Entry, plan: Plan) -> str:
    """Another one for each version of a file, and for each way to read it."""
    told = json.dumps([_FORMAT_VERSION, entry.key, entry.identity, entry.size, plan.input.model_dump(mode="json")])
    return hashlib.sha256(told.encode()).hexdigest()
