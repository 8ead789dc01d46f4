"""What every store promises of the files it keeps."""

import pytest

from storage import FolderInTheWay, IsFolder, Key, NotFound, Store, UnderFile
from tests.storage.conftest import content_of, put


async def test_a_committed_file_reads_back_as_it_was_sent(store: Store) -> None:
    await put(store, "a/b.bin", b"0123456789")
    reader = await store.open(Key("a/b.bin"))
    assert reader.entry.size == 10
    assert await content_of(reader) == b"0123456789"
    await reader.close()


@pytest.mark.parametrize(("span", "expected"), [(range(0, 1), b"0"), (range(3, 9), b"345678"), (range(5, 5), b"")])
async def test_a_span_is_read_exactly(store: Store, span: range, expected: bytes) -> None:
    await put(store, "digits", b"0123456789")
    reader = await store.open(Key("digits"))
    assert b"".join([chunk async for chunk in reader.chunks(span, 4)]) == expected
    await reader.close()


async def test_chunks_have_the_size_asked_for(store: Store) -> None:
    await put(store, "digits", b"0123456789")
    reader = await store.open(Key("digits"))
    assert [len(chunk) async for chunk in reader.chunks(range(10), 4)] == [4, 4, 2]
    await reader.close()


async def test_two_spans_of_one_reader_are_read_in_turns(store: Store) -> None:
    await put(store, "digits", b"0123456789")
    reader = await store.open(Key("digits"))
    front, back = reader.chunks(range(0, 4), 2), reader.chunks(range(6, 10), 2)
    turns = [await anext(front), await anext(back), await anext(front), await anext(back)]
    assert turns == [b"01", b"67", b"23", b"89"]
    await reader.close()


async def test_an_open_reader_keeps_its_version_when_the_file_is_replaced_and_deleted(store: Store) -> None:
    await put(store, "a", b"old")
    reader = await store.open(Key("a"))
    await put(store, "a", b"newer")
    await store.delete(Key("a"))
    assert await content_of(reader) == b"old"
    await reader.close()


async def test_etag_and_identity_change_with_every_version(store: Store) -> None:
    await put(store, "a", b"old")
    old = await store.stat(Key("a"))
    await put(store, "a", b"new")
    new = await store.stat(Key("a"))
    assert old.etag != new.etag
    assert old.identity != new.identity


async def test_an_empty_file_is_a_file(store: Store) -> None:
    await put(store, "empty", b"")
    reader = await store.open(Key("empty"))
    assert reader.entry.size == 0
    assert await content_of(reader) == b""
    await reader.close()


async def test_closing_a_reader_twice_is_fine(store: Store) -> None:
    await put(store, "a", b"x")
    reader = await store.open(Key("a"))
    await reader.close()
    await reader.close()


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    for attempt in (store.open, store.stat, store.delete):
        with pytest.raises(NotFound):
            await attempt(Key("missing"))


async def test_a_folder_is_no_file(store: Store) -> None:
    await put(store, "folder/a", b"x")
    for attempt in (store.open, store.stat, store.delete):
        with pytest.raises(IsFolder):
            await attempt(Key("folder"))


@pytest.mark.parametrize("key", ["folder", "file/below"])
async def test_a_file_does_not_take_a_folders_place_nor_the_other_way_round(store: Store, key: str) -> None:
    await put(store, "folder/a", b"x")
    await put(store, "file", b"y")
    with pytest.raises(FolderInTheWay):
        await put(store, key, b"z")


async def test_a_deleted_file_is_gone(store: Store) -> None:
    await put(store, "a", b"x")
    await store.delete(Key("a"))
    with pytest.raises(NotFound):
        await store.open(Key("a"))


async def test_a_name_below_a_file_is_told_from_one_that_is_only_missing(store: Store) -> None:
    await put(store, "a", b"x")
    with pytest.raises(UnderFile):
        await store.stat(Key("a/b"))
    with pytest.raises(UnderFile):
        await store.open(Key("a/b/c"))
    with pytest.raises(NotFound) as missing:
        await store.stat(Key("b/c"))
    assert type(missing.value) is NotFound
