"""Drafts of a store in a dictionary."""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from storage.errors import DraftBusy, OffsetMismatch, StoreDamaged
from storage.keys import Key
from storage.model import Entry, Span
from storage.store import DraftState, Fate, Hash, Reader, Version


class Drafts(Protocol):
    """The store that drafts are made by, and become files of."""

    open_drafts: dict[str, "MemoryDraft"]

    def put(self, key: Key, content: bytes) -> Entry:
        """Store a file at once. Raises FolderInTheWay."""
        ...


@dataclass(slots=True)
class MemoryDraft:
    """Bytes being gathered."""

    store: Drafts
    draft_id: str
    content: bytearray = field(default_factory=bytearray)
    modified_ns: int = field(default_factory=time.time_ns)
    is_open: bool = False
    is_writing: bool = False
    fate: Fate = Fate.OPEN

    @property
    def size(self) -> int:
        """See `Draft.size`."""
        return len(self.content)

    @property
    def version(self) -> Version:
        """See `Draft.version`."""
        return self.size, self.modified_ns

    async def append(
        self, offset: int, chunks: AsyncIterable[bytes], *, size: int | None = None, hashes: Sequence[Hash] = ()
    ) -> int:
        """See `Draft.append`."""
        del size
        if self.is_writing:
            raise DraftBusy(self.draft_id)
        if offset != self.size:
            raise OffsetMismatch(self.size, offset)
        self.is_writing = True
        try:
            async for chunk in chunks:
                self.content += chunk
                self.modified_ns = time.time_ns()
                for each in hashes:
                    each.update(chunk)
        finally:
            self.is_writing = False
        return self.size

    async def take(self, reader: Reader) -> bool:
        """See `Draft.take`."""
        await self.append(0, reader.chunks(range(reader.entry.size), max(1, reader.entry.size)))
        return True

    async def truncate(self, size: int) -> None:
        """See `Draft.truncate`."""
        del self.content[size:]
        self.modified_ns = time.time_ns()

    async def written_until(self, offset: int) -> int:
        """See `Draft.written_until`."""
        del offset
        return self.size

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `Draft.chunks`."""
        for start in range(span.start, span.stop, chunk_size):
            yield bytes(self.content[start : min(start + chunk_size, span.stop)])

    def committed_etag(self) -> str | None:
        """Not known before: versions are numbered as they come."""
        return None

    async def commit(self, key: Key) -> Entry:
        """See `Draft.commit`."""
        entry = self.store.put(key, bytes(self.content))
        self.store.open_drafts.pop(self.draft_id, None)
        self.fate = Fate.COMMITTED
        return entry

    async def discard(self) -> bool:
        """See `Draft.discard`."""
        if self.fate is not Fate.OPEN:
            return False
        self.store.open_drafts.pop(self.draft_id, None)
        self.fate = Fate.DISCARDED
        return True

    async def close(self) -> None:
        """See `Draft.close`."""
        self.is_open = False


@dataclass(frozen=True, slots=True)
class MemoryDraftReader:
    """A draft seen by those who do not write it."""

    draft: MemoryDraft

    def look(self) -> DraftState:
        """See `DraftReader.look`."""
        return DraftState(self.draft.size, self.draft.modified_ns, self.draft.fate)

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `DraftReader.chunks`."""
        async with aclosing(self.draft.chunks(span, chunk_size)) as chunks:
            async for chunk in chunks:
                if self.draft.size < span.stop or self.draft.fate is Fate.DISCARDED:
                    raise StoreDamaged(self.draft.draft_id)
                yield chunk

    async def close(self) -> None:
        """See `DraftReader.close`."""
