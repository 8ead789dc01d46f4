"""Segments of a film: every packet as the source has it, at its time, and no two segments with a gap between them."""

import random
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from av.packet import Packet
from av.video.stream import VideoStream

from fileserver.media.faults import NoSuchTrack
from fileserver.media.fmp4.inits import track_init
from fileserver.media.fmp4.parameter_sets import length_prefixed
from fileserver.media.index import TICKS, BrokenIndex, Index, Track
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.media.engine.fragments import Fragment, boxes, decoded, fragment_of, index_of, segment_of

PRECISION = Fraction(1, 50_000)
"""Seconds: two ticks of the finest of containers' clocks."""

CLOCKED = (
    *("index-at-end.mp4", "fragmented.mp4", "h264-aac.mov", "h264-aac.mkv", "h264-aac.ts", "h264-ac3.m2ts"),
    *("h264-aac.flv", "open-gop.mp4", "open-gop.mkv", "open-gop.ts", "variable-rate.mp4", "variable-rate.mkv"),
    *("hevc-aac.mp4", "hevc-open-gop.mkv", "hevc-ac3.ts", "av1-opus.mp4", "av1-opus.webm", "vp9-opus.mp4"),
    *("vp9-ac3.mkv", "vp9-opus.webm", "interlaced.ts"),
)
"""Films whose containers tell when each picture is shown."""
FILMS = (*CLOCKED, "h264-mp3.avi")

DECODED = (
    *(
        "index-at-end.mp4",
        "fragmented.mp4",
        "h264-aac.mkv",
        "h264-aac.ts",
        "open-gop.mp4",
        "open-gop.mkv",
        "open-gop.ts",
    ),
    *("variable-rate.mp4", "variable-rate.mkv", "hevc-open-gop.mkv", "hevc-ac3.ts", "av1-opus.webm", "vp9-opus.mp4"),
)


@dataclass(frozen=True, slots=True)
class Film:
    """What the engine makes of a film: its index, and its segments, which were asked for in no order."""

    path: Path
    index: Index
    segments: tuple[bytes, ...]
    init: bytes

    @property
    def track(self) -> Track:
        """Its pictures."""
        return self.index.of_kind("video")[0]

    @property
    def fragments(self) -> list[Fragment]:
        """The segments, taken apart."""
        return [fragment_of(segment, self.track["delay"]) for segment in self.segments]

    @property
    def origin(self) -> Fraction:
        """When it begins, in seconds of its container's time."""
        return Fraction(self.track["origin"], TICKS)

    def decoded(self) -> list[tuple[Fraction, str]]:
        """The pictures of its segments."""
        return decoded(BytesIO(self.init + b"".join(self.segments)))


@cache
def film_of(path: Path) -> Film:
    """What the engine makes of a file."""
    with open_source(path) as source:
        found = index_of(source)
        track = found.of_kind("video")[0]
        numbers = list(range(len(found.cuts_of(track))))
        random.Random(0).shuffle(numbers)
        made = {number: segment_of(source, found, track, number) for number in numbers}
        return Film(path, found, tuple(made[number] for number in sorted(numbers)), track_init(track))


def packets_of(film: Film) -> tuple[list["Packet[VideoStream]"], Fraction]:
    """A film's packets as FFmpeg reads them, from the first keyframe on, and its time base."""
    with open_source(film.path) as source, source.open() as container:
        stream = container.streams[int(film.track["id"][1:])]
        assert isinstance(stream, VideoStream)
        assert stream.time_base is not None
        found = [packet for packet in container.demux(stream) if packet.size]
        first = next(place for place, packet in enumerate(found) if packet.is_keyframe)
        return found[first:], stream.time_base


@pytest.mark.parametrize("name", FILMS)
def test_every_packet_is_the_sources(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    made = [packet.payload for fragment in film.fragments for packet in fragment.packets]
    expected = [bytes(packet) for packet in packets_of(film)[0]]
    if film.track["payload"] == "byte-stream":
        expected = [length_prefixed(payload) for payload in expected]
    assert len(film.segments) > 3
    assert made == expected


@pytest.mark.parametrize("name", CLOCKED)
def test_every_picture_is_shown_when_the_source_shows_it(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    packets, base = packets_of(film)
    told = [Fraction(packet.pts or 0) * base - film.origin for packet in packets]
    made = [Fraction(packet.shown, film.track["timescale"]) for each in film.fragments for packet in each.packets]
    assert max(abs(time - truth) for time, truth in zip(made, told, strict=True)) < PRECISION


@pytest.mark.parametrize("name", FILMS)
def test_one_segment_ends_where_the_next_begins(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    made, scale = film.fragments, film.track["timescale"]
    assert [fragment.end for fragment in made[:-1]] == [fragment.decode_time for fragment in made[1:]]
    assert all(packet.duration > 0 for fragment in made for packet in fragment.packets)
    begins = [fragment.packets[0].shown * TICKS / scale for fragment in made]
    assert max(abs(begin - cut) for begin, cut in zip(begins[1:], film.index.cuts[1:], strict=True)) <= 1
    assert abs(made[-1].end / scale - film.index.end / TICKS) < 0.25


@pytest.mark.parametrize("name", FILMS)
def test_a_segment_begins_with_a_keyframe_and_is_as_long_as_it_should_be(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    assert all(fragment.packets[0].is_sync for fragment in film.fragments)
    first, *lengths = [later - cut for cut, later in pairwise(film.index.cuts)]
    assert first >= 2 * TICKS
    assert all(6 * TICKS <= length <= 9 * TICKS for length in lengths)


@pytest.mark.parametrize("name", DECODED)
def test_decoded_pictures_and_their_times_are_the_sources(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    assert_same_pictures(film, decoded(film.path))


def assert_same_pictures(film: Film, expected: list[tuple[Fraction, str]]) -> None:
    """Bit by bit, and at the same times."""
    made = film.decoded()
    assert [digest for _time, digest in made] == [digest for _time, digest in expected]
    assert (
        max(abs(time - truth + film.origin) for (time, _), (truth, _) in zip(made, expected, strict=True)) < PRECISION
    )


def test_pictures_of_avi_which_has_no_such_times_are_shown_in_order(media_file: MediaFile) -> None:
    film = film_of(media_file("h264-mp3.avi"))
    made = film.decoded()
    assert [digest for _time, digest in made] == [digest for _time, digest in decoded(film.path)]
    assert {later - time for (time, _), (later, _) in pairwise(made)} == {Fraction(1, 25)}


@pytest.fixture(scope="module")
def made_by(media_file: MediaFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files that are made of one from the matrix."""
    folder = tmp_path_factory.mktemp("video")
    source = media_file("index-at-end.mp4")
    _ffmpeg("-ss", "3.1", "-i", str(source), "-c", "copy", str(folder / "edited.mp4"))
    _ffmpeg("-i", str(source), "-c", "copy", "-output_ts_offset", "95435", str(folder / "wrapped.ts"))
    _ffmpeg("-i", str(source), "-c", "copy", "-live", "1", str(folder / "live.mkv"))
    return folder


def _ffmpeg(*words: str) -> None:
    subprocess.run(("ffmpeg", "-v", "error", "-y", *words), check=True)


def test_pictures_that_an_edit_list_hides_are_not_to_be_seen(made_by: Path) -> None:
    film = film_of(made_by / "edited.mp4")
    hidden = sum(packet.is_discard for packet in packets_of(film)[0])
    made, expected = film.decoded(), decoded(film.path)
    assert hidden > 10
    assert made[hidden][0] < Fraction(1, 1000), "the hidden pictures take a millisecond together"
    assert [digest for _time, digest in made[hidden:]] == [digest for _time, digest in expected]
    assert [time for time, _digest in made[hidden + 1 :]] == [time for time, _digest in expected[1:]]


@pytest.mark.parametrize("name", ["wrapped.ts", "live.mkv"])
def test_clocks_that_wrap_and_indexes_that_are_missing_change_nothing(made_by: Path, name: str) -> None:
    film = film_of(made_by / name)
    assert_same_pictures(film, decoded(film.path))
    assert len(film.segments) == 5


def test_a_film_that_is_shown_turned_says_so(media_file: MediaFile) -> None:
    film = film_of(media_file("rotated.mp4"))
    (header,) = boxes(film.init, "moov/trak/tkhd")
    told, *_ = boxes(film.path.read_bytes(), "moov/trak/tkhd")
    assert (film.track["width"], film.track["height"]) == (180, 320)
    assert header[40:76] == told[40:76] != bytes(36)


def test_a_film_of_another_coding_has_neither_init_nor_segments(media_file: MediaFile) -> None:
    with open_source(media_file("mpeg2-ac3.mkv")) as source:
        found = index_of(source)
        track = found.of_kind("video")[0]
        with pytest.raises(BrokenIndex):
            track_init(track)
        with pytest.raises(NoSuchTrack):
            segment_of(source, found, track, 0)
