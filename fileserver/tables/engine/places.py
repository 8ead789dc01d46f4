"""Where rows came from: the engine knows them by number alone, and people want a line.

Rows are asked about soon after they went in, and in their order. So the last of them are kept, and no more.
"""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fileserver.tables.engine.grammar import Marks
from fileserver.tables.engine.records import Batch, ends_of

_KEPT_SIZE = 64 << 20
"""Bytes that are remembered, line numbers included: more than the engine takes in ahead of what leaves it."""
_SMALL_SIZE = 64 << 10  # bytes up to which batches are put together: a table may come in crumbs


@dataclass(frozen=True, slots=True)
class Place:
    """A row: the how-manieth of the table, its physical line (both from 1), and its bytes."""

    row: int
    line: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    """A batch whose first row is the `first`-th that went in."""

    first: int
    batch: Batch

    @property
    def size(self) -> int:
        return len(self.batch.clean) + (0 if self.batch.lines is None else self.batch.lines.nbytes)

    def leads_to(self, batch: Batch) -> bool:
        """Whether no record was rejected between them, as rows are numbered among the rejected ones."""
        return batch.row == self.batch.row + self.batch.rows + len(self.batch.rejects)

    def has(self, number: int) -> bool:
        return self.first <= number < self.first + self.batch.rows


class Places:
    """The places of the rows that went in last, in a table whose clean form has these marks."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._kept: deque[_Kept] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self._found: _Found | None = None

    def add(self, first: int, batch: Batch) -> None:
        """Remember a batch whose first row is the `first`-th that went in."""
        with self._lock:
            kept = _Kept(first, batch)
            if self._kept and self._kept[-1].size + kept.size <= _SMALL_SIZE and self._kept[-1].leads_to(batch):
                last = self._kept.pop()
                self._size -= last.size
                kept = _Kept(last.first, _together(last.batch, batch))
            self._kept.append(kept)
            self._size += kept.size
            while self._size > _KEPT_SIZE and len(self._kept) > 1:
                self._size -= self._kept.popleft().size

    def find(self, number: int) -> Place | None:
        """The `number`-th row that went in, counted from 1; None when it is no longer known."""
        if self._found is None or not self._found.kept.has(number):
            with self._lock:
                kept = next((each for each in self._kept if each.has(number)), None)
            self._found = None if kept is None else _Found(kept, self._marks)
        return None if self._found is None else self._found.place(number)


class _Found:
    """A batch in which rows are asked for: what takes long to find out is found out once."""

    def __init__(self, kept: _Kept, marks: Marks) -> None:
        self.kept = kept
        self._ends = ends_of(kept.batch.clean, marks)
        self._lines = _lines_of(kept.batch)
        self._rejected_lines = np.array([each.line for each in kept.batch.rejects], np.int64)

    def place(self, number: int) -> Place:
        index, batch = number - self.kept.first, self.kept.batch
        line, start = int(self._lines[index]), int(self._ends[index - 1]) + 1 if index else 0
        rejected_before = int(np.searchsorted(self._rejected_lines, line))
        return Place(batch.row + index + rejected_before, line, batch.clean[start : self._ends[index]])


def _lines_of(batch: Batch) -> NDArray[np.int64]:
    return np.arange(batch.line, batch.line + batch.rows, dtype=np.int64) if batch.lines is None else batch.lines


def _together(batch: Batch, following: Batch) -> Batch:
    return Batch(
        batch.line,
        batch.row,
        batch.clean + following.clean,
        batch.rows + following.rows,
        rejects=batch.rejects + following.rejects,
        lines=np.concatenate((_lines_of(batch), _lines_of(following))),
    )
