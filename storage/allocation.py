"""Room for bytes that are to come, and an early start for those that came: what Linux offers and Python does not.

Both change nothing about what a file holds or says of itself. Where the system or the file system has them not, nothing
is done.
"""

import ctypes
import errno
import os
import sys

_KEEP_SIZE = 0x01  # FALLOC_FL_KEEP_SIZE: a draft's size is its offset
_WRITE = 0x02  # SYNC_FILE_RANGE_WRITE
_IS_LINUX = sys.platform.startswith("linux")
_ABSENT = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EINTR, errno.ENODEV})

_libc = ctypes.CDLL(None, use_errno=True)
if _IS_LINUX:
    _libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    _libc.sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def allocate(descriptor: int, offset: int, size: int) -> None:
    """Keep room for bytes past the end of a file (fallocate(2)): a full disk shows before they come.

    A third of the CPU of writing 8 MiB and syncing it goes with it on ext4. Raises OSError: ENOSPC, EDQUOT, EFBIG.
    """
    if not _IS_LINUX or size <= 0:
        return
    if _libc.fallocate(descriptor, _KEEP_SIZE, offset, size) and (code := ctypes.get_errno()) not in _ABSENT:
        raise OSError(code, os.strerror(code))


def release(descriptor: int) -> None:
    """Give back the room past the end of a file."""
    os.ftruncate(descriptor, os.fstat(descriptor).st_size)


def start_writing(descriptor: int, offset: int, size: int) -> None:
    """Have the kernel begin to write bytes out (sync_file_range(2)), so that the fsync to come waits for the last few.

    It is a hint: nothing is durable by it, and errors are told to fsync.
    """
    if _IS_LINUX:
        _libc.sync_file_range(descriptor, offset, size, _WRITE)
