"""Output that waits for its reader."""

import os
import random
from pathlib import Path

import anyio
import pytest

from fileserver.delivery.spill import MEMORY_SIZE, Spill, SpillFull


async def taken(spill: Spill) -> bytes:
    found = []
    while (chunk := await spill.take()) is not None:
        found.append(chunk)
    return b"".join(found)


@pytest.mark.parametrize("size", [0, 1, MEMORY_SIZE, 3 * MEMORY_SIZE])
async def test_what_was_put_comes_out_in_order(size: int, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(size)
    async with Spill(tmp_path, size + 1) as spill:
        for start in range(0, size, 100_000):
            await spill.put(content[start : start + 100_000])
        spill.end()
        assert await taken(spill) == content
    assert os.listdir(tmp_path) == []


async def test_reader_and_writer_take_turns_without_losing_a_byte(tmp_path: Path) -> None:
    chance = random.Random(2)
    content = chance.randbytes(5 * MEMORY_SIZE)
    found: list[bytes] = []

    async def read(spill: Spill) -> None:
        while (chunk := await spill.take()) is not None:
            found.append(chunk)
            if chance.random() < 0.5:
                await anyio.sleep(0.001)

    async with Spill(tmp_path, len(content)) as spill, anyio.create_task_group() as tasks:
        tasks.start_soon(read, spill)
        for start in range(0, len(content), 1 << 20):
            await spill.put(content[start : start + (1 << 20)])
            await anyio.sleep(0)
        spill.end()
    assert b"".join(found) == content


async def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    async with Spill(tmp_path, 1000) as spill:
        await spill.put(bytes(MEMORY_SIZE))
        await spill.put(bytes(1000))
        with pytest.raises(SpillFull):
            await spill.put(b"x")
    assert os.listdir(tmp_path) == []


async def test_room_is_waited_for(tmp_path: Path) -> None:
    async with Spill(tmp_path, 1) as spill:
        await spill.put(bytes(MEMORY_SIZE))
        with anyio.move_on_after(0.05) as waiting:
            await spill.has_room()
        assert waiting.cancelled_caught
        await spill.take()
        with anyio.fail_after(1):
            await spill.has_room()


async def test_a_cancelled_take_loses_nothing(tmp_path: Path) -> None:
    async with Spill(tmp_path, 1) as spill:
        with anyio.move_on_after(0.01):
            await spill.take()
        await spill.put(b"first")
        spill.end()
        assert await taken(spill) == b"first"
