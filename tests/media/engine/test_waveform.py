"""Peaks of sounds, beside those of the samples that FFmpeg's own program decodes."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fileserver.media.engine.sound.waveform import MOST_PIXELS, MOST_WINDOWS, waveform
from fileserver.media.engine.source import Source
from fileserver.media.faults import DamagedMedia, NoSuchTrack
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import Opened
from tests.support.media_files import ffmpeg

LONG_S = 1300
RISING = f"sine=frequency=300:sample_rate=8000:duration={LONG_S},volume=7*t/{LONG_S}:eval=frame"


def peaks(source: Source, pixels: int) -> dict[str, Any]:
    product = io.BytesIO()
    waveform(source, {"pixels": pixels}, product)
    document: dict[str, Any] = json.loads(product.getvalue())
    assert {**document, "data": 0} == {
        "version": 2,
        "channels": 1,
        "sample_rate": document["sample_rate"],
        "samples_per_pixel": document["samples_per_pixel"],
        "bits": 8,
        "length": len(document["data"]) // 2,
        "is_sampled": document["is_sampled"],
        "data": 0,
    }
    return document


def samples_by_ffmpeg(path: Path) -> NDArray[Any]:
    """Of all channels, -1 to 1, one row for each moment."""
    asked = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "stream=channels", "-of", "csv=p=0"]
    channels = int(subprocess.run([*asked, str(path)], check=True, capture_output=True, timeout=60).stdout.split()[0])
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, channels)


def pairs(document: dict[str, Any]) -> NDArray[Any]:
    return np.array(document["data"], dtype=np.int64).reshape(-1, 2)


@pytest.mark.parametrize(
    "name",
    [
        *("song.flac", "high.flac", "alac.m4a", "deep.wav", "float.wav", "song.wv", "song.aiff", "song.mp3"),
        *("song.m4a", "song.ogg", "h264-ac3.mkv", "mpeg1-mp2.mpg"),
    ],
)
def test_peaks_are_those_of_the_samples(name: str, media_file: MediaFile, opened: Opened) -> None:
    path = media_file(name)
    mono = samples_by_ffmpeg(path).mean(axis=1)
    for pixels in (100, 1777):
        with opened(path) as source:
            document = peaks(source, pixels)
        assert not document["is_sampled"]
        assert 0.9 * pixels < document["length"] <= pixels
        each = document["samples_per_pixel"]
        rows = mono[: len(mono) // each * each].reshape(-1, each) * 128
        wanted = np.clip(np.floor(np.stack((rows.min(axis=1), rows.max(axis=1)), axis=-1)), -128, 127)
        found = pairs(document)[: len(wanted)]
        assert len(found) == len(wanted)
        assert np.abs(found - wanted).max() <= 1  # a float between two levels may fall either way


def test_all_channels_count(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "left.wav"
    sound = "aevalsrc='0.8*sin(2*PI*200*t)|0':sample_rate=8000:duration=2"
    ffmpeg("-f", "lavfi", "-i", sound, "-c:a", "pcm_s32le", path)
    with opened(path) as source:
        assert pairs(peaks(source, 20))[5].tolist() == [-52, 51]  # the mean of 0.8 and silence, 0.4 of 128


@pytest.mark.parametrize("coding", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f64le", "pcm_mulaw"])
def test_full_scale_is_full_scale_in_every_depth(coding: str, tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "square.wav"
    sound = "aevalsrc='if(lt(mod(t,0.1),0.05),1,-1)':sample_rate=8000:duration=2"
    ffmpeg("-f", "lavfi", "-i", sound, "-c:a", coding, path)
    with opened(path) as source:
        low, high = pairs(peaks(source, 10))[4].tolist()
    assert low <= -125
    assert high >= 124


def test_a_sound_of_unknown_length_is_heard_to_its_end(tmp_path: Path, opened: Opened) -> None:
    words = ("-f", "lavfi", "-i", "sine=frequency=300:sample_rate=8000:duration=9,volume=7*t/9:eval=frame")
    piped = subprocess.run(["ffmpeg", "-v", "error", *words, "-f", "flac", "-"], check=True, capture_output=True)
    path = tmp_path / "live.flac"
    path.write_bytes(piped.stdout)
    with opened(path) as source:
        document = peaks(source, 50)
    assert 25 <= document["length"] <= 50
    assert document["length"] * document["samples_per_pixel"] == pytest.approx(72_000, rel=0.05)
    assert pairs(document)[-2, 1] > 100


@pytest.mark.parametrize("ending", ["flac", "m4a", "mp3", "mka", "ogg", "wav", "ts"])
def test_of_a_long_sound_pieces_are_heard_all_over(ending: str, tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / f"long.{ending}"
    coding = {"m4a": ("-c:a", "alac"), "mka": ("-c:a", "flac"), "ts": ("-ar", "16000", "-c:a", "mp2")}
    ffmpeg("-f", "lavfi", "-i", RISING, *coding.get(ending, ()), path)
    with opened(path) as source:
        document = peaks(source, 100)
    assert document["is_sampled"]
    assert document["length"] == 100
    assert document["samples_per_pixel"] == pytest.approx(LONG_S * document["sample_rate"] / 100, rel=0.02)
    wanted = 128 * 7 / 8 * (np.arange(100) + 0.5) / 100  # a sine of FFmpeg's is an eighth as loud as can be
    assert np.abs(pairs(document)[:, 1] - wanted).max() < 8


def test_the_number_of_peaks_is_bounded(tmp_path: Path, media_file: MediaFile, opened: Opened) -> None:
    with opened(media_file("song.wav")) as source:
        assert 0.9 * MOST_PIXELS < peaks(source, 10**9)["length"] <= MOST_PIXELS
        assert peaks(source, 0)["length"] == 1
    path = tmp_path / "long.wav"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=sample_rate=8000:channel_layout=mono", "-t", str(LONG_S), path)
    with opened(path) as source:
        assert peaks(source, 10**9)["length"] == MOST_WINDOWS


def test_silence_is_flat(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "silence.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=sample_rate=8000", "-t", "3", path)
    with opened(path) as source:
        assert not pairs(peaks(source, 30)).any()


def test_a_damaged_middle_costs_only_itself(media_file: MediaFile, tmp_path: Path, opened: Opened) -> None:
    content = bytearray(media_file("song.mp3").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 5000] = bytes(5000)
    path = tmp_path / "damaged.mp3"
    path.write_bytes(content)
    with opened(path) as source:
        found = pairs(peaks(source, 100))
    assert (found[:, 1] > 10).mean() > 0.9


def test_a_film_without_sound_has_no_waveform(media_file: MediaFile, opened: Opened) -> None:
    with opened(media_file("h264-silent.mp4")) as source, pytest.raises(NoSuchTrack):
        peaks(source, 100)


def test_a_sound_of_nothing_is_damaged(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "empty.wav"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=sample_rate=8000", "-t", "1", path)
    path.write_bytes(path.read_bytes()[:44])
    with opened(path, "audio/wav") as source, pytest.raises(DamagedMedia):
        peaks(source, 100)


def test_a_track_that_begins_late_does_not_end_the_sound(media_file: MediaFile, tmp_path: Path, opened: Opened) -> None:
    """The second half of this FLV has a film, of which its head says nothing."""
    sound, film = tmp_path / "sound.flv", tmp_path / "film.flv"
    ffmpeg("-i", media_file("h264-aac.flv"), "-vn", "-c", "copy", sound)
    ffmpeg("-i", media_file("h264-aac.flv"), "-c", "copy", film)
    both = tmp_path / "both.flv"
    both.write_bytes(sound.read_bytes() + film.read_bytes()[13:])
    with opened(both) as source:
        assert peaks(source, 100)["length"] >= 50
