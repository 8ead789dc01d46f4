"""What an endpoint answers is what the description of the API says of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from fileserver.app import create_app
from fileserver.settings import Settings
from tests.api.stand_in import CSV, HEADER, opened

DOCUMENT = create_app(Settings(root=Path())).openapi()
OPERATIONS = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]
ADDRESSES = {
    "/files/{key}": ("/files/a.csv", "/files/", "/files/a.csv?tail"),
    "/transform/{key}": ("/transform/a.csv",),
    "/tables/{key}": ("/tables/a.csv?limit=1",),
    "/comments/{key}": ("/comments/a.csv",),
    "/jobs/{job_id}": ("{job}",),
    "/jobs/{job_id}/rejects": ("{job}/rejects",),
    "/jobs/{job_id}/findings": ("{verification}/findings",),
    "/jobs/{job_id}/events": ("{job}/events",),
}
"""Where there is something, by the path of a route; the other paths are addresses themselves."""


def successes(method: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers of an operation that are no problems, by their status."""
    for status, described in DOCUMENT["paths"][path][method]["responses"].items():
        if status.startswith("2"):
            yield status, described


@pytest.fixture
async def client(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with a table and a job that is over."""
    (root / "a.csv").write_bytes(HEADER + b"1,2\n")
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
    jobs = {"job": f"/jobs/{done.headers['transform-id']}", "verification": verification.headers["location"]}
    addresses = [each.format_map(jobs) for each in ADDRESSES.get(path, (path,))]
    ((_, described), *_) = successes("get", path)
    assert described["content"]
    for media_type in described["content"]:
        found = [await client.head(each, headers={"accept": media_type}) for each in addresses]
        types = [answer.headers["content-type"].partition(";")[0] for answer in found if answer.status_code == 200]
        is_chosen_by_plan = path.startswith("/transform")
        assert media_type in types or (types and (media_type == "*/*" or is_chosen_by_plan)), (path, media_type, types)


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
