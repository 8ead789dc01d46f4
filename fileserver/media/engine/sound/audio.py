"""Tracks of sound as HLS has them: an init segment and segments, copied packet by packet or made into AAC.

A segment is made of nothing but the file and its terms, so any may be asked for first, and again.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, BinaryIO, Final, TypeAlias

from av import AudioCodecContext, AudioFrame, AudioStream
from av.container import InputContainer

from fileserver.media.decode_times import decode_times
from fileserver.media.engine.sound.audio_encoding import FRAME_SIZE, WARM_FRAMES, Target, encoded
from fileserver.media.engine.sound.audio_packets import DAMAGE, Grid, Placed, opened, read_span
from fileserver.media.engine.sound.elementary import is_elementary, read_elementary
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, NoSuchTrack
from fileserver.media.fmp4.segments import Sample, segment_head
from fileserver.media.frames import adts_header_size, flac_samples, opus_samples
from fileserver.media.index import TICKS

Track: TypeAlias = Mapping[str, Any]
"""The entry of a track in the index, with `origin`, the file's start in ticks of the container's time."""

DECODER_LEAD_S: Final = Fraction(1, 2)
"""How much earlier the decoder starts: frames that overlap, TrueHD's next place to begin, a reservoir of bits."""

_LATE_S: Final = Fraction(1, 4)
"""Decoded past the end, where the encoder's last windows reach."""


_MOST_FRAMES: Final = 84_375
"""Of a segment: half an hour of sound, at 48,000 samples a second."""


def audio_segment(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Segment `n` of a `track`: what begins in [`start`, `end`), ticks from the file's start. Raises NoSuchTrack.

    `seek` begins with that of the cut, in a file that has no container.
    """
    make = _copied if terms["track"]["how"] == "copy" else _transcoded
    if is_elementary(source):
        make(_Elementary(source, terms), terms, product)
        return
    with opened(source) as container:
        make(_Contained(container, terms["track"]), terms, product)


class _Contained:
    """A track of a container."""

    def __init__(self, container: InputContainer, track: Track) -> None:
        index = int(str(track["id"])[1:])
        found = container.streams[index] if index < len(container.streams) else None
        if not isinstance(found, AudioStream):
            raise NoSuchTrack("the file has no such track of sound")
        self._container, self._stream = container, found

    def between(self, grid: Grid, start: int, end: int) -> tuple[list[Placed], int | None]:
        return read_span(self._container, self._stream, grid, start, end)

    def decoder(self) -> AudioCodecContext:
        return self._stream.codec_context


class _Elementary:
    """The only track of a file without a container."""

    def __init__(self, source: Source, terms: Mapping[str, Any]) -> None:
        self._source, self._terms = source, terms

    def between(self, grid: Grid, start: int, end: int) -> tuple[list[Placed], int | None]:
        return read_elementary(self._source, self._terms["seek"][0], grid, start, end)

    def decoder(self) -> AudioCodecContext:
        decoder: AudioCodecContext = AudioCodecContext.create(self._terms["track"]["codec_name"], "r")
        return decoder


def _grid(track: Track) -> Grid:
    return Grid(origin=int(track["origin"]), **track["grid"])


def _copied(file: _Contained | _Elementary, terms: Mapping[str, Any], product: BinaryIO) -> None:
    track: Track = terms["track"]
    found, after = file.between(_grid(track), terms["start"], terms["end"])
    places, packets, lengths = [], [], []
    for placed in found:
        packet = _bare(bytes(placed.packet), track)
        length = _samples_in(packet, track)
        if placed.place + length > 0:  # what ends before the file's start warms a decoder up, which no player asks for
            places.append(placed.place)
            packets.append(packet)
            lengths.append(length)
    _write(product, terms["n"], packets, *decode_times(places, lengths, after))


def _bare(packet: bytes, track: Track) -> bytes:
    """A packet as MP4 has it: without the header of ADTS."""
    return packet[adts_header_size(packet) :] if track["is_adts"] else packet


def _samples_in(packet: bytes, track: Track) -> int:
    match track["codec_name"]:
        case "opus":
            return opus_samples(packet)
        case "flac":
            return flac_samples(packet)
    return int(track["frame_size"])


def _transcoded(file: _Contained | _Elementary, terms: Mapping[str, Any], product: BinaryIO) -> None:
    track: Track = terms["track"]
    grid, target = _grid(track), Target(track["sample_rate"], track["channels"])
    wanted = target.frames_between(terms["start"], terms["end"])
    if len(wanted) > _MOST_FRAMES:
        raise CannotConvert("there is more time between two cuts than a segment of sound may hold")
    lead = TICKS * (DECODER_LEAD_S + Fraction(WARM_FRAMES * FRAME_SIZE, target.rate))
    found, _ = file.between(grid, terms["start"] - int(lead), terms["end"] + int(TICKS * _LATE_S))
    least = min(terms["end"], track["end"]) * grid.rate // TICKS
    packets = list(encoded(_decoded(file.decoder(), found), grid, target, wanted, least))
    _write(product, terms["n"], packets, wanted.start * FRAME_SIZE, [FRAME_SIZE] * len(packets))


def _decoded(decoder: AudioCodecContext, packets: list[Placed]) -> Iterator[AudioFrame]:
    """Sound of the packets; one that is damaged is passed over, and leaves a hole."""
    decoder.thread_count = 1
    for packet in [*(placed.packet for placed in packets), None]:
        try:
            yield from decoder.decode(packet)
        except DAMAGE:
            continue


def _write(product: BinaryIO, n: int, packets: list[bytes], decode_time: int, durations: list[int]) -> None:
    samples = [Sample(len(packet), duration) for packet, duration in zip(packets, durations, strict=True)]
    product.write(segment_head(n + 1, decode_time, samples))
    product.writelines(packets)
