"""`/events` as far as it has come: which changes, in which framing, and from where."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

NDJSON = {"accept": "application/x-ndjson"}


async def told(client: httpx.AsyncClient, query: str = "", **headers: str) -> list[dict[str, Any]]:
    """The records of all that is kept, or of what the query asks for."""
    address = f"/events?follow=false&{query or 'last_event_id=0'}"
    answer = await client.get(address, headers={**NDJSON, **{n.replace("_", "-"): v for n, v in headers.items()}})
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def seen(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(record["type"], record["key"]) for record in records if "key" in record]


@pytest.fixture
async def changed(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a server where five things have happened."""
    for key in ("a/1", "b/2", "a/1"):
        await client.put(f"/files/{key}", content=key.encode())
    await client.delete("/files/a/1")
    await client.put("/files/a%C3%A9", content=b"")
    return client


async def test_all_that_happened_is_told_in_order_with_a_counted_end(changed: httpx.AsyncClient) -> None:
    records = await told(changed)
    expected = [("created", "a/1"), ("created", "b/2"), ("replaced", "a/1"), ("deleted", "a/1"), ("created", "aé")]
    assert seen(records) == expected
    assert records[0]["type"] == "meta"
    assert records[-1] == {"type": "end", "records": 5}
    assert records[5]["href"] == "/files/a%C3%A9"
    assert [record["id"] for record in records[1:-1]] == sorted({record["id"] for record in records[1:-1]})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("prefix=a/", ["created", "replaced", "deleted"], id="a folder"),
        pytest.param("prefix=b", ["created"], id="a beginning"),
        pytest.param("kind=deleted", ["deleted"], id="a kind"),
        pytest.param("kind=deleted,replaced", ["replaced", "deleted"], id="two kinds in one"),
        pytest.param("kind=deleted&kind=replaced", ["replaced", "deleted"], id="a kind twice"),
        pytest.param("kind=created&prefix=a/", ["created"], id="both"),
    ],
)
async def test_a_client_sees_what_it_wants_to(changed: httpx.AsyncClient, query: str, expected: list[str]) -> None:
    assert [kind for kind, _ in seen(await told(changed, f"last_event_id=0&{query}"))] == expected


async def test_a_prefix_may_have_bytes_that_are_no_utf8(client: httpx.AsyncClient, root: Path) -> None:
    (root / "caf\udce9").mkdir()
    (root / "caf\udce9" / "menu").write_bytes(b"tea")
    await client.delete("/files/caf%E9/menu")
    assert seen(await told(client, "last_event_id=0&prefix=caf%E9/")) == [("deleted", "caf\udce9/menu")]


async def test_a_client_goes_on_after_what_it_saw(changed: httpx.AsyncClient) -> None:
    records = await told(changed)
    third = str(records[3]["id"])
    assert await told(changed, f"last_event_id={third}") == [
        {"type": "meta", "last_id": third, "heartbeat_s": 15.0},
        *records[4:-1],
        {"type": "end", "records": 2},
    ]
    by_header = await told(changed, "last_event_id=0", last_event_id=third)
    assert seen(by_header) == seen(records[4:])


async def test_a_client_without_a_place_sees_what_comes(changed: httpx.AsyncClient) -> None:
    assert seen(await told(changed, "kind=created")) == []


@pytest.mark.parametrize("missed", ["1", "999999999999999999", "9" * 30, "text", "-1", "1-2"])
async def test_a_client_that_missed_something_is_told_and_goes_on_from_now(
    changed: httpx.AsyncClient, missed: str
) -> None:
    records = await told(changed, "prefix=", last_event_id=missed)
    newest = (await told(changed))[-2]["id"]
    assert [record["type"] for record in records] == ["meta", "reset", "end"]
    assert records[1] == {"type": "reset", "id": newest}


async def test_an_empty_place_is_none(changed: httpx.AsyncClient) -> None:
    assert [record["type"] for record in await told(changed, "prefix=", last_event_id="")] == ["meta", "end"]


@pytest.mark.parametrize("query", ["last_event_id=x", "last_event_id=-1", "kind=other", "follow=perhaps"])
async def test_what_cannot_be_understood_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/events?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == query.partition("=")[0]


async def test_other_media_types_are_not_acceptable(client: httpx.AsyncClient) -> None:
    assert (await client.get("/events", headers={"accept": "text/csv"})).status_code == 406


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream", "text/html,*/*;q=0.8"])
async def test_events_are_server_sent_unless_lines_are_asked_for(changed: httpx.AsyncClient, accept: str) -> None:
    answer = await changed.get("/events?follow=false&last_event_id=0", headers={"accept": accept})
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in answer.headers
    events = answer.text.split("\n\n")
    assert events[0].startswith("retry: ")
    assert events[1].startswith("event: created\nid: ")


async def test_a_read_only_server_has_a_feed_too(reader: httpx.AsyncClient) -> None:
    assert [record["type"] for record in await told(reader)] == ["meta", "end"]
