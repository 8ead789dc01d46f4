"""Text compared with a number by its value, exactly, and without ever raising.

Rounding to DOUBLE keeps order: where the roundings of two numbers differ, so do the numbers, in the same way. Only
where they agree is more needed: there both have as many digits before the point, and DECIMAL(38) has room for all the
digits that remain. That second look is taken at few rows, so the comparison costs little more than one cast.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

_WIDTH = 38  # the digits of DuckDB's widest DECIMAL
_WIDEST_EXPONENT = 400  # DOUBLE ends at 308 and at -324


def compared(text: str, operator: str, number: str) -> str:
    """SQL for `text operator number`; null for text that is no number, and for `nan` and `inf` that are none either.

    `text` is SQL, `number` a literal of SQL as the parser has it, `operator` one of = <> < <= > >=.
    """
    rounded = f"TRY_CAST({text} AS DOUBLE)"
    near = _cast_all([number], "DOUBLE")
    return (
        f"(CASE WHEN isfinite({rounded}) THEN CASE WHEN {rounded} <> {near} THEN {rounded} {operator} {near} "
        f"ELSE {_exactly(text, operator, number)} END END)"
    )


def is_any(text: str, numbers: Iterable[str]) -> str:
    """SQL for `text IN (numbers)`, by value."""
    rounded = f"TRY_CAST({text} AS DOUBLE)"
    by_type: dict[str | None, list[str]] = {}
    for number in numbers:
        by_type.setdefault(_exact_type(number), []).append(number)
    near = _cast_all([number for group in by_type.values() for number in group], "DOUBLE")
    exactly = [
        f"coalesce(TRY_CAST({text} AS {type_}) IN ({_cast_all(group, type_)}), FALSE)"
        if type_
        else f"{rounded} IN ({_cast_all(group, 'DOUBLE')})"
        for type_, group in by_type.items()
    ]
    found = f"CASE WHEN {rounded} IN ({near}) THEN ({' OR '.join(exactly)}) ELSE FALSE END"
    return f"(CASE WHEN isfinite({rounded}) THEN {found} END)"


def is_comparable(number: str) -> bool:
    """Whether a DOUBLE comes near the literal, and its digits can be written out.

    >>> is_comparable("1e300"), is_comparable("1e309"), is_comparable("1e-999999999")
    (True, False, False)
    """
    exponent = int(number.lower().partition("e")[2] or 0)
    return abs(exponent) <= _WIDEST_EXPONENT and abs(float(number)) != float("inf")


def _exactly(text: str, operator: str, number: str) -> str:
    """The comparison of those that round to the same DOUBLE."""
    alike = "TRUE" if operator in ("=", "<=", ">=") else "FALSE"
    type_ = _exact_type(number)
    if type_ is None:
        return alike
    return f"coalesce(TRY_CAST({text} AS {type_}) {operator} {_cast_all([number], type_)}, {alike})"


def _exact_type(number: str) -> str | None:
    """The DECIMAL that holds the number and its neighbours with as many digits as there can be, if one does.

    >>> _exact_type("12.5"), _exact_type("1e60")
    ('DECIMAL(38,35)', None)
    """
    value = Decimal(number)
    whole = max(1, value.adjusted() + 1)
    scale = _WIDTH - 1 - whole  # one digit more than the number has: 9.99… may stand beside 10
    exponent = value.as_tuple().exponent
    fits = scale >= 0 and isinstance(exponent, int) and -exponent <= scale
    return f"DECIMAL({_WIDTH},{scale})" if fits else None


def _cast_all(numbers: Sequence[str], type_: str) -> str:
    return ", ".join([f"CAST('{Decimal(number):f}' AS {type_})" for number in numbers])
