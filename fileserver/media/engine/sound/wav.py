"""Lossless sound as plain samples: any stretch of a track, bit for bit as it was recorded.

Lossy codecs are refused: how long what they decode to is depends on who decodes it, so that no length can be promised.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any, BinaryIO, Final

from av import AudioFrame, AudioResampler, AudioStream
from av.container import InputContainer
from av.packet import Packet

from fileserver.media.engine.one_track import demuxed, require_decoder
from fileserver.media.engine.sound.audio_packets import DAMAGE, Grid, opened, placed_from
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, DamagedMedia, NoSuchTrack
from fileserver.media.frames import alac_samples, fixed_block, flac_samples
from fileserver.media.wav import WavFacts

MOST_BYTES: Final = 64 << 20
"""Of samples in one product."""

_MOST_BLOCK: Final = 1 << 16

_LOSSLESS = frozenset({"alac", "ape", "flac", "tta", "wavpack"})

_FORMATS = {"u8": 8, "s16": 16, "s32": 32, "flt": 32, "dbl": 64}
"""Bits of FFmpeg's sample formats that WAV knows as well."""

_SPEAKERS = ("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR",
             "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR")  # fmt: skip
"""In the order of their bits, which FFmpeg and WAVE_FORMAT_EXTENSIBLE share."""


def wav_facts(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """The WavFacts of a `track`, such as `a0`. Raises NoSuchTrack, CannotConvert where it is not lossless."""
    with opened(source) as container:
        stream = _stream_of(container, terms["track"])
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        bits, is_float = _depth(stream)
        facts = WavFacts(rate, channels, bits, _samples(container, stream), _mask(stream), is_float)
    product.write(json.dumps(asdict(facts)).encode())


def wav(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """The samples [`start`, `start + count`) of a `track` as a WAV has them: all of them, whatever the file lacks.

    Raises what `wav_facts` does.
    """
    start, count = int(terms["start"]), int(terms["count"])
    with opened(source) as container:
        stream = _stream_of(container, terms["track"])
        bits, _ = _depth(stream)
        frame_size = stream.codec_context.channels * bits // 8
        if start < 0 or not 0 <= count * frame_size <= MOST_BYTES:
            raise CannotConvert("a stretch so long is not made at once")
        at, end = start, start + count
        for place, samples in _pieces(container, stream, bits, start, end):
            at = _write_piece(product, at, end, place, samples, frame_size)
            if at == end:
                return
        _write_silence(product, (end - at) * frame_size, bits)


def _write_piece(product: BinaryIO, at: int, end: int, place: int, samples: bytes, frame_size: int) -> int:
    """Write what of `samples`, which begin at `place`, lies in [at, end), with silence before; where it ends."""
    begin, stop = max(at, min(place, end)), min(end, place + len(samples) // frame_size)
    if stop <= at:
        return at
    _write_silence(product, (begin - at) * frame_size, 16)
    product.write(memoryview(samples)[(begin - place) * frame_size : (stop - place) * frame_size])
    return max(begin, stop)


def _write_silence(product: BinaryIO, size: int, bits: int) -> None:
    product.write((b"\x80" if bits == 8 else b"\0") * size)


def _stream_of(container: InputContainer, name: str) -> AudioStream:
    """The track of that name. Raises NoSuchTrack, CannotConvert."""
    index = int(name[1:]) if name[:1] == "a" and name[1:].isdecimal() and len(name) < 6 else len(container.streams)
    stream = container.streams[index] if index < len(container.streams) else None
    if not isinstance(stream, AudioStream):
        raise NoSuchTrack("the file has no such track of sound")
    require_decoder(stream)
    codec = stream.codec_context
    if codec.codec.canonical_name not in _LOSSLESS and not codec.codec.canonical_name.startswith("pcm_"):
        raise CannotConvert("the sound is not lossless")
    if not codec.sample_rate or not codec.channels or not codec.format or codec.format.packed.name not in _FORMATS:
        raise DamagedMedia("the sound has no rate, no channels or no depth")
    return stream


def _depth(stream: AudioStream) -> tuple[int, bool]:
    """How many bits a sample has in a WAV file, and whether they are a fraction."""
    codec = stream.codec_context
    room = codec.format.packed.name
    name, extradata = codec.codec.canonical_name, codec.extradata or b""
    if room != "s32":
        return _FORMATS[room], room in {"flt", "dbl"}
    told = 32
    if name == "flac" and len(extradata) >= 34:
        told = ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
    elif name == "alac" and len(extradata) >= 18:
        told = extradata[17]
    elif name == "tta" and len(extradata) >= 10:
        told = extradata[8]
    elif name == "ape" or name.startswith(("pcm_s24", "pcm_u24", "pcm_bluray", "pcm_dvd")):
        told = 24
    return (24 if told <= 24 else 32), False


def _mask(stream: AudioStream) -> int:
    names = [channel.name for channel in stream.codec_context.layout.channels]
    bits = [1 << _SPEAKERS.index(name) for name in names if name in _SPEAKERS]
    return sum(bits) if len(bits) == len(names) else 0


def _samples(container: InputContainer, stream: AudioStream) -> int:
    """How many samples a track has: as the file tells where it counts in them, or else by adding up its packets."""
    extradata = stream.codec_context.extradata or b""
    if stream.codec_context.codec.canonical_name == "flac" and len(extradata) >= 34:
        told = int.from_bytes(extradata[13:18]) & ((1 << 36) - 1)
        if told:
            return told
    if _is_exact(stream) and stream.duration and stream.duration > 0:
        return stream.duration
    return sum(_samples_in(packet, stream) for packet in demuxed(container, stream))


def _is_exact(stream: AudioStream) -> bool:
    """Whether the container's clock counts samples."""
    return stream.time_base == Fraction(1, stream.codec_context.sample_rate)


def _samples_in(packet: "Packet[Any]", stream: AudioStream) -> int:
    """How many samples a packet holds. Raises CannotConvert where only decoding would tell."""
    codec = stream.codec_context
    name = codec.codec.canonical_name
    if not packet.size:
        return 0
    if name == "flac":
        return flac_samples(bytes(packet)[:16])
    if name == "alac":
        return alac_samples(bytes(packet)[:8], _block_size(stream))
    width = {"alaw": 8, "mulaw": 8}.get(name[4:], int("".join(filter(str.isdigit, name[5:7])) or 0))
    if not name.startswith("pcm_") or width not in {8, 16, 24, 32, 64}:
        raise CannotConvert("nothing tells how long the sound is")
    return packet.size * 8 // (width * codec.channels)


def _pieces(
    container: InputContainer, stream: AudioStream, bits: int, start: int, end: int
) -> Iterator[tuple[int, bytes]]:
    """Samples as they are written, and the place of the first of them, from `start` or before to the end."""
    grid = _grid_of(stream)
    located = _counted(container, stream, start) if grid is None else _located(container, stream, grid, start, end)
    stream.codec_context.thread_count = 1
    converter = AudioResampler(stream.codec_context.format.packed.name)
    at = 0
    for place, packet in located:
        at = max(at, place)  # what is missing is silence, and what claims to be there twice follows
        for frame in _decoded(stream, packet):
            for piece in converter.resample(frame):
                yield at, _printed(piece, bits)
                at += piece.samples


def _decoded(stream: AudioStream, packet: "Packet[Any]") -> Iterable[AudioFrame]:
    """The sound of a packet; none where it is damaged."""
    try:
        return stream.codec_context.decode(packet)
    except DAMAGE:
        return ()


def _printed(frame: AudioFrame, bits: int) -> bytes:
    """The samples as WAV has them: FFmpeg has 24 bits as the upper ones of 32."""
    samples = bytes(frame.planes[0])[: frame.samples * frame.layout.nb_channels * frame.format.bytes]
    if bits != 24:
        return samples
    shorter = bytearray(len(samples) // 4 * 3)
    for place in range(3):
        shorter[place::3] = samples[place + 1 :: 4]
    return bytes(shorter)


def _grid_of(stream: AudioStream) -> Grid | None:
    """Where the packets of a track may begin; None where its clock is too coarse to tell one sample from another."""
    rate = stream.codec_context.sample_rate
    step = 1
    if not _is_exact(stream):
        step = _block_size(stream)
    first = round((stream.start_time or 0) * (stream.time_base or Fraction(1)) * rate)
    return Grid(rate=rate, step=step, first=first, origin=0) if step else None


def _block_size(stream: AudioStream) -> int:
    """How many samples each packet of a track holds, but for the last; 0 where that is not told."""
    extradata = bytes(stream.codec_context.extradata or b"")
    match stream.codec_context.codec.canonical_name:
        case "flac":
            return fixed_block(extradata)
        case "alac" if len(extradata) >= 18:
            return min(int.from_bytes(extradata[12:16]), _MOST_BLOCK)
    return 0


def _located(
    container: InputContainer, stream: AudioStream, grid: Grid, start: int, end: int
) -> "Iterator[tuple[int, Packet[Any]]]":
    """Packets from one that begins at `start` or before, and their places."""
    begin, stop = (Fraction(grid.first + place, grid.rate) for place in (start, end))
    for placed in placed_from(container, stream, grid, begin, stop):
        yield placed.place - grid.first, placed.packet


def _counted(container: InputContainer, stream: AudioStream, start: int) -> "Iterator[tuple[int, Packet[Any]]]":
    """The same where only all that comes before tells the place: it is read, and not decoded."""
    place = 0
    for packet in demuxed(container, stream):
        count = _samples_in(packet, stream)
        if count and place + count > start:
            yield place, packet
        place += count
