"""Bytes in any portions, to records: veiled raw lines, and the places where there is none to be had.

Two ways give the same answer. The quick one takes a whole batch at once with primitives that run at C speed, and gives
up as soon as anything looks wrong. The careful one goes record by record and knows what is wrong, and where.

A record ends at LF or CRLF outside quotes. It is malformed when a quote stands inside an unquoted cell, when text
follows a closing quote, when a carriage return stands alone outside quotes, when a quote is never closed, when the
record is longer than `MAX_RECORD_SIZE`, or when it holds a NUL or is not UTF-8. NUL and UTF-8 aside nobody can tell
where such a record ends: the physical line it began on is given up and reading goes on at the next line, so that
one forgotten quote costs one line.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from fileserver.tables.cells import Veil

MAX_RECORD_SIZE = 1024 * 1024  # bytes, the line end aside: what one record may hold in memory

_TOO_LONG = f"the record is longer than {MAX_RECORD_SIZE} bytes (is a quote never closed?)"
_WINDOW = MAX_RECORD_SIZE + len(b"\r\n")


@dataclass(frozen=True, slots=True)
class Run:
    """Records in a row, veiled, without their line ends; a blank line is an empty record here.

    `first_line` is the physical line of the first (from 1). `is_ended` is False for a last record without a line end.
    """

    first_line: int
    records: list[bytes]
    is_ended: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """A malformed record, begun on a physical line."""

    line: int
    reason: str


Item: TypeAlias = Run | Reject


class RecordReader:
    """Gives the records of a table as its bytes come; the portions they come in change nothing."""

    def __init__(self, delimiter: bytes, veil: Veil, line: int) -> None:
        self.line_end = b""
        """The line end of the first well-formed record; empty before that, and when it has none."""
        self._quoting = _Quoting(delimiter)
        self._veil = veil
        self._line = line
        self._pending = b""
        self._held_back = bytearray()
        self._is_quote_open = False
        self._is_discarding = False

    def read(self, data: bytes) -> list[Item]:
        """The records that end within what came so far; what is malformed may show a little later."""
        self._held_back += data
        if len(self._held_back) < len(self._pending) // 8 and not self._may_end_in(data):
            return []  # read again for every crumb, a record would cost the square of its length
        data, self._held_back = bytes(self._held_back), bytearray()
        buffer = self._after_line(data) if self._is_discarding else self._pending + data
        quick = self._quick(buffer)
        items = self._careful(buffer, is_final=False) if quick is None else quick
        self._is_quote_open = self._pending.count(b'"') % 2 == 1
        return items

    def finish(self) -> list[Item]:
        """The last records; the very last may lack its line end."""
        return self._careful(self._pending + self._held_back, is_final=True)

    def _may_end_in(self, data: bytes) -> bool:
        """Whether the pending record ends in the next bytes, if its quotes are right."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._is_quote_open ^= line.count(b'"') % 2 == 1
            if not self._is_quote_open:
                return True
        self._is_quote_open ^= rest.count(b'"') % 2 == 1
        return False

    def _quick(self, buffer: bytes) -> list[Item] | None:
        pieces = buffer.split(b'"')
        if not self._quoting.is_right(pieces):
            return None
        veiled = self._veil.over(pieces)
        size = veiled.rfind(b"\n") + 1
        if len(buffer) - size > MAX_RECORD_SIZE or _fault_in(buffer[:size]) is not None:
            return None
        records = _cut(veiled[:size])
        if records is None or (len(buffer) > MAX_RECORD_SIZE and _has_too_long(records)):
            return None
        self._pending = buffer[size:]
        if not records:
            return []
        self._note_line_end(buffer, len(records[0]))
        run = Run(self._line, records)
        self._line += buffer.count(b"\n", 0, size)
        return [run]

    def _careful(self, buffer: bytes, *, is_final: bool) -> list[Item]:
        items: list[Item] = []
        position = 0
        while position < len(buffer):
            end = self._quoting.end_of_record(buffer, position, is_final=is_final)
            if end is None:
                break
            if isinstance(end, str):
                items.append(Reject(self._line, end))
                position = len(buffer) - len(self._after_line(buffer[position:]))
            else:
                self._add(items, buffer, position, end)
                position = buffer.find(b"\n", end) + 1 or len(buffer)
        self._pending = buffer[position:]
        return items

    def _add(self, items: list[Item], buffer: bytes, start: int, end: int) -> None:
        record = buffer[start:end]
        fault = _fault_in(record)
        if fault is not None:
            items.append(Reject(self._line, fault))
        else:
            self._note_line_end(buffer, end)
            is_ended = end < len(buffer)
            if not is_ended or not items or isinstance(items[-1], Reject):
                items.append(Run(self._line, [], is_ended))
            last = items[-1]
            if isinstance(last, Run):
                last.records.append(self._veil.over(record.split(b'"')))
        self._line += record.count(b"\n") + 1

    def _after_line(self, buffer: bytes) -> bytes:
        """What follows the line that is given up; all that comes is thrown away until it ends."""
        end = buffer.find(b"\n")
        self._is_discarding = end < 0
        if self._is_discarding:
            return b""
        self._line += 1
        return buffer[end + 1 :]

    def _note_line_end(self, buffer: bytes, end: int) -> None:
        if not self.line_end:
            self.line_end = b"\r\n" if buffer.startswith(b"\r\n", end) else buffer[end : end + 1]


class _Quoting:
    """Where quotes may stand, and so where a record ends."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        bare = re.escape(delimiter)
        cell = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^"\r\n%b]*+)' % bare
        self._cells = re.compile(rb"%b(?:%b%b)*+" % (cell, bare, cell))
        ends = b'"\r\n' + delimiter
        self._classes = bytes(code if code == ord('"') else ord("," if code in ends else "x") for code in range(256))

    def is_right(self, pieces: list[bytes]) -> bool:
        """Whether text that was cut at each quote has every quote where one may stand.

        The pieces lie outside and inside quotes by turns; an empty one outside comes of a doubled quote. So a piece
        outside ends with a delimiter or line feed where a quote opens, and begins with a delimiter or line end
        where one closed.
        """
        if len(pieces) == 1:
            return True
        is_open = len(pieces) % 2 == 0
        classes = b'"'.join(pieces[::2] + [b""] * is_open).translate(self._classes)
        return b'x"' not in classes and b'"x' not in classes

    def end_of_record(self, buffer: bytes, start: int, *, is_final: bool) -> int | str | None:
        """Where the record from `start` ends, without its line end; or why it is malformed; None if unfinished."""
        cells = self._cells.match(buffer, start, start + _WINDOW)
        stop = cells.end() if cells else start
        follows = buffer[stop : stop + 2]
        if stop - start > MAX_RECORD_SIZE:
            return _TOO_LONG
        if follows[:1] == b"\n" or follows == b"\r\n" or (is_final and not follows):
            return stop
        if follows in {b"", b"\r"} and not is_final:
            return None
        if follows[:1] == b'"' and buffer[max(start, stop - 1) : stop] in {b"", self._delimiter}:
            return self._unclosed(len(buffer) - start, is_final=is_final)
        return self._misplaced(buffer[stop - 1 : stop], follows[:1])

    def _unclosed(self, size: int, *, is_final: bool) -> str | None:
        if size >= _WINDOW:
            return _TOO_LONG
        return "a quote is never closed" if is_final else None

    def _misplaced(self, before: bytes, found: bytes) -> str:
        if found == b"\r":
            return "a carriage return stands outside quotes without a line feed"
        if before == b'"':
            return "text follows a closing quote"
        return "a quote stands inside an unquoted cell"


def _cut(text: bytes) -> list[bytes] | None:
    """The lines of veiled text that ends with a line feed; None when a carriage return stands alone."""
    if b"\r" in text:
        if text.count(b"\r") != text.count(b"\r\n"):
            return None
        text = text.replace(b"\r\n", b"\n")
    lines = text.split(b"\n")
    lines.pop()
    return lines


def _fault_in(record: bytes) -> str | None:
    """Why these bytes are no text, or None."""
    if b"\0" in record:
        return "a NUL"
    if not record.isascii():
        try:
            record.decode()
        except UnicodeDecodeError:
            return "not UTF-8"
    return None


def _has_too_long(records: list[bytes]) -> bool:
    return max(map(len, records), default=0) > MAX_RECORD_SIZE
