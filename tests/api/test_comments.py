"""`/comments/{key}`: what may be said, by whom, and how it is read."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser, UnauthenticatedUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of
from tests.support.asgi import Message, drive, http_scope

HREF = "/comments/film.mp4"
NDJSON = {"accept": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def film(root: Path) -> None:
    (root / "film.mp4").write_bytes(b"content")
    (root / "folder").mkdir()


async def say(client: httpx.AsyncClient, text: str = "text", **members: Any) -> httpx.Response:
    return await client.post(HREF, json={"text": text, **members})


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and the last part of the problem's type."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_a_comment_is_answered_with_its_place_and_found_there(client: httpx.AsyncClient) -> None:
    answer = await say(client, "Look!", author="Ada", media_time=61.5)
    comment = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{HREF}?comment={comment['id']}"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert comment == {
        "id": comment["id"],
        "key": "film.mp4",
        "time": comment["time"],
        "author": "Ada",
        "text": "Look!",
        "media_time": 61.5,
        "byte_offset": None,
    }
    assert (await client.get(answer.headers["location"])).json() == comment
    assert (await client.get(HREF)).json() == {"comments": [comment], "next": None}


@pytest.mark.parametrize("name", ["a b/ü #?%.txt", "line\nfeed", "not-\udcff-utf-8"])
async def test_any_stored_file_can_be_commented_on(client: httpx.AsyncClient, root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"content")
    entries = (await client.get("/files/?recursive=true")).json()["entries"]
    href = next(entry["href"] for entry in entries if entry["key"] == name).replace("/files/", "/comments/")
    location = (await client.post(href, json={"text": "text"})).headers["location"]
    assert location.startswith(f"{href}?")
    assert (await client.get(location)).json()["key"] == name


async def test_what_cannot_be_said_is_refused_by_the_name_of_its_member(client: httpx.AsyncClient) -> None:
    answer = await say(client, "a\u202eb")
    assert problem(answer) == (400, "malformed-request")
    assert answer.json()["field"] == "text"
    assert "direction" in answer.json()["detail"]
    assert (await client.get(HREF)).json()["comments"] == []


async def test_a_person_is_shown_why(client: httpx.AsyncClient) -> None:
    body = b'{"text": "text", "\\ud800<script>": 1}'
    answer = await client.post(HREF, content=body, headers={**JSON, "accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "<script>" not in answer.text


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_a_comment_comes_as_json_and_is_called_so(client: httpx.AsyncClient, media_type: str) -> None:
    answer = await client.post(HREF, content=b'{"text": "text"}', headers={"content-type": media_type})
    assert problem(answer) == (415, "unsupported-media-type")
    assert answer.headers["accept-post"] == "application/json"


async def test_the_charset_of_json_does_not_matter(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await client.post(HREF, content=b'{"text": "text"}', headers=headers)).status_code == 201


async def test_a_body_is_read_up_to_a_limit(client: httpx.AsyncClient) -> None:
    taken: list[int] = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(1000):
            taken.append(number)
            yield b" " * 1000

    exact = b'{"text": "text"}'.ljust(65_536)
    assert (await client.post(HREF, content=exact, headers=JSON)).status_code == 201
    assert problem(await client.post(HREF, content=exact + b" ", headers=JSON)) == (413, "too-large")
    assert problem(await client.post(HREF, content=chunks(), headers=JSON)) == (413, "too-large")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("missing", 404, "not-found"),
        ("film.mp4/below", 404, "not-found"),
        ("folder", 404, "is-a-folder"),
        ("folder/", 404, "is-a-folder"),
        ("missing/", 404, "is-a-folder"),
        ("", 404, "is-a-folder"),
        (".fileserver/catalogue.sqlite3", 400, "invalid-key"),
        ("folder/%2e%2e/film.mp4", 400, "invalid-key"),
        ("%00", 400, "invalid-key"),
    ],
)
async def test_comments_are_about_files(client: httpx.AsyncClient, path: str, status: int, kind: str) -> None:
    href = f"http://files.test/comments/{path}"
    request = client.build_request("POST", href, json={"text": "text"})
    assert problem(await client.send(request)) == (status, kind)
    assert problem(await client.get(href)) == (status, kind)
    assert problem(await client.get(f"{href}?comment=1")) == (status, kind)


async def test_pages_follow_each_other_to_the_end(client: httpx.AsyncClient) -> None:
    ids = [(await say(client, str(number))).json()["id"] for number in range(5)]
    found: list[int] = []
    href = f"{HREF}?limit=2"
    while href:
        answer = await client.get(href)
        page = answer.json()
        assert 1 <= len(page["comments"]) <= 2
        assert answer.headers.get("link") == (f'<{page["next"]}>; rel="next"' if page["next"] else None)
        found, href = found + [comment["id"] for comment in page["comments"]], page["next"]
    assert found == ids
    later = (await client.get(f"{HREF}?after={ids[2]}")).json()["comments"]
    assert [comment["id"] for comment in later] == ids[3:]


async def test_a_page_has_a_hundred_unless_more_are_asked_for(client: httpx.AsyncClient, root: Path) -> None:
    await fill(root, 250)
    sizes = [len((await client.get(f"{HREF}{query}")).json()["comments"]) for query in ("", "?limit=200")]
    assert sizes == [100, 200]


async def test_ndjson_is_all_of_it_and_says_where_it_ends(client: httpx.AsyncClient, root: Path) -> None:
    await fill(root, 250)
    answer = await client.get(HREF, headers=NDJSON)
    assert (answer.headers["content-type"], answer.headers["vary"]) == ("application/x-ndjson", "accept")
    first, *records, last = [json.loads(line) for line in answer.text.splitlines()]
    assert (first["type"], {record["type"] for record in records}, last) == (
        "meta",
        {"comment"},
        {"type": "end", "records": 250},
    )
    assert [record["id"] for record in records] == list(range(1, 251))
    some = await client.get(f"{HREF}?after=100&limit=120", headers=NDJSON)
    assert [json.loads(line)["id"] for line in some.text.splitlines()[1:-1]] == list(range(101, 221))


async def test_a_stream_whose_file_goes_midway_says_so_and_has_no_end(root: Path) -> None:
    app = create_app(Settings(root=root))

    async def remove(message: Message) -> None:
        if b'"comment"' in message.get("body", b""):
            (root / "film.mp4").unlink(missing_ok=True)

    async with running(app):
        await fill(root, 250)
        exchange = await drive(app, http_scope(path=HREF, headers=NDJSON.items()), on_send=remove)
    kinds = [json.loads(line)["type"] for line in exchange.body.splitlines()]
    assert kinds == ["meta", *["comment"] * 100, "error"]
    assert not exchange.is_complete


async def test_no_comments_are_an_empty_page_and_an_empty_stream(client: httpx.AsyncClient) -> None:
    assert (await client.get(HREF)).json() == {"comments": [], "next": None}
    lines = (await client.get(HREF, headers=NDJSON)).text.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["meta", "end"]


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, accept: str) -> None:
    await say(client)
    head, get = [await client.request(method, HREF, headers={"accept": accept}) for method in ("HEAD", "GET")]
    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)


async def test_another_media_type_is_not_acceptable(client: httpx.AsyncClient) -> None:
    assert problem(await client.get(HREF, headers={"accept": "text/csv"})) == (406, "not-acceptable")


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", f"after={2**63}", "limit=0", "limit=1001", "comment=0", "comment=x", f"comment={2**63}"],
)
async def test_a_bad_parameter_is_named(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{HREF}?{query}")
    assert problem(answer) == (400, "bad-parameter")
    assert answer.json()["parameter"] == query.partition("=")[0]


async def test_a_deleted_comment_is_gone(client: httpx.AsyncClient) -> None:
    location = (await say(client)).headers["location"]
    assert (await client.delete(location)).status_code == 204
    for method in ("GET", "DELETE"):
        assert problem(await client.request(method, location)) == (404, "not-found")
    assert (await client.get(HREF)).json()["comments"] == []


async def test_all_comments_at_once_are_not_deleted(client: httpx.AsyncClient) -> None:
    await say(client)
    assert problem(await client.delete(HREF)) == (400, "bad-parameter")
    assert len((await client.get(HREF)).json()["comments"]) == 1


async def test_a_deleted_file_takes_its_comments_along(client: httpx.AsyncClient) -> None:
    await say(client)
    assert (await client.delete("/files/film.mp4")).status_code == 204
    assert problem(await client.get(HREF)) == (404, "not-found")
    await client.put("/files/film.mp4", content=b"another film")
    assert (await client.get(HREF)).json()["comments"] == []


async def test_a_replaced_file_keeps_them(client: httpx.AsyncClient) -> None:
    await say(client)
    await client.put("/files/film.mp4", content=b"a better cut")
    assert len((await client.get(HREF)).json()["comments"]) == 1


async def test_a_file_has_ten_thousand_comments_at_most(client: httpx.AsyncClient, root: Path) -> None:
    await fill(root, 10_000)
    assert problem(await say(client)) == (409, "too-many-comments")
    await client.delete(f"{HREF}?comment=5000")
    assert (await say(client)).status_code == 201


async def test_a_read_only_server_is_not_written_to(reader: httpx.AsyncClient) -> None:
    assert problem(await say(reader)) == (403, "read-only")
    assert problem(await reader.delete(f"{HREF}?comment=1")) == (403, "read-only")
    assert (await reader.get(HREF)).json()["comments"] == []


async def test_a_read_only_server_shows_what_was_said_before(root: Path, client: httpx.AsyncClient) -> None:
    comment = (await say(client)).json()
    app = create_app(Settings(root=root, allow_write=False))
    async with running(app), client_of(app) as reader:
        assert (await reader.get(HREF)).json()["comments"] == [comment]


@pytest.mark.parametrize("fields", [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}])
async def test_another_site_has_no_say(client: httpx.AsyncClient, fields: dict[str, str]) -> None:
    location = (await say(client)).headers["location"]
    assert problem(await client.post(HREF, json={"text": "text"}, headers=fields)) == (403, "cross-site-refused")
    assert problem(await client.delete(location, headers=fields)) == (403, "cross-site-refused")
    assert len((await client.get(HREF)).json()["comments"]) == 1


class _Named(SimpleUser):
    @property
    def identity(self) -> str:
        return self.username


class _ByHeader(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        name = conn.headers.get("x-name")
        return AuthCredentials(), _Named(name) if name else UnauthenticatedUser()


@pytest.fixture
async def embedded(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that knows who asks, and has the file server below a prefix."""
    files, outer = create_app(Settings(root=root)), FastAPI()
    outer.mount("/library", files)
    outer.add_middleware(AuthenticationMiddleware, backend=_ByHeader())
    async with running(files), client_of(outer) as client:
        yield client


@pytest.mark.parametrize(("name", "author"), [("ada", "ada"), ("", None)])
async def test_where_it_is_known_who_asks_that_is_the_author(
    embedded: httpx.AsyncClient, name: str, author: str | None
) -> None:
    href, fields = f"/library{HREF}", {"x-name": name}
    answer = await embedded.post(href, json={"text": "text"}, headers=fields)
    assert (answer.status_code, answer.json()["author"]) == (201, author)
    assert answer.headers["location"].startswith(f"{href}?comment=")
    assert (await embedded.get(f"{href}?limit=1", headers=fields)).json()["comments"] == [answer.json()]
    other = await embedded.post(href, json={"text": "text", "author": "eve"}, headers=fields)
    assert (problem(other), other.json()["field"]) == ((400, "malformed-request"), "author")
    assert (await embedded.post(href, json={"text": "text", "author": name}, headers=fields)).status_code == 201


async def test_the_methods_are_told(client: httpx.AsyncClient) -> None:
    assert (await client.put(HREF)).headers["allow"] == "GET, HEAD, POST, DELETE, OPTIONS"


async def test_the_description_says_what_is_taken_and_answered(client: httpx.AsyncClient) -> None:
    path = (await client.get("/openapi.json")).json()["paths"]["/comments/{key}"]
    body = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (set(body["properties"]), body["required"]) == (
        {"text", "author", "media_time", "byte_offset"},
        ["text"],
    )
    assert set(path["get"]["responses"]["200"]["content"]) == {"application/json", "application/x-ndjson"}
    assert {"201", "400", "404", "409", "415"} <= set(path["post"]["responses"])
    for method in ("get", "post", "delete"):
        assert "key" in [parameter["name"] for parameter in path[method]["parameters"]]


async def fill(root: Path, count: int) -> None:
    """Comments that somebody made long ago. In a thread: the loop may just have the database locked."""
    rows = [(b"film.mp4", 1, "", f"{number}") for number in range(count)]

    def write() -> None:
        with closing(sqlite3.connect(root / ".fileserver" / "catalogue.sqlite3")) as database, database:
            database.executemany("INSERT INTO comments (key, at_ms, author, text) VALUES (?, ?, ?, ?)", rows)

    await anyio.to_thread.run_sync(write)
