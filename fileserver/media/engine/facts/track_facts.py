"""What is found of one stream, from FFmpeg's view of it."""

import math
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from fileserver.media.codec_strings import Coding, codec_string
from fileserver.media.facts import LONGEST_TITLE, AnyTrack, AudioTrack, OtherTrack, SubtitleTrack, VideoTrack

_Facts: TypeAlias = dict[str, Any]

_HDR_TRANSFERS = frozenset({16, 18})
"""PQ and HLG (ITU-T H.273 table 3)."""

_INTERLACED = frozenset({2, 3, 4, 5})
"""Of FFmpeg's AVFieldOrder: which field is coded and which shown first."""

_TEXT_SUBTITLES = frozenset({"ass", "mov_text", "srt", "ssa", "subrip", "text", "ttml", "webvtt"})

_LOSSLESS = frozenset({"alac", "ape", "flac", "mlp", "shorten", "tak", "truehd", "tta", "wavpack"})

_LANGUAGE = re.compile(r"[A-Za-z0-9-]{2,35}")
_UNORDERED = {"1 channels": "mono", "2 channels": "stereo"}
"""Where a file tells only how many there are, one or two can be nothing else."""

_HIGHEST_RATE = 10_000.0

_FLAGS = tuple(Disposition)


@dataclass(frozen=True, slots=True)
class Printed:
    """What only FFmpeg's printed description tells."""

    codec_name: str = "none"
    bit_depth: int | None = None
    """Of sound, where its samples have room for more."""
    counterclockwise: float = 0.0
    """Degrees by which the picture is turned before it is shown."""


def track_facts(stream: Stream, printed: Printed) -> AnyTrack | None:
    """The facts of a stream, or None for one of no known kind."""
    common = _common(stream, printed)
    match stream:
        case VideoStream():
            return _video(stream, common, printed)
        case AudioStream():
            return _audio(stream, common, printed)
        case SubtitleStream():
            return SubtitleTrack(**common, codecs=None, is_text=common["codec_name"] in _TEXT_SUBTITLES)
    match stream.type:
        case "attachment" | "data" as codec_type:
            return OtherTrack(**common, codecs=None, codec_type=codec_type)
    return None


def _common(stream: Stream, printed: Printed) -> _Facts:
    context = _context_of(stream)
    language = stream.metadata.get("language", "")
    return {
        "id": f"{stream.type[0]}{stream.index}",
        "index": stream.index,
        # The codec's own name: a context's is its decoder's, such as mp3float.
        "codec_name": context.codec.canonical_name if context else printed.codec_name,
        "profile": context.profile if context else None,
        "time_base": str(stream.time_base) if stream.time_base else None,
        "duration": _duration(stream),
        "bit_rate": getattr(context, "bit_rate", None) or None,
        "language": language if _LANGUAGE.fullmatch(language) and language != "und" else None,
        "title": stream.metadata.get("title", "")[:LONGEST_TITLE] or None,
        "disposition": _disposition(stream.disposition),
    }


def _context_of(stream: Stream) -> CodecContext | None:
    """None, whatever PyAV's types say, for what has no decoder here."""
    return stream.codec_context


def _tag_of(context: CodecContext) -> str:
    """The container's name for the coding, where it is of letters: in RIFF it is a number, 255 for AAC."""
    try:
        return context.codec_tag
    except UnicodeDecodeError:
        return ""


def _duration(stream: Stream) -> float | None:
    if stream.duration is None or stream.duration <= 0 or not stream.time_base:
        return None
    seconds = float(stream.duration * stream.time_base)
    return round(seconds, 6) if math.isfinite(seconds) else None


def _disposition(found: Disposition) -> dict[str, bool]:
    """The flags that are set, by FFmpeg's names, and `default` in any case."""
    named = {str(flag.name): True for flag in _FLAGS if flag in found}
    return {"default": Disposition.default in found, **named}


def _video(stream: VideoStream, common: _Facts, printed: Printed) -> VideoTrack:
    rate = _frame_rate(stream)
    return VideoTrack(
        **common,
        **_picture_facts(stream.codec_context, rate) if _context_of(stream) else _UNKNOWN_PICTURE,
        rotation=round(-printed.counterclockwise / 90) * 90 % 360,
        frame_rate=rate,
        is_cover=Disposition.attached_pic in stream.disposition,
    )


_PIXELS_OF_PROFILES = {
    ("h264", "Constrained Baseline"): "yuv420p",
    ("h264", "Baseline"): "yuv420p",
    ("h264", "Main"): "yuv420p",
    ("h264", "High"): "yuv420p",
    ("hevc", "Main"): "yuv420p",
}
"""How pictures are stored, where nothing was decoded: of profiles that allow one way, that for grey ones aside."""

_UNKNOWN_PICTURE: _Facts = {
    "codecs": None,
    "width": 0,
    "height": 0,
    "sample_aspect_ratio": "1:1",
    "pix_fmt": None,
    "is_hdr": False,
    "is_interlaced": False,
}


def _picture_facts(context: VideoCodecContext, rate: float | None) -> _Facts:
    shape = context.sample_aspect_ratio
    coding = Coding(
        codec_name=context.codec.canonical_name,
        tag=_tag_of(context),
        profile=context.profile,
        level=context.level,
        extradata=context.extradata or b"",
        width=context.width,
        height=context.height,
        frame_rate=rate or 0,
        bit_depth=context.format.components[0].bits if context.format else 8,
    )
    return {
        "codecs": codec_string(coding),
        "width": context.width,
        "height": context.height,
        "sample_aspect_ratio": f"{shape.numerator}:{shape.denominator}" if shape else "1:1",
        "pix_fmt": context.pix_fmt or _PIXELS_OF_PROFILES.get((coding.codec_name, context.profile or "")),
        "is_hdr": int(context.color_trc or 0) in _HDR_TRANSFERS,
        "is_interlaced": int(context.field_order or 0) in _INTERLACED,
    }


def _frame_rate(stream: VideoStream) -> float | None:
    """The lower one of FFmpeg's two answers: either may count fields, and the average knows of left out pictures."""
    rates = [float(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate]
    if not rates or Disposition.attached_pic in stream.disposition:
        return None
    return round(min(rates), 3) if 0 < min(rates) <= _HIGHEST_RATE else None


def _audio(stream: AudioStream, common: _Facts, printed: Printed) -> AudioTrack:
    if _context_of(stream) is None:
        codecs = codec_string(Coding(codec_name=printed.codec_name))
        return AudioTrack(**common, codecs=codecs, channels=0, channel_layout="", sample_rate=0, bits_per_sample=None)
    context = stream.codec_context
    coding = Coding(
        codec_name=common["codec_name"],
        tag=_tag_of(context),
        profile=context.profile,
        level=context.level,
        extradata=context.extradata or b"",
    )
    return AudioTrack(
        **common,
        codecs=codec_string(coding),
        channels=context.channels,
        channel_layout=_UNORDERED.get(context.layout.name, context.layout.name),
        sample_rate=context.sample_rate or 0,
        bits_per_sample=_bits(coding.codec_name, context.format.bits if context.format else None, printed.bit_depth),
    )


def _bits(codec_name: str, room: int | None, told: int | None) -> int | None:
    """The depth of lossless sound, which is written into samples of 8, 16 or 32 bits."""
    if codec_name in {"pcm_alaw", "pcm_mulaw"}:
        return None
    return told or room if codec_name in _LOSSLESS or codec_name.startswith("pcm_") else None
