"""A medium that does not keep what it took: the draft is thrown away, and nothing more is written until a new start."""

import errno
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage import (
    ROOT,
    Catalogue,
    Key,
    LocalStore,
    NotFound,
    NotKept,
    StoreDegraded,
    StoreUnavailable,
)
from storage.medium import Medium
from tests.storage.conftest import content_of, pieces
from tests.storage.sites import OWNER, Site, catalogue_path, site_in, site_of


class Failing(Medium):
    """A medium of which one fsync fails, as on a real one: by an error of the kernel's.

    A pipe cannot be synced: EINVAL.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fails_in: int | None = None  # syncs from now
        self._pipe = os.pipe()

    def sync(self, descriptor: int) -> None:
        if self.fails_in is not None:
            self.fails_in -= 1
        super().sync(self._pipe[0] if self.fails_in == 0 else descriptor)

    def close(self) -> None:
        for descriptor in self._pipe:
            os.close(descriptor)


@pytest.fixture
def medium() -> Iterator[Failing]:
    failing = Failing()
    yield failing
    failing.close()


class OnMedium(LocalStore):
    """A directory on a given medium."""

    def __init__(self, root: Path, medium: Medium) -> None:
        super().__init__(root)
        self._medium = medium


@asynccontextmanager
async def site_on(root: Path, medium: Medium) -> AsyncIterator[Site]:
    async with site_of(OnMedium(root, medium), Catalogue(catalogue_path(root))) as site:
        yield site


@pytest.fixture
async def site(tmp_path: Path, medium: Failing) -> AsyncIterator[Site]:
    async with site_on(tmp_path, medium) as opened:
        yield opened


def test_a_sound_medium_stays_sound(tmp_path: Path) -> None:
    medium = Medium()
    with (tmp_path / "a").open("wb") as file:
        medium.sync(file.fileno())
    medium.require_sound()


def test_a_sync_that_failed_once_is_never_made_good(tmp_path: Path) -> None:
    medium = Medium()
    reading, writing = os.pipe()
    with pytest.raises(NotKept) as failure:
        medium.sync(reading)
    assert not failure.value.is_full
    with (tmp_path / "a").open("wb") as file:
        medium.sync(file.fileno())
    with pytest.raises(StoreDegraded):
        medium.require_sound()
    os.close(reading)
    os.close(writing)


async def degrade(site: Site, medium: Failing) -> None:
    """Have the store's medium fail at a draft of nobody's."""
    draft = await site.store.draft("unlucky")
    medium.fails_in = 1
    with pytest.raises(NotKept):
        await draft.append(0, pieces(b"x"))
    await draft.discard()


async def test_an_upload_whose_bytes_were_not_kept_is_gone(site: Site, medium: Failing, tmp_path: Path) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    async with site.resume(upload_id) as opened:
        medium.fails_in = 1
        with pytest.raises(NotKept):
            await opened.append(5, pieces(b"more"))
    assert await site.promises.get(upload_id) is None
    assert os.listdir(tmp_path / ".fileserver" / "drafts") == []


async def test_an_upload_that_lost_nothing_outlives_the_failure_of_another(
    site: Site, medium: Failing, tmp_path: Path
) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    async with site.resume(upload_id) as opened:
        await degrade(site, medium)
        with pytest.raises(StoreDegraded):
            await opened.append(5, pieces(b"more"))
    async with site_in(tmp_path) as restarted:
        assert await restarted.kept(upload_id) == b"begun"


async def test_a_degraded_store_refuses_each_kind_of_write_and_reads_go_on(site: Site, medium: Failing) -> None:
    await site.append(unfinished := await site.begin("b"), b"begun")
    await site.append(upload_id := await site.begin("a", length=7), b"content")
    await site.commit(upload_id)
    async with site.resume(unfinished) as opened:
        await degrade(site, medium)
        with pytest.raises(StoreDegraded):
            await opened.commit()
    for refused in (
        site.begin("c"),
        site.append(unfinished, b"more"),
        site.uploads.cancel(unfinished, owner=OWNER),
        site.store.draft("d"),
        site.library.delete(Key("a")),
        site.library.check(),
    ):
        with pytest.raises(StoreDegraded):
            await refused
    reader = await site.store.open(Key("a"))
    assert await content_of(reader) == b"content"
    await reader.close()
    assert len(await site.library.list(ROOT, is_recursive=False, after="", limit=9)) == 1
    async with site.resume(upload_id) as complete:
        assert complete.upload.is_complete


async def test_a_new_start_writes_again(site: Site, medium: Failing, tmp_path: Path) -> None:
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"cont")
    await degrade(site, medium)
    async with site_in(tmp_path) as restarted:
        await restarted.library.check()
        await restarted.append(upload_id, b"ent")
        await restarted.commit(upload_id)
        assert await restarted.content("a") == b"content"


@pytest.mark.usefixtures("open_descriptors")
@pytest.mark.parametrize("nth", range(1, 9))
async def test_whichever_sync_fails_an_upload_is_resumable_or_gone_or_there_whole(tmp_path: Path, nth: int) -> None:
    medium, upload_id, acknowledged, is_committed = Failing(), "", 0, False
    async with site_on(tmp_path, medium) as site:
        medium.fails_in = nth
        try:
            upload_id = await site.begin("new/folder/a", length=7)
            acknowledged = await site.append(upload_id, b"cont")
            async with site.resume(upload_id) as opened:
                await opened.append(4, pieces(b"ent"))
                await opened.commit()
            is_committed = True
        except (NotKept, StoreUnavailable):
            with pytest.raises(StoreDegraded):
                await site.begin()
    medium.close()
    async with site_in(tmp_path) as restarted:
        is_there = (tmp_path / "new" / "folder" / "a").exists()
        assert is_there or not is_committed
        if is_there:
            assert await restarted.content("new/folder/a") == b"content"
            assert await restarted.offset(upload_id) == 7
        elif upload_id:
            try:
                assert await restarted.offset(upload_id) in {acknowledged, 7}
            except NotFound:
                assert os.listdir(tmp_path / ".fileserver" / "drafts") == []


@pytest.mark.usefixtures("open_descriptors")
async def test_a_medium_that_fails_at_the_start_leaves_nothing_open(tmp_path: Path) -> None:
    medium = Failing()
    medium.fails_in = 1
    with pytest.raises(StoreUnavailable):
        await OnMedium(tmp_path, medium).start()
    medium.close()


async def test_a_full_medium_is_no_degraded_one(site: Site) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    upload_id = await site.begin()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(Exception, match=os.strerror(errno.EFBIG)):
            await site.append(upload_id, b"x" * (2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert await site.append(upload_id, b"y") == (1 << 20) + 1
    assert await site.kept(upload_id) == b"x" * (1 << 20) + b"y"
