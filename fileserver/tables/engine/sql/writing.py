"""What all writers of SQL share: one method for each class of node, and the refusal of all that none knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from fileserver.tables.engine.sql import numbers
from fileserver.tables.engine.sql.functions import Kind
from fileserver.tables.engine.sql.parsing import MAX_DEPTH, Node, Source, refuse_unknown
from fileserver.tables.engine.sql.scope import shown

_EVERYWHERE = frozenset({"class", "type", "alias", "query_location", "query_location_length"})
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NAMED = {
    "star": "`*`",
    "operator": "this operator",
    "positional reference": "a column by its number",
    "show ref": "SHOW or DESCRIBE",
    "empty": "nothing",
}
_DIRECTIONS = {"ASCENDING": "ASC", "DESCENDING": "DESC", "ORDER_DEFAULT": "ASC"}
_NULLS = {"NULLS FIRST": " NULLS FIRST", "NULLS LAST": " NULLS LAST", "ORDER_DEFAULT": ""}
_HOW_TO = "declare its type in a `types` step before ({}:int64, :float64, :date, …), or use TRY_CAST"


@dataclass(frozen=True, slots=True)
class Written:
    """SQL of ours for a part of the expression. `number` is the value of a literal, `name` that of a column.

    `is_literal`: a string that the user wrote. `parts` are those that `||` joins, as they were written.
    """

    sql: str
    kind: Kind
    number: str | None = None
    name: str | None = None
    is_literal: bool = False
    parts: "tuple[Written, ...]" = ()


class Writer:
    """Writes one expression; `written` is called for each of its nodes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.writers: Mapping[str, Callable[[Node], Written]] = {}
        self._depth = 0

    def written(self, node: Node) -> Written:
        """SQL for a node and all below it."""
        write = self.writers.get(node["class"])
        if write is None:
            raise self.source.fault(f"{called(node)} is not allowed here", node)
        if self._depth >= MAX_DEPTH:
            raise self.source.fault("this is nested too deeply", node)
        self._depth += 1
        result = write(node)
        self._depth -= 1
        return result

    def condition(self, node: Node) -> str:
        """SQL for a node that must be true or false."""
        result = self.written(node)
        if result.kind == "text":
            self.refuse_text(result, "a condition is expected", node)
        return result.sql

    def compared(self, left: Written, operator: str, right: Written, node: Node) -> str:
        """The comparison, by value when one side is text from the table and the other is none."""
        if right.kind == "text" and left.kind not in ("text", "string"):
            left, operator, right = right, _MIRRORED.get(operator, operator), left
        if left.kind != "text" or right.kind in ("text", "string", "any"):
            return f"({left.sql} {operator} {right.sql})"
        if right.kind == "truth":
            return f"(TRY_CAST({left.sql} AS BOOLEAN) {operator} {right.sql})"
        if right.number is None:
            self.refuse_text(left, f"it is compared with a {right.kind}", node)
        self.check_size(right.number, node)
        if operator.startswith("IS"):
            return f"({numbers.compared(left.sql, '=', right.number)} {operator} TRUE)"
        return numbers.compared(left.sql, operator, right.number)

    def alike(self, parts: Sequence[Written], node: Node) -> Kind:
        """What comes out where one of several values does: text and numbers do not mix."""
        kinds = {part.kind for part in parts} - {"any"}
        text = next((part for part in parts if part.kind == "text"), None)
        if text and kinds - {"text", "string"}:
            self.refuse_text(text, "another value beside it is none", node)
        kinds = kinds - {"string"} or kinds
        return kinds.pop() if len(kinds) == 1 else "any"

    def check_size(self, number: str, node: Node) -> None:
        """Refuse a literal that is too large, or too small, to be compared."""
        if not numbers.is_comparable(number):
            raise self.source.fault("the number is too large or too small", node)

    def knows(self, node: Node, *members: str) -> None:
        """Refuse a node that has more to say than these members and those that all have."""
        refuse_unknown(self.source, node, _EVERYWHERE.union(members), called(node))

    def refuse_text(self, text: Written, reason: str, node: Node) -> NoReturn:
        """Refuse text from the table where another type is needed."""
        what = "this" if text.name is None else shown(text.name)
        raise self.source.fault(f"{what} is text, and {reason}: {_HOW_TO.format(text.name or 'column')}", node)


def called(node: Node) -> str:
    """What a user calls this kind of node.

    >>> called({"class": "STAR"}), called({"type": "TABLE_FUNCTION"})
    ('`*`', 'a table function')
    """
    name = str(node.get("class") or node.get("type") or "this").lower().replace("_", " ")
    return _NAMED.get(name, f"{'an' if name[0] in 'aeiou' else 'a'} {name}")


def ordering(order: Node, source: Source) -> str:
    """The direction of a key of ORDER BY, and where its nulls are."""
    direction, nulls = _DIRECTIONS.get(order["type"]), _NULLS.get(order["null_order"])
    if direction is None or nulls is None:
        raise source.fault("this order is not allowed", order["expression"])
    return direction + nulls


def listed(parts: Sequence[Written]) -> str:
    """SQL of several, with commas."""
    return ", ".join([part.sql for part in parts])
