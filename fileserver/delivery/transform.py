"""A table on its way through a transform: from a request body or a stored file, out as it comes."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from fileserver.delivery.asgi import (
    HeaderLines,
    Message,
    Receive,
    Scope,
    Send,
    body_of,
    cancel_on_departure,
    end,
    more,
    start,
)
from fileserver.delivery.spill import Spill
from fileserver.delivery.upload import NoFileInForm, form_events, part_bytes
from fileserver.http.form_parts import FormEvent, PartBegin
from fileserver.tables import Counts, Plan, Transform
from storage import Key, Library

SMALL_SIZE = 64 * 1024
"""Bytes of output up to which an answer is held until it is whole, so that its counts fit into the headers."""
HOLD_S = 0.25
"""How long such an answer is held at most: a live stream has to start."""

Chunks = AbstractAsyncContextManager[AsyncIterable[bytes]]
Source = Callable[[Receive], Chunks]
"""Opens the table that a request asks to transform."""


@dataclass(frozen=True, slots=True)
class SpillLimits:
    """Where output waits for a client that is still sending, and how much of it (bytes)."""

    directory: Path | None
    max_size: int


@dataclass(frozen=True, slots=True)
class Transforming:
    """An ASGI application that answers with a transformed table.

    Nothing is sent before there is output: what is wrong until then is raised (PlanFault, HeaderFault, RowFault, what
    the source raises) and can still become a proper error. Later faults tear the connection.
    """

    plan: Plan
    source: Source
    limits: SpillLimits
    on_counts: Callable[[Counts], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. HEAD opens the table and says what kind of answer GET would give."""
        if scope["method"] == "HEAD":
            async with self.source(receive):
                await start(send, 200, self._headers())
                await end(send)
            return
        transform = Transform(self.plan)
        failure: Exception | None = None
        async with Spill(self.limits.directory, self.limits.max_size) as spill, anyio.create_task_group() as tasks:
            tasks.start_soon(self._send, send, transform, spill, tasks.cancel_scope)
            request = _Request(receive, tasks)
            if scope["method"] != "POST":
                request.watch()
            try:
                await self._produce(transform, request, spill)
            except Exception as error:  # of any kind: it is raised again below, outside the group
                failure = error
                tasks.cancel_scope.cancel()
        self.on_counts(transform.counts)
        if failure is not None:
            raise failure

    async def _produce(self, transform: Transform, request: "_Request", spill: Spill) -> None:
        async with self.source(request.receive) as chunks, aclosing(transform.output(chunks)) as output:
            async for chunk in output:
                if request.is_read:
                    await spill.has_room()
                await spill.put(chunk)
        spill.end()

    async def _send(self, send: Send, transform: Transform, spill: Spill, stop: anyio.CancelScope) -> None:
        held, is_whole = await _held(spill)
        known = _totals(transform.counts, sum(map(len, held))) if is_whole else ()
        await start(send, 200, (*self._headers(), *known))
        for chunk in held:
            await more(send, chunk)
        while not is_whole and (late := await spill.take()) is not None:
            await more(send, late)
        await end(send)
        stop.cancel()

    def _headers(self) -> HeaderLines:
        return (
            ("content-type", self.plan.media_type),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-accel-buffering", "no"),
            ("accept-ranges", "none"),
        )


def _totals(counts: Counts, length: int) -> HeaderLines:
    return (
        ("content-length", str(length)),
        ("transform-rows-in", str(counts.rows_in)),
        ("transform-rows-out", str(counts.rows_out)),
        ("transform-rows-rejected", str(counts.rows_rejected)),
    )


class _Request:
    """The request's body; once it has been read, a client that leaves ends the whole transform."""

    def __init__(self, receive: Receive, tasks: TaskGroup) -> None:
        self._receive = receive
        self._tasks = tasks
        self.is_read = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.watch()
        return message

    def watch(self) -> None:
        self.is_read = True
        self._tasks.start_soon(cancel_on_departure, self._receive, self._tasks.cancel_scope)


async def _held(spill: Spill) -> tuple[list[bytes], bool]:
    """The first output, and whether it is all: as much as is small, or as comes in a moment."""
    first = await spill.take()
    held, size = [first or b""], len(first or b"")
    is_whole = first is None
    with anyio.move_on_after(HOLD_S):
        while not is_whole and size < SMALL_SIZE:
            chunk = await spill.take()
            is_whole = chunk is None
            held.append(chunk or b"")
            size += len(chunk or b"")
    return held, is_whole


@asynccontextmanager
async def raw_body(receive: Receive) -> AsyncIterator[AsyncIterable[bytes]]:
    """The request's body is the table."""
    async with aclosing(body_of(receive)) as chunks:
        yield chunks


@asynccontextmanager
async def form_file(receive: Receive, *, content_type: str) -> AsyncIterator[AsyncIterable[bytes]]:
    """The first file of a form is the table. Raises NoFileInForm, MalformedForm, FormTooComplex."""
    async with aclosing(form_events(body_of(receive), content_type)) as events, aclosing(_first_file(events)) as chunks:
        yield chunks


@asynccontextmanager
async def stored_file(
    _receive: Receive, *, library: Library, key: Key, chunk_size: int
) -> AsyncIterator[AsyncIterable[bytes]]:
    """A stored file is the table. Raises NotFound, IsFolder."""
    async with library.open(key) as reader, aclosing(reader.chunks(range(reader.entry.size), chunk_size)) as chunks:
        yield chunks


async def _first_file(events: AsyncGenerator[FormEvent, None]) -> AsyncGenerator[bytes, None]:
    async for event in events:
        if isinstance(event, PartBegin) and event.filename is not None:
            async for chunk in part_bytes(events):
                yield chunk
            break
    else:
        raise NoFileInForm
    async for _ in events:  # to the closing boundary: a form cut short is no whole table
        pass
