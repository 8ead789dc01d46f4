"""Moves and copies of files: what is known of them goes along, whoever comes between."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import (
    Catalogue,
    Folder,
    FolderInTheWay,
    Key,
    LocalStore,
    NotFound,
    PreconditionFailed,
    SamePlace,
)
from tests.storage.moved import SHA256, Looking, described, said_about, say_about, store_file, told
from tests.storage.sites import Site, catalogue_path, site_in, site_of


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_in(tmp_path) as opened:
        yield opened


async def test_all_that_is_known_of_a_file_follows_it(site: Site) -> None:
    await store_file(site, "a")
    assert (await described(site, "a")).media_type == "text/plain"
    await say_about(site, "a", "word")
    entry, is_new = await site.library.moving.move(Key("a"), Key("folder/b"))
    assert is_new
    assert (entry.key, entry.etag, entry.sha256) == ("folder/b", SHA256.hex(), SHA256)
    now = await described(site, "folder/b")
    assert (now.etag, now.sha256, now.media_type) == (SHA256.hex(), SHA256, "text/plain")
    assert await said_about(site, "folder/b") == (["word"], 4.0)
    with pytest.raises(NotFound):
        await described(site, "a")
    assert await site.catalogue.claims() == ()


async def test_one_change_tells_of_a_moved_file(site: Site) -> None:
    await store_file(site, "a")
    await site.library.moving.move(Key("a"), Key("b"))
    change = (await told(site))[-1]
    assert (change.kind, change.key) == ("moved", "b")
    assert change.content == {"from": "a", "size": 7, "etag": f'"{SHA256.hex()}"', "sha256": SHA256.hex()}


async def test_what_was_known_of_a_file_that_is_replaced_goes(site: Site) -> None:
    await store_file(site, "a", b"new")
    await store_file(site, "b")
    await say_about(site, "b", "of the old one")
    _, is_new = await site.library.moving.move(Key("a"), Key("b"))
    assert not is_new
    assert await said_about(site, "b") == ([], 0.0)
    assert (await described(site, "b")).sha256 == hashlib.sha256(b"new").digest()


async def test_a_learned_digest_follows_too_and_the_etag_stays(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    before = await described(site, "a")
    assert await site.library.learn_digest(before, SHA256)
    await site.library.moving.move(Key("a"), Key("b"))
    after = await described(site, "b")
    assert (after.etag, after.sha256) == (before.etag, SHA256)


async def test_nothing_is_moved_onto_itself_or_over_what_may_not_be_replaced(site: Site) -> None:
    await store_file(site, "a")
    await store_file(site, "b", b"other")
    with pytest.raises(SamePlace):
        await site.library.moving.move(Key("a"), Key("a"))
    with pytest.raises(PreconditionFailed) as taken:
        await site.library.moving.move(Key("a"), Key("b"), is_replacing=False)
    assert taken.value.key == "b"
    with pytest.raises(PreconditionFailed) as unwanted:
        await site.library.moving.move(Key("a"), Key("c"), condition=lambda current: False)
    assert unwanted.value.key == "a"
    assert await site.catalogue.claims() == ()
    assert (await described(site, "a")).sha256 == SHA256


async def test_a_file_with_two_names_keeps_one_when_moved_to_the_other(site: Site, tmp_path: Path) -> None:
    await store_file(site, "a")
    os.link(tmp_path / "a", tmp_path / "b")
    await site.library.moving.move(Key("a"), Key("b"))
    assert sorted(os.listdir(tmp_path)) == [".fileserver", "b"]


async def test_nothing_leaves_through_a_link(site: Site, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "leaf").symlink_to(outside / "secret")
    await store_file(site, "a")
    moving = site.library.moving
    with pytest.raises(NotFound):
        await moving.move(Key("link/secret"), Key("b"))
    with pytest.raises(NotFound):
        await moving.move(Key("leaf"), Key("b"))
    with pytest.raises(NotFound):
        await moving.copy(Key("leaf"), Key("b"))
    with pytest.raises(NotFound):
        await moving.move_folder(Folder("link/"), Folder("b/"))
    with pytest.raises(FolderInTheWay):
        await moving.move(Key("a"), Key("link/b"))
    with pytest.raises(FolderInTheWay):
        await moving.make_folder(Folder("link/b/"))
    assert os.listdir(outside) == ["secret"]


@pytest.mark.parametrize("is_ours", [True, False])
async def test_an_etag_is_the_same_between_the_rename_and_the_record(site: Site, is_ours: bool, tmp_path: Path) -> None:
    """Whoever looks while a move is under way, and after it."""
    await (store_file(site, "f/a") if is_ours else _write(tmp_path / "f/a"))
    before = await described(site, "f/a")
    looks: list[str] = []
    async with Looking(site, looks, "f/a", "g/a"):
        await site.library.moving.move(Key("f/a"), Key("g/a"))
    async with Looking(site, looks, "g/a", "h/a"):
        await site.library.moving.move_folder(Folder("g/"), Folder("h/"))
    assert looks
    assert set(looks) == {before.etag}
    assert (await described(site, "h/a")).etag == before.etag


async def _write(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"content")


async def test_a_copy_has_the_digest_of_its_source_and_none_of_what_was_said(site: Site) -> None:
    await store_file(site, "a")
    await say_about(site, "a", "word")
    entry, is_new = await site.library.moving.copy(Key("a"), Key("folder/b"))
    assert (entry.etag, is_new) == (SHA256.hex(), True)
    assert (await described(site, "folder/b")).sha256 == SHA256
    assert await said_about(site, "folder/b") == ([], 0.0)
    assert (await said_about(site, "a"))[0] == ["word"]
    assert (await told(site))[-1].kind == "created"
    assert await site.store.drafts() == {}


async def test_a_copy_of_what_nobody_has_hashed_has_no_digest(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    entry, _ = await site.library.moving.copy(Key("a"), Key("b"))
    assert entry.sha256 is None
    assert entry.etag == (await site.store.stat(Key("b"))).etag


async def test_a_copy_of_a_file_that_is_written_to_meanwhile_takes_no_digest(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    async with site_of(store, Catalogue(catalogue_path(tmp_path))) as site:
        await store_file(site, "a")
        async with site.library.open(Key("a")) as reader:
            draft = await store.draft("d")
            os.utime(tmp_path / "a", ns=(1, 1))  # as any writing to it shows
            assert not await draft.take(reader)
            await draft.discard()


async def test_a_refused_copy_leaves_nothing(site: Site) -> None:
    await store_file(site, "a")
    await store_file(site, "b", b"other")
    with pytest.raises(PreconditionFailed):
        await site.library.moving.copy(Key("a"), Key("b"), is_replacing=False)
    with pytest.raises(PreconditionFailed):
        await site.library.moving.copy(Key("a"), Key("c"), condition=lambda current: False)
    with pytest.raises(FolderInTheWay):
        await site.library.moving.copy(Key("a"), Key("b/c"))
    assert await site.content("b") == b"other"
    assert await site.store.drafts() == {}
    assert await site.catalogue.claims() == ()


async def test_a_copied_folder_holds_the_same_empty_folders_included(site: Site) -> None:
    await store_file(site, "a/x")
    await store_file(site, "a/b/y", b"y")
    await site.library.moving.make_folder(Folder("a/empty/"))
    assert await site.library.moving.copy_folder(Folder("a/"), Folder("copy/"))
    assert [await site.content(key) for key in ("copy/x", "copy/b/y", "a/x")] == [b"content", b"y", b"content"]
    assert await site.library.list(Folder("copy/empty/"), is_recursive=False, after="", limit=1) == ()


async def test_a_folder_is_copied_over_no_other(site: Site) -> None:
    await store_file(site, "a/x")
    await store_file(site, "full/y")
    await site.library.moving.make_folder(Folder("empty/"))
    with pytest.raises(FolderInTheWay):
        await site.library.moving.copy_folder(Folder("a/"), Folder("full/"))
    with pytest.raises(PreconditionFailed):
        await site.library.moving.copy_folder(Folder("a/"), Folder("empty/"), is_replacing=False)
    with pytest.raises(NotFound):
        await site.library.moving.copy_folder(Folder("missing/"), Folder("b/"))
    assert not await site.library.moving.copy_folder(Folder("a/"), Folder("empty/"), is_deep=False)
    with pytest.raises(NotFound):
        await site.content("empty/x")
