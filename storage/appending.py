"""One append on its way into a draft: chunks gathered to batches, and none held back for long."""

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from typing import TypeAlias

from anyio import CancelScope

from storage.store import BLOCK

BATCH_SIZE = 1 << 20  # bytes gathered before a write: a thread hop for each megabyte, not for each packet
PATIENCE_S = 0.25  # how long bytes may wait for the rest of their batch: whoever follows the draft waits for them
_MOST_CHUNKS = 1024  # that one pwritev(2) takes (IOV_MAX)

Writing: TypeAlias = "asyncio.Future[tuple[BaseException | None, BaseException | None]]"
"""A batch on its way to the medium and to the hashes, and what failed of it."""
Begin: TypeAlias = Callable[[Sequence[bytes], int], Writing]
"""Starts to write a batch at an offset."""


class Appending:
    """Writes chunks from an offset on, one batch at a time; what fails to be written ends it.

    Each batch but the last ends a block of so many bytes.
    """

    def __init__(self, offset: int, begin: Begin, block: int = BLOCK) -> None:
        self._offset = offset  # where the next batch goes
        self._begin = begin
        self._block = block
        self._batch = _Batch()
        self._writing: Writing | None = None

    async def take(self, chunks: AsyncIterable[bytes]) -> int:
        """Write all of them; answers where they end.

        When they break off, what came before is written. Raises what a write raises, and what the chunks raise.
        """
        self._wait()
        try:
            async for chunk in chunks:
                if self._batch.is_full_with(chunk):
                    await self._written()
                    self._write_blocks()
                    await self._written()
        finally:
            self._waiting.cancel()
            await self._written()
            if self._batch:  # also when the rest never comes: what has arrived need not be sent again
                self._write(self._batch.taken())
                await self._written()
        return self._offset

    def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().call_later(PATIENCE_S, self._wait_no_longer)

    def _wait_no_longer(self) -> None:
        if self._writing is None or (self._writing.done() and not any(self._writing.result())):
            self._write_blocks()
        self._wait()

    def _write_blocks(self) -> None:
        if blocks := self._batch.taken_to_block(self._offset, self._block):
            self._write(blocks)

    def _write(self, batch: Sequence[bytes]) -> None:
        self._writing = self._begin(batch, self._offset)
        self._offset += sum(map(len, batch))

    async def _written(self) -> None:
        """Wait until nothing is being written any more: a thread still writing would cross the next writer."""
        if self._writing is None:
            return
        failures = [each for each in await _ended(self._writing) if each is not None]
        if failures:
            self._batch.taken()  # nothing is written behind a gap
            raise failures[0]


async def _ended(writing: Writing) -> tuple[BaseException | None, BaseException | None]:
    """What failed of a batch, when nothing of it is under way any more. Raises CancelledError then, not before.

    A server that stops cancels its tasks one by one, which no scope keeps out.
    """
    cancelled: asyncio.CancelledError | None = None
    with CancelScope(shield=True):
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled
    return writing.result()


class _Batch:
    """Chunks on their way to one write."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def is_full_with(self, chunk: bytes) -> bool:
        """Take in a chunk; whether it is time to write."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        return self._size >= BATCH_SIZE or len(self._chunks) >= _MOST_CHUNKS

    def taken(self) -> list[bytes]:
        """The chunks, which are nobody's then."""
        chunks, self._chunks, self._size = self._chunks, [], 0
        return chunks

    def taken_to_block(self, offset: int, block: int) -> list[bytes]:
        """The chunks that go to this offset, but for the part of a block at their end, which stays (see `BLOCK`)."""
        rest = min((offset + self._size) % block, self._size)
        chunks, kept = self.taken(), list[bytes]()
        while rest:
            last = chunks.pop()
            if len(last) > rest:
                chunks.append(last[:-rest])
            kept.append(last[-rest:])
            rest -= len(kept[-1])
        if kept:
            self.is_full_with(b"".join(reversed(kept)))
        return chunks
