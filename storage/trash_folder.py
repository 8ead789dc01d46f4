"""What is in the folder of a removal: its list, what there is of it by number, and how it is emptied. For threads."""

import itertools
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress

from storage.keys import Folder, Key
from storage.local_listing import entry_of
from storage.model import Listed, Subfolder
from storage.removal import Removal, from_text, trashed

LIST = "list.json"
"""The name beside the numbers."""
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""To open a folder through no link."""
_AT_ONCE = 1000  # names in memory
_WAITING = "waiting-"


def listed_in(removal_id: str, directory: int) -> Removal | None:
    """What is listed in a removal's folder and is there; None where there is no list. Raises OSError, StoreDamaged."""
    try:
        descriptor = os.open(LIST, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        items = from_text(file.read())
    present = set(os.listdir(directory))
    return Removal(removal_id, {number: item for number, item in enumerate(items) if str(number) in present})


def found_in(removal_id: str, directory: int, number: int) -> Listed | None:
    """What has this number in a removal's folder. Raises OSError."""
    try:
        status = os.stat(str(number), dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return listed_of(trashed(removal_id, number), status)


def listed_of(key: str, status: os.stat_result) -> Listed:
    """The entry of a file with this status, or the folder; a `/` at the end of the key is no matter."""
    name = key.rstrip("/")
    if stat.S_ISDIR(status.st_mode):
        return Subfolder(Folder(f"{name}/"), status.st_mtime_ns)
    return entry_of(Key(name), status)


def clear_folder(directory: int, *, is_over: Callable[[], bool]) -> None:
    """Remove all that is in a folder, through no link, until `is_over`. Raises OSError.

    Folders below are brought up here and emptied one after the other: however deep a tree is, two are open at a time.
    """
    numbers = itertools.count(len(os.listdir(directory)))
    while names := _some_names(directory):
        for name in names:
            if is_over():
                return
            if not _unlinked(name, directory):
                _empty(name, directory, numbers, is_over)


def _empty(name: str, above: int, numbers: Iterator[int], is_over: Callable[[], bool]) -> None:
    directory = os.open(name, FOLDER_FLAGS, dir_fd=above)
    try:
        os.fchmod(directory, 0o700)  # or what is in a read-only folder would stay
        while names := _some_names(directory):
            for each in names:
                if is_over():
                    return
                if not _unlinked(each, directory):
                    os.rename(each, _free_name(above, numbers), src_dir_fd=directory, dst_dir_fd=above)
    finally:
        os.close(directory)
    os.rmdir(name, dir_fd=above)


def _some_names(directory: int) -> list[str]:
    with os.scandir(directory) as names:
        return [each.name for each in itertools.islice(names, _AT_ONCE)]


def _unlinked(name: str, directory: int) -> bool:
    """Whether it was removed: it is no folder."""
    if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=directory)
    return True


def _free_name(directory: int, numbers: Iterator[int]) -> str:
    for number in numbers:
        name = f"{_WAITING}{number}"
        with suppress(FileNotFoundError):
            os.stat(name, dir_fd=directory, follow_symlinks=False)
            continue  # left by one who was stopped
        return name
    raise AssertionError("numbers do not end")
