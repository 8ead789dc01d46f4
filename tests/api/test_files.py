"""`/files/{key}`: from the request to the answer."""

import base64
import hashlib
import os
from pathlib import Path

import httpx
import pytest

from tests.delivery.conftest import drafts_in

SHA256 = base64.b64encode(hashlib.sha256(b"content").digest()).decode()


def slug(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return str(answer.json()["type"]).rpartition(":")[2]


async def test_a_put_file_is_told_about_and_comes_back(client: httpx.AsyncClient) -> None:
    put = await client.put("/files/folder/a.txt", content=b"content")
    assert put.status_code == 201
    assert put.headers["location"] == "/files/folder/a.txt"
    assert put.headers["repr-digest"] == f"sha-256=:{SHA256}:"
    got = await client.get("/files/folder/a.txt")
    assert got.content == b"content"
    assert got.headers["etag"] == put.headers["etag"]
    assert got.headers["content-type"] == "text/plain; charset=utf-8"


async def test_replacing_answers_200_and_another_etag(client: httpx.AsyncClient) -> None:
    first = await client.put("/files/a", content=b"old")
    second = await client.put("/files/a", content=b"new")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["etag"] != second.headers["etag"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"if-none-match": "*"}, 412),
        ({"if-match": '"x"'}, 412),
        ({"if-match": "*"}, 200),
        ({"if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 412),
    ],
)
async def test_preconditions_guard_a_stored_file(
    client: httpx.AsyncClient, fields: dict[str, str], status: int
) -> None:
    await client.put("/files/a", content=b"old")
    assert (await client.put("/files/a", content=b"new", headers=fields)).status_code == status
    assert (await client.get("/files/a")).content == (b"new" if status == 200 else b"old")


async def test_if_match_takes_the_etag_that_get_gave(client: httpx.AsyncClient) -> None:
    await client.put("/files/a", content=b"old")
    etag = (await client.head("/files/a")).headers["etag"]
    assert (await client.put("/files/a", content=b"new", headers={"if-match": etag})).status_code == 200
    assert (await client.delete("/files/a", headers={"if-match": etag})).status_code == 412
    etag = (await client.head("/files/a")).headers["etag"]
    assert (await client.delete("/files/a", headers={"if-match": etag})).status_code == 204
    assert (await client.get("/files/a")).status_code == 404


@pytest.mark.parametrize("name", ["content-digest", "repr-digest"])
async def test_digests_are_verified(client: httpx.AsyncClient, root: Path, name: str) -> None:
    right, wrong = f"sha-256=:{SHA256}:", f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"
    refused = await client.put("/files/a", content=b"content", headers={name: wrong})
    assert (refused.status_code, slug(refused)) == (400, "digest-mismatch")
    assert not (root / "a").exists()
    assert drafts_in(root) == []
    assert (await client.put("/files/a", content=b"content", headers={name: "sha-256=x"})).status_code == 400
    assert (await client.put("/files/a", content=b"content", headers={name: right})).status_code == 201


@pytest.mark.parametrize(
    ("path", "fields", "content", "status", "problem"),
    [
        ("a", {"content-range": "bytes 0-1/2"}, b"x", 400, "content-range-not-supported"),
        ("a", {}, b"x" * 1001, 413, "too-large"),
        ("a%0ab", {}, b"x", 400, "invalid-key"),
        ("%2e%2e/a", {}, b"x", 400, "invalid-key"),
        (".fileserver/a", {}, b"x", 400, "invalid-key"),
        ("folder", {}, b"x", 409, "folder-in-the-way"),
        ("folder/file/a", {}, b"x", 409, "folder-in-the-way"),
        ("a", {"sec-fetch-site": "cross-site"}, b"x", 403, "cross-site-refused"),
        ("a", {"origin": "http://evil.test"}, b"x", 403, "cross-site-refused"),
        ("a", {"origin": "null"}, b"x", 403, "cross-site-refused"),
    ],
)
async def test_refused_puts(
    client: httpx.AsyncClient, root: Path, path: str, fields: dict[str, str], content: bytes, status: int, problem: str
) -> None:
    (root / "folder").mkdir()
    (root / "folder" / "file").write_bytes(b"")
    answer = await client.put(f"/files/{path}", content=content, headers=fields)
    assert (answer.status_code, slug(answer)) == (status, problem)
    assert drafts_in(root) == []


async def test_our_own_pages_may_write(client: httpx.AsyncClient) -> None:
    fields = {"origin": "http://files.test", "sec-fetch-site": "same-origin"}
    assert (await client.put("/files/a", content=b"x", headers=fields)).status_code == 201


@pytest.mark.parametrize(("method", "path"), [("PUT", "/files/a"), ("DELETE", "/files/a"), ("POST", "/files/")])
async def test_a_read_only_server_changes_nothing(
    reader: httpx.AsyncClient, root: Path, method: str, path: str
) -> None:
    (root / "a").write_bytes(b"x")
    answer = await reader.request(method, path, content=b"y")
    assert (answer.status_code, slug(answer)) == (403, "read-only")
    assert (await reader.get("/files/a")).content == b"x"
    assert os.listdir(root) == ["a"]


@pytest.mark.parametrize("path", ["missing", "folder/missing", "file/", "missing/", "n" * 300, "folder%00"])
async def test_what_is_not_there(client: httpx.AsyncClient, root: Path, path: str) -> None:
    (root / "folder").mkdir()
    (root / "file").write_bytes(b"")
    assert (await client.get(f"/files/{path}")).status_code in {400, 404}


async def test_a_folder_without_its_slash_is_a_redirect(client: httpx.AsyncClient, root: Path) -> None:
    (root / "a folder").mkdir()
    answer = await client.get("/files/a%20folder")
    assert (answer.status_code, answer.headers["location"]) == (307, "/files/a%20folder/")
    answer = await client.get("/files/a%20folder?recursive&after=%C3%A9")
    assert (answer.status_code, answer.headers["location"]) == (307, "/files/a%20folder/?recursive&after=%C3%A9")


async def test_a_name_that_is_no_utf8_can_be_read(client: httpx.AsyncClient, root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).write_bytes(b"latin")
    (entry,) = (await client.get("/files/")).json()["entries"]
    assert entry["href"] == "/files/caf%E9"
    assert (await client.get(entry["href"])).content == b"latin"


async def test_download_saves_under_the_stored_or_the_given_name(client: httpx.AsyncClient) -> None:
    await client.put("/files/a.txt", content=b"x")
    stored = await client.get("/files/a.txt?download")
    given = await client.get("/files/a.txt?download=b.txt")
    assert stored.headers["content-disposition"].startswith('attachment; filename="a.txt"')
    assert given.headers["content-disposition"].startswith('attachment; filename="b.txt"')


async def test_a_person_sees_a_page_for_an_error(client: httpx.AsyncClient) -> None:
    answer = await client.get("/files/missing", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/files/a", "GET, HEAD, PUT, POST, DELETE, MOVE, COPY, MKCOL, OPTIONS"),
        ("/transform", "POST, OPTIONS"),
        ("/transform/a", "GET, HEAD, POST, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
    ],
)
async def test_other_methods_are_told_which_there_are(client: httpx.AsyncClient, path: str, allow: str) -> None:
    refused = await client.request("PATCH", path)
    assert (refused.status_code, slug(refused), refused.headers["allow"]) == (405, "method-not-allowed", allow)
    asked = await client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")


async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")
    assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert (await client.options("/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/files/?limit=0", "limit: it is 1 or more."),
        ("/files/?limit=x", "limit: it is a whole number."),
        ("/files/?recursive=perhaps", "recursive: it is true or false."),
        ("/files/a?follow=perhaps", "follow: it is true or false."),
        ("/files/?sort=size", "sort: it is 'key' or 'none'."),
        ("/comments/a?limit=1001", "limit: it is 1000 or less."),
    ],
)
async def test_a_bad_parameter_is_named_and_so_is_what_it_should_be(
    client: httpx.AsyncClient, path: str, detail: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, slug(answer), answer.json()["detail"]) == (400, "bad-parameter", detail)
    assert answer.json()["parameter"] == detail.partition(":")[0]


async def test_a_parameter_that_has_to_be_there_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/comments/a")
    assert (answer.status_code, slug(answer), answer.json()["detail"]) == (
        400,
        "bad-parameter",
        "comment: it is missing.",
    )


@pytest.mark.parametrize("query", ["tail&follow", "tail=3&follow=true", "follow=1&tail=0"])
async def test_nobody_asks_for_a_tail_and_for_an_upload_in_one(client: httpx.AsyncClient, query: str) -> None:
    await client.put("/files/a", content=b"one\n")
    answer = await client.get(f"/files/a?{query}")
    assert (answer.status_code, slug(answer), answer.json()["parameter"]) == (400, "bad-parameter", "follow")


@pytest.mark.parametrize("path", ["folder/?tail", "?tail=3", "folder/?tail&follow=false", "folder?tail"])
async def test_a_folder_has_no_tail(client: httpx.AsyncClient, path: str) -> None:
    await client.put("/files/folder/a", content=b"x")
    answer = await client.get(f"/files/{path}", follow_redirects=True)
    assert (answer.status_code, slug(answer), answer.json()["parameter"]) == (400, "bad-parameter", "tail")


@pytest.mark.parametrize(
    ("accept", "lines"), [("text/plain", 3), ("application/x-ndjson", 5), ("text/event-stream", 15)]
)
async def test_a_tail_that_is_not_followed_ends(client: httpx.AsyncClient, accept: str, lines: int) -> None:
    await client.put("/files/a.log", content=b"one\ntwo\nthree\nfour\n")
    answer = await client.get("/files/a.log?tail=3&follow=false", headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == accept
    assert "one" not in answer.text
    assert [answer.text.count(each) for each in ("two", "three", "four")] == [1, 1, 1]
    assert len(answer.text.splitlines()) == lines
