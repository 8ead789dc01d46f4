"""Who dies on the way into the trash or out of it leaves nothing that is not one or the other; nor do many at once."""

import hashlib
import random
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from storage import Folder, Key, NotFound, NotKept, schema
from storage.catalogue import Claim
from tests.storage.foreign_house import house_in
from tests.storage.sites import Site, site_in
from tests.storage.trashing import Step, dying, facts_left, known, places, removed, store, store_known, stored, told

DAY_S = 86_400.0

WAYS_IN: list[Step] = ["begin", "take half", "take"]
WAYS_OUT: list[Step] = ["before give_back", "give_back half", "give_back", "destroy"]


@pytest.mark.parametrize("step", WAYS_IN)
async def test_whoever_dies_on_the_way_into_the_trash_has_removed_some_of_it_or_none(
    step: Step, tmp_path: Path
) -> None:
    async with site_in(tmp_path) as site:
        before = await store_known(site, "a", "b/c", "d", "e/f")
        with pytest.raises(NotKept):
            await dying(site, step).remove(places("a", "b/", "d", "e/"))
        assert (await facts_left(site))["claims"] == 4
    async with site_in(tmp_path) as site:
        gone = {"begin": 0, "take half": 2, "take": 4}[step]
        assert await stored(site) == sorted(before)[gone:]
        assert {key: await known(site, key) for key in await stored(site)} == dict(sorted(before.items())[gone:])
        assert "claims" not in await facts_left(site)
        assert (await told(site)).count("deleted b/") == (gone > 0)
        for each in await site.library.trash.page(before="", limit=10):
            await site.library.trash.restore(each.id)
        assert {key: await known(site, key) for key in before} == before


@pytest.mark.parametrize("step", WAYS_IN)
async def test_whoever_dies_while_a_folder_is_removed_for_good_leaves_all_of_it_or_nothing(
    step: Step, tmp_path: Path
) -> None:
    async with site_in(tmp_path) as site:
        before = await store_known(site, "a/b", "a/c/d")
        with suppress(NotKept):
            await dying(site, step).remove_for_good(Folder("a/"))
    async with site_in(tmp_path) as site:
        is_there = step != "take"
        assert await stored(site) == (sorted(before) if is_there else [])
        assert (await told(site)).count("deleted a/") == (not is_there)
        assert bool(await facts_left(site)) is is_there
        await site.library.trash.sweep(7 * DAY_S)
        assert await site.store.trash.ids() == {}


@pytest.mark.parametrize("step", WAYS_OUT)
async def test_whoever_dies_on_the_way_out_of_the_trash_has_restored_some_of_it(step: Step, tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        before = await store_known(site, "a", "b/c", "d", "e/f")
        removal_id = await removed(site, "a", "b/", "d", "e/")
        with pytest.raises(NotKept):
            await dying(site, step).restore(removal_id)
    async with site_in(tmp_path) as site:
        back = {"before give_back": 0, "give_back half": 2, "give_back": 4, "destroy": 4}[step]
        assert {key: await known(site, key) for key in await stored(site)} == dict(sorted(before.items())[:back])
        assert "claims" not in await facts_left(site)
        assert (await told(site)).count("created b/") == (back > 0)
        with suppress(NotFound):
            await site.library.trash.restore(removal_id)
        assert {key: await known(site, key) for key in before} == before


async def test_a_dead_process_is_waited_for_by_nobody_once_its_claims_are_over(tmp_path: Path) -> None:
    async with site_in(tmp_path) as dead, site_in(tmp_path) as other:
        before = await store_known(dead, "a", "b/c")
        with pytest.raises(NotKept):
            await dying(dead, "take").remove(places("a", "b/"))
        await expire_claims(other)
        await store(other, "a", b"new")
        await store(other, "b/c", b"new")
        (removal,) = await other.library.trash.page(before="", limit=10)
        await other.library.trash.restore(removal.id)
        assert await known(other, "a (restored)") == before["a"]
        assert await known(other, "b (restored)/c") == before["b/c"]


async def expire_claims(site: Site) -> None:
    async with site.catalogue.keeping() as connection:
        await connection.execute(schema.claims.update().values(expires_at_ms=0))


async def test_who_removes_a_folder_waits_for_a_commit_in_it(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        await store(site, "a/b")
        claim = Claim(Key("a/c"), "somebody")
        assert await site.catalogue.claim(claim)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(site.library.trash.remove_for_good, Folder("a/"))
            for _ in range(20):
                await anyio.sleep(0.005)
                assert await stored(site) == ["a/b"]
            await site.catalogue.give_up(claim)
        assert await stored(site) == []


@pytest.mark.parametrize("seed", range(2))
async def test_commits_and_removals_of_one_folder_at_once_agree_in_the_end(seed: int, tmp_path: Path) -> None:
    async with site_in(tmp_path) as first, site_in(tmp_path) as second:
        async with anyio.create_task_group() as tasks:
            for number, site in enumerate((first, second, first)):
                tasks.start_soon(_write_again_and_again, site, random.Random(10 * seed + number))
            tasks.start_soon(_remove_again_and_again, second)
        for removal in await first.library.trash.page(before="", limit=100):
            await first.library.trash.restore(removal.id)
        for key in await stored(first):
            async with first.library.open(Key(key)) as reader:
                content = b"".join([chunk async for chunk in reader.chunks(range(reader.entry.size), 100)])
                described = await first.library.describe(reader)
            assert described.sha256 == hashlib.sha256(content).digest(), key
        assert "claims" not in await facts_left(first)


async def _write_again_and_again(site: Site, chance: random.Random) -> None:
    for number in range(15):
        await store(site, f"folder/{chance.randrange(4)}", f"{number} {chance.random()}".encode())


async def _remove_again_and_again(site: Site) -> None:
    for number in range(12):
        with suppress(NotFound):
            if number % 3:
                await removed(site, "folder/")
            else:
                await site.library.trash.remove_for_good(Folder("folder/"))
        await anyio.sleep(0.01)


async def test_what_we_remove_and_restore_is_told_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder" / "deep").mkdir(parents=True)
    for key in ("a", "folder/b", "folder/deep/c"):
        (root / key).write_bytes(b"content")
    async with house_in(root) as house:
        await house.upload("folder/ours")
        async with house.watched():
            await house.told()
            removal = await house.library.trash.remove(places("a", "folder/"))
            await house.tells("we deleted a", "we deleted folder/")
            await house.library.trash.restore(removal.id)
            await house.tells("we created a", "we created folder/")
            await house.library.trash.remove_for_good(Folder("folder/"))
            await house.tells("we deleted folder/")
            (root / "folder").mkdir()
            (root / "folder" / "b").write_bytes(b"new")
            await house.tells("other created folder/b")
