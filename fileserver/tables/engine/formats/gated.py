"""A file for libraries that write to files, and that finish them when nobody asked: in their destructors.

A Parquet writer that is thrown away writes its footer, a zip its directory, and half a table would look whole.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fileserver.tables.engine.formats.contract import Sink

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class GatedFile(io.RawIOBase):
    """A file without seeking: what is written goes to the sink while it is `passing`, and nowhere otherwise."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._size = 0
        self._waiting: list[bytes] | None = None

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Gives what is written within to the sink, in one piece; nothing of it if that fails."""
        waiting: list[bytes] = []
        self._waiting = waiting
        try:
            yield
        finally:
            self._waiting = None
        if waiting:
            self._sink(b"".join(waiting))

    def write(self, data: "ReadableBuffer") -> int:
        """Takes all of the data."""
        size = memoryview(data).nbytes
        if self._waiting is not None:
            self._waiting.append(bytes(data))
        self._size += size
        return size

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The bytes written."""
        return self._size
