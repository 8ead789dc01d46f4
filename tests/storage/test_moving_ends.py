"""Moves and copies whose clients leave in their midst, or whose processes die."""

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import anyio
import pytest

from storage import (
    Catalogue,
    Entry,
    Folder,
    Key,
    LocalStore,
    NotFound,
    NotKept,
)
from tests.storage.moved import SHA256, described, said_about, say_about, store_file, told
from tests.storage.sites import Site, awaits_of, cancelled_at, catalogue_path, site_in, site_of

_STEP = 6  # every wait that may be the last one would take over a minute


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_in(tmp_path) as opened:
        yield opened


async def test_whoever_leaves_in_the_midst_of_a_move_or_copy_leaves_it_done_or_undone(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        await store_file(site, "f/a")
        moving = site.library.moving
        works: list[tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]] = [
            (partial(moving.move, Key("f/a"), Key("f/b")), partial(moving.move, Key("f/b"), Key("f/a"))),
            (
                partial(moving.move_folder, Folder("f/"), Folder("g/")),
                partial(moving.move_folder, Folder("g/"), Folder("f/")),
            ),
        ]
        for forth, back in works:
            most = await awaits_of(forth())
            await back()
            for number in range(1, most + 1, _STEP):
                await cancelled_at(number, forth())
                with anyio.CancelScope(shield=True):
                    with suppress(NotFound):
                        await back()
                assert (await described(site, "f/a")).sha256 == SHA256
        assert await site.catalogue.claims() == ()


async def test_whoever_leaves_in_the_midst_of_a_copy_leaves_no_draft(site: Site, tmp_path: Path) -> None:
    await store_file(site, "a")
    most = await awaits_of(site.library.moving.copy(Key("a"), Key("b")))
    for number in range(1, most + 1):
        await cancelled_at(number, site.library.moving.copy(Key("a"), Key("b")))
        assert await site.store.drafts() == {}
        assert (await described(site, "b")).sha256 == SHA256
    assert await site.catalogue.claims() == ()
    links = {os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()}
    assert not links & {f"{tmp_path}/a", f"{tmp_path}/b"}


@pytest.mark.parametrize("is_renamed", [True, False])
@pytest.mark.parametrize(("old", "new"), [("f/a", "g/a"), ("f/", "g/")])
async def test_a_start_ends_the_move_of_a_process_that_died(
    tmp_path: Path, is_renamed: bool, old: str, new: str
) -> None:
    await _move_and_die(tmp_path, old, new, is_renamed=is_renamed)
    key = "g/a" if is_renamed else "f/a"
    async with site_in(tmp_path) as site:
        assert await site.catalogue.claims() == ()
        now = await described(site, key)
        assert (now.etag, now.sha256) == (SHA256.hex(), SHA256)
        assert await said_about(site, key) == (["word"], 4.0)
        assert (await told(site))[-1].kind == ("moved" if is_renamed else "comment")
        assert await site.catalogue.keys_with_digests("", limit=10) == (key,)


@pytest.mark.parametrize(("old", "new"), [("f/a", "g/a"), ("f/", "g/")])
@pytest.mark.parametrize("is_swept", [True, False])
async def test_another_process_ends_it_when_its_lease_is_over(
    tmp_path: Path, old: str, new: str, is_swept: bool
) -> None:
    async with site_in(tmp_path) as site:
        await _move_and_die(tmp_path, old, new, is_renamed=True)
        _expire_claims(tmp_path)
        if is_swept:
            await site.library.sweep()
        await store_file(site, "f/a", b"another")
        assert (await described(site, "g/a")).sha256 == SHA256
        assert await said_about(site, "g/a") == (["word"], 4.0)
        assert await said_about(site, "f/a") == ([], 0.0)


async def test_no_digest_is_kept_of_a_file_that_was_replaced_before_the_start(tmp_path: Path) -> None:
    await _move_and_die(tmp_path, "f/a", "b", is_renamed=True)
    (tmp_path / "b").unlink()
    (tmp_path / "b").write_bytes(b"another")
    async with site_in(tmp_path) as site:
        assert (await described(site, "b")).sha256 is None


class DyingStore(LocalStore):
    """One whose process comes no further than to a rename, or than just past it."""

    def __init__(self, root: Path, *, is_renamed: bool) -> None:
        super().__init__(root)
        self._is_renamed = is_renamed

    async def move(self, old: Key, new: Key, *, is_replacing: bool) -> Entry:
        if self._is_renamed:
            await super().move(old, new, is_replacing=is_replacing)
        raise NotKept("the process is gone")

    async def move_folder(self, old: Folder, new: Folder, *, is_replacing: bool) -> bool:
        if self._is_renamed:
            await super().move_folder(old, new, is_replacing=is_replacing)
        raise NotKept("the process is gone")


async def _move_and_die(root: Path, old: str, new: str, *, is_renamed: bool) -> None:
    """Store a file of which something is known, and begin to move it, or its folder."""
    async with site_of(DyingStore(root, is_renamed=is_renamed), Catalogue(catalogue_path(root))) as site:
        await store_file(site, "f/a")
        await say_about(site, "f/a", "word")
        with pytest.raises(NotKept):
            if old.endswith("/"):
                await site.library.moving.move_folder(Folder(old), Folder(new))
            else:
                await site.library.moving.move(Key(old), Key(new))
        assert len(await site.catalogue.claims()) == 2


def _expire_claims(root: Path) -> None:
    with closing(sqlite3.connect(catalogue_path(root), timeout=10)) as connection, connection:
        connection.execute("UPDATE claims SET expires_at_ms = 0")
