"""Uploads made of the bytes of others."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from storage import LengthMismatch, NotFound, PromiseExceeded, UploadIsComplete, UploadTakenOver
from tests.storage.conftest import pieces
from tests.storage.sites import OWNER, Silent, Site, cancelled_at, site_in, site_in_memory
from tests.support.files import MIB


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of each keeper of bytes."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


async def concatenated(site: Site, parts: list[str], key: str = "a") -> str:
    """The id of an upload that was filled with these."""
    whole_id = await site.begin(key)
    async with site.resume(whole_id) as whole:
        await site.uploads.concatenate(whole, parts)
    return whole_id


async def test_parts_come_in_the_order_in_which_they_are_named_as_often_as_they_are(site: Site) -> None:
    one, two, empty = await site.part(b"one"), await site.part(b"two"), await site.part(b"")
    parts = [two, one, empty, two, two]
    assert await site.uploads.length_of(parts, owner=OWNER) == 12
    whole_id = await concatenated(site, parts)
    assert (await site.commit(whole_id)).sha256 == hashlib.sha256(b"twoonetwotwo").digest()
    assert await site.content("a") == b"twoonetwotwo"


async def test_parts_stay_until_they_are_cancelled(site: Site) -> None:
    part = await site.part(b"part")
    await concatenated(site, [part], "a")
    assert await site.kept(part) == b"part"
    await concatenated(site, [part], "b")
    await site.uploads.cancel(part, owner=OWNER)
    with pytest.raises(NotFound):
        await concatenated(site, [part], "c")


async def test_a_part_that_is_not_full_is_none(site: Site) -> None:
    unfinished = await site.begin(None, length=9)
    await site.append(unfinished, b"part")
    without_length = await site.begin(None)
    await site.append(without_length, b"part")
    for part in (unfinished, without_length):
        with pytest.raises(LengthMismatch):
            await concatenated(site, [part])
        with pytest.raises(LengthMismatch):
            await site.uploads.length_of([part], owner=OWNER)


async def test_what_becomes_a_file_of_its_own_is_no_part(site: Site) -> None:
    upload_id = await site.begin("b", length=4)
    await site.append(upload_id, b"part")
    with pytest.raises(LengthMismatch):
        await concatenated(site, [upload_id])
    await site.commit(upload_id)
    with pytest.raises(LengthMismatch):
        await concatenated(site, [upload_id])


async def test_what_has_become_something_else_is_no_part(site: Site) -> None:
    part = await site.part(b"part")
    async with site.resume(part) as opened:
        await opened.conclude()
    with pytest.raises((UploadIsComplete, LengthMismatch)):
        await concatenated(site, [part])


async def test_another_owners_part_is_not_found(site: Site) -> None:
    foreign = (await site.uploads.create(owner="x", key=None, length=0, is_ending=True, terms="")).upload_id
    for part in (foreign, "unknown"):
        with pytest.raises(NotFound):
            await concatenated(site, [part])
        with pytest.raises(NotFound):
            await site.uploads.length_of([part], owner=OWNER)


async def test_no_more_than_promised_is_taken_from_parts(site: Site) -> None:
    part = await site.part(b"part")
    whole_id = await site.begin(length=6)
    async with site.resume(whole_id) as whole:
        with pytest.raises(PromiseExceeded):
            await site.uploads.concatenate(whole, [part, part])
        assert whole.offset == 4


async def test_a_part_that_is_still_being_sent_is_taken_from_its_sender_and_is_not_full(site: Site) -> None:
    part = await site.begin(None, length=9)
    body = Silent(b"part")

    async def send() -> None:
        async with site.resume(part) as opened:
            with pytest.raises(UploadTakenOver):
                await opened.append(0, body)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await body.began.wait()
        with pytest.raises(LengthMismatch):
            await concatenated(site, [part])


async def test_two_that_name_the_same_parts_in_opposite_orders_both_end(site: Site) -> None:
    parts = [await site.part(b"%d" % number * MIB) for number in range(3)]
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for key, named in (("a", parts), ("b", parts[::-1]), ("c", parts), ("d", parts[::-1])):
                tasks.start_soon(concatenated, site, named, key)
    known = [await site.promises.get(upload_id) for upload_id in await site.promises.unfinished()]
    (first, *_, last) = [each for each in known if each is not None and each.key is not None]
    for upload in (first, last):
        kept = await site.kept(upload.upload_id)
        ordered = (b"0", b"1", b"2") if upload.key in {"a", "c"} else (b"2", b"1", b"0")
        assert kept == b"".join(digit * MIB for digit in ordered)


async def test_cancelled_at_any_moment_it_leaves_the_parts_as_they_were_and_nobody_held(site: Site) -> None:
    one, two = await site.part(b"one"), await site.part(b"two")
    number, was_cancelled = 0, True
    while was_cancelled:
        number += 1
        whole_id = await site.begin()
        async with site.resume(whole_id) as whole:
            was_cancelled = await cancelled_at(number, site.uploads.concatenate(whole, [one, two]))
        kept = await site.kept(whole_id)
        assert b"onetwo".startswith(kept)
        await site.uploads.cancel(whole_id, owner=OWNER)
        with anyio.fail_after(5):
            assert (await site.kept(one), await site.kept(two)) == (b"one", b"two")
    assert kept == b"onetwo"
    assert number > 3


async def test_what_was_concatenated_can_be_added_to(site: Site) -> None:
    whole_id = await concatenated(site, [await site.part(b"part")])
    async with site.resume(whole_id) as whole:
        await whole.append(4, pieces(b"!"))
        assert (await whole.commit()).sha256 == hashlib.sha256(b"part!").digest()
