"""Moves of folders: all that is in them goes along, and commits into them are moved along or come later."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from storage import (
    Folder,
    FolderInTheWay,
    Key,
    KeyBusy,
    Moving,
    NotFound,
    PreconditionFailed,
    SamePlace,
)
from storage.catalogue import Claim
from storage.claiming import Claiming
from tests.storage.conftest import pieces
from tests.storage.moved import SHA256, described, said_about, say_about, store_file, told
from tests.storage.sites import Site, site_in


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_in(tmp_path) as opened:
        yield opened


async def test_all_that_is_known_of_a_folders_files_follows_it(site: Site) -> None:
    for key in ("a/x", "a/b/y", "a0", "a-"):
        await store_file(site, key, key.encode())
        await say_about(site, key, key)
    before = {key: await described(site, key) for key in ("a/x", "a/b/y")}
    assert await site.library.moving.move_folder(Folder("a/"), Folder("new/"))
    for key, new in (("a/x", "new/x"), ("a/b/y", "new/b/y")):
        now = await described(site, new)
        assert (now.etag, now.sha256, now.media_type) == (before[key].etag, before[key].sha256, "text/plain")
        assert (await said_about(site, new))[0] == [key]
    assert (await said_about(site, "a0"))[0] == ["a0"]
    changes = await told(site)
    assert [(each.key, each.content) for each in changes if each.kind == "moved"] == [("new/", {"from": "a/"})]


@pytest.mark.parametrize("new", ["a/", "a/b/", "a/b/c/", ""])
async def test_a_folder_goes_neither_into_itself_nor_over_one_above_it(site: Site, new: str) -> None:
    await store_file(site, "a/b/x")
    for old in ("a/", "a/b/"):
        if new == "a/b/c/" or new.startswith(old) or old.startswith(new):
            with pytest.raises(SamePlace):
                await site.library.moving.move_folder(Folder(old), Folder(new))
            with pytest.raises(SamePlace):
                await site.library.moving.copy_folder(Folder(old), Folder(new))
    assert await site.content("a/b/x") == b"content"


async def test_a_refused_folder_leaves_what_is_known_where_it_was(site: Site) -> None:
    await store_file(site, "a/x")
    await store_file(site, "full/x", b"other")
    with pytest.raises(FolderInTheWay):
        await site.library.moving.move_folder(Folder("a/"), Folder("full/"))
    with pytest.raises(PreconditionFailed):
        await site.library.moving.move_folder(Folder("a/"), Folder("full/"), is_replacing=False)
    assert (await described(site, "a/x")).sha256 == SHA256
    assert (await described(site, "full/x")).sha256 == hashlib.sha256(b"other").digest()
    assert await site.catalogue.claims() == ()


async def test_a_commit_that_has_begun_in_a_folder_is_moved_along(site: Site, tmp_path: Path) -> None:
    await store_file(site, "a/x")
    claim = Claim(Key("a/y"), "token", None, SHA256)
    assert await site.catalogue.claim(claim)
    async with site_in(tmp_path) as other, anyio.create_task_group() as tasks:
        tasks.start_soon(other.library.moving.move_folder, Folder("a/"), Folder("b/"))
        await anyio.sleep(0.2)
        assert await site.content("a/x") == b"content"  # it waits
        draft = await site.store.draft("d")
        await draft.append(0, pieces(b"content"))
        await site.catalogue.release(claim, await draft.commit(Key("a/y")), is_new=True)
    assert (await described(site, "b/y")).sha256 == SHA256
    with pytest.raises(NotFound):
        await site.library.list(Folder("a/"), is_recursive=False, after="", limit=1)


async def test_a_commit_that_comes_later_makes_the_folder_anew(site: Site) -> None:
    await store_file(site, "a/x")
    claims = Claim(Key("a/"), "token"), Claim(Key("b/"), "token")
    assert await site.catalogue.claim(*claims)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store_file, site, "a/y", b"later")
        tasks.start_soon(store_file, site, "b/z", b"later too")
        await anyio.sleep(0.2)
        assert await site.library.stat(Key("a/y")) is None
        assert await site.library.stat(Key("b/z")) is None
        await site.store.move_folder(Folder("a/"), Folder("b/"), is_replacing=False)
        await site.catalogue.give_up(*claims)
    assert [await site.content(key) for key in ("b/x", "a/y", "b/z")] == [b"content", b"later", b"later too"]


async def test_of_files_stored_while_their_folder_moves_none_is_lost(site: Site, tmp_path: Path) -> None:
    await store_file(site, "a/0")
    stored: list[bytes] = []

    async def store_many(server: Site, name: str) -> None:
        for number in range(15):
            content = f"{name}{number}".encode()
            await store_file(server, f"a/{name}{number}", content)
            stored.append(content)

    async with site_in(tmp_path) as other, anyio.create_task_group() as tasks:
        tasks.start_soon(store_many, site, "one")
        tasks.start_soon(store_many, other, "two")
        for number in range(8):
            with anyio.move_on_after(30):
                await site.library.moving.make_folder(Folder("a/"))
                await other.library.moving.move_folder(Folder("a/"), Folder(f"moved{number}/"))
    found = {path.read_bytes(): path for path in tmp_path.rglob("[ot][nw][eo]*") if path.is_file()}
    assert set(found) == set(stored)
    for content, path in found.items():
        entry = await described(site, str(path.relative_to(tmp_path)))
        assert entry.sha256 == hashlib.sha256(content).digest()


async def test_nobody_waits_for_ever_for_a_folder(site: Site) -> None:
    claiming = Claiming(site.store, site.catalogue, patience_s=0.1)
    await store_file(site, "a/x")
    assert await site.catalogue.claim(Claim(Key("a/y"), "somebody"))
    with pytest.raises(KeyBusy):
        await Moving(site.store, site.catalogue, claiming, site.library.stat).move_folder(Folder("a/"), Folder("b/"))
    assert await site.content("a/x") == b"content"
