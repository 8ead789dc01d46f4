"""Whether somebody has a file open for writing, as the kernel knows it.

It grants a read lease (fcntl(2), F_SETLEASE) to a file's owner where nobody has. The lease is given back at once, long
before anyone who opens the file would be kept waiting by it; the signal for that is one that nothing dies of.
"""

import errno
import fcntl
import os
import signal
import time

QUIET_S = 5.0  # who wrote to a file this lately may go on


def is_being_written(descriptor: int) -> bool | None:
    """Whether a file opened for reading is open for writing elsewhere; None where that cannot be told.

    It cannot of files of other owners, and on file systems without leases.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # instead of SIGIO, which ends a process
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def is_fresh(status: os.stat_result) -> bool:
    """Whether a file was written to so lately that its writer may go on."""
    return 0 <= time.time_ns() - status.st_ctime_ns < QUIET_S * 1e9
