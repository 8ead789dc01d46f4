"""Stored films on their way out with their index in front."""

import os
import random
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from fileserver.delivery.asgi import Message
from fileserver.delivery.download import PRIVATE, ZERO_COPY_SIZE
from fileserver.delivery.faststart import FaststartDownload, Layouts
from fileserver.delivery.virtual import FOR_GOOD, Replaced, version_of
from fileserver.media.layout import Layout
from storage import Catalogue, Key, Library, MemoryStore, NotFound, StoreDamaged
from tests.delivery.conftest import detected, open_files, until_closed
from tests.support.asgi import ZEROCOPY, Exchange, drive, each_cancellation, http_scope
from tests.support.boxes import CHUNKS, FILE_TYPE, MEDIA, box, index, movie

STORED = movie(tracks=3)
TABLES_SIZE = 3 * 4 * len(CHUNKS) + 4
"""Bytes that are kept of its index: its tables, and its size."""


@pytest.fixture
def download(library: Library, tmp_path: Path) -> FaststartDownload:
    (tmp_path / "film.mp4").write_bytes(STORED)
    return FaststartDownload(library, Layouts(), Key("film.mp4"), chunk_size=1000)


@pytest.fixture
async def whole(download: FaststartDownload) -> bytes:
    """The virtual file, proved elsewhere to be right."""
    return (await drive(download, http_scope())).body


async def test_the_whole_has_its_index_in_front(download: FaststartDownload) -> None:
    exchange = await drive(download, http_scope())
    assert (exchange.status, exchange.is_complete) == (200, True)
    assert exchange.body.index(b"moov") == len(FILE_TYPE) + 4
    assert exchange.body.endswith(box(b"mdat", MEDIA))
    assert exchange.headers["content-length"] == str(len(STORED)) == str(len(exchange.body))


async def test_it_is_another_representation_than_the_file(download: FaststartDownload, library: Library) -> None:
    async with library.open(download.key) as reader:
        etag = reader.entry.etag
    headers = [("if-none-match", f'"{etag}"'), ("want-repr-digest", "sha-256=9")]
    exchange = await drive(download, http_scope(headers=headers))
    assert (exchange.status, exchange.headers["etag"]) == (200, f'"{etag}-faststart"')
    assert "repr-digest" not in exchange.headers
    again = await drive(download, http_scope(headers=[("if-none-match", exchange.headers["etag"])]))
    assert (again.status, again.body) == (304, b"")


def some_ranges(size: int) -> Iterator[tuple[str, range]]:
    """Ranges of every size, as a field names them and as they are."""
    chance = random.Random(5)
    for _ in range(300):
        start = chance.randrange(size)
        stop = min(size, start + chance.choice((1, 2, 50, 3000, size)))
        yield (
            chance.choice([f"bytes={start}-{stop - 1}"] * 3 + [f"bytes={start}-"] * (stop == size)),
            range(start, stop),
        )


@pytest.mark.parametrize("extensions", [(), (ZEROCOPY,)])
async def test_any_range_is_what_the_whole_has_there(
    download: FaststartDownload, whole: bytes, extensions: tuple[str, ...]
) -> None:
    for field, span in some_ranges(len(whole)):
        exchange = await drive(download, http_scope(headers=[("range", field)], extensions=extensions))
        assert (exchange.status, exchange.is_complete) == (206, True)
        assert exchange.body == whole[span.start : span.stop], field
        assert exchange.headers["content-range"] == f"bytes {span.start}-{span.stop - 1}/{len(whole)}"
        assert exchange.headers["content-length"] == str(len(span))


async def test_several_ranges_come_as_parts(download: FaststartDownload, whole: bytes) -> None:
    exchange = await drive(download, http_scope(headers=[("range", "bytes=0-999,5000-5003")]))
    assert exchange.headers["content-length"] == str(len(exchange.body))
    assert exchange.body.index(whole[:1000]) < exchange.body.index(whole[5000:5004])


@pytest.mark.parametrize("field", [f"bytes={len(STORED)}-", "bytes=-0"])
async def test_a_range_past_the_end_is_416_with_the_size(download: FaststartDownload, field: str) -> None:
    exchange = await drive(download, http_scope(headers=[("range", field)]))
    assert (exchange.status, exchange.headers["content-range"]) == (416, f"bytes */{len(STORED)}")


async def test_head_says_what_get_would(download: FaststartDownload) -> None:
    asked = await drive(download, http_scope())
    exchange = await drive(download, http_scope("HEAD"))
    assert (exchange.headers, exchange.body) == (asked.headers, b"")


async def test_media_data_leave_without_a_copy(download: FaststartDownload) -> None:
    exchange = await drive(download, http_scope(extensions=(ZEROCOPY,)))
    assert sum(message["count"] for message in exchange.messages if message["type"] == ZEROCOPY) > ZERO_COPY_SIZE
    assert len(exchange.body) == len(STORED)


async def test_an_address_of_a_version_is_answered_for_good_or_not_at_all(download: FaststartDownload) -> None:
    async with download.library.open(download.key) as reader:
        version = version_of(await download.library.describe(reader))
    exchange = await drive(replace(download, version=version), http_scope())
    assert exchange.headers["cache-control"] == FOR_GOOD
    assert (await drive(download, http_scope())).headers["cache-control"] == PRIVATE
    assert isinstance((await drive(replace(download, version="another"), http_scope())).error, Replaced)


async def test_what_needs_no_move_comes_as_it_is(library: Library, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(FILE_TYPE + index() + box(b"mdat", MEDIA))
    exchange = await drive(FaststartDownload(library, Layouts(), Key("film.mp4")), http_scope())
    assert exchange.body == FILE_TYPE + index() + box(b"mdat", MEDIA)


async def test_a_store_without_descriptors_serves_the_same(whole: bytes) -> None:
    library = Library(MemoryStore(), Catalogue(None), detected)
    await library.start()

    async def chunks() -> AsyncIterator[bytes]:
        yield STORED

    try:
        async with library.receive(chunks(), length=None, max_size=None, digests={}) as received:
            await library.commit(received, Key("film.mp4"))
        exchange = await drive(FaststartDownload(library, Layouts(), Key("film.mp4")), http_scope())
    finally:
        await library.close()
    assert exchange.body == whole


async def test_a_missing_file_is_raised_before_the_answer_begins(library: Library) -> None:
    exchange = await drive(FaststartDownload(library, Layouts(), Key("missing.mp4")), http_scope())
    assert isinstance(exchange.error, NotFound)
    assert exchange.messages == []


async def test_a_file_that_shrinks_midway_tears_the_answer(download: FaststartDownload, tmp_path: Path) -> None:
    async def shrink(message: Message) -> None:
        if message["type"] == "http.response.body":
            os.truncate(tmp_path / "film.mp4", 5000)

    exchange = await drive(download, http_scope(), on_send=shrink)
    assert isinstance(exchange.error, StoreDamaged)
    assert not exchange.is_complete
    assert open_files(tmp_path) == []


async def test_a_client_that_leaves_frees_the_file_without_an_error(
    download: FaststartDownload, tmp_path: Path
) -> None:
    for sends in range(1, 12):
        exchange = await drive(download, http_scope(), disconnect_at_send=sends)
        assert exchange.error is None
        assert open_files(tmp_path) == []


async def test_cancelled_anywhere_it_closes_the_file(library: Library, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(movie(tracks=3))
    exchanges = []

    def attempt(number: int) -> Awaitable[Exchange]:
        download = FaststartDownload(library, Layouts(), Key("film.mp4"), chunk_size=4000)
        return drive(download, http_scope(), cancel_at_await=number)

    async for _, exchange in each_cancellation(attempt):
        await until_closed(tmp_path)
        exchanges.append(exchange)
    assert len(exchanges) > 10
    assert exchanges[-1].is_complete


async def test_a_layout_is_made_once_for_a_version(library: Library, tmp_path: Path) -> None:
    layouts, path = Layouts(), tmp_path / "film.mp4"
    path.write_bytes(STORED)
    first, second = [await _layout(library, layouts) for _ in range(2)]
    assert first is second
    (tmp_path / "other").write_bytes(STORED + box(b"free"))
    (tmp_path / "other").rename(path)
    assert (await _layout(library, layouts)).size == len(STORED) + 8


async def test_many_who_ask_at_once_have_it_laid_out_once(library: Library, tmp_path: Path) -> None:
    """As many times as are at it at a time: the index of a hostile file takes a second each."""
    layouts, found = Layouts(), list[Layout]()
    (tmp_path / "film.mp4").write_bytes(STORED)

    async def ask() -> None:
        found.append(await _layout(library, layouts))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert len({id(each) for each in found}) <= 2


@pytest.mark.parametrize("layouts", [Layouts(most=2), Layouts(max_size=2 * TABLES_SIZE)])
async def test_only_so_much_is_remembered(library: Library, tmp_path: Path, layouts: Layouts) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(STORED)
    a, b = [await _layout(library, layouts, name) for name in "ab"]
    assert await _layout(library, layouts, "a") is a
    await _layout(library, layouts, "c")
    assert await _layout(library, layouts, "a") is a
    assert await _layout(library, layouts, "b") is not b


async def _layout(library: Library, layouts: Layouts, name: str = "film.mp4") -> Layout:
    async with library.open(Key(name)) as reader:
        return await layouts.of(reader)
