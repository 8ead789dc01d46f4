"""Which columns hold numbers, and which of their texts any reader takes for the same number."""

import re

import polars as pl

from fileserver.tables.engine.shape import OutColumn

_INTEGER = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)")
_DECIMAL = re.compile(r"DECIMAL\((\d+), *(\d+)\)")
_FLOAT = re.compile(r"FLOAT|DOUBLE")

EXACT_INTEGER = 2**53 - 1  # RFC 8259 s.6: up to it all readers agree, since their numbers may be doubles
_EXACT_DIGITS = 15  # a decimal of so many significant digits is the same one again after a double
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"  # RFC 8259 s.6, which nan and inf are not


def is_number(column: OutColumn) -> bool:
    """Whether the column's type is one of numbers."""
    return any(pattern.fullmatch(column.type) for pattern in (_INTEGER, _DECIMAL, _FLOAT))


def is_boolean(column: OutColumn) -> bool:
    """Whether the column's values are true and false."""
    return column.type == "BOOLEAN"


def decimal_of(column: OutColumn) -> tuple[int, int] | None:
    """The precision and the scale of a column of decimals.

    >>> decimal_of(OutColumn("a", "c0", "DECIMAL(18,2)"))
    (18, 2)
    """
    found = _DECIMAL.fullmatch(column.type)
    return (int(found[1]), int(found[2])) if found else None


def exact(column: OutColumn, *, integers_to: int = EXACT_INTEGER) -> pl.Expr:
    """Whether a double holds the number that the text of the numeric column says; null where there is none."""
    text = pl.col(column.internal)
    if _INTEGER.fullmatch(column.type):
        return text.cast(pl.Int64, strict=False).is_between(-integers_to, integers_to).fill_null(value=False)
    is_written_so = text.str.contains(_NUMBER)
    if _FLOAT.fullmatch(column.type):
        return is_written_so
    digits = text.str.replace_all(r"[-.]", "").str.strip_chars("0").str.len_bytes()
    return is_written_so & (digits <= _EXACT_DIGITS)
