"""Comments on files that were removed past the server: they wait for a while, then they are swept away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import Catalogue, CommentSweep, Key, MemoryStore, NewComment, StoreUnavailable
from storage.catalogue import Claim
from tests.storage.commenting import FILM, LOG, LOST, fill, left, store_file
from tests.storage.sites import Site, site_in, site_in_memory, site_of


@pytest.fixture(params=["local", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A server with two files."""
    async with site_in(tmp_path) if request.param == "local" else site_in_memory() as opened:
        await store_file(opened, FILM)
        await store_file(opened, LOG)
        yield opened


async def test_comments_on_files_that_were_removed_by_others_are_swept_away_at_the_second_look(site: Site) -> None:
    await fill(site, [FILM, LOG, Key("films"), Key("log/below")])
    await site.store.delete(LOG)
    sweep = CommentSweep(site.store, site.catalogue, grace_s=0)
    await sweep.sweep()
    assert len(await left(site.catalogue)) == 4
    await sweep.sweep()
    assert await left(site.catalogue) == {FILM}


async def test_a_file_that_is_gone_for_a_while_keeps_its_comments(site: Site) -> None:
    await fill(site, [FILM, LOG])
    await site.store.delete(FILM)
    await site.store.delete(LOG)
    patient, sweep = (CommentSweep(site.store, site.catalogue, grace_s=grace_s) for grace_s in (3600, 0))
    for _ in range(3):
        await patient.sweep()
    assert await left(site.catalogue) == {FILM, LOG}
    await sweep.sweep()
    await store_file(site, FILM)
    await sweep.sweep()
    assert await left(site.catalogue) == {FILM}


async def test_what_is_said_about_a_later_file_of_the_name_stays(site: Site) -> None:
    await fill(site, [LOG])
    await site.store.delete(LOG)
    sweep = CommentSweep(site.store, site.catalogue, grace_s=0)
    await sweep.sweep()
    await store_file(site, LOG)
    await site.library.comments.add(LOG, NewComment("about the later one"))
    await site.store.delete(LOG)
    await sweep.sweep()
    assert await left(site.catalogue) == {"about the later one"}


async def test_a_file_that_is_just_being_stored_keeps_its_comments(site: Site) -> None:
    await fill(site, [Key("coming")])
    sweep = CommentSweep(site.store, site.catalogue, grace_s=0)
    await sweep.sweep()
    claim = Claim(Key("coming"), "token")
    assert await site.catalogue.claim(claim)
    await sweep.sweep()
    assert await left(site.catalogue) == {"coming"}
    await site.catalogue.release(claim, None)
    for _ in range(2):
        await sweep.sweep()
    assert await left(site.catalogue) == set()


async def test_a_sweep_comes_round_to_every_file(site: Site) -> None:
    await fill(site, [FILM, *(Key(f"gone/{number}") for number in range(10)), LOG, LOST])
    sweep = CommentSweep(site.store, site.catalogue, grace_s=0, at_once=3)
    for _ in range(12):
        await sweep.sweep()
    assert await left(site.catalogue) == {FILM, LOG}


class Failing(MemoryStore):
    """A store whose medium has failed, as it says when it is asked for that."""

    async def check(self) -> None:
        """Say so."""
        raise StoreUnavailable("the disk is away")


async def test_a_store_that_has_failed_has_lost_no_file() -> None:
    async with site_of(Failing(), Catalogue(None)) as site:
        await fill(site, [FILM])
        sweep = CommentSweep(site.store, site.catalogue, grace_s=0)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await sweep.sweep()
        assert await left(site.catalogue) == {FILM}
