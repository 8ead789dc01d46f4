"""What files are found to hold, beside what the real ffprobe says of them."""

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from fileserver.media.description import parse_facts
from fileserver.media.engine.facts.describe import describe
from fileserver.media.engine.pictures import stills
from fileserver.media.facts import LONGEST_TAG, MOST_CHAPTERS, MOST_TAGS, AudioTrack, Facts, SubtitleTrack, VideoTrack
from fileserver.media.faults import DamagedMedia, NotMedia
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.support.media_files import CHAPTERS, ffmpeg

_NAMES = (
    "index-at-end.mp4", "fragmented.mp4", "h264-aac.mov", "h264-alac.mov", "h264-pcm.mov", "rotated.mp4",
    "variable-rate.mp4", "av1-opus.mp4", "vp9-opus.mp4", "hevc-aac.mp4", "languages.mp4",
    "h264-dts.mkv", "h264-surround.mkv", "languages.mkv", "av1-opus.webm", "vp8-vorbis.webm",
    "h264-mp2.ts", "h264-ac3.m2ts", "interlaced.ts", "hevc-ac3.ts", "mpeg1-mp2.mpg",
    "h264-mp3.avi", "mpeg4-mp3.avi", "h264-aac.flv", "wmv2-wma.wmv",
    "alac.m4a", "book.m4b", "song.flac", "high.flac", "song.opus", "song.ogg", "song.mp3", "song.wav", "deep.wav",
    "song.aiff", "song.wma", "song.eac3", "flac.mka",
)  # fmt: skip

Json = dict[str, Any]


def _described(path: Path, media_type: str | None = None) -> Facts:
    product = io.BytesIO()
    with open_source(path, media_type) as source:
        describe(source, {}, product)
    return parse_facts(product.getvalue())


def _probed(path: Path) -> Json:
    shown = ("-show_format", "-show_streams", "-show_chapters")
    asked = subprocess.run(
        ["ffprobe", "-v", "error", *shown, "-of", "json", str(path)], check=True, capture_output=True, timeout=60
    )
    return dict(json.loads(asked.stdout))


@pytest.mark.parametrize("name", _NAMES)
def test_a_file_holds_what_ffprobe_finds(media_file: MediaFile, name: str) -> None:
    facts, probed = _described(media_file(name)), _probed(media_file(name))
    assert [_short(vars_of) for vars_of in map(_of_track, facts.streams)] == [
        _short(_of_stream(stream)) for stream in probed["streams"]
    ]
    assert facts.format.duration == pytest.approx(float(probed["format"]["duration"]), abs=0.1)
    assert facts.format.start_time == pytest.approx(float(probed["format"].get("start_time", 0)), abs=0.03)
    assert [(chapter.start, chapter.end, chapter.title) for chapter in facts.chapters] == [
        (float(chapter["start_time"]), float(chapter["end_time"]), chapter["tags"]["title"])
        for chapter in probed["chapters"]
    ]


def _short(track: Json) -> Json:
    """Without what is not there, to be read in a failure."""
    return {name: value for name, value in track.items() if value not in (None, "", False)}


def _of_track(track: object) -> Json:
    named = {name: getattr(track, name, None) for name in ("index", "codec_type", "codec_name", "language", "title")}
    dispositions = getattr(track, "disposition", {})
    named["disposition"] = sorted(name for name, is_set in dispositions.items() if is_set)
    match track:
        case VideoTrack():
            named |= {"size": (track.width, track.height), "pix_fmt": track.pix_fmt, "rotation": track.rotation}
            named |= {"shape": track.sample_aspect_ratio, "is_interlaced": track.is_interlaced}
            named |= {"frame_rate": None if track.is_cover else track.frame_rate}
        case AudioTrack():
            named |= {"channels": track.channels, "sample_rate": track.sample_rate, "bits": track.bits_per_sample}
    return named


def _of_stream(stream: Json) -> Json:
    tags = stream.get("tags", {})
    language = tags.get("language")
    named: Json = {
        "index": stream["index"],
        "codec_type": stream["codec_type"],
        "codec_name": stream.get("codec_name", "none"),
        "language": None if language == "und" else language,
        "title": tags.get("title"),
        "disposition": sorted(name for name, is_set in stream["disposition"].items() if is_set),
    }
    if stream["codec_type"] == "video":
        counterclockwise = sum(int(side.get("rotation", 0)) for side in stream.get("side_data_list", []))
        named |= {"size": (stream["width"], stream["height"]), "pix_fmt": stream["pix_fmt"]}
        named |= {"rotation": -counterclockwise % 360, "shape": stream.get("sample_aspect_ratio", "1:1")}
        named |= {"is_interlaced": stream.get("field_order", "progressive") not in {"progressive", "unknown"}}
        named |= {"frame_rate": None if stream["disposition"]["attached_pic"] else _rate(stream)}
    if stream["codec_type"] == "audio":
        depth = int(stream.get("bits_per_raw_sample", 0)) or int(stream["bits_per_sample"])
        is_lossless = stream["codec_name"].startswith("pcm_") or stream["codec_name"] in {"alac", "flac"}
        named |= {"channels": stream["channels"], "sample_rate": int(stream["sample_rate"])}
        named |= {"bits": depth if is_lossless else None}
    return named


def _rate(stream: Json) -> float:
    """The lower one of two answers: in AVI the average is of fields."""
    both = [stream[name].split("/") for name in ("avg_frame_rate", "r_frame_rate")]
    return min(round(int(above) / int(below), 3) for above, below in both if int(below))


def test_tags_are_the_files_own_by_small_names(media_file: MediaFile) -> None:
    for name in ("song.mp3", "song.flac", "song.ogg", "song.m4a"):
        tags = _described(media_file(name)).format.tags
        assert {"title": "A song", "artist": "Nobody", "album": "Tones"}.items() <= tags.items(), name
    assert _described(media_file("languages.mkv")).format.tags["title"] == "In two languages"


def test_a_cover_is_no_film(media_file: MediaFile) -> None:
    facts = _described(media_file("song.mp3"))
    assert [track.is_cover for track in facts.streams if isinstance(track, VideoTrack)] == [True]
    assert facts.films == ()


def test_subtitles_and_chapters_are_told(media_file: MediaFile) -> None:
    facts = _described(media_file("languages.mkv"))
    texts = [(track.id, track.is_text) for track in facts.streams if isinstance(track, SubtitleTrack)]
    assert texts == [("s3", True), ("s4", True)]
    assert [(chapter.start, chapter.end, chapter.title) for chapter in facts.chapters] == list(CHAPTERS)


def test_a_turn_is_the_one_that_frames_have(media_file: MediaFile) -> None:
    with av.open(str(media_file("rotated.mp4"))) as container:
        turned = next(container.decode(container.streams.video[0])).rotation
    assert turned != 0
    assert _described(media_file("rotated.mp4")).films[0].rotation == -turned % 360


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("h264-aac.mkv", ("avc1.4d400c", "mp4a.40.2")),
        ("h264-aac.ts", ("avc1.4d400c", "mp4a.40.2")),  # parameter sets within the stream alone
        ("hevc-aac.mp4", ("hvc1.1.6.L60.90", "mp4a.40.2")),
        ("hevc-ac3.ts", ("hvc1.1.6.L60.90", "ac-3")),
        ("av1-aac.mkv", ("av01.0.00M.08", "mp4a.40.2")),
        ("vp9-opus.webm", ("vp09.00.11.08", "opus")),
        ("h264-mp3.avi", ("avc1.4d400c", "mp3")),
        ("h264-truehd.mkv", ("avc1.4d400c", "mlpa")),
        ("h264-pcm.mov", ("avc1.4d400c", "sowt")),
        ("mpeg2-mp2.ts", ("mp4v.61", "mp4a.40.33")),
        ("wmv2-wma.wmv", (None, None)),
    ],
)
def test_tracks_are_called_as_players_call_them(
    media_file: MediaFile, name: str, codecs: tuple[str | None, ...]
) -> None:
    assert tuple(track.codecs for track in _described(media_file(name)).streams) == codecs


@pytest.mark.parametrize(
    ("name", "is_last"),
    [("index-at-end.mp4", True), ("index-at-front.mp4", False), ("fragmented.mp4", False), ("h264-aac.mkv", False)],
)
def test_an_index_behind_the_media_is_seen(media_file: MediaFile, name: str, *, is_last: bool) -> None:
    assert _described(media_file(name)).is_index_last is is_last


@pytest.mark.parametrize("name", ["sound.avi", "sound.wav"])
def test_aac_in_riff_has_a_number_for_a_name(media_file: MediaFile, tmp_path: Path, name: str) -> None:
    ffmpeg("-i", media_file("song.m4a"), "-c", "copy", "-t", "2", tmp_path / name)
    assert [track.codecs for track in _described(tmp_path / name).streams] == ["mp4a.40.2"]


def test_hdr_is_seen(media_file: MediaFile, tmp_path: Path) -> None:
    pq = tmp_path / "pq.mkv"
    colours = ("-color_trc", "smpte2084", "-color_primaries", "bt2020", "-colorspace", "bt2020nc")
    ffmpeg("-i", media_file("vp9-opus.webm"), "-an", "-c", "copy", "-t", "1", *colours, pq)
    assert _described(pq).films[0].is_hdr
    assert not _described(media_file("vp9-opus.webm")).films[0].is_hdr


@pytest.mark.parametrize("sound", [b"ac-4", b"mha1"])
def test_sound_that_nothing_decodes_is_sound_all_the_same(media_file: MediaFile, tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(media_file("h264-ac3.mp4").read_bytes().replace(b"ac-3", sound))
    found = _described(path).sounds[0]
    assert (found.channels, found.codecs) == (0, {b"ac-4": "ac-4"}.get(sound))


def test_a_transport_stream_is_not_read_through_for_its_duration(media_file: MediaFile, tmp_path: Path) -> None:
    content = media_file("h264-aac.ts").read_bytes()
    path = tmp_path / "film.ts"
    with path.open("wb") as file:
        file.write(content)
        file.seek(188 * (1 << 22))
        file.write(content)
    before = _bytes_read()
    assert _described(path).format.duration == pytest.approx(24, abs=0.1)
    assert _bytes_read() - before < 32 << 20 < path.stat().st_size


def _bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.partition(": ")[2] for line in lines if line.startswith("rchar")))


def test_chapters_and_tags_are_bounded(media_file: MediaFile, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    tags = "".join(f"tag{number}=x\n" for number in range(MOST_TAGS + 50))
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART={}\nEND={}\ntitle=" + "t" * 1000 + "\n"
    chapters = "".join(chapter.format(number, number + 1) for number in range(MOST_CHAPTERS + 50))
    words.write_text(f";FFMETADATA1\ncomment={'c' * 10_000}\n{tags}{chapters}")
    path = tmp_path / "many.mka"
    ffmpeg("-i", media_file("song.opus"), "-i", words, "-map", "0", "-map_metadata", "1", "-c", "copy", path)
    facts = _described(path)
    assert (len(facts.chapters), len(facts.format.tags)) == (MOST_CHAPTERS, MOST_TAGS)
    assert max(map(len, facts.format.tags.values())) == LONGEST_TAG


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x1c", "\x85", "\u2028"])
def test_a_tag_cannot_pass_for_what_ffmpeg_says_itself(media_file: MediaFile, tmp_path: Path, end: str) -> None:
    path = tmp_path / "film.mkv"
    tag = f"x{end}  Stream #0:0: Audio: flac (16 bit){end}      Display Matrix: rotation of 90.00 degrees{end}"
    names = ("-metadata", f"title={tag}", "-metadata", "Display Matrix=rotation of 90.00 degrees")
    ffmpeg("-i", media_file("h264-aac.mkv"), "-c", "copy", *names, "-metadata:s:v", f"title={tag}", path)
    facts = _described(path)
    assert (facts.films[0].rotation, facts.films[0].codec_name) == (0, "h264")


def test_a_jpeg_xl_has_its_size_without_being_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.jxl").write_bytes(bytes.fromhex("ff0a7f06"))  # of 256 x 256, and nothing behind it
    found = _described(tmp_path / "a.jxl", "image/jxl").films[0]
    assert (found.width, found.height, found.codec_name) == (256, 256, "jpegxl")


@pytest.mark.parametrize("kind", ["avif", "heic", "jpeg", "jxl", "png", "tiff", "webp"])
@pytest.mark.parametrize("content", [b"", b"\xff\x0a", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", b"II*\x00\xff\xff"])
def test_a_picture_that_breaks_off_in_its_head_is_damaged(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DamagedMedia):
        _described(tmp_path / "a", f"image/{kind}")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3])
@pytest.mark.parametrize("name", ["index-at-end.mp4", "h264-aac.mkv", "song.flac"])
def test_a_file_that_breaks_off_is_told_as_far_as_it_goes(
    media_file: MediaFile, tmp_path: Path, name: str, share: float
) -> None:
    content = media_file(name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * share)])
    media_type = {"index-at-end.mp4": "video/mp4", "h264-aac.mkv": "video/matroska", "song.flac": "audio/flac"}[name]
    try:
        facts = _described(path, media_type)
    except DamagedMedia:
        return
    assert share > 0
    assert facts.streams


def test_what_is_no_media_is_not_tried(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\nfile:///etc/passwd\n")
    with pytest.raises(NotMedia):
        _described(path)


@pytest.fixture(scope="module", autouse=True)
def _readers() -> None:
    """What the process does that workers are forked from."""
    stills.prepare()


_PICTURES = ("a.jpg", "a.png", "a.gif", "a.webp", "a.bmp", "a.tiff", "a.avif", "a.heic", "a.ico", "a.jp2")


@pytest.mark.parametrize("name", _PICTURES)
def test_a_picture_has_its_size(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.new("RGB", (48, 32), "teal").save(path, sizes=[(48, 32)])
    facts = _described(path)
    assert [(track.id, track.width, track.height, track.rotation) for track in facts.films] == [("v0", 48, 32, 0)]
    assert facts.format.duration is None


@pytest.mark.parametrize(("orientation", "rotation"), [(1, 0), (3, 180), (6, 90), (8, 270), (99, 0)])
def test_a_photograph_is_turned_as_its_camera_was(tmp_path: Path, orientation: int, rotation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (48, 32)).save(tmp_path / "a.jpg", exif=exif)
    assert _described(tmp_path / "a.jpg").films[0].rotation == rotation


def test_a_picture_in_disguise_is_not_read_as_what_it_is(tmp_path: Path) -> None:
    Image.new("RGB", (48, 32)).save(tmp_path / "a.png")
    with pytest.raises(DamagedMedia):
        _described(tmp_path / "a.png", "image/jpeg")


def test_no_descriptor_stays_open(media_file: MediaFile) -> None:
    before = len(os.listdir("/proc/self/fd"))
    _described(media_file("index-at-end.mp4"))
    assert len(os.listdir("/proc/self/fd")) == before
