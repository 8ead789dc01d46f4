"""The decoded pictures of a part of a film, each with the time when it is shown, from wherever its decoding may begin.

A picture belongs to the part in which its time lies, whatever keyframe it hangs on: which ones a part has does not
depend on any other part.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from math import inf
from typing import Any, Final

import av
from av import VideoStream
from av.container import InputContainer
from av.video.frame import VideoFrame

from fileserver.media.engine.one_track import clock_of, read_only, require_decoder
from fileserver.media.engine.pictures.film import MOST_PIXELS
from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.video_reading import FilmPacket, demuxed, times_of
from fileserver.media.faults import CannotConvert, NoSuchTrack
from fileserver.media.fmp4.segments import MOST_SAMPLES
from fileserver.media.index import TICKS

_EARLIER_S: Final = (0.0, 3.0, 12.0, 60.0, inf)
"""How much before the wanted time to look, one after the other: without an index a seek lands anywhere, also behind the
keyframe that is needed. The last is the file's beginning, from where all is taken that can be decoded."""

_MOST_WAITING: Final = 32
"""Packets behind the part's last one that are read for the pictures that are shown before them: codecs allow 16."""

_THREADS: Final = 2

_UNTIMED: Final = frozenset({"h264", "hevc"})
"""Codings of which FFmpeg has no presentation times in AVI."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, and the time when it is shown: in ticks of its track, from the file's start."""

    time: int
    frame: VideoFrame


@dataclass(frozen=True, slots=True)
class Clock:
    """How times of the container are told in ticks of a track: as the index tells them of film that is copied."""

    base: Fraction
    timescale: int
    begin: int

    @classmethod
    def of(cls, stream: VideoStream, track: Mapping[str, Any]) -> "Clock":
        """The clock of a track of the index."""
        timescale = int(track["timescale"])
        begin = track.get("begin", round(Fraction(int(track["origin"]) * timescale, TICKS)))
        return cls(clock_of(stream), timescale, int(begin))

    def time(self, ticks: int) -> int:
        """A time of the stream from the file's start."""
        numerator, denominator = self.base.numerator, self.base.denominator
        return (2 * ticks * numerator * self.timescale + denominator) // (2 * denominator) - self.begin

    def is_after(self, time: int, ticks: int) -> bool:
        """Whether a time of the track is behind one of the index, which is rounded down."""
        return time * TICKS // self.timescale > ticks


def place_of(ticks: int, timescale: int) -> int:
    """The first tick of a track that is not before a time of the index.

    >>> place_of(90_001, 1000)
    1001
    """
    return -(-ticks * timescale // TICKS)


def end_of(terms: Mapping[str, Any]) -> int:
    """The tick of the track before which the pictures of a segment are shown: what comes a little later than a film's
    told end belongs to its last one."""
    timescale, end = int(terms["track"]["timescale"]), int(terms["end"])
    return place_of(end + TICKS if end >= terms["track"]["end"] else end, timescale)


def film_in(container: InputContainer, track: Mapping[str, Any]) -> VideoStream:
    """The stream of a track, whose decoder is bounded. Raises NoSuchTrack, CannotConvert."""
    index = int(track["id"][1:])
    stream = container.streams[index] if index < len(container.streams) else None
    if not isinstance(stream, VideoStream):
        raise NoSuchTrack("the file has no such film")
    require_decoder(stream)
    context = stream.codec_context
    if context.width * context.height > MOST_PIXELS:
        raise CannotConvert(f"its pictures have more than {MOST_PIXELS} pixels")
    return stream


def pictures_between(source: Source, terms: Mapping[str, Any]) -> Iterator[Shown]:
    """The pictures of a segment in order, with the last one before it and the first one behind it if there are such.

    `terms` are those of the job `segment`. Raises NoSuchTrack, CannotConvert, DamagedMedia.
    """
    for earlier in _EARLIER_S if terms["n"] else (inf,):
        with source.open() as container:
            stream = film_in(container, terms["track"])
            read_only(container, stream)
            if not _is_there(container, stream, terms, earlier):
                continue
            clock = Clock.of(stream, terms["track"])
            found = _in_order(_decoded(container, stream, clock, terms, is_first=earlier == inf))
            first = next(found, None)
            if earlier == inf or (first is not None and not clock.is_after(first.time, terms["start"])):
                begin = place_of(terms["start"], clock.timescale)
                yield from _around(chain([first] if first else [], found), begin, end_of(terms))
                return


def _is_there(container: InputContainer, stream: VideoStream, terms: Mapping[str, Any], earlier: float) -> bool:
    """Go to where decoding may begin; whether there is a way. The first time where the index has it."""
    track = terms["track"]
    try:
        if earlier == inf:
            return True
        if not earlier and "seek" in terms and track["is_by_bytes"]:
            container.seek(terms["seek"][0][1], unsupported_byte_offset=True)
        elif not earlier and "seek" in terms:
            container.seek(terms["seek"][0][1], stream=stream)
        else:
            time = Fraction(int(track["origin"]) + int(terms["start"]), TICKS) - Fraction(earlier)
            container.seek(round(time / clock_of(stream)), stream=stream)
    except (av.error.FFmpegError, OverflowError):  # nothing to seek by, or no time that there can be
        return False
    return True


def _around(pictures: Iterable[Shown], begin: int, end: int) -> Iterator[Shown]:
    """The last picture before a part, those in it, and the first behind it."""
    before: Shown | None = None
    for shown in pictures:
        if shown.time < begin:
            before = shown
            continue
        if before is not None:
            yield before
            before = None
        yield shown
        if shown.time >= end:
            return
    if before is not None:
        yield before


def _in_order(pictures: Iterable[Shown]) -> Iterator[Shown]:
    """Those that are shown after all before them: a clock that runs backwards would have two at a time."""
    last: int | None = None
    for shown in pictures:
        if last is None or shown.time > last:
            last = shown.time
            yield shown


def _decoded(
    container: InputContainer, stream: VideoStream, clock: Clock, terms: Mapping[str, Any], *, is_first: bool
) -> Iterator[Shown]:
    """What a decoder makes of the packets from here on. Before the first keyframe, as far as one is needed, nothing:
    pictures that are shown before it may hang on others that were not read."""
    packets = demuxed(container, stream)
    is_by_decoding = terms["track"]["clock"] == "dts"
    if is_by_decoding and stream.codec_context.codec.canonical_name in _UNTIMED:
        packets, is_by_decoding = _timed(packets, stream, terms), False
    is_begun = is_first
    last: int | None = None
    for frame in _frames(packets, stream, is_begun=is_begun):
        is_begun = is_begun or frame.key_frame
        time = _time(frame, last, is_by_decoding=is_by_decoding)
        if time is not None and is_begun:
            last = time
            yield Shown(clock.time(time), frame)


def _time(frame: VideoFrame, last: int | None, *, is_by_decoding: bool) -> int | None:
    """When a frame is shown: as the container says; or, in AVI, when it came out of the decoder. FFmpeg makes up other
    times for AVI, which are wrong where two pictures lie in one packet (DivX's "packed bitstream")."""
    if not is_by_decoding and frame.pts is not None:
        return frame.pts
    if frame.dts is None and last is not None:
        return last + max(1, frame.duration)
    return frame.dts


def _frames(packets: Iterator[FilmPacket], stream: VideoStream, *, is_begun: bool) -> Iterator[VideoFrame]:
    """The frames of packets from a keyframe on. What is damaged is passed over, as players do."""
    context = stream.codec_context
    context.thread_count = _THREADS
    context.thread_type = "AUTO"
    context.options = {"max_pixels": str(MOST_PIXELS)}
    for packet in packets:
        is_begun = is_begun or packet.is_keyframe
        if not is_begun:
            continue
        try:
            yield from context.decode(packet)
        except av.error.InvalidDataError:
            continue
    yield from context.decode(None)


def _timed(packets: Iterator[FilmPacket], stream: VideoStream, terms: Mapping[str, Any]) -> Iterator[FilmPacket]:
    """The packets of a segment of AVI with the times that it lacks: those of the picture order count."""
    later = terms["seek"][1][0] if len(terms.get("seek", ())) > 1 else None
    here: list[FilmPacket] = []
    for packet in packets:
        here.append(packet)
        if later is not None and packet.is_keyframe and (packet.dts or 0) >= later:
            here += islice(packets, _MOST_WAITING)
        elif len(here) < MOST_SAMPLES:
            continue
        break
    for packet, time in zip(here, times_of(here, stream, "dts"), strict=True):
        packet.pts = time
        yield packet
