"""The header of a WAV that is never made, read by Python's own reader and by the real ffprobe."""

import io
import json
import subprocess
import wave
from pathlib import Path
from typing import Any

import pytest

from fileserver.media.wav import BrokenFacts, WavFacts, facts_of, header, padding


def _file(facts: WavFacts) -> bytes:
    return header(facts) + bytes(facts.size) + padding(facts)


@pytest.mark.parametrize(("channels", "bits"), [(1, 8), (1, 16), (2, 16), (2, 8)])
def test_a_plain_header_has_44_bytes_that_python_reads(channels: int, bits: int) -> None:
    facts = WavFacts(44_100, channels, bits, 1001)
    with wave.open(io.BytesIO(_file(facts))) as found:
        assert found.getparams()[:4] == (channels, bits // 8, 44_100, 1001)
    assert len(header(facts)) == 44


@pytest.mark.parametrize(
    ("facts", "codec", "layout"),
    [
        (WavFacts(96_000, 2, 24, 4801, 3), "pcm_s24le", "stereo"),
        (WavFacts(48_000, 6, 16, 4800, 0x3F), "pcm_s16le", "5.1"),
        (WavFacts(48_000, 6, 16, 4800, 0x60F), "pcm_s16le", "5.1(side)"),
        (WavFacts(48_000, 8, 32, 4800, 0x63F), "pcm_s32le", "7.1"),
        (WavFacts(48_000, 2, 32, 4800, 3, is_float=True), "pcm_f32le", "stereo"),
        (WavFacts(48_000, 1, 64, 4800, 4, is_float=True), "pcm_f64le", "mono"),
    ],
)
def test_an_extensible_header_tells_ffprobe_everything(
    tmp_path: Path, facts: WavFacts, codec: str, layout: str
) -> None:
    (tmp_path / "a.wav").write_bytes(_file(facts))
    stream = _probed(tmp_path / "a.wav")
    assert (stream["codec_name"], int(stream["sample_rate"]), stream["channels"]) == (
        codec,
        facts.sample_rate,
        facts.channels,
    )
    assert stream["duration_ts"] == facts.samples
    assert stream.get("channel_layout", layout) == layout


def test_beyond_4_gib_it_is_rf64_with_the_true_sizes(tmp_path: Path) -> None:
    facts = WavFacts(48_000, 2, 24, 1 << 30, 3)
    path = tmp_path / "large.wav"
    path.write_bytes(header(facts))
    with path.open("r+b") as file:
        file.truncate(len(header(facts)) + facts.size)  # sparse
    assert _probed(path)["duration_ts"] == 1 << 30


def test_an_odd_number_of_bytes_is_made_even() -> None:
    facts = WavFacts(8000, 1, 8, 3)
    assert padding(facts) == b"\0"
    assert int.from_bytes(header(facts)[4:8], "little") + 8 == len(_file(facts))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"sample_rate": 48_000, "channels": 2, "bits": 16},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": "10"},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": True},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": -1},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": 1 << 60},
        {"sample_rate": 48_000, "channels": 2, "bits": 17, "samples": 10},
        {"sample_rate": 0, "channels": 2, "bits": 16, "samples": 10},
        {"sample_rate": 48_000, "channels": 0, "bits": 16, "samples": 10},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": 10, "mask": 1 << 32},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": 10, "is_float": 1},
        {"sample_rate": 48_000, "channels": 2, "bits": 16, "samples": 10, "other": 1},
    ],
)
def test_what_no_sound_is_like_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(BrokenFacts):
        facts_of(document)


def _probed(path: Path) -> dict[str, Any]:
    asked = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return dict(json.loads(asked.stdout)["streams"][0])
