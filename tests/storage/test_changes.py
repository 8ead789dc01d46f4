"""The feed: what is told of a change, when, in which order, and to whom."""

import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from storage import (
    Catalogue,
    Change,
    Changes,
    Key,
    Library,
    LocalStore,
    MemoryStore,
    NewChange,
    NewComment,
    NotFound,
    PreconditionFailed,
    StoreUnavailable,
)
from storage.catalogue import Claim
from tests.storage.conftest import pieces, put
from tests.storage.sites import catalogue_path

PATIENCE_S = 20


def text(_head: bytes, _name: str) -> str:
    return "text/plain"


@asynccontextmanager
async def library_in(root: Path) -> AsyncIterator[Library]:
    """A library whose feed is watched, as a server has it."""
    library = Library(LocalStore(root), Catalogue(catalogue_path(root)), text)
    await library.start()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(library.changes.watch)
            yield library
            tasks.cancel_scope.cancel()
    finally:
        await library.close()


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    async with library_in(tmp_path) as opened:
        yield opened


async def store_file(library: Library, key: str, content: bytes = b"content") -> None:
    async with library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
        await library.commit(received, Key(key))


async def newest(changes: Changes) -> int:
    return (await changes.extent()).newest


async def all_of(changes: Changes) -> list[tuple[str, str | None]]:
    """All that is kept."""
    return [(change.kind, change.key) for change in await changes.after((await changes.extent()).pruned)]


async def collected(pages: AsyncGenerator[tuple[Change, ...], None], count: int) -> list[Change]:
    """The next changes of a feed, at least so many."""
    found: list[Change] = []
    with anyio.fail_after(PATIENCE_S):
        async for page in pages:
            found += page
            if len(found) >= count:
                return found
    raise AssertionError("the feed has ended")


async def tell(changes: Changes, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        await changes.add(NewChange("job", None, {"number": number}))


def numbers(found: Sequence[Change]) -> list[object]:
    return [change.content["number"] for change in found]


async def test_commits_and_removals_are_told_in_their_order(library: Library) -> None:
    await store_file(library, "a/b")
    await store_file(library, "a/b", b"other")
    await library.delete(Key("a/b"))
    assert await all_of(library.changes) == [("created", "a/b"), ("replaced", "a/b"), ("deleted", "a/b")]


async def test_a_commit_is_told_with_the_size_and_digest_that_readers_see(library: Library) -> None:
    await store_file(library, "a")
    async with library.open(Key("a")) as reader:
        entry = await library.describe(reader)
    (change,) = await library.changes.after((await library.changes.extent()).pruned)
    assert entry.sha256 is not None
    assert change.content == {"size": 7, "etag": f'"{entry.etag}"', "sha256": entry.sha256.hex()}
    assert abs(change.at_ms / 1000 - time.time()) < PATIENCE_S


async def test_what_is_refused_is_not_told(library: Library) -> None:
    async with library.receive(pieces(b"x"), length=None, max_size=None, digests={}) as received:
        with pytest.raises(PreconditionFailed):
            await library.commit(received, Key("a"), condition=lambda current: current is not None)
    with pytest.raises(NotFound):
        await library.delete(Key("a"))
    assert await all_of(library.changes) == []


async def test_a_commit_that_a_crash_left_at_the_rename_is_told_once_by_the_next_start(tmp_path: Path) -> None:
    store, catalogue = LocalStore(tmp_path), Catalogue(catalogue_path(tmp_path))
    async with library_in(tmp_path):
        pass
    await store.start()
    draft = await store.draft("draft")
    await draft.append(0, pieces(b"content"))
    assert await catalogue.claim(Claim(Key("a"), "token", draft.committed_etag(), b"\1" * 32))
    await draft.commit(Key("a"))
    await store.close()
    await catalogue.close()
    for _ in range(2):
        async with library_in(tmp_path) as library:
            assert await all_of(library.changes) == [("created", "a")]


async def test_a_removal_that_a_crash_cut_off_is_told_where_the_file_is_gone(tmp_path: Path) -> None:
    async with library_in(tmp_path) as library:
        await store_file(library, "gone")
        await store_file(library, "there")
    catalogue = Catalogue(catalogue_path(tmp_path))
    assert await catalogue.claim(Claim(Key("gone"), "one"))
    assert await catalogue.claim(Claim(Key("there"), "other"))
    (tmp_path / "gone").unlink()
    await catalogue.close()
    async with library_in(tmp_path) as library:
        assert await all_of(library.changes) == [("created", "gone"), ("created", "there"), ("deleted", "gone")]
        await store_file(library, "there")  # nobody has the claim any more


async def test_what_a_dead_process_has_done_is_told_while_others_go_on(tmp_path: Path) -> None:
    store, catalogue = LocalStore(tmp_path), Catalogue(catalogue_path(tmp_path))
    async with library_in(tmp_path) as library:
        await store_file(library, "gone")
        await store.start()
        draft = await store.draft("draft")
        await draft.append(0, pieces(b"content"))
        assert await catalogue.claim(Claim(Key("a"), "one", draft.committed_etag(), b"\1" * 32), now_ms=1)
        assert await catalogue.claim(Claim(Key("gone"), "two"), now_ms=1)
        assert await catalogue.claim(Claim(Key("b"), "three", "not come so far", b"\1" * 32), now_ms=1)
        await draft.commit(Key("a"))
        (tmp_path / "gone").unlink()
        for _ in range(2):
            await library.sweep()
        assert sorted(await all_of(library.changes)) == [("created", "a"), ("created", "gone"), ("deleted", "gone")]
        assert [claim.key for claim in await catalogue.claims()] == ["b"]
    await store.close()
    await catalogue.close()


async def test_numbers_go_on_after_a_restart_and_a_new_catalogue_gives_none_again(tmp_path: Path) -> None:
    last = 0
    for is_new_catalogue in (False, False, True):
        if is_new_catalogue:
            for path in tmp_path.glob(".fileserver/catalogue*"):
                path.unlink()
        async with library_in(tmp_path) as library:
            await tell(library.changes, 3)
            given = await library.changes.after(last)
            assert [change.id > last for change in given] == [True] * 3
            assert (await library.changes.extent()).reaches(last) is (last > 0 and not is_new_catalogue)
            last = given[-1].id


async def test_a_feed_in_memory_gives_no_number_of_an_earlier_one() -> None:
    seen: list[int] = []
    for _ in range(2):
        library = Library(MemoryStore(), Catalogue(None), text)
        await library.start()
        await tell(library.changes, 1)
        (change,) = await library.changes.after(seen[-1] if seen else 0)
        assert not seen or not (await library.changes.extent()).reaches(seen[-1])
        seen.append(change.id)
        await library.close()


async def test_a_number_that_was_not_given_yet_is_not_reached(library: Library) -> None:
    extent = await library.changes.extent()
    assert extent.reaches(extent.newest)
    assert not extent.reaches(extent.newest + 1)


async def test_a_catalogue_from_a_backup_does_not_reach_what_its_successor_told(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with library_in(tmp_path) as library:
        await tell(library.changes, 1)
    for path in (tmp_path / ".fileserver").glob("catalogue*"):
        backup.mkdir(exist_ok=True)
        shutil.copy(path, backup)
    async with library_in(tmp_path) as library:
        await tell(library.changes, 1)
        lost = await newest(library.changes)
        await tell(library.changes, 1)
    for path in backup.iterdir():
        shutil.copy(path, tmp_path / ".fileserver")
    async with library_in(tmp_path) as library:
        extent = await library.changes.extent()
        assert extent.pruned < lost < extent.newest
        assert not extent.reaches(lost)


async def test_a_follower_sees_what_was_before_and_what_comes(library: Library) -> None:
    start = await newest(library.changes)
    await tell(library.changes, 2)
    async with aclosing(library.changes.follow(start, quiet_s=PATIENCE_S)) as pages:
        assert numbers(await collected(pages, 2)) == [0, 1]
        await tell(library.changes, 2, first=2)
        assert numbers(await collected(pages, 2)) == [2, 3]


async def test_a_follower_sees_what_another_process_tells(library: Library, tmp_path: Path) -> None:
    other = Catalogue(catalogue_path(tmp_path))
    async with aclosing(library.changes.follow(await newest(library.changes), quiet_s=0.01)) as pages:
        assert await anext(pages) == ()
        await tell(Changes(other), 1)
        assert numbers(await collected(pages, 1)) == [0]
    await other.close()


async def test_followers_at_different_places_each_see_all_once(library: Library) -> None:
    """Also those who were away for longer than is shared among all."""
    start = await newest(library.changes)
    async with aclosing(library.changes.follow(start, quiet_s=PATIENCE_S)) as quick:
        await tell(library.changes, 50)
        assert numbers(await collected(quick, 50)) == list(range(50))
        await tell(library.changes, 20, first=50)
        async with aclosing(library.changes.follow(start, quiet_s=PATIENCE_S)) as late:
            assert numbers(await collected(late, 70)) == list(range(70))
        assert numbers(await collected(quick, 20)) == list(range(50, 70))


async def test_nobody_misses_what_is_told_while_the_first_listener_comes(library: Library) -> None:
    for number in range(30):
        start = await newest(library.changes)
        async with (
            aclosing(library.changes.follow(start, quiet_s=PATIENCE_S)) as pages,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(tell, library.changes, 1, number)
            assert numbers(await collected(pages, 1)) == [number]


async def test_a_quiet_feed_says_so(library: Library) -> None:
    async with aclosing(library.changes.follow(await newest(library.changes), quiet_s=0.01)) as pages:
        assert [await anext(pages), await anext(pages)] == [(), ()]


async def test_a_page_is_as_small_as_what_slow_readers_may_hold(library: Library) -> None:
    start = await newest(library.changes)
    for number in range(250):
        await library.changes.add(NewChange("job", None, {"number": number}))
    async with aclosing(library.changes.follow(start, quiet_s=10)) as pages:
        assert [len(await anext(pages)) for _ in range(3)] == [100, 100, 50]


async def test_a_page_of_long_changes_has_fewer_of_them(library: Library) -> None:
    start = await newest(library.changes)
    for number in range(5):
        await library.changes.add(NewChange("job", None, {"number": number, "text": "x" * 400_000}))
    page = await library.changes.after(start)
    assert numbers(page) == [0, 1, 2]
    assert numbers(await library.changes.after(page[-1].id)) == [3, 4]


async def test_what_is_too_old_is_dropped_and_not_reached_any_more(library: Library) -> None:
    start = await newest(library.changes)
    await store_file(library, "a")
    await store_file(library, "b")
    await library.changes.prune(most=1)
    assert await all_of(library.changes) == [("created", "b")]
    assert not (await library.changes.extent()).reaches(start)
    await library.changes.prune(lifetime_s=0)
    extent = await library.changes.extent()
    assert await library.changes.after(0) == ()
    assert extent.reaches(extent.newest)


async def test_what_is_kept_is_reached(library: Library) -> None:
    start = await newest(library.changes)
    await store_file(library, "a")
    await library.changes.prune()
    assert (await library.changes.extent()).reaches(start)


async def test_a_file_that_came_by_other_ways_is_replaced_and_not_created(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"by hand")
    await store_file(library, "a")
    assert await all_of(library.changes) == [("replaced", "a")]


async def test_a_feed_that_fails_tells_its_follower(tmp_path: Path) -> None:
    async with library_in(tmp_path) as library:
        pages = library.changes.follow(0, quiet_s=PATIENCE_S)
        catalogue_path(tmp_path).write_bytes(b"no database any more" * 1000)
        with pytest.raises(StoreUnavailable):
            await anext(pages)


async def test_a_change_without_its_commit_is_not_seen(tmp_path: Path) -> None:
    """The row and what it tells of are one transaction: a reader finds the file where the feed names it."""
    store = LocalStore(tmp_path)
    await store.start()
    await put(store, "a", b"content")
    await store.close()
    async with library_in(tmp_path) as library:
        assert await all_of(library.changes) == []


async def test_what_was_said_about_a_file_goes_with_it_when_others_move_it(tmp_path: Path) -> None:
    async with library_in(tmp_path) as library:
        for key in ("a/1", "a/2", "ab", "b/1"):
            await store_file(library, key)
            await library.comments.add(Key(key), NewComment(f"of {key}"))
        (tmp_path / "b/1").unlink()
        (tmp_path / "a").rename(tmp_path / "c")
        await library.changes.add(NewChange("moved", Key("c/"), {"from": "a/"}))
        (tmp_path / "c/2").rename(tmp_path / "b/1")
        await library.changes.add(NewChange("moved", Key("b/1"), {"from": "c/2"}))
        for key, said in (("c/1", "of a/1"), ("b/1", "of a/2"), ("ab", "of ab")):
            page = await library.comments.page(Key(key), after=0, limit=10)
            assert [comment.text for comment in page.comments] == [said]
