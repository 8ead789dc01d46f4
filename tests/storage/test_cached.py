"""What is answered on the event loop, and what is left to a thread."""

import asyncio
import errno
import os
import subprocess
from pathlib import Path

import pytest

from storage import Key, LocalStore, StoreDamaged, beneath
from storage.cached import is_local, read_cached
from tests.storage.conftest import content_of

SIZE = 1 << 20


@pytest.fixture
def cold(tmp_path: Path) -> Path:
    """A file that is on the disk and not in memory."""
    path = tmp_path / "cold"
    path.write_bytes(os.urandom(SIZE))
    forget(path)
    if is_in_memory(path):
        pytest.skip("this file system keeps its files in memory")
    return path


@pytest.fixture
def warm(tmp_path: Path) -> Path:
    """A file that is in memory."""
    path = tmp_path / "warm"
    path.write_bytes(bytes(SIZE))
    if not is_in_memory(path):
        pytest.skip("this file system cannot say what it has in memory")
    return path


def is_in_memory(path: Path) -> bool:
    """Whether all of a file can be read at once."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return is_local(descriptor) and read_cached(descriptor, path.stat().st_size, 0) is not None
    finally:
        os.close(descriptor)


def forget(path: Path) -> None:
    """Drop a file from the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def test_a_name_that_the_kernel_has_not_looked_up_is_left_to_a_thread() -> None:
    child = subprocess.Popen(["sleep", "60"])
    processes = os.open("/proc", os.O_RDONLY)
    try:
        with pytest.raises(BlockingIOError):
            os.close(beneath.open_cached(processes, f"{child.pid}/limits", os.O_RDONLY))
        os.close(beneath.open_beneath(processes, f"{child.pid}/limits", os.O_RDONLY))
    finally:
        os.close(processes)
        child.kill()
        child.wait()


@pytest.mark.parametrize("path", ["link", "linked/a", "../a", "folder/../../a", "a/below"])
def test_from_memory_no_link_is_followed_and_the_directory_is_not_left(path: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    for folder in (tmp_path, root):
        (folder / "a").write_bytes(b"a")
    (root / "link").symlink_to("a")
    (root / "linked").symlink_to(tmp_path)
    descriptor = os.open(root, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as refusal:
            os.close(beneath.open_cached(descriptor, path, os.O_RDONLY))
        assert refusal.value.errno in {errno.ELOOP, errno.ENOTDIR, errno.EAGAIN}
    finally:
        os.close(descriptor)


def test_only_file_systems_of_this_machine_are_asked_on_the_loop() -> None:
    descriptor = os.open("/proc", os.O_RDONLY)
    assert not is_local(descriptor)
    os.close(descriptor)
    assert not is_local(-1)


def test_bytes_in_memory_are_read_and_none_beyond_the_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)
    try:
        assert read_cached(descriptor, 4, 3) in (b"3456", None)  # None where the file system cannot say
        assert read_cached(descriptor, 4, 8) is None
        assert read_cached(descriptor, 4, 20) is None
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("chunk_size", [1000, 65_536, SIZE, SIZE * 2])
async def test_a_cold_file_is_read_exactly(local: LocalStore, cold: Path, chunk_size: int) -> None:
    reader = await local.open(Key(cold.name))
    content = await content_of(reader, chunk_size)
    await reader.close()
    assert content == cold.read_bytes()


async def test_a_file_that_is_partly_in_memory_is_read_exactly(local: LocalStore, cold: Path) -> None:
    with cold.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # nothing is read ahead
        for offset in range(0, SIZE, SIZE // 8):
            os.pread(file.fileno(), 10_000, offset)
    reader = await local.open(Key(cold.name))
    sizes, content = [], b""
    async for chunk in reader.chunks(range(5, SIZE - 5), 30_000):
        sizes.append(len(chunk))
        content += chunk
    await reader.close()
    assert content == cold.read_bytes()[5:-5]
    assert set(sizes[:-1]) == {30_000}


@pytest.mark.usefixtures("open_descriptors")
async def test_a_cold_read_that_is_cancelled_leaves_no_descriptor(local: LocalStore, cold: Path) -> None:
    for turns in range(20):
        forget(cold)
        reader = await local.open(Key(cold.name))
        reading = asyncio.ensure_future(content_of(reader, 10_000))
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await reader.close()


async def test_a_warm_file_that_shrinks_is_damaged_within_its_chunks(local: LocalStore, warm: Path) -> None:
    reader = await local.open(Key(warm.name))
    size = 0
    with pytest.raises(StoreDamaged):
        async for chunk in reader.chunks(range(SIZE), 1000):
            size += len(chunk)
            os.truncate(warm, 10_000)
    assert size == 10_000
    await reader.close()


async def test_a_large_chunk_is_left_to_a_thread(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 * SIZE))
    reader = await local.open(Key("large"))
    descriptor = reader.fileno()
    assert descriptor is not None
    assert read_cached(descriptor, 2 * SIZE, 0) is None
    assert [len(chunk) async for chunk in reader.chunks(range(3 * SIZE), 2 * SIZE)] == [2 * SIZE, SIZE]
    await reader.close()


async def test_a_caller_that_never_waits_leaves_turns_to_others(local: LocalStore, warm: Path) -> None:
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.ensure_future(another())
    reader = await local.open(Key(warm.name))
    await content_of(reader, 10_000)
    await reader.close()
    other.cancel()
    assert turns >= SIZE // 10_000 - 1


async def test_opening_and_reading_a_small_warm_file_takes_no_thread(local: LocalStore, warm: Path) -> None:
    async def whole() -> bytes:
        reader = await local.open(Key(warm.name))
        content = await content_of(reader, SIZE)
        await reader.close()
        return content

    with pytest.raises(StopIteration) as end:
        whole().send(None)  # one step, since nothing is waited for
    assert end.value.value == bytes(SIZE)
