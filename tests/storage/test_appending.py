"""Chunks on their way into a draft: what is written when, and that nothing waits for long."""

import asyncio
import hashlib
import resource
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import pytest

from storage import LocalStore, NoSpace
from storage.appending import BATCH_SIZE, Appending, Writing
from storage.store import BLOCK
from tests.storage.conftest import pieces
from tests.support.files import known_bytes


class Slow:
    """Chunks, and then none until it is told to end."""

    def __init__(self, *chunks: bytes) -> None:
        self.may_end = anyio.Event()
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        await self.may_end.wait()
        yield b"end"


async def size_of(path: Path, size: int) -> None:
    """Wait until the file has this size."""
    with anyio.fail_after(20):
        while path.stat().st_size != size:
            await anyio.sleep(0.01)


@pytest.mark.parametrize("chunk_size", [1, 10, 1000, BLOCK, 5000])
async def test_whole_blocks_do_not_wait_for_their_batch(local: LocalStore, tmp_path: Path, chunk_size: int) -> None:
    content = known_bytes(3 * BLOCK + 17)
    chunks = [content[start : start + chunk_size] for start in range(0, len(content), chunk_size)]
    draft = await local.draft("d1", is_lasting=True)
    path, slow, digest = tmp_path / ".fileserver" / "drafts" / "d1", Slow(*chunks), hashlib.sha256()

    async def append() -> None:
        await draft.append(0, slow, hashes=(digest,))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(append)
        await size_of(path, 3 * BLOCK)
        slow.may_end.set()
    assert path.read_bytes() == content + b"end"
    assert digest.digest() == hashlib.sha256(content + b"end").digest()
    await draft.discard()


async def test_of_a_draft_that_no_crash_outlives_a_few_bytes_are_written_too(local: LocalStore, tmp_path: Path) -> None:
    draft = await local.draft("d1")
    slow = Slow(b"line\n")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(draft.append, 0, slow)
        await size_of(tmp_path / ".fileserver" / "drafts" / "d1", 5)
        slow.may_end.set()
    await draft.discard()


async def test_they_end_where_blocks_of_the_file_end(local: LocalStore, tmp_path: Path) -> None:
    draft = await local.draft("d1", is_lasting=True)
    await draft.append(0, pieces(b"begun"))
    path, slow = tmp_path / ".fileserver" / "drafts" / "d1", Slow(bytes(BLOCK))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(draft.append, 5, slow)
        await size_of(path, BLOCK)
        slow.may_end.set()
    assert draft.size == BLOCK + 8
    await draft.discard()


@pytest.mark.parametrize("chunk_size", [7, 4095, 65_537])
async def test_every_write_but_the_last_ends_a_block(local: LocalStore, tmp_path: Path, chunk_size: int) -> None:
    content = known_bytes(2 * BATCH_SIZE // 16 if chunk_size == 7 else 3 * BATCH_SIZE)
    path, sizes = tmp_path / ".fileserver" / "drafts" / "d1", set[int]()

    async def watched() -> AsyncIterator[bytes]:
        for start in range(0, len(content), chunk_size):
            sizes.add(path.stat().st_size)
            yield content[start : start + chunk_size]

    draft = await local.draft("d1", is_lasting=True)
    await draft.append(0, watched())
    assert path.read_bytes() == content
    assert len(sizes) > 2
    assert {size % BLOCK for size in sizes} == {0}
    await draft.discard()


async def test_what_could_not_be_written_in_time_ends_the_append_at_the_gap(local: LocalStore, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        draft = await local.draft("d1", is_lasting=True)
        slow = Slow(bytes(2 * BLOCK))

        async def end_at_the_gap() -> None:
            await size_of(tmp_path / ".fileserver" / "drafts" / "d1", 5000)
            slow.may_end.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end_at_the_gap)
            with pytest.raises(NoSpace):
                await draft.append(0, slow)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert draft.size == 5000
    await draft.discard()


async def test_who_is_cancelled_by_a_server_that_stops_leaves_no_thread_writing() -> None:
    began, written = asyncio.Event(), asyncio.get_running_loop().create_future()

    def begin(batch: Sequence[bytes], offset: int) -> Writing:
        began.set()
        return asyncio.gather(written, asyncio.sleep(0), return_exceptions=True)

    appending = asyncio.create_task(Appending(0, begin).take(pieces(bytes(BATCH_SIZE))))
    await began.wait()
    for _ in range(3):
        appending.cancel()
        await asyncio.sleep(0)
    assert not appending.done()
    written.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await appending
    assert not written.cancelled()
