"""The steps of a plan, compiled against the header of a table. Each is a small object that works on runs of rows.

Rows stay whole, as veiled records, through filters and limit; `Layout` says which of their cells leave, and under which
names. So a column that nobody asks for is never cut out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress, count, islice

from fileserver.tables.cells import Veil, column_of, csv_cell
from fileserver.tables.faults import HeaderFault, PlanFault
from fileserver.tables.filters import Comparison, Matcher, matcher
from fileserver.tables.names import ColumnName, Rename
from fileserver.tables.plan import Plan

MAX_COLUMNS = 16384  # as many as a spreadsheet has


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: where it stands in a record, its name, and the cell of the header that says so."""

    index: int
    name: str
    cell: bytes


class Layout:
    """Columns in order, found by name."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._places: dict[str, list[int]] = {}
        for place, column in enumerate(self.columns):
            self._places.setdefault(column.name, []).append(place)

    def place(self, name: ColumnName) -> int:
        """Where the column of this name stands here. Raises PlanFault when there is none or several."""
        places = self._places.get(name.text, [])
        if len(places) != 1:
            reason = "several columns have this name" if places else "there is no column of this name"
            raise PlanFault(name.parameter, name.position, reason)
        return places[0]

    def renamed(self, renames: Sequence[Rename], delimiter: bytes) -> "Layout":
        """The same columns, some under new names."""
        columns = list(self.columns)
        for rename in renames:
            place = self.place(rename.column)
            columns[place] = replace(columns[place], name=rename.to, cell=csv_cell(rename.to.encode(), delimiter))
        return Layout(columns)


class RowFilter:
    """Tells which rows match a comparison."""

    def __init__(self, comparison: Comparison, layout: Layout, delimiter: bytes, veil: Veil) -> None:
        self._index = layout.columns[layout.place(comparison.column)].index
        self._matches: Matcher = matcher(comparison)
        self._delimiter = delimiter
        self._veil = veil

    def mask(self, records: list[bytes]) -> list[bool]:
        """For each record whether it stays."""
        return self._matches(self._veil.texts_of(column_of(records, self._delimiter, self._index)))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a plan keeps of some rows, and how many of them it looked at."""

    records: list[bytes]
    rows_in: int


class RowSteps:
    """The steps that decide which rows leave: all filters, then the limit."""

    def __init__(self, filters: Sequence[RowFilter], limit: int | None) -> None:
        self._filters = tuple(filters)
        self._remaining = limit

    @property
    def is_done(self) -> bool:
        """Whether the limit is reached: no further row can leave."""
        return self._remaining == 0

    def keep(self, records: list[bytes]) -> Kept:
        """The records that leave; looks at none after the one that reaches the limit."""
        masks = [each.mask(records) for each in self._filters]
        if not masks:
            kept = records if self._remaining is None else records[: self._remaining]
            return self._counted(Kept(kept, len(kept)))
        mask = masks[0] if len(masks) == 1 else list(map(all, zip(*masks, strict=True)))
        kept = list(compress(records, mask))
        if self._remaining is None or len(kept) < self._remaining:
            return self._counted(Kept(kept, len(records)))
        last = next(islice(compress(count(), mask), self._remaining - 1, None))
        return self._counted(Kept(kept[: self._remaining], last + 1))

    def _counted(self, kept: Kept) -> Kept:
        if self._remaining is not None:
            self._remaining -= len(kept.records)
        return kept


@dataclass(frozen=True, slots=True)
class Program:
    """A plan compiled for one table."""

    width: int
    rows: RowSteps
    layout: Layout


def compiled(plan: Plan, first: bytes, delimiter: bytes, veil: Veil) -> Program:
    """The plan for a table whose first record this is.

    Raises HeaderFault, and PlanFault for a column that is not there or not the only one of its name.
    """
    cells = first.split(delimiter)
    if len(cells) > MAX_COLUMNS:
        raise HeaderFault(f"the table has {len(cells)} columns, more than {MAX_COLUMNS}")
    layout = _named(cells, veil) if plan.dialect.has_header else _numbered(len(cells))
    filters = [RowFilter(comparison, layout, delimiter, veil) for comparison in plan.filters]
    renamed = layout.renamed(plan.renames, plan.output_delimiter or delimiter)
    if plan.select is not None:  # by the names that the table came with
        renamed = Layout([renamed.columns[layout.place(name)] for name in plan.select])
    return Program(len(cells), RowSteps(filters, plan.limit), renamed)


def _named(cells: list[bytes], veil: Veil) -> Layout:
    return Layout([Column(index, veil.text_of(cell).decode(), cell) for index, cell in enumerate(cells)])


def _numbered(width: int) -> Layout:
    names = [f"column{number}" for number in range(1, width + 1)]
    return Layout([Column(index, name, name.encode()) for index, name in enumerate(names)])
