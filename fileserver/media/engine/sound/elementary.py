"""Files of sound without a container, read by their frames' headers: each frame's place is known for certain.

FFmpeg estimates where in such a file a time is, and then calls what it finds by that time.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Final

from av.packet import Packet
from av.stream import Stream

from fileserver.media.engine.sound.audio_packets import Grid, Placed, within
from fileserver.media.engine.source import Source
from fileserver.media.faults import DamagedMedia
from fileserver.media.frames import PARSERS, Frame, is_information, walk

_MOST_FRAMES: Final = 20_000_000
"""In one file: more than two days of the shortest, and some ten seconds of walking."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a frame is: its first byte, and the place of its first sample, at `rate` a second."""

    position: int
    place: int
    size: int
    samples: int
    rate: int


def is_elementary(source: Source) -> bool:
    """Whether the file has no container."""
    return source.media_type in PARSERS


def frames_of(source: Source, position: int = 0, place: int = 0) -> Iterator[Found]:
    """The frames from the one at `position` on, which begins at `place`: those that are like the first."""
    first: Frame | None = None
    for at, frame in islice(walk(_reading(source), PARSERS[source.media_type], position), _MOST_FRAMES):
        if first is None and not frame.samples:
            continue
        first = first or frame
        if (frame.codec_name, frame.rate) != (first.codec_name, first.rate):
            continue
        if not place and frame.codec_name == "mp3" and is_information(os.pread(source.descriptor, 40, at)):
            continue
        yield Found(at, place, frame.size, frame.samples, frame.rate)
        place += frame.samples


def read_elementary(
    source: Source, seek: Sequence[int], grid: Grid, start: int, end: int
) -> tuple[list[Placed], int | None]:
    """What `audio_packets.read_span` has, beginning with the frame that `seek` tells the position and place of."""
    position, place = seek
    return within(_packets(source, position, place), grid, start, end)


def first_packet(source: Source) -> "Packet[Stream]":
    """The first frame. Raises DamagedMedia where there is none."""
    first = next(_packets(source, 0, 0), None)
    if first is None:
        raise DamagedMedia(f"the file has no frame of {source.media_type}")
    return first.packet


def _packets(source: Source, position: int, place: int) -> Iterator[Placed]:
    """Frames as packets. What depends on a frame, and has no samples of its own, is in one packet with it."""
    pending: list[Found] = []
    for found in frames_of(source, position, place):
        if pending and found.samples:
            yield _packet(source, pending)
            pending = []
        pending.append(found)
    if pending:
        yield _packet(source, pending)


def _packet(source: Source, frames: Sequence[Found]) -> Placed:
    content = b"".join(os.pread(source.descriptor, frame.size, frame.position) for frame in frames)
    packet: Packet[Stream] = Packet(content)
    packet.pts = packet.dts = frames[0].place
    packet.time_base = Fraction(1, frames[0].rate)
    return Placed(frames[0].place, packet)


def _reading(source: Source) -> Callable[[int, int], bytes]:
    return lambda position, size: os.pread(source.descriptor, size, position)
