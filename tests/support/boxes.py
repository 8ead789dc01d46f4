"""Small MP4 files put together box by box, for what no encoder would write."""

import struct
from collections.abc import Iterator, Sequence

MEDIA = bytes(range(256)) * 300
"""What is in the `mdat` of a movie here."""
CHUNKS = (0, 1000, 40_000, 76_797)
"""Where in it chunks begin."""


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with its size said in 32 bits."""
    joined = b"".join(content)
    return struct.pack(">I4s", 8 + len(joined), kind) + joined


def large_box(kind: bytes, *content: bytes) -> bytes:
    """A box with its size said in 64 bits."""
    joined = b"".join(content)
    return struct.pack(">I4sQ", 1, kind, 16 + len(joined)) + joined


FILE_TYPE = box(b"ftyp", b"isom", bytes(4), b"isom")
OWN_DATA = box(b"dinf", box(b"dref", bytes(4), struct.pack(">I", 1), box(b"url ", b"\0\0\0\1")))
OTHER_DATA = box(b"dinf", box(b"dref", bytes(4), struct.pack(">I", 1), box(b"url ", bytes(4), b"http://a/b\0")))


def offsets(places: Sequence[int], *, width: int = 4) -> bytes:
    """A table of chunk offsets of 4 or 8 bytes."""
    kind, code = {4: (b"stco", "I"), 8: (b"co64", "Q")}[width]
    return box(kind, bytes(4), struct.pack(f">I{len(places)}{code}", len(places), *places))


def track(*tables: bytes, data: bytes = OWN_DATA) -> bytes:
    """A track with these boxes in its sample table."""
    return box(b"trak", box(b"mdia", box(b"minf", data, box(b"stbl", *tables))))


def index(*tracks: bytes) -> bytes:
    """An index with these tracks (or other boxes)."""
    return box(b"moov", box(b"mvhd", bytes(100)), *tracks)


def movie(*between: bytes, tracks: int = 2, width: int = 4) -> bytes:
    """A file with its index at the end: `between` comes before the media data."""
    head = FILE_TYPE + b"".join(between)
    start = len(head) + 8
    tables = (offsets([start + chunk for chunk in CHUNKS], width=width) for _ in range(tracks))
    return head + box(b"mdat", MEDIA) + index(*map(track, tables))


def told_offsets(content: bytes) -> Iterator[int]:
    """All chunk offsets that a file tells, in the order of their tables, found by the tables' names alone."""
    position = 0
    while (
        position := min((at for kind in (b"stco", b"co64") if (at := content.find(kind, position)) >= 0), default=-1)
    ) >= 0:
        code = "I" if content[position : position + 4] == b"stco" else "Q"
        (count,) = struct.unpack_from(">I", content, position + 8)
        yield from struct.unpack_from(f">{count}{code}", content, position + 12)
        position += 12
