"""The driver keeps its promises: what it is told to do to an application happens there and nowhere else."""

import asyncio
import os
import tempfile

import pytest

from tests.support.asgi import Message, Receive, Scope, Send, body_events, drive, each_cancellation, http_scope

_START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"1"), (b"A", b"2")]}


async def _echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request's body, chunk by chunk."""
    await send(_START)
    while (event := await receive())["type"] == "http.request" and event["more_body"]:
        await send({"type": "http.response.body", "body": event["body"], "more_body": True})
    await send({"type": "http.response.body", "body": event.get("body", b"")})


async def test_an_exchange_records_messages_in_order() -> None:
    exchange = await drive(_echo, http_scope("POST"), body_events(b"ab", b"cd", b"ef"))
    assert (exchange.status, exchange.body, exchange.is_complete) == (200, b"abcdef", True)
    assert exchange.headers == {"a": "1, 2"}
    assert exchange.received == 3
    assert exchange.error is None


async def test_a_body_without_its_end_is_followed_by_a_disconnect() -> None:
    exchange = await drive(
        _echo, http_scope("POST"), body_events(b"ab", is_complete=False), disconnect_after_events=True
    )
    assert exchange.received == 1
    assert isinstance(exchange.error, OSError)
    assert not exchange.is_complete


async def test_a_client_that_leaves_at_a_send_is_told_of_at_that_send() -> None:
    exchange = await drive(_echo, http_scope("POST"), body_events(b"ab", b"cd"), disconnect_at_send=2)
    assert [message["type"] for message in exchange.messages] == ["http.response.start"]
    assert isinstance(exchange.error, OSError)


async def test_every_suspension_is_cancelled_once_and_the_last_round_is_whole() -> None:
    rounds = [
        exchange
        async for _, exchange in each_cancellation(
            lambda n: drive(_echo, http_scope(), body_events(b"ab", b"cd"), cancel_at_await=n)
        )
    ]
    assert len(rounds) == 6  # three sends and two receives, then the round that goes through
    assert all(isinstance(exchange.error, asyncio.CancelledError) for exchange in rounds[:-1])
    assert rounds[-1].body == b"abcd"


async def test_an_application_may_clean_up_when_cancelled() -> None:
    cleaned: list[str] = []

    async def careful(_scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await send(_START)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("yes")

    exchange = await drive(careful, http_scope(), cancel_at_await=2)
    assert isinstance(exchange.error, asyncio.CancelledError)
    assert cleaned == ["yes"]


@pytest.mark.parametrize(("offset", "count", "expected"), [(None, None, b"cdef"), (1, 2, b"bc"), (4, None, b"ef")])
async def test_a_zero_copy_send_is_recorded_as_bytes(offset: int | None, count: int | None, expected: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"abcdef")
        file.flush()
        os.lseek(file.fileno(), 2, os.SEEK_SET)

        async def zerocopy(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(_START)
            await send({"type": "http.response.zerocopysend", "file": file.fileno(), "offset": offset, "count": count})

        exchange = await drive(zerocopy, http_scope(extensions=["http.response.zerocopysend"]))
        assert exchange.body == expected
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 2
