"""`Prefer: respond-async`: a transform of a stored table that goes on without its client."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.begun import seen
from tests.api.conftest import client_of
from tests.api.stand_in import HEADER, opened

TABLE = b"a,b\n2,x\n1,y\n"
ASYNC = {"prefer": "respond-async"}


@pytest.fixture
async def client(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with the real engine."""
    app = create_app(Settings(root=root, hash_rate=0))
    async with running(app), client_of(app) as made:
        yield made


async def test_a_transform_goes_on_without_its_client(client: httpx.AsyncClient, root: Path) -> None:
    await client.put("/files/t.csv", content=TABLE)
    answer = await client.post("/transform/t.csv?sort=a&save_result=out/r.csv", headers=ASYNC)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    assert answer.headers["location"] == answer.json()["href"]
    told = await seen(client, answer.headers["location"], "done", "failed")
    assert (told["state"], told["rows_out"], told["saved"][0]["key"]) == ("done", 2, "out/r.csv")
    assert (told["work"], told["key"], told["save_result"]) == ("transform", "t.csv", "out/r.csv")
    assert (told["bytes_done"], told["bytes_total"]) == (len(TABLE), len(TABLE))
    assert (root / "out/r.csv").read_bytes() == b"a,b\n1,y\n2,x\n"


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/transform/t.csv", 400, "save_result"),
        ("/transform/none.csv?save_result=r.csv", 404, None),
        ("/transform/t.csv?save_result=t.csv", 409, None),
        ("/transform/t.csv?save_result=../r.csv", 400, None),
        ("/transform/t.csv?save_result=r.csv&nonsense=1", 400, "nonsense"),
    ],
)
async def test_what_cannot_go_on_alone_is_refused_at_once(
    client: httpx.AsyncClient, root: Path, path: str, status: int, field: str | None
) -> None:
    await client.put("/files/t.csv", content=TABLE)
    answer = await client.post(path, headers=ASYNC)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert not list(root.glob(".fileserver/scratch/jobs/*"))


async def test_a_fault_that_comes_later_is_the_jobs(client: httpx.AsyncClient, root: Path) -> None:
    await client.put("/files/t.csv", content=TABLE)
    answer = await client.post("/transform/t.csv?filter=nothing%3D%3D1&save_result=r.csv", headers=ASYNC)
    told = await seen(client, answer.headers["location"], "done", "failed")
    assert (told["state"], told["fault"]["code"], told["fault"]["field"]) == ("failed", "plan-fault", "filter")
    assert not (root / "r.csv").exists()


async def test_a_preference_for_a_table_that_is_sent_is_passed_over(client: httpx.AsyncClient) -> None:
    headers = {**ASYNC, "content-type": "text/csv"}
    answer = await client.post("/transform?save_result=r.csv", content=TABLE, headers=headers)
    assert answer.status_code == 201
    assert "preference-applied" not in answer.headers


async def test_a_transform_that_finds_no_worker_waits_for_one(root: Path) -> None:
    async with opened(root, jobs=1, queue=0) as client:
        await client.put("/files/slow.csv", content=HEADER + b"!hang\n")
        await client.put("/files/t.csv", content=HEADER + b"1,2\n")
        first = await client.post("/transform/slow.csv?save_result=r1.csv", headers=ASYNC)
        await seen(client, first.headers["location"], "running")
        second = await client.post("/transform/t.csv?save_result=r2.csv", headers=ASYNC)
        with anyio.fail_after(10):  # it has its turn, and no worker
            while (
                await client.post("/transform", content=HEADER, headers={"content-type": "text/csv"})
            ).status_code != 503:
                await anyio.sleep(0.01)
        assert (await client.get(second.headers["location"])).json()["state"] == "waiting"
        await client.delete(first.headers["location"])
        await seen(client, second.headers["location"], "done")
        assert (await seen(client, first.headers["location"], "cancelled"))["fault"]["code"] == "cancelled"
        assert (root / "r2.csv").read_bytes() == HEADER + b"1,2\n"
        assert not (root / "r1.csv").exists()
        with anyio.fail_after(10):  # a job is counted a moment after it has ended
            while 'transforms_total{state="done"} 1.0' not in (figures := (await client.get("/metrics")).text):
                await anyio.sleep(0.01)
        assert 'state="waiting"' not in figures  # a try that found no worker is no transform
