"""The grammar of `filter`, and what a comparison says of the cells of a column.

    comparison = name operator literal        spaces around the operator are optional
    name       = a letter or _, then letters, digits, _     or any text in "double quotes", `""` standing for a quote
    operator   = "=" / "!=" / "<" / "<=" / ">" / ">="
    literal    = a number, or any text in 'single quotes', `''` standing for a quote

A number compares by value, exactly, however long: only with cells that are numbers (spaces and tabs around them
aside); a cell that is none never matches, not even `!=`. A text compares by code points with the text of the cell,
its quotes removed.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from types import MappingProxyType
from typing import Any, TypeAlias

from fileserver.tables.faults import PlanFault
from fileserver.tables.names import ColumnName, unquoted_name

Matcher: TypeAlias = Callable[[Iterable[bytes]], list[bool]]
"""Tells of each of the texts of a column whether it matches."""

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "<=": operator.le,
        ">=": operator.ge,
        "!=": operator.ne,
        "=": operator.eq,
        "<": operator.lt,
        ">": operator.gt,
    }
)
_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]{1,15}+)?"  # the exponent: what Decimal can hold
_NUMBER_CELL = re.compile(rf"[ \t]*+{_NUMBER}[ \t]*+".encode())

_SPACE = re.compile(r"\s*+")
_NAME = re.compile(r'(?P<bare>[^\W\d]\w*+)|"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"')
_OPERATOR = re.compile("|".join(_OPERATORS))
_LITERAL = re.compile(rf"(?P<number>{_NUMBER})|'(?P<text>[^']*+(?:''[^']*+)*+)'")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Keeps the rows whose cell in a column compares to a number or a text."""

    column: ColumnName
    operator: str
    literal: Decimal | str


def parse_comparison(value: str) -> Comparison:
    """The comparison that a `filter` asks for.

    >>> parse_comparison("qty>=100").literal
    Decimal('100')

    Raises PlanFault.
    """
    name = _expect(_NAME, value, 0, "a column name is expected, in double quotes if it is more than letters and digits")
    compare = _expect(_OPERATOR, value, name.end(), f"one of {' '.join(_OPERATORS)} is expected")
    literal = _expect(_LITERAL, value, compare.end(), "a number or a text in single quotes is expected")
    rest = _past_space(value, literal.end())
    if rest < len(value):
        raise PlanFault("filter", rest, "nothing may follow the comparison")
    text = name["bare"] or unquoted_name(name["quoted"])
    number = literal["number"]
    against = literal["text"].replace("''", "'") if number is None else Decimal(number)
    return Comparison(ColumnName(text, "filter", name.start()), compare[0], against)


def matcher(comparison: Comparison) -> Matcher:
    """The comparison, ready for the texts of its column."""
    compare = _OPERATORS[comparison.operator]
    literal = comparison.literal
    if isinstance(literal, str):
        text = literal.encode()  # UTF-8 sorts as code points do (RFC 3629 s.1)
        return lambda texts: list(map(compare, texts, repeat(text)))
    is_number = _NUMBER_CELL.fullmatch
    return lambda texts: [
        is_number(text) is not None and compare(Decimal(text.decode("ascii")), literal) for text in texts
    ]


def _expect(pattern: re.Pattern[str], value: str, position: int, reason: str) -> re.Match[str]:
    position = _past_space(value, position)
    found = pattern.match(value, position)
    if found is None:
        raise PlanFault("filter", position, reason)
    return found


def _past_space(value: str, position: int) -> int:
    found = _SPACE.match(value, position)
    return found.end() if found else position
