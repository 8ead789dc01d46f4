"""Answers by gzip: the same bytes, each piece readable when it comes, and torn where the answer is torn."""

import gzip
import zlib
from collections.abc import Sequence

import pytest

from fileserver.delivery.asgi import App, Receive, Scope, Send, end, more, start
from fileserver.delivery.compressed import compressed
from tests.support.asgi import Exchange, drive, http_scope

ROWS = b'{"key":"a","size":1}\n' * 500


def answering(pieces: Sequence[bytes], headers: Sequence[tuple[str, str]] = ()) -> App:
    """An application that sends these pieces, the last of them as its end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await start(send, 200, [("content-type", "text/csv"), *headers])
        for piece in pieces[:-1]:
            await more(send, piece)
        await end(send, pieces[-1])

    return app


def header(answer: Exchange, name: bytes) -> list[bytes]:
    return [value for each, value in answer.messages[0]["headers"] if each == name]


@pytest.mark.parametrize("pieces", [[ROWS], [ROWS, ROWS, b""], [b"", b"", ROWS * 100], [b"x"], [b""]])
async def test_it_is_the_same_bytes(pieces: list[bytes]) -> None:
    answer = await drive(compressed(answering(pieces), is_accepted=True), http_scope())
    assert gzip.decompress(answer.body) == b"".join(pieces)
    assert header(answer, b"content-encoding") == [b"gzip"]
    assert header(answer, b"vary") == [b"accept-encoding"]
    assert answer.is_complete


async def test_each_piece_can_be_read_when_it_comes() -> None:
    answer = await drive(compressed(answering([b"one\n", b"two\n", b""]), is_accepted=True), http_scope())
    unpacking = zlib.decompressobj(wbits=31)
    pieces = [unpacking.decompress(message["body"]) for message in answer.messages[1:]]
    assert pieces == [b"one\n", b"two\n", b""]


async def test_a_length_that_holds_no_more_is_not_told() -> None:
    headers = [("content-length", str(len(ROWS)))]
    answer = await drive(compressed(answering([ROWS], headers), is_accepted=True), http_scope())
    assert header(answer, b"content-length") == []
    assert len(answer.body) < len(ROWS) / 20


async def test_what_is_short_is_sent_as_it_is() -> None:
    answer = await drive(compressed(answering([b"short"], [("content-length", "5")]), is_accepted=True), http_scope())
    assert (answer.body, header(answer, b"content-encoding")) == (b"short", [])
    assert header(answer, b"vary") == [b"accept-encoding"]


async def test_who_does_not_take_it_is_not_sent_it() -> None:
    headers = [("content-length", str(len(ROWS))), ("vary", "accept")]
    answer = await drive(compressed(answering([ROWS], headers), is_accepted=False), http_scope())
    assert (answer.body, header(answer, b"content-length")) == (ROWS, [str(len(ROWS)).encode()])
    assert header(answer, b"vary") == [b"accept", b"accept-encoding"]


async def test_a_torn_answer_has_no_end() -> None:
    async def torn(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await start(send, 200, ())
        await more(send, ROWS)
        raise RuntimeError("torn")

    answer = await drive(compressed(torn, is_accepted=True), http_scope())
    assert isinstance(answer.error, RuntimeError)
    assert not answer.is_complete
    with pytest.raises(EOFError):
        gzip.decompress(answer.body)
