"""Where people have stopped: who keeps it for whom, and that it outlives no file."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import anyio.lowlevel
import pytest
from sqlalchemy import create_engine, inspect

from storage import Catalogue, Entry, IsFolder, Key, MemoryStore, NotFound, StoreUnavailable, schema
from storage.catalogue import Claim
from storage.change import NewChange, add_change
from storage.migrations import upgrade
from storage.position import NewPosition, Position
from storage.positions import Positions, PositionSweep
from tests.storage.commenting import FILM, LOG, LOST, store_file
from tests.storage.sites import Site, cancelled_at, catalogue_path, site_in, site_in_memory, site_of

NEW = NewPosition(5400.25, 7200.0)


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server with two files."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        await store_file(opened, FILM)
        await store_file(opened, LOG)
        yield opened


def positions_of(site: Site, *, max_owners: int = 10_000) -> Positions:
    return Positions(site.store, site.catalogue, max_owners=max_owners)


async def seconds(site: Site, key: Key, owner: str) -> float:
    return (await positions_of(site).get(key, owner)).position_s


async def left(site: Site) -> set[tuple[str, str]]:
    """The keys and owners of all positions, whether their files are there or not."""
    columns = schema.positions.c
    async with site.catalogue.reading() as connection:
        rows = await connection.execute(schema.positions.select().with_only_columns(columns.key, columns.owner))
        return {(key, owner) for key, owner in rows}


async def test_a_position_is_there_after_a_restart_and_nobody_elses(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        await store_file(site, FILM)
        await positions_of(site).keep(FILM, "ada", NEW)
    async with site_in(tmp_path) as site:
        kept = await positions_of(site).get(FILM, "ada")
        assert (kept.position_s, kept.duration_s, kept.is_finished) == (5400.25, 7200.0, False)
        assert await positions_of(site).get(FILM, "eve") == Position()


async def test_the_last_one_counts(site: Site) -> None:
    positions = positions_of(site)
    await positions.keep(FILM, "ada", NEW)
    await positions.keep(FILM, "ada", NewPosition(7199.5, is_finished=True))
    kept = await positions.get(FILM, "ada")
    assert (kept.position_s, kept.duration_s, kept.is_finished) == (7199.5, None, True)
    assert await left(site) == {(FILM, "ada")}


async def test_what_is_told_of_a_position() -> None:
    assert Position(1.5, None, True, 1_700_000_000_123).told() == {
        "position": 1.5,
        "duration": None,
        "finished": True,
        "updated": "2023-11-14T22:13:20.123Z",
    }
    assert Position().told() == {"position": 0.0, "duration": None, "finished": False, "updated": None}


@pytest.mark.parametrize(("key", "error"), [("missing", NotFound), ("log/below", NotFound), ("films", IsFolder)])
async def test_nobody_is_anywhere_in_what_is_no_file(site: Site, key: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await positions_of(site).keep(Key(key), "ada", NEW)
    with pytest.raises(error):
        await positions_of(site).get(Key(key), "ada")
    assert await left(site) == set()


async def test_a_name_that_is_no_utf_8_is_like_any_other(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        (tmp_path / str(LOST)).write_bytes(b"content")
        await positions_of(site).keep(LOST, "ada", NEW)
        assert await seconds(site, LOST, "ada") == NEW.position_s


async def test_of_too_many_the_oldest_are_forgotten(site: Site) -> None:
    positions = positions_of(site, max_owners=2)
    for owner in ("ada", "eve", "bob"):
        await positions.keep(FILM, owner, NEW)
        await _age(site)
    await positions.keep(LOG, "eve", NEW)
    assert await left(site) == {(FILM, "eve"), (FILM, "bob"), (LOG, "eve")}
    await positions.keep(FILM, "eve", NEW)
    await _age(site)
    await positions.keep(FILM, "ada", NEW)
    assert await left(site) == {(FILM, "eve"), (FILM, "ada"), (LOG, "eve")}


async def _age(site: Site) -> None:
    """Let all positions be a second older."""
    async with site.catalogue.changing() as connection:
        at_ms = schema.positions.c.at_ms
        await connection.execute(schema.positions.update().values(at_ms=at_ms - 1000))


async def test_somebody_can_begin_anew(site: Site) -> None:
    for owner in ("ada", "eve"):
        await positions_of(site).keep(FILM, owner, NEW)
    await positions_of(site).forget(FILM, "ada")
    assert await left(site) == {(FILM, "eve")}


async def test_a_removed_file_takes_its_positions_along_and_no_others(site: Site) -> None:
    await positions_of(site).keep(FILM, "ada", NEW)
    await positions_of(site).keep(LOG, "ada", NEW)
    await site.library.delete(FILM)
    assert await left(site) == {(LOG, "ada")}


async def test_a_new_version_of_a_file_keeps_them(site: Site) -> None:
    await positions_of(site).keep(FILM, "ada", NEW)
    await store_file(site, FILM)
    assert await seconds(site, FILM, "ada") == NEW.position_s


async def test_positions_follow_a_moved_file_over_those_of_the_one_it_replaces(site: Site) -> None:
    await positions_of(site).keep(FILM, "ada", NEW)
    await positions_of(site).keep(LOG, "ada", NewPosition(1))
    await positions_of(site).keep(LOG, "eve", NewPosition(2))
    async with site.catalogue.keeping() as connection:
        await add_change(connection, NewChange("moved", LOG, {"from": FILM}))
    assert await left(site) == {(LOG, "ada")}
    assert await seconds(site, LOG, "ada") == NEW.position_s


async def test_positions_follow_a_moved_folder(site: Site) -> None:
    await positions_of(site).keep(FILM, "ada", NEW)
    await positions_of(site).keep(LOG, "ada", NEW)
    async with site.catalogue.keeping() as connection:
        await add_change(connection, NewChange("moved", Key("seen/"), {"from": "films/"}))
    assert await left(site) == {(Key("seen/film.mp4"), "ada"), (LOG, "ada")}


async def test_what_is_kept_during_a_removal_goes_with_the_file(site: Site) -> None:
    claim = Claim(FILM, "token")
    assert await site.catalogue.claim(claim)
    await positions_of(site).keep(FILM, "ada", NEW)
    await site.store.delete(FILM)
    await site.catalogue.release_removed(claim)
    assert await left(site) == set()


class Vanishing(MemoryStore):
    """A store whose file somebody else removes, just before it is looked for the second time."""

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


@pytest.mark.parametrize("number", range(30))
async def test_a_position_takes_itself_back_when_its_file_has_gone_meanwhile(number: int) -> None:
    store = Vanishing()
    async with site_of(store, Catalogue(None)) as site:
        await store_file(site, FILM)
        store.looks_left = 2
        with suppress(NotFound):
            await cancelled_at(number, positions_of(site).keep(FILM, "ada", NEW))
        assert await left(site) == set()


async def test_positions_in_files_that_others_removed_are_swept_away_at_the_second_look(site: Site) -> None:
    for key in (FILM, LOG):
        await positions_of(site).keep(key, "ada", NEW)
    await site.store.delete(LOG)
    patient, sweep = (PositionSweep(site.store, site.catalogue, grace_s=grace_s) for grace_s in (3600, 0))
    for _ in range(3):
        await patient.sweep()
    await sweep.sweep()
    assert await left(site) == {(FILM, "ada"), (LOG, "ada")}
    await sweep.sweep()
    assert await left(site) == {(FILM, "ada")}


async def test_a_position_in_a_later_file_of_the_name_is_not_swept_away(site: Site) -> None:
    await positions_of(site).keep(LOG, "ada", NEW)
    await _age(site)
    await site.store.delete(LOG)
    sweep = PositionSweep(site.store, site.catalogue, grace_s=0)
    await sweep.sweep()
    await store_file(site, LOG)
    await positions_of(site).keep(LOG, "eve", NEW)
    await site.store.delete(LOG)
    await sweep.sweep()
    assert await left(site) == {(LOG, "eve")}


class Failing(MemoryStore):
    """A store whose medium has failed."""

    async def check(self) -> None:
        """Say so."""
        raise StoreUnavailable("the disk is away")


async def test_a_store_that_has_failed_has_lost_no_file() -> None:
    async with site_of(Failing(), Catalogue(None)) as site:
        await store_file(site, FILM)
        await positions_of(site).keep(FILM, "ada", NEW)
        await site.store.delete(FILM)
        sweep = PositionSweep(site.store, site.catalogue, grace_s=0)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await sweep.sweep()
        assert await left(site) == {(FILM, "ada")}


async def test_a_catalogue_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = catalogue_path(tmp_path)
    async with site_in(tmp_path) as site:
        await store_file(site, FILM)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE positions")
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
        connection.commit()
    async with site_in(tmp_path) as site:
        await positions_of(site).keep(FILM, "ada", NEW)
        assert await left(site) == {(FILM, "ada")}


def test_the_table_that_a_migration_makes_is_the_one_that_memory_has(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    upgrade(path)
    kept, memory = create_engine(f"sqlite:///{path}"), create_engine("sqlite://")
    schema.metadata.create_all(memory)
    try:
        some, others = (inspect(engine) for engine in (kept, memory))
        described = [
            [(each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns("positions")]
            for found in (some, others)
        ]
        assert described[0] == described[1]
        keys = [found.get_pk_constraint("positions")["constrained_columns"] for found in (some, others)]
        assert keys == [["key", "owner"]] * 2
    finally:
        kept.dispose()
        memory.dispose()
