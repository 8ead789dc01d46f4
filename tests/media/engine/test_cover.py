"""Covers come out of every container as the bytes that went in."""

import base64
import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fileserver.media.engine.pictures.cover import cover
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, NoSuchTrack
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import Opened
from tests.support.media_files import ffmpeg

TONE = ("-f", "lavfi", "-i", "sine=duration=1")
ATTACHED = ("-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v:0", "attached_pic")

Picture = Callable[[str], Path]


def cover_of(source: Source) -> bytes:
    product = io.BytesIO()
    cover(source, {}, product)
    return product.getvalue()


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    """`picture("jpg")`: the path of a small one in this format."""

    def drawn(ending: str) -> Path:
        path = tmp_path / f"cover.{ending}"
        Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(path)
        return path

    return drawn


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize("ending", ["mp3", "flac", "m4a", "aiff"])
def test_a_song_gives_its_cover(ending: str, kind: str, tmp_path: Path, picture: Picture, opened: Opened) -> None:
    path = tmp_path / f"song.{ending}"
    version = ("-write_id3v2", "1") if ending == "aiff" else ()
    ffmpeg(*TONE, "-i", picture(kind), *ATTACHED, *version, path)
    with opened(path) as source:
        assert cover_of(source) == picture(kind).read_bytes()


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_an_attachment_of_matroska_is_a_cover(kind: str, tmp_path: Path, picture: Picture, opened: Opened) -> None:
    path = tmp_path / "film.mkv"
    mimetype = {"jpg": "image/jpeg", "png": "image/png"}[kind]
    ffmpeg(*TONE, "-attach", picture(kind), "-metadata:s:t", f"mimetype={mimetype}", path)
    with opened(path) as source:
        assert cover_of(source) == picture(kind).read_bytes()


@pytest.mark.parametrize("ending", ["opus", "ogg", "oga"])
def test_a_picture_in_a_comment_of_ogg_is_a_cover(
    ending: str, tmp_path: Path, picture: Picture, opened: Opened
) -> None:
    """RFC 7845 s.5.2.1 and its kin: FLAC's picture block, in base64."""
    content = picture("jpg").read_bytes()
    block = struct.pack(">II10sIIIIII", 3, 10, b"image/jpeg", 0, 40, 30, 24, 0, len(content)) + content
    path = tmp_path / f"song.{ending}"
    tag = f"METADATA_BLOCK_PICTURE={base64.b64encode(block).decode()}"
    ffmpeg(*TONE, *(("-c:a", "flac") if ending == "oga" else ()), "-metadata", tag, "-metadata:s:a", tag, path)
    with opened(path) as source:
        assert cover_of(source) == content


def test_the_front_goes_before_the_back(tmp_path: Path, picture: Picture, opened: Opened) -> None:
    path = tmp_path / "song.mp3"
    both = ("-map", "0", "-map", "1", "-map", "2", "-c:v", "copy")
    names = ("-metadata:s:v:0", "comment=Cover (back)", "-metadata:s:v:1", "comment=Cover (front)")
    ffmpeg(*TONE, "-i", picture("png"), "-i", picture("jpg"), *both, *names, path)
    with opened(path) as source:
        assert cover_of(source) == picture("jpg").read_bytes()


def test_a_film_has_its_cover_beside_its_pictures(
    tmp_path: Path, media_file: MediaFile, picture: Picture, opened: Opened
) -> None:
    path = tmp_path / "film.mp4"
    both = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")
    ffmpeg("-i", media_file("index-at-end.mp4"), "-i", picture("jpg"), *both, path)
    with opened(path) as source:
        assert cover_of(source) == picture("jpg").read_bytes()


@pytest.mark.parametrize("name", ["song.wav", "song.ogg", "index-at-end.mp4", "h264-aac.mkv"])
def test_without_a_cover_there_is_none(name: str, media_file: MediaFile, opened: Opened) -> None:
    with opened(media_file(name)) as source, pytest.raises(NoSuchTrack):
        cover_of(source)


def test_a_cover_that_no_page_shows_is_not_given_out(tmp_path: Path, picture: Picture, opened: Opened) -> None:
    """It could be anything: a page of HTML in the tag of a song."""
    path = tmp_path / "song.mp3"
    ffmpeg(*TONE, "-i", picture("jpg"), *ATTACHED, path)
    content = picture("jpg").read_bytes()
    path.write_bytes(path.read_bytes().replace(content, b"<script>".ljust(len(content))))
    with opened(path) as source, pytest.raises(CannotConvert):
        cover_of(source)
