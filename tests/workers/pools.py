"""Pools for the tests, and a look at what the process and the machine have open."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from fileserver.workers import Pool, PoolLimits


@asynccontextmanager
async def open_pool(entry: str = "jobs", **limits: float) -> AsyncIterator[Pool]:
    """A pool of an entry module in this folder, and nothing left of it at the end: no process, no descriptor."""
    before = set(os.listdir("/proc/self/fd"))
    async with Pool(f"tests.workers.{entry}", PoolLimits(**limits)) as pool:  # type: ignore[arg-type]
        yield pool
    after = set(os.listdir("/proc/self/fd"))
    assert len(after) <= len(before), f"left open: {[_target(name) for name in after - before]}"


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return "closed"


def is_running(pid: int) -> bool:
    """Whether the process lives; one that nobody has buried does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


async def gone(*pids: int) -> None:
    """Wait until none of them runs."""
    with anyio.fail_after(20):
        while any(map(is_running, pids)):
            await anyio.sleep(0.01)


def children_of(pid: int) -> set[int]:
    """The processes that it started and that live."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(name))
    return found
