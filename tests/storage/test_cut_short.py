"""Each await cancelled once, each look at the catalogue failed once: nothing stays locked or open, no byte is lost."""

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

import anyio
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import Catalogue, LocalStore, NotFound, StoreUnavailable, TooLarge, UploadExpired
from tests.storage.conftest import pieces
from tests.storage.sites import OWNER, Site, cancelled_at, catalogue_path, site_in, site_of
from tests.support.files import MIB
from tests.support.process import process_stats

CONTENT = b"content"
FREE_S = 15  # by then whatever is free has been had, also from a process that is taken for dead
DIGESTS = {"sha256": hashlib.sha256(b"ent").digest()}
Ending = Callable[[Site, str], Awaitable[None]]


class Unreliable(Catalogue):
    """A catalogue that once does not answer, before or after it has done what was asked."""

    def __init__(self, path: Path, moment: Literal["before", "after"]) -> None:
        super().__init__(path)
        self.fails_in: int | None = None  # transactions from now
        self._moment = moment

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._failing(super().reading())

    def keeping(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._failing(super().keeping())

    def changing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._failing(super().changing())

    @asynccontextmanager
    async def _failing(
        self, transaction: AbstractAsyncContextManager[AsyncConnection]
    ) -> AsyncIterator[AsyncConnection]:
        is_failing = False
        if self.fails_in is not None:
            self.fails_in -= 1
            is_failing = self.fails_in == 0
        if is_failing and self._moment == "before":
            raise StoreUnavailable
        async with transaction as connection:
            yield connection
        if is_failing:
            raise StoreUnavailable


async def journey(site: Site) -> None:
    """An upload in three pieces, one of them checked."""
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"co")
    async with site.resume(upload_id) as opened:
        await opened.append(2, pieces(b"n", b"t"))
        await opened.append(4, pieces(b"ent"), digests=DIGESTS)
        await opened.commit()


async def end(site: Site, root: Path) -> None:
    """Bring whatever uploads there are to their end, as their clients would; look that nothing is left then."""
    for upload_id in await site.promises.unfinished():
        with suppress(NotFound), anyio.fail_after(FREE_S):
            async with site.resume(upload_id) as opened:
                if not opened.upload.is_complete:
                    await opened.append(opened.offset, pieces(CONTENT[opened.offset :]))
                assert (await opened.commit()).sha256 == hashlib.sha256(CONTENT).digest()
    await site.uploads.sweep()
    assert os.listdir(root / ".fileserver" / "drafts") == []
    if (root / "a").exists():
        assert await site.content("a") == CONTENT
    with anyio.fail_after(FREE_S):
        await journey(site)
    assert await site.content("a") == CONTENT


def drafts_open(root: Path) -> list[str]:
    """The files below a root that this process has open."""
    return process_stats(os.getpid()).files_below(root)


async def test_an_upload_cancelled_at_any_moment_goes_on_from_there(tmp_path: Path) -> None:
    number, was_cancelled = 0, True
    async with site_in(tmp_path) as site:
        while was_cancelled:
            number += 1
            was_cancelled = await cancelled_at(number, journey(site))
            assert len(await site.promises.unfinished()) <= 1
            await end(site, tmp_path)
    assert drafts_open(tmp_path) == []
    assert number > 20


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_upload_whose_catalogue_once_does_not_answer_goes_on_from_there(
    tmp_path: Path, moment: Literal["before", "after"]
) -> None:
    number, has_failed = 0, True
    catalogue = Unreliable(catalogue_path(tmp_path), moment)
    async with site_of(LocalStore(tmp_path), catalogue) as site:
        while has_failed:
            number += 1
            catalogue.fails_in = number
            try:
                await journey(site)
                has_failed = False
            except StoreUnavailable:
                pass
            catalogue.fails_in = None
            await end(site, tmp_path)
    assert drafts_open(tmp_path) == []
    assert number > 5


async def cancel(site: Site, upload_id: str) -> None:
    await site.uploads.cancel(upload_id, owner=OWNER)


async def conclude(site: Site, upload_id: str) -> None:
    async with site.resume(upload_id) as opened:
        await opened.conclude()


async def sweep(site: Site, upload_id: str) -> None:
    """With a stray, a complete upload, one that has expired, and one that has not."""
    await (await site.store.draft("stray")).close()
    await site.promises.amend(upload_id, touched_ms=1)
    assert site.catalogue._path is not None
    os.utime(site.catalogue._path.parent / "drafts" / upload_id, (1, 1))
    await site.uploads.sweep()


@pytest.mark.parametrize("ending", [cancel, conclude, sweep])
async def test_what_ends_an_upload_can_be_cancelled_at_any_moment_and_done_again(
    tmp_path: Path, ending: Ending
) -> None:
    number, was_cancelled = 0, True
    async with site_in(tmp_path) as site:
        while was_cancelled:
            number += 1
            upload_id = await site.part(CONTENT)
            was_cancelled = await cancelled_at(number, ending(site, upload_id))
            with suppress(NotFound, UploadExpired), anyio.fail_after(FREE_S):
                await cancel(site, upload_id)
            with anyio.fail_after(FREE_S):  # a thread of what was cancelled may have a draft for a moment yet
                while os.listdir(tmp_path / ".fileserver" / "drafts"):
                    await site.uploads.sweep()
    assert drafts_open(tmp_path) == []


async def test_a_sweep_whose_catalogue_once_does_not_answer_locks_nothing(tmp_path: Path) -> None:
    number, has_failed = 0, True
    catalogue = Unreliable(catalogue_path(tmp_path), "before")
    async with site_of(LocalStore(tmp_path), catalogue) as site:
        upload_id = await site.begin()
        while has_failed:
            number += 1
            await (await site.store.draft("stray")).close()
            catalogue.fails_in = number
            try:
                await site.uploads.sweep()
                has_failed = False
            except StoreUnavailable:
                pass
            catalogue.fails_in = None
            with anyio.fail_after(FREE_S):
                assert await site.offset(upload_id) == 0
                await site.uploads.sweep()
            assert os.listdir(tmp_path / ".fileserver" / "drafts") == [upload_id]
    assert drafts_open(tmp_path) == []


async def test_a_takeover_cancelled_at_any_moment_leaves_the_upload_to_its_holder(tmp_path: Path) -> None:
    async with site_in(tmp_path) as holder, site_in(tmp_path) as comer:
        upload_id = await holder.begin()
        for number in range(1, 12):
            async with holder.resume(upload_id) as opened:
                assert await cancelled_at(number, comer.offset(upload_id))
                await opened.append(opened.offset, pieces(b"x"))
            with anyio.fail_after(FREE_S):
                assert await comer.offset(upload_id) == number
    assert drafts_open(tmp_path) == []


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_cut_that_the_catalogue_did_not_record_costs_nothing_that_was_acknowledged(
    tmp_path: Path, nth: int
) -> None:
    """As when the process is killed between the cut and its record."""
    catalogue = Unreliable(catalogue_path(tmp_path), "before")

    async def too_long() -> AsyncIterator[bytes]:
        for _ in range(66):  # more than one stretch
            yield b"m" * MIB
        catalogue.fails_in = nth
        yield b"too much"

    async with site_of(LocalStore(tmp_path), catalogue) as site:
        upload_id = await site.begin(length=5 + 66 * MIB)
        await site.append(upload_id, b"begun")
        async with site.resume(upload_id) as opened:
            with pytest.raises((StoreUnavailable, TooLarge)):
                await opened.append(5, too_long())
        assert await site.kept(upload_id) in {b"begun", b"begun" + b"m" * 66 * MIB}
