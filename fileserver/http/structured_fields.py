"""Items of structured fields (RFC 8941 s.4.2.3), as far as uploads need them: Booleans and non-negative Integers.

A field that breaks its grammar is as good as absent (s.4.2), which is also what the draft on resumable uploads says.
"""

import re

from fileserver.http.fields import Fields

_PARAMETERS = r'(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[ !#-\[\]-~]|\\["\\])*"|[^"; ]+))?)*'
_BOOLEAN = re.compile(rf"\?([01]){_PARAMETERS}")
_INTEGER = re.compile(rf"(\d{{1,15}}){_PARAMETERS}", re.ASCII)


def boolean(fields: Fields, name: str) -> bool | None:
    """The value of a Boolean field; None where it is absent, repeated or no Boolean.

    >>> [boolean(Fields([("f", text)]), "f") for text in ("?1", "?0;a=b", "1", "true")]
    [True, False, None, None]
    """
    match = _BOOLEAN.fullmatch(fields.only(name) or "")
    return None if match is None else match[1] == "1"


def integer(fields: Fields, name: str) -> int | None:
    """The value of an Integer field; None where it is absent, repeated, negative or no Integer.

    >>> [integer(Fields([("f", text)]), "f") for text in ("15", "007", "-1", "1.0", "9" * 16)]
    [15, 7, None, None, None]
    """
    match = _INTEGER.fullmatch(fields.only(name) or "")
    return None if match is None else int(match[1])


def format_boolean(value: bool) -> str:
    """A Boolean as a field carries it."""
    return "?1" if value else "?0"
