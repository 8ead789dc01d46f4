"""What a store knows of the medium below it: whether what it was told to keep is kept.

A kernel whose write-back failed tells so once, to the next fsync, and may take the lost pages for written from then on.
So a failed fsync is never tried again: the request fails, and nothing more is written until somebody has looked.
"""

import errno
import os

from storage.errors import StoreDegraded

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Medium:
    """The file system of one store, as this process has come to know it."""

    def __init__(self) -> None:
        self._is_degraded = False

    def sync(self, descriptor: int) -> None:
        """fsync(2). Raises StoreDegraded, and OSError where the medium is full."""
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno in FULL:
                raise
            self._is_degraded = True
            raise StoreDegraded(error.strerror) from error

    def require_sound(self) -> None:
        """Raises StoreDegraded once an fsync has failed."""
        if self._is_degraded:
            raise StoreDegraded
