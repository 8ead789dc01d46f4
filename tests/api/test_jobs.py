"""`/jobs/{id}`: what is told of transforms, in whichever process they run. The worker is real and runs a stand-in."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from tests.api.stand_in import CSV, HEADER, opened


@pytest.fixture
async def client(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose workers run the stand-in."""
    async with opened(root) as client:
        yield client


async def job_of(client: httpx.AsyncClient, table: bytes) -> str:
    """The address of a job that is over."""
    answer = await client.post("/transform", content=table, headers=CSV)
    return f"/jobs/{answer.headers['transform-id']}"


async def running_job(client: httpx.AsyncClient, root: Path) -> str:
    """The address of the one job that is under way."""
    with anyio.fail_after(10):
        while not (found := list(root.glob(".fileserver/scratch/jobs/*/job.json"))):
            await anyio.sleep(0.01)
    return f"/jobs/{found[0].parent.name}"


async def test_a_job_tells_how_it_went(client: httpx.AsyncClient) -> None:
    table = HEADER + b"1,2\n!reject x\n"
    job = await client.get(await job_of(client, table))
    told = job.json()
    assert (told["state"], told["fault"], told["rows_in"], told["rows_rejected"]) == ("done", None, 2, 1)
    assert (told["bytes_total"], told["bytes_out"], told["columns"]) == (len(table), len(HEADER) + 4, ["a", "b"])
    assert job.headers["cache-control"] == "no-store"
    assert "owner" not in told


async def test_rejects_come_as_ndjson_or_csv(client: httpx.AsyncClient) -> None:
    href = await job_of(client, HEADER + b'!reject a "quoted", row\n!reject second\n') + "/rejects"
    plain = await client.get(href)
    assert plain.headers["content-type"] == "application/x-ndjson"
    *rejects, last = map(json.loads, plain.text.splitlines())
    assert [reject["raw"] for reject in rejects] == ['a "quoted", row', "second"]
    assert last == {"type": "end", "rows": 2}
    table = await client.get(href, headers={"accept": "text/csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert rows[0] == {"line": "1", "row": "1", "column": "", "reason": "asked to", "raw": 'a "quoted", row'}
    assert (await client.get(href, headers={"accept": "image/png"})).status_code == 406
    assert (await client.head(href)).content == b""


async def test_many_rejects_come_whole(client: httpx.AsyncClient) -> None:
    href = await job_of(client, HEADER + b"".join(b"!reject %d\n" % number for number in range(10_000))) + "/rejects"
    plain, table = await client.get(href), await client.get(href, headers={"accept": "text/csv"})
    *rejects, last = map(json.loads, plain.text.splitlines())
    assert [reject["raw"] for reject in rejects] == [str(number) for number in range(10_000)]
    assert last == {"type": "end", "rows": 10_000}
    assert [row["raw"] for row in csv.DictReader(io.StringIO(table.text))] == [str(number) for number in range(10_000)]


@pytest.mark.parametrize("job_id", ["nothing", "a" * 22, "..%2F..%2Fcatalogue", "%00", "aaaaaaaaaaaaaaaaaaaaa%0A"])
async def test_what_is_no_job_is_not_found(client: httpx.AsyncClient, job_id: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/rejects")):
        assert (await client.request(method, f"/jobs/{job_id}{path}")).status_code == 404


async def test_a_running_job_can_be_watched_and_cancelled(client: httpx.AsyncClient, root: Path) -> None:
    async with anyio.create_task_group() as tasks:
        answers: list[httpx.Response] = []

        async def ask() -> None:
            answers.append(await client.post("/transform", content=HEADER + b"!hang\n", headers=CSV))

        tasks.start_soon(ask)
        href = await running_job(client, root)
        with anyio.fail_after(10):
            while (await client.get(href)).json()["state"] != "running":
                await anyio.sleep(0.01)
        assert (await client.delete(href)).status_code == 202
    assert (answers[0].status_code, answers[0].json()["type"].rpartition(":")[2]) == (409, "job-cancelled")
    assert (await client.get(href)).json()["state"] == "cancelled"
    assert (await client.delete(href)).status_code == 204
    assert (await client.get(href)).status_code == 404


async def test_another_server_process_tells_the_same(client: httpx.AsyncClient, root: Path) -> None:
    async with opened(root) as other, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: client.post("/transform", content=HEADER + b"!hang\n", headers=CSV))
        href = await running_job(client, root)
        with anyio.fail_after(10):
            while (await other.get(href)).json()["state"] != "running":
                await anyio.sleep(0.01)
        await other.delete(href)
        with anyio.fail_after(10):
            while (await other.get(href)).json()["state"] != "cancelled":
                await anyio.sleep(0.01)


async def test_a_jobs_folder_holds_no_work_of_its_worker_afterwards(client: httpx.AsyncClient, root: Path) -> None:
    href = await job_of(client, HEADER + b"!scratch\n")
    with anyio.fail_after(10):
        while (root / ".fileserver/scratch" / href.lstrip("/") / "work").exists():
            await anyio.sleep(0.01)
    assert (root / ".fileserver/scratch/jobs").stat().st_mode & 0o777 == 0o700
