"""What the index says of a track of sound: whether its packets are copied or made into AAC, and where they begin."""

from fractions import Fraction
from itertools import islice
from typing import Any, Final, TypeAlias

from av import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from fileserver.media.engine.one_track import demuxed
from fileserver.media.engine.sound.audio_encoding import FRAME_SIZE, target_of
from fileserver.media.facts import LONGEST_TITLE
from fileserver.media.faults import DamagedMedia
from fileserver.media.fmp4.audio_entries import UnknownConfig, aac_config, audio_codecs, audio_entry, made_aac_config
from fileserver.media.frames import adts_frame, fixed_block

_MOST_PACKETS_BEFORE: Final = 5_000
"""Of all tracks, read in search of a track's first: more than ten seconds of interleaved ones."""

_STEPS: Final = {"ac3": 1536, "eac3": 256, "dts": 256, "mp3": 576, "mp2": 1152, "mp1": 384, "vorbis": 32}
"""Samples of which every frame of a codec holds a multiple: where a coarse clock is off, it is set right by them."""

_OPUS_STEP: Final = 120
"""Samples of 2.5 ms: what Opus has the shortest frames of."""

_TRUEHD_FRAMES_PER_S: Final = 1200

_COPIED_AAC: Final = frozenset({2, 5, 29})
"""Object types that players know: LC, HE and HE v2."""

_UNTOLD_BANDWIDTH: Final = 256_000

Facts: TypeAlias = dict[str, Any]


def audio_tracks(container: InputContainer) -> list[Facts]:
    """What the index says of each track of sound, but for `origin` and `end`, which are for whoever makes the index.

    The container is one that was only just opened; packets of it are read.
    """
    firsts = _first_packets(container)
    return [track_of(stream, firsts.get(stream.index)) for stream in container.streams.audio if _is_known(stream)]


def _is_known(stream: AudioStream) -> bool:
    """Whether FFmpeg knows the coding and its rate; a damaged track is left out, and the others play."""
    codec = stream.codec_context
    return bool(codec and codec.sample_rate and codec.channels)


def track_of(stream: AudioStream, first: "Packet[Stream] | None") -> Facts:
    """What the index says of a track, by its first packet where there is one."""
    codec = stream.codec_context
    name = _codec_name(stream)
    head = bytes(first)[:16] if first is not None else b""
    entry = {
        "id": f"a{stream.index}",
        "kind": "audio",
        "codec_name": name,
        "language": stream.language,
        "title": stream.metadata.get("title", "")[:LONGEST_TITLE] or None,
        "is_default": Disposition.default in stream.disposition,
    }
    try:
        config, rate, channels, step = _copied_facts(name, stream, head)
        codecs = audio_codecs(name, config)
        audio_entry(name, config, rate, channels)
    except UnknownConfig:
        return entry | _transcoded_facts(name, stream, first)
    grid = {"rate": rate, "step": step, "first": _first_place(stream, first, rate)}
    return entry | {
        "how": "copy",
        "codecs": codecs,
        "config": config.hex(),
        "is_adts": name == "aac" and adts_frame(head) is not None and not codec.extradata,
        "channels": channels,
        "sample_rate": rate,
        "frame_size": step,
        "bandwidth": codec.bit_rate or _UNTOLD_BANDWIDTH,
        "grid": grid,
    }


def _transcoded_facts(name: str, stream: AudioStream, first: "Packet[Stream] | None") -> Facts:
    codec = stream.codec_context
    if not codec.sample_rate or not codec.channels:
        raise DamagedMedia("the sound has no rate or no channels")
    target = target_of(codec.sample_rate, codec.channels)
    config = made_aac_config(target.rate, target.channels)
    step = codec.sample_rate // _TRUEHD_FRAMES_PER_S if name in {"truehd", "mlp"} else _STEPS.get(name, 1)
    return {
        "how": "transcode",
        "codecs": audio_codecs("aac", config),
        "config": config.hex(),
        "is_adts": False,
        "channels": target.channels,
        "sample_rate": target.rate,
        "frame_size": FRAME_SIZE,
        "bandwidth": target.bit_rate,
        "grid": {
            "rate": codec.sample_rate,
            "step": max(1, step),
            "first": _first_place(stream, first, codec.sample_rate),
        },
    }


def _copied_facts(name: str, stream: AudioStream, head: bytes) -> tuple[bytes, int, int, int]:
    """The configuration, rate, channels and samples in a frame of what is copied. Raises UnknownConfig for all else.

    MP3 is not: what plays by MSE takes it by itself, yet not in MP4 (so Chromium 156, by whatever name of it).
    """
    codec = stream.codec_context
    extradata = bytes(codec.extradata or b"")
    match name:
        case "aac":
            config = _aac_extradata(extradata, head, codec.profile or "")
            known = aac_config(config)
            if known.object_type not in _COPIED_AAC or not known.channels:
                raise UnknownConfig("players do not know this kind of AAC")
            return config, known.rate, known.channels, known.frame_size
        case "opus":
            return extradata, 48_000, codec.channels, _OPUS_STEP
        case "flac" if codec.sample_rate and len(extradata) >= 34:
            return extradata, codec.sample_rate, codec.channels, fixed_block(extradata) or 1
    raise UnknownConfig("it is not copied")


def _aac_extradata(extradata: bytes, head: bytes, profile: str) -> bytes:
    """An AudioSpecificConfig, of an ADTS header where there is none, that tells of SBR and PS wherever there are."""
    if not extradata:
        frame = adts_frame(head)
        if frame is None:
            raise UnknownConfig("its configuration is not known")
        object_type, channels = (head[2] >> 6) + 1, (head[2] & 1) << 2 | head[3] >> 6
        extradata = (object_type << 11 | (head[2] >> 2 & 15) << 7 | channels << 3).to_bytes(2)
    known = aac_config(extradata)
    told = {"HE-AAC": 5, "HE-AACv2": 29}.get(profile)
    if told is None or known.object_type != 2 or known.frame_size != FRAME_SIZE or known.rate > 48_000:
        return extradata
    return made_aac_config(known.rate, known.channels, object_type=told)


def _codec_name(stream: AudioStream) -> str:
    """The codec's own name and not that of the decoder chosen for it: `mp3` and not `mp3float`."""
    return stream.codec_context.codec.canonical_name


def _first_packets(container: InputContainer) -> "dict[int, Packet[Stream]]":
    """The first packet that has a time of each track of sound, by the stream's index."""
    firsts: dict[int, Packet[Stream]] = {}
    wanted = {stream.index for stream in container.streams.audio}
    for packet in islice(demuxed(container), _MOST_PACKETS_BEFORE):
        if packet.stream_index in wanted and packet.size and packet.pts is not None:
            wanted.remove(packet.stream_index)
            firsts[packet.stream_index] = packet
        if not wanted:
            break
    return firsts


def _first_place(stream: AudioStream, first: "Packet[Stream] | None", rate: int) -> int:
    time = first.pts if first is not None and first.pts is not None else stream.start_time
    return round((time or 0) * (stream.time_base or Fraction(1)) * rate)
