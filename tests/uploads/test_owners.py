"""Whose an upload is, where another application says who asks: to everybody else it is not there (S28)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.uploads.dialects import LAST, MORE, OFFSET_TYPE, PARTIAL_TYPE, VERSION, Line, metadata

_ANNA: Line = ("X-User", "anna")
_BERT: Line = ("X-User", "bert")


class _Named(BaseUser):
    """A user who is known by a number, and may share a name with another."""

    def __init__(self, number: str) -> None:
        self._number = number

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def display_name(self) -> str:
        return "Anna"

    @property
    def identity(self) -> str:
        return self._number


class _Doorman(AuthenticationBackend):
    """Believes a header field."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        if (number := conn.headers.get("x-number")) is not None:
            return AuthCredentials(), _Named(number)
        if (name := conn.headers.get("x-user")) is not None:
            return AuthCredentials(), SimpleUser(name)
        return None


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that holds ours below a prefix and knows its users."""
    files = create_app(Settings(root=tmp_path, max_uploads=2))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(files):
            yield

    outer = FastAPI(lifespan=lifespan)
    outer.mount("/library", files)
    outer.add_middleware(AuthenticationMiddleware, backend=_Doorman())
    transport = httpx.ASGITransport(outer)
    async with (
        outer.router.lifespan_context(outer),
        httpx.AsyncClient(transport=transport, base_url="http://files.test") as opened,
    ):
        yield opened


async def test_an_upload_is_found_below_the_prefix(client: httpx.AsyncClient) -> None:
    made = await _ask(client, "POST", "/library/uploads", VERSION, ("Upload-Length", "3"), metadata(key="a"))
    assert "/library/uploads/" in made.headers["location"]
    lines = (VERSION, OFFSET_TYPE, ("Upload-Offset", "0"))
    ended = await _ask(client, "PATCH", made.headers["location"], *lines, content=b"abc")
    assert (ended.status_code, ended.headers["content-location"]) == (204, "/library/files/a")
    assert (await client.get("/library/files/a")).content == b"abc"


async def test_parts_are_named_as_they_were_told(client: httpx.AsyncClient) -> None:
    partial = ("Upload-Concat", "partial")
    made = await _ask(client, "POST", "/library/uploads", VERSION, partial, ("Upload-Length", "0"))
    final = ("Upload-Concat", f"final;{made.headers['location']}")
    whole = await _ask(client, "POST", "/library/uploads", VERSION, final, metadata(key="whole"))
    assert whole.status_code == 201


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ((_ANNA,), (_BERT,)),
        ((_ANNA,), ()),
        ((), (_ANNA,)),
        ((_ANNA,), (("X-User", "Anna"),)),
        ((_ANNA,), (("X-User", "annaa"),)),
        ((("X-Number", "1"),), (("X-Number", "2"),)),
    ],
    ids=["another user", "nobody", "a user, of nobody's", "other capitals", "a longer name", "a namesake"],
)
async def test_to_others_an_upload_is_not_there(
    client: httpx.AsyncClient, mine: tuple[Line, ...], other: tuple[Line, ...]
) -> None:
    made = await _ask(client, "PUT", "/library/files/mine", *mine, MORE, content=b"abc")
    assert made.status_code == 201
    target = made.headers["location"]
    for answer in await _all_ways(client, target, other):
        assert (answer.status_code, answer.headers.get("upload-offset")) == (404, None)
    assert (await _ask(client, "HEAD", target, *mine)).headers["upload-offset"] == "3"
    lines = (PARTIAL_TYPE, LAST, ("Upload-Offset", "3"))
    assert (await _ask(client, "PATCH", target, *mine, *lines, content=b"def")).status_code == 201


async def test_a_complete_upload_is_not_there_for_others(client: httpx.AsyncClient) -> None:
    made = await _ask(
        client, "POST", "/library/uploads", VERSION, _ANNA, ("Upload-Length", "0"), metadata(key="complete")
    )
    for answer in await _all_ways(client, made.headers["location"], (_BERT,)):
        assert answer.status_code == 404
    assert (await _ask(client, "HEAD", made.headers["location"], VERSION, _ANNA)).status_code == 200


async def test_nobody_else_joins_my_parts(client: httpx.AsyncClient) -> None:
    lines = (VERSION, ("Upload-Concat", "partial"), ("Upload-Length", "3"), OFFSET_TYPE)
    part = (await _ask(client, "POST", "/library/uploads", _ANNA, *lines, content=b"abc")).headers["location"]
    final = (VERSION, ("Upload-Concat", f"final;{part}"), metadata(key="stolen"))
    stolen = await _ask(client, "POST", "/library/uploads", _BERT, *final)
    unknown = (VERSION, ("Upload-Concat", "final;/library/uploads/unknown"), metadata(key="stolen"))
    assert stolen.status_code == (await _ask(client, "POST", "/library/uploads", _BERT, *unknown)).status_code
    assert stolen.status_code in (400, 404, 409)
    assert (await client.get("/library/files/stolen")).status_code == 404
    assert (await _ask(client, "POST", "/library/uploads", _ANNA, *final)).status_code == 201


async def test_each_owner_has_a_number_of_uploads(client: httpx.AsyncClient) -> None:
    creation = (VERSION, ("Upload-Length", "3"))
    for who, status in ((_ANNA, 201), (_ANNA, 201), (_ANNA, 429), (_BERT, 201), (_BERT, 201), (_BERT, 429)):
        assert (await _ask(client, "POST", "/library/uploads", *creation, who)).status_code == status


async def _ask(
    client: httpx.AsyncClient, method: str, target: str, *lines: Line, content: bytes = b""
) -> httpx.Response:
    return await client.request(method, target, headers=list(lines), content=content)


async def _all_ways(client: httpx.AsyncClient, target: str, who: tuple[Line, ...]) -> list[httpx.Response]:
    """The answers to everything that can be asked about an upload."""
    tus, draft = (*who, VERSION), who
    return [
        await _ask(client, "HEAD", target, *tus),
        await _ask(client, "HEAD", target, *draft),
        await _ask(client, "GET", target, *draft),
        await _ask(client, "PATCH", target, *tus, OFFSET_TYPE, ("Upload-Offset", "3"), content=b"def"),
        await _ask(client, "PATCH", target, *draft, PARTIAL_TYPE, LAST, ("Upload-Offset", "3"), content=b"def"),
        await _ask(client, "DELETE", target, *tus),
        await _ask(client, "DELETE", target, *draft),
        await _ask(client, "POST", target, *tus, ("X-HTTP-Method-Override", "DELETE")),
    ]
