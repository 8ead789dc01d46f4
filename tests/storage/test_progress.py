"""What transfers tell the feed, and what they do not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from storage import Key
from storage.change import Change, public_name
from storage.progress import PERIOD_S, upload_change
from storage.store import BLOCK
from tests.storage.conftest import pieces
from tests.storage.sites import LIMITS, Site, site_in, site_in_memory


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server of each keeper of bytes."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        yield opened


async def told(site: Site) -> list[Change]:
    """What the feed was told of transfers."""
    return [each for each in await site.library.changes.after(0) if each.kind == "upload"]


async def until_told(site: Site, count: int) -> AsyncIterator[bytes]:
    """Chunks for as long as the feed was not told so often."""
    with anyio.fail_after(30):
        while len(await told(site)) < count:
            yield bytes(BLOCK)
            await anyio.sleep(0.05)


async def lasting() -> AsyncIterator[bytes]:
    """Chunks for as long as it takes until a transfer tells of itself."""
    until_s = anyio.current_time() + PERIOD_S + 0.2
    while anyio.current_time() < until_s:
        yield b"x"
        await anyio.sleep(0.05)


async def receive(site: Site, chunks: AsyncIterator[bytes], *, key: Key | None, length: int | None = None) -> bool:
    """Take in a file that nobody commits."""
    async with site.library.receive(chunks, length=length, max_size=None, digests={}, key=key) as received:
        return received.draft.size > 0


async def test_a_transfer_that_is_soon_over_tells_nothing(site: Site) -> None:
    assert await receive(site, pieces(b"small"), key=Key("a"))
    assert await told(site) == []


async def test_one_that_lasts_tells_how_far_it_is_and_that_it_was_thrown_away(site: Site) -> None:
    await receive(site, until_told(site, 3), key=Key("a"))
    *receiving, last = await told(site)
    offsets = [each.content["offset"] for each in receiving]
    assert [each.content["state"] for each in receiving] == ["receiving"] * 3
    assert offsets == sorted(offsets, key=lambda offset: int(str(offset)))
    assert offsets[-1] != 0
    assert len({each.content["upload"] for each in (*receiving, last)}) == 1
    assert {each.key for each in (*receiving, last)} == {"a"}
    assert (last.content["state"], last.content["offset"]) == ("discarded", offsets[-1])


async def test_one_that_stalls_after_its_first_bytes_can_be_found(site: Site) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b"first"
        with anyio.fail_after(30):
            while not await told(site):
                await anyio.sleep(0.01)

    await receive(site, stalling(), key=Key("a"))
    assert [each.content["state"] for each in await told(site)] == ["receiving", "discarded"]


async def test_it_tells_at_most_once_in_a_while(site: Site) -> None:
    await receive(site, until_told(site, 3), key=Key("a"))
    times = [each.at_ms for each in await told(site) if each.content["state"] == "receiving"]
    assert min(late - early for early, late in pairwise(times)) >= PERIOD_S * 1000 - 200


async def test_what_is_committed_is_not_thrown_away(site: Site) -> None:
    chunks = until_told(site, 1)
    async with site.library.receive(chunks, length=None, max_size=None, digests={}, key=Key("a")) as received:
        await site.library.commit(received, Key("a"))
    assert [each.content["state"] for each in await told(site)] == ["receiving"]
    kinds = [each.kind for each in await site.library.changes.after(0)]
    assert kinds == ["upload", "created"]


async def test_what_is_for_no_key_tells_nothing(site: Site) -> None:
    assert await receive(site, lasting(), key=None)
    assert await told(site) == []


async def test_an_upload_tells_that_it_began_and_that_it_was_given_up(site: Site) -> None:
    upload_id = await site.begin("a", length=10)
    await site.append(upload_id, b"12345")
    async with site.resume(upload_id) as opened:
        await opened.discard()
        await opened.discard()
    said = [dict(each.content) for each in await told(site)]
    name = public_name(upload_id)
    assert said == [
        {"upload": name, "offset": 0, "length": 10, "state": "receiving"},
        {"upload": name, "offset": 5, "length": 10, "state": "discarded"},
    ]
    assert upload_id not in str(said)


async def test_an_upload_in_many_small_pieces_tells_how_far_it_is(site: Site) -> None:
    upload_id = await site.begin("a")
    with anyio.fail_after(30):
        while len(said := await told(site)) < 3:
            await site.append(upload_id, b"piece")
    assert said[0].content["offset"] == 0
    assert int(str(said[1].content["offset"])) < int(str(said[2].content["offset"]))


async def test_an_upload_that_became_a_file_is_not_thrown_away(site: Site) -> None:
    upload_id = await site.begin("a", length=5)
    await site.append(upload_id, b"12345")
    await site.commit(upload_id)
    await site.uploads.cancel(upload_id, owner="owner")
    assert [each.content["state"] for each in await told(site)] == ["receiving"]


async def test_an_upload_left_alone_is_told_to_be_thrown_away(tmp_path: Path) -> None:
    async with site_in(tmp_path, replace(LIMITS, lifetime_s=0.2)) as site:
        await site.begin("a")
        with anyio.fail_after(20):
            while len(said := await told(site)) < 2:
                await site.uploads.sweep()
                await anyio.sleep(0.05)
        assert said[1].content["state"] == "discarded"


async def test_what_a_dead_process_left_is_told_to_be_thrown_away_once(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        for draft_id in ("told", "untold"):
            await (await site.store.draft(draft_id)).close()
        await site.library.changes.add(upload_change("told", Key("a"), 7, 9, state="receiving"))
        for _ in range(2):
            await site.library.sweep()
        content = {"upload": public_name("told"), "offset": 7, "length": 9}
        states = [{**content, "state": state} for state in ("receiving", "discarded")]
        assert [each.content for each in await told(site)] == states


async def test_a_feed_that_cannot_be_told_harms_no_transfer(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        async with site.catalogue.keeping() as connection:
            await connection.exec_driver_sql("ALTER TABLE changes RENAME TO gone")

        assert await receive(site, lasting(), key=Key("a"))
