"""Fragmented MP4 taken apart again, by its own reading of ISO/IEC 14496-12, and what FFmpeg decodes of it."""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame

from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.index import index
from fileserver.media.engine.streaming.segments import segment
from fileserver.media.index import Index, parse_index

_IS_SYNC = 0x02000000


@dataclass(frozen=True, slots=True)
class Packet:
    """A sample of a segment: times in ticks of the track, and what the edit list takes off is off."""

    decoded: int
    shown: int
    duration: int
    is_sync: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """A media segment; `end` is the decode time that it comes to."""

    decode_time: int
    end: int
    packets: tuple[Packet, ...]


def index_of(source: Source) -> Index:
    """What the job `index` writes, read again."""
    product = BytesIO()
    index(source, {}, product)
    return parse_index(product.getvalue())


def segment_of(source: Source, found: Index, track: Mapping[str, Any], number: int) -> bytes:
    """What the job `segment` writes."""
    terms = found.terms(track, number)
    assert terms is not None
    product = BytesIO()
    segment(source, terms, product)
    return product.getvalue()


def boxes(content: bytes, path: str = "") -> Iterator[bytes]:
    """The contents of the boxes at a path such as `moof/traf/trun`."""
    kind, _, rest = path.partition("/")
    place = 0
    while place < len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        assert size >= 8, "a box has no size"
        if name.decode() == kind:
            inner = content[place + 8 : place + size]
            yield from boxes(inner, rest) if rest else (inner,)
        place += size


def fragment_of(content: bytes, delay: int = 0) -> Fragment:
    """A media segment of one `moof` and one `mdat`, that ends with its last packet."""
    (time,) = boxes(content, "moof/traf/tfdt")
    (run,) = boxes(content, "moof/traf/trun")
    (media,) = boxes(content, "mdat")
    decoded = decode_time = int.from_bytes(time[4:])
    (count,) = struct.unpack_from(">I", run, 4)
    place, packets = 0, []
    for duration, size, flags, offset in struct.iter_unpack(">IIIi", run[12 : 12 + 16 * count]):
        payload = media[place : place + size]
        packets.append(Packet(decoded, decoded + offset - delay, duration, bool(flags & _IS_SYNC), payload))
        decoded, place = decoded + duration, place + size
    assert place == len(media)
    return Fragment(decode_time, decoded, tuple(packets))


def decoded(source: Path | BytesIO) -> list[tuple[Fraction, str]]:
    """When each picture of a film is shown, and a digest of it."""
    with av.open(source, "r") as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert base is not None
        return [((frame.pts or 0) * base, _digest(frame)) for frame in container.decode(stream)]


def _digest(frame: VideoFrame) -> str:
    """Without what pads the lines: it is of no value and never twice the same."""
    found = hashlib.md5(usedforsecurity=False)
    for plane in frame.planes:
        content, width = memoryview(plane), plane.width * (2 if "10" in frame.format.name else 1)
        for line in range(plane.height):
            found.update(content[line * plane.line_size :][:width])
    return found.hexdigest()
