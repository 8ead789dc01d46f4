"""Entity tags (RFC 9110 s.8.8.3) and the lists of them in preconditions (s.13.1)."""

import re
from dataclasses import dataclass

_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)*")


@dataclass(frozen=True, slots=True)
class EntityTag:
    """A tag without its quotes; `str` gives the form on the wire."""

    opaque: str
    is_weak: bool = False

    def __str__(self) -> str:
        """As a header carries it."""
        return f'{"W/" if self.is_weak else ""}"{self.opaque}"'


def parse_entity_tags(text: str) -> tuple[EntityTag, ...]:
    """The tags of a list; empty where the list breaks the grammar, so that a broken list matches nothing.

    Commas within quotes belong to the tag, empty elements are none (RFC 9110 s.5.6.1).

    >>> [str(tag) for tag in parse_entity_tags('"a,b", , W/"c"')]
    ['"a,b"', 'W/"c"']
    """
    tags: list[EntityTag] = []
    position = _end_of_separator(text, 0)
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None:
            return ()
        tags.append(EntityTag(match["opaque"], match["weak"] is not None))
        position = _end_of_separator(text, match.end())
        if position < len(text) and "," not in text[match.end() : position]:
            return ()
    return tuple(tags)


def strong_match(one: EntityTag, other: EntityTag) -> bool:
    """Whether both are strong and equal (RFC 9110 s.8.8.3.2)."""
    return not one.is_weak and one == other


def weak_match(one: EntityTag, other: EntityTag) -> bool:
    """Whether they are equal but for weakness (RFC 9110 s.8.8.3.2)."""
    return one.opaque == other.opaque


def _end_of_separator(text: str, position: int) -> int:
    match = _SEPARATOR.match(text, position)
    return match.end() if match else position
