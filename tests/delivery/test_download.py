"""Stored files on their way out."""

import os
from pathlib import Path

import anyio
import pytest

from fileserver.delivery.asgi import Message
from fileserver.delivery.download import Download
from storage import Key, Library, NotFound, StoreDamaged
from tests.delivery.conftest import open_files, until_closed
from tests.support.asgi import drive, each_cancellation, http_scope

CONTENT = bytes(range(256)) * 400


@pytest.fixture
def download(library: Library, tmp_path: Path) -> Download:
    (tmp_path / "film.mp4").write_bytes(CONTENT)
    return Download(library, Key("film.mp4"), attachment=None, chunk_size=1000)


@pytest.mark.parametrize(
    ("field", "status", "expected"),
    [
        (None, 200, CONTENT),
        ("bytes=0-0", 206, CONTENT[:1]),
        ("bytes=999-2001", 206, CONTENT[999:2002]),
        ("bytes=-5", 206, CONTENT[-5:]),
    ],
)
async def test_the_bytes_asked_for(download: Download, field: str | None, status: int, expected: bytes) -> None:
    exchange = await drive(download, http_scope(headers=[("range", field)] if field else []))
    assert (exchange.status, exchange.body, exchange.is_complete) == (status, expected, True)
    assert exchange.headers["content-length"] == str(len(expected))


async def test_several_ranges_come_as_parts_of_the_announced_length(download: Download) -> None:
    exchange = await drive(download, http_scope(headers=[("range", "bytes=5000-5003,0-1")]))
    assert exchange.headers["content-length"] == str(len(exchange.body))
    first, second = exchange.body.index(CONTENT[5000:5004]), exchange.body.rindex(CONTENT[0:2])
    assert first < second


async def test_chunks_are_as_large_as_said_and_never_two_at_once(download: Download) -> None:
    exchange = await drive(download, http_scope())
    sizes = [len(message["body"]) for message in exchange.messages if message.get("body")]
    assert set(sizes[:-1]) == {1000}


async def test_head_opens_and_sends_no_body(download: Download, tmp_path: Path) -> None:
    exchange = await drive(download, http_scope("HEAD"))
    assert (exchange.status, exchange.body, exchange.is_complete) == (200, b"", True)
    assert exchange.headers["content-length"] == str(len(CONTENT))
    assert open_files(tmp_path) == []


async def test_a_missing_file_is_raised_before_the_answer_begins(library: Library) -> None:
    exchange = await drive(Download(library, Key("missing"), attachment=None), http_scope())
    assert isinstance(exchange.error, NotFound)
    assert exchange.messages == []


async def test_a_file_that_shrinks_midway_tears_the_answer(download: Download, tmp_path: Path) -> None:
    async def shrink(message: Message) -> None:
        if message["type"] == "http.response.body":
            os.truncate(tmp_path / "film.mp4", 5000)

    exchange = await drive(download, http_scope(), on_send=shrink)
    assert isinstance(exchange.error, StoreDamaged)
    assert not exchange.is_complete
    assert open_files(tmp_path) == []


async def test_a_file_that_grows_midway_changes_nothing(download: Download, tmp_path: Path) -> None:
    async def grow(message: Message) -> None:
        with (tmp_path / "film.mp4").open("ab") as file:
            file.write(b"more")

    exchange = await drive(download, http_scope(), on_send=grow)
    assert exchange.body == CONTENT
    assert exchange.is_complete


async def test_a_client_that_leaves_frees_the_file_without_an_error(download: Download, tmp_path: Path) -> None:
    for sends in range(1, 8):
        exchange = await drive(download, http_scope(), disconnect_at_send=sends)
        assert exchange.error is None
        assert open_files(tmp_path) == []


async def test_a_client_that_leaves_while_a_send_waits_ends_it(download: Download, tmp_path: Path) -> None:
    async def stall(_message: Message) -> None:
        await anyio.sleep_forever()

    gone = [{"type": "http.disconnect"}]
    exchange = await drive(download, http_scope(), gone, on_send=stall)
    assert exchange.error is None
    assert open_files(tmp_path) == []


async def test_cancelled_anywhere_it_closes_the_file(download: Download, tmp_path: Path) -> None:
    exchanges = []
    async for _, exchange in each_cancellation(lambda n: drive(download, http_scope(), cancel_at_await=n)):
        await until_closed(tmp_path)
        exchanges.append(exchange)
    assert len(exchanges) > 10
    assert exchanges[-1].is_complete
