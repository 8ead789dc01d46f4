"""Opening files beneath a directory without ever leaving it.

Names are walked by the kernel from a directory's descriptor and no symbolic link is followed, so there is no moment
between a check and a use. Linux 5.6 does the walk in one call (openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS);
elsewhere each name is opened in turn with O_NOFOLLOW. Both refuse links with OSError, in the same places.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

_SYS_OPENAT2 = 437  # the same number on every architecture (Linux 5.6)
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_STAY_BENEATH = _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS
_RESOLVE_NO_XDEV = 0x01
_RESOLVE_CACHED = 0x20  # Linux 5.12
# What a walk by memory alone may answer that one by the disk would not; EINVAL and ENOSYS on kernels that know none.
_UNDECIDED = frozenset({errno.EAGAIN, errno.EINTR, errno.EXDEV, errno.EINVAL, errno.ENOSYS})
_MAX_TRIES = 8  # openat2 answers EAGAIN when a rename crosses its walk

Sync = Callable[[int], None]
"""Makes what a descriptor stands for durable."""


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_long)
_libc.syscall.restype = ctypes.c_long


def open_beneath(directory: int, path: str, flags: int, *, has_openat2: bool | None = None) -> int:
    """A descriptor of the file or directory at a relative path; nothing is created.

    `has_openat2` overrides what was found out about the kernel.

    Raises OSError: ELOOP or ENOTDIR where the path crosses a symbolic link or leaves the directory.
    """
    if _HAS_OPENAT2 if has_openat2 is None else has_openat2:
        return _openat2(directory, path, flags)
    return _open_by_name(directory, path, flags)


def open_cached(directory: int, path: str, flags: int) -> int:
    """As `open_beneath`, answered from the kernel's memory of names alone: it never waits for the disk.

    Raises BlockingIOError where that is not enough: for names not asked for lately, for another file system mounted
    below, on older kernels. Raises OSError as `open_beneath` does, and then nothing else is to be found out.
    """
    descriptor = -errno.ENOSYS
    if _HAS_OPENAT2:
        descriptor = _try_openat2(directory, path, flags, _STAY_BENEATH | _RESOLVE_NO_XDEV | _RESOLVE_CACHED)
    if -descriptor in _UNDECIDED:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), path)
    return _checked(descriptor, path)


@contextmanager
def directory_beneath(directory: int, path: str, *, sync: Sync | None = None) -> Iterator[int]:
    """A descriptor of the directory at a relative path (empty: the directory itself), closed at the end.

    With `sync`, missing directories are created, each made durable by it before the next (in its parent).
    Raises OSError, and what `sync` raises.
    """
    descriptor = _directory(directory, path, sync=sync)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _directory(directory: int, path: str, *, sync: Sync | None) -> int:
    try:
        return open_beneath(directory, path or ".", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        if sync is None:
            raise
    current = os.dup(directory)
    try:
        for name in path.split("/"):
            current = _replace(current, _made(current, name, sync=sync))
    except BaseException:
        os.close(current)
        raise
    return current


def _made(parent: int, name: str, *, sync: Sync) -> int:
    try:
        os.mkdir(name, dir_fd=parent)
        sync(parent)
    except FileExistsError:
        pass  # made by another writer, or there all along; a file of this name fails the open below
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _replace(old: int, new: int) -> int:
    os.close(old)
    return new


def _openat2(directory: int, path: str, flags: int) -> int:
    descriptor = -errno.EAGAIN
    for _ in range(_MAX_TRIES):
        descriptor = _try_openat2(directory, path, flags, _STAY_BENEATH)
        if -descriptor not in {errno.EAGAIN, errno.EINTR}:
            break
    return _checked(descriptor, path)


def _try_openat2(directory: int, path: str, flags: int, resolve: int) -> int:
    """A descriptor, or the number of an error below 0."""
    how = _how(flags | os.O_CLOEXEC, resolve)
    descriptor = int(_libc.syscall(_SYS_OPENAT2, directory, os.fsencode(path), how, ctypes.sizeof(_OpenHow)))
    return descriptor if descriptor >= 0 else -ctypes.get_errno()


def _checked(descriptor: int, path: str) -> int:
    if descriptor >= 0:
        return descriptor
    # EXDEV: the walk would leave the directory, or a folder on it was moved away meanwhile
    code = errno.ELOOP if descriptor == -errno.EXDEV else -descriptor
    raise OSError(code, os.strerror(code), path)


@lru_cache
def _how(flags: int, resolve: int) -> "ctypes._Pointer[_OpenHow]":
    return ctypes.pointer(_OpenHow(flags, 0, resolve))


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
