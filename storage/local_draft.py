"""A draft as a file of its own in the directory `.fileserver/drafts`; its size is the file's size."""

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress

from anyio import CancelScope

from storage.beneath import directory_beneath
from storage.descriptors import SharedDescriptor
from storage.errors import DraftBusy, FolderInTheWay, NoSpace, OffsetMismatch, OtherFileSystem, StoreUnavailable
from storage.keys import Key
from storage.local_listing import entry_of
from storage.model import Entry
from storage.store import Hash

BATCH_SIZE = 1 << 20  # bytes gathered before a write: a thread hop for each megabyte, not for each packet
_MOST_CHUNKS = 1024  # that one pwritev(2) takes (IOV_MAX)
_TRIES = 8  # as often as a folder may vanish under a commit
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_IN_THE_WAY = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP})


class LocalDraft:
    """An open draft file, locked while it is written to."""

    def __init__(self, root: int, drafts: int, name: str, *, executor: Executor) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._root = root
        self._drafts = drafts
        self._name = name
        self._executor = executor
        self._file = SharedDescriptor(os.open(name, flags, 0o666, dir_fd=drafts), executor)
        self._is_kept = True
        self._is_writing = False

    @property
    def size(self) -> int:
        """The size of the draft's file."""
        return os.fstat(self._file.number).st_size

    async def append(self, offset: int, chunks: AsyncIterable[bytes], *, hashes: Sequence[Hash] = ()) -> int:
        """See `Draft.append`. Each batch is written and hashed at the same time, in two threads."""
        with self._sole_writer():
            if offset != self.size:
                raise OffsetMismatch(self.size, offset)
            async for batch in _batches(chunks):
                with _explained(), CancelScope(shield=True):  # a thread still writing would cross the next writer
                    await asyncio.gather(
                        self._file.run(_write_whole, self._file.number, batch, offset),
                        self._file.run(_update_all, hashes, batch),
                    )
                offset += sum(map(len, batch))
            with _explained(), CancelScope(shield=True):
                await self._file.run(os.fsync, self._file.number)
        return offset

    def committed_etag(self) -> str | None:
        """Size, time and inode outlive the rename, so the etag is known before."""
        return entry_of(Key(self._name), os.fstat(self._file.number)).etag

    async def commit(self, key: Key) -> Entry:
        """Rename the synced file into its place, then sync the directory. See `Draft.commit`."""
        with _explained():
            entry = await self._file.run(self._publish, key)
        self._file.close()
        return entry

    async def discard(self) -> None:
        """Unlink the draft's file; bytes already committed are no draft any more."""
        if self._is_kept:
            self._is_kept = False
            unlinking = self._file.run(os.unlink, self._name, dir_fd=self._drafts)
            self._file.close()
            with suppress(FileNotFoundError):
                await unlinking
        self._file.close()

    async def close(self) -> None:
        """See `Draft.close`."""
        self._file.close()

    def abandon(self) -> None:
        """Let go of a draft that was opened for nobody; one that holds nothing is removed."""
        if self.size == 0:
            os.unlink(self._name, dir_fd=self._drafts)
        self._file.close()

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
        with directory_beneath(self._root, folder, is_made=True) as directory:
            os.rename(self._name, name, src_dir_fd=self._drafts, dst_dir_fd=directory)
            self._is_kept = False
            os.fsync(directory)

    @contextmanager
    def _sole_writer(self) -> Iterator[None]:
        if self._is_writing:
            raise DraftBusy(self._name)
        try:
            fcntl.flock(self._file.number, fcntl.LOCK_EX | fcntl.LOCK_NB)  # freed by the kernel when its holder dies
        except BlockingIOError as error:
            raise DraftBusy(self._name) from error
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False
            fcntl.flock(self._file.number, fcntl.LOCK_UN)


def refuse_unless_it_fits(directory: int, length: int) -> None:
    """Raises NoSpace when the file system has fewer free bytes than `length`."""
    if length > shutil.disk_usage(directory).free:
        raise NoSpace


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise (NoSpace if error.errno in _FULL else StoreUnavailable)(os.strerror(error.errno or 0)) from error


def _write_whole(descriptor: int, batch: Sequence[bytes], offset: int) -> None:
    written = os.pwritev(descriptor, batch, offset)
    if written < sum(map(len, batch)):  # a full disk takes what it can, and says so at the next try
        _write_whole(descriptor, (b"".join(batch)[written:],), offset + written)


def _update_all(hashes: Sequence[Hash], batch: Sequence[bytes]) -> None:
    for each in hashes:
        for chunk in batch:
            each.update(chunk)


async def _batches(chunks: AsyncIterable[bytes]) -> AsyncIterator[Sequence[bytes]]:
    gathered: list[bytes] = []
    size = 0
    async for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= BATCH_SIZE or len(gathered) == _MOST_CHUNKS:
            yield gathered
            gathered, size = [], 0
    if gathered:
        yield gathered
