"""Steps about which columns there are and what they are called: they move no value."""

from dataclasses import replace

from fileserver.tables.engine.steps.table import Table
from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Drop, Rename, Select, Types


def selected(table: Table, step: Select, field: str) -> Table:
    """These columns alone, in this order."""
    return table.with_columns(table.find_each(step.columns, f"{field}.columns"))


def dropped(table: Table, step: Drop, field: str) -> Table:
    """All columns but these."""
    gone = set(table.find_each(step.columns, f"{field}.columns"))
    left = [column for column in table.columns if column not in gone]
    if not left:
        raise PlanFault("no column is left", f"{field}.columns")
    return table.with_columns(left)


def renamed(table: Table, step: Rename, field: str) -> Table:
    """The columns under new names, all given at once: two may change theirs with each other."""
    found = table.find_keys(list(step.columns), f"{field}.columns")
    names = dict(zip(found, step.columns.values(), strict=True))
    return table.with_columns([replace(column, name=names.get(column, column.name)) for column in table.columns])


def typed(table: Table, step: Types, field: str) -> Table:
    """The columns as expressions are to see them."""
    found = table.find_keys(list(step.columns), f"{field}.columns")
    types = dict(zip(found, step.columns.values(), strict=True))
    return table.with_columns(
        [replace(column, declared=types.get(column, column.declared)) for column in table.columns]
    )
