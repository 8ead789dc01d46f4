"""What a transform is, in the plainest words: whole tables, character by character. Slow and obvious."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from fileserver.tables import Counts

_COMPARE = {"=": (0,), "!=": (-1, 1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}

Filter: TypeAlias = tuple[str, str, Decimal | str]


@dataclass(frozen=True)
class Wish:
    """What is asked for, in values."""

    delimiter: str = ","
    header: bool = True
    filters: tuple[Filter, ...] = ()
    limit: int | None = None
    select: tuple[str, ...] | None = None
    rename: dict[str, str] = field(default_factory=dict)
    format: str = "csv"
    output_delimiter: str | None = None
    skip: bool = False

    def parameters(self) -> list[tuple[str, str]]:
        """The same as a query."""
        pairs = [("delimiter", self.delimiter), ("header", str(self.header).lower()), ("format", self.format)]
        for name, operator, literal in self.filters:
            value = f"{literal}" if isinstance(literal, Decimal) else "'" + literal.replace("'", "''") + "'"
            pairs.append(("filter", f"{_quoted(name)} {operator} {value}"))
        if self.limit is not None:
            pairs.append(("limit", str(self.limit)))
        if self.select is not None:
            pairs.append(("select", ",".join(map(_quoted, self.select))))
        if self.rename:
            pairs.append(("rename", ",".join(f"{_quoted(a)}:{_quoted(b)}" for a, b in self.rename.items())))
        if self.output_delimiter is not None:
            pairs.append(("output_delimiter", self.output_delimiter))
        return [*pairs, ("on_error", "skip" if self.skip else "abort")]


@dataclass(frozen=True)
class Record:
    """Raw cells, the line they begin on, and the line end; a reason instead of cells when malformed."""

    line: int
    cells: list[bytes]
    end: bytes
    reason: bool = False


@dataclass(frozen=True)
class Outcome:
    """All output, or the kind and place of the fault."""

    output: bytes
    counts: Counts
    fault: tuple[str, int, int] | None = None


def transformed(table: bytes, wish: Wish) -> Outcome:
    """What becomes of a table."""
    delimiter = wish.delimiter.encode()
    records = _records(table, delimiter)
    blank = 0
    while records and records[0].cells == [b""] and not records[0].reason and records[0].end:
        records, blank = records[1:], blank + 1
    if not records or (wish.header and records[0].reason):
        return Outcome(b"", Counts(), ("HeaderFault", 0, 0))
    return _rows_transformed(records, blank, wish)


def _rows_transformed(records: list[Record], blank: int, wish: Wish) -> Outcome:
    first = next((each for each in records if not each.reason and each.cells != [b""]), None)
    names = _names(first, wish)
    if wish.header and first is not None:
        records = records[1:]
    ends = [each.end for each in ([first] if wish.header and first else []) + records if not each.reason]
    out, rejected, filtered = list[Record](), 0, 0
    for record in records:
        if wish.limit is not None and first is not None and len(out) >= wish.limit and record.line >= first.line:
            break
        if not record.reason and record.cells == [b""] and (len(names) != 1 or (first and record.line < first.line)):
            blank += 1
        elif record.reason or len(record.cells) != len(names):
            if not wish.skip:
                return Outcome(b"", Counts(), ("RowFault", len(out) + rejected + filtered + 1, record.line))
            rejected += 1
        elif all(_matches(record.cells[names.index(name)], how, literal) for name, how, literal in wish.filters):
            out.append(record)
        else:
            filtered += 1
    if first is None:
        return Outcome(b"", Counts(), ("HeaderFault", 0, 0))
    counts = Counts(len(out) + rejected + filtered, len(out), rejected, filtered, blank)
    return Outcome(_printed(first, names, out, ends, wish, counts), counts)


def _printed(
    first: Record, names: list[str], rows: list[Record], ends: list[bytes], wish: Wish, counts: Counts
) -> bytes:
    places = [names.index(name) for name in wish.select] if wish.select is not None else list(range(len(names)))
    chosen = [names[place] for place in places]
    shown = [wish.rename.get(name, name) for name in chosen]
    if wish.format == "ndjson":
        keys = unique(shown)
        lines = [
            json.dumps(
                {key: _value(row.cells[place]) for key, place in zip(keys, places, strict=True)},
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for row in rows
        ]
        lines.append(f'{{"type":"end","rows":{counts.rows_out},"rejected":{counts.rows_rejected}}}')
        return "".join(line + "\n" for line in lines).encode()
    delimiter = (wish.output_delimiter or wish.delimiter).encode()
    line_end = ends[0] or b"\n"
    text = b""
    if wish.header:
        cells = [
            _cell(wish.rename[name], delimiter) if name in wish.rename else _fitted(first.cells[place], delimiter)
            for name, place in zip(chosen, places, strict=True)
        ]
        text = delimiter.join(cells) + (line_end if first.end else b"")
    for row in rows:
        text += delimiter.join(_fitted(row.cells[place], delimiter) for place in places)
        text += line_end if row.end else b""
    return text


def unique(names: list[str]) -> list[str]:
    """The names, repeated ones numbered."""
    result = list[str]()
    for name in names:
        number, candidate = 1, name
        while candidate in result or (name in result and candidate in names):
            number += 1
            candidate = f"{name}_{number}"
        result.append(candidate)
    return result


def _names(first: Record | None, wish: Wish) -> list[str]:
    if first is None:
        return []
    if wish.header:
        return [_text(cell).decode() for cell in first.cells]
    return [f"column{number}" for number in range(1, len(first.cells) + 1)]


def _records(table: bytes, delimiter: bytes) -> list[Record]:
    table = table.removeprefix(b"\xef\xbb\xbf")
    records, position, line = list[Record](), 0, 1
    while position < len(table):
        record, length = _record(table[position:], delimiter, line)
        records.append(record)
        line += table.count(b"\n", position, position + length)
        position += length
    return records


def _record(rest: bytes, delimiter: bytes, line: int) -> tuple[Record, int]:
    cells, position = list[bytes](), 0
    while True:
        length = _cell_length(rest[position:], delimiter)
        if length is None:
            return Record(line, [], b"", reason=True), (rest.find(b"\n") + 1) or len(rest)
        cells.append(rest[position : position + length])
        position += length
        if rest[position : position + 1] != delimiter:
            break
        position += 1
    end = next(end for end in (b"\r\n", b"\n", b"") if rest.startswith(end, position))
    is_text = _is_text(rest[:position])
    return Record(line, cells, end, reason=not is_text), position + len(end)


def _cell_length(rest: bytes, delimiter: bytes) -> int | None:
    """How long the cell is that begins here, None when it is malformed."""
    position = 0
    if rest[:1] == b'"':
        position = 1
        while rest[position : position + 1] != b'"' or rest[position : position + 2] == b'""':
            if position >= len(rest):
                return None
            position += 2 if rest[position : position + 2] == b'""' else 1
        position += 1
        follows = rest[position:]
        ends = follows[:1] in (delimiter, b"\n", b"") or follows[:2] == b"\r\n"
        return position if ends else None
    while rest[position : position + 1] not in (delimiter, b"\n", b""):
        if rest[position : position + 2] == b"\r\n":
            break
        if rest[position : position + 1] in (b"\r", b'"'):
            return None
        position += 1
    return position


def _is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False


def _matches(cell: bytes, operator: str, literal: Decimal | str) -> bool:
    text = _text(cell).decode()
    if isinstance(literal, str):
        return ((text > literal) - (text < literal)) in _COMPARE[operator]
    try:
        number = Decimal(text.strip(" \t"))
    except ArithmeticError:
        return False
    if not number.is_finite() or not text.isascii() or "_" in text or text.strip(" \t") != text.strip():
        return False
    return ((number > literal) - (number < literal)) in _COMPARE[operator]


def _text(cell: bytes) -> bytes:
    return cell[1:-1].replace(b'""', b'"') if cell.startswith(b'"') else cell


def _value(cell: bytes) -> str | None:
    return _text(cell).decode() if cell else None


def _cell(text: str, delimiter: bytes) -> bytes:
    raw = text.encode()
    needs_quotes = any(mark in raw for mark in (b'"', b"\n", b"\r", delimiter))
    return b'"' + raw.replace(b'"', b'""') + b'"' if needs_quotes else raw


def _fitted(cell: bytes, delimiter: bytes) -> bytes:
    return b'"' + cell + b'"' if delimiter in cell and not cell.startswith(b'"') else cell


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
