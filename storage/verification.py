"""Every file compared with its digest, in memory that does not grow with their number.

Nothing is locked and nothing waits: files are read while a server changes them. What changes under the look is looked
at again, and a version that nobody promised anything about is foreign, never damaged.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from storage.catalogue import Catalogue, Facts
from storage.errors import IsFolder, NotFound, StoreDamaged, StoreUnavailable
from storage.keys import Key
from storage.model import Entry
from storage.opened import Opened, has_file
from storage.remembered import Version, version_of
from storage.rereading import Rereader
from storage.schema import as_bytes
from storage.store import Reader, Store
from storage.walk import walk

Kind: TypeAlias = Literal["intact", "damaged", "missing", "foreign"]
Learn: TypeAlias = Callable[[Entry, bytes], Awaitable[bool]]
"""Records the digest of a version; whether it did."""
Watch: TypeAlias = Callable[[Key, int], None]
"""Told of each block that was read, by the file's key and the block's size, in a thread."""


def _unwatched(_key: Key, _size: int) -> None:
    pass


_KEYS = 10_000  # of the catalogue at a time, about 1 MB
_AT_ONCE = 500  # files between two turns of the event loop: a page of them would hold it for 50 ms
_TRIES = 5  # looks at a file that changes under each of them


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one file.

    Damaged: its identity is the recorded one and its bytes are not; `found` is None where they cannot be read.
    Missing: a digest is recorded and there is no file. Foreign: it came in or was changed by other ways, so there is
    nothing to compare it with; `found` is its digest where that was recorded now.
    """

    kind: Kind
    key: Key
    size: int = 0
    expected: bytes | None = None
    found: bytes | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to read."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Verification:
    """A look at the files whose keys begin with `prefix`; with `learn`, foreign ones are read and recorded."""

    store: Store
    catalogue: Catalogue
    rereader: Rereader
    prefix: str = ""
    learn: Learn | None = None
    parallel: int = 1

    async def extent(self) -> Extent:
        """How much will be read, as it stands now. Raises InvalidKey."""
        files = size = 0
        async for entries, facts in self._described():
            for entry in entries:
                if self.learn is not None or _digest(facts.get(version_of(entry))) is not None:
                    files += 1
                    size += entry.size
        return Extent(files, size)

    async def findings(self, watch: Watch = _unwatched) -> AsyncGenerator[Finding, None]:
        """What became of each file, in key order, then those that are missing. Close it when leaving early."""
        ahead: deque[asyncio.Task[Finding | None]] = deque()
        try:
            async for entries, facts in self._described():
                for entry in entries:
                    ahead.append(asyncio.create_task(self.look(entry.key, facts, watch)))
                    if len(ahead) == self.parallel and (finding := await ahead.popleft()) is not None:
                        yield finding
            while ahead:
                if (finding := await ahead.popleft()) is not None:
                    yield finding
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)
        async for key in self._missing():
            yield Finding("missing", key)

    async def look(
        self, key: Key, facts: Mapping[Version, Facts] = MappingProxyType({}), watch: Watch = _unwatched
    ) -> Finding | None:
        """What became of one file, None if there is none; `facts` is what was asked of the catalogue before."""
        for _ in range(_TRIES):
            try:
                async with Opened(self.store, key) as reader:
                    entry = reader.entry
                    known = _digest(facts.get(version_of(entry))) or _digest(await self.catalogue.facts(entry))
                    finding = await self._compared(reader, known, watch)
                # of a version that was replaced since, the digest may be gone already
                if finding.kind == "intact" or (await self.store.stat(key)).identity == entry.identity:
                    return finding
            except (NotFound, IsFolder):
                return None  # removed since it was listed
        return Finding("foreign", key)  # somebody is writing to it

    async def _described(self) -> AsyncIterator[tuple[Sequence[Entry], dict[Version, Facts]]]:
        """The files with what is known of them, some at a time."""
        async for page in walk(self.store, self.prefix):
            for start in range(0, len(page), _AT_ONCE):
                entries = page[start : start + _AT_ONCE]
                yield entries, await self.catalogue.facts_of(entries)

    async def _compared(self, reader: Reader, known: bytes | None, watch: Watch) -> Finding:
        entry = reader.entry
        if known is None and self.learn is None:
            return Finding("foreign", entry.key, entry.size)
        try:
            found = await self.rereader.sha256(reader, progress=lambda size: watch(entry.key, size))
        except (StoreUnavailable, StoreDamaged):
            return Finding("foreign" if known is None else "damaged", entry.key, entry.size, known)
        if known is not None:
            return Finding("intact" if found == known else "damaged", entry.key, entry.size, known, found)
        is_learned = self.learn is not None and await self.learn(entry, found)
        return Finding("foreign", entry.key, entry.size, None, found if is_learned else None)

    async def _missing(self) -> AsyncIterator[Key]:
        first = self.prefix
        while keys := await self.catalogue.keys_with_digests(first, limit=_KEYS):
            for key in keys:
                if not as_bytes(key).startswith(as_bytes(self.prefix)):
                    return
                if not await has_file(self.store, key) and await self._is_known(key):
                    yield key
            first = f"{keys[-1]}\0"  # what comes next after it

    async def _is_known(self, key: Key) -> bool:
        """Whether it still is: a file that is removed by a server is forgotten first."""
        return key in await self.catalogue.keys_with_digests(key, limit=1)


def _digest(facts: Facts | None) -> bytes | None:
    return None if facts is None else facts.sha256 or facts.learned_sha256
