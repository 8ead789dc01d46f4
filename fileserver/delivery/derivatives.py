"""What is made of stored media: by workers, from one version of a file, the same each time; kept if it was costly."""

import hashlib
import json
import logging
import os
import tempfile
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from fileserver.delivery.disk_cache import DiskCache, copy_bytes
from fileserver.delivery.table_sources import descriptor_of
from fileserver.jobs import Json
from fileserver.jobs.scratch import make_private
from fileserver.media import (
    MediaBusy,
    MediaEngineFailed,
    MediaFault,
    MediaMissing,
    MediaOutOfMemory,
    MediaOutOfTime,
    fault_of,
)
from fileserver.workers import KeptWorkers, QueueFull, WorkerDied, WorkerEnd
from storage import Entry, Library, Reader, StorageError

log = logging.getLogger("fileserver.derivatives")

_FORMAT_VERSION = 1
"""Of everything that is kept: a server that would make something else has another."""

_REMEMBERED_SIZE = 16 << 20
"""Bytes of indexes and descriptions that a process remembers, as they are written: some 30 KiB are usual of a film of
two hours, a hostile file's index takes 4 MiB, and six times as much in memory."""
_LONGEST_DOCUMENT = 16 << 20
_PARSED_AT_ONCE = 2

_HELD_IN_MEMORY = 256 << 20
"""Bytes of products that wait in memory for their clients to fetch them; what comes on top waits on disk. A segment has
some MiB, a hostile file's 256, and a client may take hours."""

_GIVEN_UP_S = 60.0
"""A few small requests for one hostile file would keep the workers from everybody else for half an hour."""
_MOST_GIVEN_UP = 1000

_MADE_WITH = ("av", "pillow")
"""What another version of makes other bytes."""

_NEEDED = ("av", "PIL")

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Derivative:
    """What to make: a kind that the engine has, and its terms. What is costly is kept on disk."""

    kind: str
    terms: Mapping[str, Json] = field(default_factory=dict)
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Product:
    """What was made: an open file and the number of its bytes."""

    descriptor: int
    size: int


@dataclass(slots=True)
class _Flight:
    """Work that others wait for. Its fault is theirs as well: each would meet it again, one after the other."""

    is_over: anyio.Event = field(default_factory=anyio.Event)
    fault: MediaFault | None = None


@dataclass(slots=True)
class _Parsed:
    """Documents that were asked for last, of `size` bytes together."""

    known: OrderedDict[str, tuple[Any, int]] = field(default_factory=OrderedDict)
    size: int = 0

    def recall(self, name: str) -> Any:
        """What is known under a name, or None."""
        if name not in self.known:
            return None
        self.known.move_to_end(name)
        return self.known[name][0]

    def remember(self, name: str, found: Any, size: int) -> None:
        """Know it from now on, and forget what was asked for longest ago."""
        _, before = self.known.pop(name, (None, 0))
        self.known[name] = found, size
        self.size += size - before
        while self.size > _REMEMBERED_SIZE:
            _, (_, gone) = self.known.popitem(last=False)
            self.size -= gone


@dataclass(slots=True)
class _GivenUp:
    """Work on files that took all its time or memory a moment ago: it is not tried again at once, in no variant."""

    known: OrderedDict[tuple[str, str, str], tuple[float, MediaFault]] = field(default_factory=OrderedDict)

    def check(self, work: tuple[str, str, str]) -> None:
        """Raises the fault that it ended in."""
        until_s, fault = self.known.get(work, (0.0, None))
        if fault is not None and time.monotonic() < until_s:
            raise type(fault)(fault.detail)

    def add(self, work: tuple[str, str, str], fault: MediaFault) -> None:
        """Leave it alone from now on."""
        self.known[work] = time.monotonic() + _GIVEN_UP_S, fault
        while len(self.known) > _MOST_GIVEN_UP:
            self.known.popitem(last=False)


@dataclass(slots=True)
class Derivatives:
    """Makes derivatives of a library's files by workers, each once for all who ask at a time.

    `folder` holds nothing: it is all that a worker sees of the disk. Both are within the server's scratch folder.
    """

    library: Library
    workers: KeptWorkers
    cache: DiskCache
    folder: Path
    held_in_memory: int = _HELD_IN_MEMORY
    _held: int = field(default=0, init=False)
    _flights: dict[str, _Flight] = field(default_factory=dict, init=False)
    _parsed: _Parsed = field(default_factory=_Parsed, init=False)
    _given_up: _GivenUp = field(default_factory=_GivenUp, init=False)
    _turns: anyio.CapacityLimiter = field(default_factory=partial(anyio.CapacityLimiter, _PARSED_AT_ONCE), init=False)

    @property
    def missing(self) -> str | None:
        """What has to be installed before anything can be made."""
        return _what_to_install()

    @asynccontextmanager
    async def made(self, reader: Reader, derivative: Derivative) -> AsyncIterator[Product]:
        """A derivative of an open file, closed with the context. Raises MediaFault of every kind, StorageError."""
        entry = await self.library.describe(reader)
        name = name_of(entry, derivative)
        if derivative.is_kept and (kept := await self._kept(name)) is not None:
            with _closing(kept):
                yield Product(kept, os.fstat(kept).st_size)
            return
        product = _empty(derivative.kind)
        with _closing(product):
            if not derivative.is_kept:
                await self._make(reader, entry, derivative, product)
                async with self._holding(product) as held:
                    yield held
                return
            self._flights[name] = flight = _Flight()
            try:
                await self._make(reader, entry, derivative, product)
                size = os.fstat(product).st_size
                with anyio.CancelScope(shield=True):
                    await self.cache.copy(name, product, size)
            except MediaFault as fault:
                flight.fault = fault
                raise
            finally:
                del self._flights[name]
                flight.is_over.set()
            async with self._holding(product) as held:
                yield held

    async def parsed(self, reader: Reader, derivative: Derivative, parse: Callable[[bytes], Parsed]) -> Parsed:
        """What `parse` makes of a small derivative. Raises MediaFault of every kind."""
        name = name_of(await self.library.describe(reader), derivative)
        found: Parsed | None = self._parsed.recall(name)
        if found is not None:
            return found
        async with self.made(reader, derivative) as product, self._turns:
            found = self._parsed.recall(name)  # by those whose turn came first
            if found is None:
                found = await anyio.to_thread.run_sync(_read, product, parse)
                self._parsed.remember(name, found, product.size)
        return found

    async def _kept(self, name: str) -> int | None:
        """A descriptor of what is kept, also if somebody is just making it. Raises the fault that this ends in."""
        while True:
            while (flight := self._flights.get(name)) is not None:
                await flight.is_over.wait()
                if flight.fault is not None:
                    raise type(flight.fault)(flight.fault.detail)
            kept = await self.cache.open(name)
            if kept is not None or name not in self._flights:
                return kept

    @asynccontextmanager
    async def _holding(self, product: int) -> AsyncIterator[Product]:
        """A product until it is fetched, on disk where too much is in memory. Raises MediaBusy without room there."""
        size = os.fstat(product).st_size
        if self._held + size > self.held_in_memory:
            with _closing(await anyio.to_thread.run_sync(_moved_to_disk, product, self.cache.folder)) as moved:
                yield Product(moved, size)
            return
        self._held += size
        try:
            yield Product(product, size)
        finally:
            self._held -= size

    async def _make(self, reader: Reader, entry: Entry, derivative: Derivative, product: int) -> None:
        if self.missing is not None:
            raise MediaMissing(f"this server lacks what works on media: {self.missing}")
        media_type = (entry.media_type or "").partition(";")[0]
        spec = {"kind": derivative.kind, "terms": derivative.terms, "media_type": media_type}
        self._given_up.check(work := (entry.key, entry.identity, derivative.kind))
        try:
            async with descriptor_of(reader, self.cache.folder) as source:
                await self._work(json.dumps(work[:2]), spec, {"source": source, "product": product})
        except QueueFull as error:
            raise MediaBusy("too much else is asked of it now") from error
        except WorkerDied as error:
            fault = _fault_of_end(error.end)
            if isinstance(fault, MediaOutOfTime | MediaOutOfMemory):
                self._given_up.add(work, fault)
            raise fault from error
        except OSError as error:  # not the client's departure: nothing was sent to it yet
            raise StorageError from error

    async def _work(self, subject: str, spec: Mapping[str, Any], files: Mapping[str, int]) -> None:
        await anyio.to_thread.run_sync(self._make_folder)
        said = await self.workers.do(subject, spec, files, folder=self.folder)
        if said["type"] == "failed":
            raise fault_of(said)

    def _make_folder(self) -> None:
        if not self.folder.exists():
            make_private(self.folder)
            self.folder.chmod(0o500)


def _empty(kind: str) -> int:
    """A file in memory. Raises StorageError where no more may be open: an OSError is for clients that leave."""
    try:
        return os.memfd_create(kind, os.MFD_CLOEXEC)
    except OSError as error:
        raise StorageError from error


def _read(product: Product, parse: Callable[[bytes], Parsed]) -> Parsed:
    if product.size > _LONGEST_DOCUMENT:
        raise MediaEngineFailed("the worker wrote too much")
    return parse(os.pread(product.descriptor, product.size, 0))


def _moved_to_disk(product: int, folder: Path) -> int:
    """A file without a name that has what a file in memory had. Raises MediaBusy where there is no room for it."""
    try:
        make_private(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            copy_bytes(product, file.fileno(), os.fstat(product).st_size)
            os.ftruncate(product, 0)
            return os.dup(file.fileno())
    except OSError as error:
        raise MediaBusy("too much of what it made waits for slow clients") from error


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@cache
def _what_to_install() -> str | None:
    return None if all(map(find_spec, _NEEDED)) else "the extra `media`: pip install '.[media]'"


def name_of(entry: Entry, derivative: Derivative) -> str:
    """Another one for each version of a file that was described, for each thing made of it, and what it is made with.

    It is the thing's strong validator too: two servers of which one has newer libraries do not mean the same bytes.
    """
    file = [entry.key, entry.identity, entry.size, entry.media_type]
    told = [_FORMAT_VERSION, _made_with(), *file, derivative.kind, derivative.terms]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@cache
def _made_with() -> tuple[str, ...]:
    return tuple(version(name) for name in _MADE_WITH) if _what_to_install() is None else ()


def _fault_of_end(end: WorkerEnd) -> MediaFault:
    """Why a worker ended without a last word."""
    match end.reason:
        case "memory":
            return MediaOutOfMemory("this needs more memory than it may have")
        case "time" | "cpu" | "stalled":
            return MediaOutOfTime("this takes longer than it may")
        case _:
            words = end.words.encode("unicode_escape").decode("ascii")  # a file's own text may be among them
            log.error("a worker has %s (exit code %s, signal %s): %s", end.reason, end.exit_code, end.signal, words)
            return MediaEngineFailed("the worker ended before its work did")
