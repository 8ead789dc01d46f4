"""The words of a transform's query parameters: names of columns, values, types and expressions, each with its place.

names        = name *("," name)
pairs        = name ":" word *("," name ":" word)
replacements = name ":" word ":" word *("," name ":" word ":" word)
typed        = name ":" type *("," name ":" type)
sort keys    = ["-"] name [":" type] *("," ["-"] name [":" type])
assignments  = name "=" expression *(";" name "=" expression)
word         = text without `,` `:` `;` `=` `"`, spaces around it aside     or any text in "double quotes", where `""`
               stands for a quote
name         = a word that is not empty unless it is quoted
expression   = text without `;`, but for those within quotes or parentheses
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fileserver.tables.faults import PlanFault

_WORD = re.compile(r'\s*+(?:"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"\s*+|(?P<bare>[^",:;=]*+))')
_TYPE = re.compile(r"\s*+(?P<type>\w*+(?:\s*+\([0-9,\s]*+\))?+)\s*+", re.ASCII)
_PIECE = re.compile(r"""[^'"()\[\];]++|'(?:[^']|'')*+'?+|"(?:[^"]|"")*+"?+|[()\[\];]""")
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Word:
    """A text, and where in its parameter's value it begins (characters from 0)."""

    text: str
    position: int
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A column to sort by."""

    column: Word
    is_descending: bool
    type: Word | None


@dataclass(slots=True)
class _Reader:
    """A parameter's value, read from left to right."""

    parameter: str
    value: str
    position: int = 0

    def refusal(self, position: int, reason: str) -> PlanFault:
        return PlanFault(reason, self.parameter, position)

    def word(self) -> Word:
        found = _WORD.match(self.value, self.position)
        if found is None:  # the bare word matches anything, nothing included
            raise self.refusal(self.position, "a word is expected")
        self.position = found.end()
        quoted = found["quoted"]
        if quoted is not None:
            return Word(quoted.replace('""', '"'), found.start("quoted") - 1, is_quoted=True)
        return Word(found["bare"].rstrip(), found.start("bare"))

    def name(self) -> Word:
        word = self.word()
        if not word.text and not word.is_quoted:
            reason = "the quotes are not closed" if self._is_at('"') else "a column name is expected"
            raise self.refusal(word.position, reason)
        return word

    def type(self) -> Word:
        found = _TYPE.match(self.value, self.position)
        if found is None or not found["type"]:
            raise self.refusal(self.position, "a type is expected")
        self.position = found.end()
        return Word("".join(found["type"].split()), found.start("type"))

    def expression(self) -> Word:
        start, depth = self.position, 0
        while found := _PIECE.match(self.value, self.position):
            if found[0] == ";" and depth <= 0:
                break
            depth += (found[0] in ("(", "[")) - (found[0] in (")", "]"))
            self.position = found.end()
        text = self.value[start : self.position]
        if not text.strip():
            raise self.refusal(start, "an expression is expected")
        return Word(text.strip(), start + len(text) - len(text.lstrip()))

    def expect(self, mark: str) -> None:
        if not self.takes(mark):
            reason = f"{mark!r} is expected; a name with , : ; = or a quote in it stands in double quotes"
            raise self.refusal(self.position, reason)

    def takes(self, mark: str) -> bool:
        is_there = self._is_at(mark)
        self.position += is_there
        return is_there

    def items(self, item: Callable[[], _Item], separator: str) -> tuple[_Item, ...]:
        """One or more, to the end of the value."""
        found = [item()]
        while self.position < len(self.value):
            self.expect(separator)
            found.append(item())
        return tuple(found)

    def _is_at(self, mark: str) -> bool:
        return self.value.startswith(mark, self.position)


def parse_names(parameter: str, value: str) -> tuple[Word, ...]:
    """Columns.

    >>> [name.text for name in parse_names("select", 'id, "a,b"')]
    ['id', 'a,b']

    This and what follows raise PlanFault, whose field is the parameter.
    """
    reader = _Reader(parameter, value)
    return reader.items(reader.name, ",")


def parse_pairs(parameter: str, value: str) -> tuple[tuple[Word, Word], ...]:
    """Columns and a word for each, which may be empty.

    >>> [(name.text, word.text) for name, word in parse_pairs("rename", "id:ID,qty:quantity")]
    [('id', 'ID'), ('qty', 'quantity')]
    """
    reader = _Reader(parameter, value)

    def pair() -> tuple[Word, Word]:
        name = reader.name()
        reader.expect(":")
        return name, reader.word()

    return reader.items(pair, ",")


def parse_replacements(parameter: str, value: str) -> tuple[tuple[Word, Word, Word], ...]:
    """Columns, a value of each, and the value instead.

    >>> [[word.text for word in words] for words in parse_replacements("replace", "city:Aix:Aachen")]
    [['city', 'Aix', 'Aachen']]
    """
    reader = _Reader(parameter, value)

    def replacement() -> tuple[Word, Word, Word]:
        name = reader.name()
        reader.expect(":")
        old = reader.word()
        reader.expect(":")
        return name, old, reader.word()

    return reader.items(replacement, ",")


def parse_typed(parameter: str, value: str) -> tuple[tuple[Word, Word], ...]:
    """Columns and a type for each, which may be none that there is.

    >>> [(name.text, type.text) for name, type in parse_typed("types", "qty:int64,amount:decimal(18, 2)")]
    [('qty', 'int64'), ('amount', 'decimal(18,2)')]
    """
    reader = _Reader(parameter, value)

    def typed() -> tuple[Word, Word]:
        name = reader.name()
        reader.expect(":")
        return name, reader.type()

    return reader.items(typed, ",")


def parse_sort_keys(parameter: str, value: str) -> tuple[Key, ...]:
    """Columns to sort by.

    >>> [(key.column.text, key.is_descending, key.type) for key in parse_sort_keys("sort", "-total,id")]
    [('total', True, None), ('id', False, None)]
    """
    reader = _Reader(parameter, value)

    def key() -> Key:
        while reader.takes(" "):
            pass
        is_descending = reader.takes("-")
        column = reader.name()
        return Key(column, is_descending, reader.type() if reader.takes(":") else None)

    return reader.items(key, ",")


def parse_assignments(parameter: str, value: str) -> tuple[tuple[Word, Word], ...]:
    """Names and the expression for each.

    >>> [(name.text, expression.text) for name, expression in parse_assignments("derive", "a=b || ';'; c=d+1")]
    [('a', "b || ';'"), ('c', 'd+1')]
    """
    reader = _Reader(parameter, value)

    def assignment() -> tuple[Word, Word]:
        name = reader.name()
        reader.expect("=")
        return name, reader.expression()

    return reader.items(assignment, ";")
