"""What was learned of tables, in small files: profiles, and indexes of where rows are. All of it can be learned again.

A file is named by the version of the table and the way it is read, so that what is found under a name is never stale.
Any server process may write it, and the last to do so wins.
"""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from fileserver.jobs.scratch import make_private

BUDGET = 256 << 20
"""Bytes that all files may have together; those that were asked for longest ago go first."""


@dataclass(frozen=True, slots=True)
class TableCache:
    """Files in a folder of their own, which is made when it is needed. Where it cannot be, nothing is remembered."""

    folder: Path
    budget: int = BUDGET

    async def read(self, name: str) -> bytes | None:
        """What is kept under a name."""
        return await anyio.to_thread.run_sync(self._read, name)

    async def write(self, name: str, content: bytes) -> None:
        """Keep something under a name."""
        async with self.growing(name) as files:
            if files:
                await anyio.to_thread.run_sync(os.pwrite, files["new_index"], content, 0)

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
        try:
            content = (self.folder / name).read_bytes()
            os.utime(self.folder / name)
        except OSError:
            return None
        return content

    def _open(self, name: str) -> "_Opened":
        files = dict[str, int]()
        path = ""
        with suppress(OSError):
            make_private(self.folder)
            files["new_index"], path = tempfile.mkstemp(prefix=".", dir=self.folder)
            files["index"] = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            os.utime(files["index"])
        return _Opened(files, path)

    def _close(self, opened: "_Opened", name: str, is_wanted: bool) -> None:
        size = os.fstat(opened.files["new_index"]).st_size if opened.path else 0
        for descriptor in opened.files.values():
            os.close(descriptor)
        with suppress(OSError):
            if is_wanted and size:
                os.replace(opened.path, self.folder / name)
                self._trim()
            elif opened.path:
                os.unlink(opened.path)

    def _trim(self) -> None:
        left = self.budget
        for path, found in sorted(self._files(), key=lambda each: each[1].st_mtime_ns, reverse=True):
            left -= found.st_size
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
