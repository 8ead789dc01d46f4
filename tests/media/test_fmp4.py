"""Fragmented MP4 as it is written: what readers of other hands find in it."""

import doctest
import struct
from types import ModuleType

import pytest

from fileserver.media.fmp4 import boxes, parameter_sets, schedule, segments, video_entries
from fileserver.media.fmp4.parameter_sets import length_prefixed, made_avcc, made_hvcc
from fileserver.media.fmp4.schedule import delay_of, scheduled, shown_times
from fileserver.media.fmp4.segments import Sample, TrackHead, init_segment, segment_head
from fileserver.media.fmp4.video_entries import Picture, UnknownEntry, video_entry

H264_SETS = bytes.fromhex(
    "0000000167640028acd940780227e5c04400000300040000030 0c83c60c658 0000000168ebe3cb22c0".replace(" ", "")
)
PICTURE = Picture(width=320, height=180)


@pytest.mark.parametrize("module", [boxes, parameter_sets, schedule, segments, video_entries])
def test_examples(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_a_segment_says_where_its_packets_begin_and_how_long_they_are() -> None:
    head = segment_head(7, 1 << 40, [Sample(3, 10), Sample(4, 20, -5, is_sync=False)])
    kinds, moof = head[: head.index(b"moof") - 4], head[head.index(b"moof") - 4 :]
    assert kinds[4:8] == b"styp"
    run = moof[moof.index(b"trun") + 4 :]
    assert struct.unpack_from(">IIi", run) == (0x01000F01, 2, len(moof))
    assert struct.unpack_from(">IIIi", run, 12) == (10, 3, 0x02000000, 0)
    assert struct.unpack_from(">IIIi", run, 28) == (20, 4, 0x01010000, -5)
    assert moof[-8:] == struct.pack(">I4s", 8 + 7, b"mdat")
    assert struct.unpack_from(">Q", moof, moof.index(b"tfdt") + 8) == (1 << 40,)


def test_only_a_delayed_track_has_an_edit_list() -> None:
    plain = init_segment(TrackHead(is_video=True, timescale=90000, entry=b"", width=16, height=9))
    delayed = init_segment(TrackHead(is_video=True, timescale=90000, entry=b"", width=16, height=9, delay=7507))
    assert b"elst" not in plain
    assert struct.unpack_from(">IIQqHH", delayed, delayed.index(b"elst") + 4) == (1 << 24, 1, 0, 7507, 1, 0)


@pytest.mark.parametrize(
    ("times", "hidden", "shown"),
    [
        ([0, 2, 1], [False] * 3, [0, 2, 1]),
        ([-300, -100, -200, 0, 100], [True, True, True, False, False], [0, 2, 1, 3, 100]),
        ([-300, 0, -100, 100], [True, False, True, False], [0, 2, 1, 100]),
        ([-300, 0, 100], [False] * 3, [0, 1, 100]),
        ([100, 200, 300], [False, True, False], [100, 299, 300]),
        ([100, 200], [False, True], [100, 200]),
        ([-5, -4], [True, True], [0, 1]),
        ([], [], []),
    ],
)
def test_hidden_pictures_take_a_tick_each(times: list[int], hidden: list[bool], shown: list[int]) -> None:
    assert shown_times(times, hidden) == shown


def test_times_that_run_backwards_never_make_a_length_below_zero() -> None:
    first, timings = scheduled([100, 50, 50, 400], 30, 0)
    assert first == 50
    assert [timing.duration for timing in timings] == [0, 50, 300, 0]
    assert [timing.offset for timing in timings] == [50, 0, -50, 0]


def test_times_that_jump_beyond_what_a_box_holds_are_held_back() -> None:
    _first, timings = scheduled([1 << 40, 0], 1 << 41, 0)
    assert all(0 <= timing.duration < 1 << 32 and abs(timing.offset) < 1 << 31 for timing in timings)


def test_a_segment_without_packets_takes_no_time() -> None:
    assert scheduled([], 4711, 5) == (4711, [])


@pytest.mark.parametrize(
    ("times", "delay"),
    [
        (list(range(0, 4000, 40)), 0),
        ([0, *(time for base in range(0, 4000, 160) for time in (base + 160, base + 80, base + 40, base + 120))], 80),
        ([], 0),
        ([7], 0),
    ],
)
def test_the_delay_is_what_the_reordering_needs(times: list[int], delay: int) -> None:
    assert delay_of(times, 90000) == delay


def test_units_keep_their_bytes_when_start_codes_become_lengths() -> None:
    packet = b"\0\0\0\1\x09\x10\0\0\1\x65\x88\0\0\3\0\x84\0\0\0\1\x41\x9a"
    assert length_prefixed(packet) == b"\0\0\0\2\x09\x10\0\0\0\7\x65\x88\0\0\3\0\x84\0\0\0\2\x41\x9a"


@pytest.mark.parametrize("made", [made_avcc, made_hvcc])
@pytest.mark.parametrize("content", [b"", b"\0\0\1", b"\0\0\1\x67", b"\0\0\1\x67\x64\0\x28\0\0\1", b"\xff" * 64])
def test_parameter_sets_that_are_not_there_make_no_configuration(made: type, content: bytes) -> None:
    assert made(content) is None


def test_avcc_repeats_what_the_sets_say() -> None:
    made = made_avcc(H264_SETS)
    assert made is not None
    assert made[:6].hex() == "01640028ffe1"
    assert made[-4:].hex() == "fdf8f800"


@pytest.mark.parametrize(
    ("codec_name", "extradata", "codecs"),
    [
        ("h264", b"", "avc1.640028"),
        ("hevc", b"\0\0\1\x40\1", "hvc1.1.6.L93.90"),
        ("av1", b"", "av01"),
        ("vp9", b"", "vp9"),
        ("theora", b"", "theora"),
        ("h264", b"\1" * 100_000, "avc1.640028"),
    ],
)
def test_what_announces_nothing_has_no_entry(codec_name: str, extradata: bytes, codecs: str) -> None:
    with pytest.raises(UnknownEntry):
        video_entry(codec_name, extradata, codecs, PICTURE)


def test_a_picture_too_large_for_its_entry_has_none() -> None:
    with pytest.raises(UnknownEntry):
        video_entry("vp9", b"", "vp09.00.10.08", Picture(width=1 << 16, height=2))


def test_shapes_and_colours_are_told_where_they_are_not_the_usual_ones() -> None:
    plain = video_entry("h264", H264_SETS, "avc1.640028", PICTURE)
    told = Picture(width=320, height=180, pixel_aspect=(4, 3), colour=(9, 16, 9), is_full_range=True)
    full = video_entry("h264", H264_SETS, "avc1.640028", told)
    assert b"pasp" not in plain
    assert b"colr" not in plain
    assert full[full.index(b"pasp") + 4 :][:8] == struct.pack(">II", 4, 3)
    assert full[full.index(b"colr") + 4 :] == b"nclx" + struct.pack(">3HB", 9, 16, 9, 0x80)


@pytest.mark.parametrize(
    ("codecs", "pixel_format", "config"),
    [
        ("av01.0.04M.08", "yuv420p", "81040c00"),
        ("av01.1.08H.10", "yuv444p10le", "8128c000"),
        ("av01.2.05M.12", "yuv422p12le", "81456800"),
    ],
)
def test_av1_without_a_configuration_gets_one(codecs: str, pixel_format: str, config: str) -> None:
    picture = Picture(width=320, height=180, pixel_format=pixel_format)
    entry = video_entry("av1", b"\x0a\x01\x00", codecs, picture)
    assert entry[entry.index(b"av1C") + 4 :].hex() == config + "0a0100"


def test_vp9_says_its_profile_level_depth_and_colours() -> None:
    picture = Picture(width=320, height=180, colour=(1, 1, 1), pixel_format="yuv422p10le")
    entry = video_entry("vp9", b"", "vp09.03.21.10", picture)
    assert entry[entry.index(b"vpcC") + 4 :][:12].hex() == "010000000315a40101010000"
