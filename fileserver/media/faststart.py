"""An MP4 that has its index at the end, laid out with the index in front: bytes of a file in, a layout out.

A player can begin with such a file at once, and without asking for its end first. The media data stay where they are
in the stored file; of the index only the tables that say where they are (`stco`, `co64`) are written anew. What cannot
be moved for sure is left as it is. Sources: ISO/IEC 14496-12 (s.4.2 boxes, s.8.7.5 chunk offsets, s.8.11.3 items),
QuickTime File Format (`wide`, `cmov`, `rmra`).
"""

import struct
import sys
from array import array
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fileserver.media.layout import Layout, Span, laid_out, plain

LARGEST_INDEX = 64 << 20
"""Bytes of a `moov` that is read at all; that of a film of two hours has two to five million."""
LARGEST_TABLES = 8 << 20
"""Bytes of chunk offsets in one file, which are kept while a layout is: two million chunks, a day of a film."""
LARGEST_META = 1 << 20
"""Bytes of a `meta` box outside the index that is looked into."""
MOST_BOXES = 1000
"""Boxes that a file may have beside each other; only fragmented ones have more."""
MOST_INNER_BOXES = 20_000
"""Boxes of an index that are looked at: some 30 for each track."""

_FIRST = frozenset({b"ftyp", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid"})
_WITHIN: Mapping[bytes, frozenset[bytes]] = {
    b"moov": frozenset({b"trak", b"udta", b"meta"}),
    b"trak": frozenset({b"mdia", b"udta", b"meta"}),
    b"mdia": frozenset({b"minf"}),
    b"minf": frozenset({b"stbl", b"dinf"}),
    b"udta": frozenset({b"meta"}),
}
"""Which boxes are looked into, by the box that they are in."""
_UNMOVABLE = frozenset({b"mvex", b"cmov", b"rmra", b"saio", b"iloc", b"meco"})
"""Fragments, packed indexes, other files, and further tables of places in the file."""
_WIDTHS = {b"stco": 4, b"co64": 8}
_TABLE_HEAD = 8  # version, flags and the number of entries
_SELF_CONTAINED = 1  # a flag of a data reference: the media data are in this very file

Asking: TypeAlias = Generator[Span, bytes, Layout]
"""Yields the spans of the file that it has to see, and is sent their bytes."""


class CannotMove(Exception):
    """The index is in front already, or is not known to be right in another place."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box and where it is; `head_size` bytes of it are its size and its kind."""

    kind: bytes
    start: int
    stop: int
    head_size: int
    is_open: bool = False
    """Its size is not said: it goes on to the end of the file."""

    @property
    def content(self) -> Span:
        """Where what is in it is."""
        return range(self.start + self.head_size, self.stop)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    box: Box
    parents: tuple[Box, ...]
    width: int
    offsets: "array[int]"

    @property
    def entries(self) -> Span:
        start = self.box.content.start + _TABLE_HEAD
        return range(start, start + self.width * len(self.offsets))


@dataclass(frozen=True, slots=True)
class _Patch:
    """Other bytes for some of the index, counted from its beginning."""

    replaced: Span
    content: bytes


@dataclass(frozen=True, slots=True)
class _Move:
    """The index, as large as it will be, goes to `place` from where it was."""

    place: int
    index: Span
    size: int

    def moved(self, offsets: "array[int]") -> list[int]:
        """Where the bytes at these offsets are afterwards."""
        growth = self.size - len(self.index)
        if offsets and self.place <= min(offsets) and max(offsets) < self.index.start:
            return [offset + self.size for offset in offsets]  # nearly every file
        return [self._moved(offset, growth) for offset in offsets]

    def _moved(self, offset: int, growth: int) -> int:
        if offset < self.place:
            return offset
        return offset + (self.size if offset < self.index.start else growth)


def planned(size: int) -> Asking:
    """How a file of `size` bytes is laid out with its index in front; as it is, if it cannot or need not be."""
    try:
        boxes = yield from top_level(size)
        index = index_of(boxes)
        for box in boxes:
            if box.kind == b"meta":
                _must_have_no_items((yield box.content))
        return plan(size, boxes, (yield range(index.start, index.stop)))
    except CannotMove:
        return plain(size)


def top_level(size: int) -> Generator[Span, bytes, tuple[Box, ...]]:
    """The boxes of a file that has its index behind its media data. Raises CannotMove for any other file."""
    boxes: list[Box] = []
    position = 0
    while size - position >= 8:
        box = _box((yield range(position, min(position + 16, size))), position, size)
        if box is None and any(each.kind == b"moov" for each in boxes):
            break  # some programs leave a few bytes of nothing behind the index
        if box is None or len(boxes) == MOST_BOXES:
            raise CannotMove
        boxes.append(box)
        _must_be_movable(boxes)
        position = box.stop
    return tuple(boxes)


def index_of(boxes: tuple[Box, ...]) -> Box:
    """The only index of a file. Raises CannotMove where there is none that is movable."""
    match [box for box in boxes if box.kind == b"moov"]:
        case [index] if index.stop - index.start <= LARGEST_INDEX:
            return index
    raise CannotMove


def plan(size: int, boxes: tuple[Box, ...], content: bytes) -> Layout:
    """The layout of a file of these boxes, whose index has this content, its own head included.

    Raises CannotMove.
    """
    index = index_of(boxes)
    if len(content) != index.stop - index.start:
        raise CannotMove
    root = Box(b"moov", 0, len(content), index.head_size, index.is_open)
    tables = _tables(content, root)
    place = _place(boxes)
    wide, move = _widened(tables, place, range(index.start, index.stop))
    patches = [*_size_patches(root, wide)]
    for table in tables:
        patches += _table_patches(table, move, is_widened=table in wide)
    moved = _patched(patches, range(index.start, index.stop))
    return laid_out([range(0, place), *moved, range(place, index.start), range(index.stop, size)])


def _must_be_movable(boxes: list[Box]) -> None:
    """Raises CannotMove as soon as a look at further boxes is of no use."""
    newest = boxes[-1].kind
    is_in_front = newest == b"moov" and not any(box.kind == b"mdat" for box in boxes)
    is_large = newest == b"meta" and len(boxes[-1].content) > LARGEST_META
    if is_in_front or is_large or newest == b"moof" or newest in _UNMOVABLE or boxes[0].kind not in _FIRST:
        raise CannotMove


def _box(head: bytes, start: int, end: int) -> Box | None:
    """The box that begins with these bytes, and has to end before `end`; None if there is none (s.4.2.2)."""
    if len(head) < 8:
        return None
    size, kind = struct.unpack_from(">I4s", head)
    if size == 1 and len(head) >= 16:
        (size,) = struct.unpack_from(">Q", head, 8)
        return Box(kind, start, start + size, 16) if 16 <= size <= end - start else None
    if size == 0 and kind != b"\0\0\0\0":
        return Box(kind, start, end, 8, is_open=True)
    return Box(kind, start, start + size, 8) if 8 <= size <= end - start else None


def _children(content: bytes, span: Span) -> Iterator[Box]:
    position = span.start
    while span.stop - position >= 8:
        box = _box(content[position : min(position + 16, span.stop)], position, span.stop)
        if box is None or box.is_open:
            if content.count(0, position, span.stop) == span.stop - position:
                return  # user data may end in four zero bytes (QuickTime), and padding in more
            raise CannotMove
        yield box
        position = box.stop


def _tables(content: bytes, root: Box) -> list[_Table]:
    """Every table of chunk offsets of the index."""
    tables: list[_Table] = []
    left = LARGEST_TABLES
    for number, (box, parents) in enumerate(_walked(content, (root,))):
        if number == MOST_INNER_BOXES or box.kind in _UNMOVABLE:
            raise CannotMove
        if box.kind == b"dref":
            _must_be_in_this_file(content, box)
        elif box.kind in _WIDTHS:
            tables.append(_table(content, box, parents))
            left -= len(tables[-1].entries)
        if left < 0:
            raise CannotMove
    return tables


def _walked(content: bytes, parents: tuple[Box, ...]) -> Iterator[tuple[Box, tuple[Box, ...]]]:
    """Boxes of the index and the boxes that they are in, the outermost first."""
    within = parents[-1]
    for box in _children(content, within.content):
        yield box, parents
        if box.kind == b"meta":
            _must_have_no_items(content[box.content.start : box.stop])
        elif box.kind in _WITHIN.get(within.kind, ()):
            yield from _walked(content, (*parents, box))


def _table(content: bytes, box: Box, parents: tuple[Box, ...]) -> _Table:
    start = box.content.start + _TABLE_HEAD
    width = _WIDTHS[box.kind]
    if box.head_size != 8 or start > box.stop:
        raise CannotMove
    (count,) = struct.unpack_from(">I", content, start - 4)
    if start + width * count > box.stop:
        raise CannotMove
    offsets = array("I" if width == 4 else "Q", content[start : start + width * count])
    _swap(offsets)
    return _Table(box, parents, width, offsets)


def _must_be_in_this_file(content: bytes, box: Box) -> None:
    """Raises CannotMove where a track has its data in another file: its offsets are not of this one (s.8.7.2)."""
    for entry in _children(content, range(box.content.start + _TABLE_HEAD, box.stop)):
        head = content[entry.content.start : entry.content.start + 4]
        if len(head) < 4 or not head[3] & _SELF_CONTAINED:
            raise CannotMove


def _must_have_no_items(meta: bytes) -> None:
    """Raises CannotMove where a `meta` box may tell of items by their places in the file (s.8.11.3)."""
    start = 0 if meta[4:8] == b"hdlr" else 4  # QuickTime's has no version and flags
    for number, box in enumerate(_children(meta, range(start, len(meta)))):
        if box.kind in _UNMOVABLE or number == MOST_BOXES:
            raise CannotMove


def _place(boxes: tuple[Box, ...]) -> int:
    """Where the index goes: behind the file's kind, where that is told first."""
    return boxes[0].stop if boxes[0].kind == b"ftyp" else 0


def _widened(tables: Iterable[_Table], place: int, index: Span) -> tuple[frozenset[_Table], _Move]:
    """Which tables get offsets of 8 bytes, and the move then.

    All of them or none: the index itself pushes data past 4 GiB, and the larger it gets the more.
    """
    move = _Move(place, index, len(index))
    wide: frozenset[_Table] = frozenset()
    narrow = frozenset(table for table in tables if table.width == 4)
    if any(_overflows(table, move) for table in narrow):
        wide = narrow
        move = _Move(place, index, len(index) + sum(4 * len(table.offsets) for table in wide))
    if any(_overflows(table, move) for table in tables if table not in wide):
        raise CannotMove
    return wide, move


def _overflows(table: _Table, move: _Move) -> bool:
    return max(move.moved(table.offsets), default=0) >= 1 << 8 * table.width


def _size_patches(root: Box, wide: Iterable[_Table]) -> Iterator[_Patch]:
    """The sizes of the boxes that grow, and that of the index in any case: it is the last one no more."""
    growths = Counter[Box]({root: 0})
    for table in wide:
        for box in (*table.parents, table.box):
            growths[box] += 4 * len(table.offsets)
    for box, growth in growths.items():
        size = box.stop - box.start + growth
        if box.head_size == 16:
            yield _Patch(range(box.start + 8, box.start + 16), struct.pack(">Q", size))
        else:
            yield _Patch(range(box.start, box.start + 4), struct.pack(">I", size))


def _table_patches(table: _Table, move: _Move, *, is_widened: bool) -> Iterator[_Patch]:
    moved = array("Q" if is_widened or table.width == 8 else "I", move.moved(table.offsets))
    _swap(moved)
    if is_widened:
        yield _Patch(range(table.box.start + 4, table.box.start + 8), b"co64")
    yield _Patch(table.entries, moved.tobytes())


def _patched(patches: Iterable[_Patch], index: Span) -> Iterator[bytes | Span]:
    """The index with the patches in their places."""
    position = index.start
    for patch in sorted(patches, key=lambda each: each.replaced.start):
        yield range(position, index.start + patch.replaced.start)
        yield patch.content
        position = index.start + patch.replaced.stop
    yield range(position, index.stop)


def _swap(offsets: "array[int]") -> None:
    if sys.byteorder == "little":
        offsets.byteswap()
