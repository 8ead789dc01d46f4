"""A table whose beginning has been read: how it is written, what its columns are called, and the rest of its bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from fileserver.tables.engine.decoding import as_utf8, pieces_of, unpacked
from fileserver.tables.engine.dialect import SAMPLE_SIZE, Dialect, dialect_of, encoding_of
from fileserver.tables.engine.grammar import MAX_RECORD_SIZE, Grammar, fault_in
from fileserver.tables.engine.records import RecordReader
from fileserver.tables.engine.shape import Shape
from fileserver.tables.faults import HeaderFault, PlanFault
from fileserver.tables.plan import Input

MAX_COLUMNS = 16384  # as many as a spreadsheet has

_NO_TABLES = (
    (b"PK\x03\x04", "a ZIP archive or an Excel file"),
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
)
_CODINGS = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


@dataclass(frozen=True, slots=True)
class Beginning:
    """A table below its header. `pieces` are the bytes from there on as UTF-8, to be iterated over once."""

    names: tuple[str, ...]
    dialect: Dialect
    coding: str
    """The content coding it is packed with, "" for none."""
    encoding: str
    told: Input
    line: int
    blank_lines: int
    pieces: Iterator[bytes]
    bytes_in: Callable[[], int]
    """Bytes that have been read of what was sent, packed as it was."""

    def reader(self, *, knows_lines: bool) -> RecordReader:
        """What cuts the pieces into records."""
        return RecordReader(
            self.dialect.marks,
            len(self.names),
            line=self.line,
            comment=(self.told.comment or "").encode(),
            pads=self.told.on_bad_row == "pad",
            knows_lines=knows_lines,
        )

    @property
    def shape(self) -> Shape:
        """What output inherits."""
        return Shape(self.dialect.marks.delimiter.decode(), self.dialect.line_end, self.told.header)

    def described(self) -> dict[str, str | bool | None]:
        """The dialect for people, in the words of a plan."""
        marks = self.dialect.marks
        return {
            "delimiter": marks.delimiter.decode(),
            "quote": marks.quote.decode() or None,
            "encoding": self.encoding,
            "line_ending": "crlf" if self.dialect.line_end == "\r\n" else "lf",
            "header": self.told.header,
        }


def beginning_of(descriptor: int, told: Input, *, coding: str) -> Beginning:
    """Read the beginning of a table from a pipe or a file, packed with a content coding or as it is.

    Raises EncodingFault, HeaderFault, and PlanFault when `told` cannot be.
    """
    counted = _Counted(pieces_of(descriptor))
    head, rest = _sampled(counted)
    coding = coding or next((name for magic, name in _CODINGS if head.startswith(magic)), "")
    head, rest = _sampled(unpacked(chain((head,), rest), coding))
    if (kind := next((kind for magic, kind in _NO_TABLES if head.startswith(magic)), None)) is not None:
        raise HeaderFault(f"this is {kind}, and no table in text")
    encoding = encoding_of(head, told.encoding)
    text = _Text(as_utf8(chain((head,), rest), encoding))
    skipped = text.skip_lines(told.skip_rows)
    dialect = dialect_of(text.sample(), told)
    skipped += text.drop(text.start + dialect.hint_size)
    return _below_header(text, dialect, coding, encoding, told, skipped + 1, lambda: counted.size)


class _Counted:
    """Pieces, and how many bytes they were."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self.size += len(piece)
        return piece


class _Text:
    """UTF-8 of which the beginning is looked at before the rest is passed on: `head` from `start` on, then `more`."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.head = b""
        self.start = 0

    @property
    def size(self) -> int:
        """Bytes that can be looked at."""
        return len(self.head) - self.start

    def sample(self) -> bytes:
        """As much as a sample has."""
        while self.size < SAMPLE_SIZE and self.more():
            pass
        return self.head[self.start : self.start + SAMPLE_SIZE]

    def more(self) -> bool:
        """Add to the head, if anything comes; an eighth, as it is looked at again for every crumb."""
        found, size = [self.head[self.start :]], 0
        while size <= self.size // 8 and (piece := next(self._pieces, b"")):
            found.append(piece)
            size += len(piece)
        self.head, self.start = b"".join(found), 0
        return size > 0

    def begins_with(self, mark: bytes) -> bool:
        """Whether one byte is the first."""
        return (self.size > 0 or self.more()) and self.head.startswith(mark, self.start)

    def drop(self, end: int) -> int:
        """Drop what is before a place in the head; how many lines ended there."""
        lines = self.head.count(b"\n", self.start, end)
        self.start = end
        return lines

    def skip_lines(self, count: int) -> int:
        """Drop so many physical lines; how many there were."""
        skipped = 0
        while skipped < count:
            end = self.head.find(b"\n", self.start)
            self.start = end + 1 or len(self.head)
            skipped += end >= 0
            if end < 0 and not self.more():
                break
        return skipped

    def rest(self) -> Iterator[bytes]:
        """All that has not been dropped."""
        return filter(None, chain((self.head[self.start :],), self._pieces))


def _sampled(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= SAMPLE_SIZE:
            break
    return head, pieces


def _below_header(
    text: _Text, dialect: Dialect, coding: str, encoding: str, told: Input, line: int, bytes_in: Callable[[], int]
) -> Beginning:
    grammar, blanks = Grammar(dialect.marks), 0
    while True:
        if told.comment is not None and text.begins_with(told.comment.encode()):
            line += text.skip_lines(1)
            continue
        record, end = _first_record(text, grammar)
        if record:
            break
        line += text.drop(end)
        blanks += 1
    cells = grammar.cells_of(record)
    if len(cells) > MAX_COLUMNS:
        raise HeaderFault(f"the table has {len(cells)} columns, more than {MAX_COLUMNS}")
    names = _names(tuple(map(grammar.text_of, cells)), told)
    if told.header:
        line += record.count(b"\n") + 1
        text.drop(end)
    return Beginning(names, dialect, coding, encoding, told, line, blanks, text.rest(), bytes_in)


def _first_record(text: _Text, grammar: Grammar) -> tuple[bytes, int]:
    """The first record, and where in the head the next line begins."""
    is_final = False
    while (end := grammar.end_of_record(text.head, text.start, is_final=is_final)) is None:
        is_final = text.size > 2 * MAX_RECORD_SIZE or not text.more()
    if isinstance(end, str):
        raise HeaderFault(f"the first record is malformed: {end}")
    if not text.size:
        raise HeaderFault("the table is empty")
    record = text.head[text.start : end]
    if (fault := fault_in(record)) is not None:
        raise HeaderFault(f"the first record is malformed: {fault}")
    return record, (text.head.find(b"\n", end) + 1 or len(text.head))


def _names(found: tuple[str, ...], told: Input) -> tuple[str, ...]:
    if told.columns is not None and len(told.columns) != len(found):
        raise PlanFault(f"the table has {len(found)} columns, not {len(told.columns)}", "input.columns")
    if told.columns is not None:
        return told.columns
    return found if told.header else tuple(f"column{number}" for number in range(1, len(found) + 1))
