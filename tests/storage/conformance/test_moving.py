"""What every store promises of files and folders that get other names, and of copies."""

import pytest

from storage import (
    ROOT,
    Entry,
    Folder,
    FolderInTheWay,
    IsFolder,
    Key,
    NotFound,
    PreconditionFailed,
    Store,
    Subfolder,
)
from tests.storage.conftest import content_of, put


async def content(store: Store, key: str) -> bytes:
    reader = await store.open(Key(key))
    try:
        return await content_of(reader)
    finally:
        await reader.close()


async def names(store: Store, folder: str = "") -> list[str]:
    """What a folder holds, subfolders with a slash."""
    listed = await store.list(Folder(folder), is_recursive=False, after="", limit=100)
    return [each.key if isinstance(each, Entry) else each.folder for each in listed]


async def test_a_moved_file_has_its_other_name_alone_and_its_etag(store: Store) -> None:
    await put(store, "a", b"bytes")
    before = await store.stat(Key("a"))
    after = await store.move(Key("a"), Key("deep/er/b"), is_replacing=False)
    assert (after.key, after.etag, after.size) == ("deep/er/b", before.etag, 5)
    assert after == await store.stat(Key("deep/er/b"))
    assert await names(store) == ["deep/"]


async def test_a_move_replaces_a_file_only_where_it_may(store: Store) -> None:
    await put(store, "a", b"new")
    await put(store, "b", b"old")
    with pytest.raises(PreconditionFailed):
        await store.move(Key("a"), Key("b"), is_replacing=False)
    assert (await content(store, "a"), await content(store, "b")) == (b"new", b"old")
    await store.move(Key("a"), Key("b"), is_replacing=True)
    assert await names(store) == ["b"]
    assert await content(store, "b") == b"new"


@pytest.mark.parametrize("is_replacing", [True, False])
@pytest.mark.parametrize("new", ["folder", "file/below", "file/far/below"])
async def test_a_moved_file_takes_no_folders_place_and_lies_in_no_file(
    store: Store, new: str, is_replacing: bool
) -> None:
    await put(store, "a", b"a")
    await put(store, "folder/x", b"x")
    await put(store, "file", b"y")
    with pytest.raises(FolderInTheWay):
        await store.move(Key("a"), Key(new), is_replacing=is_replacing)
    assert await content(store, "a") == b"a"


async def test_what_is_not_there_is_not_moved(store: Store) -> None:
    await put(store, "folder/x", b"x")
    with pytest.raises(NotFound):
        await store.move(Key("a"), Key("b"), is_replacing=True)
    with pytest.raises(NotFound):
        await store.move(Key("folder/x/y"), Key("b"), is_replacing=True)
    with pytest.raises(IsFolder):
        await store.move(Key("folder"), Key("b"), is_replacing=True)
    for old in ("a/", "folder/x/"):
        with pytest.raises(NotFound):
            await store.move_folder(Folder(old), Folder("b/"), is_replacing=True)


async def test_an_open_reader_keeps_its_version_when_the_file_is_moved_and_replaced(store: Store) -> None:
    await put(store, "a", b"first")
    await put(store, "b", b"second")
    first, second = await store.open(Key("a")), await store.open(Key("b"))
    await store.move(Key("a"), Key("b"), is_replacing=True)
    assert (await content_of(first), await content_of(second)) == (b"first", b"second")
    await first.close()
    await second.close()


async def test_a_moved_folder_takes_all_along_that_is_in_it(store: Store) -> None:
    await put(store, "a/x", b"x")
    await put(store, "a/b/y", b"y")
    await put(store, "ab", b"beside")
    before = await store.stat(Key("a/b/y"))
    assert await store.move_folder(Folder("a/"), Folder("new/place/"), is_replacing=False)
    assert await names(store) == ["ab", "new/"]
    assert await names(store, "new/place/") == ["new/place/b/", "new/place/x"]
    after = await store.stat(Key("new/place/b/y"))
    assert (after.etag, after.identity) == (before.etag, before.identity)


async def test_only_an_empty_folder_is_replaced_by_another(store: Store) -> None:
    await put(store, "a/x", b"x")
    await put(store, "full/y", b"y")
    await store.make_folder(Folder("empty/"))
    with pytest.raises(FolderInTheWay):
        await store.move_folder(Folder("a/"), Folder("full/"), is_replacing=True)
    with pytest.raises(PreconditionFailed):
        await store.move_folder(Folder("a/"), Folder("empty/"), is_replacing=False)
    assert not await store.move_folder(Folder("a/"), Folder("empty/"), is_replacing=True)
    assert await content(store, "empty/x") == b"x"


@pytest.mark.parametrize("is_replacing", [True, False])
@pytest.mark.parametrize("new", ["file/", "file/below/"])
async def test_a_moved_folder_takes_no_files_place(store: Store, new: str, is_replacing: bool) -> None:
    await put(store, "a/x", b"x")
    await put(store, "file", b"y")
    with pytest.raises(FolderInTheWay):
        await store.move_folder(Folder("a/"), Folder(new), is_replacing=is_replacing)
    assert await content(store, "a/x") == b"x"
    assert await content(store, "file") == b"y"


async def test_a_made_folder_is_there_with_those_above_it_and_empty(store: Store) -> None:
    assert await store.make_folder(Folder("a/b/"))
    assert await names(store) == ["a/"]
    assert await names(store, "a/") == ["a/b/"]
    assert await names(store, "a/b/") == []
    assert not await store.make_folder(Folder("a/b/"))
    listed = await store.list(ROOT, is_recursive=False, after="", limit=1)
    assert isinstance(listed[0], Subfolder)


@pytest.mark.parametrize("folder", ["file/", "file/below/"])
async def test_no_folder_is_made_where_a_file_is(store: Store, folder: str) -> None:
    await put(store, "file", b"x")
    with pytest.raises(FolderInTheWay):
        await store.make_folder(Folder(folder))


async def test_a_folder_is_known_again_by_another_name(store: Store) -> None:
    await store.make_folder(Folder("a/"))
    assert await store.folder_identity(Folder("a/")) == await store.folder_identity(Folder("a/"))
    await put(store, "file", b"x")
    for missing in ("b/", "file/"):
        with pytest.raises(NotFound):
            await store.folder_identity(Folder(missing))


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
async def test_a_draft_takes_the_bytes_of_a_file(store: Store, size: int) -> None:
    await put(store, "a", bytes(index % 251 for index in range(size)))
    reader = await store.open(Key("a"))
    draft = await store.draft("copy")
    assert await draft.take(reader)
    await reader.close()
    assert (await draft.commit(Key("b"))).size == size
    copied = await store.open(Key("b"))
    assert await content_of(copied, 1 << 20) == bytes(index % 251 for index in range(size))
    await copied.close()
