"""Steps that make values: each row by itself, and so as the rows come."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from fileserver.tables.engine.shape import TEXT
from fileserver.tables.engine.sql import expression, literal
from fileserver.tables.engine.steps.rows import in_line
from fileserver.tables.engine.steps.table import Held, Table, rows_of
from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Clean, Derive, FillNull, Replace

SPACES = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""Unicode's White_Space, which DuckDB's own trim does not know but for the space."""

_MAX_CASES = 50  # from here on looking a value up in a hash table is quicker than comparing it with each in turn
_ANY_SPACE = f"[{SPACES}]"
_OTHER_SPACE = f"[{SPACES.replace(' ', '')}]"
_TRIM = (
    f"CASE WHEN regexp_matches({{0}}, {literal(f'^{_ANY_SPACE}|{_ANY_SPACE}$')}) "
    f"THEN trim({{0}}, {literal(SPACES)}) ELSE {{0}} END"
)
_COLLAPSE = (
    f"CASE WHEN regexp_matches({{0}}, {literal(f'{_ANY_SPACE}{_ANY_SPACE}|{_OTHER_SPACE}')}) "
    f"THEN regexp_replace({{0}}, {literal(f'{_ANY_SPACE}+')}, ' ', 'g') ELSE {{0}} END"
)
_ACTIONS: Mapping[str, str] = {
    "trim": _TRIM,
    "collapse_spaces": _COLLAPSE,
    "empty_to_null": "nullif({0}, '')",
    "lower": "lower({0})",
    "upper": "upper({0})",
    "nfc": "nfc_normalize({0})",
}


def derived(connection: duckdb.DuckDBPyConnection, table: Table, step: Derive, field: str) -> Table:
    """The table with the values of expressions, which all see it as it was."""
    names = [column.name for column in table.columns]
    scope = table.scope
    made: dict[str, str] = {}
    for name, text in step.columns.items():
        place = f"{field}.columns.{name}"
        if names.count(name) > 1:
            raise PlanFault(f"more than one column is called `{name[:100]}`", place)
        made[place] = expression(connection, text, scope, field=place)
    types = table.types_of(connection, made)
    columns = [Held(*each) for each in zip(step.columns, table.fresh(), types, strict=False)]
    return table.with_values(list(zip(columns, made.values(), strict=True)))


def filled(connection: duckdb.DuckDBPyConnection, table: Table, step: FillNull, field: str) -> Table:
    """The table with values in the places of nulls."""
    found = table.find_keys(list(step.columns), f"{field}.columns")
    changed = {}
    for column, internal, (name, text) in zip(found, table.fresh(), step.columns.items(), strict=False):
        value = constant(connection, text, column, f"{field}.columns.{name}")
        changed[column] = (replace(column, internal=internal), f"coalesce({column.internal}, {value})")
    return table.with_changed(changed)


def replaced(connection: duckdb.DuckDBPyConnection, table: Table, step: Replace, field: str) -> Table:
    """The table with other values in the places of some, which are found as they are printed."""
    column = table.find(step.column, f"{field}.column")
    if not step.map:
        return table
    values = {
        old: "NULL" if new is None else constant(connection, new, column, f"{field}.map.{old}")
        for old, new in step.map.items()
    }
    if len(values) <= _MAX_CASES:
        sql = _by_cases(column, values)
    else:
        sql, (table, _) = _by_lookup(column, values), in_line(table)
    return table.with_changed({column: (replace(column, internal=next(table.fresh())), sql)})


def _by_cases(column: Held, values: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN {literal(old)} THEN {new}" for old, new in values.items())
    return f"CASE {column.text} {cases} ELSE {column.internal} END"


def _by_lookup(column: Held, values: Mapping[str, str]) -> str:
    """A subquery of one value: its hash table is made once, and our rows stream by it in their order.

    What is found comes within a struct, as it may be null and still be found.
    """
    pairs = ", ".join(f"({literal(old)}, {new})" for old, new in values.items())
    found = f"({rows_of(f'VALUES {pairs}', 'struct_pack(new := col1)', f'WHERE col0 = {column.text}')})"
    return f"coalesce({found}, struct_pack(new := {column.internal})).new"


def cleaned(table: Table, step: Clean, field: str) -> Table:
    """The table with its text repaired; values that are no text any more need none."""
    if step.columns == "*":
        found: Sequence[Held] = [column for column in table.columns if column.type == TEXT]
    else:
        found = table.find_each(step.columns, f"{field}.columns")
        for place, column in enumerate(found):
            if column.type != TEXT:
                raise PlanFault(f"the column `{column.name[:100]}` is no text", f"{field}.columns[{place}]")
    for action in step.actions:
        form = _ACTIONS[action]
        changed = {
            column: (replace(column, internal=internal), form.format(column.internal))
            for column, internal in zip(found, table.fresh(), strict=False)
        }
        table = table.with_changed(changed)
        found = [changed[column][0] for column in found]
    return table


def constant(connection: duckdb.DuckDBPyConnection, text: str, column: Held, field: str) -> str:
    """SQL for a text as a value of a column's type. Raises PlanFault when it is none."""
    if column.type == TEXT:
        return literal(text)
    sql = f"TRY_CAST({literal(text)} AS {column.type})"
    if connection.execute(f"SELECT {sql} IS NULL").fetchall() == [(True,)]:
        raise PlanFault(f"`{text[:100]}` is no {column.type.lower()}, as the column `{column.name[:100]}` is", field)
    return sql
