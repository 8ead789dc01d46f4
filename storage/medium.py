"""What a store knows of the medium below it: whether what it was told to keep is kept.

A kernel whose write-back failed tells so once, to the next fsync, and may take the lost pages for written from then on.
So a failed fsync is never tried again: the request fails, and nothing more is written until somebody has looked.
"""

import errno
import os

from storage.errors import NotKept, StoreDegraded

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Medium:
    """The file system of one store, as this process has come to know it."""

    def __init__(self) -> None:
        self._is_degraded = False

    def sync(self, descriptor: int) -> None:
        """fsync(2). Raises NotKept, also where a full medium shows only now, as some file systems do."""
        try:
            os.fsync(descriptor)
        except OSError as error:
            is_full = error.errno in FULL
            self._is_degraded = self._is_degraded or not is_full
            raise NotKept(error.strerror or "", is_full=is_full) from error

    def require_sound(self) -> None:
        """Raises StoreDegraded once an fsync has failed."""
        if self._is_degraded:
            raise StoreDegraded
