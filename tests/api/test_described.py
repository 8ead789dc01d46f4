"""What an endpoint answers is what the description of the API says of it."""

import fnmatch
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from fileserver.app import create_app
from fileserver.settings import Settings
from tests.api.stand_in import CSV, HEADER, opened
from tests.support.media_files import made, shared_folder

DOCUMENT = create_app(Settings(root=Path())).openapi()
OPERATIONS = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]
ADDRESSES = {
    "/files/{key}": ("/files/a.csv", "/files/", "/files/a.csv?tail"),
    "/transform/{key}": ("/transform/a.csv",),
    "/tables/{key}": ("/tables/a.csv?limit=1",),
    "/comments/{key}": ("/comments/a.csv",),
    "/media/{key}": ("/media/film.mkv",),
    "/media/{key}/chapters.vtt": ("/media/film.mkv/chapters.vtt",),
    "/media/{key}/cover": ("/media/song.flac/cover",),
    "/media/{key}/faststart/{name}": ("/media/film.mkv/faststart/film.mkv",),
    "/media/{key}/hls/master.m3u8": ("/media/film.mkv/hls/master.m3u8",),
    "/media/{key}/hls/{track}/index.m3u8": ("/media/film.mkv/hls/v0/index.m3u8",),
    "/media/{key}/hls/{track}/init.mp4": ("/media/film.mkv/hls/v0/init.mp4",),
    "/media/{key}/hls/{track}/{number}.m4s": ("/media/film.mkv/hls/v0/0.m4s",),
    "/media/{key}/hls/{track}/{number}.vtt": ("/media/film.mkv/hls/s3/0.vtt",),
    "/media/{key}/play.m3u": ("/media/film.mkv/play.m3u",),
    "/media/{key}/poster": ("/media/film.mkv/poster",),
    "/media/{key}/preview": ("/media/picture.jpg/preview",),
    "/media/{key}/progress": ("/media/film.mkv/progress",),
    "/media/{key}/storyboard.vtt": ("/media/film.mkv/storyboard.vtt",),
    "/media/{key}/storyboard.webp": ("/media/film.mkv/storyboard.webp",),
    "/media/{key}/subtitles/s{number}.vtt": ("/media/film.mkv/subtitles/s3.vtt",),
    "/media/{key}/subtitles/{name}.vtt": ("/media/film.mkv/subtitles/film.srt.vtt",),
    "/media/{key}/thumbnail": ("/media/film.mkv/thumbnail",),
    "/media/{key}/waveform.json": ("/media/song.flac/waveform.json",),
    "/media/{key}/wav/{name}.wav": ("/media/song.flac/wav/song.wav",),
    "/jobs/{job_id}": ("{job}",),
    "/jobs/{job_id}/rejects": ("{job}/rejects",),
    "/jobs/{job_id}/findings": ("{verification}/findings",),
    "/jobs/{job_id}/events": ("{job}/events",),
    "/trash/{removal_id}": ("{removal}",),
}
"""Where there is something, by the path of a route; the other paths are addresses themselves."""


def successes(method: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers of an operation that are no problems, by their status."""
    for status, described in DOCUMENT["paths"][path][method]["responses"].items():
        if status.startswith("2"):
            yield status, described


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests of the file, as they share a server."""
    return "asyncio"


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with a table, media, and a job that is over."""
    root = tmp_path_factory.mktemp("served")
    (root / "a.csv").write_bytes(HEADER + b"1,2\n")
    parts = shared_folder(tmp_path_factory.getbasetemp())
    for name, content in (("film.mkv", made("languages.mkv", parts)), ("song.flac", made("song.flac", parts))):
        (root / name).write_bytes(content.read_bytes())
    (root / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    Image.new("RGB", (32, 32)).save(root / "picture.jpg")
    async with opened(root) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_tells_of_its_successes_and_of_problems(method: str, path: str) -> None:
    responses = DOCUMENT["paths"][path][method]["responses"]
    assert [*successes(method, path)] != []
    assert "application/problem+json" in responses["default"]["content"]
    for status, described in responses.items():
        if not status.startswith("2") and "content" in described:
            assert list(described["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", [path for method, path in OPERATIONS if method == "get"])
async def test_get_answers_in_every_type_that_is_described(client: httpx.AsyncClient, path: str) -> None:
    """By HEAD, whose head is that of GET: some answers have no end."""
    assert "{" not in path or path in ADDRESSES, f"say in ADDRESSES where there is something below {path}"
    done = await client.post("/transform", content=HEADER + b"1,2\n", headers=CSV)
    verification = await client.post("/jobs", json={"work": "verify", "prefix": ""})
    await client.put("/files/removed", content=b"x")
    removal = await client.post("/trash", json={"keys": ["removed"]})
    begun = {
        "job": f"/jobs/{done.headers['transform-id']}",
        "verification": verification.headers["location"],
        "removal": removal.headers["location"],
    }
    addresses = [each.format_map(begun) for each in ADDRESSES.get(path, (path,))]
    ((_, described), *_) = successes("get", path)
    assert described["content"]
    for media_type in described["content"]:
        found = [await client.head(each, headers={"accept": media_type}) for each in addresses]
        types = [answer.headers["content-type"].partition(";")[0] for answer in found if answer.status_code == 200]
        is_chosen_by_plan = path.startswith("/transform")
        assert fnmatch.filter(types, media_type) or (types and is_chosen_by_plan), (path, media_type, types)


async def test_get_answers_in_no_type_that_is_not_described(client: httpx.AsyncClient) -> None:
    for path, operations in DOCUMENT["paths"].items():
        if "get" in operations and path not in ADDRESSES:
            ((_, described), *_) = successes("get", path)
            answer = await client.head(path)
            assert answer.headers["content-type"].partition(";")[0] in described["content"]


async def test_writes_answer_as_described(client: httpx.AsyncClient) -> None:
    answers = {
        ("put", "/files/{key}"): await client.put("/files/new", content=b"x"),
        ("post", "/files/{folder}"): await client.post("/files/", files={"file": ("b", b"x")}),
        ("delete", "/files/{key}"): await client.delete("/files/b"),
        ("post", "/transform"): await client.post("/transform", content=HEADER + b"1,2\n", headers=CSV),
    }
    for (method, path), answer in answers.items():
        described = dict(successes(method, path))
        content = described[str(answer.status_code)].get("content", {})
        assert answer.headers.get("content-type", "").partition(";")[0] in (content or {"": None})


async def test_what_a_post_has_made_is_at_its_location_as_described(client: httpx.AsyncClient) -> None:
    answers = {
        "/files/{folder}": await client.post("/files/", files={"file": ("b", b"x")}),
        "/uploads": await client.post("/uploads", headers={"tus-resumable": "1.0.0", "upload-length": "1"}),
        "/jobs": await client.post("/jobs", json={"work": "verify"}),
        "/comments/{key}": await client.post("/comments/a.csv", json={"text": "text"}),
    }
    for path, answer in answers.items():
        described = DOCUMENT["paths"][path]["post"]["responses"][str(answer.status_code)]
        assert "Location" in described["headers"]
        assert (await client.head(answer.headers["location"], headers={"tus-resumable": "1.0.0"})).status_code == 200


async def test_a_bad_parameter_is_a_problem_and_no_other_error_is_described(client: httpx.AsyncClient) -> None:
    answer = await client.get("/files/?limit=none")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "HTTPValidationError" not in str(DOCUMENT)


def test_the_description_is_the_same_when_it_is_asked_for_again() -> None:
    app: FastAPI = create_app(Settings(root=Path()))
    first = str(app.openapi())
    assert str(app.openapi()) == first
