"""Landlock (landlock(7)): of all files, a process may use those that it has open, and those below one folder."""

import ctypes
import os

from fileserver.workers import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG = 1 << 7, 1 << 8
_TRUNCATE = 1 << 14
_IN_FOLDER = (
    _WRITE_FILE | _READ_FILE | _READ_DIR | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _TRUNCATE
)  # no execute, no links, no devices, no sockets

# What each version of the kernel's interface can hold: bits of file rights, of TCP, of scopes (ABI 1 to 6).
_FILE_BITS = (13, 14, 15, 15, 16, 16)
_NETWORK_BITS = (0, 0, 0, 2, 2, 2)
_SCOPE_BITS = (0, 0, 0, 0, 0, 2)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def confine(folder: str) -> None:
    """From here on this thread, and those it starts, reach no file by name but those in `folder`. OSError without it.

    No TCP port and no abstract socket either, and no signal to anyone outside. New privileges have to be off.
    """
    version = kernel.syscall(_CREATE_RULESET, None, 0, _VERSION)
    known = min(version, len(_FILE_BITS)) - 1
    handled = _Ruleset(*((1 << bits[known]) - 1 for bits in (_FILE_BITS, _NETWORK_BITS, _SCOPE_BITS)))
    size = (8, 8, 8, 16, 16, 24)[known]
    ruleset = kernel.syscall(_CREATE_RULESET, handled, size, 0)
    try:
        _allow(ruleset, folder, _IN_FOLDER & handled.files)
        kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, folder: str, rights: int) -> None:
    parent = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _PathBeneath(rights, parent), 0)
    finally:
        os.close(parent)
