"""The step `cast`: values become those of a type, and what cannot become one is told of."""

from collections.abc import Sequence

import duckdb

from fileserver.tables.engine.sql import literal
from fileserver.tables.engine.steps.table import Held, Table, rows_of
from fileserver.tables.engine.steps.types import MOMENTS, engine_type, viewed
from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Cast

FAULT = "_fault"
COLUMN = "_column"
ERRORS = "_errors"

_SHOWN = 100  # characters of a value in the words about it


def cast(connection: duckdb.DuckDBPyConnection, table: Table, step: Cast, field: str) -> Table:
    """The table with other types.

    With `abort` and `skip` it has two more columns: `_fault` says what is wrong with the row, or is null, and
    `_column` in which column. With `mark` the column `_errors` says it.
    """
    found = table.find_keys(list(step.columns), f"{field}.columns")
    _check_form(connection, step, field)
    made = {
        f"{field}.columns.{name}": viewed(column.internal, column.type, type_, step.format)
        for column, (name, type_) in zip(found, step.columns.items(), strict=True)
    }
    table.types_of(connection, made)
    new = [
        Held(column.name, internal, engine_type(type_))
        for column, internal, type_ in zip(found, table.fresh(), step.columns.values(), strict=False)
    ]
    done = table.with_changed(dict(zip(found, zip(new, made.values(), strict=True), strict=True)))
    failures = [
        _Failure(old, now, type_)
        for old, now, type_ in zip(found, new, step.columns.values(), strict=True)
        if type_ != "text"
    ]
    match step.on_error:
        case "null":
            return done
        case "mark":
            return _marked(done, failures)
        case _:
            return _faulted(done, failures)


class _Failure:
    """When and how a cast fails, in SQL over its column before and after."""

    def __init__(self, old: Held, new: Held, type_: str) -> None:
        self.has_failed = f"{old.internal} IS NOT NULL AND {new.internal} IS NULL"
        self.column = literal(old.name)
        said = f"{literal(f'{old.name}: cannot cast ')} || left({old.text}, {_SHOWN}) || {literal(f' to {type_}')}"
        self.words = f"CASE WHEN {self.has_failed} THEN {said} END"


def _faulted(table: Table, failures: Sequence[_Failure]) -> Table:
    words = ", ".join([failure.words for failure in failures] or ["NULL::VARCHAR"])
    columns = " ".join(f"WHEN {failure.has_failed} THEN {failure.column}" for failure in failures)
    column = f"CASE {columns} END" if failures else "NULL::VARCHAR"
    return table.of_rows(rows_of(table.sql, f"*, coalesce({words}) AS {FAULT}, {column} AS {COLUMN}"))


def _marked(table: Table, failures: Sequence[_Failure]) -> Table:
    words = ", ".join(failure.words for failure in failures)
    said = f"nullif(concat_ws('; ', {words}), '')" if failures else "NULL::VARCHAR"
    errors = Held(ERRORS, next(table.fresh()))
    before = [column for column in table.columns if column.name == ERRORS]
    if not before:
        return table.with_values([(errors, said)])
    old = before[0].text
    both = f"CASE WHEN {said} IS NULL THEN {old} ELSE concat_ws('; ', nullif({old}, ''), {said}) END"
    return table.with_changed({before[0]: (errors, both)})


def _check_form(connection: duckdb.DuckDBPyConnection, step: Cast, field: str) -> None:
    if step.format is None:
        return
    if not any(type_ in MOMENTS for type_ in step.columns.values()):
        raise PlanFault("only dates and times have a format", f"{field}.format")
    try:
        connection.execute(f"SELECT try_strptime('', {literal(step.format)})").fetchall()
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0].partition(": ")[2]
        raise PlanFault(reason or "the format is not known", f"{field}.format") from error
