"""Which file a key names, watched once for all who follow it.

A thousand listeners of one file share its descriptor, its inotify watch, and one look at its name each second: the
kernel tells of the file that is open, but nobody tells that another file has been given its name.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeAlias

import anyio

from storage.errors import IsFolder, NotFound, StorageError, StoreUnavailable
from storage.keys import Key
from storage.notices import Notices
from storage.signals import Signal
from storage.store import Reader, Store

LOOK_S = 1.0
"""Between two looks, where the kernel tells of nothing: also how late growth is noticed without it."""
LOOK_AWAY_S = 0.25
"""While no file has the name: between the two steps of a rotation."""

Place: TypeAlias = tuple[int, int] | str
"""What stays the same while a file grows: device and inode of a local one, else the identity of a version."""


class OpenFile:
    """A file that a key named when it was opened; closed when the last who shares it lets go."""

    def __init__(self, reader: Reader, unwatch: Callable[[], None]) -> None:
        self.reader = reader
        self.place = _place_of(reader)
        self._unwatch = unwatch
        self._users = 1

    @property
    def is_growing(self) -> bool:
        """Whether more bytes can come to this very file, as they do to local ones."""
        return self.reader.fileno() is not None

    def size(self) -> int:
        """How many bytes there are now. Raises StoreUnavailable."""
        number = self.reader.fileno()
        return self.reader.entry.size if number is None else _status_of(number).st_size

    def shared(self) -> "OpenFile":
        """The file for one more user."""
        self._users += 1
        return self

    async def release(self) -> None:
        """Let go of it, once for each user."""
        self._users -= 1
        if self._users == 0:
            self._unwatch()
            await self.reader.close()


class Watched:
    """What is known of one key. `happened` is set whenever there may be more to see."""

    def __init__(self, store: Store, key: Key, watch: Callable[[Reader], Callable[[], None]]) -> None:
        self.users = 0
        self.happened = Signal()
        self.due_s = 0.0  # on the monotonic clock: when to look again
        self._store = store
        self._key = key
        self._watch = watch
        self._file: OpenFile | None = None
        self._version = ""
        self._looks = 0
        self._newest = 0  # the look whose outcome is known: slower ones that began before it are of the past

    @property
    def file(self) -> OpenFile:
        """The file that has the name, or had it last."""
        if self._file is None:
            raise NotFound(self._key)
        return self._file

    async def look(self) -> None:
        """Find out which file has the name. Raises NotFound, IsFolder, StoreUnavailable."""
        self._looks += 1
        look = self._looks
        self.due_s = time.monotonic() + LOOK_S
        try:
            reader = await self._store.open(self._key)
        except (NotFound, IsFolder):
            self.due_s = time.monotonic() + LOOK_AWAY_S
            self._newest = max(look, self._newest)
            raise
        await self._take(reader, look)

    async def appear(self, patience_s: float) -> None:
        """As `look`, waiting so long for a file to have the name."""
        with anyio.move_on_after(patience_s):
            while True:
                with suppress(NotFound):
                    return await self.look()
                await anyio.sleep(LOOK_AWAY_S)
        raise NotFound(self._key)

    async def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            await self._file.release()

    async def _take(self, reader: Reader, look: int) -> None:
        old = self._file
        if look < self._newest or self.users == 0:  # another look was faster, or all have gone meanwhile
            await reader.close()
            return
        self._newest = look
        has_changed, self._version = self._version != reader.entry.identity, reader.entry.identity
        if old is not None and old.place == _place_of(reader):
            await reader.close()
        else:
            self._file = OpenFile(reader, self._watch(reader))
            if old is not None:
                await old.release()
        if has_changed:
            self.happened.set()


class Watches:
    """The keys that somebody follows."""

    def __init__(self, store: Store, *, has_inotify: bool) -> None:
        self._store = store
        self._watched: dict[Key, Watched] = {}
        self._has_inotify = has_inotify
        self._kernel = Notices()
        self._asked = Signal()

    async def run(self) -> None:
        """Look after all of them until cancelled."""
        async with anyio.create_task_group() as tasks:
            if self._has_inotify:
                tasks.start_soon(self._kernel.run)
            while True:
                asked = self._asked.next
                for watched in self._due():
                    with suppress(StorageError):  # away, or not to be reached: those who read it find out
                        await watched.look()
                with anyio.move_on_after(self._pause_s()):
                    await asked.wait()

    @asynccontextmanager
    async def watching(self, key: Key) -> AsyncIterator[Watched]:
        """What is known of a key, kept up for the length of the block; whoever comes in has to look once."""
        watched = self._watched.get(key) or Watched(self._store, key, partial(self._told_of, key))
        self._watched[key] = watched
        watched.users += 1
        self._asked.set()
        try:
            yield watched
        finally:
            watched.users -= 1
            if watched.users == 0:
                del self._watched[key]
                await watched.close()

    def _due(self) -> tuple[Watched, ...]:
        now_s = time.monotonic()
        return tuple(watched for watched in self._watched.values() if watched.due_s <= now_s)

    def _pause_s(self) -> float:
        """How long nothing is due; without anybody to look for, for as long as nobody comes."""
        due_s = min((watched.due_s for watched in self._watched.values()), default=float("inf"))
        return max(0.0, due_s - time.monotonic())

    def _told_of(self, key: Key, reader: Reader) -> Callable[[], None]:
        number = reader.fileno()
        return _do_nothing if number is None else self._kernel.watch(number, partial(self._tell, key))

    def _tell(self, key: Key, is_named: bool) -> None:
        watched = self._watched.get(key)
        if watched is None:
            return
        watched.happened.set()
        if is_named:
            watched.due_s = 0.0
            self._asked.set()


def _place_of(reader: Reader) -> Place:
    number = reader.fileno()
    if number is None:
        return reader.entry.identity
    status = _status_of(number)
    return status.st_dev, status.st_ino


def _status_of(descriptor: int) -> os.stat_result:
    try:
        return os.fstat(descriptor)
    except OSError as error:  # of a file that another machine keeps
        raise StoreUnavailable(error.strerror) from error


def _do_nothing() -> None:
    pass
