"""Uploads that outlive their requests, their processes, and what goes wrong in between."""

import hashlib
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from storage import (
    Key,
    NoSpace,
    NotFound,
    OffsetMismatch,
    PreconditionFailed,
    TooManyUploads,
    UploadIsComplete,
)
from tests.storage import other_process
from tests.storage.conftest import pieces
from tests.storage.sites import LIMITS, OWNER, Silent, Site, site_in, site_in_memory

SHA256 = hashlib.sha256(b"content").digest()


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of each keeper of bytes."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


def drafts_in(root: Path) -> list[str]:
    return sorted(each.name for each in (root / ".fileserver" / "drafts").iterdir())


async def test_an_upload_grows_with_each_append_and_becomes_the_file(site: Site) -> None:
    upload_id = await site.begin("folder/a", length=7)
    assert await site.offset(upload_id) == 0
    assert await site.append(upload_id, b"con", b"te") == 5
    assert await site.append(upload_id, b"nt") == 7
    complete = await site.commit(upload_id)
    assert (complete.length, complete.sha256, complete.is_new) == (7, SHA256, True)
    assert await site.content("folder/a") == b"content"
    entry = await site.library.stat(Key("folder/a"))
    assert entry is not None
    assert (entry.etag, entry.sha256) == (SHA256.hex(), SHA256)
    assert await site.store.drafts() == {}


async def test_an_upload_of_nothing_becomes_an_empty_file(site: Site) -> None:
    upload_id = await site.begin(length=0)
    async with site.resume(upload_id) as opened:
        assert opened.is_full
        await opened.commit()
    assert await site.content("a") == b""


async def test_the_offset_is_the_size_of_the_draft_also_after_a_restart(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        await site.append(upload_id, b"conte")
    assert (tmp_path / ".fileserver" / "drafts" / upload_id).read_bytes() == b"conte"
    async with site_in(tmp_path) as site:
        assert await site.offset(upload_id) == 5
        await site.append(upload_id, b"nt")
        assert (await site.commit(upload_id)).sha256 == SHA256


async def test_what_was_promised_is_kept_through_a_restart(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        created = await site.uploads.create(owner=OWNER, key=Key("a"), length=9, is_ending=False, terms="{}")
        without = await site.uploads.create(owner=OWNER, key=None, length=None, is_ending=True, terms="")
    async with site_in(tmp_path) as site:
        async with site.resume(created.upload_id) as opened:
            assert opened.upload == created
        async with site.resume(without.upload_id) as opened:
            assert opened.upload == without


@pytest.mark.parametrize("offset", [0, 4, 6])
async def test_an_append_anywhere_but_at_the_offset_is_refused(site: Site, offset: int) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"conte")
    async with site.resume(upload_id) as opened:
        with pytest.raises(OffsetMismatch) as refusal:
            await opened.append(offset, pieces(b"x"))
        assert (refusal.value.expected, refusal.value.given) == (5, offset)
    assert await site.kept(upload_id) == b"conte"


async def test_a_complete_upload_is_told_of_and_takes_no_more(site: Site) -> None:
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"content")
    complete = await site.commit(upload_id)
    async with site.resume(upload_id) as opened:
        assert opened.upload.is_complete
        assert opened.is_full
        assert opened.offset == 7
        assert await opened.commit() == replace(complete, touched_ms=opened.upload.touched_ms)
        with pytest.raises(UploadIsComplete):
            await opened.append(7, pieces(b"x"))


async def test_what_an_upload_replaced_is_not_new(site: Site) -> None:
    for is_new in (True, False):
        upload_id = await site.begin(length=7)
        await site.append(upload_id, b"content")
        assert (await site.commit(upload_id)).is_new is is_new
        async with site.resume(upload_id) as opened:
            assert opened.upload.is_new is is_new


async def test_a_condition_that_fails_leaves_the_upload_as_it_was(site: Site) -> None:
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"content")
    async with site.resume(upload_id) as opened:
        with pytest.raises(PreconditionFailed):
            await opened.commit(condition=lambda current: current is not None)
    assert await site.offset(upload_id) == 7
    await site.commit(upload_id)
    assert await site.content("a") == b"content"


async def test_another_owners_upload_is_not_found(site: Site) -> None:
    upload_id = await site.begin(owner="somebody else")
    with pytest.raises(NotFound):
        await site.offset(upload_id)
    with pytest.raises(NotFound):
        await site.uploads.cancel(upload_id, owner=OWNER)
    async with site.uploads.resume(upload_id, owner="somebody else") as opened:
        assert opened.offset == 0


async def test_an_upload_that_never_was_is_not_found(site: Site) -> None:
    for upload_id in ("", "unknown", "../catalogue.sqlite3", "\0"):
        with pytest.raises(NotFound):
            await site.offset(upload_id)


async def test_a_stranger_does_not_disturb_who_is_sending(site: Site) -> None:
    upload_id = await site.begin()
    body = Silent(b"abc")
    async with site.resume(upload_id) as opened, anyio.create_task_group() as tasks:
        tasks.start_soon(opened.append, 0, body)
        await body.began.wait()
        for _ in range(3):
            with pytest.raises(NotFound):
                async with site.uploads.resume(upload_id, owner="a stranger"):
                    pass
        with pytest.raises(NotFound):
            await site.uploads.cancel(upload_id, owner="a stranger")
        await anyio.wait_all_tasks_blocked()
        assert not tasks.cancel_scope.cancel_called
        tasks.cancel_scope.cancel()
    assert await site.offset(upload_id) == 3


async def test_a_cancelled_upload_is_gone_with_its_bytes(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"conte")
    await site.uploads.cancel(upload_id, owner=OWNER)
    with pytest.raises(NotFound):
        await site.offset(upload_id)
    assert await site.store.drafts() == {}


async def test_cancelling_a_complete_upload_leaves_its_file(site: Site) -> None:
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"content")
    await site.commit(upload_id)
    await site.uploads.cancel(upload_id, owner=OWNER)
    assert await site.content("a") == b"content"
    with pytest.raises(NotFound):
        await site.offset(upload_id)


async def test_each_owner_has_so_many_unfinished_uploads_and_no_more(tmp_path: Path) -> None:
    async with site_in(tmp_path, replace(LIMITS, max_uploads=2)) as site:
        first, second = await site.begin("a"), await site.begin("b")
        with pytest.raises(TooManyUploads) as refusal:
            await site.begin("c")
        assert refusal.value.max_uploads == 2
        assert drafts_in(tmp_path) == sorted([first, second])
        await site.begin("c", owner="somebody else")
        await site.commit(first)
        await site.begin("c")
        await site.uploads.cancel(second, owner=OWNER)
        await site.begin("d")


async def test_of_many_at_once_no_more_are_made_than_allowed(tmp_path: Path) -> None:
    refused: list[str] = []

    async def begin(site: Site) -> None:
        try:
            await site.begin()
        except TooManyUploads:
            refused.append("refused")

    limits = replace(LIMITS, max_uploads=3)
    async with site_in(tmp_path, limits) as one, site_in(tmp_path, limits) as other:
        async with anyio.create_task_group() as tasks:
            for site in (one, other) * 5:
                tasks.start_soon(begin, site)
        assert len(refused) == 7
        assert len(await one.promises.unfinished()) == len(drafts_in(tmp_path)) == 3


async def test_an_upload_that_cannot_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        with pytest.raises(NoSpace):
            await site.begin(length=1 << 60)
        assert await site.promises.unfinished() == {}
    assert drafts_in(tmp_path) == []


async def test_an_upload_that_became_something_else_is_complete_and_keeps_no_bytes(site: Site) -> None:
    upload_id = await site.begin(None, length=7)
    await site.append(upload_id, b"content")
    async with site.resume(upload_id) as opened:
        concluded = await opened.conclude()
        assert (concluded.length, concluded.sha256, opened.offset) == (7, SHA256, 7)
    async with site.resume(upload_id) as opened:
        assert opened.upload == concluded
    assert await site.store.drafts() == {}


async def test_an_upload_that_was_concluded_lives_from_then_on(site: Site) -> None:
    upload_id = await site.begin(None, length=7)
    await site.append(upload_id, b"content")
    await site.promises.amend(upload_id, touched_ms=1000)
    async with site.resume(upload_id) as opened:
        await opened.conclude()
    await site.uploads.sweep()
    async with site.resume(upload_id) as opened:
        assert opened.upload.is_complete


async def test_a_crash_before_a_new_upload_was_kept_leaves_nothing(tmp_path: Path) -> None:
    assert await other_process.run(tmp_path, "create") == -signal.SIGKILL
    assert len(drafts_in(tmp_path)) == 1
    async with site_in(tmp_path) as site:
        assert await site.promises.unfinished() == {}
        assert drafts_in(tmp_path) == []


async def full_upload_then_crash(root: Path, act: str, key: str | None = "a") -> str:
    async with site_in(root) as site:
        upload_id = await site.begin(key, length=7)
        await site.append(upload_id, b"content")
    assert await other_process.run(root, act, upload_id) == -signal.SIGKILL
    return upload_id


async def test_a_crash_between_rename_and_record_is_made_good_by_the_next_start(tmp_path: Path) -> None:
    upload_id = await full_upload_then_crash(tmp_path, "commit")
    async with site_in(tmp_path) as site:
        assert await site.catalogue.claims() == ()
        async with site.resume(upload_id) as opened:
            assert (opened.upload.sha256, opened.offset) == (SHA256, 7)
        entry = await site.library.stat(Key("a"))
        assert entry is not None
        assert entry.sha256 == SHA256


async def test_a_crash_between_rename_and_record_is_made_good_by_the_next_request(tmp_path: Path) -> None:
    async with site_in(tmp_path) as survivor:
        upload_id = await survivor.begin(length=7)
        await survivor.append(upload_id, b"content")
        assert await other_process.run(tmp_path, "commit", upload_id) == -signal.SIGKILL
        async with survivor.resume(upload_id) as opened:
            assert (opened.upload.sha256, opened.offset) == (SHA256, 7)
        assert await survivor.catalogue.claims() == ()
        assert await survivor.content("a") == b"content"


async def test_a_crash_that_replaced_a_file_is_not_told_as_new(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    upload_id = await full_upload_then_crash(tmp_path, "commit")
    async with site_in(tmp_path) as site, site.resume(upload_id) as opened:
        assert opened.upload.is_complete
        assert not opened.upload.is_new


async def test_a_crash_after_an_upload_became_something_else_leaves_no_bytes(tmp_path: Path) -> None:
    upload_id = await full_upload_then_crash(tmp_path, "conclude", key=None)
    assert drafts_in(tmp_path) == [upload_id]
    async with site_in(tmp_path) as site:
        assert drafts_in(tmp_path) == []
        async with site.resume(upload_id) as opened:
            assert opened.upload.is_complete


async def test_a_crash_in_the_middle_of_cancelling_cancels(tmp_path: Path) -> None:
    upload_id = await full_upload_then_crash(tmp_path, "cancel")
    assert drafts_in(tmp_path) == [upload_id]
    async with site_in(tmp_path) as site:
        with pytest.raises(NotFound):
            await site.offset(upload_id)
        assert drafts_in(tmp_path) == []


async def test_a_crash_in_the_middle_of_a_body_keeps_what_came(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        await site.append(upload_id, b"abc")
        assert await other_process.run(tmp_path, "append", upload_id) == -signal.SIGKILL
        offset = await site.offset(upload_id)
        assert offset >= 3 << 20  # whole blocks
        digest = hashlib.sha256(b"abc" + b"x" * (offset - 3)).digest()
        assert (await site.commit(upload_id)).sha256 == digest


async def test_an_upload_whose_draft_was_lost_is_not_found(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        (tmp_path / ".fileserver" / "drafts" / upload_id).unlink()
        for _ in range(2):
            with pytest.raises(NotFound):
                await site.offset(upload_id)
        assert await site.promises.unfinished() == {}
