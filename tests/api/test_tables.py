"""`/tables/{key}`: profiles of stored tables, and slices of their rows."""

import csv
import io
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of

TABLE = 'id,name,amount\n007,"x;y",1.50\n008,"",22.75\n009,,3.00\nbad\n\n010,"Köln\n2",\n'
CSV = {"accept": "text/csv"}
NDJSON = {"accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests of the file, as they share a server."""
    return "asyncio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is served."""
    path = tmp_path_factory.mktemp("served")
    (path / "sub").mkdir()
    (path / "t.csv").write_text(TABLE)
    (path / "sub" / "é x.csv").write_text(TABLE)
    (path / "long.csv").write_text("n,square\n" + "".join(f"{n},{n * n}\n" for n in range(300_000)))
    return path


@pytest.fixture(scope="module")
async def app(folder: Path) -> AsyncIterator[FastAPI]:
    """A server, whose workers stay warm from test to test."""
    made = create_app(Settings(root=folder))
    async with running(made):
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with client_of(app) as opened:
        yield opened


async def profile(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


async def test_a_profile_says_what_is_in_a_table(client: httpx.AsyncClient) -> None:
    found = await profile(client, "/tables/t.csv")
    columns = found.pop("columns")
    assert found == {
        "dialect": {"delimiter": ",", "quote": '"', "encoding": "utf-8", "line_ending": "lf", "header": True},
        "bytes": len(TABLE.encode()),
        "rejected": 1,
        "blank_lines": 1,
        "rows": 4,
        "sampled": False,
    }
    assert [(each["name"], each["type"], each["nulls"], each["empty"]) for each in columns] == [
        ("id", "text", 0, 0),
        ("name", "text", 1, 1),
        ("amount", "decimal(18,2)", 1, 0),
    ]
    assert columns[2]["min"], columns[2]["max"] == ("1.50", "22.75")
    assert columns[1]["examples"] == ["x;y", "Köln\n2"]


async def test_a_sample_is_of_the_first_rows(client: httpx.AsyncClient) -> None:
    found = await profile(client, "/tables/long.csv?rows=10")
    assert (found["rows"], found["sampled"], found["rejected"]) == (10, True, None)
    assert found["columns"][0]["max"] == "9"


async def test_a_profile_is_of_a_sample_until_somebody_waited_for_all(client: httpx.AsyncClient) -> None:
    found = await profile(client, "/tables/long.csv")
    assert (found["rows"], found["sampled"], found["rejected"]) == (200_000, True, None)
    whole = await profile(client, "/tables/long.csv?rows=all")
    assert (whole["rows"], whole["sampled"], whole["rejected"]) == (300_000, False, 0)
    assert whole["columns"][1]["max"] == str(299_999**2)
    assert await profile(client, "/tables/long.csv") == whole


async def test_a_profile_follows_its_file(client: httpx.AsyncClient, folder: Path) -> None:
    for rows in (3, 5):
        (folder / "changing.csv").write_text("a\n" + "1\n" * rows)
        for _ in range(2):  # found, and remembered
            assert (await profile(client, "/tables/changing.csv"))["rows"] == rows


async def test_how_the_table_is_read_can_be_said(client: httpx.AsyncClient) -> None:
    found = await profile(client, "/tables/t.csv?delimiter=;&header=false&quote=none")
    assert [each["name"] for each in found["columns"]] == ["column1"]
    answer = await client.get("/tables/t.csv?columns=a,b,c&limit=1")
    assert answer.json()["columns"] == ["a", "b", "c"]
    assert answer.headers["link"] == '</tables/t.csv?columns=a%2Cb%2Cc&offset=1&limit=1>; rel="next"'


async def test_a_malformed_row_may_be_made_to_count(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tables/t.csv?on_bad_row=abort")
    assert answer.status_code == 422
    assert answer.json()["line"] == 5


async def test_a_slice_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tables/sub/%C3%A9%20x.csv?offset=1&limit=2")
    assert answer.json() == {
        "columns": ["id", "name", "amount"],
        "offset": 1,
        "rows": [["008", "", "22.75"], ["009", None, "3.00"]],
        "next": 3,
        "total": None,
    }
    assert answer.headers["link"] == '</tables/sub/%C3%A9%20x.csv?offset=3&limit=2>; rel="next"'
    last = await client.get("/tables/sub/%C3%A9%20x.csv?offset=3&limit=2")
    assert last.json()["rows"] == [["010", "Köln\n2", None]]
    assert (last.json()["next"], last.json()["total"]) == (None, 4)
    assert "link" not in last.headers


async def test_a_slice_in_csv_and_ndjson(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tables/t.csv?offset=1", headers=CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text == 'id,name,amount\n008,"",22.75\n009,,3.00\n010,"Köln\n2",\n'
    answer = await client.get("/tables/t.csv?offset=3", headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert json.loads(answer.text) == {"id": "010", "name": "Köln\n2", "amount": None}


@pytest.mark.parametrize("offset", [0, 99_999, 299_950, 299_999, 300_000, 10**12])
async def test_slices_deep_in_a_long_table(client: httpx.AsyncClient, offset: int) -> None:
    for _ in range(2):  # without an index, and with it
        answer = await client.get(f"/tables/long.csv?offset={offset}&limit=100", headers=CSV)
        found = list(csv.reader(io.StringIO(answer.text)))[1:]
        assert found == [[str(n), str(n * n)] for n in range(offset, min(offset + 100, 300_000))]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400),
        ("limit=1001", 400),
        ("offset=-1", 400),
        ("offset=x", 400),
        ("rows=-1", 400),
        ("rows=some", 400),
        ("rows=5&limit=5", 400),
        ("select=id", 400),
        ("filter=id>1", 400),
        ("sql=SELECT 1", 400),
        ("delimiter=;;", 400),
        ("encoding=nope", 400),
        ("columns=a", 400),
        ("encoding=utf-16", 422),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx.AsyncClient, query: str, status: int) -> None:
    answer = await client.get(f"/tables/t.csv?{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_is_no_table_is_refused(client: httpx.AsyncClient, folder: Path) -> None:
    (folder / "empty.csv").write_bytes(b"")
    assert (await client.get("/tables/empty.csv")).status_code == 422
    assert (await client.get("/tables/missing.csv")).status_code == 404
    assert (await client.get("/tables/sub")).status_code == 404
    assert (await client.get("/tables/t.csv", headers={"accept": "image/png"})).status_code == 406
    assert (await client.get("/tables/t.csv", headers=CSV)).status_code == 406


async def test_head_is_get_without_the_body(client: httpx.AsyncClient) -> None:
    for path in ("/tables/t.csv", "/tables/t.csv?limit=2"):
        head, get = await client.head(path), await client.get(path)
        assert head.content == b""
        assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


async def test_nothing_is_left_of_a_look_but_what_was_learned(client: httpx.AsyncClient, folder: Path) -> None:
    await client.get("/tables/t.csv?limit=2")
    await client.get("/tables/t.csv")
    scratch = folder / ".fileserver" / "scratch"
    with anyio.fail_after(10):
        while list((scratch / "jobs").iterdir()):
            await anyio.sleep(0.01)
    assert all(path.suffix in {".rows", ".profile"} for path in (scratch / "tables").iterdir())


@pytest.mark.parametrize("wait_s", [0.0, 0.01, 0.05, 0.1])
async def test_nothing_is_left_of_a_client_that_leaves(client: httpx.AsyncClient, folder: Path, wait_s: float) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with anyio.move_on_after(wait_s):
        await client.get(f"/tables/long.csv?rows={round(200_000 + wait_s * 100)}")
    scratch = folder / ".fileserver" / "scratch"
    assert list((scratch / "jobs").iterdir()) == []
    assert not any(path.name.startswith(".") for path in (scratch / "tables").iterdir())
    assert len(os.listdir("/proc/self/fd")) <= before + 4  # the worker that is bred for the next one
    assert (await client.get("/tables/t.csv?limit=1")).status_code == 200


async def test_a_read_only_server_shows_tables_too(folder: Path) -> None:
    app = create_app(Settings(root=folder, allow_write=False))
    async with running(app), client_of(app) as reader:
        assert (await profile(reader, "/tables/t.csv"))["rows"] == 4


async def test_a_scratch_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "scratch").write_text("a file in its way")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "t.csv").write_text(TABLE)
    app = create_app(Settings(root=tmp_path / "root", scratch=tmp_path / "scratch"))
    async with running(app), client_of(app) as client:
        answer = await client.get("/tables/t.csv")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "storage-unavailable")
