"""What others do to the served folder (cp, rsync, an editor), told in the feed beside what is done through us.

Of all processes that share a catalogue one does this, until it ends. What happens while none runs is not told, nor what
is removed in the seconds in which one takes over from another.
"""

import fcntl
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread

from storage.beneath import open_beneath
from storage.catalogue import Catalogue
from storage.errors import StoreUnavailable
from storage.keys import RESERVED_NAME
from storage.upkeep import Event, Failed

SETTLE_S = 0.5
"""From the first word of a file to the look at it: a commit is over by then, and so is what an editor does to save."""
_TURN_S = 1.0  # polled: the lock of a process that dies wakes nobody
_PAUSE_S = 1.0  # after a failure; twice as long after the next
_LONGEST_PAUSE_S = 30.0
_TICK_NS = 10_000_000  # by which a file's time may be behind the clock
_GAP_NS = 5_000_000_000  # in which one process may have died and another taken over

Watch: TypeAlias = Callable[[int, Catalogue, Callable[[Event], None], float, int], Awaitable[None]]


class ForeignChanges:
    """Tells a feed what others do beneath a directory. `report` is called on the event loop."""

    def __init__(
        self, root: Path, catalogue: Catalogue, *, report: Callable[[Event], None], settle_s: float = SETTLE_S
    ) -> None:
        self._path = root
        self._catalogue = catalogue
        self._report = report
        self._settle_s = settle_s

    async def run(self) -> None:
        """Watch and tell until cancelled; where the system has no inotify, do nothing. The catalogue is open."""
        if not sys.platform.startswith("linux"):
            return
        since_ns, pause_s = time.time_ns() - _TICK_NS, _PAUSE_S
        while True:
            started_s = time.monotonic()
            try:
                await self._watch(since_ns)
            except OSError as error:
                self._report(Failed("watch", StoreUnavailable(str(error))))
            since_ns = time.time_ns() - _GAP_NS
            await anyio.sleep(pause_s)
            has_lasted = time.monotonic() - started_s > _LONGEST_PAUSE_S + pause_s
            pause_s = _PAUSE_S if has_lasted else min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _watch(self, since_ns: int) -> None:
        watch_folder = await anyio.to_thread.run_sync(_loaded)
        root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            async with self._turn(root) as was_taken:
                since_ns = time.time_ns() - _GAP_NS if was_taken else since_ns
                await watch_folder(root, self._catalogue, self._report, self._settle_s, since_ns)
        finally:
            os.close(root)

    @asynccontextmanager
    async def _turn(self, root: int) -> AsyncIterator[bool]:
        """Nobody else watches for the length of the block; whether somebody did until it began."""
        if not self._catalogue.is_kept:  # what is told is told to this process alone
            yield False
            return
        lock = _opened_lock(root)
        try:
            was_taken = False
            while not _is_locked(lock):
                was_taken = True
                await anyio.sleep(_TURN_S)
            yield was_taken
        finally:
            os.close(lock)


def _loaded() -> Watch:
    from storage.foreign_watch import watch_folder  # runs a program that looks for libraries: only a server needs it

    return watch_folder


def _opened_lock(root: int) -> int:
    own = open_beneath(root, RESERVED_NAME, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return os.open("watching", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=own)
    finally:
        os.close(own)


def _is_locked(lock: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
