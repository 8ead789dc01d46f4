"""The records of streams, jobs and comments are as the description of the API says."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from fileserver.api.schemas import COMPONENTS
from fileserver.app import create_app
from fileserver.settings import Settings
from storage import ChangeKind
from tests.api.begun import begun, done

DOCUMENT = create_app(Settings(root=Path())).openapi()
NDJSON = {"accept": "application/x-ndjson"}
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a value is what a schema describes, of the words of JSON Schema that ours use."""
    if "$ref" in schema:
        return fits(value, COMPONENTS[schema["$ref"].rpartition("/")[2]])
    if "oneOf" in schema:
        return sum(fits(value, each) for each in schema["oneOf"]) == 1
    if not all(fits(value, each) for each in schema.get("allOf", ())):
        return False
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if names and not any(isinstance(value, TYPES[name]) for name in names):
        return False
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return False
    members = value if isinstance(value, dict) else {}
    described = schema.get("properties", {})
    return set(schema.get("required", ())) <= members.keys() and all(
        fits(members[name], described[name]) for name in described.keys() & members.keys()
    )


def told_of(name: str, kind: str) -> Mapping[str, Any]:
    """The schema of the records of a stream that have this `type`."""
    schemas = [
        COMPONENTS[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in COMPONENTS[name]["oneOf"]
    ]
    (found,) = [each for each in schemas if each.get("properties", {}).get("type") == {"const": kind}]
    return found


async def records(client: httpx.AsyncClient, address: str) -> list[dict[str, Any]]:
    answer = await client.get(address, headers=NDJSON)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_changes_are_as_described(client: httpx.AsyncClient) -> None:
    for content in (b"one", b"other"):
        await client.put("/files/a/1", content=content)
    comment = await client.post("/comments/a/1", json={"text": "text"})
    await client.delete(comment.headers["location"])
    await client.delete("/files/a/1")
    await done(client, work="verify", prefix="")
    found = await records(client, "/events?follow=false&last_event_id=0")
    kinds = {record["type"] for record in found}
    assert kinds >= {"meta", "created", "replaced", "comment", "deleted", "end"}
    for record in found:
        assert fits(record, COMPONENTS["ChangeRecord"]), record
        assert record.keys() <= told_of("ChangeRecord", record["type"])["properties"].keys() or record["type"] == "job"


async def test_a_gap_is_as_described(client: httpx.AsyncClient) -> None:
    (_, reset, _) = await records(client, "/events?follow=false&last_event_id=1")
    assert fits(reset, COMPONENTS["ChangeRecord"])
    assert reset["type"] == "reset"


async def test_the_records_of_a_tail_are_as_described(client: httpx.AsyncClient) -> None:
    await client.put("/files/log", content=b"one\ncaf\xe9\nthree")
    found = await records(client, "/files/log?tail&follow=false&last_event_id=99")
    assert [record["type"] for record in found] == ["meta", "reset", "line", "line", "line", "end"]
    for record in found:
        assert fits(record, COMPONENTS["TailRecord"]), record
        assert record.keys() <= told_of("TailRecord", record["type"])["properties"].keys()


async def test_rows_of_a_listing_are_as_described(client: httpx.AsyncClient, root: Path) -> None:
    await client.put("/files/folder/a", content=b"x")
    (root / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    found = await records(client, "/files/")
    assert [record["type"] for record in found] == ["file", "folder", "end"]
    for record in found:
        assert fits(record, COMPONENTS["TailRecordOrRow"]), record


async def test_comments_are_as_described(client: httpx.AsyncClient) -> None:
    await client.put("/files/a", content=b"x")
    said = await client.post("/comments/a", json={"text": "text", "byte_offset": 0})
    one = await client.get(said.headers["location"])
    for answer in (said, one):
        assert fits(answer.json(), COMPONENTS["Comment"])
        assert answer.json().keys() == COMPONENTS["Comment"]["properties"].keys()
    page = await client.get("/comments/a")
    assert [fits(each.json(), COMPONENTS["CommentOrPage"]) for each in (one, page)] == [True, True]
    for record in await records(client, "/comments/a"):
        assert fits(record, COMPONENTS["CommentRecord"]), record


async def test_jobs_are_as_described(client: httpx.AsyncClient) -> None:
    await client.put("/files/a", content=b"x")
    href = await begun(client, work="verify", prefix="")
    found = await records(client, f"{href}/events")
    assert [found[0]["type"], found[1]["type"], found[-1]["type"]] == ["meta", "job", "end"]
    for record in found:
        assert fits(record, COMPONENTS["JobRecord"]), record
    job = (await client.get(href)).json()
    assert fits(job, COMPONENTS["Job"])
    assert job.keys() - COMPONENTS["Job"]["properties"].keys() == {"intact", "damaged", "missing", "foreign"}


def test_what_is_no_record_does_not_fit() -> None:
    heartbeat = {"type": "heartbeat", "last_id": "1"}
    assert fits(heartbeat, COMPONENTS["TailRecord"])
    for wrong in ({"type": "heartbeat"}, {**heartbeat, "last_id": 1}, {**heartbeat, "type": "rotated"}, None):
        assert not fits(wrong, COMPONENTS["TailRecord"])


def test_every_kind_of_change_is_described_and_may_be_asked_for() -> None:
    for kind in get_args(ChangeKind):
        assert told_of("ChangeRecord", kind)
    (kinds,) = [each["schema"] for each in DOCUMENT["paths"]["/events"]["get"]["parameters"] if each["name"] == "kind"]
    assert kinds["items"]["enum"] == list(get_args(ChangeKind))


@pytest.mark.parametrize("path", ["/events", "/jobs/{job_id}/events", "/files/{key}", "/comments/{key}"])
def test_a_stream_says_what_its_records_are(path: str) -> None:
    content = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]
    lines = content["application/x-ndjson"]["itemSchema"]["$ref"]
    assert lines.rpartition("/")[2] in DOCUMENT["components"]["schemas"]
    if "text/event-stream" in content:
        data = content["text/event-stream"]["itemSchema"]["properties"]["data"]
        assert (data["contentMediaType"], data["contentSchema"]["$ref"]) == ("application/json", lines)


@pytest.mark.parametrize("path", ["/events", "/jobs/{job_id}/events", "/files/{key}"])
def test_where_one_can_go_on_the_header_for_it_is_described(path: str) -> None:
    parameters = DOCUMENT["paths"][path]["get"]["parameters"]
    assert {(each["name"], each["in"]) for each in parameters} >= {
        ("Last-Event-ID", "header"),
        ("last_event_id", "query"),
    }


@pytest.mark.parametrize(("method", "path"), [("get", "/events"), ("get", "/files/{key}"), ("get", "/comments/{key}")])
def test_every_parameter_is_explained(method: str, path: str) -> None:
    for parameter in DOCUMENT["paths"][path][method]["parameters"]:
        assert parameter.get("description"), parameter["name"]


def test_the_answers_of_a_job_are_described_by_their_status() -> None:
    jobs = {path: DOCUMENT["paths"][path] for path in ("/jobs/{job_id}", "/jobs/{job_id}/events")}
    assert {"202", "204"} <= jobs["/jobs/{job_id}"]["delete"]["responses"].keys()
    assert {"200", "204"} <= jobs["/jobs/{job_id}/events"]["get"]["responses"].keys()
