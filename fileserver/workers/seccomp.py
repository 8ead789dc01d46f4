"""A seccomp filter (seccomp(2)) as a program for the kernel's classic BPF machine, and its loading.

A deny-list: an allow-list would have to follow every release of the libraries that work behind it. What is refused
answers EPERM, so a library that only tries goes on.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from fileserver.workers import kernel, syscalls

_LOAD, _AND, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # in struct seccomp_data; little-endian on both machines
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_WHOLE = 0xFFFFFFFF

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of the tables, AUDIT_ARCH


@dataclass(frozen=True, slots=True)
class _Test:
    """Refuse when the masked argument is one of `values`; with `is_needed`, when it is none of them."""

    argument: int
    mask: int
    values: tuple[int, ...]
    is_needed: bool = False


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def close_syscalls() -> None:
    """Refuse the calls of `syscalls` to this thread and those it will start. OSError on a machine that is not known."""
    instructions = program(platform.machine(), os.getpid())
    loaded = _Program(len(instructions) // 8, instructions)
    kernel.prctl(kernel.PR_SET_SECCOMP, 2, loaded)  # SECCOMP_MODE_FILTER


def program(machine: str, pid: int) -> bytes:
    """The filter for a process of this number: it may send signals to itself alone."""
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    column, architecture = _ARCHITECTURES[machine]
    parts = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL),  # another machine's numbers mean other calls
        _instruction(_LOAD, _NUMBER_AT),
        _instruction(_JUMP_AT_LEAST, syscalls.FIRST_UNKNOWN, 0, 1),
        _instruction(_RETURN, _UNKNOWN),
        _answer(syscalls.CLONE3[column], _UNKNOWN),  # its flags lie in memory; the C library falls back to clone
        *(_answer(numbers[column], _REFUSE) for numbers in syscalls.REFUSED.values()),
        *(_tested(numbers[column], tests) for numbers, tests in _conditions(pid)),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(parts)


def _conditions(pid: int) -> tuple[tuple[tuple[int, int], tuple[_Test, ...]], ...]:
    executable = _Test(2, 4, (4,))  # PROT_EXEC: all code is there when the job begins
    itself = _Test(0, _WHOLE, (pid,), is_needed=True)
    return (
        (syscalls.CLONE, (_Test(0, 0x10000, (0,)),)),  # without CLONE_THREAD: a process
        # Shared memory without a file, and stacks that grow, are not counted in RLIMIT_DATA.
        (syscalls.MMAP, (_Test(3, 0x21, (0x21,)), _Test(3, 0x100, (0x100,)), executable)),
        (syscalls.MPROTECT, (executable,)),
        (syscalls.PKEY_MPROTECT, (executable,)),
        (syscalls.KILL, (itself,)),
        (syscalls.TGKILL, (itself,)),
        (syscalls.PRLIMIT64, (_Test(0, _WHOLE, (0, pid), is_needed=True),)),
        # PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER
        (syscalls.PRCTL, (_Test(0, _WHOLE, (1, 4, 36)),)),
        # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY: signals to others
        (syscalls.FCNTL, (_Test(1, _WHOLE, (8, 10, 15, 1024, 1026)),)),
        (syscalls.IOCTL, (_Test(1, _WHOLE, (0x5412, 0x541C)),)),  # TIOCSTI, TIOCLINUX: typing for others
    )


def _answer(number: int | None, answer: int) -> bytes:
    if number is None:
        return b""
    return _instruction(_JUMP_EQUAL, number, 0, 1) + _instruction(_RETURN, answer)


def _tested(number: int, tests: Sequence[_Test]) -> bytes:
    body = b"".join(map(_test, tests)) + _instruction(_RETURN, _ALLOW)
    return _instruction(_JUMP_EQUAL, number, 0, len(body) // 8) + body


def _test(test: _Test) -> bytes:
    load = _instruction(_LOAD, _ARGUMENTS_AT + 8 * test.argument) + _instruction(_AND, test.mask)
    count = len(test.values)
    jumps = b"".join(_instruction(_JUMP_EQUAL, value, count - place, 0) for place, value in enumerate(test.values))
    if test.is_needed:  # a value that is allowed jumps over the refusal
        return load + jumps + _instruction(_RETURN, _REFUSE)
    # a value that is refused jumps over the way past it
    return load + jumps + _instruction(_JUMP_AT_LEAST, 0, 1, 0) + _instruction(_RETURN, _REFUSE)


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
