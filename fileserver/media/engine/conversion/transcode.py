"""The derivatives `transcoded_init` and `transcoded_segment`: film that players do not take, made anew as H.264.

Each segment has an encoder of its own, so any may be made first. All encoders are set alike, hence one init segment
serves all; each begins with a keyframe on which all else of it hangs, and shows nothing in another order than decoded.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Final

import av
from av.video.codeccontext import VideoCodecContext

from fileserver.media.converted_film import CODECS, believed_rate, converted_size, highest_rate
from fileserver.media.engine.conversion.pictures_between import Shown, end_of, film_in, pictures_between, place_of
from fileserver.media.engine.conversion.screen_frames import Screen, colour_of, deinterlaced, encodable
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, DamagedMedia
from fileserver.media.fmp4.parameter_sets import length_prefixed
from fileserver.media.fmp4.segments import Sample, TrackHead, init_segment, segment_head
from fileserver.media.fmp4.video_entries import Picture, video_entry

_MOST_PICTURES: Final = 60 * 240
"""In one segment: a minute of the fastest film that there is."""

_LONGEST_WAIT_S: Final = Fraction(1, 2)
"""So much later than a cut may the first picture behind it be shown, and the one before it stay; where it is more, the
one before is shown again from the cut on. All segments but a film's last are longer, so none is empty."""

_LONGEST: Final = 0xFFFF_FFFF
"""Ticks that 32 bits hold."""

_THREADS: Final = 2

_OPTIONS: Final = {
    "preset": "veryfast",
    "profile": "baseline",
    "level": "4.0",
    "crf": "22",
    "a53cc": "0",
    "x264-params": "bframes=0:keyint=infinite:scenecut=0:rc-lookahead=10:sliced-threads=0",
}


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A picture of the segment: when it is shown, in ticks of the track, and its bytes."""

    time: int
    payload: bytes


def transcoded_init(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """What players need before any segment of the film `track`. Raises NoSuchTrack, CannotConvert."""
    track = terms["track"]
    with source.open() as container:
        colour = colour_of(film_in(container, track).codec_context)
    encoder = _encoder(track, colour)
    picture = Picture(width=encoder.width, height=encoder.height, colour=colour)
    entry = video_entry("h264", bytes(encoder.extradata or b""), CODECS, picture)
    rotation = track["shown"][2]
    product.write(init_segment(TrackHead(True, track["timescale"], entry, picture.width, picture.height, rotation)))


def transcoded_segment(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Segment `n` of the film `track` between the cuts `start` and `end`. Raises NoSuchTrack, CannotConvert."""
    track = terms["track"]
    timescale = int(track["timescale"])
    begin, told_end = place_of(terms["start"], timescale), place_of(terms["end"], timescale)
    plan = _Plan(begin, end_of(terms), told_end, round(timescale * _LONGEST_WAIT_S))
    encoded = list(_encoded(plan.shown(deinterlaced(pictures_between(source, terms))), track))
    if not encoded:
        raise DamagedMedia("no picture of the film can be decoded")
    ends = [*(each.time for each in encoded[1:]), plan.until]
    if max(until - each.time for each, until in zip(encoded, ends, strict=True)) > _LONGEST:
        raise CannotConvert("a picture stays for longer than a segment can tell")
    samples = [
        Sample(len(each.payload), until - each.time, is_sync=number == 0)
        for number, (each, until) in enumerate(zip(encoded, ends, strict=True))
    ]
    product.write(segment_head(terms["n"] + 1, encoded[0].time, samples))
    product.writelines(each.payload for each in encoded)


@dataclass(slots=True)
class _Plan:
    """Which pictures a segment of [begin, end) shows; `until` is when its last one is over, known behind it.

    What the segments beside it show follows from the same pictures around the cut between them.
    """

    begin: int
    end: int
    told_end: int
    longest: int
    until: int = 0

    def shown(self, pictures: Iterable[Shown]) -> Iterator[Shown]:
        """The pictures to encode, from some that may begin before and go on behind."""
        before: Shown | None = None
        is_begun = False
        self.until = self.told_end
        for shown in pictures:
            if not is_begun and shown.time >= self.begin:
                is_begun = True
                if shown.time >= self.end or shown.time - self.begin > self.longest:
                    yield Shown(self.begin, (before or shown).frame)
            if shown.time >= self.end:
                self.until = shown.time if shown.time - self.end <= self.longest else self.until
                return
            if is_begun:
                yield shown
                self.until = max(self.told_end, shown.time + self._step(before, shown))
            before = shown
        if not is_begun and before is not None:
            yield Shown(self.begin, before.frame)

    def _step(self, before: Shown | None, shown: Shown) -> int:
        """How long a picture behind the told end is shown: as the one before it, if that is not long."""
        if shown.time < self.told_end:
            return 0
        return min(shown.time - before.time, self.longest) if before else self.longest


def _encoder(track: Mapping[str, Any], colour: tuple[int, int, int] | None = None) -> VideoCodecContext:
    """The encoder of a track. Colours are told in the init segment alone."""
    context = VideoCodecContext.create("libx264", "w")
    rate = Fraction(believed_rate(track["frame_rate"])).limit_denominator(1001)
    context.width, context.height = converted_size(track["shown"][:2], track["frame_rate"])
    context.pix_fmt = "yuv420p"
    context.framerate, context.time_base = rate, 1 / rate
    context.thread_count = _THREADS
    context.color_range = 1
    if colour:
        context.color_primaries, context.color_trc, context.colorspace = colour
    highest = str(highest_rate((context.width, context.height)))
    context.options = {**_OPTIONS, "maxrate": highest, "bufsize": highest}
    context.flags |= av.codec.context.Flags.global_header
    context.open()
    return context


def _encoded(pictures: Iterable[Shown], track: Mapping[str, Any]) -> Iterator[_Encoded]:
    """The pictures' bytes, in the order of the pictures. Raises CannotConvert when they are too many."""
    encoder = _encoder(track)
    screen = Screen(encoder.width, encoder.height)
    times: deque[int] = deque()
    for number, shown in enumerate(pictures):
        if number == _MOST_PICTURES:
            raise CannotConvert("there are more pictures between two cuts than one segment may hold")
        times.append(shown.time)
        frame = encodable(screen.frame(shown.frame), number, encoder.time_base)
        yield from (_Encoded(times.popleft(), length_prefixed(bytes(packet))) for packet in encoder.encode(frame))
    yield from (_Encoded(times.popleft(), length_prefixed(bytes(packet))) for packet in encoder.encode(None))
