"""The index of a film: where it may be cut, and what tracks it has, whatever its container knows."""

import os
import subprocess
from io import BytesIO
from pathlib import Path

import av
import pytest

from fileserver.media.engine.streaming.index import index
from fileserver.media.faults import MediaFault
from fileserver.media.index import TICKS, Index
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.media.engine.fragments import fragment_of, index_of, segment_of

LENGTHS = {
    "index-at-end.mp4": 24.0,
    "h264-aac.mkv": 24.0,
    "h264-aac.ts": 24.0,
    "h264-aac.flv": 24.0,
    "h264-mp3.avi": 24.0,
    "mpeg4-mp3.avi": 24.0,
    "mpeg1-mp2.mpg": 24.0,
    "wmv2-wma.wmv": 24.0,
    "theora-vorbis.ogv": 24.0,
}
"""How long films of each container are, in seconds."""


def found_in(path: Path) -> Index:
    """The index of a file."""
    with open_source(path) as source:
        return index_of(source)


@pytest.mark.parametrize("name", LENGTHS)
def test_a_film_is_as_long_as_it_is(media_file: MediaFile, name: str) -> None:
    found = found_in(media_file(name))
    assert found.duration == pytest.approx(LENGTHS[name], abs=0.3)
    assert found.cuts[0] == 0
    assert 4 <= len(found.cuts) <= 6


@pytest.mark.parametrize("name", ["languages.mkv", "languages.mp4"])
def test_every_track_is_there_with_its_language(media_file: MediaFile, name: str) -> None:
    found = found_in(media_file(name))
    told = [(track["id"][0], track["kind"], track["language"]) for track in found.tracks[1:]]
    assert told == [
        ("a", "audio", "eng"),
        ("a", "audio", "ger"),
        ("s", "subtitle", "eng"),
        ("s", "subtitle", "ger"),
    ]
    assert {track["origin"] for track in found.tracks} == {found.tracks[0]["origin"]}


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("index-at-end.mp4", "avc1."),
        ("h264-aac.ts", "avc1."),
        ("hevc-aac.mkv", "hvc1."),
        ("hevc-ac3.ts", "hvc1."),
        ("av1-aac.mkv", "av01."),
        ("vp9-ac3.mkv", "vp09."),
    ],
)
def test_what_players_take_is_copied_by_its_name(media_file: MediaFile, name: str, codecs: str) -> None:
    film = found_in(media_file(name)).of_kind("video")[0]
    assert film["how"] == "copy"
    assert film["codecs"].startswith(codecs)
    assert (film["width"], film["height"], film["frame_rate"]) == (320, 180, pytest.approx(25, abs=0.1))
    assert 0 < film["bandwidth"] <= film["peak"]


@pytest.mark.parametrize("name", ["mpeg4-mp3.avi", "mpeg2-ac3.mkv", "wmv2-wma.wmv"])
def test_what_they_do_not_take_is_cut_by_the_clock(media_file: MediaFile, name: str) -> None:
    found = found_in(media_file(name))
    assert found.of_kind("video")[0]["how"] == "transcode"
    assert [cut / TICKS for cut in found.cuts] == [0, 6, 12, 18]


@pytest.mark.parametrize(
    ("name", "is_open"),
    [
        ("h264-aac.mkv", False),
        ("h264-aac.ts", False),
        ("open-gop.mp4", True),
        ("open-gop.ts", True),
        ("open-gop.mkv", True),
    ],
)
def test_keyframes_that_refer_back_are_told_of(media_file: MediaFile, name: str, *, is_open: bool) -> None:
    assert found_in(media_file(name)).of_kind("video")[0]["is_open_gop"] is is_open


def test_an_image_of_a_song_is_no_film(media_file: MediaFile) -> None:
    found = found_in(media_file("song.m4a"))
    assert [track["kind"] for track in found.tracks] == ["audio"]


@pytest.fixture(scope="module")
def damaged(media_file: MediaFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are not as they were."""
    folder = tmp_path_factory.mktemp("damaged")
    stream = media_file("h264-aac.ts").read_bytes()
    (folder / "twice.ts").write_bytes(stream * 2)
    (folder / "late.ts").write_bytes(stream[188 * 1000 :])
    (folder / "cut.ts").write_bytes(stream[: len(stream) // 2])
    (folder / "cut.mkv").write_bytes(media_file("h264-aac.mkv").read_bytes()[:300_000])
    (folder / "cut.mp4").write_bytes(media_file("index-at-front.mp4").read_bytes()[:300_000])
    other = folder / "later.ts"
    words = ("-c", "copy", "-output_ts_offset", "40000", str(other))
    subprocess.run(("ffmpeg", "-v", "error", "-i", str(media_file("h264-aac.ts")), *words), check=True)
    (folder / "jumps.ts").write_bytes(stream + other.read_bytes() + stream)
    return folder


@pytest.mark.parametrize("name", ["twice.ts", "late.ts", "cut.ts", "cut.mkv", "jumps.ts"])
def test_clocks_that_jump_and_files_that_end_early_lose_no_packet(damaged: Path, name: str) -> None:
    with open_source(damaged / name) as source:
        found = index_of(source)
        film = found.of_kind("video")[0]
        numbers = range(len(found.cuts_of(film)))
        made = [fragment_of(segment_of(source, found, film, number), film["delay"]) for number in numbers]
        with source.open() as container:
            packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
    first = next(place for place, packet in enumerate(packets) if packet.is_keyframe)
    assert sum(len(fragment.packets) for fragment in made) == len(packets) - first
    assert all(packet.duration >= 0 for fragment in made for packet in fragment.packets)


@pytest.fixture(scope="module")
def piped(media_file: MediaFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Matroska written into a pipe: without an index, and once with the length of its beginning."""
    folder = tmp_path_factory.mktemp("piped")
    parts = folder / "parts.txt"
    parts.write_text(f"file '{media_file('h264-aac.mkv')}'\n" * 4)
    for name, words in {
        "short.mkv": ("-i", str(media_file("h264-aac.mkv"))),
        "lying.mkv": ("-f", "concat", "-safe", "0", "-i", str(parts)),
    }.items():
        to_pipe = ("ffmpeg", "-v", "error", *words, "-c", "copy", "-f", "matroska", "pipe:1")
        (folder / name).write_bytes(subprocess.run(to_pipe, check=True, stdout=subprocess.PIPE).stdout)
    return folder


@pytest.mark.parametrize(("name", "length", "least"), [("short.mkv", 24.0, 4), ("lying.mkv", 96.0, 12)])
def test_matroska_without_an_index_is_cut_to_its_end(piped: Path, name: str, length: float, least: int) -> None:
    found = found_in(piped / name)
    assert found.duration == pytest.approx(length, abs=0.3)
    assert [len(found.cuts_of(track)) for track in found.tracks] == [len(found.cuts)] * len(found.tracks)
    assert len(found.cuts) >= least


def test_an_mp4_that_ends_early_is_a_fault_or_shorter(damaged: Path) -> None:
    with open_source(damaged / "cut.mp4") as source:
        found = index_of(source)
        film = found.of_kind("video")[0]
        sizes = []
        for number in range(len(found.cuts_of(film))):
            try:
                sizes.append(len(fragment_of(segment_of(source, found, film, number)).packets))
            except (MediaFault, av.error.FFmpegError):
                sizes.append(0)
    assert sizes[0] > 0
    assert sizes[-1] == 0


def test_reading_leaves_no_descriptor_open(media_file: MediaFile) -> None:
    path = media_file("h264-aac.ts")
    before = len(os.listdir("/proc/self/fd"))
    with open_source(path) as source:
        index(source, {}, BytesIO())
        assert len(os.listdir("/proc/self/fd")) == before + 1
