"""A film's pictures by time: from the keyframe before it, and exactly where few have to be decoded for that."""

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from fileserver.media.engine.one_track import (
    clock_of,
    duration_of,
    packets_of,
    read_only,
    require_decoder,
    rewind_to,
    start_of,
)
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, DamagedMedia, NoSuchTrack

MOST_PIXELS = 1 << 26
"""Of one frame: twice 8K. A decoder holds up to 17 of them, so a file that claims more is not even tried."""

_GLANCE = "500000"
"""Bytes that FFmpeg looks at first; ten times as many, and twice the time, where these tell nothing of the pictures."""

_EXACT_PIXELS = 24 << 20
"""As many may be decoded to get from the keyframe to the very picture: 26 frames of 720p, about 30 ms."""

_MOST_PACKETS = 20_000
"""That are read in search of a keyframe: ten minutes of a film, or three and a half of its sound."""

_EARLIER_S = (0.0, 3.0, 12.0, 60.0, math.inf)
"""How much before the wanted time to look, one after the other: without an index, a seek lands anywhere between two
keyframes."""


@contextlib.contextmanager
def opened_film(source: Source) -> Iterator["Film"]:
    """The best of a file's films. Raises NoSuchTrack when it has none, DamagedMedia, CannotConvert."""
    with _opened(source) as container:
        stream = _best_of(container)
        require_decoder(stream)
        read_only(container, stream)
        context = stream.codec_context
        if context.width * context.height > MOST_PIXELS:
            raise CannotConvert(f"its pictures have more than {MOST_PIXELS} pixels")
        context.thread_count = 1  # a second one takes longer to start than a picture takes
        context.options = {"max_pixels": str(MOST_PIXELS)}
        yield Film(container, stream)


def _opened(source: Source) -> InputContainer:
    container = source.open(probesize=_GLANCE, skip_frame="all")
    for film in _films_of(container):
        if film.codec_context and film.codec_context.width:
            return container
    container.close()
    return source.open()


def _films_of(container: InputContainer) -> list[VideoStream]:
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _best_of(container: InputContainer) -> VideoStream:
    films = _films_of(container)
    if not films:
        raise NoSuchTrack("the file has no film")
    best = container.streams.best("video")
    return next((film for film in films if best is not None and film.index == best.index), films[0])


@dataclass(slots=True)
class Film:
    """Seeks in an open file. Times are seconds from the file's start."""

    container: InputContainer
    stream: VideoStream
    _last: tuple[int, VideoFrame] | None = field(default=None)

    @property
    def duration(self) -> float | None:
        """As the container has it."""
        return duration_of(self.container, self.stream)

    def keyframe_at(self, time: float) -> VideoFrame | None:
        """A keyframe near `time`: the last one before it where the file has an index. None when there is none near.

        One that was just asked for is not decoded again.
        """
        packet = self._sought(self._within(time))
        return None if packet is None else self._alone(packet)

    def picture_at(self, time: float) -> VideoFrame | None:
        """The picture shown at `time` if few have to be decoded for it, else the last keyframe before it."""
        time = self._within(time)
        run = self._run_up(time)
        if not run:
            return None
        if not 1 <= self._frames_until(run[0], time) <= self._frames_allowed:
            return self._alone(run[0])
        return self._shown_at(run, time)

    def _within(self, time: float) -> float:
        return min(time, self.duration or time)

    @property
    def _frames_allowed(self) -> int:
        context = self.stream.codec_context
        return _EXACT_PIXELS // max(1, context.width * context.height)

    def _frames_until(self, packet: "Packet[VideoStream]", time: float) -> float:
        rate = self.stream.guessed_rate or Fraction(25)
        return (time - self._time(packet.pts)) * float(rate)

    def _time(self, ticks: int | None) -> float:
        """Of a packet or frame; one that does not tell its time counts as long past."""
        return -math.inf if ticks is None else float(ticks * clock_of(self.stream)) - start_of(self.container)

    def _sought(self, time: float) -> "Packet[VideoStream] | None":
        """The first keyframe from where a seek to `time` leads, or one from an earlier place if none follows."""
        for earlier in _EARLIER_S:
            rewind_to(self.container, self.stream, time - earlier)
            for packet in self._packets():
                if packet.is_keyframe:
                    return packet
        return None

    def _run_up(self, time: float) -> "list[Packet[VideoStream]]":
        """The last keyframe not after `time`, and what had to be read after it; else the first keyframe that is met."""
        packet = self._sought(time)
        if packet is None or self._time(packet.pts) <= time:
            return [] if packet is None else [packet]
        run = [packet]
        for earlier in _EARLIER_S[1:]:
            rewind_to(self.container, self.stream, time - earlier)
            run = self._run_from_here(time)
            if run and self._time(run[0].pts) <= time:
                break
        return run or [packet]

    def _run_from_here(self, time: float) -> "list[Packet[VideoStream]]":
        run: list[Packet[VideoStream]] = []
        for packet in self._packets():
            is_after = packet.is_keyframe and self._time(packet.pts) > time
            if packet.is_keyframe and not is_after:
                run = []
            if run or packet.is_keyframe:
                run.append(packet)  # also the next keyframe: pictures that are shown before it may follow
            if is_after:
                break
        return run

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        """From where the container stands, a bounded number."""
        packets = itertools.islice(packets_of(self.container, self.stream), _MOST_PACKETS)
        return (packet for packet in packets if packet.size)

    def _alone(self, packet: "Packet[VideoStream]") -> VideoFrame | None:
        """A keyframe's picture, for which its decoder is told that nothing follows."""
        if self._last is not None and packet.pts is not None and packet.pts == self._last[0]:
            return self._last[1]
        context = self.stream.codec_context
        context.flush_buffers()
        frames = [*context.decode(packet), *context.decode(None)]
        context.flush_buffers()
        if not frames:
            return None
        if packet.pts is not None:
            self._last = packet.pts, frames[0]
        return frames[0]

    def _shown_at(self, run: "list[Packet[VideoStream]]", time: float) -> VideoFrame | None:
        """The last picture that begins not after `time`, from a keyframe on."""
        shown: VideoFrame | None = None
        for frame in self._frames_from(run):
            if shown is not None and (frame.pts is None or self._time(frame.pts) > time):
                return shown
            shown = frame
        return shown

    def _frames_from(self, run: "list[Packet[VideoStream]]") -> Iterator[VideoFrame]:
        """As many as may be decoded, and as many again as a decoder keeps back."""
        more = packets_of(self.container, self.stream)
        for packet in itertools.islice(itertools.chain(run, more), 2 * self._frames_allowed + 1):
            yield from self.stream.codec_context.decode(packet)


def require(frame: VideoFrame | None) -> VideoFrame:
    """The frame. Raises DamagedMedia when there is none."""
    if frame is None:
        raise DamagedMedia("no picture of the film can be decoded")
    return frame
