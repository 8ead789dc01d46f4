"""The slow work in the background: digests are learned, stored bytes looked at again, jobs repeated.

Of all processes that share a catalogue one does it, as long as it lives (see `Ledger`); the others pass on what is
wanted of them. All reading is done by threads of the lowest priority, at one rate together.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from storage.catalogue import Catalogue, Facts
from storage.errors import IsFolder, NotFound, StorageError, StoreDamaged
from storage.keys import Key
from storage.ledger import Ledger
from storage.library import Library
from storage.model import Entry
from storage.remembered import version_of
from storage.rereading import Pace, Rereader
from storage.store import Store
from storage.verification import Finding, Verification
from storage.walk import walk

LEASE_S = 180.0  # each renewal is a write, which wakes a disk
SETTLED_S = 5.0  # who wrote to a file this lately may go on
_RENEWALS = 3  # as often as a lease is renewed in its time
_WALK_PAUSE_S = 600.0
_WALK_SHARE = 20  # a walk looks around for at most a twentieth of the time, however many files there are
_WANTED_PAUSE_S = 2.0  # polled: SQLite wakes nobody when another process wants something
_PASS_ON_PAUSE_S = 1.0
_TRIES = 30  # looks at a wanted file that does not settle: a minute
_AT_ONCE = 1000  # files between two turns of the event loop
_NEXT = "\0"  # behind a key: what comes next after it
_SCRUB_RATE = 32 << 20  # where nothing else is said
_FILE_WEIGHT = 64 << 10  # bytes that could be read in the time that it takes to open a file
_SCRUB_PAUSE_S = 600.0  # between two; periods are days
_POSITION_S = 60.0  # of scrubbing may be repeated after a crash


@dataclass(frozen=True, slots=True)
class Hashed:
    """A whole file was read."""

    key: Key
    size: int


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file's identity is the recorded one and its bytes are not."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Failed:
    """Some work met an error, and will be tried again."""

    work: str
    error: StorageError


Event: TypeAlias = Hashed | Damaged | Failed
Job: TypeAlias = Callable[[], Awaitable[None]]


class Upkeep:
    """Background work on one library.

    `hash_rate`: bytes per second to read at most, None for any number; 0 learns no digest at all. `scrub_period_s`: the
    time in which all files with known digests are read again and compared; None never does. A scrub reads no faster
    than `hash_rate`, and takes longer where that is not enough. `jobs` are done at the start and after every
    `job_pause_s`. `report` is called on the event loop.

    With a catalogue in memory (a server that may not write) only files that somebody asked for are hashed: a walk over
    all would begin anew with each start.
    """

    def __init__(
        self,
        library: Library,
        store: Store,
        catalogue: Catalogue,
        *,
        hash_rate: int | None,
        scrub_period_s: float | None,
        report: Callable[[Event], None],
        jobs: Sequence[Job] = (),
        job_pause_s: float = 60.0,
        lease_s: float = LEASE_S,
        settled_s: float = SETTLED_S,
    ) -> None:
        self._library = library
        self._store = store
        self._catalogue = catalogue
        self._is_hashing = hash_rate != 0
        self._scrub_period_s = scrub_period_s
        self._report = report
        self._jobs = jobs
        self._job_pause_s = job_pause_s
        self._lease_s = lease_s
        self._settled_ns = int(settled_s * 1e9)
        self._ledger = Ledger(catalogue, secrets.token_hex(8))
        self._rereader = Rereader(Pace(_SCRUB_RATE if hash_rate == 0 else hash_rate), threads=len(self._works()) or 1)
        self._verification = Verification(store, catalogue, self._rereader)
        self._in_hand: set[Key] = set()

    async def run(self) -> None:
        """Work until cancelled. The library is open all the while."""
        try:
            while self._works():
                if await self._has_lease():
                    await self._work()
                else:
                    await self._pass_on()
        finally:
            with anyio.CancelScope(shield=True), self._reported("end"):
                await self._ledger.end_lease()
            self._rereader.close()

    def _works(self) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
        hashing = (self._hash_wanted, self._walk) if self._catalogue.is_kept else (self._hash_wanted,)
        return (
            *(hashing if self._is_hashing else ()),
            *((self._scrub,) if self._scrub_period_s is not None else ()),
            *((self._repeat_jobs,) if self._jobs else ()),
        )

    async def _work(self) -> None:
        """All of it, as long as the lease lasts."""
        async with anyio.create_task_group() as tasks:
            for work in self._works():
                tasks.start_soon(work)
            while await self._has_lease():  # noqa: ASYNC110 renewed by time, not by an event
                await anyio.sleep(self._lease_s / _RENEWALS)
            tasks.cancel_scope.cancel()

    async def _pass_on(self) -> None:
        """Tell whoever has the lease what is wanted here, until it is time to ask for the lease again."""
        with anyio.move_on_after(self._lease_s / _RENEWALS):
            while self._is_hashing:
                keys = await self._library.wanted.take()
                with self._reported("pass on"):
                    await self._ledger.want(keys)
                await anyio.sleep(_PASS_ON_PAUSE_S)
            await anyio.sleep_forever()

    async def _has_lease(self) -> bool:
        with self._reported("lease"):
            return await self._ledger.lease(self._lease_s)
        return False

    async def _repeat_jobs(self) -> None:
        while True:
            for job in self._jobs:
                with self._reported("job"):
                    await job()
            await anyio.sleep(self._job_pause_s)

    async def _hash_wanted(self) -> None:
        """Learn the digests of files that somebody asked for, here or in another process."""
        tries: dict[Key, int] = {}
        while True:
            with anyio.move_on_after(_WANTED_PAUSE_S):
                tries |= dict.fromkeys(await self._library.wanted.take(), _TRIES)
            with self._reported("wanted"):
                tries |= dict.fromkeys(await self._ledger.take_wanted(_AT_ONCE), _TRIES)
            unsettled = [key for key in tries if not await self._learn(key)]
            tries = {key: tries[key] - 1 for key in unsettled if tries[key] > 1}
            if tries:
                await anyio.sleep(_WANTED_PAUSE_S)

    async def _walk(self) -> None:
        """Learn the digests of all files that have none, again and again."""
        while True:
            started_s, learning_s = time.monotonic(), 0.0
            with self._reported("walk"):
                async for page in walk(self._store):
                    for start in range(0, len(page), _AT_ONCE):
                        learning_s += await self._learn_all(page[start : start + _AT_ONCE])
            looking_s = time.monotonic() - started_s - learning_s
            await anyio.sleep(max(_WALK_PAUSE_S, looking_s * _WALK_SHARE))

    async def _learn_all(self, entries: Sequence[Entry]) -> float:
        """How many seconds were spent on learning rather than on looking."""
        facts = await self._catalogue.facts_of(entries)
        started_s = time.monotonic()
        for entry in entries:
            if not _is_known(facts.get(version_of(entry))):
                await self._learn(entry.key)  # one that has not settled has its turn in the next walk
        return time.monotonic() - started_s

    async def _learn(self, key: Key) -> bool:
        """Learn a digest unless it is known; false for a file that may still be written to, which is left alone."""
        if key in self._in_hand:
            return True
        self._in_hand.add(key)
        try:
            with self._reported("hash"):
                return await self._learned(key)
        finally:
            self._in_hand.discard(key)
        return True

    async def _learned(self, key: Key) -> bool:
        try:
            async with self._library.open(key) as reader:
                entry = reader.entry
                if 0 <= time.time_ns() - entry.modified_ns < self._settled_ns:
                    return False
                if not _is_known(await self._catalogue.facts(entry)):
                    sha256 = await self._rereader.sha256(reader)
                    self._report(Hashed(key, entry.size))
                    await self._library.learn_digest(entry, sha256)
        except (NotFound, IsFolder, StoreDamaged):
            pass  # gone or cut short since: another version, another time
        return True

    async def _scrub(self) -> None:
        """Compare all files with their digests, each as its turn comes within the period."""
        while True:
            with self._reported("scrub"):
                await self._scrub_once(await self._weight())
            await anyio.sleep(_SCRUB_PAUSE_S)

    async def _weight(self) -> int:
        weight = 0
        async for page in walk(self._store):
            for start in range(0, len(page), _AT_ONCE):
                entries = page[start : start + _AT_ONCE]
                facts = await self._catalogue.facts_of(entries)
                known = (entry.size for entry in entries if _is_known(facts.get(version_of(entry))))
                weight += sum(_FILE_WEIGHT + size for size in known)
        return weight

    async def _scrub_once(self, weight: int) -> None:
        """From where the last one was left to the end."""
        seconds_a_byte = (self._scrub_period_s or 0) / max(weight, _FILE_WEIGHT)
        position = await self._ledger.scrubbed()
        recorded_s = time.monotonic()
        try:
            while keys := await self._catalogue.keys_with_digests(position and position + _NEXT, limit=_AT_ONCE):
                for key in keys:
                    due_s = time.monotonic() + seconds_a_byte * (_FILE_WEIGHT + await self._check(key))
                    position = key
                    if time.monotonic() > recorded_s + _POSITION_S:
                        await self._ledger.scrub_from(position)
                        recorded_s = time.monotonic()
                    await anyio.sleep(max(0.0, due_s - time.monotonic()))
            position = Key("")
        finally:
            with anyio.CancelScope(shield=True), self._reported("scrub"):
                await self._ledger.scrub_from(position)

    async def _check(self, key: Key) -> int:
        """Compare one file; answers its size, 0 where there is nothing to compare."""
        finding = await self._verification.look(key)
        if finding is None or finding.expected is None:
            return 0
        self._report(Hashed(key, finding.size))
        if finding.kind == "damaged":
            self._report(Damaged(finding))
        return finding.size

    @contextmanager
    def _reported(self, work: str) -> Iterator[None]:
        try:
            yield
        except StorageError as error:
            self._report(Failed(work, error))


def _is_known(facts: Facts | None) -> bool:
    return facts is not None and (facts.sha256 or facts.learned_sha256) is not None
