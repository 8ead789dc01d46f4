"""Who is at work on an upload: the newest request ends the one before it, at once and only where that does no harm."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from storage import Key, NotFound, OpenUpload, UploadTakenOver
from storage.catalogue import Claim
from storage.holds import Hold, Holds
from tests.storage.conftest import pieces
from tests.storage.sites import OWNER, Silent, Site, site_in, site_in_memory
from tests.support.files import MIB, known_bytes


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of each keeper of bytes."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


async def append_taken_over(opened: OpenUpload, body: Silent) -> None:
    """An append that ends because a newer request came."""
    with pytest.raises(UploadTakenOver):
        await opened.append(opened.offset, body)


async def test_a_newer_request_ends_the_one_that_waits_for_bytes_and_goes_on_from_its_offset(site: Site) -> None:
    upload_id = await site.begin()
    body = Silent(b"older")

    async def older() -> None:
        async with site.resume(upload_id) as opened:
            await append_taken_over(opened, body)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(older)
        await body.began.wait()
        async with site.resume(upload_id) as opened:
            assert opened.offset == 5
            await opened.append(5, pieces(b"newer"))
    assert await site.kept(upload_id) == b"oldernewer"


async def test_cancelling_ends_who_is_sending(site: Site) -> None:
    upload_id = await site.begin()
    body = Silent(b"older")

    async def older() -> None:
        async with site.resume(upload_id) as opened:
            await append_taken_over(opened, body)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(older)
        await body.began.wait()
        await site.uploads.cancel(upload_id, owner=OWNER)
    with pytest.raises(NotFound):
        await site.offset(upload_id)
    assert await site.store.drafts() == {}


async def test_a_piece_that_was_to_be_checked_is_cut_off_when_it_is_taken_over(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    body = Silent(b"m" * MIB)

    async def older() -> None:
        async with site.resume(upload_id) as opened:
            with pytest.raises(UploadTakenOver):
                await opened.append(5, body, digests={"sha1": bytes(20)})

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(older)
        await body.began.wait()
        assert await site.kept(upload_id) == b"begun"


async def test_of_many_requests_the_newest_goes_on_and_bytes_never_mix(tmp_path: Path) -> None:
    """Each sends the rest of the same file from where the upload is then, in pieces, and is taken over by the next."""
    content = known_bytes(3 * MIB)
    ended: list[str] = []

    async def send(site: Site, upload_id: str) -> None:
        async def rest(offset: int) -> AsyncIterator[bytes]:
            for start in range(offset, len(content), 65_521):
                await anyio.lowlevel.checkpoint()
                yield content[start : start + 65_521]

        try:
            async with site.resume(upload_id) as opened:
                await opened.append(opened.offset, rest(opened.offset))
                ended.append("whole")
        except UploadTakenOver:
            ended.append("taken over")

    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(send, site, upload_id)
                for _ in range(7):
                    await anyio.lowlevel.checkpoint()
        assert ended.count("taken over") + ended.count("whole") == 20
        assert ended[-1] == "whole"
        assert (await site.commit(upload_id)).sha256 == hashlib.sha256(content).digest()


async def test_a_request_that_commits_is_waited_for(site: Site) -> None:
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"content")
    claim, seen = Claim(Key("a"), "somebody else's"), []
    assert await site.catalogue.claim(claim)

    async def look() -> None:
        async with site.resume(upload_id) as opened:
            seen.append(opened.upload.is_complete)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(site.commit, upload_id)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(look)
        await anyio.wait_all_tasks_blocked()
        assert seen == []
        await site.catalogue.release(claim, None)
    assert seen == [True]
    assert await site.content("a") == b"content"


async def test_a_request_that_no_longer_waits_for_its_turn_holds_nobody_up(site: Site) -> None:
    upload_id = await site.begin(length=7)
    await site.append(upload_id, b"content")
    async with site.resume(upload_id), anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(site.offset, upload_id)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(5):
        assert await site.offset(upload_id) == 7


async def test_a_hold_that_was_given_up_before_it_received_receives_nothing() -> None:
    hold = Hold()
    hold.give_up()
    with pytest.raises(UploadTakenOver), hold.receiving():
        raise AssertionError("no byte may come")


async def test_a_hold_given_up_after_it_received_ends_nothing_else() -> None:
    hold = Hold()
    with hold.receiving():
        pass
    hold.give_up()
    await anyio.lowlevel.checkpoint()


async def test_what_goes_wrong_while_receiving_is_told_as_it_is() -> None:
    hold = Hold()
    with pytest.raises(ConnectionResetError), hold.receiving():
        raise ConnectionResetError
    hold.give_up()
    await anyio.lowlevel.checkpoint()


async def test_a_cancellation_from_outside_is_no_takeover() -> None:
    hold, ended = Hold(), []
    with anyio.CancelScope() as scope:
        try:
            with hold.receiving():
                scope.cancel()
                await anyio.sleep_forever()
        except UploadTakenOver:
            ended.append("taken over")
    assert ended == []
    assert scope.cancelled_caught


async def test_holds_of_different_uploads_do_not_meet_and_none_is_left() -> None:
    holds = Holds()
    async with holds.taken("a"), holds.taken("b"):
        assert holds.has("a")
        assert holds.has("b")
    assert not holds.has("a")
    assert not holds


async def test_a_hold_whose_block_fails_is_free_for_the_next() -> None:
    holds = Holds()
    with pytest.raises(ConnectionResetError):
        async with holds.taken("a"):
            raise ConnectionResetError
    async with holds.taken("a") as hold:
        with hold.receiving():
            pass


@pytest.mark.parametrize(
    ("has_draft", "age_ns", "is_ended"), [(True, 1, True), (True, 0, False), (True, -1, False), (False, 1, False)]
)
async def test_a_hold_is_ended_by_a_want_that_is_newer_once_it_has_the_draft(
    has_draft: bool, age_ns: int, is_ended: bool
) -> None:
    holds = Holds()
    async with holds.taken("a") as hold:
        hold.has_draft = has_draft
        holds.give_up({"a": hold.since_ns + age_ns, "unknown": 0})
        with pytest.raises(UploadTakenOver) if is_ended else nullcontext(), hold.receiving():
            pass
