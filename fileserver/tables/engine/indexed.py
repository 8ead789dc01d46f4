"""A table that is marked as it is read, so that its rows are found again: see `row_index`.

Marks are bytes of a file, so there are none for a table that is packed or has to be decoded: its slices are read for
from the beginning.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from fileserver.tables.engine.beginning import Beginning
from fileserver.tables.engine.records import Batch, RecordReader
from fileserver.tables.engine.row_index import MAX_SIZE, RowIndex, index_of

OLD, NEW = "index", "new_index"
"""The descriptors of a job that hold the index there is, and take the one that it has grown to."""


class MarkingReader(RecordReader):
    """Reads records, and notes where they begin.

    `position` tells how many bytes of the file have been given to `read`; `row` is how many rows are before the first.
    """

    def __init__(
        self, table: Beginning, index: RowIndex, position: Callable[[], int], *, row: int = 0, knows_lines: bool = False
    ) -> None:
        super().__init__(
            table.dialect.marks,
            len(table.names),
            line=table.line,
            comment=(table.told.comment or "").encode(),
            pads=table.told.on_bad_row == "pad",
            knows_lines=knows_lines,
        )
        self._index = index
        self._position = position
        self._rows_given = row

    def read(self, data: bytes) -> Batch:
        """As every reader does."""
        batch = super().read(data)
        self._rows_given += batch.rows
        if not self.is_discarding:
            self._index.note(self._rows_given, self._position() - self.waiting_size)
        return batch

    def finish(self) -> Batch:
        """As every reader does; then it is known how many rows there are."""
        batch = super().finish()
        self._index.end(self._rows_given + batch.rows)
        return batch


@dataclass(frozen=True, slots=True)
class IndexedTable(Beginning):
    """A table whose reader notes in `index` where rows begin."""

    index: RowIndex

    def reader(self, *, knows_lines: bool) -> RecordReader:
        """What cuts the pieces into records."""
        return MarkingReader(self, self.index, self.bytes_in, knows_lines=knows_lines)


def indexed(table: Beginning, index: RowIndex) -> IndexedTable:
    """The same table, to be marked as it is read."""
    return IndexedTable(**{each.name: getattr(table, each.name) for each in fields(table)}, index=index)


def may_be_indexed(table: Beginning, descriptor: int) -> bool:
    """Whether rows can be found in the file by the bytes they begin on."""
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    return is_file and table.encoding == "utf-8" and not table.coding


def known_index(files: Mapping[str, int]) -> RowIndex:
    """The index that a job was given, or an empty one."""
    return index_of(os.pread(files[OLD], MAX_SIZE, 0)) if OLD in files else RowIndex()


def keep_index(index: RowIndex, files: Mapping[str, int]) -> bool:
    """Hand over an index that has grown, if it is wanted; whether it was."""
    if not index.has_grown or NEW not in files:
        return False
    os.pwrite(files[NEW], index.as_bytes(), 0)  # small, and a file: never in part
    return True
