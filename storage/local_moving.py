"""Names in a directory that is served in place: files and folders are given others, and folders are made.

Each is one rename or one mkdir, beneath the root and through no link; what it has changed is durable when it returns.
All of it blocks, and is called in threads. The kernel's own checks decide what is in the way of what.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

from storage.beneath import Sync, directory_beneath, open_beneath
from storage.errors import FolderInTheWay, IsFolder, NotFound, OtherFileSystem, PreconditionFailed
from storage.keys import Folder, Key
from storage.local_listing import entry_of
from storage.model import Entry
from storage.renaming import rename_new

_TRIES = 8  # as often as a folder may vanish between its making and its use
_IN_THE_WAY = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP})
_ELSEWHERE = frozenset({errno.EXDEV, errno.EBUSY})  # EBUSY: another file system is mounted there
T = TypeVar("T")


def move_file(root: int, old: Key, new: Key, *, is_replacing: bool, sync: Sync) -> Entry:
    """See `Store.move`."""
    return _tried(partial(_move_file, root, old, new, is_replacing, sync), old)


def move_folder(root: int, old: Folder, new: Folder, *, is_replacing: bool, sync: Sync) -> bool:
    """See `Store.move_folder`."""
    return _tried(partial(_move_folder, root, old, new, is_replacing, sync), old)


def make_folder(root: int, folder: Folder, *, sync: Sync) -> bool:
    """See `Store.make_folder`."""
    return _tried(partial(_make_folder, root, folder, sync), folder)


def folder_identity(root: int, folder: Folder) -> str:
    """See `Store.folder_identity`: the inode, which a rename keeps."""
    descriptor = open_beneath(root, folder.removesuffix("/") or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        return f"{os.fstat(descriptor).st_ino:x}"
    finally:
        os.close(descriptor)


def _move_file(root: int, old: Key, new: Key, is_replacing: bool, sync: Sync) -> Entry:
    with _folder_of(root, old) as (source, name):
        before = _status(source, name)
        if stat.S_ISDIR(before.st_mode):
            raise IsFolder(old)
        if not stat.S_ISREG(before.st_mode):
            raise NotFound(old)
        with _in_the_way(new), _folder_of(root, new, sync=sync) as (target, new_name):
            if is_replacing:
                os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
                if before.st_nlink > 1:
                    _drop_other_name(before, name, source)
            else:
                _rename_to_free(name, new_name, source, target, new)
            _sync_both(source, target, sync)
            return entry_of(new, _status(target, new_name))


def _move_folder(root: int, old: Folder, new: Folder, is_replacing: bool, sync: Sync) -> bool:
    with _folder_of(root, old) as (source, name):
        if not stat.S_ISDIR(_status(source, name).st_mode):
            raise NotFound(old)
        with _in_the_way(new), _folder_of(root, new, sync=sync) as (target, new_name):
            is_new = True
            try:
                _rename_to_free(name, new_name, source, target, new)
            except PreconditionFailed:
                raise FolderInTheWay(new) from None  # no folder takes a file's place
            except FolderInTheWay:
                if not is_replacing:
                    raise PreconditionFailed(new) from None
                os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)  # the kernel replaces an empty one
                is_new = False
            _sync_both(source, target, sync)
            return is_new


def _make_folder(root: int, folder: Folder, sync: Sync) -> bool:
    with _in_the_way(folder), _folder_of(root, folder, sync=sync) as (directory, name):
        try:
            os.mkdir(name, dir_fd=directory)
        except FileExistsError:
            if stat.S_ISDIR(_status(directory, name).st_mode):
                return False
            raise
        sync(directory)
        return True


def _rename_to_free(name: str, new_name: str, source: int, target: int, new: str) -> None:
    """Raises PreconditionFailed where a file has the name, FolderInTheWay where a folder has it."""
    try:
        rename_new(name, new_name, src_dir_fd=source, dst_dir_fd=target)
    except FileExistsError:
        is_folder = stat.S_ISDIR(_status(target, new_name).st_mode)
        raise (FolderInTheWay if is_folder else PreconditionFailed)(new) from None


def _drop_other_name(before: os.stat_result, name: str, source: int) -> None:
    """A file that has both names keeps both when one is renamed to the other (rename(2)).

    One that has a single link is still found under its old name where the file system folds case: it stays.
    """
    with suppress(FileNotFoundError):
        if os.path.samestat(before, _status(source, name)):
            os.unlink(name, dir_fd=source)


def _sync_both(source: int, target: int, sync: Sync) -> None:
    """The new name first: a power cut may leave both, never neither."""
    sync(target)
    if not os.path.samestat(os.fstat(source), os.fstat(target)):
        sync(source)


def _tried(work: Callable[[], T], key: str) -> T:
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return work()
    raise NotFound(key)


@contextmanager
def _folder_of(root: int, key: str, *, sync: Sync | None = None) -> Iterator[tuple[int, str]]:
    """The folder that a file or folder is in, made with `sync` where it is missing, and the name there."""
    folder, _, name = key.removesuffix("/").rpartition("/")
    with directory_beneath(root, folder, sync=sync) as directory:
        yield directory, name


@contextmanager
def _in_the_way(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise FolderInTheWay(key) from error
        if error.errno in _ELSEWHERE:
            raise OtherFileSystem(key) from error
        raise


def _status(directory: int, name: str) -> os.stat_result:
    return os.stat(name, dir_fd=directory, follow_symlinks=False)
