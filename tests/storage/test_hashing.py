"""The digest of an upload is that of its bytes, whoever took them in, and however much of it has to be read back."""

import hashlib
import random
import resource
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from storage import MemoryStore, NoSpace, PromiseExceeded
from storage.hashing import Running, RunningDigests
from tests.storage.conftest import pieces
from tests.storage.sites import Site, awaits_of, cancelled_at, leaving, site_in
from tests.support.files import MIB, known_bytes


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A medium that is full for every file beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


async def committed_digest(site: Site, upload_id: str) -> str:
    """The digest recorded at the commit, having looked that it is the file's own."""
    complete = await site.commit(upload_id)
    assert complete.sha256 == hashlib.sha256(await site.content("a")).digest()
    return complete.sha256.hex()


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_digest_carried_on_from_append_to_append_is_right(tmp_path: Path, is_restarted: bool) -> None:
    content = known_bytes(3 * MIB + 7)
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(site_in(tmp_path))
        upload_id = await site.begin()
        for start, stop in ((0, 1), (1, 2 * MIB), (2 * MIB, 2 * MIB), (2 * MIB, len(content))):
            await site.append(upload_id, content[start:stop])
            if is_restarted:
                await stack.aclose()
                site = await stack.enter_async_context(site_in(tmp_path))
        assert await committed_digest(site, upload_id) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("gap", [0, 3 * MIB, 65 * MIB])
@pytest.mark.parametrize("is_last_here", [False, True])
async def test_what_another_process_took_in_is_read_back(tmp_path: Path, gap: int, is_last_here: bool) -> None:
    """64 MiB are read back before the next bytes come; more, only at the end."""
    taken = b"x" * MIB
    async with site_in(tmp_path) as one, site_in(tmp_path) as other:
        upload_id = await one.begin()
        await one.append(upload_id, b"begun")
        await other.append(upload_id, *[taken] * (gap // MIB))
        if is_last_here:
            await one.append(upload_id, b"end")
        digest = hashlib.sha256(b"begun")
        for _ in range(gap // MIB):
            digest.update(taken)
        digest.update(b"end" * is_last_here)
        assert await committed_digest(one, upload_id) == digest.hexdigest()


@pytest.mark.parametrize("seed", range(5))
async def test_processes_that_take_turns_and_break_off_come_to_the_right_digest(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = known_bytes(4 * MIB, seed)
    async with site_in(tmp_path) as one, site_in(tmp_path) as other:
        upload_id, offset = await one.begin(), 0
        while offset < len(content):
            piece = content[offset : offset + chance.choice([1, 4095, 700_000])]
            async with chance.choice([one, other]).resume(upload_id) as opened:
                match chance.choice(["whole", "broken", "checked", "cancelled"]):
                    case "whole":
                        await opened.append(offset, pieces(piece))
                    case "broken":
                        with pytest.raises(ConnectionResetError):
                            await opened.append(offset, leaving(piece))
                    case "checked":
                        with pytest.raises(ConnectionResetError):
                            await opened.append(offset, leaving(piece), digests={"sha1": b""})
                    case "cancelled":
                        await cancelled_at(chance.randrange(1, 9), opened.append(offset, pieces(piece)))
                offset = opened.offset
        site = chance.choice([one, other])
        assert await committed_digest(site, upload_id) == hashlib.sha256(content).hexdigest()


async def test_bytes_that_were_cut_off_are_not_in_the_digest(tmp_path: Path) -> None:
    async with site_in(tmp_path) as one, site_in(tmp_path) as other:
        upload_id = await one.begin(length=3 * MIB)
        await one.append(upload_id, b"a" * MIB)
        with pytest.raises(PromiseExceeded):
            await one.append(upload_id, b"b" * MIB, b"c" * 2 * MIB)
        await other.append(upload_id, b"d" * 2 * MIB)
        expected = hashlib.sha256(b"a" * MIB + b"d" * 2 * MIB).hexdigest()
        assert await committed_digest(one, upload_id) == expected


async def test_bytes_that_a_full_medium_did_not_take_are_not_in_the_digest(tmp_path: Path) -> None:
    async with site_in(tmp_path) as one, site_in(tmp_path) as other:
        upload_id = await one.begin()
        await one.append(upload_id, b"begun")
        with files_no_larger_than(MIB + MIB // 2), pytest.raises(NoSpace):
            await one.append(upload_id, b"lost" * MIB)
        offset = await one.offset(upload_id)
        assert offset == MIB + MIB // 2
        await other.append(upload_id, b"took" * MIB)
        expected = hashlib.sha256((b"begun" + b"lost" * MIB)[:offset] + b"took" * MIB).hexdigest()
        assert await committed_digest(one, upload_id) == expected


@pytest.mark.parametrize("number", [5, 8, 13])
async def test_reading_back_that_was_broken_off_goes_on_where_it_was(tmp_path: Path, number: int) -> None:
    content = known_bytes(24 * MIB)
    async with site_in(tmp_path) as writer, site_in(tmp_path) as site, site_in(tmp_path) as patient:
        upload_id = await writer.begin()
        await writer.append(upload_id, content)
        async with patient.resume(upload_id) as opened:
            whole = await awaits_of(opened.sha256())
        async with site.resume(upload_id) as opened:
            assert await cancelled_at(number, opened.sha256())
        async with site.resume(upload_id) as opened:
            assert await awaits_of(opened.sha256()) < whole
            assert await opened.sha256() == hashlib.sha256(content).digest()


async def test_only_so_many_digests_are_kept_in_memory() -> None:
    draft, digests = await MemoryStore().draft("d"), RunningDigests()
    await draft.append(0, pieces(b"x"))
    for number in range(1025):
        running = Running()
        await running.catch_up(draft)
        digests.keep(str(number), running, draft, is_synced=True)
    assert digests.take("0", draft).size == 0
    assert digests.take("1024", draft).size == digests.take("1", draft).size == 1
    assert digests.take("1024", draft).size == 0
