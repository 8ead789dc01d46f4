"""Opening files beneath a directory without ever leaving it.

Names are walked by the kernel from a directory's descriptor and no symbolic link is followed, so there is no moment
between a check and a use. Linux 5.6 does the walk in one call (openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS);
elsewhere each name is opened in turn with O_NOFOLLOW. Both refuse links with OSError, in the same places.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SYS_OPENAT2 = 437  # the same number on every architecture (Linux 5.6)
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_MAX_TRIES = 8  # openat2 answers EAGAIN when a rename crosses its walk


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)


def open_beneath(directory: int, path: str, flags: int, *, has_openat2: bool | None = None) -> int:
    """A descriptor of the file or directory at a relative path; nothing is created.

    `has_openat2` overrides what was found out about the kernel.

    Raises OSError: ELOOP or ENOTDIR where the path crosses a symbolic link or leaves the directory.
    """
    if _HAS_OPENAT2 if has_openat2 is None else has_openat2:
        return _openat2(directory, path, flags)
    return _open_by_name(directory, path, flags)


@contextmanager
def directory_beneath(directory: int, path: str, *, is_made: bool = False) -> Iterator[int]:
    """A descriptor of the directory at a relative path (empty: the directory itself), closed at the end.

    With `is_made`, missing directories are created, each durably before the next (fsync of its parent).
    Raises OSError.
    """
    descriptor = _directory(directory, path, is_made=is_made)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _directory(directory: int, path: str, *, is_made: bool) -> int:
    try:
        return open_beneath(directory, path or ".", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        if not is_made:
            raise
    current = os.dup(directory)
    try:
        for name in path.split("/"):
            current = _replace(current, _made(current, name))
    except BaseException:
        os.close(current)
        raise
    return current


def _made(parent: int, name: str) -> int:
    try:
        os.mkdir(name, dir_fd=parent)
        os.fsync(parent)
    except FileExistsError:
        pass  # made by another writer, or there all along; a file of this name fails the open below
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _replace(old: int, new: int) -> int:
    os.close(old)
    return new


def _openat2(directory: int, path: str, flags: int) -> int:
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
    for _ in range(_MAX_TRIES):
        descriptor = _libc.syscall(_SYS_OPENAT2, directory, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        if descriptor >= 0:
            return int(descriptor)
        code = ctypes.get_errno()
        if code not in {errno.EAGAIN, errno.EINTR}:
            break
    if code == errno.EXDEV:  # the walk would leave the directory, or a folder on it was moved away meanwhile
        code = errno.ELOOP
    raise OSError(code, os.strerror(code), path)


def _open_by_name(directory: int, path: str, flags: int) -> int:
    *folders, last = names = path.split("/")
    if ".." in names:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    current = os.dup(directory)
    try:
        for name in folders:
            step = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            current = _replace(current, os.open(name, step, dir_fd=current))
        return os.open(last, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
    finally:
        os.close(current)


def _probe() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(_openat2(directory, ".", os.O_RDONLY | os.O_DIRECTORY))
    except OSError:  # ENOSYS on old kernels, EPERM under old seccomp filters
        return False
    finally:
        os.close(directory)
    return True


_HAS_OPENAT2 = _probe()
