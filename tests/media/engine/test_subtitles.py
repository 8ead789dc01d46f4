"""Subtitles inside films: whole tracks and segments of HLS, from each container that has text."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from av.error import FFmpegError

from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.subtitles import subtitle_segment, subtitles
from fileserver.media.faults import CannotConvert, DamagedMedia, NoSuchTrack
from fileserver.media.subtitles.files import parse_subtitles
from fileserver.media.subtitles.webvtt import Cue
from tests.media.engine.conftest import Opened
from tests.support.media_files import ffmpeg

SECOND = 90_000  # ticks
DURATION_S = 60
CUTS = tuple(seconds * SECOND for seconds in range(0, DURATION_S + 1, 6))
SRT = """1
00:00:01,000 --> 00:00:02,500
Hello <i>you</i> & me

2
00:00:05,000 --> 00:00:08,000
{\\an8}across a cut

3
00:00:09,000 --> 00:00:29,000
for long

4
00:00:30,000 --> 00:00:31,000
<b>bold</b> and
another line

5
00:00:55,500 --> 00:00:59,000
last
"""
TEXTS = (
    "Hello <i>you</i> &amp; me",
    "across a cut",
    "for long",
    "<b>bold</b> and\nanother line",
    "last",
)
STARTS_MS = (1000, 5000, 9000, 30_000, 55_500)
KINDS = {
    "subrip.mkv": ("-c:v", "copy", "-c:a", "copy", "-c:s", "srt"),
    "ass.mkv": ("-c:v", "copy", "-c:a", "copy", "-c:s", "ass"),
    "webvtt.mkv": ("-c:v", "copy", "-c:a", "copy", "-c:s", "webvtt"),
    "no-index.mkv": ("-c:v", "copy", "-c:a", "copy", "-c:s", "srt", "-live", "1"),
    "mov-text.mp4": ("-c:v", "copy", "-c:a", "copy", "-c:s", "mov_text"),
    "mov-text.mov": ("-c:v", "copy", "-c:a", "copy", "-c:s", "mov_text"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the films of this module are, each with pictures, sound and subtitles."""
    return tmp_path_factory.mktemp("subtitles")


@pytest.fixture(scope="module")
def film(folder: Path) -> Path:
    """One without subtitles."""
    path = folder / "film.mkv"
    pictures = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=12:duration={DURATION_S}")
    sound = ("-f", "lavfi", "-i", f"sine=duration={DURATION_S}")
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-b:v", "200k", "-c:a", "aac")
    ffmpeg(*pictures, *sound, *coding, path)
    return path


@pytest.fixture(scope="module")
def made(folder: Path, film: Path) -> dict[str, Path]:
    """The films by their names."""
    (folder / "a.srt").write_text(SRT)
    for name, words in KINDS.items():
        ffmpeg("-i", film, "-i", folder / "a.srt", "-map", "0", "-map", "1", *words, folder / name)
    return {name: folder / name for name in KINDS}


def cues_of(product: bytes) -> tuple[Cue, ...]:
    return parse_subtitles(product, "vtt")


def whole(source: Source, track: str = "s2") -> tuple[Cue, ...]:
    product = io.BytesIO()
    subtitles(source, {"track": track}, product)
    assert product.getvalue().startswith(b"WEBVTT\n")
    return cues_of(product.getvalue())


def segment(source: Source, start: int, end: int, **terms: int) -> tuple[Cue, ...]:
    product = io.BytesIO()
    track = {"id": "s2", "kind": "subtitle", "language": "eng"}
    subtitle_segment(source, {"track": track, "n": 0, "start": start, "end": end, **terms}, product)
    head, mapped, *_ = product.getvalue().decode().split("\n")
    assert (head, mapped) == ("WEBVTT", "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0")
    return cues_of(product.getvalue())


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_track(made: dict[str, Path], opened: Opened, name: str) -> None:
    with opened(made[name]) as source:
        cues = whole(source)
    assert tuple(cue.text for cue in cues) == TEXTS
    offset_ms = cues[0].start_ms - STARTS_MS[0]
    assert 0 <= offset_ms < 50  # FFmpeg makes room for the delay of the sound's encoder before all of it
    assert [cue.start_ms - offset_ms for cue in cues] == list(STARTS_MS)
    assert [cue.end_ms - cue.start_ms for cue in cues] == [1500, 3000, 20_000, 1000, 3500]
    places = [cue.settings for cue in cues]
    assert places == ["", "" if name.startswith(("webvtt", "mov")) else "line:0", "", "", ""]


@pytest.mark.parametrize("name", KINDS)
def test_segments_are_the_track_cut_up(made: dict[str, Path], opened: Opened, name: str) -> None:
    with opened(made[name]) as source:
        track = whole(source)
        segments = {span: segment(source, *span) for span in reversed(list(pairwise(CUTS)))}
    for (start, end), cues in segments.items():
        seen = [cue for cue in track if cue.start_ms * 90 < end and cue.end_ms * 90 > start]
        missing = set(seen) - set(cues)
        # Without an index a text that began long before is not found.
        assert not missing or (name == "no-index.mkv" and all(cue.text == "for long" for cue in missing))
        assert set(cues) <= set(seen)
    assert {cue for cues in segments.values() for cue in cues} == set(track)


def test_times_count_from_the_origin(made: dict[str, Path], opened: Opened) -> None:
    with opened(made["subrip.mkv"]) as source:
        before = segment(source, 0, 6 * SECOND, origin=0)
        after = segment(source, 0, 6 * SECOND, origin=SECOND // 2)
    assert [cue.start_ms - 500 for cue in before] == [cue.start_ms for cue in after]


@contextmanager
def counted(source: Source) -> Iterator[list[int]]:
    """How many bytes this process reads within the block."""

    def read() -> int:
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(lines[0].partition(":")[2])

    before, sizes = read(), list[int]()
    yield sizes
    sizes.append(read() - before)


@pytest.mark.parametrize("name", ["subrip.mkv", "mov-text.mp4"])
def test_a_segment_reads_its_own_stretch_of_a_long_film(
    made: dict[str, Path], opened: Opened, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    ffmpeg("-stream_loop", "9", "-i", made[name], "-map", "0", "-c", "copy", path)
    with opened(path) as source:
        with counted(source) as sizes:
            cues = segment(source, 300 * SECOND, 306 * SECOND)
        assert "across a cut" in [cue.text for cue in cues]
        assert sizes[0] < source.size / 4


def test_settings_of_webvtt_beside_its_text(film: Path, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000 line:10% region:x\n<v Ann>&lt;Hi\n")
    path = tmp_path / "film.mkv"
    ffmpeg("-i", film, "-i", tmp_path / "a.vtt", "-map", "0", "-map", "1", "-c", "copy", path)
    with opened(path) as source:
        assert [(cue.text, cue.settings) for cue in whole(source)] == [("<v Ann>&lt;Hi</v>", "line:10%")]


def test_styles_of_ass_come_from_the_tracks_header(film: Path, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "a.ass").write_text(
        "[Script Info]\n[V4+ Styles]\nFormat: Name, Fontname, Italic, Alignment\nStyle: Sign,Sans,-1,8\n"
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Sign,,0,0,0,,a, b\\Nc\n"
    )
    path = tmp_path / "film.mkv"
    ffmpeg("-i", film, "-i", tmp_path / "a.ass", "-map", "0", "-map", "1", "-c", "copy", path)
    with opened(path) as source:
        assert [(cue.text, cue.settings) for cue in whole(source)] == [("<i>a, b\nc</i>", "line:0")]


@pytest.mark.parametrize("track", ["s0", "v0", "a1", "s1", "s9", "s-1", "", "s2 "])
def test_there_are_no_other_subtitles(made: dict[str, Path], opened: Opened, track: str) -> None:
    with opened(made["subrip.mkv"]) as source, pytest.raises(NoSuchTrack):
        whole(source, track)


def test_subtitles_that_are_pictures_are_refused(film: Path, opened: Opened, tmp_path: Path) -> None:
    black = ("-f", "lavfi", "-i", "color=black:size=320x180:duration=1")
    (tmp_path / "a.srt").write_text(SRT)
    path = tmp_path / "pictures.mkv"
    sup = tmp_path / "pictures.idx"
    sup.write_text("# VobSub index file, v7 (do not modify this line!)\nsize: 320x180\npalette: 000000\n"
                   "id: en, index: 0\ntimestamp: 00:00:01:000, filepos: 000000000\n")  # fmt: skip
    (tmp_path / "pictures.sub").write_bytes(_vobsub())
    ffmpeg(*black, "-i", sup, "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-c:s", "copy", path)
    with opened(path) as source, pytest.raises(CannotConvert):
        whole(source, "s1")


def _vobsub() -> bytes:
    """A packet of subtitles as DVDs have them (MPEG-2 program stream, private stream 1)."""
    unit = b"\x00\x0a\x00\x04" + b"\0" * 6
    stamp = bytes([0x21, 0x00, 0x05, 0xBF, 0x21])
    payload = b"\x81\x80\x05" + stamp + b"\x20" + unit
    pack = b"\x00\x00\x01\xba\x44\x00\x04\x00\x04\x01\x00\x00\x03\xf8"
    return (pack + b"\x00\x00\x01\xbd" + len(payload).to_bytes(2, "big") + payload).ljust(2048, b"\xff")


@pytest.mark.parametrize("name", ["subrip.mkv", "mov-text.mp4"])
def test_a_damaged_film_gives_whole_cues_or_a_fault(
    made: dict[str, Path], opened: Opened, tmp_path: Path, name: str
) -> None:
    content = made[name].read_bytes()
    path = tmp_path / name
    for cut in (len(content) // 3, len(content) - 1000):
        path.write_bytes(content[:cut])
        with opened(path) as source, suppress(DamagedMedia, FFmpegError):
            assert {cue.text for cue in whole(source)} <= set(TEXTS)
