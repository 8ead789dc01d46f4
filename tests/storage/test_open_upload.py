"""One upload at work: what it takes, what it refuses, what it keeps of a body that broke off."""

import hashlib
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from storage import DigestMismatch, LengthMismatch, NotFound, OpenUpload, PromiseExceeded, TooLarge
from tests.storage import other_process
from tests.storage.conftest import pieces
from tests.storage.sites import LIMITS, Silent, Site, cancelled_at, leaving, site_in, site_in_memory

MIB = 1 << 20
WRONG: Mapping[str, bytes] = {"sha256": bytes(32)}
PIECES = [(b"more",), (b"m" * MIB, b"n" * MIB, b"rest")]
"""A piece that is written at once, and one that comes in batches."""


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of each keeper of bytes."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


def sha256_of(*chunks: bytes) -> bytes:
    return hashlib.sha256(b"".join(chunks)).digest()


@pytest.mark.parametrize("piece", PIECES)
async def test_a_piece_that_is_what_it_was_to_be_is_taken(site: Site, piece: tuple[bytes, ...]) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    digests = {"sha1": hashlib.sha1(b"".join(piece)).digest(), "sha256": sha256_of(*piece)}
    size = await site.append(upload_id, *piece, digests=digests)
    assert size == 5 + sum(map(len, piece))
    assert await site.offset(upload_id) == size
    assert (await site.commit(upload_id)).sha256 == sha256_of(b"begun", *piece)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_piece_that_is_something_else_leaves_the_offset(
    site: Site, piece: tuple[bytes, ...], algorithm: str
) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    digests = {"sha256": sha256_of(*piece), "sha1": hashlib.sha1(b"".join(piece)).digest(), algorithm: b"wrong"}
    with pytest.raises(DigestMismatch) as mismatch:
        await site.append(upload_id, *piece, digests=digests)
    assert mismatch.value.algorithm == algorithm
    assert await site.kept(upload_id) == b"begun"
    await site.append(upload_id, b"!")
    assert (await site.commit(upload_id)).sha256 == sha256_of(b"begun!")


async def test_the_same_request_may_go_on_after_a_mismatch(site: Site) -> None:
    upload_id = await site.begin()
    async with site.resume(upload_id) as opened:
        await opened.append(0, pieces(b"begun"))
        with pytest.raises(DigestMismatch):
            await opened.append(5, pieces(b"more"), digests=WRONG)
        assert opened.offset == 5
        await opened.append(5, pieces(b"!"))
        assert (await opened.commit()).sha256 == sha256_of(b"begun!")


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("is_checked", [False, True])
async def test_a_body_that_broke_off_is_kept_unless_it_was_to_be_checked(
    site: Site, piece: tuple[bytes, ...], is_checked: bool
) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    async with site.resume(upload_id) as opened:
        with pytest.raises(ConnectionResetError):
            await opened.append(5, leaving(*piece), digests=WRONG if is_checked else {})
    kept = b"begun" if is_checked else b"begun" + b"".join(piece)
    assert await site.kept(upload_id) == kept
    assert (await site.commit(upload_id)).sha256 == sha256_of(kept)


@pytest.mark.parametrize("is_checked", [False, True])
async def test_a_request_that_is_cancelled_is_as_one_that_broke_off(site: Site, is_checked: bool) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    body = Silent(b"m" * MIB, b"n")
    async with site.resume(upload_id) as opened, anyio.create_task_group() as tasks:

        async def append() -> None:
            await opened.append(5, body, digests=WRONG if is_checked else {})

        tasks.start_soon(append)
        await body.began.wait()
        tasks.cancel_scope.cancel()
    assert await site.kept(upload_id) == (b"begun" if is_checked else b"begun" + b"m" * MIB + b"n")


async def test_a_process_that_died_before_it_could_check_took_nothing(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        await site.append(upload_id, b"begun")
        assert await other_process.run(tmp_path, "append-checked", upload_id) == -signal.SIGKILL
        assert (tmp_path / ".fileserver" / "drafts" / upload_id).stat().st_size >= 3 * MIB
        assert await site.kept(upload_id) == b"begun"
        assert (tmp_path / ".fileserver" / "drafts" / upload_id).stat().st_size == 5
        await site.append(upload_id, b"!")
        assert await site.kept(upload_id) == b"begun!"


async def test_a_mark_of_what_was_not_checked_past_the_end_cuts_nothing(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    await site.promises.amend(upload_id, unverified_from=9)
    assert await site.kept(upload_id) == b"begun"


async def test_a_body_larger_than_promised_is_refused_before_its_first_byte(site: Site) -> None:
    upload_id = await site.begin(length=9)
    await site.append(upload_id, b"begun")
    asked = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal asked
        asked = True
        yield b"12345"

    async with site.resume(upload_id) as opened:
        with pytest.raises(PromiseExceeded) as refusal:
            await opened.append(5, body(), size=5)
    assert (refusal.value.length, asked) == (9, False)
    assert await site.kept(upload_id) == b"begun"


@pytest.mark.parametrize("digests", [{}, WRONG])
async def test_a_body_that_turns_out_too_large_leaves_the_offset(site: Site, digests: Mapping[str, bytes]) -> None:
    upload_id = await site.begin(length=9 + MIB)
    await site.append(upload_id, b"begun")
    with pytest.raises(PromiseExceeded):
        await site.append(upload_id, b"m" * MIB, b"1234", b"5", digests=digests)
    assert await site.kept(upload_id) == b"begun"
    await site.append(upload_id, b"m" * MIB, b"1234")
    async with site.resume(upload_id) as opened:
        assert opened.is_full
        assert (await opened.commit()).sha256 == sha256_of(b"begun", b"m" * MIB, b"1234")


async def test_no_upload_grows_past_what_the_server_allows(tmp_path: Path) -> None:
    async with site_in(tmp_path, replace(LIMITS, max_size=7)) as site:
        upload_id = await site.begin()
        await site.append(upload_id, b"begun")
        with pytest.raises(TooLarge) as refusal:
            await site.append(upload_id, b"12", b"3")
        assert refusal.value.max_size == 7
        async with site.resume(upload_id) as opened:
            with pytest.raises(TooLarge):
                await opened.promise(8, is_ending=True)
            assert opened.upload.length is None
        assert await site.append(upload_id, b"12") == 7


async def test_a_length_is_promised_once(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    async with site.resume(upload_id) as opened:
        with pytest.raises(LengthMismatch):
            await opened.promise(4, is_ending=True)
        await opened.promise(9, is_ending=False)
        assert not opened.is_full
    async with site.resume(upload_id) as opened:
        assert (opened.upload.length, opened.upload.is_ending) == (9, False)
        with pytest.raises(LengthMismatch):
            await opened.promise(8, is_ending=True)
        await opened.promise(None, is_ending=True)
        assert opened.upload.length == 9
        await opened.append(5, pieces(b"more"))
        assert opened.is_full


async def test_an_upload_is_full_only_with_a_length_that_ends_it(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    async with site.resume(upload_id) as opened:
        for length, is_ending, is_full in ((None, True, False), (5, False, False), (5, True, True)):
            await opened.promise(length, is_ending=is_ending)
            assert opened.is_full is is_full


async def test_the_whole_is_checked_before_it_becomes_the_file(site: Site) -> None:
    content = b"content"
    upload_id = await site.begin(length=7)
    await site.append(upload_id, content)
    async with site.resume(upload_id) as opened:
        for name in ("sha256", "sha512"):
            with pytest.raises(DigestMismatch) as mismatch:
                await opened.check({"sha256": sha256_of(content), name: b"wrong"})
            assert mismatch.value.algorithm == name
        assert opened.offset == 7
        await opened.check({"sha256": sha256_of(content), "sha512": hashlib.sha512(content).digest()})
        assert (await opened.commit()).is_complete


async def test_an_upload_expires_so_long_after_its_last_byte(site: Site) -> None:
    upload_id = await site.begin()
    async with site.resume(upload_id) as opened:
        before_s = opened.expires_at_s
        await site.promises.amend(upload_id, touched_ms=0)
        await opened.append(0, pieces(b"x"))
        assert opened.expires_at_s >= before_s
    async with site.resume(upload_id) as opened:
        assert opened.expires_at_s >= before_s


async def every_cut(opened: OpenUpload, number: int) -> bool:
    """Append a megabyte and three bytes at the offset, cancelled at the n-th wait; whether it waited that often."""
    return await cancelled_at(number, opened.append(opened.offset, pieces(b"m" * MIB, b"abc")))


async def test_an_append_cancelled_at_any_moment_leaves_a_prefix_with_its_digest(site: Site) -> None:
    whole = b"m" * MIB + b"abc"
    upload_id = await site.begin()
    number, was_cancelled = 0, True
    expected = b""
    while was_cancelled:
        number += 1
        async with site.resume(upload_id) as opened:
            was_cancelled = await every_cut(opened, number)
        kept = await site.kept(upload_id)
        added = kept.removeprefix(expected)
        assert whole.startswith(added)
        expected = kept
    assert expected.endswith(whole)
    assert (await site.commit(upload_id)).sha256 == sha256_of(expected)


async def test_a_checked_append_cancelled_at_any_moment_is_taken_whole_or_not_at_all(site: Site) -> None:
    whole = b"m" * MIB + b"abc"
    upload_id = await site.begin()
    await site.append(upload_id, b"begun")
    number, was_cancelled = 0, True
    while was_cancelled:
        number += 1
        before = await site.kept(upload_id)
        async with site.resume(upload_id) as opened:
            appending = opened.append(opened.offset, pieces(whole), digests={"sha256": sha256_of(whole)})
            was_cancelled = await cancelled_at(number, appending)
        assert await site.kept(upload_id) in {before, before + whole}
    assert number > 3
    assert (await site.kept(upload_id)).endswith(whole)


@pytest.mark.parametrize("key", ["a", None])
@pytest.mark.parametrize("length", [None, 7])
async def test_an_acknowledged_offset_outlives_a_power_cut(site: Site, key: str | None, length: int | None) -> None:
    """Of a file's last bytes it is the commit that is acknowledged, or the offset once it is asked for."""
    upload_id = await site.begin(key, length=length)
    await site.append(upload_id, b"cont")
    await site.append(upload_id, b"ent")
    if key is not None and length is not None:
        assert await site.offset(upload_id) == 7
    await site.promises.amend(upload_id, boot="another run of the machine")
    assert await site.kept(upload_id) == b"content"


async def test_after_a_power_cut_no_byte_is_believed_that_was_not_synced(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"synced")
    async with site.resume(upload_id) as opened:
        with pytest.raises(ConnectionResetError):
            await opened.append(6, leaving(b"not synced"))
    await site.promises.amend(upload_id, boot="another run of the machine")
    assert await site.kept(upload_id) == b"synced"
    await site.append(upload_id, b"!")
    assert (await site.commit(upload_id)).sha256 == sha256_of(b"synced!")


async def test_a_long_body_is_kept_from_a_power_cut_stretch_by_stretch(tmp_path: Path) -> None:
    stretch = 64 * MIB
    async with site_in(tmp_path) as site:
        upload_id = await site.begin()
        async with site.resume(upload_id) as opened:
            with pytest.raises(ConnectionResetError):
                await opened.append(0, leaving(*[b"m" * MIB] * 66))
        await site.promises.amend(upload_id, boot="another run of the machine")
        assert await site.offset(upload_id) >= stretch


async def test_an_upload_that_lost_what_was_acknowledged_is_gone(site: Site) -> None:
    upload_id = await site.begin()
    await site.append(upload_id, b"content")
    draft = await site.store.open_draft(upload_id)
    await draft.truncate(3)
    await draft.close()
    with pytest.raises(NotFound):
        await site.offset(upload_id)
    assert await site.store.drafts() == {}
