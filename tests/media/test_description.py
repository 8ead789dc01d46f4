"""What is told of a file: all that a worker found, where everything of it is, and nothing of what is not there."""

import dataclasses
import io
import json

import pytest

from fileserver.media.description import LARGEST_FACTS, Stored, Subtitles, as_json, describe, parse_facts, undescribed
from fileserver.media.engine.facts.describe import describe as write_facts
from fileserver.media.facts import Facts
from fileserver.media.faults import MediaEngineFailed
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source

_SIDECAR = Subtitles(
    href="/film.de.srt.vtt", language="de", label="film.de.srt", is_forced=False, is_default=False, source="sidecar"
)


def _stored(media_type: str) -> Stored:
    return Stored(key="film", size=1000, etag='"abc"', media_type=media_type)


def _href(what: str) -> str:
    return f"/{what}"


def _product(media_file: MediaFile, name: str) -> bytes:
    product = io.BytesIO()
    with open_source(media_file(name)) as source:
        write_facts(source, {}, product)
    return product.getvalue()


def _facts(media_file: MediaFile, name: str) -> Facts:
    return parse_facts(_product(media_file, name))


def test_facts_come_back_as_they_were_written(media_file: MediaFile) -> None:
    product = _product(media_file, "languages.mkv")
    assert json.loads(json.dumps(dataclasses.asdict(parse_facts(product)))) == json.loads(product)


@pytest.mark.parametrize(
    "product",
    [
        b"",
        b"{}",
        b"[]",
        b"{" * 100_000,
        b'{"format": {}, "streams": [], "chapters": []}',
        b" " * LARGEST_FACTS + b"{}",
    ],
)
def test_what_is_not_of_their_form_is_refused(product: bytes) -> None:
    with pytest.raises(MediaEngineFailed):
        parse_facts(product)


@pytest.mark.parametrize(
    ("name", "value"), [("width", "wide"), ("width", None), ("disposition", ["default"]), ("codec_type", "film")]
)
def test_a_track_that_is_not_of_its_form_is_refused(media_file: MediaFile, name: str, value: object) -> None:
    told = json.loads(_product(media_file, "h264-aac.mkv"))
    told["streams"][0][name] = value
    with pytest.raises(MediaEngineFailed):
        parse_facts(json.dumps(told).encode())


def test_a_film_has_a_poster_a_storyboard_and_its_subtitles(media_file: MediaFile) -> None:
    told = describe(_stored("video/matroska"), _facts(media_file, "languages.mkv"), _href, sidecars=[_SIDECAR])
    assert (told.kind, told.cover, told.poster) == ("video", None, "/poster")
    assert (told.storyboard, told.waveform) == ("/storyboard.vtt", "/waveform.json")
    assert [(each.href, each.language, each.label, each.is_forced) for each in told.subtitles] == [
        ("/subtitles/s3.vtt", "eng", "eng", False),
        ("/subtitles/s4.vtt", "ger", "ger", True),
        ("/film.de.srt.vtt", "de", "film.de.srt", False),
    ]
    assert [way.method for way in told.playback] == ["direct", "remux"]


def test_a_song_has_its_cover_and_no_poster(media_file: MediaFile) -> None:
    told = describe(_stored("audio/mpeg"), _facts(media_file, "song.mp3"), _href)
    assert (told.kind, told.cover, told.poster, told.storyboard) == ("audio", "/cover", None, None)


def test_a_silent_film_has_no_waveform(media_file: MediaFile) -> None:
    assert describe(_stored("video/mp4"), _facts(media_file, "h264-silent.mp4"), _href).waveform is None


def test_a_container_for_films_that_holds_sound_alone_is_sound(media_file: MediaFile) -> None:
    assert describe(_stored("video/mp4"), _facts(media_file, "song.m4a"), _href).kind == "audio"


def test_it_is_json_in_the_words_of_ffprobe(media_file: MediaFile) -> None:
    told = json.loads(json.dumps(as_json(describe(_stored("video/mp4"), _facts(media_file, "book.m4b"), _href))))
    assert {"key", "size", "etag", "media_type", "kind", "format", "streams", "chapters", "cover", "poster",
            "storyboard", "waveform", "subtitles", "playback", "missing"} == told.keys()  # fmt: skip
    assert told["streams"][0]["codec_type"] == "audio"
    assert told["chapters"][0] == {"start": 0.0, "end": 8.0, "title": "One"}
    assert {"method", "href", "type", "reasons"} == told["playback"][0].keys()


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("video/mp4", "video"), ("audio/mpeg", "audio"), ("image/png", "image"), ("text/css", "other")],
)
def test_without_facts_the_kind_goes_by_the_type(media_type: str, kind: str) -> None:
    told = undescribed(_stored(media_type), lambda what: f"/{what}", missing="fileserver[media]")
    assert (told.kind, told.format, told.streams) == (kind, None, ())
    assert [(way.method, way.href, way.type) for way in told.playback] == (
        [("direct", "/file", media_type)] if kind in {"video", "audio"} else []
    )
    assert told.missing == "fileserver[media]"
