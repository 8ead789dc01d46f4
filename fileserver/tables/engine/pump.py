"""A table on its way into the engine: bytes from a descriptor, checked, as clean CSV into a pipe.

A thread of its own, so that the engine reads while the next bytes arrive. What it finds wrong waits in `fault`: to the
engine a pipe that closes is a table that ends, so whoever prints has to look there before anything counts as whole.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from fileserver.tables.counts import Counts
from fileserver.tables.engine.beginning import Beginning
from fileserver.tables.engine.framing import Framing, new_filler
from fileserver.tables.engine.grammar import BUFFER_SIZE
from fileserver.tables.engine.places import Places
from fileserver.tables.engine.records import Batch, RecordReader, Reject, ends_of
from fileserver.tables.engine.sink import Sink
from fileserver.tables.faults import EngineFailed, OutOfMemory, RowFault, TableFault, TooManyRejects

RAW_SIZE = 1000
"""Characters of a row that are shown of it."""


@dataclass(slots=True)
class Rejects:
    """Where rejected rows are told of: NDJSON into a descriptor (none: nowhere), up to so many bytes."""

    descriptor: int | None
    max_size: int
    max_rows: int
    rows: int = 0
    _size: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rejects: list[RowFault]) -> None:
        """Take note of some. Raises TooManyRejects."""
        with self._lock:
            self.rows += len(rejects)
            if self.descriptor is not None and (lines := b"".join(self._that_fit(rejects))):
                with suppress(OSError):  # a full disk loses the list, not the table: the count stays right
                    os.write(self.descriptor, lines)
        if self.rows > self.max_rows:
            raise TooManyRejects(f"more than {self.max_rows} rows are malformed")

    def _that_fit(self, rejects: list[RowFault]) -> Iterator[bytes]:
        for line in map(_line, rejects):
            if self._size + len(line) > self.max_size:
                self.max_size = self._size  # a list without gaps ends here, even if a shorter one would fit
                return
            self._size += len(line)
            yield line


def _line(reject: RowFault) -> bytes:
    told = {"line": reject.line, "row": reject.row, "column": reject.column, "reason": reject.reason, "raw": reject.raw}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class Pump(threading.Thread):
    """Carries a table from its beginning to its end into the pipe that the engine reads."""

    def __init__(self, table: Beginning, sink: int, rejects: Rejects, *, aborts: bool, knows_lines: bool) -> None:
        super().__init__(daemon=True)
        self.fault: TableFault | None = None
        self.is_done = threading.Event()
        self._pieces = table.pieces
        self._reader: RecordReader = table.reader(knows_lines=knows_lines)
        self.filler = new_filler(table.dialect.marks)
        self._framing = Framing(table.dialect.marks, len(table.names), self.filler, BUFFER_SIZE)
        self._marks = table.dialect.marks.of_clean
        self._sink = Sink(sink)
        self._rejects = rejects
        self._rejected_before = rejects.rows  # of other tables
        self._aborts = aborts
        self._rows = 0
        self._rejected = 0
        self._blanks = table.blank_lines
        self._bytes_in = table.bytes_in
        self._places = Places(self._marks) if knows_lines else None

    def run(self) -> None:
        """Carry all of it; ends early without a fault when the engine takes no more."""
        self._sink.start()
        try:
            for batch in self._batches():
                self._take(batch)
        except BrokenPipeError:
            pass
        except TableFault as fault:
            self.fault = fault
        except MemoryError:
            self.fault = OutOfMemory("there is not enough memory to read the table")
        except Exception as error:  # of any kind: a thread that ended without a word would make half a table look whole
            self.fault = EngineFailed(f"the table could not be read: {type(error).__name__}")
        finally:
            self._sink.end()  # after the fault is known: to the engine this is the end of the table
            self.is_done.set()

    def counts(self, rows_out: int = 0) -> Counts:
        """What has come so far."""
        rejected = self._rejects.rows - self._rejected_before
        return Counts(self._rows + self._rejected, rows_out, rejected, self._blanks, self._bytes_in())

    def check(self) -> None:
        """Raise the fault, if there is one so far."""
        if self.fault is not None:
            raise self.fault

    def row_fault(self, number: int | None, reason: str, column: str | None) -> RowFault:
        """The fault of the `number`-th row that went in (from 1), with its place if that is still known."""
        place = self._places.find(number) if self._places is not None and number is not None else None
        if place is None:
            return RowFault(reason, column=column)
        return RowFault(reason, place.row, place.line, column, shown(place.raw))

    def _batches(self) -> Iterator[Batch]:
        for piece in self._pieces:
            yield self._reader.read(piece)
        yield self._reader.finish()

    def _take(self, batch: Batch) -> None:
        self._blanks += batch.blanks
        if batch.rejects and self._aborts:
            self._write(self._rows_before(batch, batch.rejects[0]))  # a limit may be reached with them
            raise fault_of_reject(batch.rejects[0])
        if batch.rejects:
            self._rejected += len(batch.rejects)
            self._rejects.add([fault_of_reject(reject) for reject in batch.rejects])
        if self._places is not None and batch.rows:
            self._places.add(self._rows + 1, batch)
        self._rows += batch.rows  # before they are seen: at the table's end the count is right
        self._write(batch.clean)

    def _rows_before(self, batch: Batch, reject: Reject) -> bytes:
        """The clean records before the first reject of a batch."""
        rows = reject.row - batch.row
        self._rows += rows
        return batch.clean[: int(ends_of(batch.clean, self._marks)[rows - 1]) + 1] if rows else b""

    def _write(self, clean: bytes) -> None:
        for piece in self._framing.pieces_of(clean):
            self._sink.put(piece)


def fault_of_reject(reject: Reject) -> RowFault:
    """The fault that a rejected record is."""
    return RowFault(reject.reason, row=reject.row, line=reject.line, raw=shown(reject.raw))


def shown(raw: bytes) -> str:
    """The beginning of a row, for people."""
    return raw[: RAW_SIZE * 4].decode("utf-8", "replace")[:RAW_SIZE]
