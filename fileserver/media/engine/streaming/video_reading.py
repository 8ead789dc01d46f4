"""The packets of one segment of a film, as the container has them, and when they are shown.

A segment is what lies, in decode order, between two keyframes. They are known by their `key`: the presentation time,
or the decode time where a container has no other (AVI).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from av import VideoStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet

from fileserver.media.engine import one_track
from fileserver.media.faults import CannotConvert
from fileserver.media.fmp4.segments import MAX_SEGMENT_SIZE, MOST_SAMPLES

FilmPacket: TypeAlias = "Packet[VideoStream]"  # a name, for PyAV's class takes no parameters while running

_NUMBERED = frozenset({"h264", "hevc"})
"""Codings whose pictures tell in which order they are shown."""

_MOST_LEADING = 32
"""Pictures behind a keyframe that are shown before it, or wait in a decoder: codecs allow 16."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A packet with the time when it is shown, in ticks of its stream."""

    packet: FilmPacket
    time: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The packets of a segment in decode order, and when the segment after it begins; None at the end of the film."""

    packets: tuple[Timed, ...]
    next_time: int | None


def demuxed(container: InputContainer, stream: VideoStream) -> Iterator[FilmPacket]:
    """The packets of a film from where the container is, without the empty one that PyAV ends with."""
    return (packet for packet in one_track.demuxed(container, stream) if packet.size)


def key_of(packet: FilmPacket, clock: str) -> int | None:
    """By what a keyframe is known; None for what can be no cut."""
    if not packet.is_keyframe:
        return None
    return packet.dts if clock == "dts" else packet.pts


def read_between(
    packets: Iterator[FilmPacket], stream: VideoStream, clock: str, keys: tuple[int | None, int | None]
) -> Reading:
    """The packets from the first keyframe that is not before a key to the first that is not before another.

    None is the start of the file, and its end. Raises CannotConvert when they are too many.
    """
    begin, end = keys
    kept: list[FilmPacket] = []
    size = 0
    for packet in packets:
        key = key_of(packet, clock)
        if key is not None and end is not None and key >= end:
            return _timed(kept, [packet, *_leading(packets, packet, clock)], stream, clock)
        if kept or (packet.is_keyframe if begin is None else key is not None and key >= begin):
            kept.append(packet)
            size += packet.size
        if size > MAX_SEGMENT_SIZE or len(kept) > MOST_SAMPLES:
            raise CannotConvert("there is more film between two cuts than one segment may hold")
    return _timed(kept, [], stream, clock)


def _leading(packets: Iterator[FilmPacket], keyframe: FilmPacket, clock: str) -> Iterator[FilmPacket]:
    """What may be shown before a keyframe although it is decoded behind it: up to the first picture after it."""
    for packet in islice(packets, _MOST_LEADING):
        if clock == "pts" and (packet.pts or 0) > (keyframe.pts or 0):
            return
        yield packet


def _timed(packets: list[FilmPacket], following: list[FilmPacket], stream: VideoStream, clock: str) -> Reading:
    everything = packets + following
    times = times_of(everything, stream, clock)
    timed = tuple(Timed(packet, time) for packet, time in zip(packets, times, strict=False))
    after = times[len(packets) :]
    return Reading(timed, min(time for time in after if time <= after[0]) if after else None)


def times_of(packets: Sequence[FilmPacket], stream: VideoStream, clock: str) -> list[int]:
    """When each packet is shown: as the container says, or by the order in which the pictures were numbered."""
    if clock == "pts":
        return _told_times(packets)
    if not packets or stream.codec_context.codec.canonical_name not in _NUMBERED:
        return [packet.dts or 0 for packet in packets]
    return _in_picture_order(packets, stream)


def _told_times(packets: Sequence[FilmPacket]) -> list[int]:
    """As the container tells them; a packet without a time follows the one before (MPEG may leave times out)."""
    times: list[int] = []
    last = next((time for packet in packets if (time := _told(packet)) is not None), 0)
    for packet in packets:
        time = _told(packet)
        times.append(last if time is None else time)
        last = times[-1] + (packet.duration or 0)
    return times


def _told(packet: FilmPacket) -> int | None:
    return packet.pts if packet.pts is not None else packet.dts


def _in_picture_order(packets: Sequence[FilmPacket], stream: VideoStream) -> list[int]:
    """Times made of decode times and the picture order count, which FFmpeg's filter reads out of the bit stream.

    It holds back a picture until it knows the decode time that is this picture's time, so behind the last packet the
    first ones are given to it once more.
    """
    order = BitStreamFilterContext("dts2pts", stream)
    times: list[int | None] = []
    step = _step(packets)
    last = packets[-1].dts or 0
    again = [_copy(packet, last + (place + 1) * step) for place, packet in enumerate(packets[:_MOST_LEADING])]
    for packet in [*(_copy(packet, packet.dts or 0) for packet in packets), *again]:
        times += [made.pts for made in order.filter(packet)]
    times += [made.pts for made in order.filter(None)]
    return [
        time if time is not None else packet.dts or 0
        for packet, time in zip(packets, [*times, *[None] * len(packets)], strict=False)
    ]


def _step(packets: Sequence[FilmPacket]) -> int:
    """From one decode time to the next."""
    if len(packets) < 2:
        return max(1, packets[0].duration or 1)
    return max(1, ((packets[-1].dts or 0) - (packets[0].dts or 0)) // (len(packets) - 1))


def _copy(packet: FilmPacket, dts: int) -> Any:
    """A packet without the time that FFmpeg's demuxer guessed."""
    copy: Packet[Any] = Packet(bytes(packet))
    copy.time_base, copy.dts, copy.is_keyframe = packet.time_base, dts, packet.is_keyframe
    return copy
