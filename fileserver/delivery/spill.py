"""Output that its reader does not take yet: a little in memory, the rest in unlinked files.

A client that sends its whole request before it reads the answer (most HTTP libraries and every browser do) would stall
for ever if the answer waited for it. While its upload lasts, output goes here instead.
"""

import os
import tempfile
from collections import deque
from pathlib import Path
from types import TracebackType

import anyio
import anyio.to_thread

MEMORY_SIZE = 8 << 20  # bytes
READ_SIZE = 256 * 1024  # bytes
FILE_SIZE = 64 << 20
"""Bytes after which a new file begins: those that were read are gone, so that the disk holds little more than waits."""


class SpillFull(Exception):
    """More output waits than may be kept."""


class Spill:
    """A queue of bytes with one writer and one reader; `async with` it, and its files are gone at the end."""

    def __init__(self, directory: Path | None, max_size: int) -> None:
        self._directory = directory
        self._max_size = max_size
        self._memory: deque[bytes] = deque()
        self._memory_size = 0
        self._files: deque[_File] = deque()
        self._files_size = 0
        self._is_ended = False
        self._changed = anyio.Event()
        self.size = 0
        """Bytes that were put."""

    async def __aenter__(self) -> "Spill":
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what is left."""
        while self._files:
            self._files.popleft().close()

    async def put(self, chunk: bytes) -> None:
        """Take a chunk, without waiting for the reader. Raises SpillFull, also where the disk takes no more."""
        if not self._files_size and self._memory_size + len(chunk) <= MEMORY_SIZE:
            self._memory.append(chunk)
            self._memory_size += len(chunk)
        else:
            if self._files_size + len(chunk) > self._max_size:
                raise SpillFull
            await self._write(chunk)
        self.size += len(chunk)
        self._wake()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._is_ended = True
        self._wake()

    @property
    def waiting(self) -> int:
        """Bytes that were put and not taken."""
        return self._memory_size + self._files_size

    async def has_room(self) -> None:
        """Wait until what waits fits into memory again."""
        while self.waiting > MEMORY_SIZE // 2:
            await self._changed.wait()

    async def is_whole(self) -> None:
        """Wait until nothing more comes."""
        while not self._is_ended:
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
            chunk = await self._read()
        self._wake()
        return chunk

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _write(self, chunk: bytes) -> None:
        if not self._files or self._files[-1].written >= FILE_SIZE:
            self._files.append(_File(self._directory))
        file = self._files[-1]
        with anyio.CancelScope(shield=True):  # a thread that goes on writing would meet a closed file
            try:
                await anyio.to_thread.run_sync(file.append, chunk)
            except OSError as error:
                raise SpillFull from error
        file.written += len(chunk)  # only now: the reader takes what is surely there
        self._files_size += len(chunk)

    async def _read(self) -> bytes:
        while not self._files[0].waiting:
            self._files.popleft().close()
        file = self._files[0]
        with anyio.CancelScope(shield=True):
            chunk = await anyio.to_thread.run_sync(file.next)
        file.taken += len(chunk)
        self._files_size -= len(chunk)
        return chunk


class _File:
    """A file with no name: written at its end, read from its beginning."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._descriptor = -1
        self.written = 0
        self.taken = 0

    @property
    def waiting(self) -> int:
        return self.written - self.taken

    def append(self, chunk: bytes) -> None:
        if self._descriptor < 0:
            self._descriptor, path = tempfile.mkstemp(dir=self._directory)
            os.unlink(path)
        left, offset = memoryview(chunk), self.written
        while left:
            size = os.pwrite(self._descriptor, left, offset)
            left, offset = left[size:], offset + size

    def next(self) -> bytes:
        return os.pread(self._descriptor, min(READ_SIZE, self.waiting), self.taken)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
