"""Calls of the kernel that Python has no word for, by ctypes; OSError when it refuses."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def prctl(option: int, argument: int | ctypes.Array[ctypes.c_char] = 0, third: int | ctypes.Structure = 0) -> int:
    """prctl(2). Each argument is passed as wide as the kernel reads it."""
    last = ctypes.byref(third) if isinstance(third, ctypes.Structure) else ctypes.c_ulong(third)
    first = argument if isinstance(argument, ctypes.Array) else ctypes.c_ulong(argument)
    return _checked(_LIBC.prctl(option, first, last, ctypes.c_ulong(0), ctypes.c_ulong(0)))


def syscall(number: int, *arguments: int | ctypes.Structure | None) -> int:
    """syscall(2), for what the C library has no function for: structures go by reference, None is the null pointer."""
    return _checked(_LIBC.syscall(ctypes.c_long(number), *map(_argument, arguments)))


def unshare(namespaces: int) -> None:
    """unshare(2)."""
    _checked(_LIBC.unshare(ctypes.c_int(namespaces)))


def capset(header: ctypes.Structure, sets: ctypes.Array[ctypes.c_uint32]) -> None:
    """capset(2)."""
    _checked(_LIBC.capset(ctypes.byref(header), sets))


def _argument(
    value: int | ctypes.Structure | None,
) -> "ctypes.c_long | ctypes.c_void_p | ctypes._CArgObject":
    if value is None:
        return ctypes.c_void_p(None)
    return ctypes.byref(value) if isinstance(value, ctypes.Structure) else ctypes.c_long(value)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
