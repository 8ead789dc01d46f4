"""Where a table comes from and where it goes: files that are whole or not there, and pipes that are never waited for
in a way that an interrupt could not end.
"""

import fcntl
import os
import secrets
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread

STANDARD = "-"
"""Standard input, as the name of a file."""

STDIN, STDOUT = 0, 1

READ_SIZE = 1 << 20
MAGIC_SIZE = 4
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
"""What compressed files begin with (RFC 1952 s.2.3.1, RFC 8878 s.3.1.1), and no text does."""

Write = Callable[[bytes], Awaitable[None]]


class CannotOpen(Exception):
    """A file cannot be read, or not be written; the text names it and says why."""


class CannotRead(Exception):
    """The input broke off; the text says why."""


class CannotWrite(Exception):
    """The output could not be written, or not be put in its place; the text says why."""


class NobodyReads(Exception):
    """Whoever read standard output has gone."""


@contextmanager
def reading(name: str) -> Iterator[int]:
    """A descriptor of the file, or of standard input. Raises CannotOpen."""
    if name == STANDARD:
        if sys.stdin is None:
            raise CannotOpen("standard input is closed")
        yield STDIN
        return
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotOpen(f"{name}: {error.strerror}") from error
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise CannotOpen(f"{name} is a folder")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def appending(path: Path) -> Iterator[int]:
    """A descriptor of the file, which begins anew. Raises CannotOpen."""
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND) as descriptor:
        yield descriptor


def is_file_from_its_start(descriptor: int) -> bool:
    """Whether it is a plain file, nothing of which has been read: one that a worker can read by itself."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0


def widen(descriptor: int) -> None:
    """Let a pipe hold as much as is read at a time, or as much as the system gives: fewer turns for each GB."""
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, READ_SIZE)


def coding_of(beginning: bytes) -> str:
    """How a file that begins so is compressed, in HTTP's words; empty if it is not.

    >>> coding_of(b"id,city"), coding_of(bytes.fromhex("1f8b08"))
    ('', 'gzip')
    """
    if beginning.startswith(GZIP):
        return "gzip"
    return "zstd" if beginning.startswith(ZSTD) else ""


async def chunks(descriptor: int) -> AsyncIterator[bytes]:
    """What comes from a pipe, a terminal or a device, as it comes, to its end. Raises CannotRead."""
    widen(descriptor)
    try:
        while chunk := await _read(descriptor):
            yield chunk
    except OSError as error:
        raise CannotRead(f"the input cannot be read: {error.strerror}") from error


async def _read(descriptor: int) -> bytes:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return await anyio.to_thread.run_sync(os.read, descriptor, READ_SIZE)
    with suppress(PermissionError):  # a device that is always ready, as /dev/null is
        await anyio.wait_readable(descriptor)
    return os.read(descriptor, READ_SIZE)


@contextmanager
def writing(target: Path | None, *, may_replace: bool) -> Iterator[Write]:
    """What writes to the file, which is there, whole, once the block ends without an exception; or to standard output.

    Raises CannotOpen, CannotWrite and NobodyReads.
    """
    if target is None:
        with _standard_output() as write:
            yield write
    elif target.exists() and not target.is_file():  # /dev/null, a pipe: nothing to put in its place
        with _opened(target, os.O_WRONLY) as descriptor:
            yield _to_file(descriptor, target)
    else:
        if target.exists() and not may_replace:
            raise CannotOpen(f"{target} exists; --force replaces it")
        with _draft(Path(os.path.realpath(target)), target) as descriptor:
            yield _to_file(descriptor, target)


@contextmanager
def _draft(place: Path, shown: Path) -> Iterator[int]:
    path = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, shown) as descriptor:
        try:
            yield descriptor
            _commit(descriptor, path, place, shown)
        finally:
            path.unlink(missing_ok=True)


def _commit(descriptor: int, path: Path, place: Path, shown: Path) -> None:
    try:
        os.fsync(descriptor)  # a power cut after the rename must not find an empty file under the name
        if place.exists():
            shutil.copymode(place, path)
        path.replace(place)
    except OSError as error:
        raise CannotWrite(f"{shown}: {error.strerror}") from error


@contextmanager
def _opened(path: Path, flags: int, shown: Path | None = None) -> Iterator[int]:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise CannotOpen(f"{shown or path}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _to_file(descriptor: int, shown: Path) -> Write:
    def write_all(chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    async def write(chunk: bytes) -> None:
        try:
            await anyio.to_thread.run_sync(write_all, chunk)
        except OSError as error:
            raise CannotWrite(f"{shown}: {error.strerror}") from error

    return write


@contextmanager
def _standard_output() -> Iterator[Write]:
    if sys.stdout is None:
        raise CannotOpen("standard output is closed")
    is_pipe = stat.S_ISFIFO(os.fstat(STDOUT).st_mode)
    # opened once more, a pipe can be made not to block without a word to those that share the descriptor
    descriptor = os.open(f"/proc/self/fd/{STDOUT}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC) if is_pipe else STDOUT

    widen(descriptor)

    async def write(chunk: bytes) -> None:
        try:
            await _written(descriptor, chunk)
        except BrokenPipeError as error:
            raise NobodyReads from error
        except OSError as error:
            raise CannotWrite(f"standard output: {error.strerror}") from error

    try:
        yield write
    finally:
        if is_pipe:
            os.close(descriptor)


async def _written(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    await anyio.lowlevel.checkpoint()
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            await anyio.wait_writable(descriptor)
