"""Pages of other origins: those that the operator allows may use everything, all others no more than before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from fileserver.api.cors import AllowPagesOf
from fileserver.app import create_app, running
from fileserver.http.origins import parse_origins
from fileserver.settings import Settings
from tests.api.conftest import client_of
from tests.support.asgi import ZEROCOPY, Message, Receive, Scope, Send, drive, http_scope

PAGE = "https://photos.example"
ALLOWED = f"{PAGE},http://localhost:3000"

STRANGERS = (
    "https://evil.example",
    "https://photos.example.evil.example",
    "https://evilphotos.example",
    "http://photos.example",
    "https://photos.example:8443",
    "HTTPS://PHOTOS.EXAMPLE",
    "http://localhost",
    "null",
    ALLOWED,
    "*",
    "",
)

REQUEST_HEADERS = (
    "authorization, cache-control, content-digest, content-disposition, content-md5, content-type, if-match, "
    "if-modified-since, if-none-match, if-range, if-unmodified-since, last-event-id, prefer, range, repr-digest, "
    "depth, destination, overwrite, "
    "tus-resumable, upload-checksum, upload-complete, upload-concat, upload-defer-length, "
    "upload-draft-interop-version, upload-length, upload-metadata, upload-offset, want-repr-digest, "
    "x-http-method-override, x-request-id, x-requested-with"
)

EXPOSED = (
    "accept-patch, accept-post, accept-ranges, allow, content-disposition, content-location, content-range, etag, "
    "link, location, preference-applied, repr-digest, retry-after, tail-offset, "
    "transform-encoding, transform-id, transform-plan, transform-rows-in, "
    "transform-rows-out, transform-rows-rejected, "
    "tus-checksum-algorithm, tus-extension, tus-max-size, tus-resumable, tus-version, upload-complete, upload-concat, "
    "upload-defer-length, upload-draft-interop-version, upload-expires, upload-length, upload-limit, "
    "upload-metadata, upload-offset"
)


@asynccontextmanager
async def serving(
    root: Path, allowed_origins: str | None, *, allow_write: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with the file `a`."""
    (root / "a").write_bytes(b"content")
    settings = Settings(root=root, max_size=1000, allowed_origins=allowed_origins, allow_write=allow_write)
    app = create_app(settings)
    async with running(app), client_of(app) as client:
        yield client


@pytest.fixture
async def listed(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that allows some origins."""
    async with serving(root, ALLOWED) as client:
        yield client


@pytest.fixture
async def opened(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that allows all origins."""
    async with serving(root, "*") as client:
        yield client


@pytest.fixture
async def closed(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that was told of no origin."""
    async with serving(root, None) as client:
        yield client


def asks(method: str = "PUT", origin: str = PAGE, **fields: str) -> dict[str, str]:
    """What a browser sends before a page's request."""
    more = {name.replace("_", "-"): value for name, value in fields.items()}
    return {"origin": origin, "access-control-request-method": method, **more}


def grants(answer: httpx.Response) -> dict[str, str]:
    """What the answer says of CORS."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


@pytest.mark.parametrize("path", ["/files/a", "/files/", "/files/not/there", "/uploads", "/uploads/some", "/health"])
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "MOVE", "COPY", "MKCOL", "OPTIONS"]
)
async def test_a_preflight_allows_every_method_and_header(listed: httpx.AsyncClient, method: str, path: str) -> None:
    fields = asks(method, access_control_request_headers=REQUEST_HEADERS)
    answer = await listed.options(path, headers=fields)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert method.lower() in words(answer.headers["access-control-allow-methods"])
    assert words(answer.headers["access-control-allow-headers"]) == words(REQUEST_HEADERS)
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "origin" in words(answer.headers["vary"])
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", STRANGERS)
async def test_a_preflight_of_another_origin_is_refused(listed: httpx.AsyncClient, origin: str) -> None:
    answer = await listed.options("/files/a", headers=asks(origin=origin))
    assert answer.status_code == 403
    assert answer.json()["type"].endswith(":cross-site-refused")
    assert grants(answer) == {}
    assert "origin" in words(answer.headers["vary"])


@pytest.mark.parametrize("allowed", [ALLOWED, "*"])
async def test_a_private_network_is_not_opened_to_public_pages(root: Path, allowed: str) -> None:
    async with serving(root, allowed) as client:
        answer = await client.options("/files/a", headers=asks(access_control_request_private_network="true"))
    assert answer.status_code == 403
    assert "access-control-allow-private-network" not in answer.headers


@pytest.mark.parametrize("fields", [{}, {"origin": PAGE}, {"access-control-request-method": "PUT"}])
async def test_an_options_that_is_no_preflight_gets_the_application_s_answer(
    listed: httpx.AsyncClient, closed: httpx.AsyncClient, fields: dict[str, str]
) -> None:
    answer = await listed.options("/files/a", headers=fields)
    assert answer.headers["allow"] == (await closed.options("/files/a", headers=fields)).headers["allow"]
    assert "access-control-allow-methods" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "fields", "content", "status"),
    [
        ("GET", "/files/a", {}, b"", 200),
        ("GET", "/files/a", {"range": "bytes=1-2"}, b"", 206),
        ("GET", "/files/a", {"range": "bytes=0-1,3-4"}, b"", 206),
        ("GET", "/files/a", {"if-none-match": "*"}, b"", 304),
        ("GET", "/files/a", {"range": "bytes=99-"}, b"", 416),
        ("GET", "/files/not-there", {}, b"", 404),
        ("GET", "/not-there", {}, b"", 404),
        ("GET", "/files/", {"accept": "application/json"}, b"", 200),
        ("GET", "/health", {}, b"", 200),
        ("HEAD", "/files/a", {}, b"", 200),
        ("PUT", "/files/b", {}, b"x", 201),
        ("PUT", "/files/a", {}, b"x", 200),
        ("PUT", "/files/a", {"if-none-match": "*"}, b"x", 412),
        ("PUT", "/files/a/b", {}, b"x", 409),
        ("PUT", "/files/b", {"repr-digest": "sha-256=x"}, b"x", 400),
        ("PUT", "/files/b", {}, bytes(1001), 413),
        ("DELETE", "/files/a", {}, b"", 204),
        ("TRACE", "/files/a", {}, b"", 405),
    ],
)
async def test_every_answer_can_be_read_by_an_allowed_page(
    listed: httpx.AsyncClient, method: str, path: str, fields: dict[str, str], content: bytes, status: int
) -> None:
    from_page = {"origin": PAGE, "sec-fetch-site": "cross-site", **fields}
    answer = await listed.request(method, path, content=content, headers=from_page)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert words(answer.headers["access-control-expose-headers"]) == words(EXPOSED)
    assert "origin" in words(answer.headers["vary"])
    assert "access-control-allow-credentials" not in answer.headers


async def test_an_answer_that_ends_the_connection_can_be_read(listed: httpx.AsyncClient) -> None:
    answer = await listed.put("/files/b", content=bytes(1001), headers={"origin": PAGE})
    assert answer.headers["connection"] == "close"
    assert answer.headers["access-control-allow-origin"] == PAGE


async def test_what_an_answer_varies_by_is_kept(listed: httpx.AsyncClient) -> None:
    answer = await listed.get("/files/not-there", headers={"origin": PAGE})
    assert words(answer.headers["vary"]) == {"accept", "origin"}


@pytest.mark.parametrize("fields", [{}, *({"origin": origin} for origin in STRANGERS)])
async def test_others_are_told_nothing_but_caches_keep_them_apart(
    listed: httpx.AsyncClient, fields: dict[str, str]
) -> None:
    answer = await listed.get("/files/a", headers=fields)
    assert (answer.status_code, grants(answer)) == (200, {})
    assert "origin" in words(answer.headers["vary"])


@pytest.mark.parametrize("fields", [{}, {"origin": PAGE}, {"origin": "null"}])
async def test_with_a_star_one_answer_does_for_all(opened: httpx.AsyncClient, fields: dict[str, str]) -> None:
    answer = await opened.get("/files/a", headers=fields)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert words(answer.headers["access-control-expose-headers"]) == words(EXPOSED)
    assert "origin" not in words(answer.headers.get("vary", ""))
    assert "access-control-allow-credentials" not in answer.headers


async def test_with_a_star_any_page_asks_and_writes(opened: httpx.AsyncClient, root: Path) -> None:
    asked = await opened.options("/files/b", headers=asks(origin="https://any.example"))
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")
    put = await opened.put("/files/b", content=b"x", headers={"origin": "https://any.example"})
    assert put.status_code == 201
    assert (root / "b").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("allowed", "policy"), [(None, "same-origin"), (ALLOWED, "same-origin"), ("*", "cross-origin")]
)
async def test_pages_show_files_without_a_word_only_where_all_may(root: Path, allowed: str | None, policy: str) -> None:
    async with serving(root, allowed) as client:
        answer = await client.get("/files/a", headers={"origin": PAGE})
    assert answer.headers.get_list("cross-origin-resource-policy") == [policy]


@pytest.mark.parametrize(
    ("allowed", "fields", "status"),
    [
        (ALLOWED, {"origin": PAGE, "sec-fetch-site": "cross-site"}, 201),
        (ALLOWED, {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"}, 201),
        (ALLOWED, {"origin": PAGE}, 201),
        (ALLOWED, {"origin": "http://files.test", "sec-fetch-site": "same-origin"}, 201),
        (ALLOWED, {}, 201),
        (ALLOWED, {"sec-fetch-site": "cross-site"}, 403),
        (ALLOWED, {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
        (ALLOWED, {"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ("*", {"origin": "https://any.example", "sec-fetch-site": "cross-site"}, 201),
        ("*", {"sec-fetch-site": "cross-site"}, 403),
        (None, {"origin": PAGE, "sec-fetch-site": "cross-site"}, 403),
        (None, {"origin": PAGE}, 403),
    ],
)
async def test_who_may_write(root: Path, allowed: str | None, fields: dict[str, str], status: int) -> None:
    async with serving(root, allowed) as client:
        answer = await client.put("/files/b", content=b"x", headers=fields)
    assert answer.status_code == status
    assert (root / "b").exists() is (status == 201)


async def test_a_read_only_server_stays_so_and_can_say_it(root: Path) -> None:
    async with serving(root, ALLOWED, allow_write=False) as client:
        answer = await client.put("/files/b", content=b"x", headers={"origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (403, PAGE)
    assert answer.json()["type"].endswith(":read-only")


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 204), ("GET", 200)])
async def test_without_the_setting_nothing_is_said(closed: httpx.AsyncClient, method: str, status: int) -> None:
    answer = await closed.request(method, "/files/a", headers=asks())
    assert (answer.status_code, grants(answer)) == (status, {})
    assert "origin" not in words(answer.headers.get("vary", ""))


async def test_only_the_head_of_an_answer_is_touched(root: Path) -> None:
    with (root / "f").open("w+b") as file:
        said: list[Message] = [
            {"type": "http.response.interim", "status": 104, "headers": [(b"location", b"/uploads/x")]},
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]},
            {"type": "http.response.body", "body": b"", "more_body": True},
            {"type": ZEROCOPY, "file": file.fileno(), "offset": 0, "count": 0},
        ]
        passed: list[Message] = []

        async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
            for message in said:
                await send(message)

        async def look(message: Message) -> None:
            passed.append(message)

        scope = http_scope(headers=(("origin", PAGE),))
        await drive(AllowPagesOf(answer, origins=parse_origins(ALLOWED)), scope, on_send=look)
    assert all(after is before for after, before in zip(passed, said, strict=True) if "start" not in before["type"])
    assert said[1]["headers"] == [(b"content-length", b"0")]
    assert passed[1]["headers"][0] == (b"content-length", b"0")
