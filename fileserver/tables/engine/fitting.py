"""Which types fit all values of a column: what to ask of each value, and what the answers mean.

A type fits when it loses nothing of a value but the way it is written: `007` is no integer, for its zeros would go, nor
is `+49`; what has more than 17 digits is no float, and a time with an offset no timestamp. Empty values say nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

Measured: TypeAlias = Sequence[int | str | None]

_INT64: Final = 1 << 63
_WHOLE, _SCALE = 20, 18
"""Digits before and behind the point of the widest decimals that are measured: DuckDB's have 38 in all."""
_FLOAT_DIGITS = 17  # that a float64 tells apart
_INTEGER = "0|-?[1-9][0-9]{0,37}"  # all of them are an int128
_DECIMAL = rf"-?(0|[1-9][0-9]{{0,{_WHOLE - 1}}})(\.[0-9]{{1,{_SCALE}}})?"
_FLOAT = r"-?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][-+]?[0-9]{1,4})?"
_DAY = r"(000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d\d\d)-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?"


@dataclass(frozen=True, slots=True)
class _Test:
    """What a value that fits looks like, if it also can be cast to the type in SQL; the type's name in a plan."""

    pattern: str
    sql_type: str
    type: str = ""


_TESTS: Mapping[str, _Test] = {
    "integer": _Test(_INTEGER, "HUGEINT"),
    "decimal": _Test(_DECIMAL, f"DECIMAL({_WHOLE + _SCALE}, {_SCALE})"),
    "float": _Test(_FLOAT, "DOUBLE", "float64"),
    "bool": _Test("(?i:true|false)", "BOOLEAN", "bool"),
    "date": _Test(_DAY, "DATE", "date"),
    "timestamp": _Test(f"{_DAY}([ T]{_CLOCK}Z?)?", "TIMESTAMP", "timestamp"),
    "time": _Test(_CLOCK, "TIME", "time"),
}
ALL_TESTS: Final = (1 << len(_TESTS)) - 1
"""The set of all tests: bit i stands for the i-th."""
MEASURES: Final = 2 + 3 * len(_TESTS)
"""How many `measures` there are."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A type by the name it has in a plan, and the least and the greatest value as that type prints them."""

    type: str
    least: str | None
    greatest: str | None


def views(value: str, tests: int | str) -> Iterator[str]:
    """The SQL of a text column as each type, by a set of tests (which may be SQL too); null where it does not fit."""
    dot = f"strpos({value}, '.')"
    scale = f"CASE WHEN {dot} > 0 THEN length({value}) - {dot} WHEN {value} <> '' THEN 0 END"
    yield f"{_asked('decimal', tests, scale)} AS {value}_scale"
    for name in _TESTS:
        yield f"{_asked(name, tests, _view(name, value))} AS {value}_{name}"


def measures(value: str) -> Iterator[str]:
    """The SQL of what is measured of a text column and its `views`."""
    yield from (f"min({value}_scale)", f"max({value}_scale)")
    for name in _TESTS:
        view = f"{value}_{name}"
        yield from (f"count_if({value} <> '' AND {view} IS NULL)", f"min({view})::VARCHAR", f"max({view})::VARCHAR")


def passed(may: int, measured: Measured) -> int:
    """The tests of the set `may` that every value has passed."""
    return sum(1 << bit for bit in range(len(_TESTS)) if may >> bit & 1 and not measured[2 + 3 * bit])


def worth_going_on(measured: Measured) -> int:
    """The tests that the other values of a column still have to pass, when all were tried on the first of them."""
    left = passed(ALL_TESTS, measured)
    # integers with a few decimals among them are floats anyway
    return left & ~_bit("decimal") if left & _bit("integer") and measured[3] is not None else left


def fit(tests: int, measured: Measured) -> Fit | None:
    """The narrowest type, by the tests that were passed; None where there is none, or no value."""
    found = dict(_ends(tests, measured))
    if "integer" in found:
        return _integer(*found["integer"])
    scales = measured[:2]
    # equally many decimals are money, most often; where they differ a float is the better view, if it holds them
    if "decimal" in found and scales[1] and (scales[0] == scales[1] or "float" not in found):
        return _decimal(*found["decimal"], scale=int(scales[1]))
    return next((Fit(_TESTS[name].type, *ends) for name, ends in found.items() if _TESTS[name].type), None)


def _view(name: str, value: str) -> str:
    """A value as a type. A cast that fails takes six times as long as the pattern, so that comes first."""
    test = _TESTS[name]
    cast = f"TRY_CAST({value} AS {test.sql_type})"
    view = f"CASE WHEN regexp_full_match({value}, '{test.pattern}') THEN {cast} END"
    if name != "float":
        return view
    digits = rf"length(regexp_replace({value}, '[eE].*|^[-0.]*|\.', '', 'g'))"
    finite = f"nullif(nullif({view}, 'inf'::DOUBLE), '-inf'::DOUBLE)"
    size = f"CASE WHEN length({value}) <= {_FLOAT_DIGITS} THEN 0 ELSE {digits} END"
    return f"CASE WHEN {size} <= {_FLOAT_DIGITS} THEN {finite} END"


def _asked(name: str, tests: int | str, sql: str) -> str:
    """The SQL where a test is among those to be made, else null."""
    if isinstance(tests, str):
        return f"CASE WHEN {tests} & {_bit(name)} <> 0 THEN {sql} END"
    return sql if tests & _bit(name) else "NULL"


def _bit(name: str) -> int:
    return 1 << list(_TESTS).index(name)


def _ends(tests: int, measured: Measured) -> Iterator[tuple[str, tuple[str, str]]]:
    for bit, name in enumerate(_TESTS):
        least, greatest = measured[3 + 3 * bit], measured[4 + 3 * bit]
        if tests >> bit & 1 and least is not None:
            yield name, (str(least), str(greatest))


def _integer(least: str, greatest: str) -> Fit:
    is_small = int(least) >= -_INT64 and int(greatest) < _INT64
    return Fit("int64" if is_small else "int128", least, greatest)


def _decimal(least: str, greatest: str, *, scale: int) -> Fit:
    unit = Decimal(1).scaleb(-scale)
    ends = [Decimal(text).quantize(unit) for text in (least, greatest)]
    size = max(scale, *(len(end.as_tuple().digits) for end in ends))
    return Fit(f"decimal({18 if size <= 18 else 38},{scale})", *(f"{end:f}" for end in ends))
