"""What is made of stored files: replaced whole, within a budget, and never in the way."""

import os
from pathlib import Path

import pytest

from fileserver.delivery.disk_cache import DiskCache

BLOCK = 4096


async def grow(cache: DiskCache, name: str, content: bytes) -> bytes:
    """Replace what is kept under a name; what was kept before."""
    async with cache.growing(name) as files:
        known = os.pread(files["index"], 1000, 0) if "index" in files else b""
        os.pwrite(files["new_index"], content, 0)
    return known


async def test_what_was_written_is_there_the_next_time(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", 1 << 20)
    assert await grow(cache, "a", b"one") == b""
    assert await grow(cache, "a", b"two") == b"one"
    assert await cache.read("a") == b"two"
    await cache.write("b", b"three")
    assert (await cache.read("b"), await cache.read("c")) == (b"three", None)


async def test_nothing_written_replaces_nothing(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 1 << 20)
    await cache.write("a", b"one")
    async with cache.growing("a"):
        pass
    assert await cache.read("a") == b"one"
    assert os.listdir(tmp_path) == ["a"]


async def test_a_block_that_fails_replaces_nothing_and_closes_all(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 1 << 20)
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
    cache = DiskCache(tmp_path, 250 + 2 * BLOCK)
    for age, name in ((30, "a"), (20, "b")):
        await cache.write(name, b"x" * 100)
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    assert await cache.read("a")
    await cache.write("c", b"x" * 100)
    assert sorted(os.listdir(tmp_path)) == ["a", "c"]


async def test_what_is_larger_than_all_may_be_drives_nothing_out(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 100 + BLOCK)
    await cache.write("a", b"x" * 50)
    await cache.write("b", b"x" * (101 + BLOCK))
    assert os.listdir(tmp_path) == ["a"]


async def test_small_files_count_as_what_they_take_on_disk(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 20 * BLOCK)
    for number in range(40):
        await cache.write(f"{number:02}", b"x")
        os.utime(tmp_path / f"{number:02}", (1_000_000 + number, 1_000_000 + number))
    assert sorted(os.listdir(tmp_path)) == [f"{number:02}" for number in range(21, 40)]


async def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = DiskCache(tmp_path / "file" / "cache", 1 << 20)
    await cache.write("a", b"one")
    assert await cache.read("a") is None


async def test_what_another_user_put_there_is_not_taken(tmp_path: Path) -> None:
    folder, name = Path("/etc"), "passwd"
    if os.geteuid() == 0:
        folder, name = tmp_path, "a"
        (tmp_path / "a").write_bytes(b"made up")
        os.chown(tmp_path / "a", 65534, 65534)
    assert await DiskCache(folder, 1 << 20).read(name) is None


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "cache").mkdir(0o700)
    (tmp_path / "cache" / "a").symlink_to(tmp_path / "elsewhere")
    assert await grow(DiskCache(tmp_path / "cache", 1 << 20), "a", b"one") == b""
    assert (tmp_path / "elsewhere").read_bytes() == b"secret"
