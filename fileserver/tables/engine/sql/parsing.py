"""Text of the user to DuckDB's own syntax tree, or a fault that says where it went wrong.

The tree is what `json_serialize_sql` makes of it: nothing is bound, folded or run. What is done with it afterwards is
written anew from the parts that are known (`expressions`, `queries`), so no text of the user reaches the engine.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import duckdb

from fileserver.tables.faults import PlanFault

Node: TypeAlias = Mapping[str, Any]

# Each level costs a few frames of Python here, whose stack ends at 1000, and of DuckDB's when it binds.
MAX_DEPTH = 120
_NOWHERE = 2**64 - 1  # the location of what the parser made up
_LONGEST_NAME = 200  # characters
_EMPTY_ORDER: Node = {"type": "ORDER_MODIFIER", "orders": []}


@dataclass(frozen=True, slots=True)
class Source:
    """A text of the plan, and what was put before it to make a statement of it."""

    text: str
    field: str
    prefix: str = ""

    def position(self, node: Node) -> int | None:
        """Where the node begins, in characters of the text."""
        location = node.get("query_location", _NOWHERE)
        return None if location == _NOWHERE else self.character(location)

    def character(self, location: int) -> int:
        """The parser counts bytes of UTF-8, and the prefix with them.

        >>> Source("'é' + ;", "where", "SELECT ").character(14)
        6
        """
        beginning = (self.prefix + self.text).encode()[:location]
        return min(max(0, len(beginning.decode(errors="ignore")) - len(self.prefix)), len(self.text))

    def words(self, node: Node) -> str:
        """What the user wrote for the node, or nothing when that cannot be cut out of the text.

        The parser places an operator at its sign, so the places of all parts are taken together, and brackets are
        added at the ends until they are even.
        """
        spans = [*_spans(node)]
        if not spans:
            return ""
        first, last = self.character(min(start for start, _ in spans)), self.character(max(end for _, end in spans))
        opened, closed = self.text.count("(", first, last), self.text.count(")", first, last)
        for _ in range(closed - opened):
            first = self.text.rfind("(", 0, first)
        for _ in range(opened - closed):
            last = self.text.find(")", last) + 1
        words = self.text[first:last] if 0 <= first < last else ""
        return "".join([letter if letter.isprintable() else " " for letter in words.strip()[:_LONGEST_NAME]])

    def fault(self, reason: str, node: Node | None = None) -> PlanFault:
        """The fault that says so, and where."""
        return PlanFault(reason, self.field, None if node is None else self.position(node))


def parsed(connection: duckdb.DuckDBPyConnection, source: Source) -> Node:
    """The one statement that the text is: the node of its query. Raises PlanFault for anything else."""
    if "\x00" in source.text:
        raise PlanFault("a NUL character is no part of an expression", source.field, source.text.index("\x00"))
    try:
        rows = connection.execute("SELECT json_serialize_sql(?)", [source.prefix + source.text]).fetchall()
        answer: Node = json.loads(rows[0][0])
    except (RecursionError, duckdb.Error, UnicodeError) as error:
        raise PlanFault(_reason_of(error), source.field) from error
    if answer["error"]:
        _refuse_syntax(source, answer)
    statements: Sequence[Node] = answer["statements"]
    if len(statements) != 1:
        raise source.fault("one statement is expected" if statements else "an expression is expected")
    if statements[0]["named_param_map"]:
        raise source.fault("parameters are not allowed")
    node: Node = statements[0]["node"]
    return node


def refuse_unknown(source: Source, node: Node, known: frozenset[str], what: str) -> None:
    """Refuse a node that says more than the members that its writer knows: all others must be empty."""
    for member, value in node.items():
        if member not in known and value and value != _EMPTY_ORDER:
            raise source.fault(f"{what} with {member.replace('_', ' ')} is not allowed", node)


def _spans(node: Any) -> Iterator[tuple[int, int]]:
    """Where the node and all below it begin and end, in bytes."""
    if isinstance(node, Mapping):
        location = node.get("query_location", _NOWHERE)
        if location != _NOWHERE:
            yield location, location + node["query_location_length"]
    for part in node.values() if isinstance(node, Mapping) else node:
        if isinstance(part, list | dict):
            yield from _spans(part)


def _refuse_syntax(source: Source, answer: Node) -> NoReturn:
    message: str = answer["error_message"]
    if answer["error_type"] == "not implemented" or "Only SELECT" in message:
        raise source.fault("only SELECT is allowed")
    if "expression depth" in message:
        raise source.fault("this is nested too deeply")
    position = answer.get("position")
    raise PlanFault(message[:300], source.field, None if position is None else source.character(int(position)))


def _reason_of(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "this is nested too deeply"
    if isinstance(error, UnicodeError):
        return "this is no text in Unicode"
    return f"this cannot be parsed: {first_sentence(str(error))}"


def first_sentence(message: str) -> str:
    """What DuckDB's message says, without the kind of error before it, the candidates and the SQL behind it.

    >>> first_sentence("Binder Error: No function matches 'upper(BIGINT)'. You might\\n\\tCandidate functions:\\n")
    "No function matches 'upper(BIGINT)'"
    """
    line = message.partition("\n")[0]
    kind, separator, rest = line.partition(" Error: ")
    text = rest if separator and " " not in kind.replace(" ", "", 2) else line
    return text.partition(". ")[0].rstrip(".")[:300]
