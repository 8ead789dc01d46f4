"""The filter, run by a small model of the kernel's machine: every call, on both architectures."""

import errno
import struct

import pytest

from fileserver.workers import seccomp, syscalls

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
PID = 4711


def verdict(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the program answers to a call."""
    seen = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *(0,) * (6 - len(arguments)))
    instructions = list(struct.iter_unpack("=HBBI", program))
    place, register = 0, 0
    while True:
        code, if_true, if_false, operand = instructions[place]
        place += 1
        match code:
            case 0x20:
                (register,) = struct.unpack_from("=I", seen, operand)
            case 0x54:
                register &= operand
            case 0x15:
                place += if_true if register == operand else if_false
            case 0x35:
                place += if_true if register >= operand else if_false
            case 0x06:
                return int(operand)
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_every_call_of_the_table_is_refused(machine: str) -> None:
    column, architecture = ARCHITECTURES[machine]
    program = seccomp.program(machine, PID)
    refused = {numbers[column] for numbers in syscalls.REFUSED.values()} - {None}
    conditional = {
        syscalls.CLONE, syscalls.FCNTL, syscalls.IOCTL, syscalls.KILL, syscalls.MMAP, syscalls.MPROTECT,
        syscalls.PKEY_MPROTECT, syscalls.PRCTL, syscalls.PRLIMIT64, syscalls.TGKILL, syscalls.CLONE3,
    }  # fmt: skip
    for number in set(range(syscalls.FIRST_UNKNOWN)) - {numbers[column] for numbers in conditional}:
        assert verdict(program, architecture, number) == (EPERM if number in refused else ALLOW)


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        (syscalls.CLONE, (0x3D0F00,), ALLOW),  # a thread, as the C library starts it
        (syscalls.CLONE, (17,), EPERM),  # fork: SIGCHLD
        (syscalls.CLONE3, (), ENOSYS),
        (syscalls.KILL, (PID, 9), ALLOW),
        (syscalls.KILL, (PID + 1, 0), EPERM),
        (syscalls.KILL, (0xFFFFFFFF, 0), EPERM),
        (syscalls.KILL, (0, 9), EPERM),
        (syscalls.TGKILL, (PID, 12, 6), ALLOW),
        (syscalls.TGKILL, (1, 1, 6), EPERM),
        (syscalls.MMAP, (0, 4096, 3, 0x22), ALLOW),
        (syscalls.MMAP, (0, 4096, 3, 0x21), EPERM),  # shared, of no file
        (syscalls.MMAP, (0, 4096, 3, 0x23), EPERM),
        (syscalls.MMAP, (0, 4096, 1, 0x01), ALLOW),
        (syscalls.MMAP, (0, 4096, 3, 0x122), EPERM),  # a stack that grows
        (syscalls.MMAP, (0, 4096, 5, 0x02), EPERM),
        (syscalls.MPROTECT, (0, 4096, 3), ALLOW),
        (syscalls.MPROTECT, (0, 4096, 7), EPERM),
        (syscalls.PKEY_MPROTECT, (0, 4096, 4), EPERM),
        (syscalls.PRLIMIT64, (0, 2), ALLOW),
        (syscalls.PRLIMIT64, (PID, 2), ALLOW),
        (syscalls.PRLIMIT64, (1, 2), EPERM),
        (syscalls.PRCTL, (15,), ALLOW),  # the name of a thread
        (syscalls.PRCTL, (1, 0), EPERM),
        (syscalls.PRCTL, (4, 1), EPERM),
        (syscalls.FCNTL, (3, 1), ALLOW),
        (syscalls.FCNTL, (3, 8), EPERM),
        (syscalls.FCNTL, (3, 15), EPERM),
        (syscalls.FCNTL, (3, 1024), EPERM),
        (syscalls.IOCTL, (0, 0x5412), EPERM),
        (syscalls.IOCTL, (0, 0x5411), ALLOW),
    ],
)
def test_some_calls_depend_on_their_arguments(
    machine: str, call: tuple[int, int], arguments: tuple[int, ...], answer: int
) -> None:
    column, architecture = ARCHITECTURES[machine]
    assert verdict(seccomp.program(machine, PID), architecture, call[column], *arguments) == answer


def test_calls_of_another_machine_and_calls_to_come() -> None:
    program = seccomp.program("x86_64", PID)
    assert verdict(program, 0x40000003, 1) == KILL  # i386, by int 0x80
    assert verdict(program, 0xC000003E, 0x40000000 + 39) == ENOSYS  # x32
    assert verdict(program, 0xC000003E, syscalls.FIRST_UNKNOWN) == ENOSYS


def test_a_machine_without_a_table_has_no_filter() -> None:
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program("riscv64", PID)
