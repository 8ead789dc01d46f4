"""A transform at work: bytes of a table in, bytes of the transformed table out, as they come.

Plain and synchronous, so that it runs as well in a thread or a process of its own. Memory holds one batch of input
and what becomes of it, however long the table.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fileserver.tables.cells import VEILED_LINE_FEED, Veil
from fileserver.tables.counts import Counts
from fileserver.tables.dialect import beginning_of
from fileserver.tables.encoders import CsvEncoder, Encoder, NdjsonEncoder
from fileserver.tables.faults import HeaderFault, RowFault
from fileserver.tables.plan import Plan
from fileserver.tables.records import MAX_RECORD_SIZE, RecordReader, Reject, Run
from fileserver.tables.rows import Blanks, RowItem, rows_of
from fileserver.tables.steps import Program, compiled

BATCH_SIZE = 256 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class _Input:
    """The input, once its delimiter is known."""

    delimiter: bytes
    veil: Veil
    reader: RecordReader


@dataclass(frozen=True, slots=True)
class _Table:
    """The plan at work, once the columns are known."""

    delimiter: bytes
    program: Program
    encoder: Encoder


@dataclass(frozen=True, slots=True)
class _Leaving:
    """The rows of one batch that leave; `is_ended` as in `Run`."""

    records: list[bytes]
    is_ended: bool


class Engine:
    """Transforms one table: `feed` its bytes, then `finish`, and iterate over what each gives to the end.

    Both raise HeaderFault, PlanFault (a column that is not there) and RowFault. A batch that holds a fault gives
    nothing, so a table that is wrong near its beginning fails before the first byte of output. Once
    `has_reached_limit`, `feed` takes no notice of what it is given.
    """

    def __init__(self, plan: Plan) -> None:
        self.counts = Counts()
        """Of all rows up to the last batch; replaced, never changed."""
        self._plan = plan
        self._head = b""
        self._input: _Input | None = None
        self._table: _Table | None = None

    @property
    def has_reached_limit(self) -> bool:
        """Whether the plan's limit has ended the transform, whatever may follow in the input."""
        return self._table is not None and self._table.program.rows.is_done

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Output that the next bytes of the input, however many, make certain."""
        for start in range(0, len(data), BATCH_SIZE):
            yield from self._batch(data[start : start + BATCH_SIZE], is_last=False)

    def finish(self) -> Iterator[bytes]:
        """The rest of the output: the input has ended, or the limit is reached."""
        yield from self._batch(b"", is_last=True)
        if self._table is None:
            raise HeaderFault("no record is well-formed, so the columns are unknown")
        yield self._table.encoder.end(self.counts.rows_out, self.counts.rows_rejected)

    def _batch(self, data: bytes, *, is_last: bool) -> Iterator[bytes]:
        if self.has_reached_limit:
            return
        source = self._input = self._input or self._opened(data, is_last=is_last)
        if source is None:
            return
        data, self._head = self._head or data, b""
        items: list[RowItem] = [*source.reader.read(data), *(source.reader.finish() if is_last else ())]
        is_begun = self._table is not None
        if not is_begun:
            items = self._begun(source, items)
        leaving = self._leaving(items)
        if self._table is None:
            return
        if not is_begun and self._plan.has_output_header:
            has_rows = not self._plan.dialect.has_header
            yield self._table.encoder.header(is_ended=has_rows or source.reader.line_end != b"")
        if leaving.records:
            yield from self._table.encoder.rows(leaving.records, is_ended=leaving.is_ended)

    def _opened(self, data: bytes, *, is_last: bool) -> _Input | None:
        """The input when enough of it is in the head; the head then begins with the first record."""
        self._head += data
        beginning = beginning_of(self._head, self._plan.dialect, max_size=MAX_RECORD_SIZE, is_all=is_last)
        if beginning is None:
            return None
        self._head = self._head[beginning.offset :]
        self.counts = self.counts.plus(blank=beginning.blank_lines)
        veil = Veil(beginning.delimiter, self._plan.output_delimiter or beginning.delimiter)
        reader = RecordReader(beginning.delimiter, veil, beginning.blank_lines + 1)
        return _Input(beginning.delimiter, veil, reader)

    def _begun(self, source: _Input, items: list[RowItem]) -> list[RowItem]:
        """Begin the table at its first record; gives the items from there, or all, without the header."""
        for place, item in enumerate(items):
            match item:
                case Reject(_, reason) if self._plan.dialect.has_header:
                    raise HeaderFault(f"the header is malformed: {reason}")
                case Run(_, records) if any(records):
                    blanks = next(index for index, record in enumerate(records) if record)
                    self._leaving([*items[:place], Blanks(blanks)])
                    self._table = self._table_of(source, records[blanks])
                    return [self._below_header(item, blanks), *items[place + 1 :]]
                case Run(_, records):
                    items[place] = Blanks(len(records))
        return items

    def _table_of(self, source: _Input, first: bytes) -> _Table:
        program = compiled(self._plan, first, source.delimiter, source.veil)
        encoder: Encoder
        if self._plan.format == "ndjson":
            encoder = NdjsonEncoder(program, source.delimiter, source.veil)
        else:
            delimiters = source.delimiter, self._plan.output_delimiter or source.delimiter
            line_end = source.reader.line_end or b"\n"
            encoder = CsvEncoder(program, delimiters=delimiters, line_end=line_end, veil=source.veil)
        return _Table(source.delimiter, program, encoder)

    def _below_header(self, run: Run, first: int) -> Run:
        if not self._plan.dialect.has_header:
            return Run(run.first_line + first, run.records[first:], run.is_ended)
        lines = first + 1 + run.records[first].count(VEILED_LINE_FEED)
        return Run(run.first_line + lines, run.records[first + 1 :], run.is_ended)

    def _leaving(self, items: Iterable[RowItem]) -> _Leaving:
        """What the row steps keep. Raises RowFault; the counts have not moved then."""
        table, counts, leaving, is_ended = self._table, self.counts, list[bytes](), True
        for item in _rows(table, items):
            if self.has_reached_limit:
                break
            match item:
                case Reject(line, reason) if not self._plan.skips_malformed:
                    raise RowFault(counts.rows_in + 1, line, reason)
                case Reject():
                    counts = counts.plus(rejected=1)
                case Blanks(size):
                    counts = counts.plus(blank=size)
                case Run(_, records, is_ended) if table is not None:
                    kept = table.program.rows.keep(records)
                    leaving += kept.records
                    is_ended = is_ended or not kept.records
                    counts = counts.plus(out=len(kept.records), filtered=kept.rows_in - len(kept.records))
        self.counts = counts
        return _Leaving(leaving, is_ended)


def _rows(table: _Table | None, items: Iterable[RowItem]) -> Iterator[RowItem]:
    """The items, their runs of records sorted into rows and others."""
    for item in items:
        if table is not None and isinstance(item, Run):
            yield from rows_of(item, table.delimiter, table.program.width)
        else:
            yield item
