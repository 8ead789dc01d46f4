"""The step `join`: columns of another table, or only the question whether it has the row."""

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from fileserver.tables.engine.sql import Column, Scope
from fileserver.tables.engine.steps.rows import in_line
from fileserver.tables.engine.steps.table import Held, Table, rows_of
from fileserver.tables.plan import Join

_CELL_SIZE = 16  # bytes that a cell takes besides its text
_SHARE = 8  # a hash table goes to disk when it is larger than what is left, and others want memory too


def joined(
    connection: duckdb.DuckDBPyConnection, table: Table, step: Join, field: str, *, relation: str, header: Sequence[str]
) -> Table:
    """Our rows in their order, each with those of theirs that agree with it, in theirs. Nulls agree with nothing.

    Theirs are looked up by a subquery of one value. A join of DuckDB's may choose our side to be kept in memory: what
    a subquery looks up is always theirs, and ours stream by. Only when theirs may not fit into memory the rows that
    look for the part on disk wait for it, and all have to be put in order again.
    """
    table, at = in_line(table)
    theirs = Scope(tuple(Column(name, f"c{place}", f"c{place}") for place, name in enumerate(header)))
    ours = table.find_keys(list(step.on), f"{field}.on")
    keys = [theirs.find(name, field=f"{field}.on.{own}").sql for own, name in step.on.items()]
    taken = _taken(theirs, step, keys, field)
    lookup = _lookup(ours, keys, relation, [sql for sql, _ in taken], is_list=step.how in ("inner", "left"))
    found, *fresh = (f"c{table.next + place}" for place in range(len(taken) + 1))
    sql = rows_of(table.sql, f"*, {lookup} AS {found}")
    if _is_large(connection, relation, header):
        sql, table = rows_of(sql, rest=f"ORDER BY {at}"), replace(table, is_streaming=False)
    match step.how:
        case "semi":
            return _advanced(table, rows_of(sql, rest=f"WHERE {found} IS NOT NULL"), ())
        case "anti":
            return _advanced(table, rows_of(sql, rest=f"WHERE {found} IS NULL"), ())
        case "inner":
            each = f"unnest({found})"
        case "left":
            each = f"unnest(coalesce({found}, [NULL]))"
    new = tuple(Held(name, internal) for (_, name), internal in zip(taken, fresh, strict=True))
    values = "".join(f", {found}.{place} AS {column.internal}" for (place, _), column in zip(taken, new, strict=True))
    return _advanced(table, rows_of(rows_of(sql, f"* REPLACE ({each} AS {found})"), f"*{values}"), new)


def _is_large(connection: duckdb.DuckDBPyConnection, relation: str, header: Sequence[str]) -> bool:
    """Whether a table takes a good part of the memory that DuckDB may have."""
    size = " + ".join([f"coalesce(strlen(c{place}), 0)" for place in range(len(header))])
    cells = rows_of(f"FROM {relation}", f"sum({size} + {_CELL_SIZE} * {len(header)})")
    limit = "parse_formatted_bytes(current_setting('memory_limit'))"
    return connection.execute(f"SELECT ({cells}) > {limit} / {_SHARE}").fetchall() == [(True,)]


def _advanced(table: Table, sql: str, new: tuple[Held, ...]) -> Table:
    return replace(table, sql=sql, columns=(*table.columns, *new), next=table.next + 1 + len(new))


def _taken(theirs: Scope, step: Join, keys: Sequence[str], field: str) -> list[tuple[str, str]]:
    """The columns that we get: what SQL calls them there, and their names here."""
    if step.how in ("semi", "anti"):
        return []
    if step.columns is None:
        return [(column.sql, column.name) for column in theirs.columns if column.sql not in keys]
    return [
        (theirs.find(name, field=f"{field}.columns.{name}").sql, new_name) for name, new_name in step.columns.items()
    ]


def _lookup(ours: Sequence[Held], keys: Sequence[str], relation: str, taken: Sequence[str], *, is_list: bool) -> str:
    """A subquery that yields the list of theirs for a row of ours, or null; without `is_list` only true for it."""
    named = ", ".join(f"{sql} AS k{place}" for place, sql in enumerate(keys))
    grouped = ", ".join(f"k{place}" for place in range(len(keys)))
    # the optimizer turns the look-up into a join of its own liking where it knows that a key is there once: of what a
    # function makes of keys it does not
    hidden = ", ".join(f"k{place} || '' AS k{place}" for place in range(len(keys)))
    packed = ", ".join(f"{sql} := {sql}" for sql in dict.fromkeys(taken)) or "none := true"
    found = f"list(struct_pack({packed}) ORDER BY nth)" if is_list else "true"
    rows = rows_of(f"FROM {relation}", f"*, row_number() OVER () AS nth, {named}")
    groups = rows_of(rows, f"{grouped}, {found} AS found", f"GROUP BY {grouped}")
    agree = " AND ".join(f"k{place} = {column.text}" for place, column in enumerate(ours))
    return f"({rows_of(rows_of(groups, f'found, {hidden}'), 'found', f'WHERE {agree}')})"
