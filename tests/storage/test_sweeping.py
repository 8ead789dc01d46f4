"""What is thrown away in the end, and what never is."""

import os
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from storage import NotFound, UploadExpired
from tests.storage.conftest import pieces
from tests.storage.sites import LIMITS, OWNER, Silent, Site, site_in, site_in_memory

HOUR_S = 3600.0


def age(root: Path, upload_id: str, seconds: float) -> None:
    """Have a draft be as if its last byte had come so long ago."""
    path = root / ".fileserver" / "drafts" / upload_id
    then_s = path.stat().st_mtime - seconds
    os.utime(path, (then_s, then_s))


async def old_upload(site: Site, root: Path, seconds: float = 2 * HOUR_S) -> str:
    """The id of an upload that was left alone for so long."""
    upload_id = await site.begin()
    await site.append(upload_id, b"content")
    await site.promises.amend(upload_id, touched_ms=1)
    age(root, upload_id, seconds)
    return upload_id


def drafts_in(root: Path) -> set[str]:
    return set(os.listdir(root / ".fileserver" / "drafts"))


async def test_an_upload_left_alone_for_too_long_has_expired_and_is_swept_away(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await old_upload(site, tmp_path)
        with pytest.raises(UploadExpired):
            await site.offset(upload_id)
        await site.uploads.sweep()
        with pytest.raises(NotFound):
            await site.offset(upload_id)
        assert drafts_in(tmp_path) == set()


async def test_an_upload_lives_as_long_as_bytes_come(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await old_upload(site, tmp_path, HOUR_S / 2)
        await site.uploads.sweep()
        assert await site.append(upload_id, b"!") == 8
        age(tmp_path, upload_id, HOUR_S / 2)
        await site.uploads.sweep()
        assert await site.kept(upload_id) == b"content!"


async def test_an_upload_that_has_just_begun_is_not_as_old_as_its_draft_may_look(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        age(tmp_path, upload_id, 2 * HOUR_S)
        await site.uploads.sweep()
        assert await site.offset(upload_id) == 0


@pytest.mark.parametrize("is_in_another_process", [False, True])
async def test_an_upload_that_is_held_does_not_end_however_slowly_its_bytes_come(
    tmp_path: Path, is_in_another_process: bool
) -> None:
    async with site_in(tmp_path) as site, site_in(tmp_path) as other:
        upload_id = await site.begin()
        body = Silent(b"begun")
        async with site.resume(upload_id) as opened, anyio.create_task_group() as tasks:
            tasks.start_soon(opened.append, 0, body)
            await body.began.wait()
            await site.promises.amend(upload_id, touched_ms=1)
            age(tmp_path, upload_id, 2 * HOUR_S)
            await (other if is_in_another_process else site).uploads.sweep()
            tasks.cancel_scope.cancel()
        assert await site.kept(upload_id) == b"begun"


async def test_a_stray_draft_goes_unless_somebody_has_it(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site, site_in(tmp_path) as other:
        upload_id = await site.begin()
        await (await site.store.draft("stray")).close()
        held = await site.store.draft("held")
        for sweeping in (other, site):
            await sweeping.uploads.sweep()
            assert drafts_in(tmp_path) == {upload_id, "held"}
        await held.close()
        await other.uploads.sweep()
        assert drafts_in(tmp_path) == {upload_id}


async def test_a_sweep_goes_by_its_own_drafts_and_follows_no_links(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    async with site_in(tmp_path) as site:
        (tmp_path / ".fileserver" / "drafts" / "link").symlink_to(tmp_path / "file")
        (tmp_path / ".fileserver" / "drafts" / "folder").mkdir()
        await (await site.store.draft("stray")).close()
        await site.uploads.sweep()
        assert "stray" not in drafts_in(tmp_path)
        assert (tmp_path / "file").read_bytes() == b"mine"


async def test_a_complete_upload_is_told_of_for_its_time(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin(length=7)
        await site.append(upload_id, b"content")
        await site.commit(upload_id)
        await site.uploads.sweep()
        async with site.resume(upload_id) as opened:
            assert opened.offset == 7
            expires_at_s = opened.expires_at_s
        await site.promises.amend(upload_id, touched_ms=int(expires_at_s * 1000) - 7_300_000)
        await site.uploads.sweep()
        with pytest.raises(NotFound):
            await site.offset(upload_id)
        assert await site.content("a") == b"content"


async def test_a_complete_upload_is_told_of_for_a_day_at_most_and_says_so(tmp_path: Path) -> None:
    day_s = 86_400
    async with site_in(tmp_path, replace(LIMITS, lifetime_s=7 * day_s)) as site:
        upload_id = await site.begin(length=0)
        complete = await site.commit(upload_id)
        async with site.resume(upload_id) as opened:
            assert opened.expires_at_s == opened.upload.touched_ms / 1000 + day_s
        await site.promises.amend(upload_id, touched_ms=complete.touched_ms - day_s * 1000 - 60_000)
        with pytest.raises(UploadExpired):
            await site.offset(upload_id)
        await site.uploads.sweep()
        with pytest.raises(NotFound):
            await site.offset(upload_id)


async def test_sweeping_while_uploads_are_made_and_files_stored_ends_none_of_them(tmp_path: Path) -> None:
    stored = 0

    async def store(site: Site) -> None:
        nonlocal stored
        for number in range(15):
            upload_id = await site.begin(f"{number}", length=7)
            await site.append(upload_id, b"content")
            assert (await site.commit(upload_id)).is_complete
            async with site.library.receive(pieces(b"x"), length=1, max_size=None, digests={}):
                stored += 1

    async def sweep(site: Site) -> None:
        while stored < 30:
            await site.uploads.sweep()

    async with site_in(tmp_path) as one, site_in(tmp_path) as other:
        async with anyio.create_task_group() as tasks:
            for site in (one, other):
                tasks.start_soon(store, site)
                tasks.start_soon(sweep, site)
        assert stored == 30
        assert drafts_in(tmp_path) == set()


async def test_drafts_that_vanish_under_a_look_are_passed_over(tmp_path: Path) -> None:
    is_over = False

    async def come_and_go(site: Site) -> None:
        while not is_over:
            drafts = [await site.store.draft(f"{number}") for number in range(20)]
            for draft in drafts:
                await draft.discard()

    async with site_in(tmp_path) as site, anyio.create_task_group() as tasks:
        tasks.start_soon(come_and_go, site)
        for _ in range(200):
            await site.store.drafts()
        is_over = True


async def test_a_sweep_of_memory_throws_away_what_is_left_alone() -> None:
    async with site_in_memory() as site:
        upload_id, stray = await site.begin(), await site.store.draft("stray")
        await stray.close()
        await site.uploads.sweep()
        assert set(await site.store.drafts()) == {upload_id}
        await site.uploads.cancel(upload_id, owner=OWNER)
        assert await site.store.drafts() == {}
