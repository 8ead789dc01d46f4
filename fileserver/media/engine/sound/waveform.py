"""The peaks of a sound, as audiowaveform writes them (its JSON data format, version 2).

A sound of up to 20 minutes is decoded whole. Of a longer one a short piece is heard in the middle of each pixel, and
the document says so: `is_sampled`. Ten hours take no longer than one then.
"""

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

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

MOST_PIXELS = 4000
"""Pairs of peaks in a document: what a wide screen shows."""

MOST_WINDOWS = 1000
"""Pieces that are heard of a long sound. Each takes a seek, 0.2 to 1.5 ms."""

_WHOLE_S = 20 * 60
"""Up to this length every sample counts: about a second of decoding."""

_MOST_SAMPLES = 1 << 29
"""That are decoded when a file does not tell how long it is, or lies: three hours at 48 kHz."""

_LEAST = 16
"""Samples for each pair of peaks, before pairs are joined: it bounds what a file that claims no length makes."""

_MOST_CHANNELS = 64
_WINDOW_S = 0.1
_WARM_UP = {"mp3": 10, "mp3float": 10, "opus": 5}
_WARM_UP_ELSE = 2
"""Frames after a seek that are not heard, as a lossy decoder still lacks what came before them: MP3 borrows up to 511
bytes of earlier frames (ISO 11172-3 s.2.4.2.7), Opus takes 80 ms to settle (RFC 7845 s.4.6)."""
_FINER = 4
"""Peaks for each pixel while decoding: a sound longer than it claims then loses few of its pixels."""
_SLACK = 8192  # samples: what an encoder adds at both ends
_MOST_SKIPPED = 20_000  # packets before a window: what some minutes have that nothing can be sought by
_AT_ONCE = 1 << 16  # samples: NumPy takes as long for a few as for a few thousand

Sound: TypeAlias = NDArray[np.float32]
"""One channel, -1 to 1."""
Levels: TypeAlias = NDArray[np.int8]

_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


def waveform(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """At most `pixels` pairs of peaks, all channels as one. Raises NoSuchTrack, DamagedMedia, CannotConvert."""
    pixels = max(1, min(int(terms["pixels"]), MOST_PIXELS))
    with source.open() as container:
        sound = _Sound.of(container)
        is_sampled = sound.duration > _WHOLE_S
        peaks = _sampled(sound, min(pixels, MOST_WINDOWS)) if is_sampled else _whole(sound, pixels)
    document = {
        "version": 2,
        "channels": 1,
        "sample_rate": sound.rate,
        "samples_per_pixel": peaks.samples_per_pixel,
        "bits": 8,
        "length": len(peaks.lows),
        "is_sampled": is_sampled,
        "data": np.stack((peaks.lows, peaks.highs), axis=-1).ravel().tolist(),
    }
    product.write(json.dumps(document, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Peaks:
    """The least and the greatest of each so many samples, -128 to 127."""

    samples_per_pixel: int
    lows: Levels
    highs: Levels

    def joined(self, most: int) -> "Peaks":
        """At most so many pairs, each of which stands for as many of these."""
        each = max(1, math.ceil(len(self.lows) / most))
        starts = np.arange(0, len(self.lows), each)
        return Peaks(
            self.samples_per_pixel * each,
            np.minimum.reduceat(self.lows, starts),
            np.maximum.reduceat(self.highs, starts),
        )


@dataclass(slots=True)
class _Counter:
    """Takes sound piece by piece, and keeps its peaks."""

    samples_per_pixel: int
    count: int = 0
    _pieces: list[Sound] = field(default_factory=list)
    _waiting: int = 0
    _lows: list[Levels] = field(default_factory=list)
    _highs: list[Levels] = field(default_factory=list)

    def add(self, piece: Sound) -> None:
        self._pieces.append(piece)
        self.count += len(piece)
        self._waiting += len(piece)
        if self._waiting >= max(_AT_ONCE, self.samples_per_pixel):
            sound = np.concatenate(self._pieces)
            whole = len(sound) - len(sound) % self.samples_per_pixel
            self._keep(sound[:whole].reshape(-1, self.samples_per_pixel))
            self._pieces = [sound[whole:]]
            self._waiting = len(sound) - whole

    def peaks(self) -> Peaks:
        """Of all that was added. Raises DamagedMedia when that is nothing."""
        if not self.count:
            raise DamagedMedia("no sound of the file can be decoded")
        if self._waiting:
            sound = np.concatenate(self._pieces)
            short = -len(sound) % self.samples_per_pixel
            self._keep(np.pad(sound, (0, short), mode="edge").reshape(-1, self.samples_per_pixel))
        return Peaks(self.samples_per_pixel, np.concatenate(self._lows), np.concatenate(self._highs))

    def _keep(self, rows: Sound) -> None:
        self._lows.append(_eight_bits(rows.min(axis=1)))
        self._highs.append(_eight_bits(rows.max(axis=1)))


@dataclass(frozen=True, slots=True)
class _Sound:
    """The sound that plays first, in an open file."""

    container: InputContainer
    stream: AudioStream
    duration: float
    """In seconds; 0 when nobody knows."""

    @classmethod
    def of(cls, container: InputContainer) -> "_Sound":
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise NoSuchTrack("the file has no sound")
        require_decoder(stream)
        if not 0 < stream.channels <= _MOST_CHANNELS or stream.rate <= 0:
            raise CannotConvert(f"its sound has no rate, or more than {_MOST_CHANNELS} channels")
        read_only(container, stream)
        stream.codec_context.thread_count = 1
        return cls(container, stream, duration_of(container, stream) or 0.0)

    @property
    def rate(self) -> int:
        """Samples in a second."""
        return self.stream.rate

    def frames(self) -> Iterator[AudioFrame]:
        """From where the container stands. What is damaged is left out."""
        for packet in packets_of(self.container, self.stream):
            yield from self.decoded(packet)

    def decoded(self, packet: "Packet[AudioStream]") -> list[AudioFrame]:
        """Nothing for a packet that is damaged."""
        try:
            return self.stream.codec_context.decode(packet)
        except av.error.InvalidDataError:
            return []

    def time(self, packet: "Packet[AudioStream]") -> float | None:
        """When a packet begins, in seconds from the file's start."""
        if packet.pts is None:
            return None
        return float(packet.pts * clock_of(self.stream)) - start_of(self.container)


def _whole(sound: _Sound, pixels: int) -> Peaks:
    expected = sound.duration * sound.rate + _SLACK
    counter = _Counter(max(_LEAST, math.ceil(expected / (_FINER * pixels))))
    for frame in sound.frames():
        counter.add(_mono(frame))
        if counter.count > _MOST_SAMPLES:
            raise CannotConvert("the sound does not tell how long it is, and is too long to be decoded whole")
    return counter.peaks().joined(pixels)


def _sampled(sound: _Sound, pixels: int) -> Peaks:
    """A pixel in which nothing can be heard is silent."""
    lows, highs = np.zeros(pixels, np.int8), np.zeros(pixels, np.int8)
    step = sound.duration / pixels
    is_heard = False
    for number in range(pixels):
        pieces = _window(sound, number * step, (number + 0.5) * step)
        if pieces:
            is_heard = True
            heard = np.concatenate(pieces)
            lows[number], highs[number] = _eight_bits(heard.min()), _eight_bits(heard.max())
    if not is_heard:
        raise DamagedMedia("no sound of the file can be decoded")
    return Peaks(math.ceil(step * sound.rate), lows, highs)


def _window(sound: _Sound, start: float, middle: float) -> list[Sound]:
    """What is heard for a moment from the last place before `middle` that can be sought, or from `start` on."""
    rewind_to(sound.container, sound.stream, middle)
    wanted = int(_WINDOW_S * sound.rate)
    cold = _WARM_UP.get(sound.stream.codec_context.name, _WARM_UP_ELSE)
    pieces: list[Sound] = []
    for packet in itertools.islice(packets_of(sound.container, sound.stream), _MOST_SKIPPED):
        time = sound.time(packet)
        if time is not None and time < start:
            continue
        for frame in sound.decoded(packet):
            if cold > 0:
                cold -= 1
            elif frame.samples:
                pieces.append(_mono(frame))
                wanted -= frame.samples
        if wanted <= 0:
            break
    return pieces


def _mono(frame: AudioFrame) -> Sound:
    """The mean of a frame's channels."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    mean: Sound = samples.mean(axis=0, dtype=np.float32)
    kind = frame.format.packed.name
    if kind not in _FULL_SCALE:
        return np.nan_to_num(mean, posinf=1.0, neginf=-1.0)
    return mean / np.float32(_FULL_SCALE[kind]) - np.float32(kind == "u8")


def _eight_bits(levels: Any) -> Levels:
    return np.asarray(np.clip(np.floor(levels * 128), -128, 127), dtype=np.int8)
