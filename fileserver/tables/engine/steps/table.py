"""The table at one place of a plan, as SQL: each step makes a new one of the one before it.

A step adds columns and never changes one: `SELECT *, … AS c9`. What nobody asks for is left out by the optimizer, and
a column that no step touches is, to the end, the very column that was read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from fileserver.tables.engine.shape import TEXT
from fileserver.tables.engine.sql import Column, Scope, described
from fileserver.tables.engine.steps.types import viewed
from fileserver.tables.faults import PlanFault

_INTERNAL = re.compile(r"\bc[0-9]+\b")


def rows_of(source: str, values: str = "*", rest: str = "") -> str:
    """SQL for values of the rows of a query, or of some of them, as `rest` says.

    >>> rows_of("FROM stage0", "c0", "LIMIT 1")
    'SELECT c0 FROM (FROM stage0) LIMIT 1'
    """
    return f"SELECT {values} FROM ({source}) {rest}".rstrip()  # noqa: S608 (all of our own making)


@dataclass(frozen=True, slots=True)
class Held:
    """A column: what its owner calls it, what SQL does, DuckDB's type of its values, and the type `types` declared."""

    name: str
    internal: str
    type: str = TEXT
    declared: str | None = None

    @property
    def view(self) -> str:
        """SQL for a value as expressions see it."""
        return self.internal if self.declared is None else viewed(self.internal, self.type, self.declared)

    @property
    def text(self) -> str:
        """SQL for a value as it is printed."""
        return self.internal if self.type == TEXT else f"CAST({self.internal} AS VARCHAR)"

    def in_scope(self) -> Column:
        """The column as expressions find it."""
        type_ = self.declared or self.type
        is_text = type_ in (TEXT, "text")
        return Column(self.name, self.internal, self.view, is_text, None if is_text else type_)


@dataclass(frozen=True, slots=True)
class Table:
    """`sql` is a SELECT that yields the columns, and others besides; `next` the number of the next new column.

    `is_streaming` says whether rows leave while others still come.
    """

    sql: str
    columns: tuple[Held, ...]
    next: int
    is_streaming: bool = True

    @property
    def scope(self) -> Scope:
        """The columns as expressions find them."""
        return Scope(tuple(column.in_scope() for column in self.columns))

    @property
    def listed(self) -> str:
        """The columns, between commas."""
        return ", ".join(column.internal for column in self.columns)

    def find(self, name: str, field: str) -> Held:
        """The one column of this name. Raises PlanFault."""
        alike = [column for column in self.columns if column.name == name]
        if len(alike) == 1:
            return alike[0]
        return self.by_internal[self.scope.find(name, field=field).sql]

    @property
    def by_internal(self) -> Mapping[str, Held]:
        """The columns by the names that SQL has for them."""
        return {column.internal: column for column in self.columns}

    def find_each(self, names: Sequence[str], field: str) -> tuple[Held, ...]:
        """The columns of these names. Raises PlanFault, also for a column named twice."""
        found: list[Held] = []
        for place, name in enumerate(names):
            column = self.find(name, f"{field}[{place}]")
            if column in found:
                raise PlanFault(f"the column `{name[:100]}` is named twice", f"{field}[{place}]")
            found.append(column)
        return tuple(found)

    def find_keys(self, names: Sequence[str], field: str) -> tuple[Held, ...]:
        """The columns that are keys of a mapping. Raises PlanFault, also for a column named twice."""
        found: list[Held] = []
        for name in names:
            column = self.find(name, f"{field}.{name}")
            if column in found:
                raise PlanFault(f"the column `{column.name[:100]}` is named twice", f"{field}.{name}")
            found.append(column)
        return tuple(found)

    def fresh(self) -> Iterator[str]:
        """Internal names that no column has."""
        return (f"c{number}" for number in range(self.next, self.next + 1_000_000))

    def with_values(self, values: Sequence[tuple[Held, str]]) -> "Table":
        """The table with new columns, of SQL over the old ones.

        One with the name of an old column that is alone to have it takes its place; the others come last.
        """
        if not values:
            return self
        added = ", ".join(f"{sql} AS {column.internal}" for column, sql in values)
        names = [column.name for column in self.columns]
        columns = list(self.columns)
        for column, _ in values:
            if names.count(column.name) == 1:
                columns[names.index(column.name)] = column
            else:
                columns.append(column)
        sql = rows_of(self.sql, f"*, {added}")
        return replace(self, sql=sql, columns=tuple(columns), next=self.next + len(values))

    def with_changed(self, changed: Mapping[Held, tuple[Held, str]]) -> "Table":
        """The table with other columns in the places of some: the new ones, and SQL for them over the old."""
        if not changed:
            return self
        added = ", ".join(f"{sql} AS {column.internal}" for column, sql in changed.values())
        columns = tuple(changed[column][0] if column in changed else column for column in self.columns)
        sql = rows_of(self.sql, f"*, {added}")
        return replace(self, sql=sql, columns=columns, next=self.next + len(changed))

    def with_columns(self, columns: Sequence[Held]) -> "Table":
        """The same rows of other columns, none of which is new."""
        return replace(self, columns=tuple(columns))

    def of_rows(self, sql: str, *, is_streaming: bool = True) -> "Table":
        """The same columns of other rows."""
        return replace(self, sql=sql, is_streaming=self.is_streaming and is_streaming)

    def types_of(
        self, connection: duckdb.DuckDBPyConnection, values: Mapping[str, str], group_by: str = ""
    ) -> list[str]:
        """DuckDB's types for SQL over the columns, which comes by the field of the plan that it was made of.

        Raises PlanFault for what DuckDB refuses, in the field at fault.
        """
        try:
            return self._described(connection, list(values.values()), group_by, "")
        except PlanFault:
            # one by one, to find out which it is
            return [self._described(connection, [sql], group_by, field)[0] for field, sql in values.items()]

    def _described(
        self, connection: duckdb.DuckDBPyConnection, values: Sequence[str], group_by: str, field: str
    ) -> list[str]:
        # only of the columns that are used, as a table may have thousands
        known = self.by_internal
        used = sorted(set(_INTERNAL.findall(" ".join([*values, group_by]))).intersection(known))
        nulls = ", ".join(f"CAST(NULL AS {known[internal].type}) AS {internal}" for internal in used)
        added = ", ".join(f"{sql} AS r{number}" for number, sql in enumerate(values))
        try:
            rows = described(connection, rows_of(f"SELECT {nulls or 'NULL'}", added, group_by), field=field)
        except PlanFault as fault:
            raise PlanFault(self._in_words(fault.reason), field) from fault
        return [type_ for _, type_ in rows]

    def _in_words(self, reason: str) -> str:
        """What the engine says, with the names that the user knows."""
        known = self.by_internal
        return _INTERNAL.sub(lambda found: f"`{known[found[0]].name[:100]}`" if found[0] in known else found[0], reason)
