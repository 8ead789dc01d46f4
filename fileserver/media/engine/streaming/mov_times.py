"""How much later than decoded the pictures of an MP4 are shown: of its index the one table that FFmpeg keeps to itself.

It is read here because to seek and read each picture instead takes 0.8 s for a film of two hours, and this 0.03 s.
Nothing is trusted to be right: whoever asks compares some of the times with those of packets.

Source: ISO/IEC 14496-12 s.8.6.1.3 (ctts), s.8.8.1 (mvex).
"""

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import unpack_from
from sys import byteorder
from typing import Final

from av import VideoStream

from fileserver.media.engine.source import Source

_MAX_INDEX_SIZE: Final = 64 * 1024 * 1024
"""Bytes. A day of film takes 40 MB."""

_MOST_BOXES: Final = 10_000
_TABLE = (b"mdia", b"minf", b"stbl", b"ctts")


def offsets_of(source: Source, stream: VideoStream, places: Sequence[int]) -> list[int] | None:
    """How far presentation times are behind decode times, for the samples at these places of a stream's index.

    None where the table cannot tell: in a fragmented file, or where FFmpeg's index is another than the file's because
    of an edit list.
    """
    index = _index(source)
    track = None if index is None else _track(index, stream.id)
    if index is None or track is None or any(_boxes(index, b"mvex")):
        return None
    table = _inside(track, _TABLE)
    if table is None:
        return [0] * len(places)  # everything is shown as it is decoded
    ends, offsets = _runs(table)
    if not ends or ends[-1] != len(stream.index_entries):
        return None
    return [offsets[bisect_right(ends, place)] for place in places]


def _runs(table: memoryview) -> tuple[list[int], Sequence[int]]:
    """Behind which sample each run of equal offsets ends, and the offsets."""
    count = min(int.from_bytes(table[4:8]), (len(table) - 8) // 8) if len(table) >= 8 else 0
    numbers = array("i", table[8 : 8 + 8 * count].tobytes())
    if byteorder == "little":
        numbers.byteswap()
    return list(accumulate(numbers[::2])), numbers[1::2]


def _index(source: Source) -> memoryview | None:
    """The content of `moov`."""
    place = 0
    for _ in range(_MOST_BOXES):
        head = os.pread(source.descriptor, 16, place)
        if len(head) < 8:
            return None
        size, kind = unpack_from(">I4s", head)
        begin = 8
        if size == 1 and len(head) == 16:
            size, begin = unpack_from(">Q", head, 8)[0], 16
        if size < begin:
            return None
        if kind == b"moov":
            is_whole = size <= _MAX_INDEX_SIZE and place + size <= source.size
            return memoryview(os.pread(source.descriptor, size - begin, place + begin)) if is_whole else None
        place += size
    return None


def _track(index: memoryview, track_id: int) -> memoryview | None:
    """The content of a track's box."""
    for track in _boxes(index, b"trak"):
        header = next(_boxes(track, b"tkhd"), None)
        if header is not None and _track_id(header) == track_id:
            return track
    return None


def _inside(content: memoryview, path: Sequence[bytes]) -> memoryview | None:
    """The content of a box within a box."""
    found: memoryview | None = content
    for kind in path:
        found = next(_boxes(found, kind), None) if found is not None else None
    return found


def _track_id(header: memoryview) -> int:
    """Behind two times, which are longer in version 1."""
    begin = 20 if len(header) and header[0] == 1 else 12
    return int.from_bytes(header[begin : begin + 4])


def _boxes(content: memoryview, wanted: bytes) -> Iterator[memoryview]:
    """The contents of the boxes of a kind, among those that stand side by side."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(content):
            return
        size, kind = unpack_from(">I4s", content, place)
        if not 8 <= size <= len(content) - place:
            return
        if kind == wanted:
            yield content[place + 8 : place + size]
        place += size
