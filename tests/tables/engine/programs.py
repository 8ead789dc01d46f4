"""Plans compiled and run in DuckDB itself over a table of texts, without a worker, a pipe or a format."""

import atexit
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import pyarrow as pa

from fileserver.tables.engine.compile import COLUMN, FAULT, ROW, Program, compiled, stage_name
from fileserver.tables.engine.session import open_connection
from fileserver.tables.plan import Plan

Texts: TypeAlias = Sequence[str | None]
Other: TypeAlias = tuple[Sequence[str], Sequence[Texts]]
Step: TypeAlias = Mapping[str, Any]


@dataclass
class Ran:
    """What left, as text; the faults by row, column and reason, of which an abort is the last; and the program."""

    names: list[str]
    rows: list[tuple[str | None, ...]]
    faults: list[tuple[int | None, str, str]] = field(default_factory=list)
    is_aborted: bool = False
    program: Program | None = None


class Aborted(Exception):
    """A stage with `abort` has found a fault."""


class Runner:
    """Runs plans on one connection, one after the other."""

    def __init__(self) -> None:
        self.connection = open_connection()
        self.connection.execute("SET threads = 2")

    def run(
        self, plan: Plan, header: Sequence[str], rows: Sequence[Texts], joins: Mapping[int, Other] | None = None
    ) -> Ran:
        """Compile and run a plan. Raises PlanFault."""
        joins = joins or {}
        self.create(stage_name(0), header, rows)
        for place, other in joins.items():
            self.create(f"join{place}", *other)
        headers = {place: other[0] for place, other in joins.items()}
        program = compiled(self.connection, plan, header, headers)
        ran = Ran([column.name for column in program.columns], [], program=program)
        try:
            table = self._run_stages(program.as_text(), ran)
        except Aborted:
            ran.is_aborted = True
        else:
            ran.rows = [tuple(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
        return ran

    def create(self, name: str, header: Sequence[str], rows: Sequence[Texts]) -> None:
        """Make a table with columns c0, c1, …; it is not temporary, as cursors share no temporary tables."""
        columns = {f"c{p}": pa.array([row[p] for row in rows], pa.string()) for p in range(len(header))}
        self.connection.register("texts", pa.table(columns))
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM texts")
        self.connection.unregister("texts")

    def _run_stages(self, program: Program, ran: Ran) -> pa.Table:
        with ExitStack() as cursors:
            cursor = self.connection
            for number, stage in enumerate(program.stages):
                table = cursor.sql(stage.sql).to_arrow_table()
                if stage.faults is not None:
                    table = _without_faults(table, stage.faults, ran)
                # the next stage finds what this one gave as a stream that can be read once
                cursor = cursors.enter_context(self.connection.cursor())
                cursor.register(stage_name(number + 1), table.to_reader(max(2, table.num_rows // 50)))
            return table.select([column.internal for column in program.columns])


@cache
def shared_runner() -> Runner:
    """The one runner of all tests, as a connection takes longer to open than a plan to run."""
    runner = Runner()
    atexit.register(runner.connection.close)
    return runner


def _without_faults(table: pa.Table, faults: str, ran: Ran) -> pa.Table:
    words = table[FAULT].to_pylist()
    for row, word, column in zip(table[ROW].to_pylist(), words, table[COLUMN].to_pylist(), strict=True):
        if word is not None:
            ran.faults.append((row, column, word))
            if faults == "abort":
                raise Aborted
    return table.filter(pa.array([word is None for word in words], pa.bool_())).drop_columns([ROW, FAULT, COLUMN])
