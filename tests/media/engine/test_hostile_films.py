"""Small files that claim much: what they ask for is refused before it costs anything."""

import io
import struct
from pathlib import Path

import pytest

from fileserver.media.engine.sound.audio import audio_segment
from fileserver.media.engine.streaming.index import index
from fileserver.media.faults import CannotConvert, DamagedMedia
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.media.engine.sound import index_of
from tests.support.media_files import ffmpeg


def _index(path: Path) -> None:
    with open_source(path) as source:
        index(source, {}, io.BytesIO())


def _with_table(film: bytes, kind: bytes, content: bytes) -> bytes:
    """A film whose first box of a kind begins otherwise, behind its version and flags."""
    place = film.index(kind) + 8
    return film[:place] + content + film[place + len(content) :]


def test_a_clock_beyond_all_bounds_is_damage(media_file: MediaFile, tmp_path: Path) -> None:
    """Each picture stays for 68 years."""
    film = media_file("h264-silent.mp4").read_bytes()
    count = struct.unpack_from(">I", film, film.index(b"stsz") + 12)[0]
    slow = _with_table(film, b"stts", struct.pack(">3I", 1, count, 0x7FFF_FFFF))
    path = tmp_path / "slow.mp4"
    path.write_bytes(_with_table(slow, b"mdhd", struct.pack(">3I", 0, 0, 1)))
    with pytest.raises(DamagedMedia, match="bounds"):
        _index(path)


def test_a_film_of_a_million_keyframes_in_one_is_refused(media_file: MediaFile, tmp_path: Path) -> None:
    """A kilobyte is enough for an index of so many."""
    film = media_file("h264-silent.mp4").read_bytes()
    many = 1_200_000
    size = struct.unpack_from(">I", film, film.index(b"stsz") + 16)[0]
    for without in (b"stss", b"ctts", b"edts"):
        film = film.replace(without, b"free")
    film = _with_table(film, b"stts", struct.pack(">3I", 1, many, 1))
    film = _with_table(film, b"stsz", struct.pack(">2I", size, many))
    film = _with_table(film, b"stco", struct.pack(">I", 1))
    path = tmp_path / "many.mp4"
    path.write_bytes(_with_table(film, b"stsc", struct.pack(">4I", 1, 1, many, 1)))
    with pytest.raises(CannotConvert, match="keyframes"):
        _index(path)


def test_silence_of_many_days_is_not_encoded(tmp_path: Path) -> None:
    path = tmp_path / "far.mkv"
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=1:duration=4")
    sound = ("-f", "lavfi", "-i", "sine=duration=2", "-c:a", "ac3")
    ffmpeg(
        *pictures, *sound, "-vf", "setpts=N*1000000/TB", "-fps_mode", "passthrough", "-c:v", "libx264", "-g", "1", path
    )
    found = index_of(path)
    terms = found.terms(found.of_kind("audio")[0], 0)
    assert terms is not None
    with open_source(path) as source, pytest.raises(CannotConvert, match="between two cuts"):
        audio_segment(source, terms, io.BytesIO())


def _two_sounds(tmp_path: Path) -> bytes:
    path = tmp_path / "sounds.mka"
    sine = ("-f", "lavfi", "-i", "sine=duration=3")
    ffmpeg(*sine, *sine, "-map", "0", "-map", "1", "-c:a:0", "flac", "-c:a:1", "ac3", path)
    return path.read_bytes()


def test_sound_of_an_unknown_coding_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "half.mka"
    path.write_bytes(_two_sounds(tmp_path).replace(b"A_AC3", b"A_XC3"))
    assert [track["codec_name"] for track in index_of(path).tracks] == ["flac"]


def test_a_song_of_nothing_else_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "none.mka"
    path.write_bytes(_two_sounds(tmp_path).replace(b"A_AC3", b"A_XC3").replace(b"A_FLAC", b"A_XLAC"))
    with pytest.raises(DamagedMedia, match="no known way"):
        _index(path)
