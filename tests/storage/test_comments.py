"""Words about files: who keeps them, who is told of them, and that none outlives its file."""

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import insert

from storage import Catalogue, Entry, IsFolder, Json, Key, KeyBusy, MemoryStore, NotFound, schema
from storage.about import move_about
from storage.catalogue import Claim
from storage.changes import Changes
from storage.comment import Comment, NewComment
from storage.comments import Comments
from storage.errors import TooManyComments
from tests.storage.commenting import FILM, LOG, LOST, left, row, store_file
from tests.storage.sites import Site, cancelled_at, site_in, site_in_memory, site_of


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server with two files."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        await store_file(opened, FILM)
        await store_file(opened, LOG)
        yield opened


def comments_of(site: Site, *, max_comments: int = 10_000) -> Comments:
    return Comments(site.store, site.catalogue, max_comments=max_comments)


async def texts(site: Site, key: Key) -> list[str]:
    """All that was said about a stored file."""
    return [comment.text for comment in (await comments_of(site).page(key, after=0, limit=1000)).comments]


async def told(site: Site) -> list[tuple[Key | None, dict[str, Json]]]:
    """What the feed says of comments, and of which keys."""
    changes = [change for change in await Changes(site.catalogue).after(0) if change.kind == "comment"]
    contents = [change.content["comment"] for change in changes]
    return [
        (change.key, content) for change, content in zip(changes, contents, strict=True) if isinstance(content, dict)
    ]


async def test_a_comment_is_kept_with_what_it_says_and_is_there_after_a_restart(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        await store_file(site, FILM)
        first = await comments_of(site).add(FILM, NewComment("Listen!\n\tNow", "Ada", media_time_s=61.5))
        second = await comments_of(site).add(FILM, NewComment("é\U0001f600", byte_offset=2**63 - 1))
    assert first == Comment(first.id, FILM, first.at_ms, "Ada", "Listen!\n\tNow", 61.5, None)
    assert second.id > first.id
    async with site_in(tmp_path) as site:
        assert (await comments_of(site).page(FILM, after=0, limit=10)).comments == [first, second]
        assert await comments_of(site).get(FILM, second.id) == second


async def test_what_is_told_of_a_comment() -> None:
    comment = Comment(7, FILM, 1_700_000_000_123, "", "text", None, 5)
    assert comment.told() == {
        "id": 7,
        "key": "films/film.mp4",
        "time": "2023-11-14T22:13:20.123Z",
        "author": None,
        "text": "text",
        "media_time": None,
        "byte_offset": 5,
    }


async def test_the_feed_tells_of_each_comment_and_of_its_removal_once(site: Site) -> None:
    comment = await comments_of(site).add(FILM, NewComment("text"))
    assert await comments_of(site).remove(FILM, comment.id)
    assert not await comments_of(site).remove(FILM, comment.id)
    assert await told(site) == [(FILM, comment.told()), (FILM, {"id": comment.id, "is_deleted": True})]


async def test_a_number_is_never_given_twice(site: Site) -> None:
    first = await comments_of(site).add(FILM, NewComment("text"))
    await comments_of(site).remove(FILM, first.id)
    assert (await comments_of(site).add(LOG, NewComment("text"))).id > first.id


@pytest.mark.parametrize(("key", "error"), [("missing", NotFound), ("log/below", NotFound), ("films", IsFolder)])
async def test_nothing_is_said_about_what_is_no_file(site: Site, key: str, error: type[Exception]) -> None:
    comments = comments_of(site)
    with pytest.raises(error):
        await comments.add(Key(key), NewComment("text"))
    with pytest.raises(error):
        await comments.page(Key(key), after=0, limit=1)
    with pytest.raises(error):
        await comments.get(Key(key), 1)
    assert (await left(site.catalogue), await told(site)) == (set(), [])


async def test_a_comment_is_found_by_the_key_and_the_number(site: Site) -> None:
    comment = await comments_of(site).add(FILM, NewComment("text"))
    assert await comments_of(site).get(LOG, comment.id) is None
    assert not await comments_of(site).remove(LOG, comment.id)
    assert await texts(site, FILM) == ["text"]


async def test_a_name_that_is_no_utf_8_is_commented_on_like_any_other(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        (tmp_path / str(LOST)).write_bytes(b"content")
        comment = await comments_of(site).add(LOST, NewComment("text"))
        assert (await comments_of(site).page(LOST, after=0, limit=1)).comments == [comment]
        assert await told(site) == [(LOST, comment.told())]


async def test_pages_follow_each_other_to_the_end(site: Site) -> None:
    comments = comments_of(site)
    for number in range(5):
        await comments.add(FILM, NewComment(str(number)))
        await comments.add(LOG, NewComment("other"))
    found: list[Comment] = []
    after = 0
    for expected in (["0", "1"], ["2", "3"], ["4"]):
        page = await comments.page(FILM, after=after, limit=2)
        assert [comment.text for comment in page.comments] == expected
        assert page.has_more is (expected != ["4"])
        found, after = [*found, *page.comments], page.comments[-1].id
    assert (await comments.page(FILM, after=0, limit=5)).comments == found
    assert not (await comments.page(FILM, after=0, limit=5)).has_more
    assert (await comments.page(FILM, after=after, limit=2)).comments == []


async def test_a_page_of_long_comments_is_shorter_and_none_is_left_out(site: Site) -> None:
    comments = comments_of(site)
    async with site.catalogue.changing() as connection:
        await connection.execute(insert(schema.comments), [row(FILM, f"{number:04000}") for number in range(150)])
    found: list[str] = []
    while (page := await comments.page(FILM, after=len(found), limit=1000)).comments:
        assert sum(len(comment.text) for comment in page.comments) < 300_000
        found += [comment.text for comment in page.comments]
        assert page.has_more is (len(found) < 150)
    assert found == [f"{number:04000}" for number in range(150)]


async def test_a_file_has_as_many_comments_as_are_allowed(site: Site) -> None:
    comments = comments_of(site, max_comments=2)
    first = await comments.add(FILM, NewComment("first"))
    await comments.add(FILM, NewComment("second"))
    with pytest.raises(TooManyComments):
        await comments.add(FILM, NewComment("third"))
    assert len(await told(site)) == 2
    await comments.add(LOG, NewComment("other"))
    await comments.remove(FILM, first.id)
    await comments.add(FILM, NewComment("fourth"))
    assert await texts(site, FILM) == ["second", "fourth"]


async def test_a_removed_file_takes_its_comments_along_and_no_others(site: Site) -> None:
    await comments_of(site).add(FILM, NewComment("film"))
    await comments_of(site).add(LOG, NewComment("log"))
    await site.library.delete(FILM)
    assert await left(site.catalogue) == {"log"}
    await store_file(site, FILM)
    assert await texts(site, FILM) == []


async def test_a_new_version_of_a_file_keeps_the_comments(site: Site) -> None:
    await comments_of(site).add(FILM, NewComment("text"))
    await store_file(site, FILM)
    assert await texts(site, FILM) == ["text"]


async def test_comments_follow_a_moved_file_over_those_of_the_one_it_replaces(site: Site) -> None:
    await comments_of(site).add(FILM, NewComment("film"))
    await comments_of(site).add(LOG, NewComment("log"))
    async with site.catalogue.keeping() as connection:
        await move_about(connection, FILM, LOG)
    assert (await texts(site, FILM), await texts(site, LOG)) == ([], ["film"])


@pytest.mark.parametrize("is_removed", [True, False])
async def test_a_comment_waits_for_the_end_of_a_removal(site: Site, is_removed: bool) -> None:
    claim = Claim(FILM, "token")
    assert await site.catalogue.claim(claim)
    found: list[bool] = []

    async def say() -> None:
        try:
            await comments_of(site).add(FILM, NewComment("text"))
        except NotFound:
            found.append(False)
        else:
            found.append(True)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(say)
        for _ in range(2):  # looks at the claim
            with anyio.fail_after(10):
                await site.catalogue.changed.next.wait()
        assert (found, await left(site.catalogue)) == ([], set())
        if is_removed:
            await site.store.delete(FILM)
            await site.catalogue.release_removed(claim)
        else:
            await site.catalogue.release(claim, None)
    assert found == [not is_removed]
    assert await left(site.catalogue) == (set() if is_removed else {"text"})


async def test_nobody_waits_for_the_dead(site: Site) -> None:
    assert await site.catalogue.claim(Claim(FILM, "token"), now_ms=1)
    await comments_of(site).add(FILM, NewComment("text"))
    assert await texts(site, FILM) == ["text"]


async def test_a_removal_that_does_not_end_is_not_waited_for_for_ever(site: Site) -> None:
    assert await site.catalogue.claim(Claim(FILM, "token"))
    comments = Comments(site.store, site.catalogue, patience_s=0.05)
    with pytest.raises(KeyBusy):
        await comments.add(FILM, NewComment("text"))
    assert (await left(site.catalogue), await told(site)) == (set(), [])


class Vanishing(MemoryStore):
    """A store whose file somebody else removes, just before it is looked for the n-th time."""

    def __init__(self) -> None:
        super().__init__()
        self.looks_left = 0

    async def stat(self, key: Key) -> Entry:
        """The entry, as ever, and after a wait, as on a disk."""
        await anyio.lowlevel.checkpoint()
        self.looks_left -= 1
        if self.looks_left == 0:
            await self.delete(key)
        return await super().stat(key)


async def test_a_comment_takes_itself_back_when_its_file_has_gone_meanwhile() -> None:
    store = Vanishing()
    async with site_of(store, Catalogue(None)) as site:
        await store_file(site, FILM)
        store.looks_left = 2
        with pytest.raises(NotFound):
            await comments_of(site).add(FILM, NewComment("text"))
        assert await left(site.catalogue) == set()
        assert [content.get("is_deleted") for _, content in await told(site)] == [None, True]


@pytest.mark.parametrize("number", range(1, 40))
async def test_it_does_so_also_for_a_client_that_leaves(number: int) -> None:
    store = Vanishing()
    async with site_of(store, Catalogue(None)) as site:
        await store_file(site, FILM)
        store.looks_left = 2
        with suppress(NotFound):
            await cancelled_at(number, comments_of(site).add(FILM, NewComment("text")))
        assert await left(site.catalogue) == set()


@pytest.mark.parametrize("seed", range(2))
async def test_no_comment_survives_its_file_whoever_comes_first(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with site_in(tmp_path) as site, site_in(tmp_path) as other:
        for number in range(8):
            await store_file(site, FILM)
            async with anyio.create_task_group() as tasks:
                for each in (site, other, site, other):
                    tasks.start_soon(say_until_it_is_gone, each, chance.randrange(4))
                await anyio.sleep(chance.uniform(0, 0.02))
                await chance.choice((site, other)).library.delete(FILM)
            assert await left(site.catalogue) == set(), f"in round {number}"
        assert len(await told(site)) > 8


async def say_until_it_is_gone(site: Site, pauses: int) -> None:
    for _ in range(pauses):
        await anyio.lowlevel.checkpoint()
    while True:
        try:
            await comments_of(site).add(FILM, NewComment("text"))
        except NotFound:
            return


async def test_a_client_that_leaves_leaves_a_comment_or_none_and_the_feed_agrees(site: Site) -> None:
    number = 1
    while await cancelled_at(number, comments_of(site).add(FILM, NewComment(f"{number}"))):
        number += 1
    await comments_of(site).add(FILM, NewComment("last"))  # nothing is held by those that were cancelled
    kept = await texts(site, FILM)
    assert kept[-2:] == [f"{number}", "last"]
    assert [content["text"] for _, content in await told(site)] == kept
