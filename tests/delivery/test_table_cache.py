"""What is remembered of tables: replaced whole, within a budget, and never in the way."""

import os
from pathlib import Path

import pytest

from fileserver.delivery.table_cache import TableCache


async def grow(cache: TableCache, name: str, content: bytes) -> bytes:
    """Replace what is kept under a name; what was kept before."""
    async with cache.growing(name) as files:
        known = os.pread(files["index"], 1000, 0) if "index" in files else b""
        os.pwrite(files["new_index"], content, 0)
    return known


async def test_what_was_written_is_there_the_next_time(tmp_path: Path) -> None:
    cache = TableCache(tmp_path / "cache")
    assert await grow(cache, "a", b"one") == b""
    assert await grow(cache, "a", b"two") == b"one"
    assert await cache.read("a") == b"two"
    await cache.write("b", b"three")
    assert (await cache.read("b"), await cache.read("c")) == (b"three", None)


async def test_nothing_written_replaces_nothing(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    await cache.write("a", b"one")
    async with cache.growing("a"):
        pass
    assert await cache.read("a") == b"one"
    assert os.listdir(tmp_path) == ["a"]


async def test_a_block_that_fails_replaces_nothing_and_closes_all(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    await cache.write("a", b"one")
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(KeyError):
        async with cache.growing("a") as files:
            os.pwrite(files["new_index"], b"two", 0)
            raise KeyError
    assert await cache.read("a") == b"one"
    assert os.listdir(tmp_path) == ["a"]
    assert set(os.listdir("/proc/self/fd")) == before


async def test_what_was_asked_for_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = TableCache(tmp_path, budget=250)
    for age, name in ((30, "a"), (20, "b")):
        await cache.write(name, b"x" * 100)
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    assert await cache.read("a")
    await cache.write("c", b"x" * 100)
    assert sorted(os.listdir(tmp_path)) == ["a", "c"]


async def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = TableCache(tmp_path / "file" / "cache")
    await cache.write("a", b"one")
    assert await cache.read("a") is None


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "cache").mkdir(0o700)
    (tmp_path / "cache" / "a").symlink_to(tmp_path / "elsewhere")
    assert await grow(TableCache(tmp_path / "cache"), "a", b"one") == b""
    assert (tmp_path / "elsewhere").read_bytes() == b"secret"
