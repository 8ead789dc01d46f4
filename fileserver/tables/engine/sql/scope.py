"""The columns that an expression may name, and how SQL sees them."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from fileserver.tables.faults import PlanFault


@dataclass(frozen=True, slots=True)
class Column:
    """A column by the name its owner gave it, which may be anything, also that of another column.

    `sql` is the value that leaves, `view` what expressions see: the same, or TRY_CAST of it to the type of `types`.
    `type` is that of the view, in the words of plans or of DuckDB; None: text.
    """

    name: str
    sql: str
    view: str
    is_text: bool = True
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns at one place of a plan, in their order."""

    columns: tuple[Column, ...]

    def find(self, name: str, *, field: str, position: int | None = None) -> Column:
        """The column of exactly this name, or else the only one that differs in upper and lower case alone.

        >>> Scope((Column("Id", "c0", "c0"), Column("qty", "c1", "c1"))).find("id", field="select").sql
        'c0'

        Raises PlanFault when there is none, or more than one.
        """
        found = [column for column in self.columns if column.name == name]
        if not found:
            folded = name.lower()
            found = [column for column in self.columns if column.name.lower() == folded]
        if len(found) == 1:
            return found[0]
        if found:
            raise PlanFault(f"more than one column is called {shown(name)}", field, position)
        reason = f"there is no column {shown(name)}" + suggestion(name, [column.name for column in self.columns])
        raise PlanFault(reason, field, position)


def quoted(name: str) -> str:
    """The name as an identifier of SQL.

    >>> quoted('a "b"')
    '"a ""b\"""'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as a string of SQL; what is in it means nothing.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def shown(name: str) -> str:
    """The name as messages show it: between backticks, and not longer than a line."""
    return f"`{name[:100]}`"


def suggestion(name: str, names: Sequence[str]) -> str:
    """What a message adds when there is a name much like the one that was not found.

    >>> suggestion("qti", ["id", "qty"])
    '; did you mean `qty`?'
    """
    # a table may have thousands of columns, and the comparison is slow: the first ones must do
    near = difflib.get_close_matches(name[:100], names[:500], n=1)
    return f"; did you mean {shown(near[0])}?" if near else ""
