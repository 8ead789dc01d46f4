"""What an attempt to get out of the sandbox has to work with."""

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]
HERE = -100  # AT_FDCWD


@dataclass(frozen=True, slots=True)
class World:
    """What an attacker may know: `outside` is a folder with a file `secret` and an empty folder `empty` in it."""

    outside: str
    server: int
    port: int
    zygote: int
    folder: str
    input: int
    control: int

    @property
    def secret(self) -> str:
        return f"{self.outside}/secret"

    def own_file(self) -> str:
        """A file of the worker's, where it may have files."""
        path = f"{self.folder}/own"
        with open(path, "w") as file:
            file.write("mine")
        return path


Attempt = Callable[[World], object]
ATTEMPTS: dict[str, Attempt] = {}


def attempt(function: Attempt) -> Attempt:
    """Put it on the list."""
    ATTEMPTS[getattr(function, "__name__", "")] = function
    return function


def call(x86: int | None, arm: int | None, *arguments: Any) -> int:
    """A system call by its number; a number that this machine has not is refused by itself."""
    number = (x86, arm)[_COLUMN]
    if number is None:
        raise OSError("no such call here")
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = _LIBC.syscall(ctypes.c_long(number), *passed)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path: str) -> bytes:
    """The first byte of it."""
    with open(path, "rb") as file:
        return file.read(1)


def write(path: str, text: str, *, how: str = "w") -> None:
    """Write it there."""
    with open(path, how) as file:
        file.write(text)
