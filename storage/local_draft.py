"""A draft as a file of its own in the directory `.fileserver/drafts`; its size is the file's size."""

import asyncio
import errno
import fcntl
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import ParamSpec

from anyio import CancelScope

from storage.allocation import allocate, release, start_writing
from storage.appending import BATCH_SIZE, Appending, Writing
from storage.beneath import directory_beneath
from storage.descriptors import SharedDescriptor
from storage.errors import (
    DraftBusy,
    FolderInTheWay,
    NoSpace,
    NotFound,
    OffsetMismatch,
    OtherFileSystem,
    StoreDamaged,
    StoreUnavailable,
)
from storage.keys import Key
from storage.local_copy import copied
from storage.local_listing import entry_of
from storage.medium import FULL, Medium
from storage.model import Entry, Span
from storage.store import BLOCK, Hash, Reader, Version

_FLOOR = 8 << 20  # bytes of free space
_ROOM_AHEAD = 64 << 20  # bytes for which room is kept: enough to write in long stretches, little to hold from others
_PAUSE_S = 0.02
_TRIES = 8  # as often as a folder may vanish under a commit, or a new draft under a sweep
_IN_THE_WAY = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP})
P = ParamSpec("P")


class LocalDraft:
    """An open draft file. It is locked until it is closed and its last thread has ended, or its process has."""

    def __init__(
        self, root: int, drafts: int, name: str, *, executor: Executor, medium: Medium, is_lasting: bool = True
    ) -> None:
        """Open and lock a draft that is there. Raises DraftBusy, NotFound.

        Of one that is not `is_lasting` nothing is believed after a crash, so its writes may end anywhere in a block.
        """
        self._root = root
        self._drafts = drafts
        self._name = name
        self._medium = medium
        self._file = SharedDescriptor(_locked(drafts, name), executor)
        self._is_kept = True
        self._naming = Lock()
        self._block = BLOCK if is_lasting else 1
        self._is_writing = False
        self._goal = 0  # where the present append will end, if that is known
        self._room_until = 0

    @classmethod
    def made(
        cls, root: int, drafts: int, name: str, *, executor: Executor, medium: Medium, is_lasting: bool
    ) -> "LocalDraft":
        """The draft of this name, made empty where there is none. Raises DraftBusy."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        for _ in range(_TRIES):
            os.close(os.open(name, flags, 0o666, dir_fd=drafts))
            with suppress(NotFound, DraftBusy):
                return cls(root, drafts, name, executor=executor, medium=medium, is_lasting=is_lasting)
            time.sleep(_PAUSE_S)  # a sweep looks at it, and takes it away, before it was locked
        raise DraftBusy(name)

    @property
    def size(self) -> int:
        """The size of the draft's file."""
        return os.fstat(self._file.number).st_size

    @property
    def version(self) -> Version:
        """Size and time of the draft's file."""
        status = os.fstat(self._file.number)
        return status.st_size, status.st_mtime_ns

    @property
    def modified_ns(self) -> int:
        """When the draft's file was last written to."""
        return os.fstat(self._file.number).st_mtime_ns

    def settle(self) -> None:
        """Bring what a writer left that was cut off to what a whole append leaves. For a thread. Raises NotKept."""
        status = os.fstat(self._file.number)
        if status.st_blocks * 512 > status.st_size + BATCH_SIZE:
            release(self._file.number)
        self.sync()

    def sync(self) -> None:
        """Make all bytes durable that are there. For a thread. Raises NotKept."""
        self._medium.sync(self._file.number)

    async def append(
        self, offset: int, chunks: AsyncIterable[bytes], *, size: int | None = None, hashes: Sequence[Hash] = ()
    ) -> int:
        """See `Draft.append`. Each batch is written and hashed at the same time, in two threads."""
        self._medium.require_sound()
        with self._sole_writer():
            if offset != self.size:
                raise OffsetMismatch(self.size, offset)
            if size is not None and size > BATCH_SIZE:
                await self._run_shielded(refuse_unless_it_fits, self._drafts, size)
            self._goal = offset + (size or 0)
            try:
                offset = await Appending(offset, partial(self._begin, hashes), self._block).take(chunks)
            finally:
                await self._run_shielded(self._give_back_room)
            await self._run_shielded(self.sync)
        return offset

    async def take(self, reader: Reader) -> bool:
        """See `Draft.take`."""
        source = reader.fileno()
        if source is None:
            await self.append(0, reader.chunks(range(reader.entry.size), BATCH_SIZE), size=reader.entry.size)
            return True
        with self._sole_writer():
            self._medium.require_sound()
            with _explained():
                make_room = partial(refuse_unless_it_fits, self._drafts, reader.entry.size)
                if await copied(source, self._file, reader.entry.size, make_room=make_room) < reader.entry.size:
                    raise StoreDamaged(reader.entry.key)
            await self._run_shielded(self.sync)
        return entry_of(reader.entry.key, os.fstat(source)).identity == reader.entry.identity

    async def truncate(self, size: int) -> None:
        """See `Draft.truncate`."""
        await self._run_shielded(self._cut, size)

    async def written_until(self, offset: int) -> int:
        """See `Draft.written_until`. What was never written shows as a hole, once the kernel's own copy is gone."""
        with _explained():
            return await self._file.run(_hole_after, self._file.number, offset)

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `Draft.chunks`."""
        while span:
            with _explained():
                chunk = await self._file.run(os.pread, self._file.number, min(chunk_size, len(span)), span.start)
            if not chunk:
                raise StoreDamaged(self._name)
            span = span[len(chunk) :]
            yield chunk

    def committed_etag(self) -> str | None:
        """Size, time and inode outlive the rename, so the etag is known before."""
        return entry_of(Key(self._name), os.fstat(self._file.number)).etag

    async def commit(self, key: Key) -> Entry:
        """Rename the synced file into its place, then sync the directory. See `Draft.commit`."""
        self._medium.require_sound()
        with _explained():
            entry = await self._file.run(self._publish, key)
        self._file.close()
        return entry

    async def discard(self) -> bool:
        """Empty and unlink the draft's file; bytes already committed are no draft any more."""
        if not self._is_kept:
            self._file.close()
            return False
        discarding = self._file.run(self._throw_away)
        self._file.close()
        with _explained():
            return await discarding

    async def close(self) -> None:
        """See `Draft.close`."""
        self.release()

    def release(self) -> None:
        """Let go of the draft and keep it."""
        self._file.close()

    def abandon(self) -> None:
        """Let go of a draft that was made for nobody; one that holds nothing is removed."""
        if self.size == 0:
            os.unlink(self._name, dir_fd=self._drafts)
        self.release()

    def _begin(self, hashes: Sequence[Hash], batch: Sequence[bytes], offset: int) -> Writing:
        return asyncio.gather(
            self._file.run(self._explained_write, batch, offset),
            self._file.run(_update_all, hashes, batch),
            return_exceptions=True,
        )

    async def _run_shielded(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        with _explained(), CancelScope(shield=True):
            await self._file.run(work, *args, **kwargs)

    def _explained_write(self, batch: Sequence[bytes], offset: int) -> None:
        with _explained():  # here, for chunks raise errors of the same kind
            self._write_batch(batch, offset)

    def _write_batch(self, batch: Sequence[bytes], offset: int) -> None:
        end = offset + sum(map(len, batch))
        if end > self._room_until:
            refuse_unless_it_fits(self._drafts, end - offset)
            self._room_until = min(self._goal, offset + _ROOM_AHEAD) if self._goal - offset > BATCH_SIZE else 0
            allocate(self._file.number, offset, self._room_until - offset)
        _write_whole(self._file.number, batch, offset)
        start_writing(self._file.number, offset, end - offset)

    def _give_back_room(self) -> None:
        if self._room_until > self.size:
            release(self._file.number)
        self._room_until = 0

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file.number, size)
        self.sync()

    def _publish(self, key: Key) -> Entry:
        for _ in range(_TRIES):
            try:
                self._rename(key)
            except FileNotFoundError:
                continue  # a folder was removed between its making and its use
            except OSError as error:
                if error.errno in _IN_THE_WAY:
                    break
                if error.errno == errno.EXDEV:
                    raise OtherFileSystem(key) from error
                raise
            return entry_of(key, os.fstat(self._file.number))
        raise FolderInTheWay(key)

    def _rename(self, key: Key) -> None:
        folder, _, name = key.rpartition("/")
        with directory_beneath(self._root, folder, sync=self._medium.sync) as directory:
            with self._naming:
                os.rename(self._name, name, src_dir_fd=self._drafts, dst_dir_fd=directory)
                self._is_kept = False
            self._medium.sync(directory)

    def _throw_away(self) -> bool:
        """Whether there was a draft still: a commit may have come first, in another thread."""
        with self._naming, suppress(NotFound):
            _require_name(self._drafts, self._name, self._file.number)
            self._is_kept = False
            os.ftruncate(self._file.number, 0)  # who follows it tells by this that it has become no file
            os.unlink(self._name, dir_fd=self._drafts)
            return True
        return False

    @contextmanager
    def _sole_writer(self) -> Iterator[None]:
        if self._is_writing:
            raise DraftBusy(self._name)
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False


def refuse_unless_it_fits(directory: int, length: int) -> None:
    """Raises NoSpace when the file system has not the room for `length` bytes.

    Some is never given away: the catalogue needs it to write down what is deleted, or a full disk would stay full.
    """
    usage = shutil.disk_usage(directory)
    if length > usage.free - min(_FLOOR, usage.total // 16):
        raise NoSpace


def _locked(drafts: int, name: str) -> int:
    """A descriptor of the draft with its lock, which the kernel frees when its holder dies.

    Raises NotFound, also where the draft has gone since it was opened; DraftBusy where another holds it.
    """
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=drafts)
    except FileNotFoundError as error:
        raise NotFound(name) from error
    except OSError as error:
        raise StoreUnavailable(error.strerror) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _require_name(drafts, name, descriptor)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DraftBusy(name) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_name(drafts: int, name: str, descriptor: int) -> None:
    """Raises NotFound when the name is no longer this file's, which was committed or discarded before it was locked."""
    try:
        named = os.stat(name, dir_fd=drafts, follow_symlinks=False)
    except FileNotFoundError as error:
        raise NotFound(name) from error
    if not os.path.samestat(named, os.fstat(descriptor)):
        raise NotFound(name)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise (NoSpace if error.errno in FULL else StoreUnavailable)(os.strerror(error.errno or 0)) from error


def _write_whole(descriptor: int, batch: Sequence[bytes], offset: int) -> None:
    written = os.pwritev(descriptor, batch, offset)
    if written < sum(map(len, batch)):  # a full disk takes what it can, and says so at the next try
        _write_whole(descriptor, (b"".join(batch)[written:],), offset + written)


def _hole_after(descriptor: int, offset: int) -> int:
    size = os.fstat(descriptor).st_size
    return size if offset >= size else os.lseek(descriptor, offset, os.SEEK_HOLE)


def _update_all(hashes: Sequence[Hash], batch: Sequence[bytes]) -> None:
    for each in hashes:
        for chunk in batch:
            each.update(chunk)
