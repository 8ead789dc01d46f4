"""Lossless sound as plain samples, beside what the real ffmpeg decodes it to."""

import io
import json
import os
import random
import subprocess
from pathlib import Path

import av
import pytest

from fileserver.media.engine.sound.wav import MOST_BYTES, wav, wav_facts
from fileserver.media.faults import CannotConvert, MediaFault, NoSuchTrack
from fileserver.media.wav import WavFacts, facts_of
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.support.media_files import ffmpeg

_LOSSLESS = (
    ("song.flac", "a0"), ("high.flac", "a0"), ("flac.oga", "a0"), ("flac.mka", "a0"), ("h264-flac.mkv", "a1"),
    ("alac.m4a", "a0"), ("h264-alac.mov", "a1"), ("song.wv", "a0"), ("song.tta", "a0"), ("song.wav", "a0"),
    ("deep.wav", "a0"), ("float.wav", "a0"), ("song.aiff", "a0"), ("song.au", "a0"), ("song.caf", "a0"),
    ("prores-pcm.mov", "a1"), ("h264-pcm.mkv", "a1"), ("long.w64", "a0"),
)  # fmt: skip


def _facts(path: Path, track: str) -> WavFacts:
    product = io.BytesIO()
    with open_source(path) as source:
        wav_facts(source, {"track": track}, product)
    return facts_of(json.loads(product.getvalue()))


def _samples(path: Path, track: str, start: int, count: int) -> bytes:
    product = io.BytesIO()
    with open_source(path) as source:
        wav(source, {"track": track, "start": start, "count": count}, product)
    return product.getvalue()


def _decoded(path: Path, track: str, facts: WavFacts) -> bytes:
    kind = f"f{facts.bits}le" if facts.is_float else "u8" if facts.bits == 8 else f"s{facts.bits}le"
    words = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", f"0:{track[1:]}", "-f", kind, "-"]
    return subprocess.run(words, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize(("name", "track"), _LOSSLESS)
def test_any_samples_are_those_that_ffmpeg_decodes(media_file: MediaFile, name: str, track: str) -> None:
    path = media_file(name)
    facts = _facts(path, track)
    whole = _decoded(path, track, facts)
    assert facts.size == len(whole)
    chance = random.Random(name)
    stretches = [(chance.randrange(facts.samples), chance.randrange(1, 50_000)) for _ in range(4)]
    for start, wanted in [(0, 1), (facts.samples - 1, 1), (0, 5000), *stretches]:
        count = min(wanted, facts.samples - start)
        size = facts.block_size
        assert _samples(path, track, start, count) == whole[start * size : (start + count) * size]


def test_alac_without_a_count_of_samples_is_counted(tmp_path: Path, media_file: MediaFile) -> None:
    path = tmp_path / "alac.mka"
    ffmpeg("-i", media_file("alac.m4a"), "-map", "0:a", "-c", "copy", path)
    facts = _facts(path, "a0")
    whole = _decoded(path, "a0", facts)
    assert facts.size == len(whole)
    assert _samples(path, "a0", 300_001, 777) == whole[300_001 * facts.block_size : 300_778 * facts.block_size]


@pytest.mark.parametrize("name", ["song.mp3", "song.opus", "h264-ac3.mkv", "song.ogg"])
def test_lossy_sound_is_refused(media_file: MediaFile, name: str) -> None:
    with pytest.raises(CannotConvert):
        _facts(media_file(name), "a1" if name.endswith("mkv") else "a0")


@pytest.mark.parametrize("track", ["a7", "v0", "a", "a0x", "a99999999999", ""])
def test_a_track_that_is_not_there_is_refused(media_file: MediaFile, track: str) -> None:
    with pytest.raises(NoSuchTrack):
        _facts(media_file("song.flac"), track)


def test_a_stretch_has_a_longest(media_file: MediaFile) -> None:
    with pytest.raises(CannotConvert):
        _samples(media_file("song.wav"), "a0", 0, MOST_BYTES)


def test_samples_that_a_broken_file_lacks_are_silent(media_file: MediaFile, tmp_path: Path) -> None:
    path = tmp_path / "torn.flac"
    content = media_file("song.flac").read_bytes()
    path.write_bytes(content[: len(content) // 2])
    facts = _facts(path, "a0")
    late = _samples(path, "a0", facts.samples - 1000, 1000)
    assert late == bytes(1000 * facts.block_size)


def test_damage_ends_in_samples_or_a_fault(media_file: MediaFile, tmp_path: Path) -> None:
    content = media_file("alac.m4a").read_bytes()
    chance = random.Random(7)
    path = tmp_path / "mutated.m4a"
    for _ in range(60):
        mutated = bytearray(content)
        for _ in range(20):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        path.write_bytes(mutated)
        try:
            assert len(_samples(path, "a0", 40_000, 1000)) in {4000, 6000, 8000, 2000, 12_000}
        except (MediaFault, av.error.FFmpegError):  # a worker tells the second as DamagedMedia
            continue
    assert os.path.exists(path)
