"""The order of writes: what readers, rivals and the next start see at each moment."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from storage import (
    ROOT,
    Catalogue,
    DigestMismatch,
    Entry,
    FolderInTheWay,
    Key,
    Library,
    LocalStore,
    MemoryStore,
    NotFound,
    PreconditionFailed,
    StoreUnavailable,
    TooLarge,
)
from storage.catalogue import Claim
from tests.storage.conftest import content_of, pieces, put

SHA256 = hashlib.sha256(b"content").digest()


def text(_head: bytes, _name: str) -> str:
    return "text/plain"


@asynccontextmanager
async def library_in(root: Path) -> AsyncIterator[Library]:
    store = LocalStore(root)
    library = Library(store, Catalogue(root / ".fileserver" / "catalogue.sqlite3"), text)
    await library.start()
    try:
        yield library
    finally:
        await library.close()


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    async with library_in(tmp_path) as opened:
        yield opened


async def store_file(library: Library, key: str, content: bytes = b"content") -> tuple[Entry, bool]:
    async with library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
        return await library.commit(received, Key(key))


async def described(library: Library, key: str) -> Entry:
    async with library.open(Key(key)) as reader:
        return await library.describe(reader)


async def test_a_committed_file_has_its_digest_as_etag_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with library_in(tmp_path) as library:
        entry, is_new = await store_file(library, "a/b")
        assert is_new
        assert (entry.etag, entry.sha256) == (SHA256.hex(), SHA256)
        assert (await described(library, "a/b")).etag == entry.etag
    async with library_in(tmp_path) as library:
        again = await described(library, "a/b")
        assert (again.etag, again.sha256, again.media_type) == (entry.etag, SHA256, "text/plain")


async def test_the_etag_is_the_digest_already_between_rename_and_record(tmp_path: Path) -> None:
    store, catalogue = LocalStore(tmp_path), Catalogue(tmp_path / ".fileserver" / "catalogue.sqlite3")
    library = Library(store, catalogue, text)
    await library.start()
    draft = await store.draft("d")
    await draft.append(0, pieces(b"content"))
    claim = Claim(Key("a"), "token", draft.committed_etag(), SHA256)
    assert await catalogue.claim(claim)
    committed = await draft.commit(Key("a"))
    between = await library.stat(Key("a"))
    await catalogue.release(claim, committed)
    after = await library.stat(Key("a"))
    assert between is not None
    assert after is not None
    assert between.etag == after.etag == SHA256.hex()
    await library.close()


async def test_a_start_after_a_crash_drops_drafts_and_ends_claims(tmp_path: Path) -> None:
    path = tmp_path / ".fileserver" / "catalogue.sqlite3"
    store, catalogue = LocalStore(tmp_path), Catalogue(path)
    await store.start()
    await catalogue.start()
    renamed = await store.draft("renamed")
    await renamed.append(0, pieces(b"content"))
    assert await catalogue.claim(Claim(Key("a"), "t1", renamed.committed_etag(), SHA256))
    await renamed.commit(Key("a"))
    unfinished = await store.draft("unfinished")
    await unfinished.append(0, pieces(b"conte"))
    assert await catalogue.claim(Claim(Key("b"), "t2", unfinished.committed_etag(), SHA256))
    await unfinished.close()
    await catalogue.close()
    await store.close()

    async with library_in(tmp_path) as library:
        assert (await described(library, "a")).sha256 == SHA256
        with pytest.raises(NotFound):
            await described(library, "b")
        assert list((tmp_path / ".fileserver" / "drafts").iterdir()) == []
        await store_file(library, "b")


async def test_a_second_server_leaves_the_first_ones_drafts_alone(library: Library, tmp_path: Path) -> None:
    async with library.receive(pieces(b"content"), length=7, max_size=None, digests={}) as received:
        async with library_in(tmp_path):
            pass
        await library.commit(received, Key("a"))
    assert (await described(library, "a")).size == 7


async def test_a_file_edited_in_place_loses_its_digest_and_gets_another_etag(library: Library, tmp_path: Path) -> None:
    entry, _ = await store_file(library, "a")
    (tmp_path / "a").write_bytes(b"edited!")
    edited = await described(library, "a")
    assert edited.sha256 is None
    assert edited.etag != entry.etag


async def test_a_replaced_file_is_not_new(library: Library) -> None:
    await store_file(library, "a", b"old")
    _, is_new = await store_file(library, "a", b"new")
    assert not is_new


async def test_the_media_type_is_found_out_once_for_each_version(tmp_path: Path) -> None:
    looks: list[str] = []

    def detect(head: bytes, name: str) -> str:
        looks.append(name)
        return f"test/{len(head)}"

    library = Library(LocalStore(tmp_path), Catalogue(tmp_path / ".fileserver" / "c"), detect)
    await library.start()
    (tmp_path / "foreign").write_bytes(b"12345")
    for _ in range(3):
        assert (await described(library, "foreign")).media_type == "test/5"
    (tmp_path / "foreign").write_bytes(b"1234567")
    assert (await described(library, "foreign")).media_type == "test/7"
    assert looks == ["foreign", "foreign"]
    await library.close()


async def test_a_digest_learned_while_a_file_is_looked_at_is_known_to_the_next_look() -> None:
    def detect(_head: bytes, _name: str) -> str:
        assert anyio.from_thread.run(library.learn_digest, entry, SHA256)
        return "text/plain"

    store = MemoryStore()
    library = Library(store, Catalogue(None), detect)
    await library.start()
    await put(store, "a", b"content")
    entry = await store.stat(Key("a"))
    assert (await described(library, "a")).sha256 is None
    assert (await described(library, "a")).sha256 == SHA256
    await library.close()


async def test_a_listing_carries_what_is_known(library: Library, tmp_path: Path) -> None:
    entry, _ = await store_file(library, "a")
    (tmp_path / "foreign").write_bytes(b"x")
    listed = await library.list(ROOT, is_recursive=False, after="", limit=9)
    assert listed[0] == replace(entry, identity=listed[0].identity)  # type: ignore[union-attr]
    assert listed[1].sha256 is None  # type: ignore[union-attr]


async def test_a_listing_carries_what_is_known_of_names_that_are_no_utf8(library: Library, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"x")  # its text comes before the other's, its bytes come after
    await store_file(library, "\U0001f600")
    listed = await library.list(ROOT, is_recursive=False, after="", limit=9)
    assert [each.sha256 for each in listed] == [None, SHA256]  # type: ignore[union-attr]


async def test_a_listing_carries_what_was_found_out_when_a_file_was_asked_for(library: Library, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"x")
    await store_file(library, "d")
    asked = await described(library, "b")
    listed = await library.list(ROOT, is_recursive=False, after="", limit=9)
    assert [each.media_type for each in listed] == [None, "text/plain", None, None]  # type: ignore[union-attr]
    assert listed[1] == asked
    assert listed[3].sha256 == SHA256  # type: ignore[union-attr]


@pytest.mark.parametrize(("is_failing", "expected"), [(False, 1), (True, 5)])
async def test_a_sound_library_is_believed_for_a_second_and_a_failed_one_is_looked_at_each_time(
    is_failing: bool, expected: int
) -> None:
    looks = 0

    class Watched(MemoryStore):
        async def check(self) -> None:
            nonlocal looks
            looks += 1
            if is_failing:
                raise StoreUnavailable

    library = Library(Watched(), Catalogue(None), text)
    await library.start()
    for _ in range(5):
        with pytest.raises(StoreUnavailable) if is_failing else nullcontext():
            await library.check()
    await library.close()
    assert looks == expected


@pytest.mark.parametrize("digests", [{"sha256": bytes(32)}, {"sha512": bytes(64)}, {"sha256": SHA256, "sha512": b""}])
async def test_other_bytes_than_promised_store_nothing(
    library: Library, tmp_path: Path, digests: dict[str, bytes]
) -> None:
    with pytest.raises(DigestMismatch):
        async with library.receive(pieces(b"content"), length=None, max_size=None, digests=digests):
            pass
    assert list((tmp_path / ".fileserver" / "drafts").iterdir()) == []


async def test_the_promised_bytes_are_taken(library: Library) -> None:
    digests = {"sha256": SHA256, "sha512": hashlib.sha512(b"content").digest()}
    async with library.receive(pieces(b"content"), length=None, max_size=None, digests=digests) as received:
        assert received.sha256 == SHA256


async def test_more_bytes_than_allowed_store_nothing(library: Library, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        async with library.receive(pieces(b"12345", b"67"), length=None, max_size=6, digests={}):
            pass
    assert list((tmp_path / ".fileserver" / "drafts").iterdir()) == []


async def test_of_many_creators_of_one_key_exactly_one_wins(library: Library) -> None:
    outcomes: list[bool] = []

    async def create(number: int) -> None:
        async with library.receive(pieces(b"%d" % number), length=None, max_size=None, digests={}) as received:
            try:
                await library.commit(received, Key("a"), condition=lambda current: current is None)
            except PreconditionFailed:
                outcomes.append(False)
            else:
                outcomes.append(True)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(create, number)
    assert sorted(outcomes) == [False] * 19 + [True]


async def test_commits_of_one_key_by_two_servers_queue_up(library: Library, tmp_path: Path) -> None:
    async with library_in(tmp_path) as other, anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(store_file, library, "a", b"one-%d" % number)
            tasks.start_soon(store_file, other, "a", b"two-%d" % number)
    last = await described(library, "a")
    async with library.open(Key("a")) as reader:
        assert hashlib.sha256(await content_of(reader)).digest() == last.sha256


async def test_a_claim_whose_holder_died_is_taken_over_after_its_lease(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c")
    await catalogue.start()
    first = Claim(Key("a"), "first")
    assert await catalogue.claim(first, now_ms=1_000)
    assert await catalogue.expired_claims(Key("a"), now_ms=60_999) == ()
    assert await catalogue.expired_claims(Key("a"), now_ms=61_001) == (first,)
    library = Library(LocalStore(tmp_path / "root"), catalogue, text)
    (tmp_path / "root").mkdir()
    await library.start()
    await catalogue.claim(first, now_ms=1_000)
    await store_file(library, "a")
    assert (await described(library, "a")).sha256 == SHA256
    await library.close()


async def test_a_commit_goes_on_when_its_client_leaves(library: Library) -> None:
    async with library.receive(pieces(b"content"), length=None, max_size=None, digests={}) as received:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await library.commit(received, Key("a"))
    assert (await described(library, "a")).sha256 == SHA256
    await store_file(library, "a", b"the claim was freed")


async def test_a_deleted_file_is_forgotten(library: Library) -> None:
    await store_file(library, "a")
    await library.delete(Key("a"))
    assert await library.stat(Key("a")) is None
    with pytest.raises(NotFound):
        await library.delete(Key("a"))


async def test_a_delete_whose_condition_fails_changes_nothing(library: Library) -> None:
    await store_file(library, "a")
    with pytest.raises(PreconditionFailed):
        await library.delete(Key("a"), condition=lambda current: False)
    assert (await described(library, "a")).sha256 == SHA256


async def test_a_folder_in_the_way_is_known_before_a_byte_is_taken(library: Library) -> None:
    await store_file(library, "folder/a")
    with pytest.raises(FolderInTheWay):
        await library.stat(Key("folder"))


async def test_a_library_in_memory_works_too() -> None:
    store = MemoryStore()
    library = Library(store, Catalogue(None), text)
    await library.start()
    await put(store, "a", b"content")
    await store_file(library, "b")
    assert (await described(library, "a")).media_type == "text/plain"
    assert (await described(library, "b")).etag == SHA256.hex()
    await library.close()


async def test_a_catalogue_in_memory_outlives_cancelled_questions() -> None:
    store = MemoryStore()
    library = Library(store, Catalogue(None), text)
    await library.start()
    for number in range(200):
        await put(store, f"{number:03}", b"x")
    for number in range(40):
        with anyio.move_on_after(number / 5000):
            await library.list(ROOT, is_recursive=False, after="", limit=200)
            await library.stat(Key("001"))
    assert (await described(library, "001")).media_type == "text/plain"
    await library.close()


async def test_two_starts_at_once_both_find_the_newest_schema(tmp_path: Path) -> None:
    async def start() -> None:
        async with library_in(tmp_path) as library:
            await library.stat(Key("a"))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(start)
