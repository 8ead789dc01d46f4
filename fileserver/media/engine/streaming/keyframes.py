"""Where a film's keyframes are: from the container's own index where it has one, else by reading it through once."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import av
from av import VideoStream
from av.container import InputContainer

from fileserver.media.engine.one_track import clock_of, duration_of, read_only, start_of
from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.mov_times import offsets_of
from fileserver.media.engine.streaming.video_reading import FilmPacket, demuxed, key_of
from fileserver.media.faults import CannotConvert, DamagedMedia
from fileserver.media.index import MOST_CUTS, TARGET, TICKS, cuts_at

_INDEXED = ("mov", "matroska", "avi")
_KNOWS_BYTES: Final = frozenset({"mpegts", "mpeg"})
"""Containers in which any byte is a place to start from; by time FFmpeg only guesses there."""

_LONGEST_UNKNOWN_S = 60
"""An index that ends so long before the film was never finished; a group of pictures may well last 20 s."""

_LEAST_KNOWN: Final = 0.5
"""The part of a film that Matroska's index reaches: where there is none, FFmpeg knows what keyframes it has passed."""

_LONGEST_SCAN_S = 40.0
"""A scan reads some 400 MB a second from memory, and as fast as the disk is else."""

_MOST_KEYFRAMES: Final = 1_000_000
"""Of an index: eleven hours in which every picture is one. Eight million took 0.9 GB, in an MP4 of 32 MB."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """`key` is by what `video_reading` knows it, `at` where to seek for it, in ticks of the stream.

    `position` is its byte, and `place` its number among all packets where an index has told of it.
    """

    key: int
    at: int
    position: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class Keyframes:
    """Those to cut at, in order, the first being the film's first; `end` is where the film ends, in stream ticks."""

    cuts: tuple[Keyframe, ...]
    end: int


def keyframes_of(source: Source, container: InputContainer, stream: VideoStream, clock: str, first: int) -> Keyframes:
    """The keyframes to cut a film at. `first` is the key of its first one. Raises CannotConvert, DamagedMedia.

    Reads the container anywhere, and nothing but the film from then on.
    """
    read_only(container, stream)
    indexed = _indexed(container, stream)
    if indexed is None:
        with source.open() as again:
            track = again.streams[stream.index]
            if isinstance(track, VideoStream):
                read_only(again, track)
                return _scanned(again, track, clock)
        raise DamagedMedia("the file is not the same when it is read again")
    is_mov = container.format.name.startswith("mov")
    chosen = _mov_cuts(source, container, stream, indexed) if is_mov else _chosen(indexed, stream)
    return Keyframes(tuple(chosen), _end_of(container, stream))


def is_by_bytes(container: InputContainer) -> bool:
    """Whether `at` is a byte rather than a time."""
    return container.format.name in _KNOWS_BYTES


def _indexed(container: InputContainer, stream: VideoStream) -> list[Keyframe] | None:
    """The keyframes that the container's index knows; None where it has none or an unfinished one. CannotConvert."""
    if not container.format.name.startswith(_INDEXED):
        return None
    _wake_index(container, stream)
    keyframes = (
        Keyframe(entry.timestamp, entry.timestamp, entry.pos, place)
        for place, entry in enumerate(stream.index_entries)
        if entry.is_keyframe and not entry.is_discard
    )
    found = list(islice(keyframes, _MOST_KEYFRAMES + 1))
    if len(found) > _MOST_KEYFRAMES:
        raise CannotConvert("the film has more keyframes than any")
    duration = duration_of(container, stream)
    if not found or duration is None:
        return None
    known_until = float(found[-1].at * clock_of(stream)) - start_of(container)
    is_known = known_until + _LONGEST_UNKNOWN_S >= duration
    if container.format.name.startswith("matroska"):
        is_known = is_known and known_until >= duration * _LEAST_KNOWN
    return found if is_known else None


def _wake_index(container: InputContainer, stream: VideoStream) -> None:
    """Matroska's index is read when it is first needed: for a seek past what is already known."""
    with suppress(av.error.FFmpegError):  # then there is no index to wake
        container.seek((stream.start_time or 0) + 1, stream=stream)


def _chosen(found: list[Keyframe], stream: VideoStream) -> list[Keyframe]:
    """The keyframes to cut at."""
    base = clock_of(stream)
    ticks = [(each.key - found[0].key) * base.numerator * TICKS // base.denominator for each in found]
    return [found[place] for place in cuts_at(ticks)]


def _end_of(container: InputContainer, stream: VideoStream) -> int:
    if stream.duration and stream.duration > 0:
        return (stream.start_time or 0) + stream.duration
    return round((start_of(container) + (duration_of(container, stream) or 0)) / float(clock_of(stream)))


def _mov_cuts(source: Source, container: InputContainer, stream: VideoStream, found: list[Keyframe]) -> list[Keyframe]:
    """The keyframes of an MP4 to cut at, with presentation times as keys: its index, as FFmpeg has it, has others."""
    first = _read_time(container, stream, found[0])
    offset = (first or 0) - found[0].key
    offsets = offsets_of(source, stream, [each.place for each in found])
    if offsets is not None:
        keys = (each.key + later + offset - offsets[0] for each, later in zip(found, offsets, strict=True))
        timed = [replace(each, key=key) for each, key in zip(found, keys, strict=True)]
        chosen = _seekable(container, stream, _chosen(timed, stream), offset)
        some = {len(chosen) // 3, len(chosen) // 2, len(chosen) - 1}
        if all(_read_time(container, stream, chosen[place]) == chosen[place].key for place in some):
            return chosen
    chosen = _seekable(container, stream, _chosen(found, stream), offset)
    read = [_read_time(container, stream, each) for each in chosen]
    return [replace(each, key=each.key if time is None else time) for each, time in zip(chosen, read, strict=True)]


def _seekable(container: InputContainer, stream: VideoStream, chosen: list[Keyframe], offset: int) -> list[Keyframe]:
    """The keyframes with the times by which FFmpeg finds them and not the ones before.

    It takes what it is asked for as a presentation time, and comes to a decode time by an offset of its own.
    """
    probe = chosen[len(chosen) // 2]
    for shift in (-stream.index_entries[0].timestamp, offset, 0):
        moved = replace(probe, at=probe.at + shift)
        if _read_time(container, stream, moved, most=1) is not None:
            return [replace(each, at=each.at + shift) for each in chosen]
    return chosen


def _read_time(container: InputContainer, stream: VideoStream, keyframe: Keyframe, *, most: int = 64) -> int | None:
    """When a keyframe is shown, by a look at it; None if it is not among so many packets from where it should be."""
    container.seek(keyframe.at, stream=stream)
    found = (packet for packet in islice(demuxed(container, stream), most) if packet.pos == keyframe.position)
    packet = next(found, None)
    return None if packet is None else packet.pts


def _scanned(container: InputContainer, stream: VideoStream, clock: str) -> Keyframes:
    """The keyframes by reading the whole file. Raises CannotConvert when that takes too long."""
    step = float(TARGET / TICKS / clock_of(stream))
    is_by_byte = is_by_bytes(container)
    cuts: list[Keyframe] = []
    end = 0
    for packet, key in _keyed(container, stream, clock):
        last = packet.pts if packet.pts is not None else packet.dts
        end = max(end, (last or 0) + (packet.duration or 0)) if cuts or key is not None else end
        if key is None or (cuts and key < cuts[-1].key + (step if len(cuts) > 1 else step / 3)):
            continue
        seek = packet.dts if packet.dts is not None else key
        position = packet.pos or 0
        cuts.append(Keyframe(key, position if is_by_byte else seek, position))
        if len(cuts) == MOST_CUTS:
            break
    if not cuts:
        raise CannotConvert("the film has no picture to begin with")
    return Keyframes(tuple(cuts), max(end, cuts[-1].key + 1))


def _keyed(container: InputContainer, stream: VideoStream, clock: str) -> Iterator[tuple[FilmPacket, int | None]]:
    deadline = time.monotonic() + _LONGEST_SCAN_S
    for number, packet in enumerate(demuxed(container, stream)):
        if number % 256 == 0 and time.monotonic() > deadline:
            raise CannotConvert("it takes too long to find where the film may be cut")
        yield packet, key_of(packet, clock)
