"""Request bodies on their way in."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fileserver.delivery.asgi import App, ClientLeft, Receive, Scope, Send, body_of, end, start
from fileserver.delivery.upload import FieldTooLong, NoFileInForm, Promise, put_file, put_form_files
from fileserver.http.form_parts import MalformedForm
from storage import (
    Condition,
    DigestMismatch,
    InvalidKey,
    Key,
    Library,
    PreconditionFailed,
    TooLarge,
    always,
    key_to_write,
)
from tests.delivery.conftest import drafts_in, open_files, until_closed
from tests.support.asgi import Exchange, body_events, drive, each_cancellation, http_scope

NOTHING_PROMISED = Promise(None, None, {})


def put_app(
    library: Library, key: str = "a", promise: Promise = NOTHING_PROMISED, condition: Condition = always
) -> App:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await put_file(receive, library, Key(key), promise=promise, condition=always)
        await start(send, 201, [])
        await end(send)

    return app


def form_app(library: Library, condition: Condition = always) -> App:
    def condition_of(_fields: Mapping[str, str]) -> Condition:
        return condition

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        content_type = "multipart/form-data; boundary=xyz"
        await put_form_files(
            body_of(receive), library, content_type, key_of=key_to_write, condition_of=condition_of, max_size=1000
        )
        await start(send, 201, [])
        await end(send)

    return app


def file_part(name: str, payload: bytes) -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode() + payload + b"\r\n"


def field_part(name: str, payload: bytes) -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + payload + b"\r\n"


END = b"--xyz--\r\n"


async def send_to(app: App, *chunks: bytes, is_complete: bool = True) -> Exchange:
    events = body_events(*chunks, is_complete=is_complete)
    return await drive(app, http_scope("PUT"), events, disconnect_after_events=not is_complete)


def nothing_left(root: Path) -> bool:
    return drafts_in(root) == [] and open_files(root) == []


async def test_a_body_becomes_the_file(library: Library, tmp_path: Path) -> None:
    exchange = await send_to(put_app(library, "folder/a"), b"con", b"", b"tent")
    assert exchange.error is None
    assert (tmp_path / "folder" / "a").read_bytes() == b"content"
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("promise", "fault"),
    [
        (Promise(None, None, {"sha256": bytes(32)}), DigestMismatch),
        (Promise(None, 6, {}), TooLarge),
    ],
)
async def test_a_broken_promise_stores_nothing(
    library: Library, tmp_path: Path, promise: Promise, fault: type[Exception]
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    exchange = await send_to(put_app(library, promise=promise), b"content")
    assert isinstance(exchange.error, fault)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert nothing_left(tmp_path)


async def test_a_client_that_leaves_stores_nothing(library: Library, tmp_path: Path) -> None:
    exchange = await send_to(put_app(library), b"half", is_complete=False)
    assert isinstance(exchange.error, ClientLeft)
    assert not (tmp_path / "a").exists()
    assert nothing_left(tmp_path)


async def test_cancelled_anywhere_it_stores_all_or_nothing(library: Library, tmp_path: Path) -> None:
    async def attempt(number: int) -> Exchange:
        app = put_app(library, f"a{number}")  # each its own key: a claim may outlive its killed writer for a minute
        return await drive(app, http_scope("PUT"), body_events(b"con", b"tent"), cancel_at_await=number)

    exchanges = []
    async for number, exchange in each_cancellation(attempt):
        exchanges.append(exchange)
        await until_closed(tmp_path)
        if (tmp_path / f"a{number}").exists():
            assert (tmp_path / f"a{number}").read_bytes() == b"content"
    assert len(exchanges) > 5
    assert exchanges[-1].error is None


async def test_all_files_of_a_form_are_stored(library: Library, tmp_path: Path) -> None:
    body = field_part("replace", b"true") + file_part("a", b"one") + file_part("", b"") + file_part("b", b"two") + END
    exchange = await send_to(form_app(library), body[:70], body[70:])
    assert exchange.error is None
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "b").read_bytes() == b"two"
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (file_part("a", b"one"), MalformedForm),
        (file_part("a", b"one") + END[:-4], MalformedForm),
        (END, NoFileInForm),
        (field_part("x", b"y") + END, NoFileInForm),
        (field_part("x", b"y" * 9000) + END, FieldTooLong),
        (file_part("a", b"one") + file_part("..", b"two") + END, InvalidKey),
        (file_part("a", b"one") + file_part("b", b"x" * 1001) + END, TooLarge),
    ],
)
async def test_a_faulty_form_stores_nothing(
    library: Library, tmp_path: Path, body: bytes, fault: type[Exception]
) -> None:
    exchange = await send_to(form_app(library), body)
    assert isinstance(exchange.error, fault)
    assert not (tmp_path / "a").exists()
    assert nothing_left(tmp_path)


async def test_a_form_whose_client_leaves_stores_nothing(library: Library, tmp_path: Path) -> None:
    exchange = await send_to(form_app(library), file_part("a", b"one"), is_complete=False)
    assert isinstance(exchange.error, ClientLeft)
    assert not (tmp_path / "a").exists()
    assert nothing_left(tmp_path)


async def test_a_form_whose_condition_fails_stores_nothing(library: Library, tmp_path: Path) -> None:
    exchange = await send_to(form_app(library, lambda current: False), file_part("a", b"one") + END)
    assert isinstance(exchange.error, PreconditionFailed)
    assert nothing_left(tmp_path)
