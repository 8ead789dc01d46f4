"""`/media/{key}/progress`: where somebody has stopped."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of

HREF = "/media/film.mp4/progress"
JSON = {"content-type": "application/json"}
BEGINNING = {"position": 0.0, "duration": None, "finished": False, "updated": None}


@pytest.fixture(autouse=True)
def film(root: Path) -> None:
    (root / "film.mp4").write_bytes(b"content")
    (root / "folder").mkdir()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and the last part of the problem's type."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def position(client: httpx.AsyncClient, **fields: str) -> float:
    told: float = (await client.get(HREF, headers=fields)).json()["position"]
    return told


async def test_a_file_that_nobody_has_begun_is_at_its_beginning(client: httpx.AsyncClient) -> None:
    answer = await client.get(HREF)
    assert (answer.status_code, answer.json()) == (200, BEGINNING)
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


async def test_what_was_told_is_answered(client: httpx.AsyncClient) -> None:
    answer = await client.put(HREF, json={"position": 5400.5, "duration": 7200})
    assert (answer.status_code, answer.content) == (204, b"")
    told = (await client.get(HREF)).json()
    assert told == {"position": 5400.5, "duration": 7200.0, "finished": False, "updated": told["updated"]}
    assert told["updated"].endswith("Z")
    await client.put(HREF, json={"position": 7199, "finished": True})
    told = (await client.get(HREF)).json()
    assert (told["position"], told["duration"], told["finished"]) == (7199.0, None, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"{}", "position"),
        (b'{"position": -0.1}', "position"),
        (b'{"position": NaN}', "position"),
        (b'{"position": 1e400}', "position"),
        (b'{"position": 1e9}', "position"),
        (b'{"position": "1"}', "position"),
        (b'{"position": 1, "duration": true}', "duration"),
        (b'{"position": 1, "finished": 1}', "finished"),
        (b'{"position": 1, "key": "other"}', None),
        (b'{"position": \xff}', None),
    ],
)
async def test_what_is_no_position_is_refused(client: httpx.AsyncClient, body: bytes, field: str | None) -> None:
    answer = await client.put(HREF, content=body, headers=JSON)
    assert problem(answer) == (400, "malformed-request")
    assert answer.json().get("field") == field
    assert await position(client) == 0


async def test_a_position_comes_as_json_and_is_short(client: httpx.AsyncClient) -> None:
    body = b'{"position": 1}'
    assert problem(await client.put(HREF, content=body)) == (415, "unsupported-media-type")
    assert problem(await client.put(HREF, content=body.ljust(4097), headers=JSON)) == (413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1000

    assert problem(await client.put(HREF, content=chunks(), headers=JSON)) == (413, "too-large")
    assert (await client.put(HREF, content=body.ljust(4096), headers=JSON)).status_code == 204


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("missing", 404, "not-found"),
        ("film.mp4/below", 404, "not-found"),
        ("folder", 404, "is-a-folder"),
        (".fileserver/catalogue.sqlite3", 400, "invalid-key"),
        ("folder/%2e%2e/film.mp4", 400, "invalid-key"),
    ],
)
async def test_positions_are_in_files(client: httpx.AsyncClient, path: str, status: int, kind: str) -> None:
    href = f"http://files.test/media/{path}/progress"
    assert problem(await client.put(href, json={"position": 1})) == (status, kind)
    assert problem(await client.get(href)) == (status, kind)


@pytest.mark.parametrize("name", ["a b/ü #?%.mkv", "not-\udcff-utf-8"])
async def test_any_stored_file_has_positions(client: httpx.AsyncClient, root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"content")
    entries = (await client.get("/files/?recursive=true")).json()["entries"]
    href = next(entry["href"] for entry in entries if entry["key"] == name).replace("/files/", "/media/")
    assert (await client.put(f"{href}/progress", json={"position": 7})).status_code == 204
    assert (await client.get(f"{href}/progress")).json()["position"] == 7
    assert await position(client) == 0


async def test_a_deleted_file_is_begun_anew(client: httpx.AsyncClient) -> None:
    await client.put(HREF, json={"position": 7})
    await client.put("/files/film.mp4", content=b"a better cut")
    assert await position(client) == 7
    assert (await client.delete("/files/film.mp4")).status_code == 204
    assert problem(await client.get(HREF)) == (404, "not-found")
    await client.put("/files/film.mp4", content=b"another film")
    assert (await client.get(HREF)).json() == BEGINNING


async def test_a_read_only_server_keeps_positions_while_it_runs_and_writes_nothing(root: Path) -> None:
    app = create_app(Settings(root=root, allow_write=False))
    async with running(app), client_of(app) as reader:
        assert (await reader.put(HREF, json={"position": 7})).status_code == 204
        assert await position(reader) == 7
    assert {each.name for each in root.iterdir()} == {"film.mp4", "folder"}


@pytest.mark.parametrize("fields", [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}])
async def test_another_site_moves_nobody(client: httpx.AsyncClient, fields: dict[str, str]) -> None:
    assert problem(await client.put(HREF, json={"position": 7}, headers=fields)) == (403, "cross-site-refused")
    assert await position(client) == 0


class _Named(SimpleUser):
    @property
    def identity(self) -> str:
        return self.username


class _ByHeader(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        name = conn.headers.get("x-name")
        return (AuthCredentials(), _Named(name)) if name else None


async def test_where_it_is_known_who_asks_everyone_has_a_position_of_their_own(root: Path) -> None:
    files, outer = create_app(Settings(root=root)), FastAPI()
    outer.mount("/library", files)
    outer.add_middleware(AuthenticationMiddleware, backend=_ByHeader())
    href = f"/library{HREF}"
    told: dict[str, Any] = {}
    async with running(files), client_of(outer) as client:
        for name, seconds in {"ada": 7, "eve": 9}.items():
            await client.put(href, json={"position": seconds}, headers={"x-name": name})
        for name in ("ada", "eve", "bob", ""):
            told[name] = (await client.get(href, headers={"x-name": name})).json()["position"]
    assert told == {"ada": 7, "eve": 9, "bob": 0, "": 0}


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    head, get = [await client.request(method, HREF) for method in ("HEAD", "GET")]
    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)


async def test_the_description_says_what_is_taken(client: httpx.AsyncClient) -> None:
    path = (await client.get("/openapi.json")).json()["paths"]["/media/{key}/progress"]
    body = path["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert (set(body["properties"]), body["required"]) == ({"position", "duration", "finished"}, ["position"])
    assert {"204", "400", "404", "415"} <= set(path["put"]["responses"])
