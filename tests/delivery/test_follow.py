"""A file that is still being uploaded, on its way out: who leaves, and when."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from fileserver.delivery.asgi import App, Receive, Scope, Send, end, start
from fileserver.delivery.follow import Follow
from fileserver.lifespan import Stopped
from storage import Catalogue, Key, Library, LocalStore, UploadLimits, Uploads
from tests.delivery.conftest import detected, until_closed
from tests.support.asgi import Exchange, drive, each_cancellation, http_scope

KEY = Key("a")


@dataclass(frozen=True, slots=True)
class Site:
    """An upload of five bytes out of ten, and what follows it."""

    uploads: Uploads
    upload_id: str

    def app(self, *, limit_rate: int | None = None, stopping: anyio.Event | None = None) -> App:
        return Follow(
            self.uploads, KEY, None, detected, stopping or anyio.Event(), _nothing, chunk_size=2, limit_rate=limit_rate
        )

    async def end(self) -> None:
        """The rest of the bytes come."""
        async with self.uploads.resume(self.upload_id, owner="") as opened:
            if not opened.upload.is_complete:
                await opened.append(5, _rest())
                await opened.commit()


async def _rest() -> AsyncIterator[bytes]:
    yield b"67890"


async def _nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await start(send, 404, [])
    await end(send)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server with an upload that is under way."""
    store, catalogue = LocalStore(tmp_path), Catalogue(tmp_path / ".fileserver" / "catalogue.sqlite3")
    library = Library(store, catalogue, detected)
    await library.start()
    uploads = Uploads(library, store, catalogue, UploadLimits(10, 3600, None))
    upload = await uploads.create(owner="", key=KEY, length=10, is_ending=True, terms="")
    async with uploads.resume(upload.upload_id, owner="") as opened:
        await opened.append(0, _begun())
    yield Site(uploads, upload.upload_id)
    await library.close()


async def _begun() -> AsyncIterator[bytes]:
    yield b"12345"


async def test_it_is_whole_once_the_upload_is(site: Site, tmp_path: Path) -> None:
    async def end_it(message: object) -> None:
        if isinstance(message, dict) and message.get("body") == b"5":
            await site.end()

    exchange = await drive(site.app(), http_scope(), on_send=end_it)
    assert (exchange.status, exchange.body, exchange.is_complete) == (200, b"1234567890", True)
    await until_closed(tmp_path)


async def test_a_limited_rate_changes_no_byte(site: Site) -> None:
    async def end_it(message: object) -> None:
        if isinstance(message, dict) and message.get("body") == b"5":
            await site.end()

    exchange = await drive(site.app(limit_rate=1000), http_scope(), on_send=end_it)
    assert exchange.body == b"1234567890"


@pytest.mark.parametrize("number", range(1, 6))
async def test_a_client_that_leaves_leaves_nothing_open(site: Site, tmp_path: Path, number: int) -> None:
    exchange = await drive(site.app(), http_scope(), disconnect_at_send=number)
    assert exchange.error is None
    await until_closed(tmp_path)


async def test_one_that_leaves_while_nothing_comes_does_not_either(site: Site, tmp_path: Path) -> None:
    exchange = await drive(site.app(), http_scope(), disconnect_after_events=True)
    assert not exchange.is_complete
    await until_closed(tmp_path)


async def test_every_cancellation_closes_the_draft(site: Site, tmp_path: Path) -> None:
    async def attempt(number: int) -> Exchange:
        return await drive(site.app(), http_scope(method="HEAD"), cancel_at_await=number)

    async for _, attempted in each_cancellation(attempt):
        await until_closed(tmp_path)
        exchange = attempted
    assert (exchange.status, exchange.headers["content-length"]) == (200, "10")


async def test_a_range_is_cancelled_anywhere(site: Site, tmp_path: Path) -> None:
    async def attempt(number: int) -> Exchange:
        return await drive(site.app(), http_scope(headers=[("range", "bytes=1-3")]), cancel_at_await=number)

    async for _, attempted in each_cancellation(attempt):
        await until_closed(tmp_path)
        exchange = attempted
    assert (exchange.status, exchange.body) == (206, b"234")


async def test_a_server_that_stops_tears_it(site: Site, tmp_path: Path) -> None:
    stopping = anyio.Event()

    async def stop(message: object) -> None:
        if isinstance(message, dict) and message.get("body") == b"34":
            stopping.set()

    exchange = await drive(site.app(stopping=stopping), http_scope(), on_send=stop)
    assert isinstance(exchange.error, Stopped)
    assert not exchange.is_complete
    await until_closed(tmp_path)


async def test_without_an_upload_another_answers(site: Site) -> None:
    await site.end()
    assert (await drive(site.app(), http_scope())).status == 404
