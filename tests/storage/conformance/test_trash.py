"""What every store promises of what was removed from it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from storage import Entry, Folder, Key, KeyBusy, NotFound, Place, Removed, Store, Subfolder
from storage.errors import FolderInTheWay, PreconditionFailed
from storage.removal import new_removal_id
from storage.trash_keeper import HeldRemoval
from tests.storage.conftest import content_of, put


@asynccontextmanager
async def taken(store: Store, *places: str, is_listed: bool = True) -> AsyncIterator[tuple[str, HeldRemoval]]:
    """A removal of these places, held for the length of the block, and its id."""
    wanted = numbered(places)
    items = [each for each in await store.trash.look(list(wanted.values())) if each is not None]
    held = await store.trash.begin(removal_id := new_removal_id(), items if is_listed else None)
    try:
        await held.take(wanted)
        yield removal_id, held
    finally:
        await held.close()


def numbered(places: Sequence[str]) -> Mapping[int, Place]:
    return dict(enumerate(map(Key, places)))


async def content(store: Store, key: str) -> bytes:
    reader = await store.open(Key(key))
    try:
        return await content_of(reader)
    finally:
        await reader.close()


async def test_what_is_in_a_place_is_looked_at_as_what_is_meant(store: Store) -> None:
    await put(store, "a/b", b"four")
    looks = await store.trash.look([Key("a/b"), Folder("a/"), Key("a"), Folder("a/b/"), Key("none"), Folder("no/ne/")])
    assert [None if look is None else (look.place, look.size) for look in looks] == [
        ("a/b", 4),
        ("a/", None),
        None,
        None,
        None,
        None,
    ]


async def test_what_is_taken_leaves_its_place_and_nothing_else_does(store: Store) -> None:
    for key in ("a", "b/c", "b/d/e", "kept"):
        await put(store, key, key.encode())
    async with taken(store, "a", "b/") as (removal_id, held):
        assert [each.key async for page in _pages(store) for each in page if isinstance(each, Entry)] == ["kept"]
        for key in ("a", "b/c"):
            with pytest.raises(NotFound):
                await store.stat(Key(key))
        assert set((await store.trash.read(removal_id)).items) == {0, 1}
        removal = await held.removal()
        assert removal is not None
        assert removal.items[0] == Removed(Key("a"), 1, removal.items[0].identity)
        assert removal.items[1] == Removed(Folder("b/"))


def _pages(store: Store) -> AsyncIterator[tuple[Entry | Subfolder, ...]]:
    return store.list_all(Folder(""), is_recursive=True, after="", is_sorted=True)


async def test_whoever_has_a_file_open_goes_on_reading_it(store: Store) -> None:
    await put(store, "a", b"0123456789")
    reader = await store.open(Key("a"))
    async with taken(store, "a") as (_, held):
        await held.destroy()
    assert await content_of(reader) == b"0123456789"
    await reader.close()


async def test_what_is_given_back_is_as_it_was(store: Store) -> None:
    await put(store, "a", b"first")
    await put(store, "b/c/d", b"second")
    before = await store.stat(Key("a"))
    async with taken(store, "a", "b/") as (removal_id, held):
        given = await held.give_back({0: Key("a"), 1: Folder("b/")})
        back = given[0]
        assert isinstance(back, Entry)
        assert (back.key, back.etag, back.modified_ns) == ("a", before.etag, before.modified_ns)
        assert back == await store.stat(Key("a"))
        assert isinstance(given[1], Subfolder)
        assert (await store.trash.read(removal_id)).items == {}
    assert (await content(store, "a"), await content(store, "b/c/d")) == (b"first", b"second")


async def test_what_comes_back_under_another_name_makes_the_folders_above_it(store: Store) -> None:
    await put(store, "a/b", b"content")
    async with taken(store, "a/b") as (_, held):
        await held.give_back({0: Key("x/y/z")})
    assert await content(store, "x/y/z") == b"content"


@pytest.mark.parametrize(
    ("removed", "there"), [("a", "a"), ("a", "a/b"), ("a/", "a"), ("a/", "a/b")], ids=["f-f", "f-d", "d-f", "d-d"]
)
async def test_nothing_is_given_back_over_anything(store: Store, removed: str, there: str) -> None:
    await put(store, f"{removed}c" if removed.endswith("/") else removed, b"old")
    async with taken(store, removed) as (_, held):
        await put(store, there, b"new")
        given = await held.give_back({0: Key(removed)})
        assert isinstance(given[0], PreconditionFailed)
        assert await content(store, there) == b"new"
        assert set(await held.find([0])) == {0}


async def test_what_has_lost_its_folder_to_a_file_stays(store: Store) -> None:
    await put(store, "a/b", b"old")
    await put(store, "c", b"c")
    async with taken(store, "a/", "c") as (_, held):
        await put(store, "a", b"new")
        given = await held.give_back({0: Folder("a/x/"), 1: Key("c")})
        assert isinstance(given[0], FolderInTheWay)
        assert isinstance(given[1], Entry)


async def test_where_nothing_can_be_taken_it_is_said(store: Store) -> None:
    held = await store.trash.begin(new_removal_id(), [Removed(Key("a"), 1, "")])
    with pytest.raises(NotFound):
        await held.take({0: Key("a")})
    await held.close()


async def test_what_is_gone_meanwhile_is_not_taken(store: Store) -> None:
    await put(store, "a", b"a")
    await put(store, "b", b"b")
    async with taken(store, "a", "b") as (_, held):
        assert set(await held.find(range(5))) == {0, 1}
        await held.give_back({1: Key("b")})
        assert set(await held.find(range(5))) == {0}


async def test_a_removal_is_for_one_at_a_time(store: Store) -> None:
    await put(store, "a", b"a")
    async with taken(store, "a") as (removal_id, _):
        with pytest.raises(KeyBusy):
            await store.trash.hold(removal_id)
    again = await store.trash.hold(removal_id)
    await again.close()
    await again.close()
    await (await store.trash.hold(removal_id)).close()


async def test_what_is_destroyed_is_gone(store: Store) -> None:
    await put(store, "a", b"a")
    await put(store, "b/c/d", b"b")
    async with taken(store, "a", "b/") as (removal_id, held):
        await held.destroy()
    with pytest.raises(NotFound):
        await store.trash.hold(removal_id)
    with pytest.raises(NotFound):
        await store.trash.read(removal_id)
    assert await store.trash.ids() == {}


async def test_removals_are_listed_the_newest_first_with_and_without_lists(store: Store) -> None:
    ids = []
    for key, is_listed in (("a", True), ("b/", False), ("c", True)):
        await put(store, f"{key}x" if key.endswith("/") else key, b"x")
        async with taken(store, key, is_listed=is_listed) as (removal_id, held):
            ids.append(removal_id)
            assert (await held.removal() is None) is not is_listed
    assert await store.trash.ids() == {ids[2]: True, ids[1]: False, ids[0]: True}
    with pytest.raises(NotFound):
        await store.trash.read(ids[1])


@pytest.mark.parametrize("name", ["", "..", "0" * 26, "../../etc/passwd", "0" * 25 + "/", "A" * 26])
async def test_what_names_no_removal_is_not_found(store: Store, name: str) -> None:
    with pytest.raises(NotFound):
        await store.trash.hold(name)
    with pytest.raises(NotFound):
        await store.trash.read(name)
