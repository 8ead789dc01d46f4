"""A folder and all below it under the watch of inotify(7), with the names of the files that are known to be there.

A folder is watched first and listed after: what comes in between is seen twice, never missed. Folders are opened
beneath the root and watched by their descriptors, so that no link is followed. Not for two threads at once.
"""

import errno
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from asyncinotify import Inotify, Mask, Watch

from storage.beneath import open_beneath
from storage.folder_names import FolderNames
from storage.keys import ROOT, Folder, Key, is_reserved

_SLICE = 1000  # names between two moments in which whoever looks may do something else
_MASK = Mask.CREATE | Mask.CLOSE_WRITE | Mask.MOVE | Mask.DELETE | Mask.ONLYDIR | Mask.EXCL_UNLINK


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may have changed, and whether its name was known before."""

    key: Key
    was_known: bool


Pages: TypeAlias = Iterator[tuple[Found, ...]]
"""Some may be empty: they come so that nobody has to wait long."""


@dataclass(slots=True)
class _Watched:
    watch: Watch
    names: FolderNames = field(default_factory=FolderNames)


@dataclass(frozen=True, slots=True)
class _Open:
    """A watched folder that is being listed, and those below it that are to be."""

    folder: Folder
    descriptor: int
    names: FolderNames
    waiting: list[Folder]

    def pages(self) -> Iterator[list["os.DirEntry[str]"]]:
        """Its files, some at a time."""
        with os.scandir(self.descriptor) as entries:
            while page := tuple(itertools.islice(entries, _SLICE)):
                valid = [each for each in page if not is_reserved(each.name)]
                below = (f"{self.folder}{each.name}/" for each in valid if each.is_dir(follow_symlinks=False))
                self.waiting.extend(map(Folder, below))
                yield [each for each in valid if each.is_file(follow_symlinks=False)]


class InotifyTree:
    """The watched folders beneath a root's descriptor."""

    def __init__(self, root: int, inotify: Inotify) -> None:
        self._root = root
        self._inotify = inotify
        self._folders: dict[Folder, _Watched] = {}
        self._by_watch: dict[int, Folder] = {}
        self.refused = 0
        """How often the system would watch no more folders."""

    def folder_of(self, watch: Watch | None) -> Folder | None:
        """The folder that a watch is on."""
        return None if watch is None else self._by_watch.get(watch.wd)

    def knows(self, key: Key) -> bool:
        """Whether there was a file of this key when last looked."""
        folder, name = _split(key)
        return folder in self._folders and name in self._folders[folder].names

    def learn(self, key: Key, *, is_there: bool) -> None:
        """Record whether there is a file of this key."""
        folder, name = _split(key)
        if (watched := self._folders.get(folder)) is not None:
            (watched.names.add if is_there else watched.names.discard)(name)

    def begin(self, *, since_ns: int) -> Pages:
        """Watch everything, and take what is there for known but for the files that came since a time (Unix).

        The time of a folder says whether names have come: a million files need not be looked at for that.
        """
        for opened in self._descend(ROOT, is_again=False):
            has_new = os.fstat(opened.descriptor).st_mtime_ns >= since_ns
            for page in opened.pages():
                new = [file.name for file in page if has_new and _is_touched(file, since_ns)]
                for file in page:
                    opened.names.add(file.name)
                for name in new:
                    opened.names.discard(name)
                yield tuple(Found(Key(opened.folder + name), was_known=False) for name in new)

    def look(self, folder: Folder) -> Pages:
        """Watch a folder and all below it, as far as it was not; the files that came or went."""
        for opened in self._descend(folder, is_again=False):
            yield from _compared(opened, since_ns=0)

    def look_again(self, *, since_ns: int) -> Pages:
        """Look at everything, after word was lost; files that came, went, or were touched since a time (Unix)."""
        before = {folder: watched.watch.wd for folder, watched in self._folders.items()}
        for opened in self._descend(ROOT, is_again=True):
            yield from _compared(opened, since_ns)
        for folder, wd in before.items():
            if self._is_watched_by(folder, wd) and not self._is_in_place(folder, wd):
                yield from self.drop(folder)

    def drop(self, folder: Folder) -> Pages:
        """Give up a folder that has gone, and all below it; the files that were known there."""
        return _known({below: self._given_up(below) for below in list(self._folders) if below.startswith(folder)})

    def end(self, watch: Watch | None) -> Pages:
        """The system has ended a watch, for its folder is no more; the files that were known there."""
        folder = self.folder_of(watch)
        return _known({} if folder is None else {folder: self._given_up(folder)})

    def has(self, folder: Folder) -> bool:
        """Whether a folder is watched."""
        return folder in self._folders

    def move(self, old: Folder, new: Folder) -> bool:
        """Take note of the other name of a watched folder. False where what is there is not that folder."""
        for below in [each for each in self._folders if each.startswith(old)]:
            moved = Folder(new + below.removeprefix(old))
            if moved in self._folders:  # an empty one, whose end has not been told yet
                self._given_up(moved)
            watched = self._folders[moved] = self._folders.pop(below)
            if self._by_watch.get(watched.watch.wd) == below:
                self._by_watch[watched.watch.wd] = moved
        return self._is_in_place(new, self._folders[new].watch.wd)

    def _descend(self, folder: Folder, *, is_again: bool) -> Iterator[_Open]:
        """Each folder from this one on, opened and watched; also those that are watched already if `is_again`."""
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            try:
                descriptor = self._opened(folder)
            except OSError:
                continue  # gone again, or not for us to read
            try:
                watch = self._added(descriptor)
                if watch is not None and (is_again or not self._is_watched_by(folder, watch.wd)):
                    yield _Open(folder, descriptor, self._adopted(folder, watch).names, waiting)
            finally:
                os.close(descriptor)

    def _opened(self, folder: Folder) -> int:
        return open_beneath(self._root, folder.removesuffix("/") or ".", os.O_RDONLY | os.O_DIRECTORY)

    def _added(self, descriptor: int) -> Watch | None:
        try:
            return self._inotify.add_watch(f"/proc/self/fd/{descriptor}", _MASK)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.ENOMEM}:
                raise
            self.refused += 1
            return None

    def _adopted(self, folder: Folder, watch: Watch) -> _Watched:
        watched = self._folders.setdefault(folder, _Watched(watch))
        if watched.watch.wd != watch.wd:  # another folder has come into its place
            self._unwatch(folder, watched.watch)
            watched.watch = watch
        self._by_watch[watch.wd] = folder
        return watched

    def _given_up(self, folder: Folder) -> FolderNames:
        watched = self._folders.pop(folder)
        self._unwatch(folder, watched.watch)
        return watched.names

    def _unwatch(self, folder: Folder, watch: Watch) -> None:
        """End a watch, unless its folder is known by another name by now or it has ended by itself."""
        if self._by_watch.get(watch.wd) == folder:
            del self._by_watch[watch.wd]
            try:
                self._inotify.rm_watch(watch)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise

    def _is_watched_by(self, folder: Folder, wd: int) -> bool:
        return folder in self._folders and self._folders[folder].watch.wd == wd and self._by_watch.get(wd) == folder

    def _is_in_place(self, folder: Folder, wd: int) -> bool:
        """Whether the folder of this watch is what is found at a place."""
        try:
            descriptor = self._opened(folder)
        except OSError:
            return False
        try:
            watch = self._added(descriptor)  # the same one again, if it is the same folder
            return watch is not None and watch.wd == wd
        finally:
            os.close(descriptor)


def _split(key: Key) -> tuple[Folder, str]:
    folder, slash, name = key.rpartition("/")
    return Folder(folder + slash), name


def _known(folders: dict[Folder, FolderNames]) -> Pages:
    """All files of folders that are no more."""
    for folder, folder_names in folders.items():
        names = iter(folder_names)
        while page := tuple(itertools.islice(names, _SLICE)):
            yield tuple(Found(Key(folder + name), was_known=True) for name in page)


def _compared(opened: _Open, since_ns: int) -> Pages:
    """The files of a folder that are not as they are known."""
    present = FolderNames()
    for page in opened.pages():
        for file in page:
            present.add(file.name)
        found = ((file, file.name in opened.names) for file in page)
        news = ((file, was_known) for file, was_known in found if not was_known or _is_touched(file, since_ns))
        yield tuple(Found(Key(opened.folder + file.name), was_known) for file, was_known in news)
    gone = [name for name in opened.names if name not in present]
    yield tuple(Found(Key(opened.folder + name), was_known=True) for name in gone)


def _is_touched(file: "os.DirEntry[str]", since_ns: int) -> bool:
    try:
        return file.stat(follow_symlinks=False).st_ctime_ns >= since_ns
    except FileNotFoundError:
        return True
