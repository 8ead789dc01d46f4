"""Film made anew: each picture of the source once and at its time, in whatever order segments are asked for."""

import random
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray

from fileserver.media.converted_film import CODECS
from fileserver.media.engine.conversion.transcode import transcoded_init, transcoded_segment
from fileserver.media.engine.pictures.rendering import tile_of
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, NoSuchTrack
from fileserver.media.fmp4.inits import track_init
from fileserver.media.index import TICKS, Index, Track, init_terms
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.media.engine.fragments import Fragment, boxes, fragment_of, index_of, segment_of

PRECISION = Fraction(1, 50_000)
"""Seconds: two ticks of the finest of containers' clocks."""

LEAST_PSNR = 25.0
"""Decibels of RGB of a test card whose every corner is another colour; what is copied wrongly has less than 20."""

CONVERTED = (
    *("mpeg2-ac3.mkv", "mpeg2-mp2.ts", "mpeg2-ac3.vob", "mpeg1-mp2.mpg", "mpeg2-pcm.mxf", "mpeg4-mp3.avi"),
    *("wmv2-wma.wmv", "theora-vorbis.ogv", "vp8-vorbis.webm", "h263-aac.3gp", "flv1-mp3.flv"),
    *("mjpeg-pcm.avi", "prores-pcm.mov"),
)
"""Films that no player takes as they are."""
COPIED = (*("hevc-open-gop.mkv", "av1-opus.mp4", "open-gop.mp4", "open-gop.ts", "variable-rate.mkv", "h264-mp3.avi"),)
"""Films that may be copied too: the cuts are at their keyframes."""


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
        return [fragment_of(segment) for segment in self.segments]

    @property
    def times(self) -> list[Fraction]:
        """When its pictures are shown: seconds from the file's start."""
        scale = self.track["timescale"]
        return [Fraction(packet.shown, scale) for each in self.fragments for packet in each.packets]

    def pictures(self) -> list[NDArray[np.uint8]]:
        """Its pictures as players draw them."""
        return pictures_of(BytesIO(self.init + b"".join(self.segments)))


@cache
def film_of(path: Path) -> Film:
    """What the engine makes of a file."""
    with open_source(path) as source:
        found = index_of(source)
        track = found.of_kind("video")[0]
        numbers = list(range(len(found.cuts_of(track))))
        random.Random(0).shuffle(numbers)
        made = {number: converted(transcoded_segment, source, found.terms(track, number)) for number in numbers}
        init = converted(transcoded_init, source, init_terms(track))
        return Film(path, found, tuple(made[number] for number in sorted(numbers)), init)


def converted(
    kind: Callable[[Source, Mapping[str, Any], BytesIO], None], source: Source, terms: Mapping[str, Any] | None
) -> bytes:
    """What a job writes."""
    assert terms is not None
    product = BytesIO()
    kind(source, terms, product)
    return product.getvalue()


def pictures_of(source: Path | BytesIO) -> list[NDArray[np.uint8]]:
    """A film's pictures, in RGB."""
    with av.open(source, "r") as container:
        frames = container.decode(container.streams.video[0])
        return [np.asarray(tile_of(frame, (frame.width, frame.height))) for frame in frames]


def times_of(path: Path) -> list[Fraction]:
    """When FFmpeg shows each picture of a file: seconds of its container's time."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert base is not None
        return [frame.pts * base for frame in container.decode(stream) if frame.pts is not None]


def likeness(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """PSNR in decibels."""
    error = float(np.mean((picture.astype(np.float64) - truth) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("name", [*CONVERTED, *COPIED])
def test_every_picture_is_there_once_and_each_segment_ends_where_the_next_begins(
    media_file: MediaFile, name: str
) -> None:
    film = film_of(media_file(name))
    made = film.fragments
    assert len(made) > 3
    assert [fragment.end for fragment in made[:-1]] == [fragment.decode_time for fragment in made[1:]]
    assert [[packet.is_sync for packet in each.packets] for each in made] == [
        [True, *[False] * (len(each.packets) - 1)] for each in made
    ]
    assert all(packet.duration > 0 and packet.decoded == packet.shown for each in made for packet in each.packets)
    assert abs(made[-1].end / film.track["timescale"] - film.index.end / TICKS) < 0.1


@pytest.mark.parametrize("name", [*CONVERTED, *(name for name in COPIED if name != "h264-mp3.avi")])
def test_pictures_are_shown_when_the_source_shows_them(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    origin = Fraction(film.track["origin"], TICKS)
    expected = [time - origin for time in times_of(film.path)]
    assert max(abs(time - truth) for time, truth in zip(film.times, expected, strict=True)) < PRECISION


@pytest.mark.parametrize("name", ["h264-mp3.avi", "open-gop.ts", "variable-rate.mkv"])
def test_pictures_are_shown_when_those_that_are_copied_are(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    with open_source(film.path) as source:
        copies = [segment_of(source, film.index, film.track, number) for number in range(len(film.segments))]
    scale, delay = film.track["timescale"], film.track["delay"]
    packets = (packet for copy in copies for packet in fragment_of(copy, delay).packets)
    assert film.times == sorted(Fraction(packet.shown, scale) for packet in packets)


@pytest.mark.parametrize("name", ["mpeg2-ac3.mkv", "mpeg4-mp3.avi", "mjpeg-pcm.avi", "prores-pcm.mov", "open-gop.ts"])
def test_pictures_look_like_the_sources_at_cuts_and_elsewhere(media_file: MediaFile, name: str) -> None:
    film = film_of(media_file(name))
    expected, made = pictures_of(film.path), film.pictures()
    begins = {sum(len(each.packets) for each in film.fragments[:number]) for number in range(1, len(film.fragments))}
    for place in (*range(0, len(made), 40), *begins, *(begin - 1 for begin in begins)):
        assert likeness(made[place], expected[place]) > LEAST_PSNR, place


def test_the_init_segment_is_what_playlists_promise(media_file: MediaFile) -> None:
    film = film_of(media_file("mpeg2-ac3.mkv"))
    (entry,) = boxes(film.init, "moov/trak/mdia/minf/stbl/stsd")
    place = entry.index(b"avcC") + 5
    assert f"avc1.{entry[place : place + 3].hex()}" == CODECS
    assert b"elst" not in film.init


def test_a_film_that_is_shown_turned_is_turned_by_players(media_file: MediaFile) -> None:
    film = film_of(media_file("rotated.mp4"))
    inits = (film.init, track_init(film.track))
    matrices = [header[40:76] for init in inits for header in boxes(init, "moov/trak/tkhd")]
    assert film.track["shown"] == [320, 180, 270]
    assert matrices[0] == matrices[1]


@pytest.fixture(scope="module")
def made_by(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a file of FFmpeg's test card."""
    folder = tmp_path_factory.mktemp("transcode")

    def make(name: str, *words: str, card: str = "size=320x180:rate=25:duration=2") -> Path:
        given = ("ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", f"testsrc2={card}")
        subprocess.run((*given, *words, str(folder / name)), check=True, timeout=120)
        return folder / name

    return make


def test_a_picture_that_stays_for_long_is_shown_again_where_a_segment_would_be_empty(
    made_by: Callable[..., Path],
) -> None:
    chosen = "select='lt(t,3)+between(t,20,20.2)+between(t,26,26.02)'"
    words = ("-vf", chosen, "-fps_mode", "vfr", "-c:v", "mpeg2video", "-q:v", "3", "-g", "25")
    film = film_of(made_by("holds.mkv", *words, card="size=320x180:rate=25:duration=30"))
    made = film.fragments
    assert [fragment.end for fragment in made[:-1]] == [fragment.decode_time for fragment in made[1:]]
    assert set(film.times) - set(times_of(film.path)) == {6, 12, 18, 24}
    assert set(times_of(film.path)) <= set(film.times)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rgb.mov", ("-c:v", "qtrle", "-pix_fmt", "rgb24")),
        ("dense.mkv", ("-c:v", "ffv1", "-pix_fmt", "yuv444p10le")),
        ("full.avi", ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p")),
        ("palette.mov", ("-c:v", "png", "-pix_fmt", "pal8")),
        ("deep.mkv", ("-c:v", "ffv1", "-pix_fmt", "gbrp10le")),
    ],
)
def test_pixels_of_every_kind_keep_their_colours(
    made_by: Callable[..., Path], name: str, words: tuple[str, ...]
) -> None:
    film = film_of(made_by(name, *words))
    expected, made = pictures_of(film.path), film.pictures()
    assert len(made) == 50
    assert all(likeness(made[place], expected[place]) > LEAST_PSNR for place in range(0, 50, 7))
    assert max(abs(made[25].mean(axis=(0, 1)) - expected[25].mean(axis=(0, 1)))) < 2


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_the_light_of_hdr_is_brought_down_to_that_of_a_page(made_by: Callable[..., Path], transfer: str) -> None:
    told = f"log-level=none:pools=1:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    words = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", told)
    film = film_of(made_by(f"{transfer}.mkv", *words))
    expected, made = pictures_of(film.path), film.pictures()
    assert likeness(made[30], expected[30]) > 25
    assert max(abs(made[30].mean(axis=(0, 1)) - expected[30].mean(axis=(0, 1)))) < 4


def test_pixels_that_are_no_squares_and_pictures_that_are_too_large_are_scaled(made_by: Callable[..., Path]) -> None:
    wide = made_by("wide.mkv", "-vf", "setsar=4/3", "-c:v", "mpeg2video", card="size=240x180:rate=25:duration=1")
    large = made_by("large.mkv", "-c:v", "mpeg2video", "-q:v", "9", card="size=2560x1440:rate=25:duration=0.2")
    assert film_of(wide).pictures()[0].shape == (180, 320, 3)
    assert film_of(large).pictures()[0].shape == (1080, 1920, 3)


def test_lines_of_two_moments_become_pictures_of_one(made_by: Callable[..., Path]) -> None:
    words = (
        "-vf",
        "interlace=lowpass=off",
        "-flags",
        "+ildct+ilme",
        "-c:v",
        "mpeg2video",
        "-q:v",
        "2",
        "-g",
        "12",
        "-bf",
        "2",
    )
    film = film_of(made_by("fields.ts", *words, card="size=320x180:rate=50:duration=8"))
    truth, made = pictures_of(film.path), film.pictures()
    assert len(made) == len(truth)
    assert all(
        _combing(picture) < 0.7 * _combing(combed) for picture, combed in zip(made[5::40], truth[5::40], strict=True)
    )


def test_two_pictures_in_one_packet_of_avi_are_shown_one_after_the_other(made_by: Callable[..., Path]) -> None:
    words = ("-c:v", "mpeg4", "-bf", "1", "-g", "50", "-vtag", "XVID")
    plain = film_of(made_by("plain.avi", *words, card="size=320x180:rate=25:duration=13"))
    packed = film_of(_packed(plain.path))
    assert plain.times == packed.times == [Fraction(number, 25) for number in range(1, 326)]
    assert all(likeness(one, other) > 40 for one, other in zip(plain.pictures(), packed.pictures(), strict=True))


def _packed(plain: Path) -> Path:
    """The same film as DivX packs it: each B picture in the packet before, and a picture of nothing in its place."""
    path = plain.with_name("packed.avi")
    with av.open(plain, "r") as container, av.open(path, "w") as copy:
        stream = container.streams.video[0]
        packets = [(bytes(packet), packet.is_keyframe) for packet in container.demux(stream) if packet.size]
        made = copy.add_stream_from_template(stream)
        head, _, _encoder = bytes(stream.codec_context.extradata or b"").partition(_USER_DATA)
        made.codec_context.extradata = head + _USER_DATA + b"DivX503b1393p"  # by the last letter decoders know it
        for number, (content, is_keyframe) in enumerate(packets):
            following = packets[number + 1][0] if number + 1 < len(packets) else b""
            joined = content + following if _is_b(following) else _NOTHING if _is_b(content) else content
            packet: Packet[Any] = Packet(joined)
            packet.stream, packet.pts, packet.dts, packet.time_base = made, number, number, Fraction(1, 25)
            packet.is_keyframe = is_keyframe
            copy.mux(packet)
    return path


_USER_DATA = b"\x00\x00\x01\xb2"
_NOTHING = b"\x00\x00\x01\xb6\x50\x00\x00"
"""A P picture of MPEG-4 that is not coded (ISO/IEC 14496-2 s.6.2.5)."""


def _is_b(content: bytes) -> bool:
    place = content.find(b"\x00\x00\x01\xb6")
    return place >= 0 and content[place + 4] >> 6 == 2


def _combing(picture: NDArray[np.uint8]) -> float:
    """How much every line differs from those above and below it."""
    lines = picture.astype(np.float64)
    return float(np.mean(np.abs(2 * lines[1:-1] - lines[:-2] - lines[2:])))


def test_a_film_that_is_damaged_is_shown_as_far_as_it_can_be(media_file: MediaFile, tmp_path: Path) -> None:
    content = bytearray(media_file("mpeg2-mp2.ts").read_bytes())
    noise = random.Random(0)
    for place in noise.sample(range(len(content) // 3, len(content)), 300):
        content[place] ^= noise.randrange(1, 256)
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(content)
    film = film_of(damaged)
    made = film.fragments
    assert [fragment.end for fragment in made[:-1]] == [fragment.decode_time for fragment in made[1:]]
    assert len(film.pictures()) == len(film.times) > 500


def test_tracks_that_are_not_there_and_pictures_without_bound_are_refused(
    media_file: MediaFile, made_by: Callable[..., Path]
) -> None:
    with open_source(media_file("mpeg2-ac3.mkv")) as source:
        found = index_of(source)
        terms = found.terms(found.of_kind("video")[0], 0)
        assert terms is not None
        with pytest.raises(NoSuchTrack):
            transcoded_segment(source, {**terms, "track": {**terms["track"], "id": "v7"}}, BytesIO())
    fast = made_by("fast.avi", "-c:v", "mjpeg", "-q:v", "30", card="size=16x16:rate=4000:duration=5")
    with open_source(fast) as source:
        found = index_of(source)
        with pytest.raises(CannotConvert):
            terms = found.terms(found.of_kind("video")[0], 0)
            converted(transcoded_segment, source, {**(terms or {}), "end": found.end})
