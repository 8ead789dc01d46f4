"""The feed: every change to the library as a numbered row, in the order in which it was committed.

Who wants to go on reads what comes after the last number it saw: there is no queue for a reader, and nothing to be lost
in one. Numbers may be left out; none is given twice, also when a power cut took the last rows with it. What happened to
files is committed with the record of it. Progress is told in passing: such rows may be lost, and are dropped sooner.
"""

import json
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, insert, or_, select, text, update

from storage import schema
from storage.catalogue import Catalogue
from storage.change import PROGRESS, Change, NewChange, add_change
from storage.errors import StoreUnavailable
from storage.keys import Key
from storage.signals import Signal

LIFETIME_S = 7 * 86_400.0
MOST = 1_000_000
"""Rows that are kept, about 200 MB."""
PROGRESS_LIFETIME_S = 600.0
_PAGE = 100  # rows of one look, which a reader that has come no further holds: some 150 KB, and 3 ms of the event loop
_PAGE_TEXT = 1 << 20  # characters that a page may hold: a hundred of the longest comments are 5 MB
_RECENT = 500  # rows that are shared by all who are up to date
_PRUNED_AT_ONCE = 10_000  # so that no writer waits long
_POLL_S = 0.1  # SQLite wakes nobody when another process has written
_SPARE = 10_000  # numbers left out at a start, were the clock to stand still
_ROW = 1  # the table has no other

_changes = schema.changes.c
_COLUMNS = (_changes.id, _changes.at_ms, _changes.kind, _changes.key, _changes.content)
_NEXT = select(*_COLUMNS).where(_changes.id > bindparam("after")).order_by(_changes.id).limit(bindparam("most"))
_SEQUENCE = text("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")
_SET_SEQUENCE = text("UPDATE sqlite_sequence SET seq = :seq WHERE name = 'changes'")
_GAPS = select(schema.feed_gaps.c.last, schema.feed_gaps.c.first)


@dataclass(frozen=True, slots=True)
class Extent:
    """Which numbers were given: those up to `pruned` may be gone, `newest` is the last.

    Between the two of each pair of `gaps` none was given by this catalogue: one that was put back from a backup has
    not what its successor told.
    """

    pruned: int
    newest: int
    gaps: tuple[tuple[int, int], ...] = ()

    def reaches(self, number: int) -> bool:
        """Whether all that came after a number is still there, and the number is one of this feed.

        >>> extent = Extent(10, 30, gaps=((15, 20),))
        >>> [number for number in (9, 10, 15, 17, 20, 30, 31) if extent.reaches(number)]
        [10, 15, 20, 30]
        """
        is_given = not any(last < number < first for last, first in self.gaps)
        return self.pruned <= number <= self.newest and is_given


class Changes:
    """The feed of one catalogue, as one process reads and writes it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._arrived = Signal()
        self._listeners = 0
        self._recent: list[Change] = []
        self._recent_after: int | None = None  # `_recent` are all rows after this one; None: nobody reads them

    async def start(self) -> None:
        """Begin a new stretch of numbers: no other process gives any yet.

        They begin at the time of day (in microseconds: JavaScript counts so far exactly until 2255), so that neither a
        power cut nor a new catalogue gives one again.
        """
        async with self._catalogue.changing() as connection:
            given = (await connection.execute(_SEQUENCE)).scalar()
            first = max((given or 0) + _SPARE, time.time_ns() // 1000)
            if given is None:
                await connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', 0)"))
                await connection.execute(insert(schema.feed).values(id=_ROW, pruned=first))
            else:
                await connection.execute(insert(schema.feed_gaps).values(last=given, first=first))
            await connection.execute(_SET_SEQUENCE, {"seq": first})

    async def add(self, change: NewChange) -> None:
        """Tell of something that a power cut may make forgotten. Raises StoreUnavailable."""
        async with self._catalogue.changing() as connection:
            await add_change(connection, change)

    async def extent(self) -> Extent:
        """The numbers that were given so far. Raises StoreUnavailable."""
        pruned = select(schema.feed.c.pruned).scalar_subquery()
        async with self._catalogue.reading() as connection:
            row = (await connection.execute(select(pruned, text(f"({_SEQUENCE.text})")))).one()
            gaps = (await connection.execute(_GAPS)).all()
        return Extent(row[0] or 0, row[1] or 0, tuple((last, first) for last, first in gaps))

    async def after(self, number: int, limit: int = _PAGE) -> tuple[Change, ...]:
        """The changes with the lowest numbers above this one; fewer where they are long. Raises StoreUnavailable."""
        async with self._catalogue.reading() as connection:
            rows = await connection.execute(_AFTER, {"after": number, "most": limit})
            return tuple(_change(*row) for row in rows)

    async def follow(self, after: int, *, quiet_s: float) -> AsyncGenerator[tuple[Change, ...], None]:
        """What came after a number and what comes, for ever; none where nothing came for `quiet_s`.

        Only while `watch` runs. Raises StoreUnavailable.
        """
        with self._listening():
            while True:
                arrived = self._arrived.next
                page = self._shared(after)
                if page is None:
                    page = await self.after(after)
                if not page:
                    with anyio.move_on_after(quiet_s) as waiting:
                        await arrived.wait()
                    if not waiting.cancelled_caught:
                        continue
                else:
                    after = page[-1].id
                yield page

    async def watch(self) -> None:
        """Read each new row once for all who follow, for as long as it runs."""
        while True:
            changed = self._catalogue.changed.next
            if not self._listeners:
                self._recent_after = None
                await changed.wait()
                continue
            try:
                version = self._catalogue.version()
                await self._take_new()
                await self._wait(changed, version)
            except StoreUnavailable:  # whoever asks for more is told
                await anyio.sleep(_POLL_S)

    async def prune(self, *, lifetime_s: float = LIFETIME_S, most: int = MOST) -> None:
        """Drop what is too old, or too much. Raises StoreUnavailable."""
        now_ms = time.time_ns() // 1_000_000
        stale = _changes.kind.in_(PROGRESS), _changes.at_ms < now_ms - PROGRESS_LIFETIME_S * 1000
        await self._drop(and_(*stale), is_reset=False)
        newest = (await self.extent()).newest
        old = or_(_changes.at_ms < now_ms - lifetime_s * 1000, _changes.id <= await self._last_beyond(most, newest))
        await self._drop(old, is_reset=True)

    async def _last_beyond(self, most: int, newest: int) -> int:
        """The number up to which rows are too many."""
        statement = select(_changes.id).where(_changes.id <= newest).order_by(_changes.id.desc()).offset(most).limit(1)
        async with self._catalogue.reading() as connection:
            return (await connection.execute(statement)).scalar() or 0

    async def _drop(self, condition: ColumnElement[bool], *, is_reset: bool) -> None:
        """Drop rows a few at a time; with `is_reset` whoever has not seen them learns that it missed something."""
        some = select(_changes.id).where(condition).order_by(_changes.id).limit(_PRUNED_AT_ONCE)
        while True:
            async with self._catalogue.reading() as connection:  # which looks at all rows, and keeps no writer waiting
                ids = (await connection.execute(some)).scalars().all()
            if not ids:
                return
            async with self._catalogue.changing() as connection:
                found = condition, _changes.id.between(ids[0], ids[-1])
                await connection.execute(delete(schema.changes).where(*found))
                if is_reset:
                    await connection.execute(update(schema.feed).values(pruned=func.max(schema.feed.c.pruned, ids[-1])))
                    await connection.execute(delete(schema.feed_gaps).where(schema.feed_gaps.c.first <= ids[-1]))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._listeners += 1
        self._catalogue.changed.set()  # whoever watches had nothing to do until now
        try:
            yield
        finally:
            self._listeners -= 1

    def _shared(self, after: int) -> tuple[Change, ...] | None:
        """What came after a number, where all of it has been read already."""
        if self._recent_after is None or after < self._recent_after:
            return None
        start = bisect_right(self._recent, after, key=lambda change: change.id)
        return tuple(self._recent[start : start + _PAGE])

    async def _take_new(self) -> None:
        if self._recent_after is None:
            self._recent, self._recent_after = [], (await self.extent()).newest
            self._arrived.set()  # what came before is read by those who want it, each for itself
        newest = self._recent[-1].id if self._recent else self._recent_after
        while page := await self.after(newest):
            self._recent += page
            newest = page[-1].id
            if len(self._recent) > 2 * _RECENT:
                self._recent_after = self._recent[-_RECENT - 1].id
                del self._recent[:-_RECENT]
            self._arrived.set()

    async def _wait(self, changed: anyio.Event, version: int) -> None:
        """Until somebody has written, in this process or in another."""
        while not changed.is_set():
            with anyio.move_on_after(_POLL_S if self._catalogue.is_kept else None):
                await changed.wait()
            if not self._listeners or self._catalogue.version() != version:
                return


def _bounded_statement() -> Select[int, int, str, str | None, str]:
    """The next rows, but for those that come when the page is full."""
    some = _NEXT.subquery()
    before = func.sum(func.length(some.c.content)).over(order_by=some.c.id, rows=(None, -1))
    sized = select(some, func.coalesce(before, 0).label("before")).subquery()
    columns = (sized.c.id, sized.c.at_ms, sized.c.kind, sized.c.key, sized.c.content)
    return select(*columns).where(sized.c.before < _PAGE_TEXT).order_by(sized.c.id)


_AFTER = _bounded_statement()  # to put it together takes longer than to run it


def _change(number: int, at_ms: int, kind: Any, key: str | None, content: str) -> Change:
    return Change(number, at_ms, kind, None if key is None else Key(key), json.loads(content))
