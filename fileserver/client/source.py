"""A local file on its way to a server: which files are meant, and one opened version of each."""

import hashlib
import mimetypes
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from types import TracebackType
from typing import Self

from fileserver.client.digest import BLOCK_SIZE, RunningDigest
from fileserver.client.errors import Failed
from fileserver.client.spans import Span


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send. `name` is what it is called there: with the folders that were found on the way, by `/`."""

    path: Path
    name: str

    @property
    def media_type(self) -> str | None:
        """What its name says it is."""
        return mimetypes.guess_type(self.name)[0]


def sources_of(paths: Iterable[Path], say: Callable[[str], None]) -> Iterator[Source]:
    """The files that are meant: a folder means all files below it, in order, under its own name.

    Links to folders are not followed; `say` is told of each thing in a folder that is left out. What does not exist, or
    cannot be read, is a source as well: its sending fails, and the rest goes on.
    """
    for path in paths:
        if path.is_dir():
            yield from _below(path, say)
        else:
            yield Source(path, path.name)


def _below(folder: Path, say: Callable[[str], None]) -> Iterator[Source]:
    top = folder.resolve()
    unread: list[OSError] = []
    for where, folders, names in os.walk(top, onerror=unread.append):
        folders.sort()
        inside = Path(where).relative_to(top)
        if not folders and not names:
            say(f"{folder / inside}: left out, an empty folder")
        for name in folders:
            if Path(where, name).is_symlink():
                say(f"{folder / inside / name}: left out, a link to a folder")
        for name in sorted(names):
            if Path(where, name).is_file():
                yield Source(folder / inside / name, str(PurePosixPath(top.name, *inside.parts, name)))
            else:
                say(f"{folder / inside / name}: left out, not a file")
    for path in (Path(error.filename).relative_to(top) for error in unread):
        yield Source(folder / path, str(PurePosixPath(top.name, *path.parts)))


class Changed(Failed):
    """The file is another than the one whose sending began."""

    def __init__(self) -> None:
        super().__init__("the file changed while it was sent")


class OpenedSource:
    """One version of a file, read in order; a context manager.

    `digest` is of the bytes that were read by `blocks` or caught up. A file that changes while it is open fails.
    """

    def __init__(self, source: Source) -> None:
        """Open it. Raises Failed where that cannot be, or it is no file."""
        self.path = source.path
        try:
            self._descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise Failed(f"{error.strerror}") from error
        status = os.fstat(self._descriptor)
        if not S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise Failed("not a file")
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns
        self.digest = RunningDigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def blocks(self, span: Span, moved: Callable[[int], None]) -> Iterator[memoryview]:
        """The bytes of a span; each block is good until the next is taken, and `moved` is told its size after it went.

        Raises Changed. What lies before the span is to be caught up before: a server waits for a body only so long.
        """
        buffer = memoryview(bytearray(min(BLOCK_SIZE, len(span))))
        position = span.start
        while position < span.stop:
            block = self._read(buffer[: span.stop - position], position)
            self.digest.take(position, block)
            yield block
            position += len(block)
            moved(len(block))

    def checksum(self, span: Span, algorithm: str) -> bytes:
        """The digest of a span, which is read for it: algorithms as hashlib names them."""
        digest = hashlib.new(algorithm)
        buffer = memoryview(bytearray(min(BLOCK_SIZE, len(span))))
        position = span.start
        while position < span.stop:
            block = self._read(buffer[: span.stop - position], position)
            digest.update(block)
            position += len(block)
        return digest.digest()

    def catch_up(self, stop: int) -> None:
        """Let the digest know the bytes up to here. Raises Changed."""
        self.digest.catch_up(self._descriptor, stop)
        self._check_unchanged()

    def sha256(self) -> bytes:
        """The digest of the whole file, which must still be what it was. Raises Changed."""
        self.catch_up(self.size)
        return self.digest.digest()

    def _read(self, room: memoryview, position: int) -> memoryview:
        try:
            count = os.preadv(self._descriptor, [room], position)
        except OSError as error:
            raise Failed(f"cannot be read: {error.strerror}") from error
        self._check_unchanged()
        if count == 0:
            raise Changed
        return room[:count]

    def _check_unchanged(self) -> None:
        status = os.fstat(self._descriptor)
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified_ns):
            raise Changed
