"""Thumbnails, posters and storyboards, beside the pictures that FFmpeg's own program makes of the same films."""

import io
import re
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from fileserver.media.engine.pictures.pictures import thumbnail
from fileserver.media.engine.pictures.storyboard import storyboard
from fileserver.media.engine.pictures.tone_mapping import in_sdr
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, DamagedMedia, NoSuchTrack
from fileserver.media.storyboard import Grid
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import Opened
from tests.support.media_files import ffmpeg

PQ, HLG = 16, 18


def picture(source: Source, time: float | None, width: int = 320) -> Image.Image:
    product = io.BytesIO()
    thumbnail(source, {"t": time, "width": width}, product)
    made = Image.open(product)
    made.load()
    assert made.format == "WEBP"
    return made


def pixels(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image.convert("RGB"), dtype=np.int16)


def film(path: Path, pictures: str, *words: str) -> Path:
    ffmpeg("-f", "lavfi", "-i", pictures, *words, path)
    return path


def frames_by_ffmpeg(path: Path, size: tuple[int, int], start: float, end: float) -> tuple[list[float], NDArray[Any]]:
    """Those that begin in this time, by the file itself: when, and their pixels. FFmpeg's own seek may miss some."""
    chosen = f"select='between(t,{start},{end})',showinfo,scale={size[0]}:{size[1]}"
    sought = ["ffmpeg", "-v", "info", "-nostdin", "-copyts", "-i", str(path), "-vf", chosen, "-fps_mode", "passthrough"]
    raw = ["-an", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run([*sought, *raw], check=True, capture_output=True, timeout=60)
    times = [float(found) for found in re.findall(rb"pts_time:([0-9.]+)", done.stderr)]
    return times, np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3).astype(np.int16)


def starts_at(path: Path) -> float:
    words = ["ffprobe", "-v", "error", "-show_entries", "format=start_time", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(words, check=True, capture_output=True, timeout=60).stdout)


@pytest.mark.parametrize(
    "name",
    [
        *("index-at-end.mp4", "fragmented.mp4", "rotated.mp4", "open-gop.mkv", "hevc-open-gop.mkv", "av1-opus.mp4"),
        *("h264-aac.ts", "mpeg2-ac3.vob", "mpeg4-mp3.avi", "h264-mp3.avi", "vp9-opus.webm", "h264-aac.flv"),
        *("wmv2-wma.wmv", "mpeg2-pcm.mxf"),
    ],
)
def test_a_thumbnail_is_the_very_frame(name: str, media_file: MediaFile, opened: Opened) -> None:
    path = media_file(name)
    with opened(path) as source:
        made = picture(source, 13.3)
    wanted = 13.3 + starts_at(path)
    times, frames = frames_by_ffmpeg(path, made.size, wanted - 0.15, wanted + 0.15)
    distances = np.abs(frames - pixels(made)).mean(axis=(1, 2, 3))
    shown = max(number for number, time in enumerate(times) if time <= wanted)
    assert 0 < shown < len(frames) - 1
    assert int(distances.argmin()) == shown
    assert distances[shown] < 9


@pytest.mark.parametrize("time", [0.0, 23.99, 1000.0])
@pytest.mark.parametrize("name", ["index-at-end.mp4", "h264-aac.mkv", "h264-aac.ts", "mpeg1-mp2.mpg"])
def test_at_and_past_the_ends_there_is_a_picture_too(
    name: str, time: float, media_file: MediaFile, opened: Opened
) -> None:
    with opened(media_file(name)) as source:
        assert picture(source, time, width=160).size == (160, 90)


def test_what_is_far_from_its_keyframe_is_shown_by_that(tmp_path: Path, opened: Opened) -> None:
    pictures = "color=white:size=1280x720:rate=25:duration=8,fade=t=in:d=8"
    path = film(tmp_path / "f.mp4", pictures, "-g", "125", "-keyint_min", "125", "-preset", "ultrafast")
    with opened(path) as source:
        seen = [pixels(picture(source, time)).mean() for time in (0.5, 4.5, 5.5)]
    assert 8 < seen[0] < 24  # the very frame
    assert seen[1] < 3  # four seconds of 720p are not decoded for it
    assert seen[2] > 150


def test_a_picture_is_not_enlarged_and_no_wider_than_asked(media_file: MediaFile, opened: Opened) -> None:
    with opened(media_file("index-at-end.mp4")) as source:
        assert [picture(source, 3.0, width).size for width in (16, 200, 1920, 10**9)] == [
            *((16, 9), (200, 112)),
            *((320, 180), (320, 180)),
        ]


def test_pixels_that_are_not_square_are_shown_as_they_are_meant(tmp_path: Path, opened: Opened) -> None:
    path = film(tmp_path / "f.mkv", "testsrc2=size=180x144:rate=5:duration=1,setsar=16/9", "-preset", "ultrafast")
    with opened(path) as source:
        assert picture(source, 0.0, 640).size == (320, 144)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_turned_picture_stands_upright(tmp_path: Path, opened: Opened, degrees: int, is_mirrored: bool) -> None:
    plain = film(tmp_path / "plain.mp4", "testsrc2=size=160x96:rate=5:duration=1", "-preset", "ultrafast")
    turned = tmp_path / "turned.mp4"
    with av.open(str(plain)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        assert isinstance(stream, VideoStream)
        stream.set_display_rotation(degrees, hflip=is_mirrored)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with opened(turned) as opened_source:
        made = picture(opened_source, 0.0)
    assert made.size == ((160, 96) if degrees % 180 == 0 else (96, 160))
    assert np.abs(frames_by_ffmpeg(turned, made.size, 0, 0)[1][0] - pixels(made)).mean() < 9


@pytest.mark.parametrize(("size", "matrix"), [("1280x720", "bt709"), ("320x240", "bt601")])
@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 40)])
def test_colours_without_a_word_are_those_of_the_size(
    tmp_path: Path, opened: Opened, size: str, matrix: str, colour: tuple[int, int, int]
) -> None:
    name = "0x{:02x}{:02x}{:02x}".format(*colour)
    pictures = f"color={name}:size={size}:rate=5:duration=1,format=rgb24,scale=out_color_matrix={matrix},format=yuv420p"
    path = film(tmp_path / "f.mp4", pictures, "-preset", "ultrafast", "-qp", "1")
    with opened(path) as source:
        assert np.abs(pixels(picture(source, 0.0, 64)) - colour).max() < 12


def test_a_film_in_high_dynamic_range_is_shown_in_the_light_of_a_page(tmp_path: Path, opened: Opened) -> None:
    """White paper, which PQ codes as 58 % (BT.2408 table 1), comes out nearly white and without a tint."""
    level = round(64 + 0.58 * 876)
    colours = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    pictures = f"color=black:size=320x180:rate=5:duration=1,format=yuv420p10le,geq=lum={level}:cb=512:cr=512"
    words = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", f"log-level=none:pools=1:{colours}")
    path = film(tmp_path / "f.mkv", pictures, *words)
    with opened(path) as source:
        seen = pixels(picture(source, 0.0))
    assert 215 < seen.mean() < 240
    assert np.ptp(seen) <= 4


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_tone_mapping_keeps_the_order_of_brightness_and_reaches_both_ends(transfer: int) -> None:
    greys = np.repeat(np.linspace(0, 65_535, 500, dtype=np.uint16)[:, None], 3, axis=1)[None]
    shown = in_sdr(greys, transfer).astype(np.int16)
    assert np.all(np.diff(shown[0, :, 0]) >= 0)
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.ptp(shown, axis=2).max() <= 1


def test_an_interlaced_frame_shows_one_moment(tmp_path: Path, opened: Opened) -> None:
    """One field is white, the other is black: both together would be grey."""
    pictures = "color=black:size=320x240:rate=25:duration=1,geq=lum='if(mod(Y,2),16,235)':cb=128:cr=128"
    path = film(tmp_path / "f.ts", pictures, "-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ildct+ilme", "-top", "1")
    with opened(path) as source:
        assert pixels(picture(source, 0.2, 160)).mean() > 235


def test_a_poster_shows_something(tmp_path: Path, opened: Opened) -> None:
    pictures = "testsrc2=size=320x180:rate=5:duration=20,fade=t=in:st=8:d=1"
    path = film(tmp_path / "f.mp4", pictures, "-g", "5", "-preset", "ultrafast")
    with opened(path) as source:
        assert pixels(picture(source, None)).std() > 40
        assert pixels(picture(source, 2.0)).std() < 2  # where a poster would else be from


def test_a_film_that_shows_nothing_has_a_poster_of_nothing(tmp_path: Path, opened: Opened) -> None:
    path = film(tmp_path / "f.webm", "color=black:size=320x180:rate=5:duration=4", "-c:v", "libvpx")
    with opened(path) as source:
        assert pixels(picture(source, None)).mean() < 3


def test_of_a_film_without_a_length_there_is_a_poster(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "f.mkv"
    words = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=5:duration=6", "-preset", "ultrafast", "-g", "10")
    live = subprocess.run(["ffmpeg", "-v", "error", *words, "-f", "matroska", "-"], check=True, capture_output=True)
    path.write_bytes(live.stdout)
    with opened(path) as source:
        assert pixels(picture(source, None)).std() > 40


@pytest.mark.parametrize("name", ["song.flac", "song.mp3", "song.opus"])
def test_sound_has_no_picture_even_with_a_cover(name: str, media_file: MediaFile, opened: Opened) -> None:
    with opened(media_file(name)) as source, pytest.raises(NoSuchTrack):
        picture(source, None)


def test_a_film_whose_pictures_are_gone_is_damaged(media_file: MediaFile, opened: Opened, tmp_path: Path) -> None:
    content = bytearray(media_file("index-at-front.mp4").read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = bytes(len(content) - start)
    path = tmp_path / "f.mp4"
    path.write_bytes(content)
    with opened(path) as source, pytest.raises((DamagedMedia, av.error.FFmpegError)):
        picture(source, 5.0)


def test_pictures_of_too_many_pixels_are_refused(tmp_path: Path, opened: Opened) -> None:
    path = film(tmp_path / "f.avi", "color=black:size=9600x7200:rate=1:duration=1", "-c:v", "mjpeg")
    with opened(path) as source, pytest.raises(CannotConvert):
        picture(source, 0.0)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi"])
def test_each_tile_of_a_storyboard_shows_its_time(ending: str, tmp_path: Path, opened: Opened) -> None:
    pictures = "color=white:size=320x180:rate=25:duration=20,fade=t=in:d=20"
    path = film(tmp_path / f"f.{ending}", pictures, "-c:v", "mpeg4", "-g", "25", "-bf", "0", "-q:v", "2")
    grid = Grid(20.0, 10, 4, 160, 90)
    product = io.BytesIO()
    with opened(path) as source:
        storyboard(source, grid.terms, product)
    sheet = Image.open(product)
    assert sheet.size == (640, 270)
    for number in range(grid.count):
        left, top = grid.place(number)
        tile = pixels(sheet.crop((left, top, left + grid.width, top + grid.height)))
        shown_at = float(tile.mean()) / 255 * 20
        assert abs(shown_at - grid.middle(number)) < 1.2
        assert tile.std() < 5


def test_a_storyboard_of_a_single_keyframe_repeats_it(tmp_path: Path, opened: Opened) -> None:
    path = film(tmp_path / "f.mkv", "testsrc2=size=320x180:rate=25:duration=8", "-g", "1000", "-preset", "ultrafast")
    product = io.BytesIO()
    with opened(path) as source:
        storyboard(source, Grid(8.0, 4, 4, 160, 90).terms, product)
    sheet = pixels(Image.open(product))
    tiles = [sheet[:, 160 * number : 160 * (number + 1)] for number in range(4)]
    assert max(np.abs(tiles[0] - tile).mean() for tile in tiles) < 4


def test_a_picture_tells_nothing_of_its_file(tmp_path: Path, opened: Opened) -> None:
    words = ("-preset", "ultrafast", "-metadata", "title=Secret", "-metadata", "location=+48.1+011.5/")
    path = film(tmp_path / "f.mp4", "testsrc2=size=64x64:rate=5:duration=1", *words)
    product = io.BytesIO()
    with opened(path) as source:
        thumbnail(source, {"t": 0.0, "width": 64}, product)
    assert product.getvalue()[12:16] == b"VP8 "  # no VP8X, which announces other chunks


def test_a_film_in_a_code_that_nobody_knows_is_refused(media_file: MediaFile, tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "f.mkv"
    path.write_bytes(media_file("h264-silent.mp4").read_bytes().replace(b"avc1", b"xyz1"))
    with opened(path, "video/mp4") as source, pytest.raises(CannotConvert):
        picture(source, 1.0)
