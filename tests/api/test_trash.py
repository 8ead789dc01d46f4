"""`/trash`: what is removed and restored, and what is refused."""

import doctest
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fileserver.api import trash_body
from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of

DAY_S = 86_400


@pytest.fixture(autouse=True)
def files(root: Path) -> None:
    (root / "a.txt").write_bytes(b"a")
    (root / "folder" / "deep").mkdir(parents=True)
    (root / "folder" / "deep" / "b.txt").write_bytes(b"b")


async def remove(client: httpx.AsyncClient, *keys: str) -> httpx.Response:
    return await client.post("/trash", json={"keys": keys})


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and the last part of the problem's type."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_files_and_folders_are_removed_and_restored(client: httpx.AsyncClient, root: Path) -> None:
    answer = await remove(client, "folder/", "a.txt")
    removal = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/trash/{removal['id']}"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert removal["items"] == [
        {"key": "a.txt", "type": "file", "size": 1},
        {"key": "folder/", "type": "folder", "size": None},
    ]
    assert removal["count"] == 2
    lifetime = datetime.fromisoformat(removal["expires_at"]) - datetime.fromisoformat(removal["deleted_at"])
    assert lifetime.total_seconds() == 7 * DAY_S
    assert (await client.get("/files/", params={"recursive": True})).json()["entries"] == []
    assert (await client.get(answer.headers["location"])).json() == removal
    assert (await client.get("/trash")).json() == {"removals": [removal], "next": None}

    restored = await client.post(f"/trash/{removal['id']}/restore")
    assert restored.status_code == 200
    assert restored.json() == {"restored": ["a.txt", "folder/"], "taken": [], "left": []}
    assert (root / "folder" / "deep" / "b.txt").read_bytes() == b"b"
    assert problem(await client.post(f"/trash/{removal['id']}/restore")) == (404, "not-found")
    assert (await client.get("/trash")).json() == {"removals": [], "next": None}


async def test_the_etag_and_the_words_about_a_file_come_back_with_it(client: httpx.AsyncClient) -> None:
    await client.put("/files/b.txt", content=b"content")
    await client.post("/comments/b.txt", json={"text": "Look!"})
    before = await client.head("/files/b.txt")
    removal = (await remove(client, "b.txt")).json()
    assert (await client.get("/comments/b.txt")).status_code == 404
    await client.put("/files/b.txt", content=b"new")
    assert (await client.get("/comments/b.txt")).json()["comments"] == []
    restored = (await client.post(f"/trash/{removal['id']}/restore")).json()
    assert restored == {"restored": ["b (restored).txt"], "taken": ["b.txt"], "left": []}
    after = await client.head("/files/b (restored).txt")
    for name in ("etag", "last-modified", "content-length", "content-type", "repr-digest"):
        assert after.headers.get(name) == before.headers.get(name), name
    assert [each["text"] for each in (await client.get("/comments/b (restored).txt")).json()["comments"]] == ["Look!"]


async def test_what_cannot_come_back_is_said(client: httpx.AsyncClient) -> None:
    removal = (await remove(client, "folder/deep/", "a.txt")).json()
    await client.delete("/files/folder/")
    await client.put("/files/folder", content=b"in the way")
    href = f"/trash/{removal['id']}/restore"
    assert (await client.post(href)).json() == {"restored": ["a.txt"], "taken": [], "left": ["folder/deep/"]}
    assert problem(await client.post(href)) == (409, "folder-in-the-way")


async def test_where_one_is_not_there_nothing_is_removed(client: httpx.AsyncClient, root: Path) -> None:
    answer = await remove(client, "a.txt", "none")
    assert problem(answer) == (404, "not-found")
    assert answer.json()["key"] == "none"
    assert (root / "a.txt").exists()


def test_the_examples_in_the_text_hold() -> None:
    done = doctest.testmod(trash_body)
    assert (done.attempted > 0, done.failed) == (True, 0)


MALFORMED: list[tuple[Any, str]] = [
    (b"", "malformed-request"),
    (b"[]", "malformed-request"),
    (b"\xff", "malformed-request"),
    (b"[" * 100_000, "malformed-request"),
    ({}, "malformed-request"),
    ({"keys": []}, "malformed-request"),
    ({"keys": "a.txt"}, "malformed-request"),
    ({"keys": [1]}, "malformed-request"),
    ({"keys": ["a.txt"], "all": True}, "malformed-request"),
    ({"keys": ["x"] * 1001}, "malformed-request"),
    ({"keys": [""]}, "invalid-key"),
    ({"keys": ["/"]}, "invalid-key"),
    ({"keys": ["../a.txt"]}, "invalid-key"),
    ({"keys": [".fileserver/"]}, "invalid-key"),
    ({"keys": ["folder//"]}, "invalid-key"),
]


@pytest.mark.parametrize(("body", "slug"), MALFORMED, ids=[str(body)[:30] for body, _ in MALFORMED])
async def test_what_is_no_list_of_keys_is_refused(client: httpx.AsyncClient, body: Any, slug: str) -> None:
    if isinstance(body, bytes):
        answer = await client.post("/trash", content=body, headers={"content-type": "application/json"})
    else:
        answer = await client.post("/trash", json=body)
    assert problem(answer) == (400, slug)


async def test_a_body_that_is_too_large_or_no_json_is_refused(client: httpx.AsyncClient) -> None:
    large = await client.post("/trash", content=b" " * (5 << 20), headers={"content-type": "application/json"})
    assert problem(large) == (413, "too-large")
    text = await client.post("/trash", content=b'{"keys": ["a.txt"]}', headers={"content-type": "text/plain"})
    assert problem(text) == (415, "unsupported-media-type")


async def test_a_name_that_is_no_text_is_removed_and_restored(client: httpx.AsyncClient, root: Path) -> None:
    (root / "not-\udcff").write_bytes(b"content")
    body = rb'{"keys": ["not-\udcff"]}'
    answer = await client.post("/trash", content=body, headers={"content-type": "application/json"})
    assert answer.json()["items"] == [{"key": "not-\udcff", "type": "file", "size": 7}]
    restored = await client.post(f"{answer.headers['location']}/restore")
    assert restored.json()["restored"] == ["not-\udcff"]


async def test_the_trash_is_told_by_pages_the_newest_first(client: httpx.AsyncClient, root: Path) -> None:
    ids: list[str] = []
    for name in "vwxyz":
        (root / name).touch()
        ids.insert(0, (await remove(client, name)).json()["id"])
    href, found = "/trash?limit=2", []
    while href:
        answer = await client.get(href)
        found += [each["id"] for each in answer.json()["removals"]]
        href = answer.json()["next"]
        assert answer.links.get("next", {}).get("url") == href
    assert found == ids


async def test_a_page_tells_of_some_items_and_the_address_of_all(client: httpx.AsyncClient, root: Path) -> None:
    names = [f"{number:03}" for number in range(150)]
    for name in names:
        (root / name).touch()
    removal = (await remove(client, *names)).json()
    (shown,) = (await client.get("/trash")).json()["removals"]
    assert (shown["count"], len(shown["items"])) == (150, 100)
    assert len((await client.get(f"/trash/{removal['id']}")).json()["items"]) == len(removal["items"]) == 150


async def test_what_is_removed_for_good_is_gone(client: httpx.AsyncClient, root: Path) -> None:
    first, second = [(await remove(client, key)).json()["id"] for key in ("a.txt", "folder/")]
    assert (await client.delete(f"/trash/{first}")).status_code == 204
    assert problem(await client.delete(f"/trash/{first}")) == (404, "not-found")
    assert [each["id"] for each in (await client.get("/trash")).json()["removals"]] == [second]
    assert (await client.delete("/trash")).status_code == 204
    assert (await client.delete("/trash")).status_code == 204
    assert list((root / ".fileserver" / "trash").iterdir()) == []


@pytest.mark.parametrize("removal_id", ["none", "..%2F..", "0" * 26, "%00"])
async def test_what_names_no_removal_is_not_found(client: httpx.AsyncClient, removal_id: str) -> None:
    for method, href in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        assert (await client.request(method, f"/trash/{removal_id}{href}")).status_code == 404


async def test_a_folder_is_deleted_for_good_with_all_that_is_in_it(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.delete("/files/folder/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not (root / "folder").exists()
    assert problem(await client.delete("/files/folder/")) == (404, "not-found")
    assert problem(await client.delete("/files/a.txt/")) == (404, "not-found")
    assert problem(await client.delete("/files/")) == (400, "invalid-key")
    assert (await client.get("/trash")).json()["removals"] == []


@pytest.mark.parametrize(("field", "status"), [("*", 204), ('"version"', 412)])
async def test_of_a_folder_only_that_it_is_there_can_be_a_condition(
    client: httpx.AsyncClient, field: str, status: int
) -> None:
    assert (await client.delete("/files/folder/", headers={"if-match": field})).status_code == status


async def test_a_read_only_server_shows_no_trash_and_takes_nothing(reader: httpx.AsyncClient, root: Path) -> None:
    asked = [("POST", "/trash"), ("GET", "/trash"), ("DELETE", "/trash"), ("DELETE", "/files/folder/")]
    for method, href in (*asked, ("POST", f"/trash/{'0' * 26}/restore"), ("GET", f"/trash/{'0' * 26}")):
        assert problem(await reader.request(method, href, json={"keys": ["a.txt"]})) == (403, "read-only")
    assert (root / "folder").exists()
    assert not (root / ".fileserver").exists()


async def test_another_site_removes_nothing(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.post("/trash", json={"keys": ["a.txt"]}, headers={"sec-fetch-site": "cross-site"})
    assert problem(answer) == (403, "cross-site-refused")
    assert (root / "a.txt").exists()


async def test_without_a_trash_what_is_deleted_is_gone(root: Path) -> None:
    app = create_app(Settings(root=root, trash_lifetime=0))
    async with running(app), client_of(app) as client:
        answer = await remove(client, "a.txt")
        assert problem(answer) == (403, "trash-off")
        assert (root / "a.txt").exists()
        assert (await client.delete("/files/folder/")).status_code == 204
        assert (await client.get("/trash")).json() == {"removals": [], "next": None}


async def test_addresses_begin_with_the_prefix_of_a_mounted_application(root: Path) -> None:
    app = create_app(Settings(root=root))
    async with running(app):
        transport = httpx.ASGITransport(app, root_path="/prefix")
        async with httpx.AsyncClient(transport=transport, base_url="http://files.test/prefix") as client:
            answer = await remove(client, "a.txt")
            removal_id = answer.json()["id"]
            assert answer.headers["location"] == f"/prefix/trash/{removal_id}"
            page = (await client.get("/trash", params={"limit": 1})).json()
            assert page["next"] == f"/prefix/trash?before={removal_id}&limit=1"
