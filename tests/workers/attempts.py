"""A job that tries to get out of its sandbox: an entry module for a pool, and the list of what it tries.

Each attempt is a function of the `World` around it. It raises OSError when it is refused; returning is an escape.
What could do harm if it worked is asked for in its harmless form: signal 0, a mount of nothing, a reboot without magic.
"""

import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
from typing import Any

from fileserver.workers import Channel
from tests.workers import attempts_on_files, attempts_on_kernel
from tests.workers.world import ATTEMPTS, World, attempt, call

__all__ = ["ATTEMPTS", "attempts_on_files", "attempts_on_kernel"]


def prepare() -> None:
    """All is imported."""


def warm() -> None:
    """Nothing to keep."""


def run(state: None, spec: dict[str, Any], channel: Channel) -> None:
    """Try everything and tell how each attempt ended."""
    world = World(
        **spec, zygote=os.getppid(), folder=str(channel.folder), input=channel.input, control=channel.control.fileno()
    )
    channel.tell({"type": "layers", "layers": sorted(channel.sandbox)})
    for name, function in ATTEMPTS.items():
        try:
            function(world)
        except (OSError, ValueError, MemoryError) as error:
            channel.tell({"type": "refused", "attempt": name, "error": repr(error)})
        else:
            channel.tell({"type": "escaped", "attempt": name})


@attempt
def execute(world: World) -> None:
    os.execv("/bin/true", ["true"])


@attempt
def execute_own_program(world: World) -> None:
    path = f"{world.folder}/program"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o777))
    os.execv(path, ["program"])


@attempt
def execute_a_descriptor(world: World) -> None:
    call(322, 281, world.input, b"", 0, 0, 0x1000)


@attempt
def load_a_library(world: World) -> None:
    ctypes.CDLL("libz.so.1")


@attempt
def run_a_program(world: World) -> None:
    subprocess.run(["/bin/true"], check=True)


@attempt
def spawn_a_program(world: World) -> None:
    os.posix_spawn("/bin/true", ["true"], {})


@attempt
def fork(world: World) -> None:
    if os.fork() == 0:
        os._exit(0)


@attempt
def fork_by_the_old_call(world: World) -> None:
    if call(57, None) == 0:
        os._exit(0)


@attempt
def connect_to_the_server(world: World) -> None:
    socket.create_connection(("127.0.0.1", world.port), timeout=1).close()


@attempt
def pair_of_sockets(world: World) -> None:
    socket.socketpair()


@attempt
def pass_a_descriptor_to_the_server(world: World) -> None:
    with socket.socket(fileno=os.dup(world.control)) as control:
        socket.send_fds(control, [b"\n"], [0])


@attempt
def bind_the_line_to_the_server(world: World) -> None:
    with socket.socket(fileno=os.dup(world.control)) as control:
        control.bind(f"{world.folder}/socket")


@attempt
def enter_the_namespace_of_init(world: World) -> None:
    call(308, 268, world.input, 0)


@attempt
def raise_the_memory_limit(world: World) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@attempt
def raise_the_limit_of_descriptors(world: World) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))


@attempt
def more_descriptors_than_allowed(world: World) -> None:
    held: list[int] = []
    try:
        held.extend(os.dup(0) for _ in range(1000))
    finally:
        for descriptor in held:
            os.close(descriptor)


@attempt
def more_memory_than_allowed(world: World) -> None:
    bytearray(5 << 30)


@attempt
def shared_memory_that_is_not_counted(world: World) -> None:
    mmap.mmap(-1, 4096)


@attempt
def a_stack_that_grows(world: World) -> None:
    mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100)


@attempt
def new_code(world: World) -> None:
    mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ | mmap.PROT_EXEC)


@attempt
def data_made_code(world: World) -> None:
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call(10, 226, address, 4096, mmap.PROT_READ | mmap.PROT_EXEC)


@attempt
def a_file_larger_than_allowed(world: World) -> None:
    with open(f"{world.folder}/large", "wb") as file:
        file.truncate(1 << 40)


@attempt
def a_file_that_fills_the_disk(world: World) -> None:
    with open(f"{world.folder}/large", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 40)


@attempt
def typing_for_others(world: World) -> None:
    fcntl.ioctl(0, 0x5412, b"x")


@attempt
def a_lease_on_the_input(world: World) -> None:
    fcntl.fcntl(world.input, fcntl.F_SETLEASE, fcntl.F_RDLCK)


@attempt
def a_watch_on_the_folder(world: World) -> None:
    fcntl.fcntl(os.open(world.folder, os.O_RDONLY), fcntl.F_NOTIFY, 4)


@attempt
def capabilities(world: World) -> None:
    call(126, 91, struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", *(0xFFFFFFFF,) * 6))


@attempt
def signals_to_everyone(world: World) -> None:
    os.kill(-1, 0)


@attempt
def a_signal_to_init(world: World) -> None:
    os.kill(1, 0)


@attempt
def a_signal_to_the_group(world: World) -> None:
    os.killpg(os.getpgid(0), signal.SIGWINCH)
