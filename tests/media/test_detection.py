"""What files are called, tried on real ones (FFmpeg and the standard library make them) under true and false names."""

import gzip
import io
import subprocess
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.media import HEAD_SIZE, detect

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OCTET_STREAM = "application/octet-stream"
PLAIN = "text/plain; charset=utf-8"

_TONE = ("-f", "lavfi", "-i", "sine=duration=1")
_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=1")
_NOISE = ("-f", "lavfi", "-i", "color=gray:size=256x256:duration=0.04,noise=alls=100")
_COVER = (*_NOISE, "-map", "0", "-map", "1")
_H264 = (*_PICTURE, *_TONE, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")

MADE: dict[str, tuple[tuple[str, ...], str]] = {
    "film.mp4": (_H264, "video/mp4"),
    "fragments.mp4": ((*_H264, "-movflags", "frag_keyframe+empty_moov"), "video/mp4"),
    "film.m4v": (_H264, "video/mp4"),
    "film.mov": (_H264, "video/quicktime"),
    "film.mkv": (_H264, "video/matroska"),
    "film.ts": (_H264, "video/mp2t"),
    "film.m2ts": ((*_H264, "-mpegts_m2ts_mode", "1"), "video/mp2t"),
    "film.webm": ((*_PICTURE, "-c:v", "libvpx"), "video/webm"),
    "film.ogv": ((*_PICTURE, "-c:v", "libtheora"), "video/ogg"),
    "film.avi": (_PICTURE, "video/x-msvideo"),
    "song.m4a": ((*_TONE, "-c:a", "aac"), "audio/mp4"),
    "book.m4b": ((*_TONE, "-c:a", "aac", "-f", "mp4"), "audio/mp4"),
    "song.mp3": (_TONE, "audio/mpeg"),
    "bare.mp3": ((*_TONE, "-id3v2_version", "0", "-write_xing", "0"), "audio/mpeg"),
    "cover.mp3": ((*_TONE, *_COVER), "audio/mpeg"),
    "song.eac3": (_TONE, "audio/eac3"),
    "song.aac": (_TONE, "audio/aac"),
    "song.flac": (_TONE, "audio/flac"),
    "song.ogg": (_TONE, "audio/ogg"),
    "song.opus": (_TONE, "audio/ogg"),
    "song.oga": ((*_TONE, "-c:a", "flac"), "audio/ogg"),
    "song.weba": ((*_TONE, "-c:a", "libopus", "-f", "webm"), "audio/webm"),
    "song.mka": (_TONE, "audio/matroska"),
    "song.wav": (_TONE, "audio/wav"),
    "song.aiff": (_TONE, "audio/aiff"),
    "song.wma": (_TONE, "audio/x-ms-wma"),
    "still.png": ((*_PICTURE, "-frames:v", "1"), "image/png"),
    "still.gif": ((*_PICTURE, "-frames:v", "1"), "image/gif"),
    "still.jpg": ((*_PICTURE, "-frames:v", "1"), "image/jpeg"),
    "still.webp": ((*_PICTURE, "-frames:v", "1"), "image/webp"),
    "still.bmp": ((*_PICTURE, "-frames:v", "1"), "image/bmp"),
    "still.tiff": ((*_PICTURE, "-frames:v", "1"), "image/tiff"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The head of each file in `MADE`."""
    folder = tmp_path_factory.mktemp("made")
    return {name: _make(folder / name, words) for name, (words, _) in MADE.items()}


def _make(path: Path, words: tuple[str, ...]) -> bytes:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *words, str(path)], check=True, timeout=60)
    with path.open("rb") as file:
        return file.read(HEAD_SIZE)


def _zip(*members: tuple[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


def _pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"


ZIP = _zip(("a.txt", "a"))
OFFICE = _zip(("[Content_Types].xml", "<Types/>"), ("_rels/.rels", "x"), ("word/document.xml", "x"))
EPUB = _zip(("mimetype", "application/epub+zip"), ("META-INF/container.xml", "x"))
OPEN_DOCUMENT = _zip(("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "x"))


@pytest.mark.parametrize("name", MADE)
def test_media_has_its_type(made: dict[str, bytes], name: str) -> None:
    assert detect(made[name], name) == MADE[name][1]


@pytest.mark.parametrize("name", MADE)
def test_media_has_a_type_of_its_kind_without_a_name(made: dict[str, bytes], name: str) -> None:
    found = detect(made[name], "noname").partition("/")[0]
    expected = MADE[name][1].partition("/")[0]
    assert found == expected or {found, expected} == {"audio", "video"}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("claim", ["a.txt", "a.csv", "a.html", "a.js", "a.svg", "a.pdf", "a.zip"])
def test_media_under_the_name_of_something_else_is_what_it_is_without_one(
    made: dict[str, bytes], name: str, claim: str
) -> None:
    assert detect(made[name], claim) == detect(made[name], "noname")


@pytest.mark.parametrize("name", ["song.mka", "song.weba", "song.m4a", "song.ogg", "song.wma", "film.mkv", "film.ogv"])
def test_tracks_and_not_the_name_say_whether_it_is_film_or_sound(made: dict[str, bytes], name: str) -> None:
    for claim in ("noname", "a.mp4", "a.mkv", "a.webm", "a.ogg", "a.wmv", "a.mka"):
        assert detect(made[name], claim) == MADE[name][1]


def test_a_book_with_pictures_of_its_chapters_is_sound_by_its_name_alone(made: dict[str, bytes]) -> None:
    assert detect(made["film.m4v"], "book.m4b") == "audio/mp4"
    assert detect(made["film.m4v"], "book.mp4") == "video/mp4"


def test_a_song_is_one_though_its_cover_is_larger_than_the_head(made: dict[str, bytes]) -> None:
    assert b"APIC" in made["cover.mp3"][:200]
    assert len(made["cover.mp3"]) == HEAD_SIZE
    assert b"Lavc" not in made["cover.mp3"]  # in the first frame of the sound
    assert detect(made["cover.mp3"], "noname") == "audio/mpeg"


def test_a_name_of_the_same_kind_changes_nothing(made: dict[str, bytes]) -> None:
    assert detect(made["still.jpg"], "a.png") == "image/jpeg"
    assert detect(made["song.flac"], "a.mp3") == "audio/flac"
    assert detect(made["song.flac"], "a.m4a") == "audio/flac"
    assert detect(made["film.mkv"], "a.webm") == "video/matroska"
    assert detect(made["film.webm"], "a.mp4") == "video/webm"
    assert detect(made["film.ogv"], "a.ogg") == "video/ogg"


def test_pictures_and_films_are_not_taken_for_each_other(made: dict[str, bytes]) -> None:
    assert detect(made["still.jpg"], "a.mp4") == "image/jpeg"
    assert detect(made["film.mp4"], "a.png") == "video/mp4"


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (ZIP, "a.zip", "application/zip"),
        (ZIP, "a", "application/zip"),
        (_zip(), "empty.zip", "application/zip"),
        (ZIP, "a.docx", DOCX),
        (OFFICE, "a.docx", DOCX),
        (OFFICE, "a", DOCX),
        (OFFICE, "a.zip", DOCX),
        (OFFICE, "a.xlsx", DOCX),
        (ZIP, "a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (ZIP, "a.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        (EPUB, "a.epub", "application/epub+zip"),
        (EPUB, "a", "application/epub+zip"),
        (OPEN_DOCUMENT, "a.odt", "application/vnd.oasis.opendocument.text"),
        (ZIP, "a.JAR", "application/java-archive"),
        (ZIP, "a.apk", "application/vnd.android.package-archive"),
        (ZIP, "a.txt", "application/zip"),
        (ZIP, "a.mp4", "application/zip"),
        (OFFICE, "a.html", DOCX),
        (_pdf(), "a.pdf", "application/pdf"),
        (_pdf(), "a", "application/pdf"),
        (_pdf() + bytes(8), "a.png", "application/pdf"),
        (b"no zip", "a.docx", PLAIN),
        (bytes(99), "a.docx", OCTET_STREAM),
        (gzip.compress(b"a"), "a.csv.gz", "application/gzip"),
        (gzip.compress(b"a"), "a.csv", "application/gzip"),
        (_zip(("mimetype", "text/html"), ("a", "a")), "a", "application/zip"),
        (_zip(("inner.docx", OFFICE.decode("latin-1"))), "a", "application/zip"),
        (_zip(("word/a.txt", "a")), "a", "application/zip"),
        (_tar(), "a.tar", "application/x-tar"),
        (b"SQLite format 3\0" + bytes(99), "a.db", "application/vnd.sqlite3"),
        (b"PAR1" + bytes(99), "a.parquet", "application/vnd.apache.parquet"),
        (b"\0asm\1\0\0\0", "a.wasm", "application/wasm"),
        (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + bytes(40), "favicon.ico", "image/x-icon"),
        (b"\0\0\0\x10stypmsdh\0\0\0\0" + bytes(99), "film-1.m4s", "video/mp4"),
        (b"\0\0\0\x10stypmsdh\0\0\0\0" + bytes(99), "song-1.m4a", "audio/mp4"),
        (bytes(99), "a", OCTET_STREAM),
        (bytes(99), "a.mp4", OCTET_STREAM),
        (bytes(99), "a.txt", OCTET_STREAM),
    ],
)
def test_archives_and_other_binary_files(head: bytes, name: str, media_type: str) -> None:
    assert detect(head, name) == media_type


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (b"a,b\n1,2\n3,4\n", "a.csv", "text/csv; charset=utf-8"),
        (b"a;b\n1;2\n", "a.CSV", "text/csv; charset=utf-8"),
        (b"a,b\n1,2\n3,4\n", "a", "text/csv; charset=utf-8"),
        (b"a,b\n1,2\n3,4\n", "a.txt", PLAIN),
        (b"GIF89a,b\n1,2\n", "a.csv", "text/csv; charset=utf-8"),
        (b"BM,b\n1,2\n", "a.csv", "text/csv; charset=utf-8"),
        (b'a,b\n1,"<html>"\n', "a.csv", "text/csv; charset=utf-8"),
        (b"a\tb\n1\t2\n", "a.tsv", "text/tab-separated-values; charset=utf-8"),
        (b"# A\n\nb\n", "a.md", "text/markdown; charset=utf-8"),
        (b'<p align="center">A</p>\n\n# B\n', "a.md", "text/markdown; charset=utf-8"),
        (b"Words, then\n\n<script>x</script>\n", "a.md", "text/markdown; charset=utf-8"),
        (b'{"a": 1}', "a.json", "application/json"),
        (b'{"a": 1}', "a", "application/json"),
        (b'{"a": "<script>x</script>"}', "a.json", "application/json"),
        (b'{"a": 1}\n{"a": 2}\n', "a.ndjson", "application/x-ndjson"),
        (b'{"a": 1}\n{"a": 2}\n', "a.jsonl", "application/x-ndjson"),
        (b"let a = '<html>'", "a.js", "text/javascript; charset=utf-8"),
        (b"a { color: red }", "a.css", "text/css; charset=utf-8"),
        (b"import os\n", "a.py", "text/x-python; charset=utf-8"),
        (b"let a: number = 1\n", "a.ts", "text/x-typescript; charset=utf-8"),
        (b"#!/bin/sh\necho\n", "run", "text/x-shellscript; charset=utf-8"),
        (b"all: a\n", "Makefile", "text/x-makefile; charset=utf-8"),
        (b"WEBVTT\n\n", "a", "text/vtt; charset=utf-8"),
        (b"WEBVTT\n\n", "a.txt", PLAIN),
        (b"#EXTM3U\n#EXT-X-VERSION:7\n", "a.m3u", "application/vnd.apple.mpegurl"),
        (b"#EXTM3U\n#EXTINF:1,a\na.mp3\n", "a", "audio/x-mpegurl"),
        (b"G" * 1880, "a.ts", "text/x-typescript; charset=utf-8"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nA\n", "a.srt", "application/x-subrip"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nA\n", "a.vtt", "text/vtt; charset=utf-8"),
        (b"hello", "README", PLAIN),
        (b"hello", ".profile", PLAIN),
        (b"hello", "a.unknown", PLAIN),
        (b"hello", "a.mp4", PLAIN),
        (b"hello", "a.png", PLAIN),
        (b"a,b\n1,2\n3,4\n", "a.mp4", PLAIN),
        (b"hello", "a.svg", PLAIN),
        (b"hello", "a.xml", PLAIN),
        (b"hello", "a.html", "text/html; charset=utf-8"),
        (b"GIF89a=1;alert(1)", "a.gif", PLAIN),
        (b"\n" * HEAD_SIZE, "a", PLAIN),
        (b" " * 9999 + b"a,b\n1,2\n", "a.csv", "text/csv; charset=utf-8"),
        (_pdf(), "a.txt", PLAIN),
    ],
)
def test_text_goes_by_its_name(head: bytes, name: str, media_type: str) -> None:
    assert detect(head, name) == media_type


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ("grün".encode(), "; charset=utf-8"),
        ("\ufeffgrün".encode(), "; charset=utf-8"),
        ("grün".encode("latin-1"), ""),
        ("café".encode("latin-1"), ""),
        ("grün".encode("utf-16"), ""),
        ("日本語のテキスト".encode("shift-jis"), ""),
    ],
)
@pytest.mark.parametrize(("name", "media_type"), [("a.txt", "text/plain"), ("a.csv", "text/csv"), ("a", "text/plain")])
def test_only_utf_8_is_declared(head: bytes, charset: str, name: str, media_type: str) -> None:
    assert detect(head, name) == media_type + charset


@pytest.mark.parametrize("character", ["ü", "€", "😀"])
def test_a_character_cut_by_the_end_of_the_head_is_still_utf_8(character: str) -> None:
    for kept in range(1, len(character.encode())):
        head = b"a" * (HEAD_SIZE - kept) + character.encode()[:kept]
        assert detect(head, "a.txt") == PLAIN


def test_a_character_cut_by_the_end_of_the_file_is_not() -> None:
    assert detect("grü".encode()[:-1], "a.txt") == "text/plain"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.txt", PLAIN),
        ("a.csv", "text/csv; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", PLAIN),
        ("a.mp4", OCTET_STREAM),
        ("a.docx", OCTET_STREAM),
        ("a", OCTET_STREAM),
        ("", OCTET_STREAM),
    ],
)
def test_an_empty_file_is_empty_text_or_no_bytes(name: str, media_type: str) -> None:
    assert detect(b"", name) == media_type


def test_a_name_may_be_anything() -> None:
    for name in ("caf\udce9.txt", "a\0.txt", "." * 300 + "txt", "\u202etxt.txt", "a/b.txt"):
        assert detect(b"hello", name) == PLAIN


@given(st.binary(max_size=2000), st.sampled_from(["a", "a.txt", "a.mp4", "a.docx", "a.svg", "a.md"]))
def test_any_bytes_have_a_type_that_a_header_can_hold(head: bytes, name: str) -> None:
    kind, _, subtype = detect(head, name).partition("/")
    assert kind in {"application", "audio", "font", "image", "message", "model", "text", "video"}
    assert subtype.isascii()
    assert subtype.isprintable()


def test_threads_do_not_disturb_each_other(made: dict[str, bytes]) -> None:
    names = list(MADE) * 20
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda name: detect(made[name], name), names))
    assert found == [MADE[name][1] for name in names]
