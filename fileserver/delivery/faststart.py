"""A stored MP4 as an answer with its index in front: laid out once, sent from the file itself."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import anyio
import anyio.to_thread

from fileserver.delivery.asgi import Receive, Scope, Send, may_send_files, until_departure
from fileserver.delivery.download import CHUNK_SIZE, Sending, decision_of
from fileserver.delivery.virtual import described, keeping_of, made_of, virtual_file
from fileserver.http.ranges import Span
from fileserver.media.faststart import Asking, planned
from fileserver.media.layout import Layout
from storage import Entry, Key, Library, Reader

LAYOUTS_SIZE = 32 << 20
"""Bytes of tables that a process remembers; those of a film of two hours are some hundred thousand."""
MOST_LAYOUTS = 1000

_AT_ONCE = 2
"""Files that are laid out at a time: a hostile one takes some 150 MB and a second meanwhile."""
_AT_HAND = 64 * 1024
"""Bytes that are looked at without a thread: a hop costs more."""

_Version: TypeAlias = tuple[Key, str, int]


@dataclass(slots=True)
class Layouts:
    """Layouts of the files that were asked for last, one for each version: `most`, and of `max_size` bytes."""

    most: int = MOST_LAYOUTS
    max_size: int = LAYOUTS_SIZE
    _known: OrderedDict[_Version, Layout] = field(default_factory=OrderedDict, init=False)
    _size: int = field(default=0, init=False)
    _turns: anyio.CapacityLimiter = field(default_factory=partial(anyio.CapacityLimiter, _AT_ONCE), init=False)

    async def of(self, reader: Reader) -> Layout:
        """How an opened file is laid out with its index in front. Raises StoreDamaged where it has shrunk."""
        version = _version_of(reader.entry)
        if (known := self._recall(version)) is not None:
            return known
        async with self._turns:
            if (known := self._recall(version)) is not None:  # by those whose turn came first
                return known
            layout = await _laid_out(reader)
        self._remember(version, layout)
        return layout

    def _recall(self, version: _Version) -> Layout | None:
        if version in self._known:
            self._known.move_to_end(version)
        return self._known.get(version)

    def _remember(self, version: _Version, layout: Layout) -> None:
        self._forget(version)
        self._known[version] = layout
        self._size += _kept_size(layout)
        while self._size > self.max_size or len(self._known) > self.most:
            self._forget(next(iter(self._known)))

    def _forget(self, version: _Version) -> None:
        if (layout := self._known.pop(version, None)) is not None:
            self._size -= _kept_size(layout)


@dataclass(frozen=True, slots=True)
class FaststartDownload:
    """An ASGI application that answers GET and HEAD with a stored file whose index is in front, or as it is.

    `version` is the one that was asked about, the others are those of `Download`. Raises Replaced, and what that does.
    """

    library: Library
    layouts: Layouts
    key: Key
    version: str | None = None
    attachment: str | None = None
    chunk_size: int = CHUNK_SIZE
    limit_rate: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self.library.open(self.key) as reader:
            entry = await described(self.library, reader, self.version)
            layout = await self.layouts.of(reader)
            file = virtual_file(entry, "faststart", layout.size)
            decision = decision_of(scope, file, attachment=self.attachment, cache_control=keeping_of(self.version))
            answer = made_of(decision, layout.parts)
            sending = Sending(reader, send, self.chunk_size, self.limit_rate, has_zero_copy=may_send_files(scope))
            await until_departure(scope, receive, lambda: sending.send_decision(answer))


async def _laid_out(reader: Reader) -> Layout:
    asking = planned(reader.entry.size)
    step: Callable[[], Span | Layout] = partial(_advance, asking, None)
    found = step()
    while not isinstance(found, Layout):
        seen = await _read(reader, found)
        step = partial(_advance, asking, seen)
        found = step() if len(seen) <= _AT_HAND else await anyio.to_thread.run_sync(step)
    return found


def _advance(asking: Asking, seen: bytes | None) -> Span | Layout:
    """What it wants to see next, or what it found out."""
    try:
        return next(asking) if seen is None else asking.send(seen)
    except StopIteration as end:
        layout: Layout = end.value
        return layout


async def _read(reader: Reader, span: Span) -> bytes:
    async with aclosing(reader.chunks(span, CHUNK_SIZE)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def _kept_size(layout: Layout) -> int:
    return sum(len(piece) for piece in layout.pieces if isinstance(piece, bytes))


def _version_of(entry: Entry) -> _Version:
    return entry.key, entry.identity, entry.size
