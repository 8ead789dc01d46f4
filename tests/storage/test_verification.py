"""Every file against its digest: intact, damaged, missing, or foreign."""

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from storage import (
    Catalogue,
    Finding,
    InvalidKey,
    Key,
    Library,
    LocalStore,
    MemoryStore,
    Pace,
    Rereader,
    Span,
    StoreUnavailable,
    Verification,
)
from storage.memory import MemoryReader
from tests.storage.conftest import pieces, put

SHA256 = hashlib.sha256(b"content").digest()


@dataclass(frozen=True, slots=True)
class House:
    """A library on files, and all that a verification needs."""

    root: Path
    store: LocalStore
    catalogue: Catalogue
    library: Library
    rereader: Rereader

    def verification(self, prefix: str = "", *, is_learning: bool = False, parallel: int = 1) -> Verification:
        learn = self.library.learn_digest if is_learning else None
        return Verification(self.store, self.catalogue, self.rereader, prefix, learn, parallel)

    async def upload(self, key: str, content: bytes = b"content") -> None:
        async with self.library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
            await self.library.commit(received, Key(key))

    async def findings(self, prefix: str = "", *, is_learning: bool = False, parallel: int = 1) -> list[Finding]:
        asked = self.verification(prefix, is_learning=is_learning, parallel=parallel)
        async with aclosing(asked.findings()) as findings:
            return [finding async for finding in findings]

    async def kinds(self, prefix: str = "", *, is_learning: bool = False) -> dict[str, str]:
        return {finding.key: finding.kind for finding in await self.findings(prefix, is_learning=is_learning)}

    def misremember(self, key: str) -> None:
        """Make the catalogue promise other bytes than the file has: for a reader, the same as bytes that rotted."""
        with sqlite3.connect(self.root / ".fileserver" / "catalogue.sqlite3") as connection:
            for table in ("digests", "learned_digests"):
                connection.execute(f"UPDATE {table} SET sha256 = ? WHERE key = ?", (bytes(32), key.encode()))
        connection.close()


@asynccontextmanager
async def house_in(root: Path) -> AsyncIterator[House]:
    store, catalogue = LocalStore(root), Catalogue(root / ".fileserver" / "catalogue.sqlite3")
    library = Library(store, catalogue, lambda head, name: "text/plain")
    await library.start()
    rereader = Rereader(Pace(), threads=2)
    try:
        yield House(root, store, catalogue, library, rereader)
    finally:
        rereader.close()
        await library.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as opened:
        yield opened


async def test_each_file_is_intact_damaged_missing_or_foreign(house: House) -> None:
    for key in ("changed", "damaged", "folder/intact", "folder/missing"):
        await house.upload(key)
    (house.root / "foreign").write_bytes(b"content")
    (house.root / "changed").write_bytes(b"other content")
    (house.root / "folder" / "missing").unlink()
    house.misremember("damaged")
    assert await house.findings() == [
        Finding("foreign", Key("changed"), 13),
        Finding("damaged", Key("damaged"), 7, bytes(32), SHA256),
        Finding("intact", Key("folder/intact"), 7, SHA256, SHA256),
        Finding("foreign", Key("foreign"), 7),
        Finding("missing", Key("folder/missing")),
    ]


async def test_a_folder_where_a_file_was_is_a_missing_file(house: House) -> None:
    await house.upload("a")
    (house.root / "a").unlink()
    (house.root / "a").mkdir()
    assert await house.kinds() == {"a": "missing"}


async def test_learned_digests_are_compared_next_time_and_the_etag_stays(house: House) -> None:
    (house.root / "a").write_bytes(b"content")
    before = await house.library.stat(Key("a"))
    assert await house.findings(is_learning=True) == [Finding("foreign", Key("a"), 7, None, SHA256)]
    assert await house.kinds() == {"a": "intact"}
    assert before is not None
    assert await house.library.stat(Key("a")) == replace(before, sha256=SHA256)
    house.misremember("a")
    assert await house.kinds() == {"a": "damaged"}


async def test_a_file_changed_by_other_ways_can_be_learned_again(house: House) -> None:
    await house.upload("a")
    (house.root / "a").write_bytes(b"changed")
    assert await house.kinds(is_learning=True) == {"a": "foreign"}
    assert await house.kinds() == {"a": "intact"}


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("", ["a", "b/c", "b/d/e", "b1", "b/gone"]),
        ("b", ["b/c", "b/d/e", "b1", "b/gone"]),
        ("b/", ["b/c", "b/d/e", "b/gone"]),
        ("b/d", ["b/d/e"]),
        ("b/d/e", ["b/d/e"]),
        ("b/gone", ["b/gone"]),
        ("c", []),
        ("c/d/", []),
    ],
)
async def test_a_prefix_bounds_what_is_looked_at(house: House, prefix: str, keys: list[str]) -> None:
    for key in ("a", "b/c", "b/d/e", "b/gone", "b1"):
        await house.upload(key)
    (house.root / "b" / "gone").unlink()
    assert list(await house.kinds(prefix)) == keys


@pytest.mark.parametrize("prefix", ["../", "/a", "a/../b/", ".fileserver/"])
async def test_a_prefix_outside_the_folder_is_refused(house: House, prefix: str) -> None:
    with pytest.raises(InvalidKey):
        await house.findings(prefix)


async def test_names_that_are_no_utf8_are_found_as_well(house: House) -> None:
    names = [b"\xff", "\U0001f600".encode(), b"a\n", "\ue000".encode()]
    for name in names:
        (Path(os.fsdecode(os.fsencode(house.root) + b"/" + name))).write_bytes(b"content")
    await house.findings(is_learning=True)
    assert set((await house.kinds()).values()) == {"intact"}
    for name in names:
        os.unlink(os.fsencode(house.root) + b"/" + name)
    assert await house.kinds() == {os.fsdecode(name): "missing" for name in names}


async def test_the_extent_is_what_will_be_read(house: House) -> None:
    await house.upload("known", b"12345")
    (house.root / "foreign").write_bytes(b"123")
    extent = await house.verification().extent()
    assert (extent.files, extent.size) == (1, 5)
    extent = await house.verification(is_learning=True).extent()
    assert (extent.files, extent.size) == (2, 8)


async def test_every_byte_that_is_read_is_told_of(house: House) -> None:
    await house.upload("large", os.urandom(2_500_000))
    await house.upload("small", b"12345")
    read: list[tuple[str, int]] = []
    async with aclosing(house.verification().findings(lambda key, size: read.append((key, size)))) as findings:
        assert [finding.kind async for finding in findings] == ["intact", "intact"]
    assert read == [("large", 1 << 20), ("large", 1 << 20), ("large", 2_500_000 - (2 << 20)), ("small", 5)]


async def test_many_at_a_time_are_told_of_in_order(house: House) -> None:
    for number in range(30):
        (house.root / f"{number:02}").write_bytes(os.urandom(1000 * (30 - number)))
    found = await house.findings(is_learning=True, parallel=8)
    assert [finding.key for finding in found] == [f"{number:02}" for number in range(30)]


async def test_a_file_that_is_being_uploaded_is_no_fault(house: House) -> None:
    async def upload() -> None:
        for number in range(30):
            await house.upload("a", b"%d" % number * 1000)

    uploading = asyncio.create_task(upload())
    kinds = set()
    while not uploading.done():
        kinds |= set((await house.kinds()).values())
    await uploading
    assert kinds <= {"intact"}


@pytest.mark.usefixtures("open_descriptors")
async def test_leaving_in_the_midst_closes_what_was_opened(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house:
        for number in range(9):
            (tmp_path / f"{number}").write_bytes(bytes(5_000_000))
        async with aclosing(house.verification(is_learning=True, parallel=4).findings()) as findings:
            async for _ in findings:
                break


async def test_a_medium_that_rotted_in_a_store_without_files() -> None:
    store, catalogue = MemoryStore(), Catalogue(None)
    library, rereader = Library(store, catalogue, lambda head, name: "text/plain"), Rereader(Pace(), threads=1)
    await library.start()
    for key in ("a", "b"):
        await put(store, key, b"content")
        assert await library.learn_digest(await store.stat(Key(key)), SHA256)
    rotted = (await store.open(Key("b"))).entry
    store._files[Key("b")] = MemoryReader(rotted, b"contemt")
    verification = Verification(store, catalogue, rereader)
    assert [finding.kind async for finding in verification.findings()] == ["intact", "damaged"]
    rereader.close()
    await library.close()


class Unreadable(MemoryStore):
    """A store whose medium gives no bytes."""

    async def open(self, key: Key) -> MemoryReader:
        return UnreadableReader((await super().open(key)).entry, b"")


class UnreadableReader(MemoryReader):
    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        raise StoreUnavailable("Input/output error")
        yield b""


async def test_bytes_that_cannot_be_read_are_damage_where_they_were_promised() -> None:
    store, catalogue = Unreadable(), Catalogue(None)
    library, rereader = Library(store, catalogue, lambda head, name: "text/plain"), Rereader(Pace(), threads=1)
    await library.start()
    for key in ("foreign", "known"):
        await put(store, key, b"content")
    assert await library.learn_digest(await store.stat(Key("known")), SHA256)
    verification = Verification(store, catalogue, rereader, learn=library.learn_digest)
    assert [finding async for finding in verification.findings()] == [
        Finding("foreign", Key("foreign"), 7),
        Finding("damaged", Key("known"), 7, SHA256, None),
    ]
    rereader.close()
    await library.close()
