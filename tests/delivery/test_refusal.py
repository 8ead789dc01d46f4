"""Answers that come before the request's body has been read."""

import pytest

from fileserver.delivery.asgi import App, Message, Receive, Scope, Send, end, start
from fileserver.delivery.refusal import LINGER_BYTES, CloseEarlyAnswers
from tests.support.asgi import body_events, drive, http_scope

LENGTH = [("content-length", "9")]


async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
    await start(send, 403, [("content-length", "2")])
    await end(send, b"no")


async def read_all(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await start(send, 200, [("content-length", "2")])
    await end(send, b"ok")


@pytest.mark.parametrize("headers", [LENGTH, [("transfer-encoding", "chunked")]])
async def test_an_early_answer_says_close_and_ends_after_the_rest_came(headers: list[tuple[str, str]]) -> None:
    exchange = await drive(
        CloseEarlyAnswers(refuse), http_scope("PUT", headers=headers), body_events(b"12345", b"6789")
    )
    assert exchange.headers["connection"] == "close"
    assert (exchange.body, exchange.is_complete, exchange.received) == (b"no", True, 2)


async def test_no_more_than_the_bound_is_read() -> None:
    chunk = bytes(LINGER_BYTES // 4)
    events = body_events(*[chunk] * 20, is_complete=False)
    exchange = await drive(CloseEarlyAnswers(refuse), http_scope("PUT", headers=LENGTH), events)
    assert exchange.is_complete
    assert exchange.received == 4


async def test_a_client_that_sends_nothing_more_is_waited_for_a_moment_only() -> None:
    exchange = await drive(CloseEarlyAnswers(refuse), http_scope("PUT", headers=LENGTH), ())
    assert exchange.is_complete


@pytest.mark.parametrize(("app", "headers"), [(read_all, LENGTH), (refuse, []), (refuse, [("content-length", "0")])])
async def test_other_answers_keep_the_connection(app: App, headers: list[tuple[str, str]]) -> None:
    exchange = await drive(CloseEarlyAnswers(app), http_scope("PUT", headers=headers), body_events(b"123456789"))
    assert "connection" not in exchange.headers
    assert exchange.is_complete


async def test_other_protocols_pass() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def never() -> Message:
        raise AssertionError

    async def nothing(_message: Message) -> None:
        raise AssertionError

    await CloseEarlyAnswers(app)({"type": "lifespan"}, never, nothing)
    assert seen == ["lifespan"]
