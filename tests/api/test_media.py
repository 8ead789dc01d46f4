"""`/media/{key}`: descriptions, what is made of files, and its addresses."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of
from tests.support.media_files import made, shared_folder

FILM = "films/languages.mkv"
GOOD = "private, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests of the file, as they share a server."""
    return "asyncio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is served."""
    path = tmp_path_factory.mktemp("served")
    parts = shared_folder(tmp_path_factory.getbasetemp())
    (path / "films").mkdir()
    for name in ("languages.mkv", "song.flac", "book.m4b", "mpeg2-ac3.mkv"):
        (path / "films" / name).write_bytes(made(name, parts).read_bytes())
    (path / "films" / "languages.de.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nGrüß <i>Gott</i>\n")
    (path / "films" / "poster").write_bytes(made("song.flac", parts).read_bytes())
    (path / "notes.txt").write_text("no film\n")
    (path / "ruin.mp4").write_bytes(made("index-at-front.mp4", parts).read_bytes()[:600])
    return path


@pytest.fixture(scope="module")
async def app(folder: Path) -> AsyncIterator[FastAPI]:
    """A server, whose workers stay warm from test to test."""
    opened = create_app(Settings(root=folder))
    async with running(opened):
        yield opened


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with client_of(app) as opened:
        yield opened


async def described(client: httpx.AsyncClient, key: str) -> dict[str, Any]:
    answer = await client.get(f"/media/{key}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    told: dict[str, Any] = answer.json()
    return told


def hrefs(told: object) -> list[str]:
    """All addresses in a description."""
    if isinstance(told, dict):
        return [href for each in told.values() for href in hrefs(each)]
    if isinstance(told, list):
        return [href for each in told for href in hrefs(each)]
    return [told] if isinstance(told, str) and told.startswith("/") else []


@pytest.mark.parametrize("key", [FILM, "films/song.flac", "films/book.m4b"])
async def test_every_address_of_a_description_answers(client: httpx.AsyncClient, key: str) -> None:
    told = await described(client, key)
    found = hrefs(told)
    assert len(found) >= 3
    for href in found:
        answer = await client.get(href)
        assert answer.status_code == 200, (href, answer.text)
        assert answer.content


async def test_a_description_names_the_file_its_tracks_and_its_subtitles(client: httpx.AsyncClient) -> None:
    told = await described(client, FILM)
    assert (told["key"], told["kind"], told["missing"]) == (FILM, "video", None)
    assert [stream["id"] for stream in told["streams"]][:2] == ["v0", "a1"]
    beside = [each for each in told["subtitles"] if each["source"] == "sidecar"]
    assert [(each["language"], each["is_forced"]) for each in beside] == [("de", False)]
    words = await client.get(beside[0]["href"])
    assert words.headers["content-type"] == "text/vtt; charset=utf-8"
    assert words.text == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nGrüß <i>Gott</i>\n"


async def test_what_is_no_media_is_described_without_tracks(client: httpx.AsyncClient) -> None:
    told = await described(client, "notes.txt")
    assert (told["kind"], told["streams"], told["playback"]) == ("other", [], [])
    answer = await client.get("/media/notes.txt/poster")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:problem-type:fileserver:not-media")


async def test_a_damaged_file_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/media/ruin.mp4")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:problem-type:fileserver:damaged-media")


async def test_what_names_its_version_may_be_kept_for_good(client: httpx.AsyncClient) -> None:
    href = (await described(client, FILM))["poster"]
    answer = await client.get(href)
    assert (answer.headers["cache-control"], answer.headers["content-type"]) == (GOOD, "image/webp")
    plain = await client.get(href.partition("?")[0])
    assert plain.headers["cache-control"] == "private, no-cache"
    assert plain.content == answer.content


async def test_of_another_version_there_is_nothing(client: httpx.AsyncClient) -> None:
    for ending in ("", "/poster", "/hls/master.m3u8", "/hls/v0/0.m4s", "/chapters.vtt"):
        answer = await client.get(f"/media/{FILM}{ending}?v=0123456789abcdef")
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:problem-type:fileserver:replaced")


@pytest.mark.parametrize("ending", ["/hls/master.m3u8", "/hls/v0/index.m3u8"])
async def test_a_playlist_names_the_version_also_unasked(client: httpx.AsyncClient, ending: str) -> None:
    """Its segments would else be those of another file, once that has taken its place."""
    version = (await described(client, FILM))["poster"].rpartition("v=")[2].partition("&")[0]
    lines = (await client.get(f"/media/{FILM}{ending}")).text.splitlines()
    assert all(line.endswith(f"?v={version}") for line in lines if not line.startswith("#"))
    asked = (await client.get(f"/media/{FILM}{ending}?v={version}")).text.splitlines()
    assert asked == lines


async def test_a_description_is_asked_about_each_time(client: httpx.AsyncClient) -> None:
    """Subtitles beside the film come and go without another version of it."""
    version = (await described(client, FILM))["poster"].rpartition("v=")[2].partition("&")[0]
    answer = await client.get(f"/media/{FILM}?v={version}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-cache")


@pytest.mark.parametrize("field", [("if-none-match", "*"), ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")])
async def test_conditions_find_nothing_where_there_is_nothing(
    client: httpx.AsyncClient, field: tuple[str, str]
) -> None:
    """RFC 9110 s.13.2.1: they are ignored where the answer would be an error without them."""
    assert (await client.get(f"/media/{FILM}/cover", headers=[field])).status_code == 404
    assert (await client.get(f"/media/{FILM}/poster", headers=[field])).status_code == 304


@pytest.mark.parametrize("ending", ["subtitles/s{}.vtt", "hls/v0/{}.m4s", "hls/v0/{}.vtt"])
async def test_a_number_without_end_names_nothing(client: httpx.AsyncClient, ending: str) -> None:
    assert (await client.get(f"/media/{FILM}/{ending.format('9' * 5000)}")).status_code == 404


async def test_segments_have_the_suffix_of_their_kind(client: httpx.AsyncClient) -> None:
    for ending, status in (("v0/0.m4s", 200), ("a1/0.m4s", 200), ("v0/0.vtt", 404), ("a1/0.vtt", 404)):
        assert (await client.get(f"/media/{FILM}/hls/{ending}")).status_code == status


async def test_pictures_come_in_ranges_and_are_validated(client: httpx.AsyncClient) -> None:
    whole = await client.get(f"/media/{FILM}/poster")
    part = await client.get(f"/media/{FILM}/poster", headers={"range": "bytes=4-11"})
    assert (part.status_code, part.content) == (206, whole.content[4:12])
    again = await client.get(f"/media/{FILM}/poster", headers={"if-none-match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head(f"/media/{FILM}/poster")
    assert head.headers["content-length"] == str(len(whole.content))


async def test_an_unchanged_description_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get(f"/media/{FILM}")
    again = await client.get(f"/media/{FILM}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


async def test_a_name_that_looks_like_a_part_is_a_name_where_nothing_is_above_it(client: httpx.AsyncClient) -> None:
    told = await described(client, "films/poster")
    assert (told["key"], told["kind"]) == ("films/poster", "audio")
    assert (await client.get("/media/nowhere/poster")).status_code == 404


@pytest.mark.parametrize("width", ["0", "5000", "x"])
async def test_a_width_that_is_none_is_refused(client: httpx.AsyncClient, width: str) -> None:
    answer = await client.get(f"/media/{FILM}/poster?width={width}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "width")


async def test_a_play_list_names_the_file_for_other_programs(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/media/{FILM}/play.m3u", headers={"host": "films.test:81"})
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = answer.text.splitlines()
    assert lines[:2] == ["#EXTM3U", "#EXTINF:24,languages.mkv"]
    assert lines[2].startswith(f"http://films.test:81/files/{FILM}?v=")


async def test_a_position_is_kept_and_goes_with_its_file(client: httpx.AsyncClient, folder: Path) -> None:
    key = "films/watched.mkv"
    (folder / key).write_bytes((folder / FILM).read_bytes())
    assert (await client.get(f"/media/{key}/progress")).json()["position"] == 0
    told = {"position": 12.5, "duration": 24.0, "finished": False}
    assert (await client.put(f"/media/{key}/progress", json=told)).status_code == 204
    found = (await client.get(f"/media/{key}/progress")).json()
    assert {name: found[name] for name in told} == told
    assert (await client.delete(f"/files/{key}")).status_code == 204
    (folder / key).write_bytes((folder / FILM).read_bytes())
    assert (await client.get(f"/media/{key}/progress")).json()["position"] == 0


async def test_film_that_no_browser_knows_is_converted_only_where_that_is_on(
    client: httpx.AsyncClient, folder: Path
) -> None:
    key = "films/mpeg2-ac3.mkv"
    assert [way["method"] for way in (await described(client, key))["playback"]] == ["direct"]
    converting = create_app(Settings(root=folder, video_transcode=True))
    async with running(converting), client_of(converting) as other:
        assert [way["method"] for way in (await described(other, key))["playback"]] == ["direct", "transcode"]


async def test_everything_is_below_the_prefix_that_the_application_is_mounted_at(folder: Path) -> None:
    inner = create_app(Settings(root=folder))
    outer = FastAPI()
    outer.mount("/inner", inner)
    async with running(inner), client_of(outer) as client:
        told = json.loads((await client.get(f"/inner/media/{FILM}")).content)
        assert all(href.startswith("/inner/") for href in hrefs(told))
        assert (await client.get(told["poster"])).status_code == 200
        lines = (await client.get(f"/inner/media/{FILM}/play.m3u")).text.splitlines()
        assert lines[2].startswith("http://files.test/inner/files/")
