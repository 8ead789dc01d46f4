"""A directory served in place: its files are the stored files, under their own names.

Our own state lives in `.fileserver` beneath the root: drafts, on the same file system so that a commit is one rename,
and the lock that tells running servers from what a crash left.
"""

import asyncio
import errno
import fcntl
import itertools
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio

from storage.beneath import directory_beneath, open_beneath, open_cached
from storage.cached import is_local
from storage.descriptors import SharedDescriptor
from storage.errors import (
    IsFolder,
    NoSpace,
    NotFound,
    NotKept,
    ReadOnlyStore,
    StorageError,
    StoreUnavailable,
    UnderFile,
)
from storage.keys import RESERVED_NAME, ROOT, Folder, Key
from storage.local_draft import LocalDraft, refuse_unless_it_fits
from storage.local_draft_reader import LocalDraftReader
from storage.local_listing import Pages, entry_of, found_beneath, listed_beneath
from storage.local_moving import folder_identity, make_folder, move_file, move_folder
from storage.local_reader import LocalReader
from storage.local_trash import LocalTrash
from storage.medium import FULL, Medium
from storage.model import Entry, Listed
from storage.store import Version

_THREADS = 32  # reads of cold files wait here for the disk, a few dozen at once; warm reads take microseconds
_ABSENT = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO, errno.EACCES, errno.EXDEV}
)
T = TypeVar("T")


class LocalStore:
    """Files beneath one directory.

    A store opened with `is_writable` false creates nothing at all in the directory.
    """

    def __init__(self, root: Path, *, is_writable: bool = True) -> None:
        self._path = root
        self._is_writable = is_writable
        self._is_local = False
        self._medium = Medium()
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
        self.trash = LocalTrash(self._executor, self._medium)
        self._root = -1
        self._drafts = -1
        self._lock = -1

    async def start(self) -> None:
        """Open the root, make our own folder, and clear what a crash left if no other server runs on this root."""
        try:
            self._root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._is_local = is_local(self._root)
            if self._is_writable:
                self._open_own_folder()
        except (OSError, NotKept) as error:
            await self.close()
            raise StoreUnavailable(str(error)) from error

    async def close(self) -> None:
        """See `Store.close`."""
        self.trash.stop()
        self._executor.shutdown(wait=True)
        self.trash.close()
        for descriptor in (self._drafts, self._lock, self._root):
            if descriptor >= 0:
                os.close(descriptor)
        self._root = self._drafts = self._lock = -1

    async def open(self, key: Key) -> LocalReader:
        """See `Store.open`."""
        file, entry = await self._opened(key)
        return LocalReader(entry, file)

    async def stat(self, key: Key) -> Entry:
        """See `Store.stat`. Opens and closes, for only an open file is known not to be a link."""
        file, entry = await self._opened(key)
        file.close()
        return entry

    async def list(self, folder: Folder, *, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        """See `Store.list`."""
        return await self._run(partial(self._list, folder, is_recursive, after, limit), folder)

    def list_all(
        self, folder: Folder, *, is_recursive: bool, after: str, is_sorted: bool
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.list_all`."""
        listed = listed_beneath(self._root, folder, is_recursive=is_recursive, after=after, is_sorted=is_sorted)
        return self._pages(listed, folder)

    def search(
        self, folder: Folder, is_meant: Callable[[str], bool], *, after: str
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.search`."""
        return self._pages(found_beneath(self._root, folder, is_meant, after=after), folder)

    async def draft(self, draft_id: str, *, length: int | None = None, is_lasting: bool = False) -> LocalDraft:
        """See `Store.draft`."""
        self._require_writable()
        making = partial(self._make_draft, draft_id, length=length, is_lasting=is_lasting)
        return await self._run(making, undo=LocalDraft.abandon)

    async def open_draft(self, draft_id: str, *, synced: Version | None = None) -> LocalDraft:
        """See `Store.open_draft`."""
        self._require_writable()
        return await self._run(partial(self._open_draft, draft_id, synced), undo=LocalDraft.release)

    async def read_draft(self, draft_id: str) -> LocalDraftReader:
        """See `Store.read_draft`."""
        if not self._is_writable:
            raise NotFound(draft_id)
        opening = partial(LocalDraftReader, self._drafts, draft_id, self._executor)
        return await self._run(opening, draft_id, undo=LocalDraftReader.release)

    async def is_held(self, key: Key) -> bool:
        """See `Store.is_held`: a draft's lock outlives its rename."""
        file, _ = await self._opened(key)
        try:
            fcntl.flock(file.number, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            file.close()
        return False

    async def sync(self, key: Key) -> None:
        """See `Store.sync`."""
        await self._run(partial(self._sync_name, key), key)

    async def drafts(self) -> dict[str, int]:
        """See `Store.drafts`."""
        return await self._run(partial(_modified, self._drafts)) if self._is_writable else {}

    async def delete(self, key: Key) -> None:
        """See `Store.delete`."""
        self._require_writable()
        await self._run(partial(self._unlink, key), key)

    async def move(self, old: Key, new: Key, *, is_replacing: bool) -> Entry:
        """See `Store.move`."""
        self._require_writable()
        moving = partial(move_file, self._root, old, new, is_replacing=is_replacing, sync=self._medium.sync)
        return await self._run(moving, old)

    async def move_folder(self, old: Folder, new: Folder, *, is_replacing: bool) -> bool:
        """See `Store.move_folder`."""
        self._require_writable()
        moving = partial(move_folder, self._root, old, new, is_replacing=is_replacing, sync=self._medium.sync)
        return await self._run(moving, old)

    async def make_folder(self, folder: Folder) -> bool:
        """See `Store.make_folder`."""
        self._require_writable()
        return await self._run(partial(make_folder, self._root, folder, sync=self._medium.sync), folder)

    async def folder_identity(self, folder: Folder) -> str:
        """See `Store.folder_identity`."""
        return await self._run(partial(folder_identity, self._root, folder), folder)

    async def check(self) -> None:
        """See `Store.check`."""
        self._medium.require_sound()
        await self.list(ROOT, is_recursive=False, after="", limit=1)

    @asynccontextmanager
    async def sole_use(self) -> AsyncIterator[bool]:
        """See `Store.sole_use`. Every running server holds a shared lock, which the kernel frees when it dies."""
        if not self._is_writable:
            yield False
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await self._run(lambda: fcntl.flock(self._lock, fcntl.LOCK_SH))  # waits for a server that is starting
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_SH)  # never waits: nobody else can hold it

    async def _opened(self, key: Key) -> tuple[SharedDescriptor, Entry]:
        if self._is_local:
            try:
                return self._open_file(key, open_cached)
            except BlockingIOError:
                pass  # the disk has to be asked, which a thread waits for
            except OSError as error:
                raise _explained(error, key) from error
        return await self._run(partial(self._open_file, key, open_beneath), key, undo=_close_opened)

    async def _pages(
        self, listed: Generator[Listed | None, None, None], folder: Folder
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        pages = Pages(listed)
        try:
            while (page := await self._run(pages.next, folder)) is not None:
                yield page
        finally:
            with anyio.CancelScope(shield=True):
                await self._run(pages.close)

    async def _run(self, work: Callable[[], T], key: str = "", *, undo: Callable[[T], None] | None = None) -> T:
        """Do the work in a thread; when nobody waits for what it opened any more, `undo` it."""
        future = self._executor.submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if undo is not None:
                future.add_done_callback(partial(_undo, undo=undo))
            raise
        except OSError as error:
            raise _explained(error, key) from error

    def _require_writable(self) -> None:
        if not self._is_writable:
            raise ReadOnlyStore
        self._medium.require_sound()

    def _open_own_folder(self) -> None:
        with directory_beneath(self._root, f"{RESERVED_NAME}/drafts", sync=self._medium.sync) as drafts:
            self._drafts = os.dup(drafts)
        own = open_beneath(self._root, RESERVED_NAME, os.O_RDONLY | os.O_DIRECTORY)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._lock = os.open("lock", flags, 0o666, dir_fd=own)
        finally:
            os.close(own)
        self.trash.open(self._root)

    def _open_file(self, key: Key, opening: Callable[[int, str, int], int]) -> tuple[SharedDescriptor, Entry]:
        # O_NONBLOCK: opening a named pipe must not wait for its writer
        descriptor = opening(self._root, key, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            return SharedDescriptor(descriptor, self._executor), entry_of(key, status)
        os.close(descriptor)
        raise IsFolder(key) if stat.S_ISDIR(status.st_mode) else NotFound(key)

    def _list(self, folder: Folder, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        return tuple(
            itertools.islice(listed_beneath(self._root, folder, is_recursive=is_recursive, after=after), limit)
        )

    def _make_draft(self, draft_id: str, *, length: int | None, is_lasting: bool) -> LocalDraft:
        if length is not None:
            refuse_unless_it_fits(self._drafts, length)
        draft = LocalDraft.made(
            self._root, self._drafts, draft_id, executor=self._executor, medium=self._medium, is_lasting=is_lasting
        )
        try:
            if is_lasting:
                self._medium.sync(self._drafts)
        except BaseException:
            draft.abandon()
            raise
        return draft

    def _open_draft(self, draft_id: str, synced: Version | None) -> LocalDraft:
        draft = LocalDraft(self._root, self._drafts, draft_id, executor=self._executor, medium=self._medium)
        try:
            if draft.version != synced:
                draft.settle()
        except BaseException:
            draft.release()
            raise
        return draft

    def _sync_name(self, key: Key) -> None:
        with directory_beneath(self._root, key.removesuffix("/").rpartition("/")[0]) as directory:
            self._medium.sync(directory)

    def _unlink(self, key: Key) -> None:
        file, _ = self._open_file(key, open_beneath)  # raises for a folder, a link, a device
        file.close()
        folder, _, name = key.rpartition("/")
        with directory_beneath(self._root, folder) as directory:
            os.unlink(name, dir_fd=directory)
            self._medium.sync(directory)


def _explained(error: OSError, key: str) -> StorageError:
    if error.errno in FULL:
        return NoSpace(error.strerror)
    if error.errno == errno.ENOTDIR:
        return UnderFile(key)
    return NotFound(key) if error.errno in _ABSENT else StoreUnavailable(error.strerror)


def _modified(directory: int) -> dict[str, int]:
    with os.scandir(directory) as files:
        modified: dict[str, int] = {}
        for file in files:
            with suppress(FileNotFoundError):  # committed or discarded meanwhile
                if file.is_file(follow_symlinks=False):
                    modified[file.name] = file.stat(follow_symlinks=False).st_mtime_ns
        return modified


def _undo(future: Future[T], *, undo: Callable[[T], None]) -> None:
    if not future.cancelled() and future.exception() is None:
        undo(future.result())


def _close_opened(opened: tuple[SharedDescriptor, Entry]) -> None:
    opened[0].close()
