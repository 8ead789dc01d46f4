"""What a record is: where it ends, and why it is malformed when it is.

RFC 4180 s.2 with what is found in the wild: any delimiter, LF and CRLF also mixed, a quote other than `"` or none, an
escape other than the doubled quote. A record is malformed when a quote stands inside an unquoted cell, when text
follows a closing quote, when a quote is never closed, when a carriage return stands alone outside quotes, when it is
longer than `MAX_RECORD_SIZE`, holds a NUL or is not UTF-8. It is never mended.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

MAX_RECORD_SIZE = 1024 * 1024  # bytes, the line end aside: what one record may hold in memory
BUFFER_SIZE = 2 * MAX_RECORD_SIZE
"""Bytes that the engine reads before it gives rows: no less than two records of the largest size."""
TOO_LONG = f"the record is longer than {MAX_RECORD_SIZE} bytes (is a quote never closed?)"
WINDOW = MAX_RECORD_SIZE + len(b"\r\n")


@dataclass(frozen=True, slots=True)
class Marks:
    """The bytes that mean something: each one ASCII character; a quote or escape of b"" is none.

    An escape equal to the quote is the doubled quote; any other makes the next character within quotes a part of the
    value, whatever it is.
    """

    delimiter: bytes
    quote: bytes = b'"'
    escape: bytes = b'"'

    @property
    def doubles_quotes(self) -> bool:
        """Whether a quote within quotes is written twice."""
        return self.quote == self.escape

    @property
    def of_clean(self) -> "Marks":
        """Those of the same records as clean CSV: quotes within quotes are doubled, whatever the escape was."""
        return Marks(self.delimiter, self.quote, self.quote)


class Grammar:
    """Finds the ends of records and cuts them into cells, one at a time."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        delimiter, quote = re.escape(marks.delimiter), re.escape(marks.quote)
        if not marks.quote:
            cell = rb"[^\r\n%b]*+" % delimiter
        elif marks.doubles_quotes:
            cell = rb"(?:%b[^%b]*+(?:%b%b[^%b]*+)*+%b|[^%b\r\n%b]*+)" % (*[quote] * 7, delimiter)
        else:
            escape = re.escape(marks.escape)
            inside = rb"[^%b%b]*+(?:%b(?s:.)[^%b%b]*+)*+" % (quote, escape, escape, quote, escape)
            cell = rb"(?:%b%b%b|[^%b\r\n%b]*+)" % (quote, inside, quote, quote, delimiter)
        self._cell = re.compile(cell)
        self._cells = re.compile(rb"%b(?:%b%b)*+" % (cell, delimiter, cell))

    def end_of_record(self, buffer: bytes, start: int, *, is_final: bool) -> int | str | None:
        """Where the record from `start` ends, without its line end; or why it is malformed; None if unfinished."""
        cells = self._cells.match(buffer, start, start + WINDOW)
        stop = cells.end() if cells else start
        follows = buffer[stop : stop + 2]
        if stop - start > MAX_RECORD_SIZE:
            return TOO_LONG
        if follows[:1] == b"\n" or follows == b"\r\n" or (is_final and not follows):
            return stop
        if follows in {b"", b"\r"} and not is_final:
            return None
        if self.marks.quote and follows[:1] == self.marks.quote and self._may_open(buffer, start, stop):
            return _unclosed(len(buffer) - start, is_final=is_final)
        return self._misplaced(buffer[stop - 1 : stop], follows[:1])

    def cells_of(self, record: bytes) -> tuple[bytes, ...]:
        """The raw cells of a well-formed record.

        >>> Grammar(Marks(b",")).cells_of(b'1,"a,b",')
        (b'1', b'"a,b"', b'')
        """
        return tuple(self._cells_in(record))

    def text_of(self, cell: bytes) -> str:
        """The text that a raw cell of a well-formed record stands for.

        >>> Grammar(Marks(b",")).text_of(b'"5"" pipe"')
        '5" pipe'
        """
        marks = self.marks
        if not marks.quote or cell[:1] != marks.quote:
            return cell.decode()
        inside = cell[1:-1]
        return (
            inside.replace(marks.quote * 2, marks.quote) if marks.doubles_quotes else self._unescaped(inside)
        ).decode()

    def with_doubled_quotes(self, record: bytes) -> bytes:
        """A well-formed record without escapes: quotes within quotes are doubled, as the engine reads them.

        >>> Grammar(Marks(b",", b'"', b"!")).with_doubled_quotes(b'"a!"b!,",c')
        b'"a""b,",c'
        """
        if self.marks.doubles_quotes or self.marks.escape not in record:
            return record
        return self.marks.delimiter.join(map(self._with_doubled_quotes, self._cells_in(record)))

    def _with_doubled_quotes(self, cell: bytes) -> bytes:
        quote = self.marks.quote
        if cell[:1] != quote:
            return cell
        return quote + self._unescaped(cell[1:-1]).replace(quote, quote * 2) + quote

    def _unescaped(self, inside: bytes) -> bytes:
        return re.sub(rb"%b(.)" % re.escape(self.marks.escape), rb"\1", inside, flags=re.DOTALL)

    def _cells_in(self, record: bytes) -> Iterator[bytes]:
        position = -1
        while position < len(record):
            found = self._cell.match(record, position + 1)
            position = found.end() if found else len(record)
            yield found.group() if found else b""

    def _may_open(self, buffer: bytes, start: int, stop: int) -> bool:
        return stop == start or buffer[stop - 1 : stop] == self.marks.delimiter

    def _misplaced(self, before: bytes, found: bytes) -> str:
        if found == b"\r":
            return "a carriage return stands outside quotes without a line feed"
        if before == self.marks.quote:
            return "text follows a closing quote"
        return "a quote stands inside an unquoted cell"


def fault_in(record: bytes) -> str | None:
    """Why these bytes are no text, or None."""
    if b"\0" in record:
        return "a NUL"
    return None if is_utf8(record) else "not UTF-8"


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8. Arrow looks at 6 GB/s, `bytes.decode` at 0.8.

    >>> is_utf8("ö".encode()), is_utf8(b"\\xed\\xa0\\x80"), is_utf8(b"")
    (True, False, True)
    """
    offsets = array("i", (0, len(text)))
    value = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    try:
        value.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _unclosed(size: int, *, is_final: bool) -> str | None:
    if size >= WINDOW:
        return TOO_LONG
    return "a quote is never closed" if is_final else None
