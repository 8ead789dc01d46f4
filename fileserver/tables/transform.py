"""A transform for an event loop: chunks in, chunks out, the work itself in a worker thread.

While a thread works on one batch, a task gathers the next from whatever arrives, up to `BATCH_SIZE`; as soon as the
thread is free it is given what there is, however little. So a slow producer's rows leave at once, and a fast one's
in batches.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from typing import Protocol, runtime_checkable

import anyio
import anyio.to_thread

from fileserver.tables.counts import Counts
from fileserver.tables.engine import BATCH_SIZE, Engine
from fileserver.tables.plan import Plan

OUTPUT_SIZE = 1024 * 1024  # bytes that one crossing to the thread brings back, about


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


class Transform:
    """One table through one plan."""

    def __init__(self, plan: Plan) -> None:
        self._engine = Engine(plan)

    @property
    def counts(self) -> Counts:
        """What became of the rows so far."""
        return self._engine.counts

    @property
    def has_reached_limit(self) -> bool:
        """Whether the plan's limit ended the transform; the input may have had more, or have been wrong further on."""
        return self._engine.has_reached_limit

    async def output(self, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """The transformed table as it comes; to be closed by whoever does not iterate to the end.

        Closes `chunks`, in any case and before it ends. Raises what `Engine` raises and what `chunks` raises.
        """
        batches = _Batches(chunks)
        try:
            while not self._engine.has_reached_limit and (batch := await batches.next()):
                async for piece in _in_thread(self._engine.feed(batch)):
                    yield piece
        finally:
            await batches.close()
        async for piece in _in_thread(self._engine.finish()):
            yield piece


async def _in_thread(pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """What a generator makes, run in a thread, joined to chunks worth the crossing."""
    is_done = False
    while not is_done:
        chunk, is_done = await anyio.to_thread.run_sync(_joined, pieces)
        if chunk:
            yield chunk


def _joined(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """The next pieces as one, and whether they were the last."""
    taken: list[bytes] = []
    size = 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size >= OUTPUT_SIZE:
            return b"".join(taken), False
    return b"".join(taken), True


class _Batches:
    """What arrives of some chunks while nobody looks, at most about a batch of it.

    One task iterates over the chunks from the first to the last and closes them, so that they never change tasks.
    """

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._gathered: list[bytes] = []
        self._size = 0
        self._has_arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._scope = anyio.CancelScope()
        self._task = asyncio.create_task(self._gather(chunks))

    async def next(self) -> bytes:
        """All that has arrived, as soon as that is anything; empty at the end. Raises what the chunks raise."""
        await self._has_arrived.wait()
        if not self._gathered:
            await self._task
        batch = b"".join(self._gathered)
        self._gathered.clear()
        self._size = 0
        self._has_room.set()
        if not self._task.done():
            self._has_arrived.clear()
        return batch

    async def close(self) -> None:
        """Stop gathering, and wait until the chunks are closed."""
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # it was raised by `next`, or comes too late to matter

    async def _gather(self, chunks: AsyncIterable[bytes]) -> None:
        try:
            with self._scope:
                await self._iterate(chunks)
        finally:
            self._has_arrived.set()

    async def _iterate(self, chunks: AsyncIterable[bytes]) -> None:
        try:
            async for chunk in chunks:
                self._gathered.append(chunk)
                self._size += len(chunk)
                self._has_arrived.set()
                while self._size >= BATCH_SIZE:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            if isinstance(chunks, _Closable):
                with anyio.CancelScope(shield=True):
                    await chunks.aclose()
