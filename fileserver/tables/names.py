"""Column names as `select` and `rename` write them.

names   = name *("," name)
renames = name ":" name *("," name ":" name)
name    = text without `,` `:` `"`, spaces around it aside     or any text in "double quotes", `""` standing for a quote
"""

import re
from dataclasses import dataclass

from fileserver.tables.faults import PlanFault

_NAME = re.compile(r'\s*+(?:"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"\s*+|(?P<bare>[^",:]*+))')


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column as a plan names it: in which parameter, and where in its value (characters from 0)."""

    text: str
    parameter: str
    position: int


@dataclass(frozen=True, slots=True)
class Rename:
    """A column that leaves under another name."""

    column: ColumnName
    to: str


def parse_names(value: str) -> tuple[ColumnName, ...]:
    """The columns of `select`.

    >>> [name.text for name in parse_names('id, "a,b"')]
    ['id', 'a,b']

    Raises PlanFault, also for a column named twice.
    """
    names: list[ColumnName] = []
    position = 0
    while position <= len(value):
        name, position = _name_at(value, position, "select")
        _refuse_second(name, names)
        names.append(name)
        position = _after(value, position, ",", "select")
    return tuple(names)


def parse_renames(value: str) -> tuple[Rename, ...]:
    """The pairs of `rename`.

    >>> [(rename.column.text, rename.to) for rename in parse_renames("id:ID,qty:quantity")]
    [('id', 'ID'), ('qty', 'quantity')]

    Raises PlanFault, also for a column renamed twice.
    """
    renames: list[Rename] = []
    position = 0
    while position <= len(value):
        column, position = _name_at(value, position, "rename")
        _refuse_second(column, [rename.column for rename in renames])
        if position == len(value):
            raise PlanFault("rename", position, "a colon and the new name are expected")
        to, position = _name_at(value, _after(value, position, ":", "rename"), "rename")
        renames.append(Rename(column, to.text))
        position = _after(value, position, ",", "rename")
    return tuple(renames)


def unquoted_name(text: str) -> str:
    """What stands between double quotes, its doubled quotes single."""
    return text.replace('""', '"')


def _name_at(value: str, position: int, parameter: str) -> tuple[ColumnName, int]:
    """The name from here, and the position after it and the spaces behind it."""
    found = _NAME.match(value, position)
    quoted = found and found["quoted"]
    if found and quoted is not None:
        return ColumnName(unquoted_name(quoted), parameter, found.start("quoted") - 1), found.end()
    bare = found["bare"].rstrip() if found else ""
    if not found or not bare:
        raise PlanFault(parameter, found.start("bare") if found else position, "a column name is expected")
    return ColumnName(bare, parameter, found.start("bare")), found.end()


def _after(value: str, position: int, separator: str, parameter: str) -> int:
    """The position after a separator, past the end when there is no more."""
    if position < len(value) and value[position] != separator:
        raise PlanFault(parameter, position, f"{separator!r} is expected; other names stand in double quotes")
    return position + 1


def _refuse_second(name: ColumnName, earlier: list[ColumnName]) -> None:
    if any(name.text == other.text for other in earlier):
        raise PlanFault(name.parameter, name.position, "the column is named twice")
