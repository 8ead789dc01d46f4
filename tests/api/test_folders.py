"""`/files/[folder/]`: listings in every form, and uploads by a form."""

import csv
import io
import json
import os
from pathlib import Path

import httpx
import pytest

NAMES = ["a.txt", "b & c.txt", 'quo"te.csv', "sub/d.txt", "é.txt"]


@pytest.fixture(autouse=True)
def filled(root: Path) -> None:
    (root / "sub").mkdir()
    for name in NAMES:
        (root / name).write_bytes(b"12345")


async def listing(client: httpx.AsyncClient, accept: str, query: str = "") -> httpx.Response:
    return await client.get(f"/files/{query}", headers={"accept": accept})


async def test_json(client: httpx.AsyncClient) -> None:
    answer = (await listing(client, "application/json")).json()
    assert [entry["key"] for entry in answer["entries"]] == ["a.txt", "b & c.txt", 'quo"te.csv', "sub/", "é.txt"]
    file, folder = answer["entries"][0], answer["entries"][3]
    assert (file["name"], file["type"], file["size"], file["href"]) == ("a.txt", "file", 5, "/files/a.txt")
    assert (folder["name"], folder["type"], folder["size"], folder["href"]) == ("sub", "folder", None, "/files/sub/")
    assert answer["next"] is None


@pytest.mark.parametrize("query", ["", "recursive=true"])
async def test_pages_follow_each_other_to_the_end(client: httpx.AsyncClient, query: str) -> None:
    whole = (await client.get(f"/files/?{query}")).json()["entries"]
    found: list[dict[str, str]] = []
    href = f"/files/?limit=2&{query}"
    while href:
        answer = await client.get(href)
        page = answer.json()
        assert len(page["entries"]) <= 2
        assert ("link" in answer.headers) is (page["next"] is not None)
        found, href = found + page["entries"], page["next"]
    assert found == whole


@pytest.mark.parametrize("query", ["", "recursive=true"])
async def test_pages_pass_over_no_name_that_is_no_utf8(client: httpx.AsyncClient, root: Path, query: str) -> None:
    for name in ("f\udce8", "f\udce9", "f\udcff", "\udcff/a", "\udcff/b"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"1")
    whole = (await client.get(f"/files/?{query}")).json()["entries"]
    found: list[dict[str, str]] = []
    href = f"/files/?limit=1&{query}"
    while href:
        page = (await client.get(href)).json()
        found, href = found + page["entries"], page["next"]
    assert found == whole


async def test_ndjson_csv_and_text_have_the_same_rows(client: httpx.AsyncClient) -> None:
    rows = (await listing(client, "application/json", "?recursive=true")).json()["entries"]
    ndjson = await listing(client, "application/x-ndjson", "?recursive=true")
    *lines, last = map(json.loads, ndjson.text.splitlines())
    assert (lines, last) == (rows, {"type": "end", "rows": len(rows)})
    table = list(csv.DictReader(io.StringIO((await listing(client, "text/csv", "?recursive=true")).text)))
    assert [row["key"] for row in table] == [row["key"] for row in rows]
    text = await listing(client, "text/plain", "?recursive=true")
    assert text.text.splitlines() == [row["key"] for row in rows]


async def test_a_tree_as_json_is_whole_unless_pages_are_asked_for(client: httpx.AsyncClient, root: Path) -> None:
    for number in range(1100):
        (root / "sub" / f"{number:04}").write_bytes(b"")
    tree = (await listing(client, "application/json", "?recursive=true")).json()
    assert (tree["folder"], len(tree["entries"]), tree["next"]) == ("", 1105, None)
    assert [entry["key"] for entry in tree["entries"]] == sorted(entry["key"] for entry in tree["entries"])
    rest = (await listing(client, "application/json", "?recursive=true&after=sub/1098")).json()
    assert [entry["key"] for entry in rest["entries"]] == ["sub/1099", "sub/d.txt", "é.txt"]
    page = (await listing(client, "application/json", "?recursive=true&limit=1000")).json()
    assert (len(page["entries"]), page["next"]) == (1000, "/files/?after=sub%2F0996&limit=1000&recursive=True")
    folder = (await client.get("/files/sub/")).json()
    assert (len(folder["entries"]), folder["next"]) == (1000, "/files/sub/?after=sub%2F0999")


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "text/plain"])
@pytest.mark.parametrize("query", ["?sort=none", "?sort=none&recursive=true"])
async def test_without_an_order_all_comes_in_some_order(client: httpx.AsyncClient, accept: str, query: str) -> None:
    in_order = await listing(client, accept, query.replace("none", "key"))
    found = await listing(client, accept, query)
    assert found.headers["content-type"] == in_order.headers["content-type"]
    assert sorted(_pieces(found)) == sorted(_pieces(in_order))


def _pieces(answer: httpx.Response) -> list[str]:
    if answer.headers["content-type"] == "application/json":
        return [json.dumps(entry) for entry in answer.json()["entries"]]
    return answer.text.splitlines()


async def test_a_browser_that_wants_no_order_is_given_rows(client: httpx.AsyncClient) -> None:
    answer = await listing(client, "text/html,*/*;q=0.8", "?sort=none")
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()["entries"]) == 5


@pytest.mark.parametrize(
    ("query", "parameter"), [("after=a", "after"), ("limit=2", "limit"), ("after=a&limit=2", "after")]
)
async def test_what_has_no_order_has_no_pages(client: httpx.AsyncClient, query: str, parameter: str) -> None:
    answer = await client.get(f"/files/?sort=none&{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "text/plain"])
async def test_an_empty_folder_is_a_whole_answer(client: httpx.AsyncClient, root: Path, accept: str) -> None:
    (root / "empty").mkdir()
    answer = await client.get("/files/empty/?recursive=true", headers={"accept": accept})
    whole = {
        "application/json": '{"folder":"empty/","entries":[],"next":null}',
        "application/x-ndjson": '{"type":"end","rows":0}\n',
        "text/csv": "key,name,type,size,modified,media_type,etag,sha256,href\r\n",
        "text/plain": "",
    }
    assert answer.text == whole[accept]


async def test_a_stream_may_have_a_limit(client: httpx.AsyncClient) -> None:
    answer = await listing(client, "application/x-ndjson", "?recursive=true&limit=2&after=a.txt")
    keys = [json.loads(line).get("key") for line in answer.text.splitlines()]
    assert keys == ["b & c.txt", 'quo"te.csv', None]


async def test_names_that_are_no_utf8_survive_in_every_form(client: httpx.AsyncClient, root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    for query in ("", "?recursive=true"):
        (file,) = [e for e in (await client.get(f"/files/{query}")).json()["entries"] if e["key"].startswith("caf")]
        assert file["href"] == "/files/caf%E9"
    assert b"\ncaf\xe9,caf\xe9,file," in (await listing(client, "text/csv")).content.replace(b"\r", b"")


async def test_html_links_to_every_file(client: httpx.AsyncClient) -> None:
    answer = await listing(client, "text/html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    names = ("a.txt", "b%20%26%20c.txt", "quo%22te.csv", "%C3%A9.txt")
    for href in ("/files/sub/", *(f"/files/?view={name}" for name in names), *(f"/files/{n}?download" for n in names)):
        assert f'href="{href}"' in answer.text


async def test_a_type_that_we_do_not_have_is_not_acceptable(client: httpx.AsyncClient) -> None:
    assert (await listing(client, "image/png")).status_code == 406


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "text/plain", "text/html"])
async def test_head_is_get_without_a_body_and_what_is_missing_is_missing(
    client: httpx.AsyncClient, accept: str
) -> None:
    head = await client.head("/files/", headers={"accept": accept})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["vary"] == "accept, accept-encoding"
    assert (await client.get("/files/missing/", headers={"accept": accept})).status_code == 404


async def test_a_form_stores_its_files(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.post("/files/sub/", files=[("file", ("new", b"one")), ("file", ("ü.txt", b"two"))])
    assert (answer.status_code, answer.headers["location"]) == (201, "/files/sub/")
    assert [entry["key"] for entry in answer.json()["entries"]] == ["sub/new", "sub/ü.txt"]
    assert (root / "sub" / "new").read_bytes() == b"one"
    assert (root / "sub" / "ü.txt").read_bytes() == b"two"


async def test_a_name_that_is_taken_is_a_conflict_unless_it_is_to_be_replaced(
    client: httpx.AsyncClient, root: Path
) -> None:
    refused = await client.post("/files/", files={"file": ("a.txt", b"new")})
    assert refused.status_code == 409
    assert refused.json()["type"].endswith(":key-taken")
    assert (root / "a.txt").read_bytes() == b"12345"
    by_query = await client.post("/files/?replace=true", files={"file": ("a.txt", b"query")})
    by_field = await client.post("/files/", data={"replace": "true"}, files={"file": ("a.txt", b"field")})
    assert (by_query.status_code, by_field.status_code) == (201, 201)
    assert (root / "a.txt").read_bytes() == b"field"


async def test_a_browser_is_sent_back_to_the_folder(client: httpx.AsyncClient) -> None:
    answer = await client.post("/files/sub/", files={"file": ("n", b"x")}, headers={"accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/files/sub/")


@pytest.mark.parametrize("name", ["..", ".fileserver", "a\x07b", ""])
async def test_a_bad_file_name_stores_nothing(client: httpx.AsyncClient, root: Path, name: str) -> None:
    answer = await client.post("/files/", files=[("file", ("good", b"x")), ("file", (name or "/", b"x"))])
    assert answer.status_code in {201, 400}
    assert (root / "good").exists() is (answer.status_code == 201)
    assert os.listdir(root / ".fileserver" / "drafts") == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
    ],
)
async def test_what_is_no_form_is_refused(client: httpx.AsyncClient, content_type: str, body: bytes) -> None:
    answer = await client.post("/files/", content=body, headers={"content-type": content_type})
    assert answer.status_code == 400
