"""`/transform`: what it takes, what it refuses and how, where it stores. The worker is real and runs a stand-in."""

import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from fileserver.app import create_app, running
from fileserver.http.digests import format_digest
from fileserver.settings import Settings
from fileserver.workers import Pool, PoolLimits
from tests.api.conftest import client_of
from tests.api.stand_in import CSV, HEADER, opened

TABLE = HEADER + b"1,2\n"


@pytest.fixture
async def client(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose workers run the stand-in."""
    async with opened(root, max_size=1000) as client:
        yield client


def slug(answer: httpx.Response) -> str:
    """The problem's name."""
    return str(answer.json()["type"]).rpartition(":")[2]


async def test_the_body_a_form_and_a_stored_file_come_out_the_same(client: httpx.AsyncClient) -> None:
    await client.put("/files/t.csv", content=TABLE)
    raw = await client.post("/transform", content=TABLE, headers=CSV)
    form = await client.post("/transform", files={"file": ("t.csv", TABLE)})
    stored = await client.get("/transform/t.csv")
    posted = await client.post("/transform/t.csv")
    assert raw.content == form.content == stored.content == posted.content == TABLE
    assert raw.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert "content-disposition" not in raw.headers


async def test_the_answer_has_the_name_of_the_table_and_the_extension_of_the_format(client: httpx.AsyncClient) -> None:
    await client.put("/files/a/sales.2024.csv", content=TABLE)
    stored = await client.get("/transform/a/sales.2024.csv?format=ndjson")
    form = await client.post("/transform?format=parquet", files={"file": ("up.csv", TABLE)})
    assert 'filename="sales.2024.ndjson"' in stored.headers["content-disposition"]
    assert 'filename="up.parquet"' in form.headers["content-disposition"]


async def test_a_result_is_saved_by_a_browser_that_asks_for_it(client: httpx.AsyncClient) -> None:
    await client.put("/files/a/sales.csv", content=TABLE)
    unnamed = await client.get("/transform/a/sales.csv?download=")
    named = await client.get("/transform/a/sales.csv?download=chosen%20rows.csv")
    assert unnamed.headers["content-disposition"].startswith('attachment; filename="sales.csv"')
    assert named.headers["content-disposition"].startswith('attachment; filename="chosen rows.csv"')


@pytest.mark.parametrize(
    ("query", "field"),
    [("selekt=a", "selekt"), ("limit=-1", "limit"), ("limit=1&limit=2", "limit"), ("plan={}&limit=1", "limit")],
)
async def test_a_plan_that_makes_no_sense_is_refused_before_anything_runs(
    client: httpx.AsyncClient, query: str, field: str
) -> None:
    answer = await client.post(f"/transform?{query}", content=TABLE, headers=CSV)
    assert (answer.status_code, slug(answer), answer.json()["field"]) == (400, "plan-fault", field)
    assert "transform-id" not in answer.headers


async def test_a_fault_that_the_worker_finds_names_the_parameter_and_the_job(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transform", params={"filter": " x"}, content=b"!plan\n", headers=CSV)
    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["position"]) == (400, "filter", 3)
    record = await client.get(f"/jobs/{answer.headers['transform-id']}")
    assert answer.headers["link"] == f'<{record.json()["href"]}>; rel="describedby"'
    assert record.json()["fault"]["reason"] == problem["detail"]


@pytest.mark.parametrize(
    ("line", "status", "name"),
    [("!row", 422, "malformed-row"), ("!memory", 507, "out-of-memory"), ("!die", 500, "engine-failed")],
)
async def test_faults_have_their_status(client: httpx.AsyncClient, line: str, status: int, name: str) -> None:
    answer = await client.post("/transform", content=HEADER + f"{line}\n".encode(), headers=CSV)
    assert (answer.status_code, slug(answer)) == (status, name)


async def test_a_faulty_row_is_told_with_its_place(client: httpx.AsyncClient) -> None:
    problem = (await client.post("/transform", content=HEADER + b"!row\n", headers=CSV)).json()
    assert (problem["row"], problem["line"], problem["column"], problem["raw"]) == (1, 7, "a", "!row")


async def test_what_is_no_table_is_refused(client: httpx.AsyncClient, root: Path) -> None:
    (root / "folder").mkdir()
    as_json = await client.post("/transform", content=b"{}", headers={"content-type": "application/json"})
    assert (as_json.status_code, as_json.headers["accept-post"]) == (415, "text/csv, multipart/form-data")
    assert (await client.get("/transform/missing.csv")).status_code == 404
    assert (await client.get("/transform/folder")).status_code == 404
    no_end = b'--b\r\nContent-Disposition: form-data; name="f"; filename="t"\r\n\r\na\n1\n'
    cut = await client.post("/transform", content=no_end, headers={"content-type": "multipart/form-data; boundary=b"})
    assert (cut.status_code, slug(cut)) == (400, "malformed-form")


async def test_compressed_bodies_are_taken_if_their_coding_is_known(client: httpx.AsyncClient) -> None:
    packed = gzip.compress(TABLE)
    answer = await client.post("/transform", content=packed, headers={**CSV, "content-encoding": "gzip"})
    assert answer.content == TABLE
    for coding in ("br", "gzip, gzip"):
        refused = await client.post("/transform", content=packed, headers={**CSV, "content-encoding": coding})
        assert (refused.status_code, refused.headers["accept-encoding"]) == (415, "gzip, zstd")


async def test_a_digest_that_was_promised_is_checked(client: httpx.AsyncClient) -> None:
    digest = format_digest("sha-256", hashlib.sha256(TABLE).digest())
    good = await client.post("/transform", content=TABLE, headers={**CSV, "content-digest": digest})
    bad = await client.post("/transform", content=TABLE + b"3,4\n", headers={**CSV, "content-digest": digest})
    assert (good.status_code, bad.status_code, slug(bad)) == (200, 400, "digest-mismatch")


async def test_and_so_is_that_of_a_form(client: httpx.AsyncClient) -> None:
    digest = format_digest("sha-256", hashlib.sha256(TABLE).digest())  # of the file in it: not of what is sent
    form = {"file": ("t.csv", TABLE)}
    answer = await client.post("/transform?save=t.csv", files=form, headers={"content-digest": digest})
    assert (answer.status_code, slug(answer)) == (400, "digest-mismatch")
    assert (await client.get("/files/t.csv")).status_code == 404


async def test_fields_before_the_file_are_the_plan(client: httpx.AsyncClient) -> None:
    plan = json.dumps({"steps": [{"op": "limit", "n": 3}]})
    by_plan = await client.post("/transform", data={"plan": plan}, files={"f": ("t.csv", HEADER + b"!spec\n")})
    by_name = await client.post("/transform", data={"limit": "3"}, files={"f": ("t.csv", HEADER + b"!spec\n")})
    specs = [json.loads(answer.content.splitlines()[1]) for answer in (by_plan, by_name)]
    assert specs[0]["plan"] == specs[1]["plan"]
    assert specs[0]["plan"]["steps"] == [{"op": "limit", "n": 3, "offset": 0}]


async def test_what_a_form_says_after_its_file_is_not_passed_over(client: httpx.AsyncClient) -> None:
    late = [("f", ("t.csv", TABLE)), ("limit", (None, b"1"))]
    answer = await client.post("/transform", files=late)
    assert (answer.status_code, slug(answer)) == (400, "malformed-form")


async def test_a_plan_in_the_body_of_a_stored_transform(client: httpx.AsyncClient) -> None:
    await client.put("/files/t.csv", content=HEADER + b"!spec\n")
    answer = await client.post("/transform/t.csv", json={"output": {"format": "ndjson"}})
    assert json.loads(answer.content.splitlines()[1])["plan"]["output"]["format"] == "ndjson"
    for body, kind in ((b"{", "application/json"), (b"{}", "text/csv"), (b"\xff", "application/json")):
        refused = await client.post("/transform/t.csv", content=body, headers={"content-type": kind})
        assert refused.status_code in (400, 415)


async def test_head_of_a_stored_transform_has_no_body(client: httpx.AsyncClient) -> None:
    await client.put("/files/t.csv", content=TABLE)
    answer = await client.head("/transform/t.csv")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"


async def test_joined_files_come_out_of_the_library(client: httpx.AsyncClient) -> None:
    await client.put("/files/dims/o.csv", content=b"x\n")
    await client.put("/files/t.csv", content=HEADER + b"!file join:0\n")
    join = {"op": "join", "file": "dims/o.csv", "on": {"a": "x"}}
    answer = await client.post("/transform/t.csv", json={"steps": [join]})
    assert answer.content == HEADER + b"x\n"
    for file in ("none.csv", "../x", ".fileserver/catalogue.sqlite3", "dims"):
        refused = await client.post("/transform/t.csv", json={"steps": [{**join, "file": file}]})
        assert (refused.status_code, refused.json()["field"]) == (400, "steps[0].file"), file


async def test_complete_answers_have_length_and_digest(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transform?delivery=complete", content=HEADER + b"!flood 1\n", headers=CSV)
    assert answer.headers["repr-digest"] == format_digest("sha-256", hashlib.sha256(answer.content).digest())
    assert answer.headers["transform-rows-in"] == "1"


async def test_the_table_is_stored_with_save(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.post("/transform?save=kept.csv", content=TABLE, headers=CSV)
    record = (await client.get(f"/jobs/{answer.headers['transform-id']}")).json()
    assert (root / "kept.csv").read_bytes() == TABLE
    assert record["saved"][0]["sha256"] == hashlib.sha256(TABLE).hexdigest()
    taken = await client.post("/transform?save=kept.csv", content=HEADER, headers=CSV)
    assert (taken.status_code, slug(taken)) == (409, "key-taken")
    again = await client.post("/transform?save=kept.csv&replace=true", content=HEADER, headers=CSV)
    assert (again.status_code, (root / "kept.csv").read_bytes()) == (200, HEADER)


async def test_the_file_of_a_form_is_stored_too(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.post("/transform", data={"save": "kept.csv"}, files={"f": ("t.csv", TABLE)})
    assert (answer.status_code, (root / "kept.csv").read_bytes()) == (200, TABLE)


@pytest.mark.parametrize("query", ["save=kept.csv", "save_result=kept.csv", "save=kept.csv&save_result=other.csv"])
async def test_nothing_is_stored_of_a_transform_that_failed(client: httpx.AsyncClient, root: Path, query: str) -> None:
    answer = await client.post(f"/transform?{query}", content=HEADER + b"!row\n", headers=CSV)
    assert answer.status_code == 422
    assert not (root / "kept.csv").exists()
    assert not (root / "other.csv").exists()


async def test_the_result_is_stored_with_save_result(client: httpx.AsyncClient, root: Path) -> None:
    answer = await client.post("/transform?save_result=out/r.csv", content=TABLE + b"!reject x\n", headers=CSV)
    assert (answer.status_code, answer.headers["location"]) == (201, "/files/out/r.csv")
    told = answer.json()
    assert (told["entry"]["key"], told["entry"]["sha256"]) == ("out/r.csv", hashlib.sha256(TABLE).hexdigest())
    assert (told["rows_in"], told["rows_out"], told["rows_rejected"]) == (2, 1, 1)
    assert (root / "out/r.csv").read_bytes() == TABLE
    assert (await client.get(told["job"])).json()["state"] == "done"
    taken = await client.post("/transform?save_result=out/r.csv", content=TABLE, headers=CSV)
    assert (taken.status_code, slug(taken)) == (409, "key-taken")


async def test_the_result_of_a_stored_table_is_stored_by_post_alone(client: httpx.AsyncClient, root: Path) -> None:
    await client.put("/files/t.csv", content=TABLE)
    assert (await client.get("/transform/t.csv?save_result=r.csv")).status_code == 400
    assert (await client.post("/transform/t.csv?save_result=r.csv")).status_code == 201
    assert (await client.post("/transform/t.csv?save=s.csv")).status_code == 400
    assert (root / "r.csv").read_bytes() == TABLE


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("save=k.csv", {"content-encoding": "gzip"}, 400),
        ("save=k.csv&save_result=k.csv", {}, 400),
        ("save=../k.csv", {}, 400),
        ("save=.fileserver/k", {}, 400),
        ("save=k.csv", {"sec-fetch-site": "cross-site"}, 403),
        ("save=k.csv", {"content-length": "2000"}, 413),
        ("save=k.csv", {"content-range": "bytes 0-1/2"}, 400),
    ],
)
async def test_what_cannot_be_stored_is_refused_early(
    client: httpx.AsyncClient, query: str, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(f"/transform?{query}", content=TABLE, headers={**CSV, **headers})
    assert answer.status_code == status
    assert "transform-id" not in answer.headers


async def test_more_than_may_be_stored_is_refused(client: httpx.AsyncClient, root: Path) -> None:
    long = await client.post("/transform?save_result=k.csv", content=HEADER + b"!flood 1\n", headers=CSV)
    assert (long.status_code, slug(long)) == (413, "too-large")
    assert not (root / "k.csv").exists()


async def test_a_read_only_server_transforms_and_stores_nothing(root: Path) -> None:
    (root / "t.csv").write_bytes(TABLE)
    async with opened(root, allow_write=False) as client:
        assert (await client.get("/transform/t.csv")).content == TABLE
        assert (await client.post("/transform", content=TABLE, headers=CSV)).content == TABLE
        assert (await client.post("/transform?save=k.csv", content=TABLE, headers=CSV)).status_code == 403
    assert [path.name for path in root.iterdir()] == ["t.csv"]


async def test_sql_can_be_switched_off(root: Path) -> None:
    query = {"sql": "select * from input"}
    async with opened(root, allow_sql=False) as client:
        refused = await client.post("/transform", params=query, content=TABLE, headers=CSV)
        assert (refused.status_code, slug(refused)) == (403, "sql-off")
    async with opened(root, allow_sql=True) as client:
        assert (await client.post("/transform", params=query, content=TABLE, headers=CSV)).status_code == 200


@pytest.mark.parametrize(("allowed", "status"), [(None, 403), (True, 200)])
async def test_where_the_kernel_cannot_confine_it_sql_is_off_unless_allowed(
    root: Path, allowed: bool | None, status: int
) -> None:
    app = create_app(Settings(root=root, allow_sql=allowed))
    app.state.service.workshop.pool = Pool("tests.delivery.stand_in", PoolLimits())
    async with running(app), client_of(app) as client:
        app.state.service.workshop.missing = frozenset({"landlock"})  # as the start finds it on such a kernel
        answer = await client.post("/transform", params={"sql": "select 1"}, content=TABLE, headers=CSV)
        assert answer.status_code == status


async def test_too_many_at_a_time_are_asked_to_come_back(root: Path) -> None:
    async with opened(root, jobs=1, queue=0) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: client.post("/transform", content=HEADER + b"!hang\n", headers=CSV))
        with anyio.fail_after(10):
            while not any('"running"' in path.read_text() for path in root.glob(".fileserver/scratch/jobs/*/job.json")):
                await anyio.sleep(0.01)
        answer = await client.post("/transform", content=TABLE, headers=CSV)
        assert (answer.status_code, slug(answer), answer.headers["retry-after"]) == (503, "too-many-transforms", "1")
        tasks.cancel_scope.cancel()
