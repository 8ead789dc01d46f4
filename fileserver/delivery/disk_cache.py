"""What was made of stored files, in small files of its own: all of it can be made again.

A file is named by the version of what it was made of and how, so that what is found under a name is never stale. Any
server process may write it, and the last to do so wins. What is found after a power cut was whole before it.
"""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from fileserver.jobs.scratch import make_private

_TRIM_SHARE = 32
"""A look at all files comes after each such part of the budget: so much more than it may be there for a while."""

_OVERHEAD = 4096
"""Bytes of disk that a file takes beside its own, about: its last block is half empty, and it has a name and an inode.
A film's subtitles are a thousand files of a hundred bytes."""


@dataclass(slots=True)
class DiskCache:
    """Files in a folder of their own, which is made when it is needed. Where it cannot be, nothing is remembered.

    They may have `budget` bytes together; those that were asked for longest ago go first.
    """

    folder: Path
    budget: int
    _unseen: int | None = field(default=None, init=False)  # bytes since the last look at all; none before the first

    async def read(self, name: str) -> bytes | None:
        """What is kept under a name."""
        return await anyio.to_thread.run_sync(self._read, name)

    async def write(self, name: str, content: bytes) -> None:
        """Keep something under a name."""
        async with self.growing(name) as files:
            if files:
                await anyio.to_thread.run_sync(os.pwrite, files["new_index"], content, 0)

    async def open(self, name: str) -> int | None:
        """A descriptor of what is kept under a name, which the caller closes."""
        return await anyio.to_thread.run_sync(self._opened, name)

    async def copy(self, name: str, descriptor: int, size: int) -> None:
        """Keep the first `size` bytes of an open file under a name, if the disk has room for them."""
        with suppress(OSError):
            async with self.growing(name) as files:
                if files:
                    await anyio.to_thread.run_sync(copy_bytes, descriptor, files["new_index"], size)

    @asynccontextmanager
    async def growing(self, name: str) -> AsyncIterator[dict[str, int]]:
        """Descriptors of what is kept under a name (`index`) and of an empty file (`new_index`), as far as there are.

        What was written into the second replaces the first, if the block ends well.
        """
        with anyio.CancelScope(shield=True):
            opened = await anyio.to_thread.run_sync(self._open, name)
        is_wanted = False
        try:
            yield opened.files
            is_wanted = True
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._close, opened, name, is_wanted)

    def _read(self, name: str) -> bytes | None:
        descriptor = self._opened(name)
        if descriptor is None:
            return None
        with open(descriptor, "rb") as file:
            return file.read()

    def _opened(self, name: str) -> int | None:
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        if os.fstat(descriptor).st_uid != os.geteuid():  # among temporary files anybody may have put it there before us
            os.close(descriptor)
            return None
        with suppress(OSError):
            os.utime(descriptor)
        return descriptor

    def _open(self, name: str) -> "_Opened":
        files = dict[str, int]()
        path = ""
        with suppress(OSError):
            make_private(self.folder)
            files["new_index"], path = tempfile.mkstemp(prefix=".", dir=self.folder)
            if (kept := self._opened(name)) is not None:
                files["index"] = kept
        return _Opened(files, path)

    def _close(self, opened: "_Opened", name: str, is_wanted: bool) -> None:
        size = os.fstat(opened.files["new_index"]).st_size if opened.path else 0
        try:
            with suppress(OSError):
                if is_wanted and 0 < size <= self.budget:  # a larger one would drive out all others, and itself
                    os.fdatasync(opened.files["new_index"])  # or a power cut may leave an empty file under the name
                    os.replace(opened.path, self.folder / name)
                    self._trim(size + _OVERHEAD)
                elif opened.path:
                    os.unlink(opened.path)
        finally:
            for descriptor in opened.files.values():
                os.close(descriptor)

    def _trim(self, size: int) -> None:
        self._unseen = size + (self.budget if self._unseen is None else self._unseen)
        if self._unseen < self.budget / _TRIM_SHARE:
            return
        self._unseen = 0
        left = self.budget
        for path, found in sorted(self._files(), key=lambda each: each[1].st_mtime_ns, reverse=True):
            left -= found.st_size + _OVERHEAD
            if left < 0:
                path.unlink(missing_ok=True)

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        files = list[tuple[Path, os.stat_result]]()
        for entry in os.scandir(self.folder):
            with suppress(FileNotFoundError):
                files.append((Path(entry.path), entry.stat(follow_symlinks=False)))
        return files


@dataclass(frozen=True, slots=True)
class _Opened:
    files: dict[str, int]
    path: str


def copy_bytes(source: int, target: int, size: int) -> None:
    """Copy the first `size` bytes of one open file to where another one is, and stop early if there are fewer."""
    place = 0
    while place < size and (copied := os.sendfile(target, source, place, size - place)):
        place += copied
