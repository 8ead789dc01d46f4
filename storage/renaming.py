"""Renames that replace nothing: renameat2(2) with RENAME_NOREPLACE, in one step where the system has it.

Elsewhere (older kernels, file systems without the flag) a file is linked and then unlinked, which replaces nothing
either. A directory can only be looked for first, and so can a file where there are no links: what may be lost between
the look and the rename is an empty one, or a file that somebody makes past the server in that moment.
"""

import ctypes
import errno
import os
from contextlib import suppress

_RENAME_NOREPLACE = 1
_NOT_THERE = frozenset({errno.ENOSYS, errno.EINVAL, errno.EPERM})  # EPERM: old seccomp filters
# A directory has one link; so has every file on FAT, and on some of what FUSE and SMB show
_ONE_LINK = frozenset({errno.EPERM, errno.EACCES, errno.EISDIR, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})

_libc = ctypes.CDLL(None, use_errno=True)


def rename_new(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
    """Rename a file or directory, both names relative to open directories.

    Raises FileExistsError where anything has the new name, and OSError.
    """
    code = _renamed(src_dir_fd, old, dst_dir_fd, new)
    if code in _NOT_THERE:
        _rename_by_steps(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
    elif code:
        raise OSError(code, os.strerror(code), new)


def _renamed(src_dir_fd: int, old: str, dst_dir_fd: int, new: str) -> int:
    """0, or the number of an error."""
    call = getattr(_libc, "renameat2", None)  # glibc 2.28, musl 1.2.6
    if call is None:
        return errno.ENOSYS
    failed = call(src_dir_fd, os.fsencode(old), dst_dir_fd, os.fsencode(new), ctypes.c_uint(_RENAME_NOREPLACE))
    return ctypes.get_errno() if failed else 0


def _rename_by_steps(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
    if _is_linked(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd):
        os.unlink(old, dir_fd=src_dir_fd)
        return
    with suppress(FileNotFoundError):
        os.stat(new, dir_fd=dst_dir_fd, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    os.rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)


def _is_linked(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> bool:
    """Whether a file has both names now: not where one link is all that it may have."""
    try:
        os.link(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno in _ONE_LINK:
            return False
        raise
    return True
