"""A served folder with whoever watches it, and other programs that work in it."""

import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from storage import Catalogue, Change, Entry, Event, Key, Library, LocalStore
from storage.foreign import ForeignChanges
from tests.storage.conftest import pieces

SETTLE_S = 0.05


@dataclass(slots=True)
class House:
    """A served folder, and what is told of it."""

    root: Path
    library: Library
    catalogue: Catalogue
    events: list[Event] = field(default_factory=list)
    seen: int = 0

    async def upload(self, key: str, content: bytes = b"content") -> None:
        async with self.library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
            await self.library.commit(received, Key(key))

    async def entry(self, key: str) -> Entry:
        async with self.library.open(Key(key)) as reader:
            return reader.entry

    def change(self, statement: str) -> None:
        """Change the catalogue behind everybody's back."""
        connection = sqlite3.connect(self.root / ".fileserver" / "catalogue.sqlite3", timeout=10)
        with connection:
            connection.execute(statement)
        connection.close()

    @asynccontextmanager
    async def watched(self, settle_s: float = SETTLE_S) -> AsyncIterator[None]:
        """Others are watched from the begin of the block on."""
        foreign = ForeignChanges(self.root, self.catalogue, report=self.events.append, settle_s=settle_s)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(foreign.run)
            await self.told()
            yield
            tasks.cancel_scope.cancel()

    async def changes(self) -> list[Change]:
        """All that was told so far but for the marks."""
        return [change for change in await self.library.changes.after(0, 1_000_000) if not _is_mark(change)]

    async def told(self, count: int = 0) -> list[str]:
        """What was told since the last time, once it is as much as this and all that has been done by now is told."""
        with anyio.fail_after(60):
            while len(await self.changes()) < self.seen + count:
                await anyio.sleep(0.01)
            mark = f"mark-{os.urandom(4).hex()}"
            (self.root / mark).write_bytes(b"")
            while not any(change.key == mark for change in await self.library.changes.after(0, 1_000_000)):
                await anyio.sleep(0.01)
        changes = await self.changes()
        news, self.seen = changes[self.seen :], len(changes)
        return [_line(change) for change in news]

    async def tells(self, *expected: str) -> None:
        """Fails unless just this was told since the last time, in any order."""
        assert sorted(await self.told(len(expected))) == sorted(expected)
        assert await self.told() == []


def _is_mark(change: Change) -> bool:
    return (change.key or "").startswith("mark-")


def _line(change: Change) -> str:
    """A change as one line: who did it, what, where."""
    source = f"{change.content['from']} -> " if change.kind == "moved" else ""
    return f"{change.content.get('by', 'we')} {change.kind} {source}{change.key}"


@asynccontextmanager
async def house_in(root: Path, *, is_kept: bool = True) -> AsyncIterator[House]:
    store = LocalStore(root, is_writable=is_kept)
    catalogue = Catalogue(root / ".fileserver" / "catalogue.sqlite3" if is_kept else None)
    library = Library(store, catalogue, lambda head, name: "text/plain")
    await library.start()
    try:
        yield House(root, library, catalogue)
    finally:
        await library.close()


def do(house: House, script: str) -> None:
    """What another program does in the folder; `$OUT` is a folder beside it."""
    outside = house.root.parent / "outside"
    outside.mkdir(exist_ok=True)
    subprocess.run(["sh", "-ec", script], cwd=house.root, env=os.environ | {"OUT": str(outside)}, check=True)
