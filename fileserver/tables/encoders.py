"""Rows to bytes: CSV, where cells leave as they came, and NDJSON, where they are texts.

An NDJSON line is an object of all columns in order: a text for each cell, null for an empty one without quotes, ""
for an empty one in quotes. Columns of one name get `_2`, `_3`, ... behind it, passing over names that are taken.
The last line says that the table is whole: `{"type":"end","rows":2,"rejected":0}`; numbers stand in no other line.
"""

import operator
from collections.abc import Iterator, Sequence
from json import JSONEncoder
from typing import Protocol

from fileserver.tables.cells import (
    VEILED_DELIMITER,
    VEILED_LINE_FEED,
    VEILED_RETURN,
    Veil,
    columns_of,
    has_doubled_quote,
)
from fileserver.tables.steps import Program

PIECE_SIZE = 1024 * 1024
"""Bytes of keys in a piece of NDJSON, about: long column names make the output as many times the input as one likes."""

_ESCAPED = bytes(range(0x20)) + b"\\"  # what JSON must escape (RFC 8259 s.7), quotes aside
_json = JSONEncoder(ensure_ascii=False).encode


class Encoder(Protocol):
    """Writes a table in one format."""

    def header(self, *, is_ended: bool) -> bytes:
        """What stands before the first row; without a line end if there is nothing else, and it came so."""

    def rows(self, records: list[bytes], *, is_ended: bool) -> Iterator[bytes]:
        """Veiled records as they leave, in pieces; the last record came with a line end, or did not."""

    def end(self, rows_out: int, rows_rejected: int) -> bytes:
        """What stands after the last row."""


class CsvEncoder:
    """Writes raw cells as they came; a cell gets quotes only where a new delimiter stands in it."""

    def __init__(self, program: Program, *, delimiters: tuple[bytes, bytes], line_end: bytes, veil: Veil) -> None:
        self._columns = program.layout.columns
        self._width = program.width
        self._delimiter, self._output_delimiter = delimiters
        self._line_end = line_end
        self._veil = veil
        self._indices = [column.index for column in self._columns]
        self._is_as_it_came = self._indices == list(range(self._width)) and self._delimiter == self._output_delimiter

    def header(self, *, is_ended: bool) -> bytes:
        """The names of the columns."""
        cells = self._fitted([column.cell for column in self._columns])
        return self._ended(self._output_delimiter.join(cells), is_ended=is_ended)

    def rows(self, records: list[bytes], *, is_ended: bool) -> Iterator[bytes]:
        """The records in one piece; the last leaves without a line end if it came so."""
        lines = records if self._is_as_it_came else self._rearranged(records)
        yield self._ended(self._line_end.join(lines), is_ended=is_ended)

    def end(self, rows_out: int, rows_rejected: int) -> bytes:
        """Nothing."""
        return b""

    def _ended(self, veiled: bytes, *, is_ended: bool) -> bytes:
        """The text; a last line that is empty needs its end, or nobody would see that it is there."""
        text = self._veil.show(veiled)
        return text + self._line_end if is_ended or text == b"" or text.endswith(self._line_end) else text

    def _rearranged(self, records: list[bytes]) -> Iterator[bytes]:
        columns = columns_of(records, self._delimiter, self._width, self._indices)
        return map(self._output_delimiter.join, zip(*map(self._fitted, columns), strict=True))

    def _fitted(self, cells: list[bytes]) -> list[bytes]:
        """The cells, in quotes where the output's delimiter stands in one without."""
        delimiter = self._output_delimiter
        if delimiter not in b"".join(cells):
            return cells
        return [b'"%b"' % cell if delimiter in cell and cell[:1] != b'"' else cell for cell in cells]


class NdjsonEncoder:
    """Writes an object a row."""

    def __init__(self, program: Program, delimiter: bytes, veil: Veil) -> None:
        self._width = program.width
        self._delimiter = delimiter
        self._veil = veil
        is_escaped = delimiter in _ESCAPED
        self._escaped = _ESCAPED + VEILED_LINE_FEED + VEILED_RETURN + (VEILED_DELIMITER if is_escaped else b"")
        self._indices = [column.index for column in program.layout.columns]
        names = unique_names([column.name for column in program.layout.columns])
        self._keys = [_json(name).encode().replace(b"%", b"%%") + b":" for name in names]
        self._rows_in_piece = max(1, PIECE_SIZE // sum(map(len, self._keys)))

    def header(self, *, is_ended: bool) -> bytes:
        """Nothing: every line names its columns."""
        return b""

    def rows(self, records: list[bytes], *, is_ended: bool) -> Iterator[bytes]:
        """A line a record; lines always end."""
        for start in range(0, len(records), self._rows_in_piece):
            yield self._lines(records[start : start + self._rows_in_piece])

    def end(self, rows_out: int, rows_rejected: int) -> bytes:
        """The line that says that the table is whole."""
        return b'{"type":"end","rows":%d,"rejected":%d}\n' % (rows_out, rows_rejected)

    def _lines(self, records: list[bytes]) -> bytes:
        columns = columns_of(records, self._delimiter, self._width, self._indices)
        slots, values = zip(*map(self._slot_and_values, columns), strict=True)
        line = b"{" + b",".join(map(operator.add, self._keys, slots)) + b"}\n"
        return self._veil.show(b"".join(map(line.__mod__, zip(*values, strict=True))))

    def _slot_and_values(self, cells: list[bytes]) -> tuple[bytes, list[bytes]]:
        """How a column stands in the template of a line, and what its cells put there; what is veiled may remain so."""
        column = b",".join(cells)
        if len(column.translate(None, self._escaped)) < len(column) or has_doubled_quote(column, cells):
            return b"%b", [self._value(cell) for cell in cells]
        if b'"' not in column and all(cells):
            return b'"%b"', cells
        return b"%b", [cell if cell[:1] == b'"' else b'"%b"' % cell if cell else b"null" for cell in cells]

    def _value(self, cell: bytes) -> bytes:
        return _json(self._veil.text_of(cell).decode()).encode() if cell else b"null"


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with a number behind every repeated one.

    >>> unique_names(["a", "a", "a_2", "a"])
    ['a', 'a_3', 'a_2', 'a_4']
    """
    taken = set(names)
    numbers: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        candidate = name
        while name in numbers and candidate in taken:
            numbers[name] += 1
            candidate = f"{name}_{numbers[name]}"
        numbers.setdefault(name, 1)
        taken.add(candidate)
        unique.append(candidate)
    return unique
