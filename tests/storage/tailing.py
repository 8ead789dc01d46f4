"""A listener to the tail of a real file, for the tests of tails."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio

from storage import Beginning, Key, Piece, Reset, Store, Tail, Tails

LOG = Key("app.log")
PAUSE_S = 0.05
DEADLINE_S = 20


@asynccontextmanager
async def looked_after(store: Store, *, has_inotify: bool = True) -> AsyncIterator[Tails]:
    tails = Tails(store, has_inotify=has_inotify)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tails.watch)
        yield tails
        tasks.cancel_scope.cancel()


class Listener:
    """What a tail has told: all bytes, and the resets with the number of bytes before them."""

    def __init__(self, tail: Tail) -> None:
        self.tail = tail
        self.content = b""
        self.resets: list[tuple[str, int]] = []
        self.parts: AsyncGenerator[Piece | Reset, None] = tail.parts(PAUSE_S)

    async def until(self, is_enough: Callable[[], bool]) -> None:
        with anyio.fail_after(DEADLINE_S):
            while not is_enough():
                await self.take()

    async def until_content(self, content: bytes) -> None:
        await self.until(lambda: len(self.content) >= len(content))
        assert self.content == content

    async def until_idle(self) -> None:
        """Until an empty piece says that nothing came for a while."""
        with anyio.fail_after(DEADLINE_S):
            while await self.take():
                pass

    async def take(self) -> bool:
        """Take a part; whether it held anything."""
        match await anext(self.parts):
            case Reset(reason, origin):
                assert origin is self.tail.origin
                self.resets.append((reason, len(self.content)))
                return True
            case Piece(_, content, _):
                self.content += content
                return bool(content)


@asynccontextmanager
async def listening(tails: Tails, beginning: Beginning, key: Key = LOG) -> AsyncIterator[Listener]:
    async with tails.open(key, beginning) as tail:
        listener = Listener(tail)
        async with aclosing(listener.parts):
            yield listener


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def held(path: Path) -> tuple[int, int]:
    """How many descriptors this process has of files below a folder, and how many inotify watches."""
    files = watches = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue
        files += target.startswith(f"{path.parent}/app.log")
        if target == "anon_inode:inotify":
            watches += Path(f"/proc/self/fdinfo/{number}").read_text().count("inotify wd:")
    return files, watches
