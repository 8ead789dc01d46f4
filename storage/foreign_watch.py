"""One process's watch over a served folder.

inotify(7) says where something happened, not what has come of it, and says the same of our own commits. So a while
later the file itself is compared with the newest change that the feed has of it, while no commit of that key can come
between: what differs is somebody else's.
"""

import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio
import anyio.to_thread
from asyncinotify import Event as Word
from asyncinotify import Inotify, Mask
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.being_written import is_being_written, is_fresh
from storage.beneath import directory_beneath
from storage.catalogue import Catalogue
from storage.change import NewChange, add_change
from storage.claims import folders_above
from storage.errors import StorageError, StoreUnavailable
from storage.inotify import Instance
from storage.keys import Key
from storage.local_listing import entry_of
from storage.model import Entry
from storage.sightings import Sightings
from storage.suspects import Look, Suspect, Suspects, Verdict, verdict
from storage.told import Last, has_told_move, last_told
from storage.upkeep import Event, Failed

_GATHER_S = 0.05  # so that a thousand files are not a thousand turns
_IDLE_S = 60.0  # between two looks at a folder in which nothing happens
_PAUSE_S = 3.0  # while the catalogue does not answer
_PARTNER_S = 0.01  # a rename is told in two words, one right after the other
_AT_ONCE = 100  # files told in one transaction, which keeps commits waiting for a few milliseconds
_MOST_WORDS = 16_384  # that the kernel keeps for us, unless it is told otherwise
_MARGIN_NS = 1_000_000_000  # a file's time is that of the last tick of the kernel's clock


async def watch_folder(
    root: int, catalogue: Catalogue, report: Callable[[Event], None], settle_s: float, since_ns: int
) -> None:
    """Tell what others do beneath a root's descriptor, from a time on (Unix). Raises OSError."""
    with Instance(cache_size=256) as inotify:
        watch = _Watch(root, inotify, catalogue, settle_s, since_ns)
        try:
            await watch.run(report)
        finally:
            watch.sightings.close()


@dataclass(frozen=True, slots=True)
class _Claim:
    etag: str | None
    is_alive: bool


@dataclass(slots=True)
class _Heard:
    """A folder that has another name, which was heard after a time (Unix)."""

    change: NewChange
    since_ms: int

    @property
    def old(self) -> Key:
        """Where it was."""
        return Key(str(self.change.content["from"]))

    @property
    def new(self) -> Key:
        """Where it is."""
        return Key(str(self.change.key))


class _Watch:
    def __init__(self, root: int, inotify: Inotify, catalogue: Catalogue, settle_s: float, since_ns: int) -> None:
        self._root = root
        self._inotify = inotify
        self._catalogue = catalogue
        self._since_ns = since_ns
        self._looked_ns = since_ns
        self._sound_ns = since_ns - _MARGIN_NS
        self._has_more = False
        self._settle_s = settle_s
        self._suspects = Suspects(settle_s)
        self._moved: list[_Heard] = []
        self.sightings = Sightings(root, inotify, self._suspects, since_ns=since_ns)

    async def run(self, report: Callable[[Event], None]) -> None:
        was_refused = False
        while True:
            await anyio.to_thread.run_sync(self._look)
            if self.sightings.tree.refused and not was_refused:
                was_refused = True
                report(Failed("watch", StoreUnavailable("there are more folders than the system lets us watch")))
            try:
                await self._tell()
            except StorageError as error:
                report(Failed("watch", error))
                await anyio.sleep(_PAUSE_S)  # what is to be told waits
            else:
                await self._wait()

    async def _wait(self) -> None:
        """Until there is something to do."""
        if self._has_more or (self.sightings.has_unread and not self._suspects.is_full):
            return
        due_s = self._suspects.due_s
        idle_s = self._settle_s if self._moved else _IDLE_S
        wait_s = idle_s if due_s is None else min(idle_s, max(0.0, due_s - time.monotonic()))
        with anyio.move_on_after(wait_s) as waiting:
            await anyio.wait_readable(self._inotify.fd)
        if not waiting.cancelled_caught:
            await anyio.sleep(_GATHER_S)

    def _look(self) -> None:
        """Take in all that the kernel has to say. For a thread."""
        looked_ns = time.time_ns()
        words = self._words()
        if _lacks_partner(words):
            time.sleep(_PARTNER_S)
            words += self._words()
        self.sightings.take(words, sound_ns=self._sound_ns, looked_ns=self._looked_ns)
        self._moved += [_Heard(change, self._looked_ns // 1_000_000) for change in self.sightings.moved]
        self.sightings.moved.clear()
        self._looked_ns = looked_ns
        self._has_more = len(words) >= _MOST_WORDS  # some may be read already: the descriptor does not tell of those
        if not self._has_more:
            self._sound_ns = looked_ns - _MARGIN_NS
        self.sightings.look_around()

    def _words(self) -> list[Word]:
        words: list[Word] = []
        try:
            while len(words) < _MOST_WORDS and (word := self._inotify.sync_get()) is not None:
                words.append(word)
        except BlockingIOError:
            pass  # there are no more
        return words

    async def _tell(self) -> None:
        await self._tell_moved()
        while due := self._suspects.take(time.monotonic(), _AT_ONCE):
            try:
                verdicts = await self._told(due)
            except StorageError:
                self._suspects.postpone(due, time.monotonic())
                raise
            for suspect, (look, found) in zip(due, verdicts, strict=True):
                if found == "later":
                    self._suspects.postpone([suspect], time.monotonic())
                elif found != "left":
                    self.sightings.tree.learn(suspect.key, is_there=look.entry is not None)

    async def _tell_moved(self) -> None:
        """Tell which folders others have moved; of our own moves the feed knows when their claims end."""
        if not self._moved:
            return
        async with self._catalogue.changing() as connection:
            claims = await _claims(connection)
            later = [heard for heard in self._moved if _is_busy((heard.old, heard.new), claims)]
            for heard in self._moved:
                if heard not in later and not await has_told_move(
                    connection, heard.old, heard.new, since_ms=heard.since_ms
                ):
                    await add_change(connection, heard.change)
        self._moved = later

    async def _told(self, suspects: Sequence[Suspect]) -> list[tuple[Look, Verdict]]:
        """Tell what there is to tell. Most suspects are our own commits, for which nobody has to be kept waiting."""
        async with self._catalogue.reading() as connection:
            verdicts = await self._judged(connection, suspects)
        if any(isinstance(found, NewChange) for _, found in verdicts):
            async with self._catalogue.changing() as connection:
                verdicts = await self._judged(connection, suspects)
                for change in (found for _, found in verdicts if isinstance(found, NewChange)):
                    await add_change(connection, change)
        return verdicts

    async def _judged(self, connection: AsyncConnection, suspects: Sequence[Suspect]) -> list[tuple[Look, Verdict]]:
        """What is to be said of each; where the transaction writes, no commit comes between the look and the word."""
        looks = await anyio.to_thread.run_sync(self._looks, suspects)
        told = await last_told(connection, list(looks))
        claims = await _claims(connection)
        verdicts: dict[Key, Verdict] = {}
        left: dict[Key, Verdict] = {}
        for suspect in suspects:
            found = verdicts[suspect.key] = self._judge(suspect, looks, told, claims)
            if suspect.origin is not None and _is_move(found):
                left[suspect.origin] = "known"
            elif suspect.origin is not None and found == "later":
                left[suspect.origin] = "later"  # it may have been moved from there
        return [(looks[suspect.key], left.get(suspect.key, verdicts[suspect.key])) for suspect in suspects]

    def _judge(
        self, suspect: Suspect, looks: Mapping[Key, Look], told: Mapping[Key, Last], claims: Mapping[Key, _Claim]
    ) -> Verdict:
        look, origin = looks[suspect.key], suspect.origin
        places = (suspect.key,) if origin is None else (suspect.key, origin)
        if _is_busy(places, claims):
            return "later"
        claim = claims.get(suspect.key)
        if claim is not None and claim.etag == (None if look.entry is None else look.entry.etag):
            return "known"  # a dead process's commit, or its removal: whoever ends it tells of it
        has_moved = origin is not None and (origin == suspect.key or looks[origin].entry is None)
        last = told.get(suspect.key)
        if last is not None and last.is_arrival and look.entry is not None:
            if _changed_ms(look.entry) <= last.told.at_ms:
                return "known"  # it has come with a folder that it is in
            last = None
        newest = None if last is None else last.told
        return verdict(suspect, look, newest, has_moved=has_moved, watched_since_ns=self._since_ns)

    def _looks(self, suspects: Sequence[Suspect]) -> dict[Key, Look]:
        """What is under each key, and where it came from. For a thread."""
        looks = {suspect.key: self._look_at(suspect.key, is_closed=suspect.is_closed) for suspect in suspects}
        origins = (suspect.origin for suspect in suspects if suspect.origin is not None)
        return {origin: self._look_at(origin, is_closed=True) for origin in origins} | looks

    def _look_at(self, key: Key, *, is_closed: bool) -> Look:
        folder, _, name = key.rpartition("/")
        try:
            with directory_beneath(self._root, folder) as directory:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    is_writing = not is_closed and _is_writing(directory, name, status)
                    return Look(entry_of(key, status), is_writing)
        except OSError:
            pass  # as little there as for whoever asks us for it
        return Look(None)


def _changed_ms(entry: Entry) -> int:
    """When the file was written to, or got its name (Unix time): the end of its identity."""
    return int(entry.identity.rpartition("-")[2], 16) // 1_000_000


def _is_busy(places: Sequence[Key], claims: Mapping[Key, _Claim]) -> bool:
    """Whether somebody is just writing to one of these places, or moving a folder that it lies in."""
    concerned = (Key(each) for place in places for each in (place, *folders_above(place)))
    return any(each in claims and claims[each].is_alive for each in concerned)


def _is_move(found: Verdict) -> bool:
    return isinstance(found, NewChange) and found.kind == "moved"


def _is_writing(directory: int, name: str, status: os.stat_result) -> bool | None:
    """Whether somebody is still writing; None where nobody can tell, and its last change was just now."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except PermissionError:
        is_writing = None
    else:
        try:
            is_writing = is_being_written(descriptor)
        finally:
            os.close(descriptor)
    return None if is_writing is None and is_fresh(status) else bool(is_writing)


def _lacks_partner(words: Sequence[Word]) -> bool:
    """Whether the last words tell of a rename and not yet where to."""
    arrived = {word.cookie for word in words[-8:] if Mask.MOVED_TO in word}
    return any(Mask.MOVED_FROM in word and word.cookie not in arrived for word in words[-8:])


async def _claims(connection: AsyncConnection) -> dict[Key, _Claim]:
    """Who is just writing to which file."""
    claims, now_ms = schema.claims.c, time.time_ns() // 1_000_000
    rows = await connection.execute(select(claims.key, claims.etag, claims.expires_at_ms))
    return {Key(key): _Claim(etag, expires_at_ms >= now_ms) for key, etag, expires_at_ms in rows}
