"""Tracks of sound as a player gets them: their init segment and all segments, made by the engine and taken apart."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from fileserver.media.engine.sound.audio import audio_segment
from fileserver.media.engine.streaming.index import index
from fileserver.media.index import Index, parse_index
from tests.media.engine.conftest import open_source

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Segment:
    """What one says: when it begins, how long each packet lasts, and the packets."""

    decode_time: int
    durations: tuple[int, ...]
    packets: tuple[bytes, ...]
    content: bytes

    @property
    def end(self) -> int:
        """Where the next one has to begin."""
        return self.decode_time + sum(self.durations)


def index_of(path: Path) -> Index:
    """The index of a file."""
    product = io.BytesIO()
    with open_source(path) as source:
        index(source, {}, product)
    return parse_index(product.getvalue())


def sound_of(path: Path) -> tuple[Index, dict[str, Any]]:
    """The index of a file and its first track of sound."""
    found = index_of(path)
    return found, dict(found.of_kind("audio")[0])


def segment_of(path: Path, found: Index, track: dict[str, Any], number: int) -> Segment:
    """A segment of a track."""
    product = io.BytesIO()
    with open_source(path) as source:
        terms = found.terms(track, number)
        assert terms is not None
        audio_segment(source, terms, product)
    return taken_apart(product.getvalue())


def segments_of(path: Path, found: Index, track: dict[str, Any]) -> list[Segment]:
    """All of them, made from the last to the first: none needs another."""
    numbers = reversed(range(len(found.cuts_of(track))))
    return [segment_of(path, found, track, number) for number in numbers][::-1]


def taken_apart(content: bytes) -> Segment:
    """A segment with one track, one fragment and one run."""
    outer = dict(_boxes(content))
    track = dict(_boxes(dict(_boxes(outer[b"moof"]))[b"traf"]))
    run, packets = track[b"trun"], outer[b"mdat"]
    samples = [
        struct.unpack_from(">IIIi", run, 12 + 16 * number) for number in range(struct.unpack_from(">I", run, 4)[0])
    ]
    cut, place = [], 0
    for _, size, _, _ in samples:
        cut.append(packets[place : place + size])
        place += size
    assert place == len(packets)
    return Segment(
        struct.unpack_from(">Q", track[b"tfdt"], 4)[0], tuple(sample[0] for sample in samples), tuple(cut), content
    )


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        yield kind, content[place + 8 : place + size]
        place += size


def packets_of(path: Path, track: dict[str, Any]) -> list[bytes]:
    """The packets of the source, as FFmpeg's demuxer has them."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams[int(track["id"][1:])]) if packet.size]


def heard(path: Path, number: int = 0) -> tuple[int, Samples]:
    """What a track of sound decodes to: the place of its first sample, and all of them, of the first channel."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.audio[number]))
        first = frames[0]
        assert first.pts is not None
        assert first.time_base is not None
        begin = round(first.pts * first.time_base * first.sample_rate)
        mono = av.AudioResampler("fltp", first.layout)
        pieces = [piece.to_ndarray()[0] for frame in frames for piece in mono.resample(frame)]
        return begin, np.concatenate(pieces).astype(np.float32)


def noise_to_signal_db(signal: Samples, other: Samples) -> float:
    """How far below a signal the difference to another lies: more is better."""
    difference = signal - other
    return float(10 * np.log10(np.sum(signal**2) / max(float(np.sum(difference**2)), 1e-12)))
