"""What players call a coding: the `codecs` parameter of a media type, by which they say whether they can play it.

Source: RFC 6381 s.3.3, ISO 14496-15 annex E (H.264, HEVC), the AV1 and VP9 bindings to ISO-BMFF, RFC 2361 (WAV), and
the WebCodecs registry. A string says what is there and never something similar that a player may have instead: a player
that is promised AC-3 as AAC stays silent without an error.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fileserver.media.bit_reader import BitReader

_H264_SPS = 7
_HEVC_SPS = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """What is known of a stream's coding, in FFmpeg's words."""

    codec_name: str
    tag: str = ""
    """The container's own name for it: a sample entry's four letters, else anything."""
    profile: str | None = None
    level: int | None = None
    extradata: bytes = b""
    """The decoder's configuration as the container has it, or parameter sets found within the stream (Annex B)."""
    width: int = 0
    height: int = 0
    frame_rate: float = 0
    bit_depth: int = 8


def codec_string(coding: Coding) -> str | None:
    """The string for a coding, or None where there is none that a player would understand.

    >>> codec_string(Coding(codec_name="h264", extradata=bytes.fromhex("0164001f ff")))
    'avc1.64001f'
    >>> codec_string(Coding(codec_name="aac", extradata=bytes.fromhex("1210")))
    'mp4a.40.2'
    >>> codec_string(Coding(codec_name="mp2")), codec_string(Coding(codec_name="wmav2"))
    ('mp4a.40.33', None)
    """
    made = _MADE.get(coding.codec_name)
    if made:
        return made(coding)
    if coding.codec_name.startswith("pcm_"):
        return _pcm(coding)
    return _FIXED.get(coding.codec_name)


_FIXED = {
    "ac3": "ac-3",
    "ac4": "ac-4",
    "alac": "alac",
    "amr_nb": "samr",
    "amr_wb": "sawb",
    "eac3": "ec-3",
    "h263": "s263",
    "mjpeg": "mp4v.6C",
    "mlp": "mlpa",
    # The object type of MPEG-1 sound, mp4a.6B, is MP3's in the eyes of browsers, so the layers go by their audio object
    # types (ISO 14496-3 table 1.17); MP3 itself by the one name that Chromium and Firefox both know within MP4.
    "mp1": "mp4a.40.32",
    "mp2": "mp4a.40.33",
    "mp3": "mp3",
    "mpeg1video": "mp4v.6A",
    "opus": "opus",
    "speex": "speex",
    "theora": "theora",
    "truehd": "mlpa",
    "vc1": "vc-1",
    "vorbis": "vorbis",
    "vp8": "vp8",
}


def _h264(coding: Coding) -> str | None:
    """Profile, constraints and level of the first sequence parameter set, which avcC repeats (ISO 14496-15 s.5.3.3)."""
    extradata = coding.extradata
    head = extradata[1:4] if extradata[:1] == b"\x01" else _annex_b(extradata, lambda byte: byte & 31 == _H264_SPS)[1:4]
    return f"avc1.{head.hex()}" if len(head) == 3 else None


def _hevc(coding: Coding) -> str | None:
    """The general profile, tier and level (ISO 14496-15 s.E.3); where hvcC says otherwise, `hev1`."""
    extradata = coding.extradata
    head = extradata[1:13]
    if extradata[:1] != b"\x01":
        unit = _annex_b(extradata, lambda byte: byte >> 1 & 63 == _HEVC_SPS)
        head = unit.replace(b"\x00\x00\x03", b"\x00\x00")[3:15]  # the header, the layers, then the same 12 bytes
    if len(head) < 12:
        return None
    reader = BitReader(head)
    space = ("", "A", "B", "C")[reader.read(2)]
    tier = "LH"[reader.read(1)]
    profile = reader.read(5)
    compatible = int(f"{reader.read(32):032b}"[::-1], 2)
    constraints = head[5:11].rstrip(b"\x00")
    name = "hev1" if coding.tag in {"hev1", "dvhe"} else "hvc1"
    parts = [name, f"{space}{profile}", f"{compatible:X}", f"{tier}{head[11]}", *(f"{byte:X}" for byte in constraints)]
    return ".".join(parts)


def _annex_b(extradata: bytes, is_wanted: Callable[[int], bool]) -> bytes:
    """The first unit of a byte stream (H.264 annex B) whose first byte is wanted, or nothing."""
    units = re.split(rb"\x00\x00\x01", extradata)[1:]
    return next((unit for unit in units if unit and is_wanted(unit[0])), b"")


def _av1(coding: Coding) -> str | None:
    """Profile, level, tier and depth of av1C, or of the sequence header itself (AV1 in ISO-BMFF s.2.3, s.5)."""
    extradata = coding.extradata
    if len(extradata) >= 4 and extradata[0] == 0x81:
        reader = BitReader(extradata[1:3])
        profile, level, tier = reader.read(3), reader.read(5), reader.read(1)
        is_high, is_twelve = reader.read(1), reader.read(1)
        return _av1_string(profile, level, tier, 8 + 2 * is_high + 2 * is_twelve)
    header = _sequence_header(extradata)
    return _av1_string(*_operating_point(header), coding.bit_depth) if header else None


def _av1_string(profile: int, level: int, tier: int, bit_depth: int) -> str:
    return f"av01.{profile}.{level:02}{'MH'[tier]}.{bit_depth:02}"


def _sequence_header(units: bytes) -> bytes:
    """The payload of a sequence header that stands first, or behind a delimiter (AV1 s.5.3); else nothing."""
    place = 0
    while place + 1 < len(units):
        kind, has_extension, has_size = units[place] >> 3 & 15, units[place] >> 2 & 1, units[place] >> 1 & 1
        place += 1 + has_extension
        size, place = _leb128(units, place) if has_size else (len(units) - place, place)
        if kind == 1:
            return units[place : place + size]
        place += size
    return b""


def _leb128(content: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends (AV1 s.4.10.5)."""
    value = 0
    for shift, byte in enumerate(content[place : place + 8]):
        value |= (byte & 127) << 7 * shift
        if byte < 128:
            return value, place + shift + 1
    return value, len(content)


def _operating_point(header: bytes) -> tuple[int, int, int]:
    """Profile, level and tier of a sequence header's first operating point (AV1 s.5.5.1)."""
    reader = BitReader(header)
    profile = reader.read(3)
    reader.skip(1)
    if reader.read(1):  # a reduced header, as stills have
        return profile, reader.read(5), 0
    if reader.read(1):
        _skip_timing(reader)
    reader.skip(1 + 5 + 12)
    level = reader.read(5)
    return profile, level, reader.read(1) if level > 7 else 0


def _skip_timing(reader: BitReader) -> None:
    """Pass over the clock and the decoder's model (AV1 s.5.5.3, s.5.5.4)."""
    reader.skip(64)
    if reader.read(1):  # a number in Exp-Golomb code: as many zeros as there are digits behind the first one
        zeros = next((count for count in range(33) if reader.read(1)), 32)
        reader.skip(zeros)
    if reader.read(1):
        reader.skip(5 + 32 + 5 + 5)


def _vp9(coding: Coding) -> str:
    """Profile, level and depth (VP9 in ISO-BMFF s.4); the level by picture size and rate where nobody wrote it down."""
    profile = int(re.sub(r"\D", "", coding.profile or "") or "0")
    has_level = coding.level is not None and coding.level >= 10
    level = coding.level if has_level else _vp9_level(coding.width * coding.height, coding.frame_rate)
    return f"vp09.{profile:02}.{level:02}.{coding.bit_depth:02}"


_VP9_LEVELS = (
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
)
"""Ten times the level, its most luma samples a second, and in a picture (VP9 levels, annex A)."""


def _vp9_level(picture: int, frame_rate: float) -> int:
    rate = picture * frame_rate
    return next((level for level, most, size in _VP9_LEVELS if rate <= most and picture <= size), 62)


def _aac(coding: Coding) -> str:
    """The audio object type (ISO 14496-3 s.1.6.2.1); SBR and PS also where only the sound itself tells of them."""
    heard = {"HE-AAC": 5, "HE-AACv2": 29}.get(coding.profile or "")
    written = _audio_object_type(coding.extradata)
    if written in {None, 2} and heard:
        return f"mp4a.40.{heard}"
    named = _AAC_PROFILES.get(coding.profile or "", 2)
    return f"mp4a.40.{written or named}"


_AAC_PROFILES = {"Main": 1, "LC": 2, "SSR": 3, "LTP": 4, "LD": 23, "ELD": 39, "xHE-AAC": 42}


def _audio_object_type(extradata: bytes) -> int | None:
    if len(extradata) < 2:
        return None
    reader = BitReader(extradata[:2])
    found = reader.read(5)
    return 32 + reader.read(6) if found == 31 else found


def _mpeg4(coding: Coding) -> str:
    """The visual profile and level, in decimal (RFC 6381 s.3.3), where the visual object sequence has it."""
    found = re.search(rb"\x00\x00\x01\xb0(.)", coding.extradata, re.DOTALL)
    return f"mp4v.20.{found[1][0]}" if found else "mp4v.20"


def _mpeg2(coding: Coding) -> str:
    objects = {"Simple": "60", "SNR Scalable": "62", "Spatially Scalable": "63", "High": "64", "4:2:2": "65"}
    return f"mp4v.{objects.get(coding.profile or '', '61')}"


def _dts(coding: Coding) -> str:
    """By what stands beside the core (ETSI TS 102 114 annex E)."""
    profile = coding.profile or ""
    if "Express" in profile:
        return "dtse"
    return "dtsh" if "HD" in profile else "dtsc"


def _flac(coding: Coding) -> str:
    """In MP4 its sample entry's name, by which Apple's players alone know it there."""
    return coding.tag if coding.tag == "fLaC" else "flac"


def _prores(coding: Coding) -> str | None:
    return coding.tag if re.fullmatch(r"ap[c4][a-z]", coding.tag) else None


def _pcm(coding: Coding) -> str | None:
    """In MP4 and its kin the sample entry's name; else WAV's number for the format (RFC 2361 annex A)."""
    if re.fullmatch(r"[a-z]{2}[a-z0-9]{2}", coding.tag):
        return coding.tag
    return _PCM_NUMBERS.get(coding.codec_name)


_PCM_NUMBERS = {
    "pcm_alaw": "6",
    "pcm_f32le": "3",
    "pcm_f64le": "3",
    "pcm_mulaw": "7",
    "pcm_s16le": "1",
    "pcm_s24le": "1",
    "pcm_s32le": "1",
    "pcm_u8": "1",
}

_MADE: dict[str, Callable[[Coding], str | None]] = {
    "aac": _aac,
    "av1": _av1,
    "dts": _dts,
    "flac": _flac,
    "h264": _h264,
    "hevc": _hevc,
    "mpeg2video": _mpeg2,
    "mpeg4": _mpeg4,
    "prores": _prores,
    "vp9": _vp9,
}
