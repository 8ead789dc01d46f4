"""Raw cells: the bytes between two delimiters, quotes included, which leave as they came.

Inside quotes, delimiters and line ends mean nothing. A `Veil` exchanges them there for bytes that UTF-8 never uses,
one for one; veiled text can be cut at line feeds and delimiters by `bytes.split`, as if nobody had ever quoted
anything, and unveiled when it leaves. Only text known to be UTF-8 may be unveiled.
"""

from collections.abc import Iterable

VEILED_LINE_FEED = b"\xfe"  # a line feed inside quotes, veiled (RFC 3629 s.1: 0xF5 to 0xFF never appear)
VEILED_RETURN = b"\xff"
VEILED_DELIMITER = b"\xfc"
_OUTPUT_DELIMITER = b"\xfd"


class Veil:
    """Hides what stands inside quotes from whoever cuts text by `delimiter`, or will cut it by `output_delimiter`."""

    def __init__(self, delimiter: bytes, output_delimiter: bytes) -> None:
        plain, veiled = b"\n\r" + delimiter, VEILED_LINE_FEED + VEILED_RETURN + VEILED_DELIMITER
        if output_delimiter != delimiter:
            plain, veiled = plain + output_delimiter, veiled + _OUTPUT_DELIMITER
        self._hide = bytes.maketrans(plain, veiled)
        self._show = bytes.maketrans(veiled, plain)

    def hide(self, quoted: bytes) -> bytes:
        """Text from inside quotes, veiled."""
        return quoted.translate(self._hide)

    def over(self, pieces: list[bytes]) -> bytes:
        """Text that was cut at each of its quotes, whole again, with every second piece veiled.

        >>> Veil(b",", b",").over([b"1,", b"a,b", b""])
        b'1,"a\\xfcb"'
        """
        inside = b'"'.join(pieces[1::2])
        hidden = self.hide(inside)
        if hidden != inside:
            pieces[1::2] = hidden.split(b'"')
        return b'"'.join(pieces)

    def show(self, text: bytes) -> bytes:
        """Veiled text as it came.

        >>> veil = Veil(b",", b",")
        >>> veil.show(b'1,"' + veil.hide(b"a,b") + b'"')
        b'1,"a,b"'
        """
        return text.translate(self._show) if b'"' in text else text

    def texts_of(self, cells: list[bytes]) -> list[bytes]:
        """The texts that the cells of a column stand for."""
        column = b",".join(cells)
        if b'"' not in column:
            return cells
        if has_doubled_quote(column, cells) or self.show(column) != column:
            return [self.text_of(cell) for cell in cells]
        return [cell[1:-1] if cell[:1] == b'"' else cell for cell in cells]

    def text_of(self, cell: bytes) -> bytes:
        """The text that a veiled cell stands for: without its quotes, doubled quotes single.

        >>> Veil(b",", b",").text_of(b'"5"" pipe"')
        b'5" pipe'
        """
        return self.show(cell)[1:-1].replace(b'""', b'"') if cell[:1] == b'"' else cell


def has_doubled_quote(column: bytes, cells: list[bytes]) -> bool:
    """Whether any of the cells, also given joined by commas, has a doubled quote within its quotes."""
    return column.count(b'""') > cells.count(b'""')


def columns_of(records: list[bytes], delimiter: bytes, width: int, indices: Iterable[int]) -> list[list[bytes]]:
    """Some columns of veiled records that have `width` cells each.

    >>> columns_of([b"1,2", b"3,4"], b",", 2, [1, 0])
    [[b'2', b'4'], [b'1', b'3']]
    """
    cells = delimiter.join(records).split(delimiter)
    return [cells[index::width] for index in indices]


def column_of(records: list[bytes], delimiter: bytes, index: int) -> list[bytes]:
    """One column of veiled records; cheaper than all of them."""
    return [record.split(delimiter, index + 1)[index] for record in records]


def csv_cell(text: bytes, delimiter: bytes) -> bytes:
    """A text as a cell, in quotes only if it needs them.

    >>> csv_cell(b'5" pipe', b",")
    b'"5"" pipe"'
    """
    if any(mark in text for mark in (b'"', b"\r", b"\n", delimiter)):
        return b'"' + text.replace(b'"', b'""') + b'"'
    return text
