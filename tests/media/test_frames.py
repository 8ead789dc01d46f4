"""Frames found by their headers alone, beside what the real ffprobe finds in the same file."""

import doctest
import subprocess
from pathlib import Path

import pytest

from fileserver.media.fmp4 import audio_entries
from fileserver.media.frames import PARSERS, is_information, walk
from tests.media.conftest import MediaFile

_TYPES = {"mp3": "audio/mpeg", "mp2": "audio/mpeg", "aac": "audio/aac", "ac3": "audio/ac3", "eac3": "audio/eac3"}
_JUNK = bytes(range(200)) * 3


def _walked(content: bytes, media_type: str) -> list[tuple[int, int]]:
    frames = walk(lambda at, size: content[at : at + size], PARSERS[media_type])
    return [(at, frame.size) for at, frame in frames if not is_information(content[at : at + 40])]


def _probed(path: Path) -> list[tuple[int, int]]:
    words = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "a",
        "-show_entries",
        "packet=pos,size",
        "-of",
        "csv=p=0",
        str(path),
    ]
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    rows = [line.split(",") for line in told]
    return [(int(row[1]), int(row[0])) for row in rows]


@pytest.mark.parametrize("name", ["song.mp3", "variable.mp3", "song.mp2", "song.aac", "song.ac3", "song.eac3"])
def test_every_frame_is_found(media_file: MediaFile, name: str) -> None:
    path = media_file(name)
    media_type = _TYPES[path.suffix[1:]]
    assert [size for _, size in _walked(path.read_bytes(), media_type)] == [size for _, size in _probed(path)]


@pytest.mark.parametrize("name", ["song.mp3", "song.aac", "song.ac3"])
def test_junk_before_within_and_after_is_stepped_over(media_file: MediaFile, name: str) -> None:
    content = media_file(name).read_bytes()
    media_type = _TYPES[name.rpartition(".")[2]]
    frames = _walked(content, media_type)
    middle = frames[len(frames) // 2][0]
    dirty = _JUNK + content[:middle] + _JUNK + content[middle:] + _JUNK
    found = {dirty[at : at + size] for at, size in _walked(dirty, media_type)}
    whole = {content[at : at + size] for at, size in frames}
    assert len(whole - found) <= 2
    assert len(found - whole) <= 2


@pytest.mark.parametrize("media_type", sorted(PARSERS))
@pytest.mark.parametrize("content", [b"", b"\xff", b"\xff" * 5000, bytes(5000), b"ID3\x04\0\0\x7f\x7f\x7f\x7f", _JUNK])
def test_what_has_no_frames_has_none(media_type: str, content: bytes) -> None:
    assert _walked(content, media_type) == []


def test_the_examples_of_the_entries_hold() -> None:
    assert doctest.testmod(audio_entries).failed == 0
