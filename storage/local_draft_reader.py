"""A draft's file, read while another writes it.

The descriptor outlives the draft's name: a commit renames the very file, so its last bytes are read from there. Nobody
has to say what became of it. A draft that is thrown away is emptied before its name goes; a file that was committed,
and replaced or removed since, has lost its name with all of its bytes.
"""

import os
from collections.abc import AsyncGenerator
from concurrent.futures import Executor

from storage.cached import read_cached
from storage.descriptors import SharedDescriptor
from storage.errors import NotFound, StoreDamaged, StoreUnavailable
from storage.model import Span
from storage.store import DraftState, Fate


class LocalDraftReader:
    """An open draft file without its lock."""

    def __init__(self, drafts: int, name: str, executor: Executor) -> None:
        """Open a draft that is there. Raises NotFound."""
        self._drafts = drafts
        self._name = name
        self._is_over = False
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=drafts)
        except FileNotFoundError as error:
            raise NotFound(name) from error
        self._file = SharedDescriptor(descriptor, executor)

    def look(self) -> DraftState:
        """See `DraftReader.look`. Both looks take microseconds; that at the size comes last (see above)."""
        try:
            self._is_over = self._is_over or not self._is_named()
            status = os.fstat(self._file.number)
        except OSError as error:
            raise StoreUnavailable(error.strerror) from error
        fate = Fate.OPEN
        if self._is_over:
            fate = Fate.COMMITTED if status.st_size or status.st_nlink else Fate.DISCARDED
        return DraftState(status.st_size, status.st_mtime_ns, fate)

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `DraftReader.chunks`. What came lately is in memory, and needs no thread."""
        while span:
            size = min(chunk_size, len(span))
            try:
                chunk = read_cached(self._file.number, size, span.start)
                if chunk is None:
                    chunk = await self._file.run(os.pread, self._file.number, size, span.start)
            except OSError as error:
                raise StoreUnavailable(error.strerror) from error
            if not chunk:
                raise StoreDamaged(self._name)
            span = span[len(chunk) :]
            yield chunk

    async def close(self) -> None:
        """See `DraftReader.close`."""
        self.release()

    def release(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _is_named(self) -> bool:
        """Whether the file still has its draft's name: ids are random, no other draft gets it."""
        try:
            os.stat(self._name, dir_fd=self._drafts, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True
