"""Reading what is still being uploaded: how far, and how it ends."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import anyio
import pytest

from storage import Arriving, DigestMismatch, Key, StoreDamaged
from tests.storage.sites import Silent, Site, cancelled_at, site_in, site_in_memory

KEY = Key("a")
WRONG: Mapping[str, bytes] = {"sha256": bytes(32)}


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of each keeper of bytes."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


class Reading:
    """Somebody who reads an arriving file while the test goes on."""

    def __init__(self, arriving: Arriving, start: int = 0, stop: int | None = None) -> None:
        self.content = b""
        self.error: StoreDamaged | None = None
        self.ended = anyio.Event()
        self._chunks = arriving.chunks(start, stop, 1000)

    async def run(self) -> None:
        try:
            async for chunk in self._chunks:
                self.content += chunk
        except StoreDamaged as error:
            self.error = error
        self.ended.set()

    async def until(self, content: bytes) -> None:
        """Wait until this has come."""
        with anyio.fail_after(20):
            while self.content != content:
                await anyio.sleep(0.01)


async def test_it_ends_with_the_file(site: Site) -> None:
    upload_id = await site.begin("a")
    async with site.uploads.arriving(KEY) as arriving, anyio.create_task_group() as tasks:
        assert arriving is not None
        reading = Reading(arriving)
        tasks.start_soon(reading.run)
        await site.append(upload_id, b"begun")
        await reading.until(b"begun")
        await site.append(upload_id, b", ended")
        await site.commit(upload_id)
    assert (reading.content, reading.error) == (b"begun, ended", None)


async def test_the_last_byte_of_a_promised_length_comes_with_the_commit(site: Site) -> None:
    upload_id = await site.begin("a", length=5)
    async with site.uploads.arriving(KEY) as arriving, anyio.create_task_group() as tasks:
        assert arriving is not None
        reading = Reading(arriving, stop=5)
        tasks.start_soon(reading.run)
        await site.append(upload_id, b"12345")
        await reading.until(b"1234")
        await site.commit(upload_id)
        await reading.until(b"12345")


async def test_bytes_that_are_to_be_checked_wait_for_it(site: Site) -> None:
    upload_id = await site.begin("a")
    await site.append(upload_id, b"begun")
    body = Silent(b"x" * 10_000)
    async with site.uploads.arriving(KEY) as arriving, anyio.create_task_group() as tasks:
        assert arriving is not None
        reading = Reading(arriving)
        tasks.start_soon(reading.run)
        async with site.resume(upload_id) as opened, anyio.create_task_group() as sending:

            async def append() -> None:
                await opened.append(5, body, digests=WRONG)

            sending.start_soon(append)
            await body.began.wait()
            with anyio.fail_after(20):
                while opened.offset == 5:
                    await anyio.sleep(0.01)
            assert await arriving.head(100) == b"begun"
            sending.cancel_scope.cancel()
        with pytest.raises(DigestMismatch):
            await site.append(upload_id, b"wrong", digests=WRONG)
        await site.append(upload_id, b"!")
        await reading.until(b"begun!")
        await site.commit(upload_id)
    assert (reading.content, reading.error) == (b"begun!", None)


@pytest.mark.parametrize("length", [None, 100])
async def test_what_is_thrown_away_ends_it(site: Site, length: int | None) -> None:
    upload_id = await site.begin("a", length=length)
    await site.append(upload_id, b"begun")
    async with site.uploads.arriving(KEY) as arriving, anyio.create_task_group() as tasks:
        assert arriving is not None
        reading = Reading(arriving, stop=length)
        tasks.start_soon(reading.run)
        await reading.until(b"begun")
        await site.uploads.cancel(upload_id, owner="owner")
    assert reading.error is not None


async def test_a_cut_below_what_was_shown_ends_it(site: Site) -> None:
    upload_id = await site.begin("a")
    await site.append(upload_id, b"begun")
    async with site.uploads.arriving(KEY) as arriving, anyio.create_task_group() as tasks:
        assert arriving is not None
        reading = Reading(arriving)
        tasks.start_soon(reading.run)
        await reading.until(b"begun")
        draft = await site.store.open_draft(upload_id)
        await draft.truncate(2)
        with anyio.fail_after(20):
            await reading.ended.wait()
        await draft.close()
    assert reading.error is not None


async def test_a_part_in_the_midst_comes_before_the_end(site: Site) -> None:
    upload_id = await site.begin("a", length=100)
    async with site.uploads.arriving(KEY) as arriving, anyio.create_task_group() as tasks:
        assert arriving is not None
        reading = Reading(arriving, 3, 6)
        tasks.start_soon(reading.run)
        await site.append(upload_id, b"0")
        await site.append(upload_id, b"123456789")
    assert (reading.content, reading.error) == (b"345", None)


async def test_nothing_arrives_where_nothing_was_begun_or_all_is_done(site: Site) -> None:
    async with site.uploads.arriving(KEY) as arriving:
        assert arriving is None
    upload_id = await site.begin("a")
    await site.append(upload_id, b"12345")
    await site.commit(upload_id)
    async with site.uploads.arriving(KEY) as arriving:
        assert arriving is None


async def test_a_plain_transfer_is_found_once_it_was_told_of(site: Site) -> None:
    async def lasting() -> AsyncIterator[bytes]:
        while not any(each.kind == "upload" for each in await site.library.changes.after(0)):
            yield b"x" * 4096
            await anyio.sleep(0.05)

    chunks = lasting()
    async with (
        site.library.receive(chunks, length=None, max_size=None, digests={}, key=KEY) as received,
        site.uploads.arriving(KEY) as arriving,
        anyio.create_task_group() as tasks,
    ):
        assert arriving is not None
        reading = Reading(arriving)
        tasks.start_soon(reading.run)
        await reading.until(b"x" * received.draft.size)
        await site.library.commit(received, KEY)
        with anyio.fail_after(20):
            await reading.ended.wait()
    assert reading.error is None
    assert reading.content == await site.content("a")


async def test_whoever_is_cancelled_leaves_nothing_open(tmp_path: Path, open_descriptors: None) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin("a")
        await site.append(upload_id, b"12345")

        async def read() -> None:
            async with site.uploads.arriving(KEY) as arriving:
                assert arriving is not None
                await arriving.head(10)

        number = 1
        while await cancelled_at(number, read()):
            number += 1
        assert number > 2
        await site.append(upload_id, b"!")


async def test_a_writer_is_not_kept_waiting_by_a_reader(site: Site) -> None:
    upload_id = await site.begin("a")
    async with site.uploads.arriving(KEY) as arriving:
        assert arriving is not None
        assert await site.append(upload_id, b"12345") == 5
        await site.commit(upload_id)
        assert await site.content("a") == b"12345"
