"""What codings are called: by tables from the standards, and by what a browser makes of it."""

import pytest
from playwright.sync_api import sync_playwright

from fileserver.media.codec_strings import Coding, codec_string

_AVC_SPS = bytes.fromhex("00000001 6742c00cda05067e7c")
_PPS = bytes.fromhex("000001 68ce0fc8")
_VPS = bytes.fromhex("00000001 40010c01ffff016000000300900000030000 03003c959409")
_HEVC_SPS = bytes.fromhex("000001 4201010160000003009000000300000300 3ca00a080b9f7965")
_HVCC = bytes.fromhex("0101600000009000000000003cf000fcfdf8f800000f04")
_HVCC_MAIN_10 = bytes.fromhex("0122200000009000000000009900fcfdfafa00000f04")
_AV1_HEADER = bytes.fromhex("0a0b000000027ffc35bbf99510")
_DELIMITER = bytes.fromhex("1200")

_STRINGS = [
    # RFC 6381 s.3.3, ISO 14496-15 s.E.2
    (Coding(codec_name="h264", extradata=bytes.fromhex("0164001fffe1")), "avc1.64001f"),
    (Coding(codec_name="h264", extradata=bytes.fromhex("016e0033ffe1")), "avc1.6e0033"),
    (Coding(codec_name="h264", extradata=_AVC_SPS + _PPS), "avc1.42c00c"),
    (Coding(codec_name="h264", extradata=_PPS + _AVC_SPS), "avc1.42c00c"),
    (Coding(codec_name="h264"), None),
    (Coding(codec_name="h264", extradata=b"\x01\x64"), None),
    (Coding(codec_name="h264", extradata=_PPS), None),
    # ISO 14496-15 s.E.3: compatibility in reverse, constraints without the zeros at their end
    (Coding(codec_name="hevc", extradata=_HVCC), "hvc1.1.6.L60.90"),
    (Coding(codec_name="hevc", extradata=_VPS + _HEVC_SPS), "hvc1.1.6.L60.90"),
    (Coding(codec_name="hevc", extradata=_HVCC, tag="hev1"), "hev1.1.6.L60.90"),
    (Coding(codec_name="hevc", extradata=_HVCC_MAIN_10, tag="hvc1"), "hvc1.2.4.H153.90"),
    (Coding(codec_name="hevc", extradata=b"\x01\xe1" + bytes(10) + b"\x1e"), "hvc1.C1.0.H30"),
    (Coding(codec_name="hevc", extradata=_VPS), None),
    (Coding(codec_name="hevc", extradata=b"\x01\x01\x60"), None),
    # AV1 in ISO-BMFF s.5
    (Coding(codec_name="av1", extradata=bytes.fromhex("81054c00")), "av01.0.05M.10"),
    (Coding(codec_name="av1", extradata=bytes.fromhex("814d8c00")), "av01.2.13H.08"),
    (Coding(codec_name="av1", extradata=bytes.fromhex("81506c00")), "av01.2.16M.12"),
    (Coding(codec_name="av1", extradata=_DELIMITER + _AV1_HEADER, bit_depth=10), "av01.0.00M.10"),
    (Coding(codec_name="av1", extradata=_DELIMITER), None),
    (Coding(codec_name="av1", extradata=b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None),
    # VP9 in ISO-BMFF s.4; levels by annex A
    (Coding(codec_name="vp9", profile="Profile 0", width=320, height=180, frame_rate=25), "vp09.00.11.08"),
    (Coding(codec_name="vp9", profile="Profile 2", level=41, bit_depth=10), "vp09.02.41.10"),
    (Coding(codec_name="vp9", profile="Profile 0", level=-99, width=1920, height=1080, frame_rate=60), "vp09.00.41.08"),
    (Coding(codec_name="vp9", width=1 << 16, height=1 << 16, frame_rate=60), "vp09.00.62.08"),
    # ISO 14496-3 s.1.6.2.1: what is written, else what is heard
    (Coding(codec_name="aac", extradata=bytes.fromhex("1210")), "mp4a.40.2"),
    (Coding(codec_name="aac", extradata=bytes.fromhex("2b118800")), "mp4a.40.5"),
    (Coding(codec_name="aac", extradata=bytes.fromhex("eb098800")), "mp4a.40.29"),
    (Coding(codec_name="aac", extradata=bytes.fromhex("131056e598"), profile="HE-AAC"), "mp4a.40.5"),
    (Coding(codec_name="aac", extradata=bytes.fromhex("f94e")), "mp4a.40.42"),
    (Coding(codec_name="aac", profile="HE-AACv2"), "mp4a.40.29"),
    (Coding(codec_name="aac", profile="LC"), "mp4a.40.2"),
    (Coding(codec_name="aac", profile="Main"), "mp4a.40.1"),
    (Coding(codec_name="aac"), "mp4a.40.2"),
    # others
    (Coding(codec_name="mpeg4", extradata=bytes.fromhex("000001b009000001b5")), "mp4v.20.9"),
    (Coding(codec_name="mpeg4", extradata=bytes.fromhex("000001b00a")), "mp4v.20.10"),
    (Coding(codec_name="mpeg4"), "mp4v.20"),
    (Coding(codec_name="mpeg2video", profile="Main"), "mp4v.61"),
    (Coding(codec_name="mpeg2video", profile="4:2:2"), "mp4v.65"),
    (Coding(codec_name="dts", profile="DTS"), "dtsc"),
    (Coding(codec_name="dts", profile="DTS-HD MA"), "dtsh"),
    (Coding(codec_name="dts", profile="DTS Express"), "dtse"),
    (Coding(codec_name="prores", tag="apcn"), "apcn"),
    (Coding(codec_name="prores"), None),
    (Coding(codec_name="pcm_s16le", tag="sowt"), "sowt"),
    (Coding(codec_name="pcm_s24le", tag="\x01\x00\x00\x00"), "1"),
    (Coding(codec_name="pcm_f32le"), "3"),
    (Coding(codec_name="pcm_s16be"), None),
    (Coding(codec_name="flac"), "flac"),
    (Coding(codec_name="flac", tag="fLaC"), "fLaC"),
    (Coding(codec_name="wmv2"), None),
    (Coding(codec_name="none"), None),
]


@pytest.mark.parametrize(("coding", "expected"), _STRINGS)
def test_a_coding_has_its_string(coding: Coding, expected: str | None) -> None:
    assert codec_string(coding) == expected


def test_an_av1_header_with_a_clock_is_read_to_its_level() -> None:
    """A profile, no still, no reduction, timing, its two rates, an interval in Exp-Golomb code, a decoder's model."""
    model = "1" + "00001" + "0" * 31 + "1" + "00001" + "00001"
    bits = (
        "001"
        + "0"
        + "0"
        + "1"
        + ("0" * 31 + "1") * 2
        + "1"
        + "00101"
        + model
        + "0"
        + "00000"
        + "0" * 12
        + "01001"
        + "1"
    )
    padded = bits + "0" * (-len(bits) % 8)
    header = int(padded, 2).to_bytes(len(padded) // 8)
    extradata = b"\x0a" + bytes([len(header)]) + header
    assert codec_string(Coding(codec_name="av1", extradata=extradata)) == "av01.1.09H.08"


_IN_CHROMIUM = [
    # what it plays, by the strings for it ...
    ("video/mp4", Coding(codec_name="h264", extradata=_AVC_SPS), True),
    ("video/mp4", Coding(codec_name="h264", extradata=bytes.fromhex("016e0033ffe1")), True),
    ("video/mp4", Coding(codec_name="av1", extradata=bytes.fromhex("81054c00")), True),
    ("video/mp4", Coding(codec_name="av1", extradata=_AV1_HEADER), True),
    ("video/mp4", Coding(codec_name="vp9", profile="Profile 2", level=41, bit_depth=10), True),
    ("video/webm", Coding(codec_name="vp9", width=320, height=180, frame_rate=25), True),
    ("video/webm", Coding(codec_name="vp8"), True),
    ("video/webm", Coding(codec_name="vorbis"), True),
    ("audio/mp4", Coding(codec_name="aac", extradata=bytes.fromhex("1210")), True),
    ("audio/mp4", Coding(codec_name="aac", profile="HE-AAC"), True),
    ("audio/mp4", Coding(codec_name="aac", profile="HE-AACv2"), True),
    ("audio/mp4", Coding(codec_name="opus"), True),
    ("audio/mp4", Coding(codec_name="flac"), True),
    ("audio/mp4", Coding(codec_name="flac", tag="fLaC"), True),
    # ... and what it does not: a film whose sound is one of these would be silent
    ("audio/mp4", Coding(codec_name="ac3"), False),
    ("audio/mp4", Coding(codec_name="eac3"), False),
    ("audio/mp4", Coding(codec_name="dts"), False),
    ("audio/mp4", Coding(codec_name="truehd"), False),
    ("audio/mp4", Coding(codec_name="alac"), False),
    ("audio/mp4", Coding(codec_name="mp1"), False),
    ("audio/mp4", Coding(codec_name="mp2"), False),
    ("audio/mp4", Coding(codec_name="mp3"), False),  # as a file it plays, but MediaSource takes none: HLS converts it
    ("video/mp4", Coding(codec_name="mpeg4", extradata=bytes.fromhex("000001b009")), False),
    ("video/mp4", Coding(codec_name="mpeg2video"), False),
    ("video/mp4", Coding(codec_name="mjpeg"), False),
]


def test_chromium_takes_the_strings_of_what_it_plays_and_no_others() -> None:
    types = [f'{kind}; codecs="{codec_string(coding)}"' for kind, coding, _ in _IN_CHROMIUM]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        taken = browser.new_page().evaluate("types => types.map(type => MediaSource.isTypeSupported(type))", types)
        browser.close()
    assert dict(zip(types, taken, strict=True)) == dict(zip(types, (row[2] for row in _IN_CHROMIUM), strict=True))
