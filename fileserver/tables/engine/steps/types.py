"""The types of plans: what DuckDB calls them, and how values become theirs without ever raising.

A whole number is digits, with a sign and with a fraction of zeros at most: DuckDB itself would round 1.5 to 2, and take
0x1F and 1e5. All other text is of a type when DuckDB reads it as such; decimals are rounded to their places.
"""

from fileserver.tables.engine.shape import TEXT
from fileserver.tables.engine.sql import literal

MOMENTS = ("date", "time", "timestamp")
WHOLE = r"\s*[+-]?[0-9]+(?:\.0*)?\s*"
"""Text that is a whole number, as RE2 and Python both read it."""

_NAMES = {
    "text": TEXT,
    "bool": "BOOLEAN",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "int128": "HUGEINT",
    "float64": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
}
_FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")


def engine_type(type_: str) -> str:
    """DuckDB's name for a type of plans.

    >>> engine_type("int64"), engine_type("decimal(18,2)")
    ('BIGINT', 'DECIMAL(18,2)')
    """
    return _NAMES.get(type_) or type_.upper()


def viewed(sql: str, source: str, type_: str, form: str | None = None) -> str:
    """SQL for a value of DuckDB's type `source` as one of a type of plans; null when it is none.

    `form` is how dates and times are written, as strptime has it.
    """
    wanted = engine_type(type_)
    if wanted == source:
        return sql
    if wanted == TEXT:
        return f"CAST({sql} AS VARCHAR)"
    if form is not None and type_ in MOMENTS and source == TEXT:
        return f"TRY_CAST(try_strptime({sql}, {literal(form)}) AS {wanted})"
    tried = f"TRY_CAST({sql} AS {wanted})"
    if not type_.startswith("int"):
        return tried
    if source == TEXT:
        return f"CASE WHEN regexp_full_match({sql}, {literal(WHOLE)}) THEN {tried} END"
    if source.startswith(_FRACTIONAL):
        return f"CASE WHEN {sql} = trunc({sql}) THEN {tried} END"
    return tried
