"""The files beneath a directory in the order of their keys, in bounded memory.

A directory gives its names in no order. Sorting them all needs memory for all; instead each pass over the directory
keeps the next `BATCH` names alone. A folder of a million files takes 16 passes of about half a second.
"""

import heapq
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from storage.beneath import directory_beneath, open_beneath
from storage.keys import Folder, Key, is_reserved
from storage.model import Entry, Listed, Subfolder

BATCH = 65_536  # names; about 8 MB


def listed_beneath(
    root: int, folder: Folder, *, is_recursive: bool, after: str, batch: int = BATCH
) -> Iterator[Listed]:
    """What a folder holds, in code-point order of the keys, from the first after `after`.

    Links, devices and our own folder are passed over. Raises OSError when the folder cannot be opened.
    """
    with directory_beneath(root, folder.removesuffix("/")) as directory:
        yield from _Walk(is_recursive, after, batch).listed(directory, folder)


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


@dataclass(frozen=True, slots=True)
class _Walk:
    is_recursive: bool
    after: str
    batch: int

    def listed(self, directory: int, folder: Folder) -> Iterator[Listed]:
        for key in self._keys_after(directory, folder):
            name = key.removeprefix(folder).rstrip("/")
            try:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted since its name was read
            if not key.endswith("/"):
                if stat.S_ISREG(status.st_mode):
                    yield entry_of(Key(key), status)
            elif self.is_recursive:
                yield from self._descend(directory, name, Folder(key))
            elif key > self.after:
                yield Subfolder(Folder(key), status.st_mtime_ns)

    def _descend(self, directory: int, name: str, folder: Folder) -> Iterator[Listed]:
        try:
            descriptor = open_beneath(directory, name, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return  # unreadable, gone, or no folder any more: the listing goes on without it
        try:
            yield from self.listed(descriptor, folder)
        finally:
            os.close(descriptor)

    def _keys_after(self, directory: int, folder: Folder) -> Iterator[str]:
        """Keys of one directory, subfolders with `/` at the end: so their contents come in the order of all keys."""
        # the folder that `after` lies in comes before it in order, and is entered all the same
        keys = heapq.nsmallest(self.batch, _keys(directory, folder, after=self.after, entered=self.after))
        yield from keys
        while len(keys) == self.batch:
            keys = heapq.nsmallest(self.batch, _keys(directory, folder, after=keys[-1], entered=""))
            yield from keys


def _keys(directory: int, folder: Folder, *, after: str, entered: str) -> Iterator[str]:
    with os.scandir(directory) as names:
        for name in names:
            if is_reserved(name.name):
                continue
            if name.is_dir(follow_symlinks=False):
                key = f"{folder}{name.name}/"
                if key > after or entered.startswith(key):
                    yield key
            elif name.is_file(follow_symlinks=False) and (key := folder + name.name) > after:
                yield key
