"""Bytes in any portions, to records that are certain: `width` cells each, well-formed, UTF-8, ended by one line feed.

Two ways give the same answer. The quick one looks at a whole block through NumPy: where the quotes and separators are
tells everything, and rows of another width are taken out one by one. It gives up where quotes are wrong; then the
careful one goes record by record and knows what is wrong, and where. Where nobody can tell where a malformed record
ends, the physical line it began on is given up and reading goes on at the next: a forgotten quote costs one line.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fileserver.tables.engine.grammar import MAX_RECORD_SIZE, WINDOW, Grammar, Marks, fault_in, is_utf8

Positions = NDArray[np.intp]

_LINE_FEED, _RETURN = ord("\n"), ord("\r")
_CRUMBS_SIZE = 4096
"""Bytes of a record from which on crumbs are gathered: read again for each, it would cost the square of its length."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no row: the `row`-th below the header, begun on a physical line (both from 1)."""

    row: int
    line: int
    reason: str
    raw: bytes


@dataclass(slots=True)
class Batch:
    """What some bytes held: rows as clean CSV, and what was between them.

    `lines` has the physical line of each row where the reader was told to know them, unless they follow one another
    from `line` on.
    """

    line: int
    row: int
    clean: bytes = b""
    rows: int = 0
    blanks: int = 0
    rejects: list[Reject] = field(default_factory=list)
    lines: NDArray[np.int64] | None = None


class RecordReader:
    """Gives the records of a table as its bytes come; the portions they come in change nothing.

    `comment` is the byte that lines begin with which are no records; `pads` fills short rows with empty cells. `line`
    is the physical line that the first byte is on.
    """

    def __init__(
        self,
        marks: Marks,
        width: int,
        *,
        line: int,
        comment: bytes = b"",
        pads: bool = False,
        knows_lines: bool = False,
    ) -> None:
        self._grammar = Grammar(marks)
        self._marks = marks
        self._width = width
        self._comment = comment
        self._pads = pads
        self._knows_lines = knows_lines
        self._line = line
        self._row = 1
        self._pending = b""
        self._held_back = bytearray()
        self._is_discarding = False

    @property
    def waiting_size(self) -> int:
        """Bytes that were read and are part of no batch yet."""
        return len(self._pending) + len(self._held_back)

    @property
    def is_discarding(self) -> bool:
        """Whether a line is given up that has not ended yet."""
        return self._is_discarding

    def read(self, data: bytes) -> Batch:
        """The records that end within what came so far; what is malformed may show a little later."""
        self._held_back += data
        if len(self._held_back) < len(self._pending) // 8 and len(self._pending) > 4096:
            return Batch(
                self._line, self._row
            )  # read again for every crumb, a record would cost the square of its length
        data, self._held_back = bytes(self._held_back), bytearray()
        buffer = data[self._next_line(data, 0) :] if self._is_discarding else self._pending + data
        return self._quick(buffer) or self._careful(buffer, is_final=False)

    def finish(self) -> Batch:
        """The last records; the very last may lack its line end."""
        return self._careful(self._pending + self._held_back, is_final=True)

    def _quick(self, buffer: bytes) -> Batch | None:
        if (self._comment and self._has_comment(buffer)) or self._has_escape(buffer):
            return None
        block = _Block(buffer, self._marks)
        if not len(block.ends):
            return None if len(buffer) > MAX_RECORD_SIZE else self._waiting(buffer)
        has_long = int(np.diff(block.ends, prepend=-1).max()) > MAX_RECORD_SIZE
        if has_long or len(buffer) - block.size > MAX_RECORD_SIZE or not block.is_sound():
            return None
        self._pending = buffer[block.size :]
        return self._sorted_out(block)

    def _has_comment(self, buffer: bytes) -> bool:
        return buffer.startswith(self._comment) or b"\n" + self._comment in buffer

    def _has_escape(self, buffer: bytes) -> bool:
        """Whether quotes may be escaped in a way that the quick way does not know."""
        marks = self._marks
        return not marks.doubles_quotes and (marks.escape in buffer or marks.quote * 2 in buffer)

    def _waiting(self, buffer: bytes) -> Batch:
        self._pending = buffer
        return Batch(self._line, self._row)

    def _sorted_out(self, block: "_Block") -> Batch:
        """The batch of a block that is sound but perhaps for the widths of its records."""
        batch = Batch(self._line, self._row)
        misfits = np.flatnonzero(block.widths != self._width)
        if not len(misfits):
            batch.clean, batch.rows = block.clean(), len(block.ends)
            if self._knows_lines and block.lines != batch.rows:
                batch.lines = self._line + block.lines_before()
        else:
            self._take_out(batch, block, misfits)
        self._line += block.lines
        self._row += batch.rows + len(batch.rejects)
        return batch

    def _take_out(self, batch: Batch, block: "_Block", misfits: Positions) -> None:
        """Fill a batch with the records that fit, and with what the others are."""
        buffer, lines = block.buffer, self._line + block.lines_before()
        starts = np.concatenate(([0], block.ends + 1))
        pieces, padded = list[bytes](), list[int]()
        position, row = 0, self._row
        for place, previous in zip(misfits, (-1, *misfits[:-1]), strict=True):
            pieces.append(buffer[position : starts[place]])
            row += int(place - previous) - 1
            position = int(starts[place + 1])
            judged = self._judge(batch, _record(buffer[starts[place] : position]), row=row, line=int(lines[place]))
            row += judged is not None or bool(batch.rejects and batch.rejects[-1].row == row)
            padded += [int(place)] * (judged is not None)
            pieces.append(judged or b"")
        clean = b"".join(pieces) + buffer[position : block.size]
        batch.clean = _Block(clean, self._marks).clean() if b"\r" in clean else clean
        is_row = block.widths == self._width
        is_row[padded] = True
        batch.rows, batch.lines = int(is_row.sum()), lines[is_row]

    def _careful(self, buffer: bytes, *, is_final: bool) -> Batch:
        batch = Batch(self._line, self._row)
        clean, lines = list[bytes](), list[int]()
        position = 0
        while position < len(buffer):
            line = self._line
            end = self._end_of_record(buffer, position, is_final=is_final)
            if end is None and len(buffer) - position > WINDOW:  # only a comment may be longer, and nobody wants it
                position = self._next_line(buffer, position)
                continue
            if end is None:
                break
            if isinstance(end, str):
                batch.rejects.append(Reject(self._row, line, end, _first_line(buffer, position)))
                self._row += 1
                position = self._next_line(buffer, position)
                continue
            record = buffer[position:end]
            self._line += record.count(b"\n") + 1
            position = buffer.find(b"\n", end) + 1 or len(buffer)
            row = self._judge(batch, record, row=self._row, line=line)
            if row is not None:
                clean.append(row)
                lines.append(line)
            self._row += row is not None or bool(batch.rejects and batch.rejects[-1].row == self._row)
        self._pending = buffer[position:]
        batch.clean, batch.rows, batch.lines = b"".join(clean), len(clean), np.array(lines, np.int64)
        return batch

    def _end_of_record(self, buffer: bytes, start: int, *, is_final: bool) -> int | str | None:
        if self._comment and buffer.startswith(self._comment, start):
            end = buffer.find(b"\n", start)
            return end if end >= 0 else (len(buffer) if is_final else None)
        return self._grammar.end_of_record(buffer, start, is_final=is_final)

    def _judge(self, batch: Batch, record: bytes, *, row: int, line: int) -> bytes | None:
        """The record as a row of clean CSV; or None, and the batch tells what it was."""
        if self._comment and record.startswith(self._comment):
            return None
        if record in {b"", b"\r"} and self._width > 1:
            batch.blanks += 1
            return None
        fault = fault_in(record)
        cells = 0 if fault else len(self._grammar.cells_of(record))
        if cells == self._width or (self._pads and 0 < cells < self._width):
            padding = self._marks.delimiter * (self._width - cells)
            return self._grammar.with_doubled_quotes(record) + padding + b"\n"
        reason = fault or f"the header has {self._width} cells, this row {cells}"
        batch.rejects.append(Reject(row, line, reason, record))
        return None

    def _next_line(self, buffer: bytes, start: int) -> int:
        """Where the line begins that follows one given up; all that comes is thrown away until that one ends."""
        end = buffer.find(b"\n", start)
        self._is_discarding = end < 0
        self._line += end >= 0
        return end + 1 or len(buffer)


def ends_of(clean: bytes, marks: Marks) -> Positions:
    """The line feeds that end the records of clean CSV."""
    ends: Positions = _Block(clean, marks).ends
    return ends


class _Block:
    """Bytes from the beginning of a record on, looked at as a whole: quotes, delimiters and line feeds alone.

    `ends` are the line feeds that end records if the block is sound, `widths` how many cells each record has, `size`
    where the last of them ends, `lines` how many line feeds there are up to there.
    """

    def __init__(self, buffer: bytes, marks: Marks) -> None:
        self.buffer = buffer
        self._codes = np.frombuffer(buffer, np.uint8)
        self._delimiter, self._quote = marks.delimiter[0], marks.quote[0] if marks.quote else None
        has_quotes = bool(marks.quote) and marks.quote in buffer
        is_mark = (self._codes == self._delimiter) | (self._codes == _LINE_FEED)
        if has_quotes:
            is_mark |= self._codes == self._quote
        places = np.flatnonzero(is_mark)
        kinds = self._codes[places]
        is_quote = kinds == self._quote if has_quotes else np.zeros(len(places), bool)
        is_inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(np.bool_)
        is_separator = ~(is_quote | is_inside)
        is_end = (kinds == _LINE_FEED) & is_separator
        self.ends = places[is_end]
        self.size = int(self.ends[-1]) + 1 if len(self.ends) else 0
        self.widths = np.diff(np.flatnonzero(is_end[is_separator]), prepend=-1)
        before_size = int(np.searchsorted(places, self.size))
        self._places, self._kinds = places[:before_size], kinds[:before_size]
        self._quotes = self._places[is_quote[:before_size]] if has_quotes else np.empty(0, np.intp)
        self.lines = int(np.count_nonzero(self._kinds == _LINE_FEED))

    def is_sound(self) -> bool:
        """Whether quotes and carriage returns stand where they may, and all of it is text."""
        text = self.buffer[: self.size]
        return self._are_quotes_placed() and self._returns() is not None and b"\0" not in text and is_utf8(text)

    def clean(self) -> bytes:
        """The records, ended by line feeds alone."""
        returns = self._returns()
        if returns is None or not len(returns):
            return self.buffer[: self.size]
        return bytes(np.delete(self._codes[: self.size], returns))

    def lines_before(self) -> NDArray[np.int64]:
        """How many line feeds stand before each of the records."""
        starts = np.concatenate(([0], self.ends[:-1] + 1))
        return np.searchsorted(self._places[self._kinds == _LINE_FEED], starts).astype(np.int64)

    def _are_quotes_placed(self) -> bool:
        """Whether quotes stand only where a cell begins or ends, or doubled; up to a record's end they are even."""
        if not len(self._quotes):
            return True
        opening, closing = self._quotes[::2], self._quotes[1::2]
        before, after = self._codes[opening - 1], self._codes[closing + 1]
        opens = (before == self._delimiter) | (before == _LINE_FEED) | (before == self._quote)
        opens[0] |= opening[0] == 0  # the byte "before" the first is the last one
        closes = (after == self._delimiter) | (after == _LINE_FEED) | (after == self._quote) | (after == _RETURN)
        return bool(opens.all() and closes.all())

    def _returns(self) -> Positions | None:
        """The carriage returns of line ends; None where one stands alone outside quotes."""
        if b"\r" not in self.buffer:
            return np.empty(0, np.intp)
        returns = np.flatnonzero(self._codes[: self.size] == _RETURN)
        returns = returns[np.searchsorted(self._quotes, returns) & 1 == 0]
        return returns if bool((self._codes[returns + 1] == _LINE_FEED).all()) else None


def _record(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _first_line(buffer: bytes, start: int) -> bytes:
    end = buffer.find(b"\n", start)
    return buffer[start : end if end >= 0 else start + MAX_RECORD_SIZE].removesuffix(b"\r")
