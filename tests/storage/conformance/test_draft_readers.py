"""What every store promises to those who read a draft that others write."""

import pytest

from storage import Key, NotFound, Store, StoreDamaged
from storage.store import DraftReader, Fate
from tests.storage.conftest import pieces, put


async def read(reader: DraftReader, span: range) -> bytes:
    return b"".join([chunk async for chunk in reader.chunks(span, 3)])


async def test_a_reader_sees_what_is_kept_while_the_writer_has_the_draft(store: Store) -> None:
    draft = await store.draft("d1")
    reader = await store.read_draft("d1")
    assert (reader.look().size, reader.look().fate) == (0, Fate.OPEN)
    await draft.append(0, pieces(b"abcde"))
    assert reader.look().size == 5
    assert await read(reader, range(1, 5)) == b"bcde"
    assert await draft.append(5, pieces(b"f")) == 6
    await reader.close()
    await reader.close()
    await draft.discard()


async def test_a_draft_that_is_not_there_is_not_read(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.read_draft("d1")
    assert await store.drafts() == {}


async def test_a_draft_that_nobody_has_open_is_read(store: Store) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abc"))
    await draft.close()
    reader = await store.read_draft("d1")
    assert (reader.look().size, reader.look().fate) == (3, Fate.OPEN)
    await reader.close()
    await (await store.open_draft("d1")).discard()


@pytest.mark.parametrize("content", [b"", b"abc"])
async def test_it_is_told_that_the_draft_was_committed(store: Store, content: bytes) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(content))
    reader = await store.read_draft("d1")
    await draft.commit(Key("a"))
    assert not await draft.discard()
    assert (reader.look().size, reader.look().fate) == (len(content), Fate.COMMITTED)
    assert await read(reader, range(len(content))) == content
    await reader.close()


async def test_that_stays_so_when_the_file_is_replaced_or_removed(store: Store) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abc"))
    reader = await store.read_draft("d1")
    await draft.commit(Key("a"))
    await put(store, "a", b"another")
    await store.delete(Key("a"))
    assert (reader.look().size, reader.look().fate) == (3, Fate.COMMITTED)
    assert await read(reader, range(3)) == b"abc"
    await reader.close()


@pytest.mark.parametrize("content", [b"", b"abc"])
async def test_it_is_told_that_the_draft_was_discarded(store: Store, content: bytes) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(content))
    reader = await store.read_draft("d1")
    assert await draft.discard()
    assert not await draft.discard()
    assert reader.look().fate is Fate.DISCARDED
    with pytest.raises(StoreDamaged):
        await read(reader, range(3))
    await reader.close()


async def test_it_is_told_of_a_cut(store: Store) -> None:
    draft = await store.draft("d1")
    await draft.append(0, pieces(b"abcde"))
    reader = await store.read_draft("d1")
    await draft.truncate(2)
    assert (reader.look().size, reader.look().fate) == (2, Fate.OPEN)
    with pytest.raises(StoreDamaged):
        await read(reader, range(5))
    await reader.close()
    await draft.discard()
