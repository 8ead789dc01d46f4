"""Column names that SQL can tell apart.

DuckDB does not tell `ID` from `id`, has no empty names, and renames the second of two alike. A table may have all of
them, so names that clash in one table get a private one, everywhere in the query; what leaves has the user's again.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_MARK = "\x1f"  # unit separator: private names have it, and a name of the user that has it gets a private one
_PRIVATE = re.compile(f"{_MARK}([0-9]+)(?:[.][0-9]+)?{_MARK}")


@dataclass(frozen=True, slots=True)
class Names:
    """Private names by the users' own, for those that need one, and the names that no query can use."""

    private: Mapping[str, str]
    ambiguous: frozenset[str]
    known: frozenset[str]

    @classmethod
    def of(cls, tables: Iterable[Sequence[str]]) -> "Names":
        """The names of all tables of a query."""
        clashing: dict[str, None] = {}
        ambiguous: set[str] = set()
        known: set[str] = set()
        for names in tables:
            known.update(name.casefold() for name in names)
            folded = Counter(name.casefold() for name in names)
            clashing.update((name, None) for name in names if folded[name.casefold()] > 1 or not _is_plain(name))
            ambiguous.update(name for name, times in Counter(names).items() if times > 1)
        private = {name: f"{_MARK}{number}{_MARK}" for number, name in enumerate(clashing)}
        return cls(private, frozenset(ambiguous), frozenset(known))

    def inside(self, name: str) -> str:
        """The name as the query has it.

        >>> Names.of([["id", "ID", "qty"]]).inside("qty")
        'qty'
        """
        return self.private.get(name, name)

    def columns(self, names: Sequence[str]) -> tuple[str, ...]:
        """The names of a table's columns as the query has them, all different."""
        seen: Counter[str] = Counter()
        result = []
        for name in names:
            seen[name] += 1
            inside = self.inside(name)
            result.append(f"{inside[:-1]}.{seen[name]}{_MARK}" if name in self.ambiguous else inside)
        return tuple(result)

    def outside(self, name: str) -> str:
        """The name as the user has it, also within a text that the engine made of an expression."""
        own = tuple(self.private)
        return _PRIVATE.sub(lambda found: own[int(found[1])] if int(found[1]) < len(own) else "", name)


def is_private(text: str) -> bool:
    """Whether there is a private name in it."""
    return _MARK in text


def _is_plain(name: str) -> bool:
    return bool(name) and _MARK not in name and "\x00" not in name
