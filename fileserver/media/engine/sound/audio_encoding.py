"""Sound that players do not know, made into AAC: any stretch of it by itself, so that stretches join without a seam.

Frames stand on one grid for the whole file, counted from the file's start. Each stretch has an encoder of its own,
started some frames early on the same samples that the stretch before ended with. What it makes of those is thrown away,
and by the first frame that is kept it hears what an encoder that never stopped would hear.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from math import ceil, gcd
from typing import Final

from av import AudioCodecContext, AudioFifo, AudioFrame, AudioResampler, AudioStream
from av.packet import Packet

from fileserver.media.engine.sound.audio_packets import Grid
from fileserver.media.faults import DamagedMedia
from fileserver.media.index import TICKS

FRAME_SIZE: Final = 1024
"""Samples in a frame of AAC."""

WARM_FRAMES: Final = 8
"""Thrown away at the start of each stretch: with two the joins are heard (25 dB at the cuts, against 40 elsewhere)."""

_LATE_FRAMES = 3
"""Encoded past the end, for the windows that reach over it: the next stretch begins with the same samples."""

_BIT_RATES = {1: 96_000, 2: 192_000, 6: 384_000}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_FORMAT = "fltp"

_LOOKAHEAD = 128
"""Frames by whose times the first one's place is found: more than any pattern in which milliseconds are rounded."""

_JITTER_S: Final = Fraction(1, 40)
"""How far a frame's time may be off before it is believed: more is sound that was lost, or there twice."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the AAC is to be: `channels` are 1, 2 or 6."""

    rate: int
    channels: int

    @property
    def bit_rate(self) -> int:
        """Bits a second that the encoder aims at."""
        return _BIT_RATES[self.channels]

    def frames_between(self, start: int, end: int) -> range:
        """The frames of the grid that begin in [start, end), which are ticks.

        >>> Target(48000, 2).frames_between(0, 540000)
        range(0, 282)
        """
        return range(self._first_frame(start), self._first_frame(end))

    def _first_frame(self, ticks: int) -> int:
        return ceil(Fraction(ticks * self.rate, TICKS * FRAME_SIZE))


def target_of(rate: int, channels: int) -> Target:
    """What a source is made into: its own rate where that is common, and no more than six channels.

    >>> target_of(96000, 8), target_of(22050, 1)
    (Target(rate=48000, channels=6), Target(rate=44100, channels=1))
    """
    return Target(44_100 if rate % 11_025 == 0 else 48_000, 6 if channels > 4 else 2 if channels > 1 else 1)


def encoded(frames: Iterable[AudioFrame], grid: Grid, target: Target, wanted: range, least: int) -> Iterator[bytes]:
    """The `wanted` frames of AAC, in order, of decoded sound that begins early enough before them.

    Where sound is missing there is silence, up to the place `least`; after the end of the sound there are no frames.
    """
    if not wanted:
        return
    first = max(0, wanted.start - WARM_FRAMES)
    last = wanted.stop + _LATE_FRAMES
    encoder = _encoder(target)
    number = first
    sound = _at_target_rate(frames, grid, target, first * FRAME_SIZE, least)
    for whole in islice(_whole_frames(sound, target), last - first):
        whole.pts, whole.time_base = number * FRAME_SIZE, Fraction(1, target.rate)
        yield from _kept(encoder.encode(whole), wanted)
        number += 1
    if number > first:
        yield from _kept(encoder.encode(None), range(wanted.start, min(wanted.stop, number)))


def _encoder(target: Target) -> AudioCodecContext:
    """FFmpeg's own AAC. Its coder `fast` takes a quarter of the time, and is 1 to 3 dB worse at the joins."""
    encoder = AudioCodecContext.create("aac", "w")
    encoder.sample_rate = target.rate
    encoder.layout = _LAYOUTS[target.channels]
    encoder.format = _FORMAT
    encoder.bit_rate = target.bit_rate
    encoder.time_base = Fraction(1, target.rate)
    encoder.thread_count = 1
    return encoder


def _kept(packets: "Iterable[Packet[AudioStream]]", wanted: range) -> Iterator[bytes]:
    """A packet's time is that of the samples it gives back: the encoder's own delay is taken off already."""
    for packet in packets:
        if packet.pts is not None and packet.pts // FRAME_SIZE in wanted:
            yield bytes(packet)


def _whole_frames(pieces: Iterable[AudioFrame], target: Target) -> Iterator[AudioFrame]:
    """Frames of the encoder's size; the last one is filled up with silence."""
    fifo = AudioFifo()
    for piece in pieces:
        fifo.write(_untimed(piece))
        while (whole := fifo.read(FRAME_SIZE)) is not None:
            yield whole
    if fifo.samples:
        fifo.write(_silence(FRAME_SIZE - fifo.samples, target.rate, target))
        rest = fifo.read(FRAME_SIZE)
        if rest is not None:
            yield rest


def _at_target_rate(
    frames: Iterable[AudioFrame], grid: Grid, target: Target, start: int, least: int
) -> Iterator[AudioFrame]:
    """Sound without holes whose first sample is number `start` at the target's rate.

    A resampler is in phase with the first sample it is given, so it is given one that falls on a sample of the target.
    """
    shared = gcd(grid.rate, target.rate)
    periods, skipped = divmod(start, target.rate // shared)
    placed = _placed(_uniform(frames, grid, target), grid)
    sound = _from(periods * (grid.rate // shared), chain(placed, [(least, None)]), grid, target)
    if grid.rate == target.rate:
        yield from sound
        return
    resampler = AudioResampler(_FORMAT, _LAYOUTS[target.channels], target.rate)
    for frame in chain(map(_untimed, sound), [None]):
        for piece in resampler.resample(frame):
            left = min(skipped, piece.samples)
            skipped -= left
            kept = _without(piece, left)
            if kept is not None:
                yield kept


def _from(
    start: int, placed: Iterable[tuple[int, AudioFrame | None]], grid: Grid, target: Target
) -> Iterator[AudioFrame]:
    """What lies at `start` and after: what comes twice is left away, and where there is nothing there is silence."""
    at = start
    for place, frame in placed:
        while at < place:
            silence = _silence(min(place - at, grid.rate), grid.rate, target)
            at += silence.samples
            yield silence
        kept = None if frame is None else _without(frame, at - place)
        if kept is not None:
            at += kept.samples
            yield kept


def _placed(timed: Iterable[tuple[Fraction | None, AudioFrame]], grid: Grid) -> Iterator[tuple[int, AudioFrame]]:
    """Each frame and its place. They follow each other; only a time far off from that is believed."""
    rest = iter(timed)
    head = list(islice(rest, _LOOKAHEAD))
    expected = _anchor(head, grid)
    for exact, frame in chain(head, rest):
        if exact is not None and abs(exact - expected) > _JITTER_S * grid.rate:
            expected = grid.snapped(exact)
        yield expected, frame
        expected += frame.samples


def _anchor(head: Iterable[tuple[Fraction | None, AudioFrame]], grid: Grid) -> int:
    """Where the first frame begins, by the middle of what all of them say of it: their clock may be coarse."""
    passed = 0
    told: list[Fraction] = []
    for exact, frame in head:
        if exact is not None:
            if told and abs(exact - passed - told[0]) > _JITTER_S * grid.rate:
                break
            told.append(exact - passed)
        passed += frame.samples
    return grid.snapped((min(told) + max(told)) / 2) if told else 0


def _uniform(frames: Iterable[AudioFrame], grid: Grid, target: Target) -> Iterator[tuple[Fraction | None, AudioFrame]]:
    """Frames in the encoder's format and channels, at their own rate, each with the place that its time tells."""
    shape: tuple[str, str] | None = None
    for frame in frames:
        if frame.sample_rate != grid.rate:
            raise DamagedMedia("the rate of the sound changes in its midst")
        if shape != (frame.format.name, frame.layout.name):
            shape = (frame.format.name, frame.layout.name)
            converter = AudioResampler(_FORMAT, _LAYOUTS[target.channels], grid.rate)
        exact = None if frame.pts is None or frame.time_base is None else grid.exact(frame.pts * frame.time_base)
        for piece in converter.resample(_untimed(frame)):
            yield exact, piece


def _silence(samples: int, rate: int, target: Target) -> AudioFrame:
    frame = AudioFrame(_FORMAT, _LAYOUTS[target.channels], samples)
    frame.sample_rate = rate
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def _without(frame: AudioFrame, count: int) -> AudioFrame | None:
    """A frame without its first samples; None where nothing is left."""
    if count <= 0:
        return frame
    if count >= frame.samples:
        return None
    fifo = AudioFifo()
    fifo.write(_untimed(frame))
    fifo.read(count)
    return fifo.read(0)


def _untimed(frame: AudioFrame) -> AudioFrame:
    """Places are counted by us: a queue of FFmpeg's would find fault with times that jump."""
    frame.pts = None
    return frame
