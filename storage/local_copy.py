"""The bytes of one file in another, by the cheapest way that the file system has; in threads, a stretch at a time.

Btrfs, XFS and others share the blocks of both until one is changed (ioctl_ficlone(2)): a film of 50 GB takes no time,
and no room. Elsewhere the kernel copies, and the bytes do not come by here (copy_file_range(2)).
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio.lowlevel

from storage.descriptors import SharedDescriptor

STRETCH = 64 << 20
"""Bytes copied at once: whoever leaves is waited for as long."""
_FICLONE = 0x40049409
_BLOCK = 1 << 20
_NOT_SHARED = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM})


P = ParamSpec("P")
T = TypeVar("T")


async def copied(source: int, target: SharedDescriptor, size: int, *, make_room: Callable[[], None]) -> int:
    """Fill an empty file with the first `size` bytes of another, which stays open; how many there were.

    Raises OSError, and what `make_room` raises, which is called unless the blocks can be shared.
    """
    if await _shielded(target, share, source, target.number):
        return size
    await _shielded(target, make_room)
    offset = 0
    while offset < size:
        await anyio.lowlevel.checkpoint()
        stretch = range(offset, min(offset + STRETCH, size))
        count = await _shielded(target, copy_stretch, source, target.number, stretch)
        if count == 0:
            break
        offset += count
    return offset


async def _shielded(file: SharedDescriptor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The source is its owner's: it may be closed as soon as nobody waits any more."""
    future = file.run(work, *args, **kwargs)
    with anyio.CancelScope(shield=True):
        await asyncio.wait([future])
    return future.result()


def share(source: int, target: int) -> bool:
    """Have an empty file share all blocks of another; whether it does now. Raises OSError.

    Those that were added behind the copied size stay in it: it is the file as it was at one moment.
    """
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _NOT_SHARED:
            return False
        raise
    return True


def copy_stretch(source: int, target: int, span: range) -> int:
    """Copy a beginning of a span to the same place; its size, 0 where the source is shorter. Raises OSError."""
    try:
        return os.copy_file_range(source, target, len(span), span.start, span.start)
    except OSError as error:
        if error.errno not in _NOT_SHARED:
            raise
    block = os.pread(source, min(_BLOCK, len(span)), span.start)
    return os.pwrite(target, block, span.start)
