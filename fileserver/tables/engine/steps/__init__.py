"""The steps of a plan: each makes of the table at its place the table at the next."""

from collections.abc import Mapping, Sequence

import duckdb

from fileserver.tables import plan
from fileserver.tables.engine.steps import casting, columns, grouping, joining, rows, values
from fileserver.tables.engine.steps.table import Held, Table, rows_of

__all__ = ["Held", "Table", "after", "rows_of"]


def after(
    connection: duckdb.DuckDBPyConnection, table: Table, step: plan.Step, place: int, joins: Mapping[int, Sequence[str]]
) -> Table:
    """The table after the step at this place of the plan. Raises PlanFault."""
    field = f"steps[{place}]"
    match step:
        case plan.Derive():
            return values.derived(connection, table, step, field)
        case plan.Cast():
            return casting.cast(connection, table, step, field)
        case plan.FillNull():
            return values.filled(connection, table, step, field)
        case plan.Replace():
            return values.replaced(connection, table, step, field)
        case plan.Clean():
            return values.cleaned(table, step, field)
        case plan.GroupBy():
            return grouping.grouped(connection, table, step, field)
        case plan.Join():
            return joining.joined(connection, table, step, field, relation=f"join{place}", header=joins[place])
        case plan.Select() | plan.Drop() | plan.Rename() | plan.Types():
            return _of_columns(table, step, field)
        case _:
            return _of_rows(connection, table, step, field)


def _of_columns(table: Table, step: plan.Select | plan.Drop | plan.Rename | plan.Types, field: str) -> Table:
    match step:
        case plan.Select():
            return columns.selected(table, step, field)
        case plan.Drop():
            return columns.dropped(table, step, field)
        case plan.Rename():
            return columns.renamed(table, step, field)
        case plan.Types():
            return columns.typed(table, step, field)


def _of_rows(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    step: plan.Filter | plan.Distinct | plan.Sort | plan.Sample | plan.Limit,
    field: str,
) -> Table:
    match step:
        case plan.Filter():
            return rows.filtered(connection, table, step, field)
        case plan.Distinct():
            return rows.distinct(table, step, field)
        case plan.Sort():
            return rows.sorted_by(table, step, field)
        case plan.Sample():
            return rows.sampled(table, step)
        case plan.Limit():
            return rows.limited(table, step)
