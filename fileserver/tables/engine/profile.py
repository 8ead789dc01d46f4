"""What is in a table: of each column the type that fits, how many values are missing, the ends and a few of them.

The table is read once, as it comes. Its first rows tell which types are worth testing; the others cost next to nothing.
DuckDB sees a table of (place, value), whatever the width: expressions for each column take 4 s of planning for 200 of
them and 13 s for 400, and make a long table of 13 quicker by a seventh only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from fileserver.tables.engine.fitting import (
    ALL_TESTS,
    MEASURES,
    Fit,
    Measured,
    fit,
    measures,
    passed,
    views,
    worth_going_on,
)

PEEK_ROWS = 8192
"""Rows that tell which types are worth testing, at most."""
MAX_SHOWN = 200
"""Characters of a value that are shown."""
EXAMPLES = 5
_EXAMPLE_ROWS = 1000  # that examples are looked for in
_BATCH_CELLS = 1 << 18  # at most, about

_Row: TypeAlias = tuple[Any, ...]
_CELLS = (("place", pa.int32()), ("may", pa.int32()), ("v", pa.string()))
_ENDS = "min(nullif(v, '')), max(nullif(v, ''))"
_MEASURED = f"count(v), count_if(v = ''), approx_count_distinct(v), max(length(v)), {_ENDS}, {', '.join(measures('v'))}"
_VIEWS = ", ".join(views("v", "may"))
# nothing of it is a user's
_SQL = f"SELECT place, {_MEASURED} FROM (SELECT place, v, {_VIEWS} FROM cells) GROUP BY place"  # noqa: S608


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is known of a column. `nulls` are empty cells, `empty` quoted ones; `longest` counts characters.

    `min` and `max` are the ends in the order of the type, as it prints them. Long texts are cut.
    """

    name: str
    type: str
    nulls: int
    empty: int
    distinct_estimate: int
    min: str | None
    max: str | None
    longest: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a table; `sampled` when it has more rows than were looked at."""

    rows: int
    sampled: bool
    columns: tuple[ColumnProfile, ...]

    def as_json(self) -> Mapping[str, Any]:
        """The profile as values that JSON can carry."""
        return asdict(self)


def profile(
    connection: duckdb.DuckDBPyConnection,
    source_sql: str,
    header: Sequence[str],
    *,
    rows: int | None = None,
    size: int | None = None,
) -> Profile:
    """What the relation `source_sql`, of text columns c0, c1, …, holds in all its rows, or in the first of them.

    These are no more than `rows`, and few enough to take no more than `size` bytes or a little more.
    """
    names = ", ".join(f"c{place}" for place in range(len(header)))
    with connection.cursor() as reading, connection.cursor() as measuring:
        relation = reading.sql(f"SELECT {names} FROM {source_sql}")  # noqa: S608 (nothing of it is a user's)
        source = _Source(relation.to_arrow_reader(max(64, min(PEEK_ROWS, _BATCH_CELLS // len(header)))), rows, size)
        first = list(source.take(1))
        tests = [ALL_TESTS] * len(header)
        measured = _measured(measuring, first, tests)
        if not source.is_at_end:
            tests = [worth_going_on(each.tests) for each in measured]
            measured = _measured(measuring, chain(first, source.take(None)), tests)
    examples = _examples(first, len(header))
    columns = zip(header, tests, measured, examples, strict=True)
    return Profile(source.rows, source.has_more, tuple(_column(source.rows, *each) for each in columns))


class _Source:
    """The batches of a table, counted; not more than `limit` rows of it, and no batch after `size` bytes."""

    def __init__(self, reader: pa.RecordBatchReader, limit: int | None, size: int | None) -> None:
        self._batches = filter(len, reader)
        self._limit = limit
        self._size = size
        self.rows = 0
        self.is_at_end = False
        self.has_more = False

    def take(self, count: int | None) -> Iterator[pa.RecordBatch]:
        """Batches until `count` rows or a few more were taken; None: all."""
        while not self.is_at_end and (count is None or self.rows < count):
            batch = next(self._batches, None)
            if batch is None:
                self.is_at_end = True
                return
            left = len(batch) if self._limit is None else self._limit - self.rows
            left = 0 if self._size is not None and self._size <= 0 else left
            self.is_at_end = self.has_more = left < len(batch)
            self.rows += min(left, len(batch))
            self._size = None if self._size is None else self._size - batch.nbytes
            yield batch.slice(0, left)


@dataclass(frozen=True, slots=True)
class _Measured:
    values: int
    empty: int
    distinct: int
    longest: int
    least: str | None
    greatest: str | None
    tests: Measured


_NOTHING = _Measured(0, 0, 0, 0, None, None, (None,) * MEASURES)


def _measured(
    connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch], tests: Sequence[int]
) -> list[_Measured]:
    """What is measured of each column, by the tests that are set for it."""
    connection.register("cells", pa.RecordBatchReader.from_batches(pa.schema(_CELLS), _cells(batches, tests)))
    try:
        found = {row[0]: row[1:] for row in connection.execute(_SQL).fetchall()}
    finally:
        connection.unregister("cells")
    return [_measured_of(found[place]) if place in found else _NOTHING for place in range(len(tests))]


def _measured_of(row: _Row) -> _Measured:
    values, empty, distinct, longest, least, greatest, *tests = row
    return _Measured(values, empty, min(distinct, values), longest or 0, least, greatest, tests)


def _cells(batches: Iterable[pa.RecordBatch], tests: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Each column of each batch as (place, may, v), without a copy of the values."""
    for batch in batches:
        for place, (values, may) in enumerate(zip(batch.columns, tests, strict=True)):
            marks = (pa.repeat(pa.scalar(number, pa.int32()), len(batch)) for number in (place, may))
            yield pa.RecordBatch.from_arrays([*marks, values], schema=pa.schema(_CELLS))


def _examples(batches: Sequence[pa.RecordBatch], width: int) -> list[tuple[str, ...]]:
    """The first values of each column that differ."""
    if not batches:
        return [()] * width
    return [tuple(_shown_of(column)) for column in batches[0].slice(0, _EXAMPLE_ROWS).columns]


def _shown_of(column: pa.Array) -> Iterator[str]:
    found = pc.unique(column.drop_null()).slice(0, EXAMPLES + 1).to_pylist()
    return map(_shown, [value for value in found if value][:EXAMPLES])


def _column(rows: int, name: str, tests: int, measured: _Measured, examples: tuple[str, ...]) -> ColumnProfile:
    found = fit(passed(tests, measured.tests), measured.tests)
    best = found or Fit("text", _end(measured.least), _end(measured.greatest))
    return ColumnProfile(
        name,
        best.type,
        nulls=rows - measured.values,
        empty=measured.empty,
        distinct_estimate=measured.distinct,
        min=best.least,
        max=best.greatest,
        longest=measured.longest,
        examples=examples,
    )


def _end(text: str | None) -> str | None:
    return None if text is None else _shown(text)


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
