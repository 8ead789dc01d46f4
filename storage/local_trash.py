"""The trash of a directory: `.fileserver/trash/{id}/{number}`, each a file or folder that was renamed there.

It is on the same file system, so that whatever is in a folder leaves its place, or comes back, in one step. The list
is in `list.json` beside the numbers.
"""

import asyncio
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

from storage.beneath import directory_beneath, open_beneath
from storage.descriptors import SharedDescriptor
from storage.errors import (
    FolderInTheWay,
    KeyBusy,
    NoSpace,
    NotFound,
    NotKept,
    OtherFileSystem,
    PreconditionFailed,
    ReadOnlyStore,
    StorageError,
    StoreUnavailable,
)
from storage.keys import RESERVED_NAME, Key
from storage.local_listing import entry_of
from storage.medium import FULL, Medium
from storage.model import Listed
from storage.removal import Place, Removal, Removed, as_text, is_folder, is_removal_id
from storage.renaming import rename_new
from storage.trash_folder import FOLDER_FLAGS, LIST, clear_folder, found_in, listed_in, listed_of
from storage.trash_keeper import Given

_NEW_LIST = "list.new"
_TRIES = 8  # as often as a sweep may take a new removal for one that nobody has, or a folder may vanish under a rename
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
_ELSEWHERE = frozenset({errno.EXDEV, errno.EBUSY})  # EBUSY: the root of a mounted file system
T = TypeVar("T")


class LocalTrash:
    """What was removed from beneath a directory. One that was never opened is empty, and takes nothing."""

    def __init__(self, executor: Executor, medium: Medium) -> None:
        self._executor = executor
        self._medium = medium
        self._root = -1
        self._trash = -1
        self._is_closing = threading.Event()

    def open(self, root: int) -> None:
        """Make the folder beneath the root's descriptor, which stays open longer than this. For a thread."""
        with directory_beneath(root, f"{RESERVED_NAME}/trash", sync=self._medium.sync) as trash:
            self._trash = os.dup(trash)
        self._root = root

    def stop(self) -> None:
        """Have what is being destroyed be left for the next sweep."""
        self._is_closing.set()

    def close(self) -> None:
        """Let go of the folder, once nobody works in it any more."""
        if self._trash >= 0:
            os.close(self._trash)
        self._root = self._trash = -1

    async def look(self, places: Sequence[Place]) -> tuple[Removed | None, ...]:
        """See `TrashKeeper.look`."""
        self._require_writable()
        return await self.run(lambda: tuple(map(self._look_at, places)))

    async def begin(self, removal_id: str, items: Sequence[Removed] | None) -> "LocalHeldRemoval":
        """See `TrashKeeper.begin`. The list takes from the room on the disk that uploads leave."""
        self._require_writable()
        descriptor = await self.run(lambda: self._begun(removal_id, items), undo=os.close)
        return LocalHeldRemoval(self, removal_id, SharedDescriptor(descriptor, self._executor))

    async def hold(self, removal_id: str) -> "LocalHeldRemoval":
        """See `TrashKeeper.hold`."""
        descriptor = await self.run(lambda: self._locked(removal_id), undo=os.close)
        return LocalHeldRemoval(self, removal_id, SharedDescriptor(descriptor, self._executor))

    async def read(self, removal_id: str) -> Removal:
        """See `TrashKeeper.read`."""
        found = await self.run(lambda: self._read(removal_id))
        if found is None:
            raise NotFound(removal_id)
        return found

    async def ids(self) -> Mapping[str, bool]:
        """See `TrashKeeper.ids`."""
        return {} if self._trash < 0 else await self.run(self._ids)

    async def run(self, work: Callable[[], T], *, undo: Callable[[T], None] | None = None) -> T:
        """Do it in a thread; when nobody waits for it any more, `undo` it."""
        future = self._executor.submit(_explained, work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if undo is not None:
                future.add_done_callback(partial(_undo, undo=undo))
            raise

    def _require_writable(self) -> None:
        if self._trash < 0:
            raise ReadOnlyStore
        self._medium.require_sound()

    def _look_at(self, place: Place) -> Removed | None:
        status = self._status(place)
        if status is None or not _is_meant(place, status):
            return None
        if status.st_dev != os.fstat(self._trash).st_dev:
            raise OtherFileSystem(place)
        if is_folder(place):
            return Removed(place)
        return Removed(place, status.st_size, entry_of(Key(place), status).identity)

    def _status(self, place: Place) -> os.stat_result | None:
        above, _, name = place.rstrip("/").rpartition("/")
        try:
            with directory_beneath(self._root, above) as directory:
                return os.stat(name, dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return None

    def _begun(self, removal_id: str, items: Sequence[Removed] | None) -> int:
        descriptor = self._made(removal_id)
        try:
            if items is not None:
                self._write_list(descriptor, as_text(items))
            self._medium.sync(self._trash)
        except BaseException:
            try:
                self.clear(removal_id, descriptor)
            finally:
                os.close(descriptor)
            raise
        return descriptor

    def _made(self, removal_id: str) -> int:
        """A new folder's descriptor, locked."""
        for _ in range(_TRIES):
            with suppress(FileExistsError):
                os.mkdir(removal_id, 0o777, dir_fd=self._trash)
            with suppress(NotFound, KeyBusy):  # a sweep looks at it, and takes it away, before it was locked
                return self._locked(removal_id)
        raise KeyBusy(removal_id)

    def _write_list(self, directory: int, text: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(_NEW_LIST, flags, 0o666, dir_fd=directory), "wb") as file:
            file.write(text)
            file.flush()
            self._medium.sync(file.fileno())
        os.rename(_NEW_LIST, LIST, src_dir_fd=directory, dst_dir_fd=directory)
        self._medium.sync(directory)

    def _locked(self, removal_id: str) -> int:
        """A removal's folder, with the lock that the kernel frees when its holder dies. Raises NotFound, KeyBusy."""
        descriptor = self._opened(removal_id)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._require_name(removal_id, descriptor)
        except BlockingIOError as error:
            os.close(descriptor)
            raise KeyBusy(removal_id) from error
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _require_name(self, removal_id: str, descriptor: int) -> None:
        """Raises NotFound where the folder has been destroyed since it was opened."""
        named = os.stat(removal_id, dir_fd=self._trash, follow_symlinks=False)
        if not os.path.samestat(named, os.fstat(descriptor)):
            raise NotFound(removal_id)

    def _opened(self, removal_id: str) -> int:
        if self._trash < 0 or not is_removal_id(removal_id):
            raise NotFound(removal_id)
        return os.open(removal_id, FOLDER_FLAGS, dir_fd=self._trash)

    def _read(self, removal_id: str) -> Removal | None:
        descriptor = self._opened(removal_id)
        try:
            return listed_in(removal_id, descriptor)
        finally:
            os.close(descriptor)

    def _ids(self) -> dict[str, bool]:
        names = sorted(filter(is_removal_id, os.listdir(self._trash)), reverse=True)
        return {name: os.access(f"{name}/{LIST}", os.F_OK, dir_fd=self._trash, follow_symlinks=False) for name in names}

    def take(self, removal_id: str, directory: int, places: Mapping[int, Place]) -> dict[int, Listed]:
        """See `HeldRemoval.take`. For a thread."""
        taken: dict[int, Listed] = {}
        with self._synced_at_the_end() as touched:
            for number, place in places.items():
                try:
                    self._take_one(directory, number, place, touched)
                except (OSError, StorageError):
                    if not taken:
                        raise
                    break
                if (found := found_in(removal_id, directory, number)) is not None:
                    taken[number] = found
            self._medium.sync(directory)
        return taken

    def _take_one(self, directory: int, number: int, place: Place, touched: dict[str, int]) -> None:
        above, _, name = place.rstrip("/").rpartition("/")
        if above not in touched:
            touched[above] = open_beneath(self._root, above or ".", os.O_RDONLY | os.O_DIRECTORY)
        if not _is_meant(place, os.stat(name, dir_fd=touched[above], follow_symlinks=False)):
            raise NotFound(place)
        try:
            os.rename(name, str(number), src_dir_fd=touched[above], dst_dir_fd=directory)
        except OSError as error:
            if error.errno in _ELSEWHERE:
                raise OtherFileSystem(place) from error
            raise

    @contextmanager
    def _synced_at_the_end(self) -> Iterator[dict[str, int]]:
        """Open folders by their names: what was renamed from them stays renamed after a power cut."""
        touched: dict[str, int] = {}
        try:
            yield touched
            for descriptor in touched.values():
                self._medium.sync(descriptor)
        finally:
            for descriptor in touched.values():
                os.close(descriptor)

    def give_back(self, directory: int, places: Mapping[int, Place]) -> dict[int, Given]:
        """See `HeldRemoval.give_back`. For a thread."""
        with self._synced_at_the_end() as touched:
            given = {
                number: _or_error(partial(self._give_one, directory, number, place, touched))
                for number, place in places.items()
            }
        self._medium.sync(directory)
        return given

    def _give_one(self, directory: int, number: int, place: Place, touched: dict[str, int]) -> Given:
        above, _, name = place.rstrip("/").rpartition("/")
        os.stat(str(number), dir_fd=directory, follow_symlinks=False)  # or folders would be made for nothing
        try:
            if above not in touched:
                with directory_beneath(self._root, above, sync=self._medium.sync) as target:
                    touched[above] = os.dup(target)
            rename_new(str(number), name, src_dir_fd=directory, dst_dir_fd=touched[above])
            return listed_of(place, os.stat(name, dir_fd=touched[above], follow_symlinks=False))
        except FileExistsError as error:
            raise PreconditionFailed(place) from error
        except OSError as error:
            if error.errno in _ELSEWHERE:
                raise OtherFileSystem(place) from error
            if error.errno in _GONE:  # a folder above is a file, or was removed when it was about to be used
                raise FolderInTheWay(place) from error
            raise

    def clear(self, removal_id: str, directory: int) -> None:
        """Remove a removal whose folder is open and locked, its list first. For a thread."""
        with suppress(FileNotFoundError):
            os.unlink(LIST, dir_fd=directory)
        clear_folder(directory, is_over=self._is_closing.is_set)
        if not self._is_closing.is_set():
            os.rmdir(removal_id, dir_fd=self._trash)


class LocalHeldRemoval:
    """The open and locked folder of one removal."""

    def __init__(self, trash: LocalTrash, removal_id: str, directory: SharedDescriptor) -> None:
        self._trash = trash
        self._id = removal_id
        self._directory = directory

    async def removal(self) -> Removal | None:
        """See `HeldRemoval.removal`."""
        return await self._run(partial(listed_in, self._id))

    async def find(self, numbers: Iterable[int]) -> Mapping[int, Listed]:
        """See `HeldRemoval.find`."""
        return await self._run(
            lambda directory: {
                number: found for number in numbers if (found := found_in(self._id, directory, number)) is not None
            }
        )

    async def take(self, places: Mapping[int, Place]) -> Mapping[int, Listed]:
        """See `HeldRemoval.take`."""
        return await self._run(lambda directory: self._trash.take(self._id, directory, places))

    async def give_back(self, places: Mapping[int, Place]) -> Mapping[int, Given]:
        """See `HeldRemoval.give_back`."""
        return await self._run(lambda directory: self._trash.give_back(directory, places))

    async def destroy(self) -> None:
        """See `HeldRemoval.destroy`."""
        clearing = self._run(partial(self._trash.clear, self._id))
        self._directory.close()
        await clearing

    async def close(self) -> None:
        """See `HeldRemoval.close`."""
        self._directory.close()

    def _run(self, work: Callable[[int], T]) -> asyncio.Future[T]:
        """Have a thread work in the folder, which stays open as long, whoever waits for it."""
        return self._directory.run(lambda: _explained(lambda: work(self._directory.number)))


def _or_error(work: Callable[[], Given]) -> Given:
    try:
        return _explained(work)
    except NotKept:
        raise
    except StorageError as error:
        return error


def _is_meant(place: Place, status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) if is_folder(place) else stat.S_ISREG(status.st_mode)


def _explained(work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace(error.strerror) from error
        raise (NotFound if error.errno in _GONE else StoreUnavailable)(error.strerror or "") from error


def _undo(future: Future[T], *, undo: Callable[[T], None]) -> None:
    if not future.cancelled() and future.exception() is None:
        undo(future.result())
