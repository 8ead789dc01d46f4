"""What every store promises of bytes still being written."""

import hashlib
from collections.abc import AsyncIterator

import anyio
import pytest

from storage import DraftBusy, Key, NotFound, OffsetMismatch, Store
from tests.storage.conftest import content_of, pieces


async def test_appends_add_up_and_their_size_is_the_offset(store: Store) -> None:
    draft = await store.draft("d1")
    assert draft.size == 0
    assert await draft.append(0, pieces(b"abc", b"de")) == 5
    assert await draft.append(5, pieces(b"f")) == 6
    assert draft.size == 6
    await draft.commit(Key("whole"))
    reader = await store.open(Key("whole"))
    assert await content_of(reader) == b"abcdef"
    await reader.close()


@pytest.mark.parametrize("offset", [0, 4, 6])
async def test_any_other_offset_is_refused_and_changes_nothing(store: Store, offset: int) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abcde"))
    with pytest.raises(OffsetMismatch) as refusal:
        await draft.append(offset, pieces(b"x"))
    assert (refusal.value.expected, refusal.value.given) == (5, offset)
    assert draft.size == 5
    await draft.discard()


async def test_a_closed_draft_is_found_again_by_its_id(store: Store) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abc"))
    await draft.close()
    assert list(await store.drafts()) == ["d1"]
    again = await store.draft("d1")
    assert again.size == 3
    await again.discard()


async def test_a_discarded_or_committed_draft_is_gone(store: Store) -> None:
    discarded = await store.draft("d1")
    await discarded.discard()
    await discarded.discard()
    committed = await store.draft("d2")
    await committed.commit(Key("a"))
    await committed.discard()
    assert await store.drafts() == {}
    await (await store.open(Key("a"))).close()


async def test_hashes_see_every_byte(store: Store) -> None:
    digest = hashlib.sha256()
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abc", b"def"), hashes=(digest,))
    assert digest.digest() == hashlib.sha256(b"abcdef").digest()
    await draft.discard()


async def test_what_the_source_raises_passes_and_the_draft_takes_a_new_writer(store: Store) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionResetError

    draft = await store.draft("d1")
    with pytest.raises(ConnectionResetError):
        await draft.append(0, broken())
    size = draft.size
    assert await draft.append(size, pieces(b"!")) == size + 1
    await draft.discard()


async def test_a_second_writer_is_refused_while_the_first_lives(store: Store) -> None:
    first_writes, may_end = anyio.Event(), anyio.Event()

    async def slow() -> AsyncIterator[bytes]:
        first_writes.set()
        await may_end.wait()
        yield b"abc"

    draft = await store.draft("d1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(draft.append, 0, slow())
        await first_writes.wait()
        with pytest.raises(DraftBusy):
            await draft.append(0, pieces(b"x"))
        may_end.set()
    assert draft.size == 3
    await draft.discard()


async def test_an_open_draft_is_its_openers_alone(store: Store) -> None:
    draft = await store.draft("d1")
    for opening in (store.draft, store.open_draft):
        with pytest.raises(DraftBusy):
            await opening("d1")
    await draft.close()
    await (await store.open_draft("d1")).discard()


async def test_a_draft_that_is_not_there_is_not_opened(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.open_draft("d1")
    assert await store.drafts() == {}


async def test_what_came_before_an_interruption_is_kept_and_hashed(store: Store) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 700_000
        raise ConnectionResetError

    digest = hashlib.sha256()
    draft = await store.draft("d1")
    with pytest.raises(ConnectionResetError):
        await draft.append(0, broken(), hashes=(digest,))
    assert draft.size == 2_100_000
    assert digest.digest() == hashlib.sha256(b"x" * 2_100_000).digest()
    await draft.discard()


async def test_bytes_are_cut_off_and_read_back(store: Store) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abcdefgh"))
    await draft.truncate(5)
    assert draft.size == 5
    assert [chunk async for chunk in draft.chunks(range(1, 5), 3)] == [b"bcd", b"e"]
    await draft.append(5, pieces(b"!"))
    assert [chunk async for chunk in draft.chunks(range(6), 10)] == [b"abcde!"]
    await draft.discard()


async def test_a_cancelled_writer_leaves_the_draft_free(store: Store) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await anyio.sleep(0)

    draft = await store.draft("d1")
    with anyio.move_on_after(0.05):
        await draft.append(0, endless())
    assert await draft.append(draft.size, pieces(b"!")) == draft.size
    await draft.discard()
