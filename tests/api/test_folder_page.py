"""The page of a folder as its browser is sent it: searched, with what it says of itself, with a file of it shown."""

import gzip
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.support.asgi import drive, http_scope

PAGE = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def filled(root: Path) -> None:
    (root / "Köln" / "sub").mkdir(parents=True)
    (root / "empty").mkdir()
    for name in ("a.txt", "Köln/Dom & Rhein.txt", "Köln/sub/koln.jpg", "Köln/sub/other"):
        (root / name).write_bytes(b"some words")


def first_view(answer: httpx.Response) -> Any:
    found = re.search(r'<script type="application/json" id="first-view">(.*?)</script>', answer.text)
    assert found is not None
    return json.loads(found[1])


async def searched(client: httpx.AsyncClient, words: str, **query: str | int) -> list[str]:
    answer = await client.get("/files/", params={"search": words, **query})
    return [entry["key"] for entry in answer.json()["entries"]]


async def test_a_search_finds_files_and_folders_below(client: httpx.AsyncClient) -> None:
    assert await searched(client, "koln") == ["Köln/", "Köln/sub/koln.jpg"]
    assert await searched(client, "RHEIN dom") == ["Köln/Dom & Rhein.txt"]
    assert await searched(client, "nothing") == []
    below = await client.get("/files/K%C3%B6ln/sub/?search=o")
    assert [entry["name"] for entry in below.json()["entries"]] == ["koln.jpg", "other"]


async def test_pages_of_a_search_follow_each_other_to_the_end(client: httpx.AsyncClient) -> None:
    whole = await searched(client, "o")
    assert len(whole) == 4
    found: list[str] = []
    href = "/files/?search=o&limit=1"
    while href:
        page = (await client.get(href)).json()
        found, href = found + [entry["key"] for entry in page["entries"]], page["next"]
    assert found == whole


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv", "text/plain"])
async def test_a_search_comes_in_every_form(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.get("/files/?search=dom", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(accept)
    assert "Rhein.txt" in answer.text
    assert "a.txt" not in answer.text
    assert (await client.get("/files/missing/?search=dom", headers={"accept": accept})).status_code == 404


async def test_a_search_for_nothing_is_the_folder(client: httpx.AsyncClient) -> None:
    assert await searched(client, " ") == ["Köln/", "a.txt", "empty/"]
    assert first_view(await client.get("/files/?search=", headers=PAGE))["search"] is None


async def test_a_search_is_a_page_that_works_without_scripts(client: httpx.AsyncClient) -> None:
    answer = await client.get("/files/", params={"search": '"dom" <b>'}, headers=PAGE)
    assert 'value="&quot;dom&quot; &lt;b&gt;"' in answer.text
    answer = await client.get("/files/?search=dom", headers=PAGE)
    assert 'href="/files/K%C3%B6ln/?view=Dom%20%26%20Rhein.txt"' in unescape(answer.text)
    assert first_view(answer)["search"] == "dom"
    assert [entry["key"] for entry in first_view(answer)["entries"]] == ["Köln/Dom & Rhein.txt"]


async def test_what_a_page_begins_with_is_what_the_folder_answers(client: httpx.AsyncClient) -> None:
    page = first_view(await client.get("/files/K%C3%B6ln/", headers=PAGE))
    document = (await client.get("/files/K%C3%B6ln/")).json()
    assert page == document | {"view": None, "search": None}


async def test_the_folder_says_what_it_says_of_itself(client: httpx.AsyncClient, root: Path) -> None:
    assert "<article" not in (await client.get("/files/", headers=PAGE)).text
    (root / "Köln" / "ReadMe.md").write_text("# Hello\n\n[way](sub/other) ![Dom](dom.png)")
    answer = (await client.get("/files/K%C3%B6ln/", headers=PAGE)).text
    assert '<article class="readme" aria-label="ReadMe.md">' in answer
    assert '<h2 id="readme-hello">Hello</h2>' in answer
    assert '<a href="/files/K%C3%B6ln/sub/?view=other">way</a>' in answer
    assert '<img src="/files/K%C3%B6ln/dom.png" alt="Dom" loading="lazy" />' in answer
    (root / "Köln" / "ReadMe.md").write_text("changed")
    assert "<p>changed</p>" in (await client.get("/files/K%C3%B6ln/", headers=PAGE)).text


@pytest.mark.parametrize("query", ["?after=a", "?search=a", "?recursive=true"])
async def test_only_the_folder_itself_says_so(client: httpx.AsyncClient, root: Path, query: str) -> None:
    (root / "README.md").write_text("words")
    assert '<article class="readme"' not in (await client.get(f"/files/{query}", headers=PAGE)).text


async def test_a_large_folder_says_so_too(client: httpx.AsyncClient, root: Path) -> None:
    for number in range(1001):
        (root / "empty" / f"{number:04}").write_bytes(b"")
    (root / "empty" / "README.md").write_text("words of it")
    answer = await client.get("/files/empty/", headers=PAGE)
    assert "README.md" not in [entry["name"] for entry in first_view(answer)["entries"]]
    assert "<p>words of it</p>" in answer.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00*a*", b"x" * 300_000, b"\xef\xbb\xbf# a", b"[" * 20_000])
async def test_any_bytes_may_be_a_readme(client: httpx.AsyncClient, root: Path, content: bytes) -> None:
    (root / "README.md").write_bytes(content)
    answer = await client.get("/files/", headers=PAGE)
    assert answer.status_code == 200
    assert ('<article class="readme"' in answer.text) is (content != b"")
    assert ("The rest of it" in answer.text) is (len(content) > 256 * 1024)


async def test_a_readme_that_is_a_folder_or_a_link_is_none(client: httpx.AsyncClient, root: Path) -> None:
    (root / "README.md").mkdir()
    (root / "README.txt").symlink_to("/etc/hostname")
    answer = await client.get("/files/", headers=PAGE)
    assert (answer.status_code, "readme-text" in answer.text) == (200, False)


async def test_a_file_is_shown_on_the_page_of_its_folder(client: httpx.AsyncClient) -> None:
    answer = await client.get("/files/?view=a.txt", headers=PAGE)
    assert "<pre>some words</pre>" in answer.text
    assert '<meta property="og:title" content="a.txt">' in answer.text
    view = first_view(answer)["view"]
    assert (view["key"], view["media_type"], view["size"]) == ("a.txt", "text/plain; charset=utf-8", 10)
    assert "a.txt" in [entry["name"] for entry in first_view(answer)["entries"]]


@pytest.mark.parametrize(
    "name",
    ["missing", "empty", "../a.txt", "/a.txt", "", ".fileserver", ".", "a.txt/x", "a%00", "%FF", "Köln/sub/koln.jpg/"],
)
async def test_what_is_no_file_here_is_not_shown(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/files/?view={name}", headers=PAGE)
    assert answer.status_code == 200
    assert first_view(answer)["view"] is None
    assert "plain-view" not in answer.text


async def test_the_type_of_a_file_that_nobody_opened_is_told_by_its_name(client: httpx.AsyncClient) -> None:
    (entry,) = (await client.get("/files/?search=jpg")).json()["entries"]
    assert entry["media_type"] == "image/jpeg"
    await client.get("/files/K%C3%B6ln/sub/koln.jpg")
    (entry,) = (await client.get("/files/?search=jpg")).json()["entries"]
    assert entry["media_type"].startswith("text/plain")


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "text/plain", "text/html"])
async def test_a_folder_leaves_compressed_where_that_is_taken(
    client: httpx.AsyncClient, root: Path, accept: str
) -> None:
    for number in range(100):
        (root / "empty" / f"{number}").write_bytes(b"")
    plain = await client.get("/files/empty/", headers={"accept": accept, "accept-encoding": "identity"})
    async with client.stream(
        "GET", "/files/empty/", headers={"accept": accept, "accept-encoding": "br, gzip"}
    ) as packed:
        content = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "accept, accept-encoding"
    assert (packed.headers["content-encoding"], gzip.decompress(content)) == ("gzip", plain.content)
    assert len(content) < len(plain.content) / 2 or accept == "text/plain"


async def test_files_leave_as_they_are(client: httpx.AsyncClient, root: Path) -> None:
    (root / "zeros").write_bytes(bytes(100_000))
    answer = await client.get("/files/zeros", headers={"accept-encoding": "gzip"})
    assert ("content-encoding" in answer.headers, answer.headers["content-length"]) == (False, "100000")


async def test_a_search_that_nobody_waits_for_is_given_up(root: Path) -> None:
    app = create_app(Settings(root=root))
    scope = http_scope(path="/files/", query="search=koln", headers=[("accept", "application/json")])
    async with running(app):
        answer = await drive(app, scope, disconnect_after_events=True)
    assert answer.messages == []
    assert isinstance(answer.error, OSError)  # as the server says that nobody is there
