"""Answers without an end: their beginnings, their ends, and what is closed when nobody listens any more."""

import json
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any

import anyio
import pytest

from fileserver.delivery.live import EVENTS, HEARTBEAT_S, LINES, Framing, LiveAnswer, LiveBytes, Record
from fileserver.lifespan import Stopped
from storage import StoreUnavailable
from tests.support.asgi import Exchange, drive, each_cancellation, http_scope

RECORDS = (Record("created", {"key": "a\udcff"}, "7"), Record("deleted", {"key": "b"}, "8"))
HEADERS = (("content-type", "x/y"),)


class Source:
    """Batches, an error if there is one, or for ever nothing; and whether it was closed."""

    def __init__(self, *batches: Sequence[Record], error: Exception | None = None, is_endless: bool = False) -> None:
        self.is_closed = False
        self._batches = batches
        self._error = error
        self._is_endless = is_endless

    async def __call__(self) -> AsyncGenerator[Sequence[Record], None]:
        try:
            for batch in self._batches:
                yield batch
            if self._error is not None:
                raise self._error
            if self._is_endless:
                await anyio.sleep_forever()
        finally:
            self.is_closed = True

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The same as bytes."""
        async for batch in self():
            yield b"".join(record.kind.encode() for record in batch)


def answer(source: Source, framing: Framing, stopping: anyio.Event | None = None) -> LiveAnswer:
    return LiveAnswer(HEADERS, framing, source.__call__, stopping or anyio.Event(), "6")


async def stop_at_body(stopping: anyio.Event, message: Any) -> None:
    """What a test does with each message: the server is told to stop when the first bytes are there."""
    if message.get("body"):
        stopping.set()


def lines_of(exchange: Exchange) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exchange.body.splitlines()]


async def test_lines_begin_with_the_place_and_close_with_the_counts() -> None:
    exchange = await drive(answer(Source(RECORDS, ()), LINES), http_scope())
    assert exchange.is_complete
    assert lines_of(exchange) == [
        {"type": "meta", "last_id": "6", "heartbeat_s": HEARTBEAT_S},
        {"type": "created", "key": "a\udcff"},
        {"type": "deleted", "key": "b"},
        {"type": "heartbeat", "last_id": "8"},
        {"type": "end", "records": 2},
    ]


async def test_events_begin_with_the_place_and_simply_end() -> None:
    exchange = await drive(answer(Source((), RECORDS, ()), EVENTS), http_scope())
    assert exchange.is_complete
    assert exchange.body == (
        b"retry: 2000\nid: 6\n\n"
        b"id: 6\n\n"
        b'event: created\nid: 7\ndata: {"type":"created","key":"a\\udcff"}\n\n'
        b'event: deleted\nid: 8\ndata: {"type":"deleted","key":"b"}\n\n'
        b"id: 8\n\n"
    )


async def test_the_head_and_the_beginning_leave_before_the_source_has_anything() -> None:
    for framing in (EVENTS, LINES):
        source, stopping = Source(is_endless=True), anyio.Event()
        exchange = await drive(answer(source, framing, stopping), http_scope(), on_send=partial(stop_at_body, stopping))
        assert exchange.error is None
        assert exchange.status == 200
        assert exchange.body


async def test_a_failure_is_an_event_and_the_end() -> None:
    exchange = await drive(answer(Source(RECORDS, error=StoreUnavailable()), EVENTS), http_scope())
    assert exchange.is_complete
    assert exchange.error is None
    assert b"event: error\ndata: " in exchange.body.rpartition(b"\n\n")[0].rpartition(b"\n\n")[2]


async def test_a_failure_is_a_line_and_a_torn_answer() -> None:
    exchange = await drive(answer(Source(RECORDS, error=StoreUnavailable()), LINES), http_scope())
    assert not exchange.is_complete
    assert isinstance(exchange.error, StoreUnavailable)
    assert lines_of(exchange)[-1]["type"] == "error"


async def test_what_nobody_foresaw_tears_the_answer() -> None:
    for framing in (EVENTS, LINES):
        source = Source(RECORDS, error=ValueError())
        exchange = await drive(answer(source, framing), http_scope())
        assert not exchange.is_complete
        assert isinstance(exchange.error, ValueError)
        assert source.is_closed


async def test_a_server_that_stops_ends_records_in_their_way() -> None:
    stopping = anyio.Event()
    stopping.set()
    source = Source(RECORDS, is_endless=True)
    exchange = await drive(answer(source, LINES, stopping), http_scope())
    assert exchange.is_complete
    assert lines_of(exchange)[-1]["reason"] == "server-stopping"
    assert source.is_closed or len(lines_of(exchange)) <= 2
    exchange = await drive(answer(Source(is_endless=True), EVENTS, stopping), http_scope())
    assert exchange.is_complete


async def test_a_server_that_stops_tears_bytes() -> None:
    source, stopping = Source(RECORDS, is_endless=True), anyio.Event()
    app = LiveBytes(HEADERS, source.chunks, stopping)
    exchange = await drive(app, http_scope(), on_send=partial(stop_at_body, stopping))
    assert exchange.body == b"createddeleted"
    assert not exchange.is_complete
    assert isinstance(exchange.error, Stopped)
    assert source.is_closed


async def test_bytes_end_when_their_source_does() -> None:
    exchange = await drive(LiveBytes(HEADERS, Source(RECORDS, ()).chunks, anyio.Event()), http_scope())
    assert exchange.is_complete
    assert exchange.body == b"createddeleted"


@pytest.mark.parametrize("framing", [EVENTS, LINES])
async def test_head_is_the_head_alone(framing: Framing) -> None:
    source = Source(RECORDS)
    exchange = await drive(answer(source, framing), http_scope("HEAD"))
    assert exchange.is_complete
    assert (exchange.status, exchange.headers, exchange.body) == (200, dict(HEADERS), b"")


async def test_whatever_await_is_cancelled_the_source_is_closed() -> None:
    sources: list[Source] = []

    async def attempt(number: int) -> Exchange:
        sources.append(Source(RECORDS, RECORDS))
        return await drive(answer(sources[-1], LINES), http_scope(), cancel_at_await=number)

    async for _, exchange in each_cancellation(attempt):
        assert sources[-1].is_closed or not exchange.body.count(b"created")
    assert exchange.is_complete


@pytest.mark.parametrize("number", range(1, 6))
async def test_a_client_that_vanishes_at_a_send_closes_the_source(number: int) -> None:
    source = Source(RECORDS, RECORDS, RECORDS, is_endless=True)
    exchange = await drive(answer(source, LINES), http_scope(), disconnect_at_send=number)
    assert exchange.error is None
    assert source.is_closed or number <= 2
