"""The background's work: digests learned gently, once, by one process; damage noticed; what an end leaves behind."""

import hashlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from storage import (
    Catalogue,
    Damaged,
    Entry,
    Event,
    Failed,
    Hashed,
    Job,
    Key,
    Library,
    LocalStore,
    MemoryStore,
    StoreUnavailable,
    Upkeep,
)
from storage.catalogue import Claim
from storage.ledger import Ledger
from storage.remembered import Remembered, version_of
from tests.storage.conftest import pieces, put

SHA256 = hashlib.sha256(b"content").digest()
LONG_AGO = (1_000_000_000, 1_000_000_000)


@dataclass(slots=True)
class House:
    """One process's library on a folder, and what its background work says."""

    root: Path
    store: LocalStore
    catalogue: Catalogue
    library: Library
    events: list[Event] = field(default_factory=list)

    def copy_in(self, key: str, content: bytes = b"content") -> Path:
        """A file that comes in by another way, as `cp -p` does it."""
        path = self.root / key
        path.write_bytes(content)
        os.utime(path, LONG_AGO)
        return path

    async def upload(self, key: str, content: bytes = b"content") -> None:
        async with self.library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
            await self.library.commit(received, Key(key))

    async def entry(self, key: str) -> Entry:
        async with self.library.open(Key(key)) as reader:
            return await self.library.describe(reader)

    async def knows(self, key: str) -> None:
        """Wait until the file's digest is known."""
        with anyio.fail_after(20):
            while (await self.entry(key)).sha256 is None:
                await anyio.sleep(0.01)

    @property
    def hashed(self) -> list[str]:
        return [event.key for event in self.events if isinstance(event, Hashed)]

    @property
    def damaged(self) -> list[str]:
        return [event.finding.key for event in self.events if isinstance(event, Damaged)]

    def change(self, statement: str, *values: bytes | str | int) -> None:
        """Change the catalogue behind everybody's back."""
        connection = sqlite3.connect(self.root / ".fileserver" / "catalogue.sqlite3", timeout=10)
        with connection:
            connection.execute(statement, values)
        connection.close()

    def rows(self, statement: str) -> list[tuple[bytes, ...]]:
        """What the catalogue holds."""
        connection = sqlite3.connect(self.root / ".fileserver" / "catalogue.sqlite3", timeout=10)
        rows = connection.execute(statement).fetchall()
        connection.close()
        return rows

    @asynccontextmanager
    async def kept_up(
        self,
        *,
        hash_rate: int | None = None,
        scrub_period_s: float | None = None,
        jobs: tuple[Job, ...] = (),
        lease_s: float = 60.0,
        settled_s: float = 5.0,
    ) -> AsyncIterator[None]:
        upkeep = Upkeep(
            self.library,
            self.store,
            self.catalogue,
            hash_rate=hash_rate,
            scrub_period_s=scrub_period_s,
            report=self.events.append,
            jobs=jobs,
            job_pause_s=0.01,
            lease_s=lease_s,
            settled_s=settled_s,
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(upkeep.run)
            yield
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def house_in(root: Path, *, is_kept: bool = True) -> AsyncIterator[House]:
    store = LocalStore(root, is_writable=is_kept)
    catalogue = Catalogue(root / ".fileserver" / "catalogue.sqlite3" if is_kept else None)
    library = Library(store, catalogue, lambda head, name: "text/plain")
    await library.start()
    try:
        yield House(root, store, catalogue, library)
    finally:
        await library.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as opened:
        yield opened


async def until(is_so: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not is_so():
            await anyio.sleep(0.01)


class Called:
    """A job that counts, and fails when it is told to."""

    def __init__(self, error: StoreUnavailable | None = None) -> None:
        self.count = 0
        self.error = error

    async def __call__(self) -> None:
        self.count += 1
        if self.error is not None:
            raise self.error


async def test_files_that_came_in_by_other_ways_are_hashed_and_keep_their_etag(house: House) -> None:
    house.copy_in("a")
    (house.root / "folder").mkdir()
    house.copy_in("folder/b", b"other")
    before = await house.entry("a")
    async with house.kept_up():
        await until(lambda: set(house.hashed) == {"a", "folder/b"})
        await house.knows("folder/b")
    after = await house.entry("a")
    assert (before.sha256, after.sha256) == (None, SHA256)
    assert after.etag == before.etag


async def test_what_is_known_is_not_hashed_again_and_uploads_never_are(house: House) -> None:
    house.copy_in("a")
    await house.upload("b")
    async with house.kept_up(settled_s=0):
        await house.knows("a")
    house.copy_in("z")  # of a walk the last one
    async with house.kept_up(settled_s=0):
        await house.knows("z")
    assert house.hashed == ["a", "z"]


async def test_a_changed_file_is_hashed_again(house: House) -> None:
    house.copy_in("a")
    async with house.kept_up():
        await house.knows("a")
        house.copy_in("a", b"changed")
        await house.knows("a")
    assert house.hashed == ["a", "a"]
    assert (await house.entry("a")).sha256 == hashlib.sha256(b"changed").digest()


async def test_a_file_that_was_written_to_just_now_waits(house: House) -> None:
    path = house.copy_in("a")
    path.write_bytes(b"content")
    house.copy_in("b")
    async with house.kept_up(settled_s=60):
        await house.entry("a")
        await house.knows("b")
        assert house.hashed == ["b"]
        os.utime(path, LONG_AGO)
        await house.knows("a")


async def test_a_file_from_the_future_does_not_wait(house: House) -> None:
    os.utime(house.copy_in("a"), (5_000_000_000, 5_000_000_000))
    async with house.kept_up():
        await house.knows("a")


@pytest.mark.parametrize("change", ["append", "overwrite", "replace", "remove", "upload"])
async def test_a_file_changed_while_it_is_hashed_is_not_recorded(house: House, change: str) -> None:
    path = house.copy_in("a", bytes(2_000_000))
    async with house.kept_up(hash_rate=1_000_000):
        await until(lambda: is_open(path))
        match change:
            case "append":
                with path.open("ab") as file:
                    file.write(b"more")
            case "overwrite":
                with path.open("r+b") as file:
                    file.write(b"other")
            case "replace":
                (house.root / "b").write_bytes(bytes(2_000_000))
                os.replace(house.root / "b", path)
            case "remove":
                await house.library.delete(Key("a"))
            case "upload":
                await house.upload("a")
        await until(lambda: house.hashed == ["a"])
        house.copy_in("c")
        await house.knows("c")
    assert house.rows("SELECT key FROM learned_digests") == [(b"c",)]


async def test_a_digest_is_not_recorded_for_what_is_being_removed(house: House) -> None:
    house.copy_in("a")
    entry = await house.store.stat(Key("a"))
    claim = Claim(Key("a"), "removing")
    assert await house.catalogue.claim(claim)
    assert not await house.library.learn_digest(entry, SHA256)
    await house.catalogue.release(claim, None)
    assert await house.library.learn_digest(entry, SHA256)
    await house.library.delete(Key("a"))
    assert not await house.library.learn_digest(entry, SHA256)
    assert house.rows("SELECT key FROM learned_digests") == []


async def test_a_digest_learned_elsewhere_is_asked_for_after_a_while() -> None:
    store = MemoryStore()
    await put(store, "a", b"content")
    entry = await store.stat(Key("a"))
    for unknown_s, expected in ((60.0, entry), (-1.0, None)):
        remembered = Remembered(unknown_s)
        remembered.keep(entry)
        assert remembered.recall(version_of(entry)) == expected
    known = replace(entry, sha256=SHA256)
    remembered.keep(known)
    assert remembered.recall(version_of(entry)) == known


async def test_nothing_is_hashed_at_a_rate_of_0(house: House) -> None:
    house.copy_in("a")
    async with house.kept_up(hash_rate=0, jobs=(job := Called(),)):
        await house.entry("a")
        await until(lambda: job.count > 0)
    assert house.hashed == []


async def test_with_a_catalogue_in_memory_only_what_was_asked_for_is_hashed(tmp_path: Path) -> None:
    async with house_in(tmp_path, is_kept=False) as house:
        house.copy_in("a")
        house.copy_in("b")
        async with house.kept_up():
            await house.knows("b")
        assert house.hashed == ["b"]


async def test_of_two_processes_one_hashes_also_what_the_other_is_asked_for(tmp_path: Path) -> None:
    async with house_in(tmp_path) as first, house_in(tmp_path) as second:
        first.copy_in("a")
        async with first.kept_up(), second.kept_up(lease_s=60):
            await first.knows("a")
            first.copy_in("b")  # after the walk: nobody would look for it for minutes
            assert (await second.entry("b")).sha256 is None
            await until(lambda: first.hashed == ["a", "b"])
        assert second.hashed == []
        assert second.events == []
        assert first.rows("SELECT key FROM wanted_digests") == []


async def test_another_process_takes_over_at_once_from_one_that_ended(tmp_path: Path) -> None:
    async with house_in(tmp_path) as first, house_in(tmp_path) as second:
        async with first.kept_up(jobs=(job := Called(),)):
            await until(lambda: job.count > 0)
            assert not await Ledger(second.catalogue, "second").lease(60)
        second.copy_in("a")
        async with second.kept_up():
            await second.knows("a")


async def test_another_process_takes_over_from_one_that_died_when_its_lease_ends(house: House) -> None:
    dead, living = Ledger(house.catalogue, "dead"), Ledger(house.catalogue, "living")
    assert await dead.lease(60, now_ms=1_000)
    assert await dead.lease(60, now_ms=2_000)
    assert not await living.lease(60, now_ms=61_999)
    assert await living.lease(60, now_ms=62_001)
    assert not await dead.lease(60, now_ms=62_002)
    await dead.end_lease()
    assert not await dead.lease(60, now_ms=62_003)

    await living.end_lease()
    assert await dead.lease(1)
    house.copy_in("a")
    async with house.kept_up(lease_s=0.5):
        await house.knows("a")


async def test_who_starts_alone_waits_for_nobody(tmp_path: Path) -> None:
    async with house_in(tmp_path) as killed:
        assert await Ledger(killed.catalogue, "killed").lease(1000)
    async with house_in(tmp_path) as house:
        house.copy_in("a")
        async with house.kept_up():
            await house.knows("a")


async def test_who_loses_the_lease_stops(house: House) -> None:
    path = house.copy_in("a", bytes(20_000_000))
    async with house.kept_up(hash_rate=1_000_000, lease_s=0.3):
        await until(lambda: is_open(path))
        house.change("UPDATE upkeep SET token = 'other', expires_at_ms = ?", 1 << 60)
        await until(lambda: not is_open(path))
    assert house.hashed == []


@pytest.mark.usefixtures("open_descriptors")
async def test_an_end_does_not_wait_for_a_large_file(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house:
        path = house.copy_in("a", bytes(20_000_000))
        async with house.kept_up(hash_rate=1):
            await until(lambda: is_open(path))
        assert not is_open(path)
        assert house.events == []


async def test_a_scrub_tells_of_damage_and_of_nothing_else(house: House) -> None:
    await house.upload("damaged")
    await house.upload("intact")
    await house.upload("changed")
    await house.upload("missing")
    house.copy_in("foreign")
    (house.root / "changed").write_bytes(b"other")
    (house.root / "missing").unlink()
    house.copy_in("learned")
    await house.library.learn_digest(await house.store.stat(Key("learned")), SHA256)
    house.change("UPDATE digests SET sha256 = ? WHERE key = ?", bytes(32), b"damaged")
    async with house.kept_up(hash_rate=0, scrub_period_s=0.001):
        await until(lambda: "learned" in house.hashed)
    assert house.hashed == ["damaged", "intact", "learned"]
    assert house.damaged == ["damaged"]


async def test_a_scrub_goes_on_where_it_was_left(house: House) -> None:
    for key in ("a", "b", "c"):
        await house.upload(key)
    for expected in (["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "a"]):
        async with house.kept_up(hash_rate=0, scrub_period_s=10_000):
            await until(lambda: len(house.hashed) == len(expected))  # noqa: B023
        assert house.hashed == expected
        if expected[-1] == "c":
            assert house.rows("SELECT scrubbed FROM upkeep") == [(b"c",)]
            async with house.kept_up(hash_rate=0, scrub_period_s=10_000, jobs=(job := Called(),)):
                await until(lambda: job.count > 0)
                await until(lambda: house.rows("SELECT scrubbed FROM upkeep") == [(b"",)])


async def test_jobs_are_done_and_their_failures_told_of(house: House) -> None:
    bad, good = Called(StoreUnavailable("no")), Called()
    async with house.kept_up(hash_rate=0, jobs=(bad, good)):
        await until(lambda: good.count > 1)
    assert bad.count == good.count
    assert house.events == [Failed("job", bad.error)] * bad.count  # type: ignore[arg-type]


async def test_a_catalogue_that_fails_is_told_of_and_asked_again(house: House) -> None:
    house.copy_in("a")
    house.change("ALTER TABLE upkeep RENAME TO away")
    async with house.kept_up(lease_s=0.1):
        await until(lambda: len(house.events) > 1)
        house.change("ALTER TABLE away RENAME TO upkeep")
        await house.knows("a")
    assert {event.work for event in house.events if isinstance(event, Failed)} == {"lease"}


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    for link in Path("/proc/self/fd").iterdir():
        try:
            if os.readlink(link) == str(path):
                return True
        except FileNotFoundError:
            continue
    return False
