"""Where rows are in a file: a few marks, so that a slice deep in it is found without reading what is before.

An index grows with what was read. It belongs to one version of a file and one way to read it, which is its keeper's to
know. As bytes: `_MAGIC`, the number of rows (-1: not known yet), then pairs of a row and the byte it begins on, as
64-bit integers of little-endian order.
"""

import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import chain, pairwise

_MAGIC = b"fsrows1\n"
_HEAD = struct.Struct(f"<{len(_MAGIC)}sq")
_MARK = struct.Struct("<qq")
MARK_DISTANCE = 512 * 1024
"""Bytes between two marks at least, which is all that is read in vain: 1 GB has 32 KB of marks."""
MAX_SIZE = _HEAD.size + _MARK.size * (1 << 20)
"""Bytes of an index that is believed: enough for 512 GiB of table."""


@dataclass(slots=True)
class RowIndex:
    """Marks in the order of the file: `rows[i]`, counted from 0, begins on byte `offsets[i]`.

    `total` is how many rows there are, where that is known. `has_grown` tells of an index that was added to.
    """

    rows: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    total: int | None = None
    has_grown: bool = False

    def note(self, row: int, offset: int) -> None:
        """Remember where a row begins, unless that is too near to what is known, or before it."""
        if offset >= (self.offsets[-1] if self.offsets else 0) + MARK_DISTANCE:
            self.rows.append(row)
            self.offsets.append(offset)
            self.has_grown = True

    def end(self, total: int) -> None:
        """Remember how many rows there are."""
        self.has_grown |= self.total != total
        self.total = total

    def before(self, row: int) -> tuple[int, int] | None:
        """The last mark at or before a row, and where it begins.

        >>> RowIndex([100, 200], [600_000, 1_200_000]).before(150)
        (100, 600000)
        """
        place = bisect_right(self.rows, row) - 1
        return (self.rows[place], self.offsets[place]) if place >= 0 else None

    def as_bytes(self) -> bytes:
        """The index as `index_of` reads it."""
        marks = chain.from_iterable(zip(self.rows, self.offsets, strict=True))
        total = -1 if self.total is None else self.total
        return _HEAD.pack(_MAGIC, total) + struct.pack(f"<{2 * len(self.rows)}q", *marks)


def index_of(content: bytes) -> RowIndex:
    """The index that these bytes are; an empty one if they are none.

    >>> index_of(RowIndex([7], [600_000], 9).as_bytes())
    RowIndex(rows=[7], offsets=[600000], total=9, has_grown=False)
    >>> index_of(b"cut short")
    RowIndex(rows=[], offsets=[], total=None, has_grown=False)
    """
    if len(content) < _HEAD.size or (len(content) - _HEAD.size) % _MARK.size:
        return RowIndex()
    magic, total = _HEAD.unpack_from(content)
    marks = list(_MARK.iter_unpack(content[_HEAD.size :]))
    if magic != _MAGIC or not _is_rising(marks):
        return RowIndex()
    return RowIndex([row for row, _ in marks], [offset for _, offset in marks], total if total >= 0 else None)


def _is_rising(marks: list[tuple[int, int]]) -> bool:
    return all(ahead[0] <= row and ahead[1] < offset for ahead, (row, offset) in pairwise([(0, 0), *marks]))
