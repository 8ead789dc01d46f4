"""How a track of pictures is announced in MP4: its sample entry. Pure.

Sources: ISO/IEC 14496-12 s.12.1 (VisualSampleEntry, pasp, colr), 14496-15 (avc1, hvc1), "AV1 Codec ISO Media File
Format Binding" 1.2, "VP Codec ISO Media File Format Binding" 1.0.
"""

import re
from dataclasses import dataclass
from struct import pack
from typing import Final

from fileserver.media.fmp4.boxes import box, full_box
from fileserver.media.fmp4.parameter_sets import made_avcc, made_hvcc

COPIED: Final = frozenset({"h264", "hevc", "av1", "vp9"})
"""The codings of pictures that players take in MP4, by FFmpeg's names."""

_LONGEST_CONFIG: Final = 64 * 1024
"""Bytes. Parameter sets take some hundreds; x265 adds 2 KB of prose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """How the pictures of a track look. `colour` has the numbers of ITU-T H.273: primaries, transfer, matrix."""

    width: int
    height: int
    pixel_aspect: tuple[int, int] = (1, 1)
    colour: tuple[int, int, int] = (2, 2, 2)
    is_full_range: bool = False
    pixel_format: str = "yuv420p"


class UnknownEntry(ValueError):
    """The bytes announce no pictures of the coding that they were taken for."""


def video_entry(codec_name: str, extradata: bytes, codecs: str, picture: Picture) -> bytes:
    """The sample entry of a track: `avc1`, `hvc1`, `av01` or `vp09`. Raises UnknownEntry.

    `extradata` is what FFmpeg calls so: a configuration as MP4 and Matroska have it, parameter sets as a byte stream
    has them, or nothing for VP9. `codecs` is RFC 6381's name for the track, which AV1 and VP9 repeat in numbers.
    """
    if len(extradata) > _LONGEST_CONFIG:
        raise UnknownEntry("its parameter sets are longer than any")
    match codec_name:
        case "h264":
            return _entry(b"avc1", picture, box(b"avcC", _avcc(extradata)))
        case "hevc":
            return _entry(b"hvc1", picture, box(b"hvcC", _hvcc(extradata)))
        case "av1":
            return _entry(b"av01", picture, box(b"av1C", _av1c(extradata, codecs, picture)))
        case "vp9":
            return _entry(b"vp09", picture, full_box(b"vpcC", 1, 0, _vpcc(codecs, picture)))
    raise UnknownEntry(f"no entry is known for {codec_name}")


def _entry(kind: bytes, picture: Picture, config: bytes) -> bytes:
    """A VisualSampleEntry that points at the first data reference."""
    if not (0 < picture.width < 0x10000 and 0 < picture.height < 0x10000):
        raise UnknownEntry("its pictures have no size that can be told")
    sizes = pack(">16xHHIIIH", picture.width, picture.height, 72 << 16, 72 << 16, 0, 1)
    return box(kind, bytes(6), pack(">H", 1), sizes, bytes(32), pack(">Hh", 24, -1), config, _shape(picture))


def _shape(picture: Picture) -> bytes:
    """The boxes for pixels that are no squares and for colours that the file tells of."""
    across, down = picture.pixel_aspect
    pixels = box(b"pasp", pack(">II", across, down)) if across != down and across > 0 and down > 0 else b""
    if picture.colour == (2, 2, 2):
        return pixels
    return pixels + box(b"colr", b"nclx", pack(">3HB", *picture.colour, 0x80 * picture.is_full_range))


def _avcc(extradata: bytes) -> bytes:
    config = extradata if _is_config(extradata, 7) else made_avcc(extradata)
    if config is None:
        raise UnknownEntry("its parameter sets are nowhere")
    return config


def _hvcc(extradata: bytes) -> bytes:
    config = extradata if _is_config(extradata, 23) else made_hvcc(extradata)
    if config is None:
        raise UnknownEntry("its parameter sets are nowhere")
    return config


def _is_config(extradata: bytes, least: int) -> bool:
    return len(extradata) >= least and extradata[0] == 1


def _av1c(extradata: bytes, codecs: str, picture: Picture) -> bytes:
    """As the file has it; else made of its name and its sequence header (s.2.3.3)."""
    if len(extradata) >= 4 and extradata[0] == 0x81:
        return extradata
    told = re.fullmatch(r"av01\.(\d)\.(\d\d)([MH])\.(\d\d)", codecs)
    if not told:
        raise UnknownEntry("its sequence header is nowhere")
    profile, level, depth = int(told[1]), int(told[2]), int(told[4])
    across, down = _subsampling(picture.pixel_format)
    is_grey = picture.pixel_format.startswith("gray")
    flags = (told[3] == "H") << 7 | (depth > 8) << 6 | (depth > 10) << 5 | is_grey << 4 | across << 3 | down << 2
    return bytes([0x81, profile << 5 | level, flags, 0]) + extradata


def _vpcc(codecs: str, picture: Picture) -> bytes:
    """Profile, level, depth, how colours are stored, and no data for the decoder (s.2.2)."""
    told = re.fullmatch(r"vp09\.(\d\d)\.(\d\d)\.(\d\d)", codecs)
    if not told:
        raise UnknownEntry("its profile is not known")
    profile, level, depth = (int(number) for number in told.groups())
    chroma = {(1, 1): 1, (1, 0): 2, (0, 0): 3, (0, 1): 3}[_subsampling(picture.pixel_format)]
    colour = bytes(min(number, 0xFF) for number in picture.colour)
    return bytes([profile, level, depth << 4 | chroma << 1 | picture.is_full_range]) + colour + bytes(2)


def _subsampling(pixel_format: str) -> tuple[int, int]:
    """Whether colours are stored at half the width, and at half the height."""
    if "444" in pixel_format or pixel_format.startswith("gbr"):
        return 0, 0
    return (1, 0) if "422" in pixel_format else (1, 1)
