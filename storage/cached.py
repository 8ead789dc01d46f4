"""What the kernel can answer from memory alone, so that the event loop need not leave it to a thread.

A file system of this machine knows what it has in memory, and says so before it waits for the disk. One that asks
another machine or another process (NFS, FUSE) may wait for an answer however warm its memory is.
"""

import ctypes
import os
from typing import Final

# f_type of statfs(2), from linux/magic.h.
_LOCAL: Final = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # XFS
        0x9123683E,  # Btrfs
        0xF2F52010,  # F2FS
        0x01021994,  # tmpfs
        0x794C7630,  # overlayfs
    }
)
_STATFS_SIZE: Final = 256  # struct statfs has 120 bytes, of which f_type is the first word
_MOST: Final = 1 << 20  # bytes at a time: warm, they take some 0.1 ms, for which all others wait
_NOWAIT: Final[int | None] = getattr(os, "RWF_NOWAIT", None)  # Linux 4.14

_libc = ctypes.CDLL(None)


def is_local(directory: int) -> bool:
    """Whether files beneath a directory, as far as they are in memory, are opened and read without waiting."""
    if _NOWAIT is None:
        return False
    status = ctypes.create_string_buffer(_STATFS_SIZE)
    if _libc.fstatfs(directory, status) != 0:
        return False
    return ctypes.c_ulong.from_buffer(status).value in _LOCAL


def read_cached(descriptor: int, size: int, offset: int) -> bytes | None:
    """`size` bytes of a file from an offset, if all are in memory and not too many; else None: a thread must look."""
    if _NOWAIT is None or size > _MOST:
        return None
    block = bytearray(size)
    try:
        found = os.preadv(descriptor, (block,), offset, _NOWAIT)
    except OSError:  # not in memory, or a file system that cannot say; what else is wrong, the thread finds out
        return None
    return bytes(block) if found == size else None
