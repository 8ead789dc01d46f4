"""Output that its reader does not take yet: a little in memory, the rest in an unlinked file.

A client that sends its whole request before it reads the answer (most HTTP libraries and every browser do) would stall
for ever if the answer waited for it. While its upload lasts, output goes here instead.
"""

import tempfile
from collections import deque
from pathlib import Path
from types import TracebackType

import aiofiles
import aiofiles.os
import anyio
import anyio.to_thread
from aiofiles.threadpool.binary import AsyncBufferedIOBase, AsyncBufferedReader

MEMORY_SIZE = 8 << 20  # bytes
READ_SIZE = 256 * 1024  # bytes


class SpillFull(Exception):
    """More output waits than may be kept."""


class Spill:
    """A queue of bytes with one writer and one reader; `async with` it, and the file is gone at the end."""

    def __init__(self, directory: Path | None, max_size: int) -> None:
        self._directory = directory
        self._max_size = max_size
        self._memory: deque[bytes] = deque()
        self._memory_size = 0
        self._files: tuple[AsyncBufferedIOBase, AsyncBufferedReader] | None = None
        self._written = 0
        self._read = 0
        self._is_ended = False
        self._changed = anyio.Event()

    async def __aenter__(self) -> "Spill":
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what is left."""
        for file in self._files or ():
            with anyio.CancelScope(shield=True):
                await file.close()

    async def put(self, chunk: bytes) -> None:
        """Take a chunk, without waiting for the reader. Raises SpillFull."""
        if self._written == self._read and self._memory_size + len(chunk) <= MEMORY_SIZE:
            self._memory.append(chunk)
            self._memory_size += len(chunk)
        else:
            await self._write(chunk)
        self._wake()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._is_ended = True
        self._wake()

    @property
    def waiting(self) -> int:
        """Bytes that were put and not taken."""
        return self._memory_size + self._written - self._read

    async def has_room(self) -> None:
        """Wait until what waits fits into memory again."""
        while self.waiting > MEMORY_SIZE // 2:
            await self._changed.wait()

    async def take(self) -> bytes | None:
        """The next bytes that were put, None after the last. Cancelling loses nothing."""
        while not self.waiting:
            if self._is_ended:
                return None
            await self._changed.wait()
        if self._memory:
            chunk = self._memory.popleft()
            self._memory_size -= len(chunk)
        else:
            with anyio.CancelScope(shield=True):
                chunk = await self._read_back()
        self._wake()
        return chunk

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _write(self, chunk: bytes) -> None:
        if self._written - self._read + len(chunk) > self._max_size:
            raise SpillFull
        sink, _ = self._files = self._files or await _unlinked_file(self._directory)
        await sink.write(chunk)
        await sink.flush()
        self._written += len(chunk)

    async def _read_back(self) -> bytes:
        _, source = self._files = self._files or await _unlinked_file(self._directory)
        chunk: bytes = await source.read(min(READ_SIZE, self._written - self._read))
        self._read += len(chunk)
        return chunk


async def _unlinked_file(directory: Path | None) -> tuple[AsyncBufferedIOBase, AsyncBufferedReader]:
    """A new file with no name, opened once to append and once to read: two places that never disturb each other."""
    descriptor, path = await anyio.to_thread.run_sync(lambda: tempfile.mkstemp(dir=directory))
    sink = await aiofiles.open(descriptor, "wb")
    source = await aiofiles.open(path, "rb")
    await aiofiles.os.unlink(path)
    return sink, source
