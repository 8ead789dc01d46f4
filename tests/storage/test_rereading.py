"""Whole files read for their digests: right, past the page cache, gently, and not at all when nobody waits."""

import asyncio
import ctypes
import hashlib
import os
import platform
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Key, LocalStore, MemoryStore, Pace, Rereader, StoreDamaged
from tests.storage.conftest import put
from tests.storage.test_cached import forget, is_in_memory

MIB = 1 << 20
SIZES = [0, 1, 4095, 4096, MIB - 1, MIB, MIB + 1, 3 * MIB + 5]


@pytest.fixture
def rereader() -> Iterator[Rereader]:
    opened = Rereader(Pace(), threads=1)
    yield opened
    opened.close()


async def sha256(store: LocalStore | MemoryStore, rereader: Rereader, key: str) -> bytes:
    reader = await store.open(Key(key))
    try:
        return await rereader.sha256(reader)
    finally:
        await reader.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("folder", [None, "/dev/shm"])
async def test_the_digest_is_right_on_a_disk_and_where_it_cannot_be_read_directly(
    rereader: Rereader, size: int, folder: str | None
) -> None:
    content = os.urandom(size)
    with tempfile.TemporaryDirectory(dir=folder) as root:
        (Path(root) / "a").write_bytes(content)
        store = LocalStore(Path(root), is_writable=False)
        await store.start()
        assert await sha256(store, rereader, "a") == hashlib.sha256(content).digest()
        await store.close()


@pytest.mark.parametrize("size", SIZES)
async def test_the_digest_is_right_in_a_store_without_files(rereader: Rereader, size: int) -> None:
    store, content = MemoryStore(), os.urandom(size)
    await put(store, "a", content)
    assert await sha256(store, rereader, "a") == hashlib.sha256(content).digest()


async def test_a_file_read_for_its_digest_pushes_no_other_out_of_memory(
    local: LocalStore, rereader: Rereader, tmp_path: Path
) -> None:
    for name in ("cold", "another"):
        (tmp_path / name).write_bytes(os.urandom(MIB))
        forget(tmp_path / name)
    if is_in_memory(tmp_path / "another"):  # the look itself makes the kernel read ahead
        pytest.skip("this file system keeps its files in memory")
    await sha256(local, rereader, "cold")
    assert not is_in_memory(tmp_path / "cold")


async def test_a_file_that_shrinks_has_no_digest(local: LocalStore, rereader: Rereader, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3 * MIB))
    reader = await local.open(Key("a"))
    os.truncate(tmp_path / "a", 2 * MIB)
    with pytest.raises(StoreDamaged):
        await rereader.sha256(reader)
    await reader.close()


async def test_a_file_that_grows_is_read_to_the_length_it_was_opened_with(
    local: LocalStore, rereader: Rereader, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"content")
    reader = await local.open(Key("a"))
    with (tmp_path / "a").open("ab") as file:
        file.write(bytes(MIB))
    assert await rereader.sha256(reader) == hashlib.sha256(b"content").digest()
    await reader.close()


async def test_who_is_cancelled_leaves_no_thread_reading(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(5 * MIB))
    rereader = Rereader(Pace(1), threads=1)  # it would take two months
    read: list[int] = []
    reader = await local.open(Key("a"))
    reading = asyncio.ensure_future(rereader.sha256(reader, progress=read.append))
    while not read:
        await asyncio.sleep(0.001)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    await reader.close()
    rereader.close()
    assert read == [MIB]


async def test_its_threads_have_the_lowest_priority(local: LocalStore, rereader: Rereader, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    await sha256(local, rereader, "a")
    (thread,) = (thread for thread in threading.enumerate() if thread.name.startswith("reread"))
    assert thread.native_id is not None
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id) == 19
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < 19
    ioprio_get = {"x86_64": 252, "aarch64": 31, "riscv64": 31}[platform.machine()]
    assert ctypes.CDLL(None).syscall(ioprio_get, 1, thread.native_id) >> 13 == 3


def test_a_pace_makes_each_wait_for_those_before_it() -> None:
    pace = Pace(1000)
    assert pace.take(5000) == 0
    assert 4.9 < pace.take(1000) <= 5
    assert 5.9 < pace.take(1) <= 6
    assert [Pace().take(1 << 40) for _ in range(3)] == [0, 0, 0]
