"""`/transform`: plans, tables and what is wrong with them."""

from pathlib import Path

import httpx
import pytest

TABLE = b'id,name\n007,"x"\n8,""\n9,\n'
BROKEN = b"id,name\n1,a\n2\n3,c\n"
CSV = {"content-type": "text/csv"}


async def test_the_body_and_a_stored_file_come_out_the_same(client: httpx.AsyncClient) -> None:
    await client.put("/files/t.csv", content=TABLE)
    raw = await client.post("/transform", content=TABLE, headers=CSV)
    form = await client.post("/transform", files={"file": ("t.csv", TABLE)})
    stored = await client.get("/transform/t.csv")
    assert raw.content == form.content == stored.content == TABLE
    assert raw.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert raw.headers["transform-rows-in"] == raw.headers["transform-rows-out"] == "3"


async def test_steps(client: httpx.AsyncClient) -> None:
    query = {"filter": "id > 7", "select": "name,id", "rename": "id:ID", "limit": "1"}
    answer = await client.post("/transform", params=query, content=TABLE, headers=CSV)
    assert answer.content == b'name,ID\n"",8\n'


@pytest.mark.parametrize(
    ("query", "parameter", "position"),
    [({"selekt": "id"}, "selekt", 0), ({"select": "id,nope"}, "select", 3), ({"filter": "id >"}, "filter", 4)],
)
async def test_a_plan_fault_says_where(
    client: httpx.AsyncClient, query: dict[str, str], parameter: str, position: int
) -> None:
    answer = await client.post("/transform", params=query, content=TABLE, headers=CSV)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":plan-fault")
    assert (answer.json()["parameter"], answer.json()["position"]) == (parameter, position)


async def test_a_malformed_row_is_refused_by_its_number(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transform", content=BROKEN, headers=CSV)
    assert answer.status_code == 422
    assert (answer.json()["row"], answer.json()["line"]) == (2, 3)


async def test_or_skipped_and_counted(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transform?on_error=skip", content=BROKEN, headers=CSV)
    assert answer.content == b"id,name\n1,a\n3,c\n"
    assert answer.headers["transform-rows-rejected"] == "1"


async def test_what_is_no_table_is_refused(client: httpx.AsyncClient, root: Path) -> None:
    (root / "folder").mkdir()
    assert (
        await client.post("/transform", content=b"{}", headers={"content-type": "application/json"})
    ).status_code == 415
    assert (await client.post("/transform", content=b"", headers=CSV)).status_code == 422
    assert (await client.get("/transform/missing.csv")).status_code == 404
    assert (await client.get("/transform/folder")).status_code == 404
    no_end = b'--b\r\nContent-Disposition: form-data; name="f"; filename="t"\r\n\r\nid\n1\n'
    cut = await client.post("/transform", content=no_end, headers={"content-type": "multipart/form-data; boundary=b"})
    assert cut.status_code == 400


async def test_head_of_a_stored_transform_has_no_body(client: httpx.AsyncClient) -> None:
    await client.put("/files/t.csv", content=TABLE)
    answer = await client.head("/transform/t.csv")
    assert (answer.status_code, answer.content) == (200, b"")
