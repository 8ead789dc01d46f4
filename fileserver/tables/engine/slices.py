"""A few rows from anywhere in a table, with their values as they came.

No query runs: the records are read by the rules of every other job, from the last mark before them, and cut into cells.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from fileserver.tables.engine.beginning import Beginning, beginning_of
from fileserver.tables.engine.decoding import pieces_of
from fileserver.tables.engine.formats.names import unique_names
from fileserver.tables.engine.grammar import Grammar, Marks
from fileserver.tables.engine.indexed import MarkingReader, may_be_indexed
from fileserver.tables.engine.records import Batch, RecordReader
from fileserver.tables.engine.row_index import RowIndex
from fileserver.tables.plan import Input

MAX_SIZE = 4 << 20
"""Bytes of rows after which a slice ends before its limit; its first row may be longer."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Clean records of a table from the row `offset` on (counted from 0, rejected ones left out).

    `next` is the row to go on with, None at the end; `total` how many there are, where that is known.
    """

    table: Beginning
    offset: int
    records: tuple[bytes, ...]
    next: int | None
    total: int | None


def read_slice(descriptor: int, told: Input, index: RowIndex, *, offset: int, limit: int) -> Slice:
    """Up to `limit` rows from a row on; `index` grows if more was read than it knew.

    Raises EncodingFault, HeaderFault, PlanFault.
    """
    table = beginning_of(descriptor, told, coding="")
    batches, skipped = _batches(descriptor, table, index, offset)
    records = list[bytes]()
    size = 0
    for record in islice(_records(batches, _grammar(table), skipped), limit + 1):
        size += len(record)
        if len(records) == limit or (records and size > MAX_SIZE):
            return Slice(table, offset, tuple(records), offset + len(records), index.total)
        records.append(record)
    return Slice(table, offset, tuple(records), None, index.total)


def _batches(descriptor: int, table: Beginning, index: RowIndex, offset: int) -> tuple[Iterator[Batch], int]:
    """Batches with all rows from one on, and how many rows are before it in them."""
    if not may_be_indexed(table, descriptor):
        return _read(table.reader(knows_lines=False), table.pieces), offset
    if index.total is not None and offset >= index.total:
        return iter(()), 0
    mark = index.before(offset)
    if mark is None:
        return _read(MarkingReader(table, index, table.bytes_in), table.pieces), offset
    row, start = mark
    os.lseek(descriptor, start, os.SEEK_SET)
    reader = MarkingReader(table, index, lambda: os.lseek(descriptor, 0, os.SEEK_CUR), row=row)
    return _read(reader, pieces_of(descriptor)), offset - row


def _read(reader: RecordReader, pieces: Iterator[bytes]) -> Iterator[Batch]:
    for piece in pieces:
        yield reader.read(piece)
    yield reader.finish()


def _records(batches: Iterator[Batch], grammar: Grammar, skipped: int) -> Iterator[bytes]:
    for batch in batches:
        if batch.rows <= skipped:
            skipped -= batch.rows
        else:
            yield from islice(_cut(batch.clean, grammar), skipped, None)
            skipped = 0


def _cut(clean: bytes, grammar: Grammar) -> Iterator[bytes]:
    start = 0
    while start < len(clean):
        end = grammar.end_of_record(clean, start, is_final=True)
        stop = end if isinstance(end, int) else len(clean)
        yield clean[start:stop]
        start = stop + 1


def _grammar(table: Beginning) -> Grammar:
    """That of clean records: quotes within quotes are doubled, whatever the escape was."""
    marks = table.dialect.marks
    return Grammar(Marks(marks.delimiter, marks.quote, marks.quote))


def _as_json(found: Slice) -> bytes:
    """An object with the names of the columns, and a list for each row: texts, and null for an empty cell."""
    content = {
        "columns": found.table.names,
        "offset": found.offset,
        "rows": list(_values(found)),
        "next": found.next,
        "total": found.total,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _as_ndjson(found: Slice) -> bytes:
    """An object for each row, by the names of the columns; a name that was there before is numbered."""
    names = unique_names(found.table.names)
    rows = (dict(zip(names, row, strict=True)) for row in _values(found))
    return b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows)


def _as_csv(found: Slice) -> bytes:
    """The header and the records, these as they came but for line ends and escapes."""
    marks = found.table.dialect.marks
    header = marks.delimiter.join(_quoted(name.encode(), marks) for name in found.table.names)
    return b"".join(record + b"\n" for record in (header, *found.records))


def _values(found: Slice) -> Iterator[list[str | None]]:
    grammar = _grammar(found.table)
    for record in found.records:
        yield [grammar.text_of(cell) if cell else None for cell in grammar.cells_of(record)]


def _quoted(name: bytes, marks: Marks) -> bytes:
    """A name as a cell of a header."""
    is_plain = name and not any(mark in name for mark in (marks.delimiter, marks.quote, b"\r", b"\n") if mark)
    if is_plain or not marks.quote:
        return name
    return marks.quote + name.replace(marks.quote, marks.quote * 2) + marks.quote


FORMATS: Mapping[str, Callable[[Slice], bytes]] = {"json": _as_json, "ndjson": _as_ndjson, "csv": _as_csv}
