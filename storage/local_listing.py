"""The files beneath a directory, in the order of their keys or as they are found, in bounded memory.

A directory gives its names in no order. Sorting them all needs memory for all; instead each pass over the directory
keeps the next `BATCH` names alone. A folder of a million files takes 16 passes of about half a second, and the first of
them is over before the first name is known: who wants it sooner takes the names as they are found.
"""

import errno
import heapq
import os
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from storage.beneath import open_beneath
from storage.keys import Folder, Key, is_reserved, name_of
from storage.model import Entry, Listed, Subfolder

BATCH = 65_536  # names; about 8 MB
PAGE_SIZE = 1024  # what is listed between two ways back from a thread, about 10 ms on a disk that remembers
FIRST_PAGE_SIZE = 64
"""So that the first row is there at once; each page after it is four times as long."""
PAGE_S = 0.05
"""A page that has taken so long is shown as it is: a disk that has to look takes 10 ms for a single name."""
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG})


def listed_beneath(
    root: int, folder: Folder, *, is_recursive: bool, after: str = "", is_sorted: bool = True, batch: int = BATCH
) -> Generator[Listed, None, None]:
    """What a folder holds, in code-point order of the keys, from the first after `after`.

    Unless `is_sorted`: all of it, as the directories give it, what is in subfolders after the files beside them.
    Links, devices and our own folder are passed over. Raises OSError when the folder cannot be opened.
    """
    with closing(_OpenFolder(root)) as opened:
        opened.enter(folder)
        walk = _Walk(opened, is_recursive, after, batch)
        yield from walk.in_order(folder) if is_sorted else walk.as_found(folder)


def found_beneath(
    root: int, folder: Folder, is_meant: Callable[[str], bool], *, after: str = "", batch: int = BATCH
) -> Generator[Listed | None, None, None]:
    """Files and folders below a folder, however deep, whose names are meant, in key order from the first after `after`.

    Of what is not meant nothing but the name is looked at. For every folder passed there is a None, so that whoever
    waits can leave. Raises OSError when the folder cannot be opened.
    """
    with closing(_OpenFolder(root)) as opened:
        opened.enter(folder)
        yield from _Walk(opened, True, after, batch, is_meant).found(folder)


def entry_of(key: Key, status: os.stat_result) -> Entry:
    """The entry of a regular file with this status; the etag does not depend on the name or on a rename."""
    version = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
    return Entry(
        key=key,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        etag=version,
        identity=f"{version}-{status.st_ctime_ns:x}",
    )


class Pages:
    """A listing that stays open between its pages, each of which a thread makes."""

    def __init__(self, listed: Generator[Listed | None, None, None]) -> None:
        self._listed = listed
        self._size = FIRST_PAGE_SIZE
        self._is_over = False
        self._turn = threading.Lock()  # who leaves closes the listing while a thread may still be at a page

    def next(self) -> tuple[Listed, ...] | None:
        """The next page, None at the end. One is empty where nothing was found for long. Raises OSError."""
        with self._turn:
            page = tuple(self._some())
            self._size = min(4 * self._size, PAGE_SIZE)
            return None if self._is_over and not page else page

    def close(self) -> None:
        """Let go of what is open. Waits for a page that is being made."""
        with self._turn:
            self._listed.close()

    def _some(self) -> Iterator[Listed]:
        end_s = time.monotonic() + PAGE_S
        left = self._size
        for each in self._listed:
            if each is not None:
                yield each
                left -= 1
            if not left or time.monotonic() > end_s:
                return
        self._is_over = True


class _OpenFolder:
    """The folder that a walk looks at: one is open at a time, however deep the walk is."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._folder: Folder | None = None
        self._descriptor = -1

    def enter(self, folder: Folder) -> int:
        """The folder's descriptor, until another is entered. Raises OSError."""
        if folder != self._folder:
            self.close()
            self._descriptor = open_beneath(self._root, folder.removesuffix("/") or ".", os.O_RDONLY | os.O_DIRECTORY)
            self._folder = folder
        return self._descriptor

    def status(self, folder: Folder, name: str) -> os.stat_result | None:
        """What a name in the folder stands for; None if it is gone since it was read."""
        try:
            return os.stat(name, dir_fd=self.enter(folder), follow_symlinks=False)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return None

    def close(self) -> None:
        """Close it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._folder, self._descriptor = None, -1


@dataclass(frozen=True, slots=True)
class _Walk:
    opened: _OpenFolder
    is_recursive: bool
    after: str
    batch: int
    is_meant: Callable[[str], bool] | None = None
    """Whether a file of this name is to be found; None means all."""

    def in_order(self, folder: Folder) -> Iterator[Listed]:
        levels = [(folder, self._keys(folder))]
        while levels:
            folder, keys = levels[-1]
            key = next(keys, None)
            if key is None:
                levels.pop()
            elif key.endswith("/") and self.is_recursive:
                levels.append((Folder(key), self._keys(Folder(key))))
            elif key > self.after and (listed := self._listed(folder, key)) is not None:
                yield listed

    def found(self, folder: Folder) -> Iterator[Listed | None]:
        """Files and folders of names that are meant, and a None for each folder passed."""
        is_meant = self.is_meant or bool  # any name is meant
        levels = [(folder, self._keys(folder))]
        while levels:
            folder, keys = levels[-1]
            key = next(keys, None)
            if key is None:
                levels.pop()
                yield None
                continue
            if key > self.after and is_meant(name_of(Key(key))):
                yield self._listed(folder, key)
            if key.endswith("/"):
                levels.append((Folder(key), self._keys(Folder(key))))

    def as_found(self, folder: Folder) -> Iterator[Listed]:
        levels = [iter((folder,))]
        while levels:
            subfolder = next(levels[-1], None)
            if subfolder is None:
                levels.pop()
                continue
            has_folders = False
            with closing(self._found(subfolder)) as keys:
                for key in keys:
                    if key.endswith("/") and self.is_recursive:
                        has_folders = True
                    elif (listed := self._listed(subfolder, key)) is not None:
                        yield listed
            if has_folders:
                levels.append(Folder(key) for key in self._keys(subfolder) if key.endswith("/"))

    def _listed(self, folder: Folder, key: str) -> Listed | None:
        status = self.opened.status(folder, key.removeprefix(folder).rstrip("/"))
        if status is None:
            return None
        if key.endswith("/"):
            return Subfolder(Folder(key), status.st_mtime_ns)
        return entry_of(Key(key), status) if stat.S_ISREG(status.st_mode) else None

    def _keys(self, folder: Folder) -> Iterator[str]:
        """Keys of one directory, subfolders with `/` at the end: so their contents come in the order of all keys."""
        # the folder that `after` lies in comes before it in order, and is entered all the same
        keys = heapq.nsmallest(self.batch, (key for key in self._found(folder) if self._is_left(key)))
        yield from keys
        while len(keys) == self.batch:
            last = keys[-1]
            keys = heapq.nsmallest(self.batch, (key for key in self._found(folder) if key > last))
            yield from keys

    def _is_left(self, key: str) -> bool:
        return key > self.after or (key.endswith("/") and self.after.startswith(key))

    def _found(self, folder: Folder) -> Generator[str, None, None]:
        """Keys of one directory in no order; none of one that is gone, unreadable, or a folder no more."""
        try:
            directory = self.opened.enter(folder)
        except OSError as error:
            if error.errno not in _GONE:
                raise  # a listing that is not whole has to fail
            return
        with os.scandir(directory) as names:
            for name in names:
                if is_reserved(name.name):
                    continue
                if name.is_dir(follow_symlinks=False):
                    yield f"{folder}{name.name}/"
                elif name.is_file(follow_symlinks=False) and (self.is_meant is None or self.is_meant(name.name)):
                    yield folder + name.name
