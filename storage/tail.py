"""The end of a file, and what is added to it as it is added: followed by its key through truncation and rotation.

What the tool `tail -F` does, with two things more. The bytes just before our place are read again with those behind
it, so a file that was truncated and has grown past our place since is not taken for one that went on. And a file that
has lost its name is read on until nothing comes any more, for its writer may not know yet.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import anyio
import anyio.lowlevel

from storage.errors import StoreDamaged
from storage.keys import Key
from storage.origin import BEGINNING_SIZE, Origin
from storage.store import Reader, Store
from storage.watches import LOOK_AWAY_S, OpenFile, Watched, Watches

CHUNK_SIZE = 256 * 1024
MOST_SEARCHED = 1 << 30
"""How far back lines are looked for (bytes): seconds of a disk, whatever the file's lines are like."""
_FIRST_BLOCK = 16 * 1024  # ten lines are rarely longer
_AWAY_S = 2.0  # how long who comes back waits for a file that is being rotated
_CONTEXT_SIZE = 256  # bytes before our place that have to stay as they were
_TRIES = 8  # as often as a file may shrink while its last lines are looked for


@dataclass(frozen=True, slots=True)
class LastLines:
    """Begin where the last `count` lines do; the last one need not be ended."""

    count: int


@dataclass(frozen=True, slots=True)
class LastBytes:
    """Begin so many bytes before the end."""

    size: int


@dataclass(frozen=True, slots=True)
class After:
    """Go on at an offset, if the file is the one that the fingerprint was made of and is that long."""

    offset: int
    fingerprint: str | None


Beginning: TypeAlias = LastLines | LastBytes | After


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the file of this origin, from an offset on; none when there was nothing for a while."""

    offset: int
    content: bytes
    origin: Origin


@dataclass(frozen=True, slots=True)
class Reset:
    """What follows is another file, or this one again, from its first byte on."""

    reason: Literal["rotated", "truncated"]
    origin: Origin


Part: TypeAlias = Piece | Reset


class Tails:
    """The files of a store, to be followed. Without inotify, growth is seen at the next look."""

    def __init__(self, store: Store, *, has_inotify: bool = True) -> None:
        self._watches = Watches(store, has_inotify=has_inotify)

    async def watch(self) -> None:
        """Look after the files that are followed, until cancelled: without it nobody learns of anything."""
        await self._watches.run()

    @asynccontextmanager
    async def open(self, key: Key, beginning: Beginning) -> AsyncIterator["Tail"]:
        """A file's end for the length of the block. Raises NotFound, IsFolder, StoreUnavailable, StoreDamaged."""
        async with self._watches.watching(key) as watched:
            if isinstance(beginning, After):
                await watched.appear(_AWAY_S)
            else:
                await watched.look()
            tail = Tail(watched)
            try:
                await tail.begin(beginning)
                yield tail
            finally:
                await tail.close()


class Tail:
    """A place in a file that moves on as the file grows. `offset` is the place, `origin` what the file is known by."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._file = watched.file.shared()
        self._before = b""  # the last bytes before the place
        self.offset = 0
        self.origin = Origin(self._file.place)
        self.reset: Reset | None = None
        """Why the tail could not begin where it was to go on; the first of its parts, too."""

    @property
    def reader(self) -> Reader:
        """The file that is read now."""
        return self._file.reader

    async def begin(self, beginning: Beginning) -> None:
        """Find the place. Raises StoreDamaged for a file that shrinks as often as it is looked at."""
        for _ in range(_TRIES):
            try:
                return await self._go_to(beginning)
            except StoreDamaged:
                self.origin = Origin(self._file.place)  # shorter than it was a moment ago: look again
        raise StoreDamaged(self.reader.entry.key)

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.release()

    async def parts(self, pause_s: float) -> AsyncGenerator[Part, None]:
        """What comes, as it comes, and an empty piece at least each `pause_s` while nothing does; without an end.

        Raises StoreUnavailable.
        """
        if self.reset is not None:
            yield self.reset
        while True:
            happened = self._watched.happened.next
            part = await self._next()
            if part is None and self._watched.file.place != self._file.place:
                part = await self._next_file() or await self._next()
            if part is None:
                with anyio.move_on_after(pause_s):
                    await happened.wait()
                part = await self._next() or Piece(self.offset, b"", self.origin)
            yield part

    async def _go_to(self, beginning: Beginning) -> None:
        size = self._file.size()
        match beginning:
            case LastLines(count):
                self.offset = await _start_of_lines(self.reader, size, count)
            case LastBytes(wanted):
                self.offset = max(0, size - wanted)
            case After(offset, _):
                self.offset = min(offset, size)
        self.origin.learn(0, await _read(self.reader, range(min(BEGINNING_SIZE, self.offset))))
        self._before = await _read(self.reader, range(max(0, self.offset - _CONTEXT_SIZE), self.offset))
        if isinstance(beginning, After):
            self._require_same(beginning)

    def _require_same(self, after: After) -> None:
        fingerprint = after.fingerprint or self.origin.fingerprint(self.offset)
        if self.offset < after.offset or fingerprint != self.origin.fingerprint(self.offset):
            self.reset = self._again("rotated" if self.origin.is_elsewhere(fingerprint) else "truncated")

    async def _next(self) -> Part | None:
        """What is behind the place in the file that is open."""
        size = self._file.size()
        if size < self.offset:
            return self._again("truncated")
        if size == self.offset:
            return None
        start = self.offset - len(self._before)
        try:
            found = await _read(self.reader, range(start, min(size, self.offset + CHUNK_SIZE)))
        except StoreDamaged:  # it shrinks this moment: the next look sees how far
            return None
        await anyio.lowlevel.checkpoint()  # or a reader that never has to wait would keep the loop to itself
        if not found.startswith(self._before):
            return self._again("truncated")
        piece = Piece(self.offset, found[len(self._before) :], self.origin)
        self.origin.learn(piece.offset, piece.content)
        self.offset += len(piece.content)
        self._before = found[-_CONTEXT_SIZE:]
        return piece

    async def _next_file(self) -> Part | None:
        """The file that has the name now, once the one that had it is as it was a look before."""
        successor = self._watched.file
        if successor.is_growing or successor.size() <= self.offset:
            await anyio.sleep(LOOK_AWAY_S)
            if self._file.size() != self.offset:
                return None
            successor = await self._change_to(self._watched.file)
            return self._again("rotated")
        await self._change_to(successor)  # a store that never adds to a file has put a longer one in its place
        return None

    async def _change_to(self, successor: OpenFile) -> OpenFile:
        old, self._file = self._file, successor.shared()
        await old.release()
        return self._file

    def _again(self, reason: Literal["rotated", "truncated"]) -> Reset:
        self.offset, self._before, self.origin = 0, b"", Origin(self._file.place)
        return Reset(reason, self.origin)


async def _start_of_lines(reader: Reader, size: int, count: int) -> int:
    """Where the last lines of the first `size` bytes begin; no further back than is searched."""
    stop, block_size, left = size, _FIRST_BLOCK, count
    first = max(0, size - MOST_SEARCHED)
    if count == 0:
        return size
    if size and await _read(reader, range(size - 1, size)) == b"\n":
        left += 1  # the end of the last line is the beginning of none
    while stop > first:
        start = max(first, stop - block_size)
        block = await _read(reader, range(start, stop))
        found = block.count(b"\n")
        if found >= left:
            return start + len(block.rsplit(b"\n", left)[0]) + 1
        left -= found
        stop, block_size = start, min(2 * block_size, CHUNK_SIZE)
        await anyio.lowlevel.checkpoint()
    return first


async def _read(reader: Reader, span: range) -> bytes:
    """All bytes of a span. Raises StoreDamaged where the file is shorter."""
    async with aclosing(reader.chunks(span, CHUNK_SIZE + _CONTEXT_SIZE)) as chunks:
        return b"".join([chunk async for chunk in chunks])
