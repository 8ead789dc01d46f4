"""A file of a directory, opened: its bytes are read where they are remembered, or in a thread."""

import asyncio
import os
from collections.abc import AsyncGenerator

from storage.cached import read_cached
from storage.descriptors import SharedDescriptor
from storage.errors import StoreDamaged, StoreUnavailable
from storage.model import Entry, Span


class LocalReader:
    """A file kept open: its bytes stay readable when the name is replaced or removed."""

    def __init__(self, entry: Entry, file: SharedDescriptor) -> None:
        self.entry = entry
        self._file = file

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `Reader.chunks`. Of a file on disk, the next chunk is read while the last one is with the caller."""
        ahead: asyncio.Future[bytes] | None = None
        try:
            while span:
                chunk = None if ahead else read_cached(self._file.number, min(chunk_size, len(span)), span.start)
                if is_cold := chunk is None:
                    chunk = await (ahead or self._read(span, chunk_size))
                if not chunk:
                    raise StoreDamaged(self.entry.key)
                span = span[len(chunk) :]
                ahead = self._read(span, chunk_size) if is_cold and span else None
                yield chunk
                if span and not is_cold:
                    await asyncio.sleep(0)  # or a caller that never has to wait would keep the loop to itself
        except OSError as error:
            raise StoreUnavailable(error.strerror) from error
        finally:
            if ahead is not None:
                ahead.cancel()

    def _read(self, span: Span, chunk_size: int) -> asyncio.Future[bytes]:
        return self._file.run(os.pread, self._file.number, min(chunk_size, len(span)), span.start)

    def fileno(self) -> int | None:
        """The open file's descriptor."""
        return self._file.number

    async def close(self) -> None:
        """See `Reader.close`."""
        self._file.close()
