"""What is removed comes back as it was, with all that was known of it; and what becomes of it in between."""

import asyncio
import doctest
import os
import stat
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import (
    CommentSweep,
    Folder,
    Key,
    KeyBusy,
    LocalStore,
    NotFound,
    Pace,
    PositionSweep,
    ReadOnlyStore,
    Removed,
    Rereader,
    StorageError,
    removal,
)
from storage.errors import FolderInTheWay
from storage.removal import new_removal_id
from storage.verification import Verification
from tests.storage.sites import Site, site_in, site_in_memory
from tests.storage.trashing import facts_left, known, places, removed, store, store_known, stored, told

DAY_S = 86_400.0


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of an empty folder."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    """A server of a directory."""
    async with site_in(tmp_path) as opened:
        yield opened


async def restored(site: Site, removal_id: str) -> list[str]:
    """Restore a removal; the keys that they have now."""
    return list((await site.library.trash.restore(removal_id)).places.values())


def test_the_examples_in_the_text_hold() -> None:
    done = doctest.testmod(removal)
    assert (done.attempted > 0, done.failed) == (True, 0)


async def test_what_comes_back_is_as_it_was_with_all_that_was_known_of_it(site: Site) -> None:
    before = await store_known(site, "a.txt", "b/c.txt", "b/d/e.txt")
    removal = await site.library.trash.remove(places("b/", "a.txt"))
    assert [(item.place, item.size) for item in removal.items.values()] == [("a.txt", 16), ("b/", None)]
    assert await stored(site) == []
    assert await restored(site, removal.id) == ["a.txt", "b/"]
    assert {key: await known(site, key) for key in before} == before
    assert before["a.txt"].sha256 is not None
    assert before["a.txt"].words == ("about a.txt",)


async def test_it_comes_back_as_it_was_after_a_restart(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        before = await store_known(site, "a", "b/c")
        removal_id = await removed(site, "a", "b/")
    async with site_in(tmp_path) as site:
        await restored(site, removal_id)
    async with site_in(tmp_path) as site:
        assert {key: await known(site, key) for key in before} == before
        assert "claims" not in await facts_left(site)


async def test_a_new_file_of_the_name_has_nothing_of_the_old_one(site: Site) -> None:
    old = await store_known(site, "a.txt", "b/c")
    removal_id = await removed(site, "a.txt", "b/")
    await store(site, "a.txt", b"new")
    await store(site, "b/c", b"new")
    new = {key: await known(site, key) for key in ("a.txt", "b/c")}
    assert [each.words for each in new.values()] == [(), ()]
    restored = await site.library.trash.restore(removal_id)
    assert list(restored.places.values()) == ["a (restored).txt", "b (restored)/"]
    assert restored.taken == ("a.txt", "b/")
    assert {key: await known(site, key) for key in new} == new
    assert await known(site, "a (restored).txt") == old["a.txt"]
    assert await known(site, "b (restored)/c") == old["b/c"]


async def test_names_go_on_where_the_next_are_taken_too(site: Site) -> None:
    for _ in range(3):
        await store(site, "a.txt")
        removal_id = await removed(site, "a.txt")
        await store(site, "a.txt")
        await restored(site, removal_id)
    assert await stored(site) == ["a (restored 2).txt", "a (restored 3).txt", "a (restored).txt", "a.txt"]


async def test_a_folder_takes_the_place_of_no_file_and_a_file_that_of_no_folder(site: Site) -> None:
    await store(site, "a")
    await store(site, "b/c")
    removal_id = await removed(site, "a", "b/")
    await store(site, "a/x")
    await store(site, "b")
    assert await restored(site, removal_id) == ["a (restored)", "b (restored)/"]
    assert await stored(site) == ["a (restored)", "a/x", "b", "b (restored)/c"]


async def test_what_has_no_place_to_come_back_to_stays_in_the_trash(site: Site) -> None:
    await store(site, "a/b")
    await store(site, "c")
    await site.library.moving.make_folder(Folder("a/"))
    removal_id = await removed(site, "a/b", "c")
    await site.library.trash.remove_for_good(Folder("a/"))
    await store(site, "a", b"in the way")
    result = await site.library.trash.restore(removal_id)
    assert list(result.places.values()) == ["c"]
    left = await site.library.trash.read(removal_id)
    assert [item.place for item in left.items.values()] == ["a/b"]
    with pytest.raises(FolderInTheWay):
        await site.library.trash.restore(removal_id)
    await removed(site, "a")
    assert await restored(site, removal_id) == ["a/b"]
    with pytest.raises(NotFound):
        await site.library.trash.restore(removal_id)


async def test_where_one_is_not_there_nothing_is_removed(site: Site) -> None:
    await store(site, "a")
    for absent in ("none", "none/", "a/", "a/b"):
        with pytest.raises(NotFound) as raised:
            await site.library.trash.remove(places("a", absent))
        assert raised.value.key == absent
    assert await stored(site) == ["a"]
    assert await site.library.trash.page(before="", limit=10) == ()


async def test_what_lies_in_a_folder_that_is_removed_goes_with_it(site: Site) -> None:
    for key in ("a/b", "a/c/d", "e"):
        await store(site, key)
    removal = await site.library.trash.remove(places("a/b", "a/c/", "a/", "e", "e"))
    assert [item.place for item in removal.items.values()] == ["a/", "e"]


async def test_the_newest_are_listed_first_by_pages(site: Site) -> None:
    ids: list[str] = []
    for key in "abcde":
        await store(site, key)
        ids.insert(0, await removed(site, key))
    first = await site.library.trash.page(before="", limit=2)
    second = await site.library.trash.page(before=first[-1].id, limit=10)
    assert [each.id for each in (*first, *second)] == ids


async def test_what_is_forgotten_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    await store_known(site, "a", "b/c", "b/d/e")
    removal_id = await removed(site, "a", "b/")
    await site.library.trash.forget(removal_id)
    assert await facts_left(site) == {}
    for again in (site.library.trash.forget, site.library.trash.restore, site.library.trash.read):
        with pytest.raises(NotFound):
            await again(removal_id)
    if isinstance(site.store, LocalStore):
        assert os.listdir(tmp_path / ".fileserver" / "trash") == []


async def test_the_trash_is_emptied_but_for_what_somebody_has(site: Site) -> None:
    ids: list[str] = []
    for key in "abc":
        await store(site, key)
        ids.append(await removed(site, key))
    held = await site.store.trash.hold(ids[1])
    await site.library.trash.empty()
    assert [each.id for each in await site.library.trash.page(before="", limit=10)] == [ids[1]]
    with pytest.raises(KeyBusy):
        await site.library.trash.restore(ids[1])
    await held.close()
    assert await restored(site, ids[1]) == ["b"]


async def test_what_has_been_in_the_trash_for_long_is_swept(site: Site) -> None:
    await store_known(site, "old", "new")
    long_ago = new_removal_id(now_ns=time.time_ns() - int(8 * DAY_S * 1e9))
    held = await site.store.trash.begin(long_ago, await looked(site, "old"))
    await held.take({0: Key("old")})
    await held.close()
    newer = await removed(site, "new")
    await site.library.trash.sweep(7 * DAY_S)
    assert list(await site.store.trash.ids()) == [newer]


async def test_what_cannot_be_removed_keeps_nothing_else_in_the_trash(here: Site, tmp_path: Path) -> None:
    await store_known(here, "a", "b")
    old, new = await removed(here, "a"), await removed(here, "b")
    held = tmp_path / ".fileserver" / "trash" / new / "list.json"
    held.unlink()
    held.mkdir()
    with pytest.raises(StorageError):
        await here.library.trash.sweep(0)
    assert list(await here.store.trash.ids()) == [new]
    assert not (tmp_path / ".fileserver" / "trash" / old).exists()


async def test_whoever_leaves_before_a_removal_is_destroyed_lets_go_of_it(tmp_path: Path) -> None:
    keeper, removal_id = LocalStore(tmp_path), new_removal_id()
    await keeper.start()
    held, is_over = await keeper.trash.begin(removal_id, []), threading.Event()
    busy = [asyncio.ensure_future(keeper.trash.run(is_over.wait)) for _ in range(64)]  # more than there are threads
    destroying = asyncio.ensure_future(held.destroy())
    await asyncio.sleep(0)
    destroying.cancel()
    await asyncio.wait([destroying])
    is_over.set()
    await asyncio.wait(busy)
    await (await keeper.trash.hold(removal_id)).close()
    await keeper.close()


async def looked(site: Site, *texts: str) -> list[Removed]:
    return [each for each in await site.store.trash.look(places(*texts)) if each is not None]


async def test_a_folder_is_removed_for_good_with_all_that_is_in_it(site: Site) -> None:
    await store_known(site, "a/b", "a/c/d", "ab")
    await site.library.trash.remove_for_good(Folder("a/"))
    assert await stored(site) == ["ab"]
    assert await site.store.trash.ids() == {}
    assert set((await facts_left(site)).values()) == {1}
    assert (await told(site))[-1:] == ["deleted a/"]
    for absent in ("a/", "ab/", "none/"):
        with pytest.raises(NotFound):
            await site.library.trash.remove_for_good(Folder(absent))


async def test_the_feed_tells_of_each_file_and_once_of_a_folder(site: Site) -> None:
    for key in ("a", "b/c", "b/d"):
        await store(site, key)
    before = len(await told(site))
    removal_id = await removed(site, "a", "b/")
    await restored(site, removal_id)
    assert (await told(site))[before:] == ["deleted a", "deleted b/", "created a", "created b/"]
    changes = {change.key: change.content for change in await site.library.changes.after(0) if change.kind == "created"}
    sha256 = (await known(site, "a")).sha256
    assert sha256 is not None
    assert changes[Key("a")] == {"size": 7, "etag": f'"{sha256.hex()}"', "sha256": sha256.hex()}
    assert changes[Key("b/")] == {}


async def test_names_that_are_no_text_come_back_too(here: Site, tmp_path: Path) -> None:
    name = b"not-\xff-utf-8 (1).txt"
    (tmp_path / "folder").mkdir()
    Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"content")
    removal_id = await removed(here, os.fsdecode(name), "folder/")
    assert await restored(here, removal_id) == ["folder/", os.fsdecode(name)]
    assert sorted(await stored(here)) == [os.fsdecode(name)]


async def test_links_are_neither_removed_nor_followed(here: Site, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "kept").write_bytes(b"kept")
    root = tmp_path
    (root / "link").symlink_to(outside)
    (root / "a").mkdir()
    (root / "a" / "link").symlink_to(outside)
    os.mkfifo(root / "a" / "pipe")
    for place in ("link", "link/", "link/deep/", "link/deep/kept", ".fileserver"):
        with pytest.raises((NotFound, StorageError)):
            await here.library.trash.remove([Key(place)])
    await here.library.trash.remove_for_good(Folder("a/"))
    assert (outside / "deep" / "kept").read_bytes() == b"kept"
    assert sorted(os.listdir(root)) == [".fileserver", "link"]


async def test_however_deep_or_wide_a_folder_is_it_is_removed(here: Site, tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir()
    for number in range(1100):
        (tmp_path / "wide" / str(number)).touch()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("deep", dir_fd=descriptor)
        below = os.open("deep", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("file", os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)
    (tmp_path / "read-only" / "below").mkdir(parents=True)
    (tmp_path / "read-only" / "below").chmod(stat.S_IRUSR | stat.S_IXUSR)
    for folder in ("deep/", "wide/", "read-only/"):
        await here.library.trash.remove_for_good(Folder(folder))
    assert os.listdir(tmp_path) == [".fileserver"]
    assert os.listdir(tmp_path / ".fileserver" / "trash") == []


async def test_a_read_only_store_has_no_trash_and_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    keeper = LocalStore(tmp_path, is_writable=False)
    await keeper.start()
    assert await keeper.trash.ids() == {}
    with pytest.raises(ReadOnlyStore):
        await keeper.trash.begin(new_removal_id(), [])
    with pytest.raises(NotFound):
        await keeper.trash.hold(new_removal_id())
    await keeper.close()
    assert os.listdir(tmp_path) == ["a"]


async def test_what_is_in_the_trash_is_no_finding_of_a_verification(here: Site) -> None:
    await store_known(here, "a", "b/c")
    await removed(here, "a", "b/")
    rereader = Rereader(Pace(None), threads=1)
    try:
        verification = Verification(here.store, here.catalogue, rereader)
        assert [finding async for finding in verification.findings()] == []
    finally:
        rereader.close()


async def test_the_words_about_what_is_in_the_trash_are_not_swept(here: Site) -> None:
    before = await store_known(here, "a", "b/c")
    removal_id = await removed(here, "a", "b/")
    for sweep in (CommentSweep(here.store, here.catalogue, grace_s=0), PositionSweep(here.store, here.catalogue)):
        for _ in range(3):
            await sweep.sweep()
    await restored(here, removal_id)
    assert {key: await known(here, key) for key in before} == before
