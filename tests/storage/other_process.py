"""A second server in a process of its own: `python -m tests.storage.other_process ROOT ACT UPLOAD_ID`.

It prints a line each: `silent` when a client of it has stopped to send, the new offset, or the name of what was raised.
In some acts it is killed at a moment that is hard to meet from outside.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import anyio
import anyio.abc
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import Entry, LocalStore, StorageError
from storage.catalogue import Catalogue, Claim
from tests.storage.sites import Silent, Site, catalogue_path, site_of

MIB = 1 << 20
SHA256 = {"sha256": bytes(32)}
Act = Callable[[Site, str], Awaitable[object]]


async def run(root: Path, act: str, upload_id: str = "") -> int:
    """Have another process do this to its end; its return code."""
    command = [sys.executable, "-m", "tests.storage.other_process", str(root), act, upload_id]
    return (await anyio.run_process(command, check=False, cwd=Path(__file__).parents[2])).returncode


@asynccontextmanager
async def running(root: Path, act: str, upload_id: str) -> AsyncIterator[AsyncIterator[str]]:
    """Another process at work; what it prints, line by line."""
    command = [sys.executable, "-m", "tests.storage.other_process", str(root), act, upload_id]
    async with await anyio.open_process(command, cwd=Path(__file__).parents[2], stderr=None) as process:
        assert process.stdout is not None
        try:
            yield _lines(process.stdout)
        finally:
            process.kill()


async def _lines(stream: anyio.abc.ByteReceiveStream) -> AsyncIterator[str]:
    rest = ""
    async for block in stream:
        *lines, rest = (rest + block.decode()).split("\n")
        for line in lines:
            yield line


class _Dying(Catalogue):
    """Whose process is killed at the next change that is to be durable, once `dies` says when."""

    dies: Literal["before", "after", "at release"] | None = None

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[AsyncConnection]:
        if self.dies == "before":
            _die()
        async with super().keeping() as connection:
            yield connection
        if self.dies == "after":
            _die()

    async def release(self, claim: Claim, committed: Entry | None, *, is_new: bool | None = None) -> None:
        if self.dies == "at release":
            _die()
        await super().release(claim, committed, is_new=is_new)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _dying_body() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"x" * MIB
    _die()


async def _create(site: Site, _: str) -> None:
    _dying(site).dies = "before"
    await site.begin()


async def _commit(site: Site, upload_id: str) -> None:
    _dying(site).dies = "at release"
    await site.commit(upload_id)


async def _conclude(site: Site, upload_id: str) -> None:
    async with site.resume(upload_id) as opened:
        _dying(site).dies = "after"
        await opened.conclude()


async def _cancel(site: Site, upload_id: str) -> None:
    async with site.resume(upload_id) as opened:
        _dying(site).dies = "after"
        await opened.discard()


def _dying(site: Site) -> _Dying:
    assert isinstance(site.catalogue, _Dying)
    return site.catalogue


async def _append(site: Site, upload_id: str, *, is_checked: bool) -> None:
    async with site.resume(upload_id) as opened:
        await opened.append(opened.offset, _dying_body(), digests=SHA256 if is_checked else {})


async def _send(site: Site, upload_id: str) -> None:
    """Append two MiB and fall silent, watching; print how it ended."""
    body = Silent(b"x" * MIB, b"x" * MIB)

    async def tell() -> None:
        await body.began.wait()
        print("silent", flush=True)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(site.uploads.watch)
        tasks.start_soon(tell)
        try:
            async with site.resume(upload_id) as opened:
                print(await opened.append(opened.offset, body), flush=True)
        except StorageError as error:
            print(type(error).__name__, flush=True)
        tasks.cancel_scope.cancel()


async def _add(site: Site, upload_id: str) -> None:
    """Append three bytes, watching; print the new offset."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(site.uploads.watch)
        try:
            print(await site.append(upload_id, b"new"), flush=True)
        except StorageError as error:
            print(type(error).__name__, flush=True)
        tasks.cancel_scope.cancel()


_ACTS: dict[str, Act] = {
    "create": _create,
    "commit": _commit,
    "conclude": _conclude,
    "cancel": _cancel,
    "append": lambda site, upload_id: _append(site, upload_id, is_checked=False),
    "append-checked": lambda site, upload_id: _append(site, upload_id, is_checked=True),
    "send": _send,
    "add": _add,
}


async def _main(root: Path, act: str, upload_id: str) -> None:
    async with site_of(LocalStore(root), _Dying(catalogue_path(root))) as site:
        await _ACTS[act](site, upload_id)


if __name__ == "__main__":
    anyio.run(_main, Path(sys.argv[1]), sys.argv[2], sys.argv[3])
