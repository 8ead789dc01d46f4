"""The shape of a CSV: its delimiter, and whether its first record names the columns.

RFC 4180 with what is found in the wild: other delimiters, LF and CRLF also mixed, a UTF-8 byte order mark. Quotes are
always `"`, doubled to stand for themselves.
"""

import re
from dataclasses import dataclass

from fileserver.tables.faults import HeaderFault

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SNIFFED_DELIMITERS = (b",", b";", b"\t", b"|")
"""What `auto` chooses from; among equals the earlier wins, and a line without any is one column of a comma table."""

_BLANK_LINES = re.compile(rb"(?:\r?\n)*+")
_QUOTED = re.compile(rb'"[^"]*+"?')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the input is to be read; a delimiter of None is found from the first record."""

    delimiter: bytes | None = None
    has_header: bool = True


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first bytes tell: where the first record starts (bytes, lines before it) and what delimits its cells."""

    delimiter: bytes
    offset: int
    blank_lines: int


def beginning_of(head: bytes, dialect: Dialect, *, max_size: int, is_all: bool) -> Beginning | None:
    """How a table begins, or None while `head` is too short to tell.

    >>> beginning_of(b"\\n\\nid;name\\n", Dialect(), max_size=100, is_all=False)
    Beginning(delimiter=b';', offset=2, blank_lines=2)

    Raises HeaderFault when there is no first record within `max_size` bytes, or none at all.
    """
    mark = len(BYTE_ORDER_MARK) if head.startswith(BYTE_ORDER_MARK) else 0
    offset = _end_of_blank_lines(head, mark)
    end = _end_of_first_record(head, offset)
    if end is None and not is_all and len(head) - offset <= max_size:
        return None
    line = head[offset:end]
    if not line:
        raise HeaderFault("the table is empty")
    return Beginning(dialect.delimiter or sniffed_delimiter(line), offset, head.count(b"\n", 0, offset))


def sniffed_delimiter(line: bytes) -> bytes:
    """The most frequent delimiter in a record, what stands in quotes aside.

    >>> sniffed_delimiter(b'id;"last, first, middle";total')
    b';'
    """
    bare = _QUOTED.sub(b"", line)
    return max(SNIFFED_DELIMITERS, key=bare.count)


def _end_of_first_record(head: bytes, start: int) -> int | None:
    """The line feed that ends it: the first with all quotes closed before it. None while there is none."""
    quotes, position = 0, start
    while (end := head.find(b"\n", position)) >= 0:
        quotes += head.count(b'"', position, end)
        if quotes % 2 == 0:
            return end
        position = end + 1
    return None


def _end_of_blank_lines(head: bytes, start: int) -> int:
    found = _BLANK_LINES.match(head, start)
    return found.end() if found else start
