"""The end of a file as an answer: which bytes, which lines, and what is left when it is over."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from fileserver.api.responses import live_headers
from fileserver.delivery.asgi import Message
from fileserver.delivery.live import EVENTS, LINES, Framing
from fileserver.delivery.tail import Following
from fileserver.http.tails import Amount, Bytes, Lines, Position
from fileserver.lifespan import Stopped
from fileserver.media import detect
from storage import Catalogue, Key, Library, LocalStore, NotFound
from tests.delivery.conftest import open_files
from tests.support.asgi import Exchange, drive, each_cancellation, http_scope

LOG = Key("app.log")
ALL = Lines(1000)
FRAMINGS = [None, LINES, EVENTS]


@pytest.fixture
async def followed(library: Library) -> AsyncIterator[Library]:
    """A library whose tails are looked after."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(library.tails.watch)
        await anyio.wait_all_tasks_blocked()
        yield library
        tasks.cancel_scope.cancel()


@pytest.fixture
async def plain(tmp_path: Path) -> AsyncIterator[Library]:
    """A library that knows what its files are."""
    opened = Library(LocalStore(tmp_path), Catalogue(None), detect)
    await opened.start()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.tails.watch)
        yield opened
        tasks.cancel_scope.cancel()
    await opened.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / LOG


def following(
    library: Library,
    asked: Amount | Position = ALL,
    framing: Framing | None = LINES,
    stopping: anyio.Event | None = None,
) -> Following:
    return Following(library, LOG, asked, framing, live_headers, stopping or anyio.Event())


async def first_messages(app: Following, count: int, method: str = "GET") -> Exchange:
    """What an application sends before the client leaves at its message of this number."""
    return await drive(app, http_scope(method), disconnect_at_send=count)


@pytest.mark.parametrize(
    ("asked", "offset"), [(Lines(1), 4), (Lines(0), 8), (Bytes(3), 5), (Position(4), 4), (Position(99), 0)]
)
async def test_raw_bytes_begin_where_the_head_says(
    followed: Library, log: Path, asked: Amount | Position, offset: int
) -> None:
    log.write_bytes(b"one\ntwo\n")

    async def add_a_line(message: Message) -> None:
        if message.get("body", b"").endswith(b"o\n") or (offset == 8 and message["type"].endswith("body")):
            with log.open("ab") as file:
                file.write(b"more\n")

    app = following(followed, asked, framing=None)
    exchange = await drive(app, http_scope(), disconnect_at_send=4, on_send=add_a_line)
    assert exchange.headers["tail-offset"] == str(offset)
    assert exchange.body == (b"one\ntwo\n"[offset:] or b"more\n")
    assert not exchange.is_complete


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"one\n", "text/plain; charset=utf-8"),
        (b"<script>alert(1)</script>\n", "text/plain; charset=utf-8"),
        (b"{}\n", "text/plain; charset=utf-8"),
        (b"\x00\x01\x02\xff" * 100, "application/octet-stream"),
    ],
)
async def test_raw_text_is_plain_whatever_it_says(plain: Library, log: Path, content: bytes, content_type: str) -> None:
    log.write_bytes(content)
    exchange = await first_messages(following(plain, framing=None), 3)
    assert exchange.headers["content-type"] == content_type
    assert exchange.headers["x-content-type-options"] == "nosniff"
    assert exchange.headers["cross-origin-resource-policy"] == "same-origin"
    assert exchange.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_head_sends_the_head_alone(followed: Library, log: Path, framing: Framing | None, tmp_path: Path) -> None:
    log.write_bytes(b"one\n")
    exchange = await drive(following(followed, framing=framing), http_scope("HEAD"))
    assert (exchange.status, exchange.body, exchange.is_complete) == (200, b"", True)
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_missing_file_is_raised_before_the_answer_begins(followed: Library, framing: Framing | None) -> None:
    exchange = await drive(following(followed, framing=framing), http_scope())
    assert isinstance(exchange.error, NotFound)
    assert exchange.messages == []


async def test_who_is_cut_off_before_word_of_a_reset_hears_it_the_next_time(followed: Library, log: Path) -> None:
    log.write_bytes(b"one\n")
    asked = Position(999, "0123abcd")
    exchange = await first_messages(following(followed, asked), 3)
    assert [json.loads(line)["last_id"] for line in exchange.body.splitlines()] == ["999-0123abcd"]
    exchange = await first_messages(following(followed, asked), 4)
    assert json.loads(exchange.body.splitlines()[1])["reason"] == "rotated"


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_client_that_leaves_while_nothing_comes_leaves_nothing(
    followed: Library, log: Path, tmp_path: Path, framing: Framing | None
) -> None:
    log.write_bytes(b"one\n")
    gone = [{"type": "http.request", "body": b"", "more_body": False}]
    exchange = await drive(following(followed, framing=framing), http_scope(), gone, disconnect_after_events=True)
    assert exchange.error is None
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_cancelled_anywhere_it_closes_the_file(
    followed: Library, log: Path, tmp_path: Path, framing: Framing | None
) -> None:
    log.write_bytes(b"one\n")

    async def attempt(number: int) -> Exchange:
        return await drive(
            following(followed, framing=framing), http_scope(), cancel_at_await=number, disconnect_at_send=3
        )

    exchanges = []
    async for _, exchange in each_cancellation(attempt):
        assert open_files(tmp_path) == []
        exchanges.append(exchange)
    assert len(exchanges) > 2


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_cancelled_anywhere_on_the_way_to_its_end_it_closes_the_file(
    followed: Library, log: Path, tmp_path: Path, framing: Framing | None
) -> None:
    log.write_bytes(b"one\nunfinished")

    async def attempt(number: int) -> Exchange:
        return await drive(so_far(followed, framing), http_scope(), cancel_at_await=number)

    exchanges = []
    async for _, exchange in each_cancellation(attempt):
        assert open_files(tmp_path) == []
        exchanges.append(exchange)
    assert exchanges[-1].is_complete
    assert len(exchanges) > 2


@pytest.mark.parametrize(("framing", "end"), [(LINES, b'"type":"end"'), (EVENTS, b"")])
async def test_a_server_that_stops_ends_records_properly(
    followed: Library, log: Path, tmp_path: Path, framing: Framing, end: bytes
) -> None:
    exchange = await stopped_after_a_line(followed, log, framing)
    assert (exchange.error, exchange.is_complete) == (None, True)
    assert end in exchange.body.splitlines()[-1]
    assert open_files(tmp_path) == []


async def test_a_server_that_stops_tears_raw_bytes(followed: Library, log: Path, tmp_path: Path) -> None:
    exchange = await stopped_after_a_line(followed, log, None)
    assert isinstance(exchange.error, Stopped)
    assert not exchange.is_complete
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_who_does_not_follow_gets_what_there_is_and_a_proper_end(
    followed: Library, log: Path, tmp_path: Path, framing: Framing | None
) -> None:
    log.write_bytes(b"one\ntwo\nthree\nunfinished")
    exchange = await drive(so_far(followed, framing), http_scope())
    assert (exchange.error, exchange.is_complete) == (None, True)
    if framing is None:
        assert exchange.body == b"two\nthree\nunfinished"
    if framing is LINES:
        told = [json.loads(line) for line in exchange.body.splitlines()]
        assert [record.get("line") for record in told[1:-1]] == ["two", "three", "unfinished"]
        assert (told[-2]["partial"], told[-1]) == (True, {"type": "end", "records": 3})
    if framing is EVENTS:
        assert exchange.body.count(b"event: line\n") == 3
    assert open_files(tmp_path) == []


@pytest.mark.parametrize(("framing", "lines"), [(None, 0), (LINES, 2), (EVENTS, 3)])
async def test_an_empty_file_has_a_proper_end_at_once(
    followed: Library, log: Path, framing: Framing | None, lines: int
) -> None:
    log.write_bytes(b"")
    exchange = await drive(so_far(followed, framing), http_scope())
    assert (exchange.is_complete, len(exchange.body.splitlines())) == (True, lines)


async def test_a_file_that_grows_as_it_is_taken_ends_all_the_same(followed: Library, log: Path) -> None:
    log.write_bytes(b"x" * 999_999 + b"\n")

    async def grow(_message: Message) -> None:
        with log.open("ab") as file:
            file.write(b"y" * 300_000)

    app = Following(followed, LOG, Bytes(10**9), None, live_headers, anyio.Event(), is_following=False)
    exchange = await drive(app, http_scope(), on_send=grow)
    assert exchange.is_complete
    assert exchange.body.startswith(b"x" * 999_999 + b"\n")


async def test_who_comes_back_to_another_file_without_following_hears_of_it_and_gets_the_new_file(
    followed: Library, log: Path
) -> None:
    log.write_bytes(b"new\n")
    app = Following(followed, LOG, Position(9, "0123abcd"), LINES, live_headers, anyio.Event(), is_following=False)
    exchange = await drive(app, http_scope())
    told = [json.loads(line) for line in exchange.body.splitlines()]
    assert [record["type"] for record in told] == ["meta", "reset", "line", "end"]


def so_far(library: Library, framing: Framing | None) -> Following:
    """The last three lines, as far as they have come."""
    return Following(library, LOG, Lines(3), framing, live_headers, anyio.Event(), is_following=False)


async def stopped_after_a_line(library: Library, log: Path, framing: Framing | None) -> Exchange:
    """What is sent where the server is told to stop as soon as the first line is on its way."""
    log.write_bytes(b"one\n")
    stopping = anyio.Event()

    async def stop(message: Message) -> None:
        if b"one" in message.get("body", b""):
            stopping.set()

    return await drive(following(library, framing=framing, stopping=stopping), http_scope(), on_send=stop)
