"""Sound in segments: packets as they were or made into AAC, each segment by itself, and no seam between two."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fileserver.media.faults import NoSuchTrack
from fileserver.media.fmp4.audio_entries import audio_entry, made_aac_config
from fileserver.media.fmp4.inits import track_init
from fileserver.media.frames import adts_header_size
from tests.media.conftest import MediaFile
from tests.media.engine.sound import (
    Samples,
    Segment,
    heard,
    noise_to_signal_db,
    packets_of,
    segment_of,
    segments_of,
    sound_of,
)
from tests.support.media_files import ffmpeg

_COPIED = (
    "index-at-end.mp4", "fragmented.mp4", "h264-aac.mov", "h264-opus.mp4", "h264-flac.mp4",
    "variable-rate.mp4", "h264-aac.3gp", "h264-aac.mkv", "h264-opus.mkv", "h264-flac.mkv",
    "av1-opus.webm", "h264-aac.ts", "h264-aac.flv",
    "song.aac", "song.m4a", "book.m4b", "song.flac", "high.flac", "flac.oga", "song.opus",
    "flac.mka", "song.weba",
)  # fmt: skip
_TRANSCODED = (
    "h264-ac3.mkv", "h264-eac3.mp4", "h264-dts.mkv", "h264-vorbis.mkv", "h264-pcm.mkv",
    "h264-alac.mov", "h264-mp2.ts", "mpeg1-mp2.mpg", "wmv2-wma.wmv", "h264-mp3.avi",
    "alac.m4a", "song.ogg", "variable.mp3", "song.ac3", "song.eac3", "song.mp2", "song.wav", "song.wv",
)  # fmt: skip


def _assert_continuous(segments: list[Segment]) -> None:
    for before, following in pairwise(segments):
        assert following.decode_time == before.end
    assert all(duration > 0 for segment in segments for duration in segment.durations)


@pytest.mark.parametrize("name", _COPIED)
def test_every_packet_is_copied_once_and_none_is_late(media_file: MediaFile, name: str) -> None:
    path = media_file(name)
    found, track = sound_of(path)
    segments = segments_of(path, found, track)
    copied = [packet for segment in segments for packet in segment.packets]
    source = packets_of(path, track)
    if track["is_adts"]:
        source = [packet[adts_header_size(packet) :] for packet in source]
    assert track["how"] == "copy"
    assert copied in (source, source[1:])  # what primes a decoder may lie before the film's first picture
    _assert_continuous(segments)
    frames = {duration for segment in segments for duration in segment.durations[1:-1]}
    assert len(frames) <= (2 if track["codec_name"] == "flac" else 1)


@pytest.mark.parametrize("name", _TRANSCODED)
def test_frames_made_for_a_cut_follow_those_before_it(media_file: MediaFile, name: str) -> None:
    path = media_file(name)
    found, track = sound_of(path)
    segments = segments_of(path, found, track)
    assert track["how"] == "transcode"
    _assert_continuous(segments)
    assert {duration for segment in segments for duration in segment.durations} == {1024}
    assert segments[-1].end / track["sample_rate"] == pytest.approx(track["end"] / 90_000, abs=0.1)


@pytest.mark.parametrize("name", ["h264-aac.mkv", "h264-ac3.mkv"])
def test_a_segment_is_the_same_whenever_it_is_made(media_file: MediaFile, name: str) -> None:
    path = media_file(name)
    found, track = sound_of(path)
    assert segment_of(path, found, track, 1) == segment_of(path, found, track, 1)


_NOISE = "anoisesrc=r={rate}:d=14:seed=1:color=pink:a=0.4,lowpass=f=4000,pan=stereo|c0=c0|c1=-0.5*c0"
_PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=14", "-c:v", "libx264", "-preset", "ultrafast", "-g", "60")


def _noise(path: Path, *words: str, rate: int = 48_000) -> Path:
    ffmpeg("-f", "lavfi", "-i", _NOISE.format(rate=rate), *words, path)
    return path


@pytest.mark.parametrize(
    ("name", "words", "rate"),
    [
        ("alac.m4a", ("-c:a", "alac"), 44_100),
        ("half.wav", (), 22_050),  # doubled
        ("odd.wav", (), 32_000),  # three samples for two
        ("high.flac.wav", ("-c:a", "pcm_s24le"), 96_000),
        ("true.mka", ("-c:a", "truehd", "-strict", "-2"), 48_000),  # frames shorter than the container's clock tells
        ("vorbis.mka", ("-c:a", "libvorbis", "-q:a", "9"), 44_100),  # frames of two lengths
        (
            "film.mkv",
            (*_PICTURE, "-c:a", "ac3", "-b:a", "448k"),
            44_100,
        ),  # 34.83 ms in a clock of ms
        ("bare.ac3", ("-b:a", "448k"), 48_000),
        ("bare.mp3", ("-q:a", "0"), 44_100),  # frames that borrow bits of those before
    ],
)
def test_joins_are_as_clean_as_the_rest(tmp_path: Path, name: str, words: tuple[str, ...], rate: int) -> None:
    path = _noise(tmp_path / name, *words, rate=rate)
    found, track = sound_of(path)
    segments = segments_of(path, found, track)
    uncut = replace(found, cuts=(0,))
    reference = tmp_path / "reference.wav"
    ffmpeg("-i", path, "-vn", "-ar", str(track["sample_rate"]), "-c:a", "pcm_f32le", reference)
    _, source = heard(reference)
    cut_up = _blocks(tmp_path, source, track_init(track), segments)
    whole = _blocks(tmp_path, source, track_init(track), segments_of(path, uncut, track))
    at_cuts = [segment.decode_time // 1024 - 8 + near for segment in segments[1:] for near in (-2, -1, 0, 1)]
    assert np.median(cut_up) > 15
    assert np.mean([whole[at] - cut_up[at] for at in at_cuts]) < 1.5  # dB; without warm frames it is 5 to 9


def _blocks(folder: Path, source: Samples, init: bytes, segments: list[Segment]) -> list[float]:
    """How near to the source what is played comes, for each 1,024 samples but the first and last 8,192."""
    played = folder / "played.mp4"
    played.write_bytes(init + b"".join(segment.content for segment in segments))
    _, result = heard(played)
    shift = _shift(source, result)
    return [
        noise_to_signal_db(source[at : at + 1024], result[at + shift : at + shift + 1024])
        for at in range(8192, min(len(source), len(result) - shift) - 8192, 1024)
    ]


def _shift(source: Samples, result: Samples) -> int:
    """By how many samples the result is late: containers and decoders begin at different places."""
    part = source[200_000:232_768]
    size = 1 << 20
    spectrum = np.fft.rfft(result[:size], size) * np.conj(np.fft.rfft(part, size))
    return int(np.argmax(np.fft.irfft(spectrum)[: size - len(part)])) - 200_000


@pytest.mark.parametrize("name", ["index-at-end.mp4", "h264-ac3.mkv", "song.opus", "song.flac", "song.mp3", "song.aac"])
def test_ffmpeg_plays_what_was_made(media_file: MediaFile, tmp_path: Path, name: str) -> None:
    path = media_file(name)
    found, track = sound_of(path)
    segments = segments_of(path, found, track)
    played = tmp_path / "played.mp4"
    played.write_bytes(track_init(track) + b"".join(segment.content for segment in segments))
    _, samples = heard(played)
    assert len(samples) / track["sample_rate"] == pytest.approx(24, abs=0.1)
    assert float(np.sqrt(np.mean(samples[48_000:96_000] ** 2))) > 0.05


def test_sound_that_was_lost_is_a_gap_and_shifts_nothing(tmp_path: Path) -> None:
    whole, holed = tmp_path / "whole.mkv", tmp_path / "holed.mkv"
    _noise(whole, *_PICTURE, "-c:a", "aac")
    ffmpeg("-i", whole, "-c", "copy", "-bsf:a", "noise=drop='between(pts*tb,8,9)'", holed)
    places = []
    for path in (whole, holed):
        found, track = sound_of(path)
        segments = segments_of(path, found, track)
        _assert_continuous(segments)
        places.append(_places(segments))
    kept = [place for place in places[0] if place in set(places[1])]
    assert 0 < len(places[0]) - len(places[1]) < 60
    assert kept == places[1]


def _places(segments: list[Segment]) -> list[int]:
    places = []
    for segment in segments:
        at = segment.decode_time
        for duration in segment.durations:
            places.append(at)
            at += duration
    return places


def test_lost_sound_is_silent_in_what_is_made_of_it(tmp_path: Path) -> None:
    whole, holed = tmp_path / "whole.mkv", tmp_path / "holed.mkv"
    _noise(whole, *_PICTURE, "-c:a", "ac3")
    ffmpeg("-i", whole, "-c", "copy", "-bsf:a", "noise=drop='between(pts*tb,8,9)'", holed)
    found, track = sound_of(holed)
    segments = segments_of(holed, found, track)
    played = tmp_path / "played.mp4"
    played.write_bytes(track_init(track) + b"".join(segment.content for segment in segments))
    _, samples = heard(played)
    _assert_continuous(segments)
    loudness = [float(np.sqrt(np.mean(samples[round(at * 48_000) :][:4800] ** 2))) for at in (7.5, 8.5, 9.5)]
    assert loudness[1] < 0.001 < 0.01 < min(loudness[0], loudness[2])


def test_sound_that_begins_late_is_silence_before(tmp_path: Path) -> None:
    early, late = tmp_path / "early.mka", tmp_path / "late.mkv"
    _noise(early, "-c:a", "ac3")
    ffmpeg(*_PICTURE[:4], "-itsoffset", "9", "-i", early, *_PICTURE[4:], "-c:a", "copy", late)
    found, track = sound_of(late)
    segments = segments_of(late, found, track)
    _assert_continuous(segments)
    assert segments[0].decode_time == 0
    assert all(segment.packets for segment in segments)


@pytest.mark.parametrize(("name", "codecs"), [
    ("index-at-end.mp4", "mp4a.40.2"), ("h264-mp3.mkv", "mp4a.40.2"), ("song.opus", "opus"), ("song.flac", "fLaC"),
    ("h264-ac3.mkv", "mp4a.40.2"),
])  # fmt: skip
def test_a_track_has_the_codecs_that_players_ask_for(media_file: MediaFile, name: str, codecs: str) -> None:
    assert sound_of(media_file(name))[1]["codecs"] == codecs


def test_he_aac_is_told_explicitly() -> None:
    entry = audio_entry("aac", made_aac_config(24_000, 2, object_type=5), 24_000, 2)
    assert bytes.fromhex("2b118800") in entry


def test_six_channels_stay_six(media_file: MediaFile) -> None:
    path = media_file("h264-surround.mkv")
    found, track = sound_of(path)
    assert track["channels"] == 6
    assert segment_of(path, found, track, 1).packets


def test_a_track_of_another_kind_is_refused(media_file: MediaFile) -> None:
    path = media_file("h264-aac.mkv")
    found, track = sound_of(path)
    with pytest.raises(NoSuchTrack):
        segment_of(path, found, {**track, "id": "a0"}, 0)
