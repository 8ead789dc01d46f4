"""MOVE, COPY and MKCOL: from the request to the answer."""

import hashlib
from pathlib import Path

import httpx
import pytest

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of
from tests.delivery.conftest import drafts_in

SHA256 = hashlib.sha256(b"content").hexdigest()


def slug(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).rpartition(":")[2]


async def put(client: httpx.AsyncClient, *keys: str) -> None:
    for key in keys:
        assert (await client.put(f"/files/{key}", content=b"content")).status_code in {200, 201}


async def test_a_moved_file_is_answered_like_a_stored_one(client: httpx.AsyncClient) -> None:
    await put(client, "a.txt")
    moved = await client.request("MOVE", "/files/a.txt", headers={"destination": "/files/new%20place/%C3%A9.txt"})
    assert moved.status_code == 201
    assert moved.headers["location"] == "/files/new%20place/%C3%A9.txt"
    assert moved.headers["etag"] == f'"{SHA256}"'
    assert (await client.get(moved.headers["location"])).content == b"content"
    assert (await client.get("/files/a.txt")).status_code == 404


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 204),
        ({"overwrite": "T"}, 204),
        ({"overwrite": "t"}, 204),
        ({"overwrite": "F"}, 412),
        ({"overwrite": "X"}, 400),
        ({"if-match": f'"{SHA256}"'}, 204),
        ({"if-match": '"another"'}, 412),
        ({"if-none-match": "*"}, 412),
    ],
)
async def test_a_file_is_replaced_unless_the_request_says_otherwise(
    client: httpx.AsyncClient, method: str, fields: dict[str, str], status: int
) -> None:
    await put(client, "a")
    await client.put("/files/b", content=b"old")
    answer = await client.request(method, "/files/a", headers={"destination": "/files/b", **fields})
    assert answer.status_code == status
    assert (await client.get("/files/b")).content == (b"content" if status == 204 else b"old")
    assert ("content-length" in answer.headers) == (status != 204)
    assert (await client.get("/files/a")).status_code == (404 if (status, method) == (204, "MOVE") else 200)


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
@pytest.mark.parametrize(
    ("destination", "status", "problem"),
    [
        ("http://files.test/files/b", 201, ""),
        ("http://FILES.test:80/files/b", 201, ""),
        ("https://files.test/files/b", 201, ""),
        ("/files/b%2Fc", 201, ""),
        ("http://elsewhere.test/files/b", 502, "other-server"),
        ("http://files.test:81/files/b", 502, "other-server"),
        ("//files.test/files/b", 400, "malformed-request"),
        ("ftp://files.test/files/b", 400, "malformed-request"),
        ("files/b", 400, "malformed-request"),
        ("/media/b", 400, "malformed-request"),
        ("/files/b?x", 400, "malformed-request"),
        ("/files/b#x", 400, "malformed-request"),
        ("/files/caf\xe9", 400, "malformed-request"),
        ("/files/b\tc", 400, "malformed-request"),
        ("http://[::1/files/b", 400, "malformed-request"),
        ("", 400, "malformed-request"),
        ("/files/b/", 400, "malformed-request"),
        ("/files/", 400, "malformed-request"),
        ("/files/../b", 400, "invalid-key"),
        ("/files/%2e%2e/b", 400, "invalid-key"),
        ("/files/.fileserver/b", 400, "invalid-key"),
        ("/files/.FileServer./b", 400, "invalid-key"),
        ("/files/b%00", 400, "invalid-key"),
        ("/files/b%ff", 400, "invalid-key"),
        ("/files/a", 403, "same-place"),
        ("/files/a/b", 409, "folder-in-the-way"),
        ("/files/folder", 409, "folder-in-the-way"),
    ],
)
async def test_where_a_file_may_come_to(
    client: httpx.AsyncClient, method: str, destination: str, status: int, problem: str
) -> None:
    await put(client, "a", "folder/x")
    fields = [(b"destination", destination.encode("latin-1"))]
    answer = await client.request(method, "/files/a", headers=fields)
    assert answer.status_code == status
    assert status == 201 or slug(answer) == problem
    assert status == 201 or (await client.get("/files/a")).content == b"content"


async def test_one_destination_is_needed(client: httpx.AsyncClient) -> None:
    await put(client, "a")
    for fields in ([], [(b"destination", b"/files/b"), (b"destination", b"/files/c")]):
        answer = await client.request("MOVE", "/files/a", headers=fields)
        assert (answer.status_code, slug(answer)) == (400, "malformed-request")


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
async def test_nothing_leaves_our_own_folder(client: httpx.AsyncClient, root: Path, method: str) -> None:
    key = ".fileserver/catalogue.sqlite3"
    for text in (key, key.replace("/", "%2F")):
        answer = await client.request(method, f"/files/{text}", headers={"destination": "/files/b"})
        assert (answer.status_code, slug(answer)) == (400, "invalid-key")
    answer = await client.request(method, "/files/.fileserver/", headers={"destination": "/files/b/"})
    assert (answer.status_code, slug(answer)) == (400, "invalid-key")
    assert not (root / "b").exists()


async def test_a_folder_moves_with_all_that_is_in_it(client: httpx.AsyncClient) -> None:
    await put(client, "a/x", "a/b/y")
    moved = await client.request("MOVE", "/files/a/", headers={"destination": "/files/new/place/"})
    assert (moved.status_code, moved.headers["location"]) == (201, "/files/new/place/")
    assert (await client.head("/files/new/place/b/y")).headers["etag"] == f'"{SHA256}"'
    assert (await client.get("/files/a/")).status_code == 404


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
@pytest.mark.parametrize(
    ("path", "destination", "fields", "status"),
    [
        ("a/", "/files/b", {}, 201),  # RFC 4918 s.5.2: a collection may be meant without its slash
        ("a/", "/files/full/", {}, 409),
        ("a/", "/files/full/", {"overwrite": "F"}, 412),
        ("a/", "/files/empty/", {}, 204),
        ("a/", "/files/empty/", {"overwrite": "F"}, 412),
        ("a/", "/files/full/x/", {}, 409),
        ("a/", "/files/full/x/y/", {}, 409),
        ("a/", "/files/a/", {}, 403),
        ("a/", "/files/a/b/", {}, 403),
        ("a/c/", "/files/a/", {}, 403),
        ("", "/files/b/", {}, 403),
        ("a/", "/files/", {}, 403),
        ("missing/", "/files/b/", {}, 404),
        ("full/x/", "/files/b/", {}, 404),
        ("a", "/files/b", {}, 404),
        ("a/", "/files/b/", {"depth": "1"}, 400),
        ("a/", "/files/b/", {"if-match": "*"}, 201),
        ("a/", "/files/b/", {"if-match": '"x"'}, 412),
        ("a/", "/files/b/", {"if-none-match": "*"}, 412),
    ],
)
async def test_where_a_folder_may_come_to(
    client: httpx.AsyncClient, method: str, path: str, destination: str, fields: dict[str, str], status: int
) -> None:
    await put(client, "a/x", "a/c/y", "full/x")
    assert (await client.request("MKCOL", "/files/empty/")).status_code == 201
    answer = await client.request(method, f"/files/{path}", headers={"destination": destination, **fields})
    assert answer.status_code == status
    is_gone = method == "MOVE" and status < 300
    assert (await client.get("/files/a/x")).status_code == (404 if is_gone else 200)
    assert (await client.get("/files/full/x")).status_code == 200


async def test_a_folder_is_copied_alone_with_depth_0_and_never_moved_so(client: httpx.AsyncClient) -> None:
    await put(client, "a/x")
    fields = {"destination": "/files/b/", "depth": "0"}
    assert (await client.request("MOVE", "/files/a/", headers=fields)).status_code == 400
    assert (await client.request("COPY", "/files/a/", headers=fields)).status_code == 201
    assert (await client.get("/files/b/")).json()["entries"] == []


async def test_a_copied_folder_leaves_the_first_as_it_is(client: httpx.AsyncClient, root: Path) -> None:
    await put(client, "a/x", "a/b/y")
    assert (await client.request("COPY", "/files/a/", headers={"destination": "/files/c/"})).status_code == 201
    for key in ("a/x", "a/b/y", "c/x", "c/b/y"):
        assert (await client.head(f"/files/{key}")).headers["etag"] == f'"{SHA256}"'
    assert drafts_in(root) == []


@pytest.mark.parametrize(
    ("path", "body", "status", "problem"),
    [
        ("new/", b"", 201, ""),
        ("new", b"", 201, ""),
        ("new/and/more/", b"", 201, ""),
        ("folder/", b"", 405, "method-not-allowed"),
        ("", b"", 405, "method-not-allowed"),
        ("file/", b"", 409, "folder-in-the-way"),
        ("file/below/", b"", 409, "folder-in-the-way"),
        (".fileserver/x/", b"", 400, "invalid-key"),
        ("new/", b"<xml/>", 415, "unsupported-media-type"),
    ],
)
async def test_where_a_folder_may_be_made(
    client: httpx.AsyncClient, path: str, body: bytes, status: int, problem: str
) -> None:
    await put(client, "file", "folder/x")
    answer = await client.request("MKCOL", f"/files/{path}", content=body)
    assert answer.status_code == status
    if status == 201:
        assert answer.headers["location"] == f"/files/{path.removesuffix('/')}/"
        assert (await client.get(answer.headers["location"])).json()["entries"] == []
    else:
        assert slug(answer) == problem
        assert status != 405 or "MOVE" in answer.headers["allow"]


@pytest.mark.parametrize("method", ["MOVE", "COPY", "MKCOL"])
async def test_a_read_only_server_and_other_sites_change_nothing(
    client: httpx.AsyncClient, reader: httpx.AsyncClient, root: Path, method: str
) -> None:
    await put(client, "a")
    fields = {"destination": "/files/b/" if method == "MKCOL" else "/files/b"}
    refused = await reader.request(method, "/files/a", headers=fields)
    assert (refused.status_code, slug(refused)) == (403, "read-only")
    foreign = await client.request(method, "/files/a", headers={**fields, "sec-fetch-site": "cross-site"})
    assert (foreign.status_code, slug(foreign)) == (403, "cross-site-refused")
    assert sorted(path.name for path in root.iterdir()) == [".fileserver", "a"]


async def test_a_destination_has_the_prefix_that_the_application_is_mounted_at(root: Path) -> None:
    app = create_app(Settings(root=root))
    transport = httpx.ASGITransport(app, root_path="/below")
    async with running(app), httpx.AsyncClient(transport=transport, base_url="http://files.test") as client:
        await client.put("/below/files/a", content=b"content")
        wrong = await client.request("MOVE", "/below/files/a", headers={"destination": "/files/b"})
        assert wrong.status_code == 400
        right = await client.request("MOVE", "/below/files/a", headers={"destination": "/below/files/b"})
        assert (right.status_code, right.headers["location"]) == (201, "/below/files/b")


async def test_pages_of_allowed_origins_may_move_files(root: Path) -> None:
    app = create_app(Settings(root=root, allowed_origins="https://a.example"))
    asked = {
        "origin": "https://a.example",
        "access-control-request-method": "MOVE",
        "access-control-request-headers": "destination,overwrite",
    }
    async with running(app), client_of(app) as client:
        answer = await client.options("/files/a", headers=asked)
    assert {"MOVE", "COPY", "MKCOL"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert {"Depth", "Destination", "Overwrite"} <= set(answer.headers["access-control-allow-headers"].split(", "))


async def test_a_path_says_that_it_can_be_moved(client: httpx.AsyncClient) -> None:
    allowed = (await client.options("/files/a")).headers["allow"]
    assert {"MOVE", "COPY", "MKCOL"} <= set(allowed.split(", "))
