"""Processes that take an upload over from one another, as clients come back: to any of them, at any time."""

import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from storage import Catalogue, LocalStore, NotFound, Upload, UploadTakenOver
from storage.local_draft import LocalDraft
from storage.store import Version
from tests.storage import other_process
from tests.storage.sites import OWNER, Silent, Site, catalogue_path, site_in, site_of
from tests.support.files import MIB

WATCH_S = 0.5  # between two looks of a server


@asynccontextmanager
async def watching(root: Path) -> AsyncIterator[Site]:
    """A server that gives up what others want."""
    async with site_in(root) as site, anyio.create_task_group() as tasks:
        tasks.start_soon(site.uploads.watch)
        yield site
        tasks.cancel_scope.cancel()


async def older(site: Site, upload_id: str, body: Silent) -> None:
    """A request that is ended because another came."""
    with pytest.raises(UploadTakenOver):
        async with site.resume(upload_id) as opened:
            await opened.append(opened.offset, body)


async def test_a_request_in_another_process_ends_the_older_one_and_goes_on(tmp_path: Path) -> None:
    async with watching(tmp_path) as one, watching(tmp_path) as other:
        upload_id = await one.begin()
        for number, (holder, comer) in enumerate([(one, other), (other, one)] * 2, start=1):
            body = Silent(b"older")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(older, holder, upload_id, body)
                await body.began.wait()
                assert await comer.append(upload_id, b"newer") == number * 10
        assert await one.kept(upload_id) == b"oldernewer" * 4


async def test_a_request_that_waited_for_another_process_is_not_ended_by_its_own_want(tmp_path: Path) -> None:
    """Its process sees the want as every other does, as long as anybody may have to heed it."""
    async with watching(tmp_path) as one, watching(tmp_path) as other:
        upload_id = await one.begin()
        first, second = Silent(b"older"), Silent(b"newer")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(older, one, upload_id, first)
            await first.began.wait()
            async with other.resume(upload_id) as opened, anyio.create_task_group() as sending:
                sending.start_soon(opened.append, opened.offset, second)
                await second.began.wait()
                await anyio.sleep(2 * WATCH_S)
                assert not sending.cancel_scope.cancel_called
                sending.cancel_scope.cancel()
        assert await other.kept(upload_id) == b"oldernewer"


async def test_a_request_newer_than_a_want_is_not_ended_by_it(tmp_path: Path) -> None:
    async with watching(tmp_path) as site:
        upload_id = await site.begin()
        body = Silent(b"x")
        await site.promises.want(upload_id, since_ns=time.time_ns() - 1_000_000)
        async with site.resume(upload_id) as opened, anyio.create_task_group() as tasks:
            tasks.start_soon(opened.append, 0, body)
            await body.began.wait()
            await anyio.sleep(2 * WATCH_S)
            tasks.cancel_scope.cancel()


async def test_a_stranger_at_another_process_does_not_disturb_who_is_sending(tmp_path: Path) -> None:
    async with watching(tmp_path) as one, watching(tmp_path) as other:
        upload_id = await one.begin()
        body = Silent(b"x")
        async with one.resume(upload_id) as opened, anyio.create_task_group() as tasks:
            tasks.start_soon(opened.append, 0, body)
            await body.began.wait()
            with pytest.raises(NotFound):
                async with other.uploads.resume(upload_id, owner="a stranger"):
                    pass
            with pytest.raises(NotFound):
                await other.uploads.cancel(upload_id, owner="a stranger")
            assert await one.promises.wanted(within_ns=10_000_000_000) == {}
            tasks.cancel_scope.cancel()


async def test_cancelling_at_another_process_ends_who_is_sending(tmp_path: Path) -> None:
    async with watching(tmp_path) as one, watching(tmp_path) as other:
        upload_id = await one.begin()
        body = Silent(b"x")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(older, one, upload_id, body)
            await body.began.wait()
            await other.uploads.cancel(upload_id, owner=OWNER)
        for site in (one, other):
            with pytest.raises(NotFound):
                await site.offset(upload_id)
        assert await one.store.drafts() == {}


async def test_bytes_of_two_processes_never_mix(tmp_path: Path) -> None:
    """Each sends a run of its own letters; where one is taken over, the other goes on behind it."""
    runs: list[tuple[int, int, bytes]] = []

    async def send(site: Site, upload_id: str, letter: bytes) -> None:
        async with site.resume(upload_id) as opened:
            start = opened.offset
            try:
                await opened.append(start, Silent(letter * MIB, letter * 100))
            except UploadTakenOver:
                runs.append((start, opened.offset, letter))

    async with watching(tmp_path) as one, watching(tmp_path) as other:
        upload_id = await one.begin()
        async with anyio.create_task_group() as tasks:
            for number, letter in enumerate((b"a", b"b", b"c", b"d")):
                tasks.start_soon(send, (one, other)[number % 2], upload_id, letter)
                with anyio.fail_after(30):
                    while not _has_begun(tmp_path, upload_id, number + 1):
                        await anyio.sleep(0.01)
            await one.append(upload_id, b"e")
        kept = await other.kept(upload_id)
    assert [letter for _, _, letter in runs] == [b"a", b"b", b"c", b"d"]
    assert kept == b"".join(letter * (stop - start) for start, stop, letter in runs) + b"e"
    assert all(stop - start == MIB + 100 for start, stop, _ in runs)


def _has_begun(root: Path, upload_id: str, runs: int) -> bool:
    return (root / ".fileserver" / "drafts" / upload_id).stat().st_size >= runs * MIB


async def test_a_server_takes_over_from_a_process_of_its_own_kind(tmp_path: Path) -> None:
    async with watching(tmp_path) as site:
        upload_id = await site.begin()
        async with other_process.running(tmp_path, "send", upload_id) as lines:
            assert await anext(lines) == "silent"
            assert await site.append(upload_id, b"new") == 2 * MIB + 3
            assert await anext(lines) == "UploadTakenOver"
        assert (await site.commit(upload_id)).sha256 == hashlib.sha256(b"x" * 2 * MIB + b"new").digest()


async def test_another_process_takes_over_from_a_server(tmp_path: Path) -> None:
    async with watching(tmp_path) as site:
        upload_id = await site.begin()
        body = Silent(b"older")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(older, site, upload_id, body)
            await body.began.wait()
            async with other_process.running(tmp_path, "add", upload_id) as lines:
                assert await anext(lines) == "8"
        assert await site.kept(upload_id) == b"oldernew"


async def test_a_process_that_is_killed_leaves_its_upload_free_at_once(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        async with other_process.running(tmp_path, "send", upload_id) as lines:
            assert await anext(lines) == "silent"
        assert await site.append(upload_id, b"new") == 2 * MIB + 3


class Late(LocalStore):
    """A directory whose next draft is opened only after something else has happened."""

    before: Callable[[], Awaitable[None]] | None = None

    async def open_draft(self, draft_id: str, **options: Version | None) -> LocalDraft:
        before, self.before = self.before, None
        if before is not None:
            await before()
        return await super().open_draft(draft_id, **options)


async def test_what_another_process_has_just_acknowledged_is_not_cut_off(tmp_path: Path) -> None:
    """It ends a checked append between our look at the catalogue and our opening of the draft."""
    store = Late(tmp_path)
    may_end, has_ended = anyio.Event(), anyio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"more"
        await may_end.wait()

    async def append(site: Site, upload_id: str) -> None:
        async with site.resume(upload_id) as opened:
            await opened.append(5, body(), digests={"sha1": hashlib.sha1(b"more").digest()})
        has_ended.set()

    async def end() -> None:
        may_end.set()
        await has_ended.wait()

    async with site_in(tmp_path) as one, site_of(store, Catalogue(catalogue_path(tmp_path))) as other:
        upload_id = await one.begin()
        await one.append(upload_id, b"begun")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(append, one, upload_id)
            while (await one.promises.get(upload_id) or unknown()).unverified_from is None:
                await anyio.sleep(0)
            store.before = end
            assert await other.kept(upload_id) == b"begunmore"


def unknown() -> Upload:
    raise AssertionError("the upload is unknown")
