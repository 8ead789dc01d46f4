"""Clean CSV so that the engine, which cuts it into blocks of equal size, finds where records begin in each.

The engine takes the first line feed of a block for the end of a record. Within a quoted value of many lines that is
none, and it fails over a table that is sound. To read without cutting (`parallel = false`) is no way out: it then keeps
all that it has read in memory. So a record of ours is put before such a one, and reaches over the cut. It begins with a
`filler` that nobody can guess, by which the scan leaves it out.
"""

import secrets
from codecs import BOM_UTF8
from collections.abc import Iterator

import numpy as np

from fileserver.tables.engine.grammar import Marks
from fileserver.tables.engine.records import ends_of


def new_filler(marks: Marks) -> str:
    """What the records of ours begin with: letters and digits at random, none of which is a mark."""
    return "".join(letter for letter in secrets.token_hex(32) if letter.encode() not in (marks.delimiter, marks.quote))


class Framing:
    """Frames a table of `width` columns that the engine cuts every `block_size` bytes."""

    def __init__(self, marks: Marks, width: int, filler: str, block_size: int) -> None:
        self._marks = marks
        self._filler = filler.encode()
        self._rest = marks.delimiter * (width - 1) + b"\n"
        self._block_size = block_size
        self._to_cut = block_size
        self._is_begun = False

    def pieces_of(self, clean: bytes) -> Iterator[bytes | memoryview]:
        """What to write for some whole records."""
        if clean and not self._is_begun:
            self._is_begun = True
            if clean.startswith(BOM_UTF8):  # a value's own: the engine drops one, and takes it for the table's
                clean = BOM_UTF8 + clean
        position = 0
        while position + self._to_cut < len(clean):
            cut = position + self._to_cut
            if self._is_between_quotes(clean, clean.index(b"\n", cut)):
                start = self._start_of_record(clean, cut)
                yield memoryview(clean)[position:start]
                filling = self._filling(cut - start)
                yield filling
                position, cut = start, cut - len(filling)
            self._to_cut = cut - position + self._block_size
        self._to_cut -= len(clean) - position
        yield memoryview(clean)[position:]

    def _filling(self, size: int) -> bytes:
        """A record of ours, of at least so many bytes before its line feed."""
        return self._filler.ljust(size, self._filler[:1]) + self._rest

    def _is_between_quotes(self, clean: bytes, place: int) -> bool:
        return bool(self._marks.quote) and clean.count(self._marks.quote, 0, place) % 2 == 1

    def _start_of_record(self, clean: bytes, place: int) -> int:
        ends = ends_of(clean, self._marks)
        before = int(np.searchsorted(ends, place))
        return int(ends[before - 1]) + 1 if before else 0
