"""The step `group_by`: a row for each group."""

from dataclasses import replace

import duckdb

from fileserver.tables.engine.sql import expression
from fileserver.tables.engine.steps.rows import having, in_line
from fileserver.tables.engine.steps.table import Held, Table, rows_of
from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import GroupBy


def grouped(connection: duckdb.DuckDBPyConnection, table: Table, step: GroupBy, field: str) -> Table:
    """The groups, in the order of their keys; `having` sees what leaves."""
    # threads would add up decimals, and find first values, in another order each time
    table, _ = in_line(table)
    keys = table.find_each(step.columns, f"{field}.columns")
    if not keys and not step.aggregate:
        raise PlanFault("there are neither columns nor aggregates", field)
    names = [column.name for column in keys]
    made: dict[str, str] = {}
    for name, text in step.aggregate.items():
        place = f"{field}.aggregate.{name}"
        if name in names:
            raise PlanFault(f"`{name[:100]}` is the name of a column of the groups", place)
        made[place] = expression(connection, text, table.scope, field=place, is_aggregate=True)
    by = f"GROUP BY {', '.join(column.internal for column in keys)}" if keys else ""
    types = table.types_of(connection, made, by) if made else []
    aggregates = [Held(*each) for each in zip(step.aggregate, table.fresh(), types, strict=False)]
    done = _groups(table, keys, tuple(aggregates), list(made.values()), by)
    return done if step.having is None else having(connection, done, step.having, f"{field}.having")


def _groups(table: Table, keys: tuple[Held, ...], aggregates: tuple[Held, ...], made: list[str], by: str) -> Table:
    values = [f"{sql} AS {column.internal}" for column, sql in zip(aggregates, made, strict=True)]
    listed = ", ".join([*(column.internal for column in keys), *values])
    order = ", ".join(f"{column.view} NULLS LAST, {column.internal} NULLS LAST" for column in keys)
    sql = rows_of(table.sql, listed, by)
    if keys:
        sql = rows_of(sql, rest=f"ORDER BY {order}")
    return replace(table, sql=sql, columns=keys + aggregates, next=table.next + len(aggregates), is_streaming=False)
