"""What records are, character by character. Slow and obvious."""

from dataclasses import dataclass, field

from fileserver.tables.engine.grammar import MAX_RECORD_SIZE


@dataclass
class Read:
    """Rows as (line, cells), rejects as (row, line), and how many lines were blank."""

    rows: list[tuple[int, list[bytes]]] = field(default_factory=list)
    rejects: list[tuple[int, int]] = field(default_factory=list)
    blanks: int = 0


def read(table: bytes, width: int, *, comment: bytes = b"", pads: bool = False, quote: bytes = b'"') -> Read:
    """All records of a table below its header."""
    found, position, line = Read(), 0, 1
    while position < len(table):
        cells, length = _record(table[position:], comment, quote)
        raw = table[position : position + length]
        _sort(found, cells, line, width, is_comment=bool(comment) and raw.startswith(comment), pads=pads)
        line += raw.count(b"\n")
        position += length
    return found


def _sort(found: Read, cells: list[bytes] | None, line: int, width: int, *, is_comment: bool, pads: bool) -> None:
    if is_comment:
        return
    if cells == [b""] and width > 1:
        found.blanks += 1
    elif cells is not None and len(cells) == width:
        found.rows.append((line, cells))
    elif cells is not None and pads and len(cells) < width:
        found.rows.append((line, cells + [b""] * (width - len(cells))))
    else:
        found.rejects.append((len(found.rows) + len(found.rejects) + 1, line))


def _record(rest: bytes, comment: bytes, quote: bytes) -> tuple[list[bytes] | None, int]:
    line = (rest.find(b"\n") + 1) or len(rest)
    if comment and rest.startswith(comment):
        return None, line
    cells, position = list[bytes](), 0
    while True:
        length = _cell(rest[position:], quote)
        if length is None:
            return None, line
        cells.append(rest[position : position + length])
        position += length
        if rest[position : position + 1] != b",":
            break
        position += 1
    end = next(end for end in (b"\r\n", b"\n", b"") if rest.startswith(end, position))
    is_fine = _is_text(rest[:position]) and position <= MAX_RECORD_SIZE
    return cells if is_fine else None, position + len(end)


def _cell(rest: bytes, quote: bytes) -> int | None:
    """How long the cell is that begins here, None when it is malformed."""
    position = 0
    if quote and rest[:1] == quote:
        position = 1
        while rest[position : position + 1] != quote or rest[position : position + 2] == quote * 2:
            if position >= len(rest):
                return None
            position += 2 if rest[position : position + 2] == quote * 2 else 1
        position += 1
        follows = rest[position:]
        return position if follows[:1] in (b",", b"\n", b"") or follows[:2] == b"\r\n" else None
    while rest[position : position + 1] not in (b",", b"\n", b""):
        if rest[position : position + 2] == b"\r\n":
            break
        if rest[position : position + 1] in (b"\r", quote or b"\r"):
            return None
        position += 1
    return position


def _is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False
