"""`POST /jobs`: what may be asked for, what it does, how it is followed. Workers are real, and so is the engine."""

import csv
import hashlib
import io
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI

from fileserver.app import create_app, running
from fileserver.delivery.long_work import AT_ONCE, MOST_WAITING
from fileserver.settings import Settings
from tests.api.begun import begun, done, seen
from tests.api.conftest import client_of
from tests.support.asgi import Exchange, body_events, drive, each_cancellation, http_scope

SHA256 = hashlib.sha256(b"content").hexdigest()
FOREVER = 1 << 40  # bytes of a file that nobody reads to its end


@pytest.fixture
async def app(root: Path) -> AsyncIterator[FastAPI]:
    """A server that learns no digests by itself."""
    made = create_app(Settings(root=root, hash_rate=0))
    async with running(made):
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with client_of(app) as opened:
        yield opened


def vast_file(root: Path) -> None:
    """A file whose digest is not known, and which takes for ever to read."""
    with (root / "vast").open("wb") as file:
        os.truncate(file.fileno(), FOREVER)


async def alter(root: Path, statement: str, *values: bytes) -> None:
    """Change the catalogue behind everybody's back; in a thread, as a transaction of the server may be under way."""

    def change() -> None:
        connection = sqlite3.connect(root / ".fileserver" / "catalogue.sqlite3", timeout=10)
        with connection:
            connection.execute(statement, values)
        connection.close()

    await anyio.to_thread.run_sync(change)


async def damaged_library(client: httpx.AsyncClient, root: Path) -> None:
    """A file of each kind below `v/`, and one beside."""
    for key in ("v/damaged", "v/intact", "v/missing", "beside"):
        assert (await client.put(f"/files/{key}", content=b"content")).status_code == 201
    # To who compares digests, it is as if the bytes had changed.
    await alter(root, "UPDATE digests SET sha256 = ? WHERE key = ?", bytes(32), b"v/damaged")
    (root / "v/missing").unlink()
    (root / os.fsdecode(b"v/foreign\xff")).write_bytes(b"foreign")


async def test_a_verification_counts_the_files_of_each_kind(client: httpx.AsyncClient, root: Path) -> None:
    await damaged_library(client, root)
    told = await done(client, work="verify", prefix="v/")
    assert (told["intact"], told["damaged"], told["missing"], told["foreign"]) == (1, 1, 1, 1)
    assert (told["work"], told["prefix"], told["bytes_total"], told["bytes_done"]) == ("verify", "v/", 14, 14)
    assert told["time_left_s"] == 0
    assert "rejects" not in told
    assert (await done(client, work="verify"))["intact"] == 2


async def test_what_is_not_intact_is_told_as_ndjson_or_csv(client: httpx.AsyncClient, root: Path) -> None:
    await damaged_library(client, root)
    href = (await done(client, work="verify", prefix="v/"))["findings"]
    answer = await client.get(href)
    assert answer.headers["content-type"] == "application/x-ndjson"
    *found, end = [json.loads(line) for line in answer.text.splitlines()]
    assert found == [
        {"finding": "damaged", "key": "v/damaged", "size": 7, "expected": "0" * 64, "found": SHA256},
        {"finding": "foreign", "key": "v/foreign\udcff", "size": 7, "expected": None, "found": None},
        {"finding": "missing", "key": "v/missing", "size": None, "expected": None, "found": None},
    ]
    assert end == {"type": "end", "rows": 3}
    table = await client.get(href, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["finding"], row["size"]) for row in rows] == [("damaged", "7"), ("foreign", "7"), ("missing", "")]
    assert (await client.head(href)).content == b""
    assert (await client.get(href, headers={"accept": "image/png"})).status_code == 406
    assert (await client.get(href.replace("findings", "rejects"))).status_code == 404


async def test_digests_are_learned_of_the_files_that_have_none(client: httpx.AsyncClient, root: Path) -> None:
    await client.put("/files/h/known", content=b"known")
    for name in ("h/a", "h/b", "beside"):
        (root / name).write_bytes(b"content")
    told = await done(client, work="hash", prefix="h/")
    assert (told["learned"], told["not_learned"], told["bytes_total"], told["bytes_done"]) == (2, 0, 14, 14)
    assert (await client.get("/files/h/a")).headers["repr-digest"]
    assert "repr-digest" not in (await client.get("/files/beside")).headers
    assert (await done(client, work="hash", prefix="h/"))["learned"] == 0


async def test_a_whole_key_is_a_prefix_too(client: httpx.AsyncClient, root: Path) -> None:
    for name in ("a", "ab", "b"):
        (root / name).write_bytes(b"content")
    assert (await done(client, work="hash", prefix="ab"))["learned"] == 1
    assert (await done(client, work="hash", prefix="gone/"))["learned"] == 0


async def test_an_index_is_built_once_and_used_by_slices(client: httpx.AsyncClient, root: Path) -> None:
    (root / "big.csv").write_text("n,square\n" + "".join(f"{n},{n * n}\n" for n in range(200_000)))
    told = await done(client, work="index", key="big.csv")
    assert (told["rows"], told["key"], told["columns"]) == (200_000, "big.csv", ["n", "square"])
    assert told["bytes_done"] == told["bytes_total"] == (root / "big.csv").stat().st_size
    (index,) = (root / ".fileserver/scratch/tables").glob("*.rows")
    built_at = index.stat().st_ino
    answer = (await client.get("/tables/big.csv?offset=199999&limit=5")).json()
    assert (answer["total"], answer["rows"]) == (200_000, [["199999", str(199_999**2)]])
    assert index.stat().st_ino == built_at  # nothing was left to learn


async def test_a_table_that_cannot_be_indexed_says_so(client: httpx.AsyncClient, root: Path) -> None:
    (root / "wide.csv").write_bytes("a;b\n1;2\n".encode("utf-16"))
    told = await seen(client, await begun(client, work="index", key="wide.csv"), "done", "failed")
    assert (told["state"], told["fault"]["code"]) == ("failed", "not-indexed")
    (root / "bad.csv").write_bytes(b'a,b\n"1,2\n')
    told = await seen(client, await begun(client, work="index", key="bad.csv"), "done", "failed")
    assert told["state"] in ("done", "failed")


@pytest.mark.parametrize("path", ["none.csv", "folder"])
async def test_a_table_that_is_not_there_is_not_found_at_once(client: httpx.AsyncClient, root: Path, path: str) -> None:
    (root / "folder").mkdir()
    assert (await client.post("/jobs", json={"work": "index", "key": path})).status_code == 404
    assert not list(root.glob(".fileserver/scratch/jobs/*"))


async def test_a_wish_that_makes_no_sense_is_refused(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.post("/jobs", json={"work": "dance"})
    assert (answer.status_code, answer.json()["field"]) == (400, "work")
    assert answer.json()["type"].rpartition(":")[2] == "malformed-request"
    assert (await client.post("/jobs", json={"work": "verify", "prefix": "../"})).status_code == 400
    assert (await client.post("/jobs", json={"work": "verify", "prefix": "x" * 20_000})).status_code == 413
    assert not list(root.glob(".fileserver/scratch/jobs/*"))


async def test_only_json_begins_a_job(client: httpx.AsyncClient) -> None:
    answer = await client.post("/jobs", content=b'{"work": "verify"}', headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.headers["accept-post"]) == (415, "application/json")


@pytest.mark.parametrize("work", ["verify", "hash"])
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}])
async def test_another_site_begins_no_job(client: httpx.AsyncClient, work: str, headers: dict[str, str]) -> None:
    answer = await client.post("/jobs", json={"work": work}, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "cross-site-refused")


async def test_a_read_only_server_verifies_and_learns_nothing(root: Path) -> None:
    (root / "a").write_bytes(b"content")
    app = create_app(Settings(root=root, allow_write=False, hash_rate=0))
    async with running(app), client_of(app) as reader:
        assert (await done(reader, work="verify"))["foreign"] == 1
        for wish in ({"work": "hash"}, {"work": "index", "key": "a"}):
            assert (await reader.post("/jobs", json=wish)).status_code == 403
    assert os.listdir(root) == ["a"]


async def test_two_run_sixteen_wait_and_the_next_is_asked_to_come_back(client: httpx.AsyncClient, root: Path) -> None:
    vast_file(root)
    jobs = [await begun(client, work="hash", prefix="vast") for _ in range(AT_ONCE + MOST_WAITING)]
    answer = await client.post("/jobs", json={"work": "verify"})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "too-many-jobs")
    assert int(answer.headers["retry-after"]) > 0
    states = [(await client.get(href)).json()["state"] for href in jobs]
    assert states[AT_ONCE:] == ["waiting"] * MOST_WAITING
    await client.delete(jobs[-1])
    await seen(client, jobs[-1], "cancelled")
    await client.delete(jobs[0])
    await seen(client, jobs[0], "cancelled")
    await seen(client, jobs[AT_ONCE], "running")
    await begun(client, work="verify")


async def test_a_running_job_tells_its_rate_and_is_cancelled(client: httpx.AsyncClient, root: Path) -> None:
    vast_file(root)
    href = await begun(client, work="hash")
    with anyio.fail_after(20):
        while (told := (await client.get(href)).json())["rate"] is None:
            await anyio.sleep(0.02)
    assert 0 < told["bytes_done"] < told["bytes_total"] == FOREVER
    assert told["time_left_s"] > 1
    assert told["rate"] > 0
    assert (await client.delete(href)).status_code == 202
    told = await seen(client, href, "cancelled")
    assert (told["fault"]["code"], told["learned"]) == ("cancelled", 0)
    with anyio.fail_after(10):
        while _is_open(root / "vast"):
            await anyio.sleep(0.01)


def _is_open(path: Path) -> bool:
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return any(os.path.exists(link) and os.path.samefile(link, path) for link in links)


async def over_or_undone(client: httpx.AsyncClient, href: str) -> None:
    """Wait until a job is over, or is none: one whose client left while it was made goes again."""
    with anyio.fail_after(30):
        while (answer := await client.get(href)).status_code == 200 and answer.json()["state"] in (
            "waiting",
            "running",
        ):
            await anyio.sleep(0.02)
    assert answer.status_code in (200, 404)


async def test_a_client_that_leaves_at_any_moment_takes_up_no_place(app: FastAPI, root: Path) -> None:
    (root / "t.csv").write_bytes(b"a\n1\n")
    body = b'{"work": "index", "key": "t.csv"}'
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]

    async def attempt(number: int) -> Exchange:
        scope = http_scope("POST", "/jobs", headers=headers)
        return await drive(app, scope, body_events(body), cancel_at_await=number)

    async with client_of(app) as client:
        async for number, exchange in each_cancellation(attempt):
            attempts, answer = number, exchange
            for path in root.glob(".fileserver/scratch/jobs/*"):  # whoever has begun goes on, whoever left is not told
                await over_or_undone(client, f"/jobs/{path.name}")
        assert answer.status == 202
        assert attempts > 3
        vast_file(root)
        for _ in range(AT_ONCE + MOST_WAITING):
            await begun(client, work="hash", prefix="vast")


async def test_the_feed_tells_of_long_work_from_its_beginning_to_its_end(
    app: FastAPI, client: httpx.AsyncClient, root: Path
) -> None:
    changes = app.state.service.library.changes
    start = (await changes.extent()).newest
    (root / "t.csv").write_bytes(b"a\n1\n")
    told = await done(client, work="index", key="t.csv")
    with anyio.fail_after(10):
        while not (found := [each for each in await changes.after(start, 100) if each.content.get("state") == "done"]):
            await anyio.sleep(0.01)
    rows = [each for each in await changes.after(start, 100) if each.kind == "job"]
    assert rows[0].content["state"] in ("waiting", "running")
    assert len(rows) > 1
    assert {row.content["job"] for row in rows} == {hashlib.sha256(told["id"].encode()).hexdigest()[:16]}
    assert (found[0].key, found[0].content["work"], found[0].content["rows"]) == ("t.csv", "index", 1)
    assert told["id"] not in json.dumps([dict(row.content) for row in rows])


async def test_a_feed_that_fails_fails_no_job(app: FastAPI, client: httpx.AsyncClient, root: Path) -> None:
    await alter(root, "DROP TABLE changes")
    assert (await done(client, work="verify"))["intact"] == 0


def records(text: str) -> list[dict[str, Any]]:
    """The records of an NDJSON."""
    return [json.loads(line) for line in text.splitlines()]


def event_records(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The ids and contents of the events of a stream."""
    events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.split("\n\n") if block]
    return [(event["id"], json.loads(event["data"])) for event in events if "data" in event]


async def test_a_job_is_followed_to_its_end(client: httpx.AsyncClient, root: Path) -> None:
    vast_file(root)
    href = await begun(client, work="hash")
    async with anyio.create_task_group() as tasks:
        answers: dict[str, httpx.Response] = {}

        async def follow(accept: str) -> None:
            answers[accept] = await client.get(f"{href}/events", headers={"accept": accept})

        tasks.start_soon(follow, "*/*")
        tasks.start_soon(follow, "application/x-ndjson")
        first = await seen(client, href, "running")
        with anyio.fail_after(20):  # until there is something to follow
            while (await client.get(href)).json()["bytes_done"] <= first["bytes_done"]:
                await anyio.sleep(0.02)
        await client.delete(href)
    events = event_records(answers["*/*"].text)
    assert answers["*/*"].headers["content-type"].startswith("text/event-stream")
    assert [int(event_id) for event_id, _ in events] == sorted({int(event_id) for event_id, _ in events})
    states = [content["state"] for _, content in events]
    assert states[-1] == "cancelled"
    assert "running" in states
    lines = records(answers["application/x-ndjson"].text)
    assert lines[-2]["state"] == "cancelled"
    assert (lines[0]["type"], lines[-2]["type"], lines[-1]["type"]) == ("meta", "job", "end")
    assert lines[-2] == {"type": "job", **(await client.get(href)).json()}
    last_id = events[-1][0]
    again = await client.get(f"{href}/events", headers={"last-event-id": last_id})
    assert (again.status_code, again.content) == (204, b"")
    assert (await client.get(f"{href}/events?last_event_id={last_id}")).status_code == 204
    other = await client.get(f"{href}/events", headers={"last-event-id": str(int(last_id) - 1)})
    assert event_records(other.text)[-1][0] == last_id
    assert (await client.head(f"{href}/events")).status_code == 200
    assert (await client.get(f"{href}/events", headers={"accept": "image/png"})).status_code == 406
    assert (await client.get("/jobs/nothing/events")).status_code == 404


async def test_what_is_not_done_when_the_server_stops_has_failed_at_once(root: Path) -> None:
    vast_file(root)
    app = create_app(Settings(root=root, hash_rate=0))
    async with running(app), client_of(app) as client:
        jobs = [await begun(client, work="hash") for _ in range(AT_ONCE + 1)]
        await seen(client, jobs[0], "running")
        stopped_s = time.monotonic()
        app.state.service.stopping.set()
        for href in jobs:
            assert (await seen(client, href, "failed"))["fault"]["code"] == "server-stopped"
        assert time.monotonic() < stopped_s + 10
        assert (await client.post("/jobs", json={"work": "verify"})).status_code == 503
