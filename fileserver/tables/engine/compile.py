"""A plan as a program: one stage of SQL after the other, each a query over what the one before it gives.

A stage ends where rows may be at fault, as SQL can name a row but not refuse it: whoever runs the program looks at what
the stage yields, and hands the rows that are fine to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, TypeAlias

import duckdb

from fileserver.tables.engine.shape import TEXT, OutColumn
from fileserver.tables.engine.sql import select
from fileserver.tables.engine.steps import Held, Table, after, rows_of
from fileserver.tables.engine.steps.casting import COLUMN, FAULT
from fileserver.tables.engine.steps.streaming import is_streaming, stand_in
from fileserver.tables.plan import Cast, Drop, GroupBy, Plan, Rename, Select, Step, Types

__all__ = ["COLUMN", "FAULT", "ROW", "Program", "Stage", "compiled", "stage_name"]

Faults: TypeAlias = Literal["abort", "skip"]
ROW = "_row"

_CARRIED = "_carried"  # `_row` for the next stage: that of this one goes no further than its faults
_WIDE = ("HUGEINT", "UHUGEINT")  # Arrow has no such integers: they pass as decimals of the same digits


@dataclass(frozen=True, slots=True)
class Stage:
    """`sql` is a SELECT that reads the relation `stage{number}` and yields columns with internal names.

    With `faults` it also yields `_row`, the number of the row in the table (from 1; null when it is none of the
    table's), `_fault`, what is wrong with it or null, and `_column`, the name of the column at fault.
    """

    sql: str
    faults: Faults | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """Stages, and what leaves the last of them. `is_streaming` says whether rows leave while others come."""

    stages: tuple[Stage, ...]
    columns: tuple[OutColumn, ...]
    is_streaming: bool

    @property
    def width(self) -> int:
        """How many columns leave."""
        return len(self.columns)

    def as_text(self) -> "Program":
        """The same program, whose columns all leave as text."""
        last = self.stages[-1]
        if all(column.is_text for column in self.columns):
            return self
        listed = [f"CAST({column.internal} AS VARCHAR) AS {column.internal}" for column in self.columns]
        if last.faults is not None:
            listed += [ROW, FAULT, COLUMN]
        stage = replace(last, sql=rows_of(last.sql, ", ".join(listed)))
        columns = tuple(OutColumn(column.name, column.internal) for column in self.columns)
        return replace(self, stages=(*self.stages[:-1], stage), columns=columns)


def stage_name(number: int) -> str:
    """The relation that a stage reads.

    >>> stage_name(0)
    'stage0'
    """
    return f"stage{number}"


def compiled(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    header: Sequence[str],
    joins: Mapping[int, Sequence[str]],
    tables: Mapping[str, Sequence[str]] | None = None,
) -> Program:
    """The program for a plan over a table with this header, whose columns are c0, c1, …, all of them text.

    `joins` has the header of the table that a step joins, which is the table `join{place of the step}` with
    columns c0, c1, …; `tables` those that SQL names, which are tables of these names. Raises PlanFault.
    """
    if plan.sql is not None:
        return _query(connection, plan.sql, header, tables or {})
    return _Steps(connection, plan, header, joins).program()


class _Steps:
    """Compiles the steps of one plan; `_table` is the table so far, as SQL over what the stage in the making reads."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: Plan,
        header: Sequence[str],
        joins: Mapping[int, Sequence[str]],
    ) -> None:
        self._connection = connection
        self._steps = plan.steps
        self._joins = joins
        self._stages: list[Stage] = []
        self._faults: Faults | None = None  # of the stage in the making
        self._knows_row = self._needs_row(0)
        number = f", row_number() OVER () AS {ROW}" if self._knows_row else ""
        columns = tuple(Held(name, f"c{place}") for place, name in enumerate(header))
        self._table = Table(rows_of(f"FROM {stage_name(0)}", f"*{number}"), columns, len(columns))

    def program(self) -> Program:
        """The program for all steps."""
        for place, step in enumerate(self._steps):
            # which columns there are can be said of the stage that ends as well
            if self._faults is not None and not isinstance(step, Select | Drop | Rename | Types):
                self._end_stage(place)
                self._begin_stage(place)
            self._table = after(self._connection, self._table, step, place, self._joins)
            self._knows_row = self._knows_row and not isinstance(step, GroupBy)
            self._faults = _faults_of(step) or self._faults
        self._end_stage(len(self._steps))
        columns = tuple(OutColumn(column.name, column.internal, column.type) for column in self._table.columns)
        return Program(tuple(self._stages), columns, self._table.is_streaming)

    def _needs_row(self, place: int) -> bool:
        """Whether a step from this place on finds fault with rows of the table, and not with groups of them."""
        ahead = takewhile(lambda step: not isinstance(step, GroupBy), self._steps[place:])
        return any(_faults_of(step) for step in ahead)

    def _end_stage(self, place: int) -> None:
        listed = [column.internal for column in self._table.columns]
        if self._faults is not None:
            row = ROW if self._knows_row else "CAST(NULL AS BIGINT)"
            listed += [f"{row} AS {ROW}", FAULT, COLUMN]
        if self._knows_row and self._needs_row(place):
            listed.append(f"{ROW} AS {_CARRIED}")
        self._stages.append(Stage(rows_of(self._table.sql, ", ".join(listed)), self._faults))

    def _begin_stage(self, place: int) -> None:
        self._faults = None
        self._knows_row = self._knows_row and self._needs_row(place)
        carried = [f"{_CARRIED} AS {ROW}"] * self._knows_row
        listed = ", ".join([*map(_arrived, self._table.columns), *carried])
        self._table = self._table.of_rows(rows_of(f"FROM {stage_name(len(self._stages))}", listed))


def _arrived(column: Held) -> str:
    """A column of the stage before, of the type that it had there."""
    if column.type in _WIDE:
        return f"CAST({column.internal} AS {column.type}) AS {column.internal}"
    return column.internal


def _faults_of(step: Step) -> Faults | None:
    """What becomes of the rows that a step finds fault with, when it hands them on."""
    if isinstance(step, Cast) and (step.on_error == "abort" or step.on_error == "skip"):
        return step.on_error
    return None


def _query(
    connection: duckdb.DuckDBPyConnection, text: str, header: Sequence[str], tables: Mapping[str, Sequence[str]]
) -> Program:
    """The program for a query of the user's: a stage, in which `input` is what the stage reads."""
    known = {"input": header, **tables}
    relations = {"input": stage_name(0), **{name: name for name in tables}}
    trials = {**relations, "input": stand_in(len(header))}
    query = select(connection, text, known, relations=relations, trials=trials)
    columns = tuple(OutColumn(column.name, column.sql, column.type or TEXT) for column in query.columns)
    return Program((Stage(query.sql),), columns, is_streaming(connection, query.trial))
