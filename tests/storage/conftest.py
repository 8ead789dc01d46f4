"""The stores under test, and small ways to fill and read them."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage import Key, LocalStore, MemoryStore, Reader, Store


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """Chunks as they come from a socket."""
    for chunk in chunks:
        yield chunk


async def content_of(reader: Reader, chunk_size: int = 7) -> bytes:
    """All bytes of a reader."""
    return b"".join([chunk async for chunk in reader.chunks(range(reader.entry.size), chunk_size)])


async def put(store: Store, key: str, content: bytes) -> None:
    """Store a file the only way there is."""
    draft = await store.draft(f"put-{os.urandom(4).hex()}")
    await draft.append(0, pieces(content))
    await draft.commit(Key(key))


@pytest.fixture(params=["local", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each keeper of the contract, empty."""
    keeper: Store = LocalStore(tmp_path) if request.param == "local" else MemoryStore()
    await keeper.start()
    yield keeper
    await keeper.close()


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalStore]:
    """A directory served in place."""
    keeper = LocalStore(tmp_path)
    await keeper.start()
    yield keeper
    await keeper.close()


@pytest.fixture
def open_descriptors() -> Iterator[None]:
    """Fails the test when descriptors are open at its end that were not at its start."""
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) <= len(before)
