"""What texts are as values of the types of plans, in plain Python."""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeAlias

Value: TypeAlias = Any  # text, null, or what Python has for the type

_BITS = {"int32": 31, "int64": 63, "int128": 127}
_TRUTHS = dict.fromkeys(("true", "t", "yes", "y", "1"), True) | dict.fromkeys(("false", "f", "no", "n", "0"), False)


def printed(value: Value) -> str | None:
    """A value as text."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def as_type(value: Value, type_: str, form: str | None = None) -> Value:
    """A text as a value of a type; None when it is none."""
    if value is None or type_ == "text":
        return printed(value)
    if not isinstance(value, str):
        return _number_as_type(value, type_)
    if type_ in _BITS:
        digits = re.fullmatch(r"[ \t\n\f\r]*([+-]?[0-9]+)(\.0*)?[ \t\n\f\r]*", value)
        return _in_range(int(digits[1]), type_) if digits else None
    match type_.partition("("):
        case ("bool", _, _):
            return _TRUTHS.get(value.lower())
        case ("date", _, _):
            return _date(value, form or "%Y-%m-%d")
        case ("float64", _, _):
            number = number_in(value)
            return None if number is None else float(number)
        case _:
            return _decimal(value, *map(int, type_[8:-1].split(",")))


def _number_as_type(value: Value, type_: str) -> Value:
    if type_ in _BITS and value == int(value):
        return _in_range(int(value), type_)
    return float(value) if type_ == "float64" else None


def _in_range(number: int, type_: str) -> int | None:
    return number if -(1 << _BITS[type_]) <= number < 1 << _BITS[type_] else None


def number_in(text: str) -> Decimal | None:
    """The number that a text is; None when it is none."""
    try:
        return Decimal(text.strip(" \t\n\v\f\r"))
    except InvalidOperation:
        return None


def _decimal(text: str, digits: int, places: int) -> Decimal | None:
    number = number_in(text)
    if number is None or abs(number) >= Decimal(10) ** digits:
        return None
    rounded = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return None if abs(rounded) >= Decimal(10) ** (digits - places) else rounded or abs(rounded)


def _date(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text.strip(" "), form).date()  # noqa: DTZ007 (only the date is taken)
    except ValueError:
        return None
