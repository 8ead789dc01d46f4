"""Calls that a worker may not make, on its own behalf and to other processes, and sockets of every kind."""

import ctypes
import fcntl
import os
import resource
import socket
from collections.abc import Callable
from typing import Any

from tests.workers.world import ATTEMPTS, HERE, Attempt, call, read, write


def _syscalls() -> None:
    """Calls that need no story: name, number on x86-64, on arm64, arguments."""
    table: tuple[tuple[Any, ...], ...] = (
        ("clone3", 435, 435, ctypes.create_string_buffer(88), 88),
        ("ptrace_traceme", 101, 117, 0, 0, 0, 0),
        ("unshare_user", 272, 97, 0x10000000),
        ("unshare_files", 272, 97, 0x400),
        ("unshare_mounts", 272, 97, 0x20000),
        ("pivot_root", 155, 41, b"/", b"/"),
        ("mount_tmpfs", 165, 40, b"none", b"/", b"tmpfs", 0, 0),
        ("umount", 166, 39, b"/proc", 2),
        ("fsopen", 430, 430, b"tmpfs", 0),
        ("open_tree", 428, 428, HERE, b"/", 0),
        ("bpf", 321, 280, 0, ctypes.create_string_buffer(128), 128),
        ("perf_event_open", 298, 241, ctypes.create_string_buffer(b"\1\0\0\0\x70\0\0\0", 128), 0, -1, -1, 0),
        ("userfaultfd", 323, 282, 1),
        ("io_uring_setup", 425, 425, 1, ctypes.create_string_buffer(120)),
        ("io_setup", 206, 0, 1, ctypes.byref(ctypes.c_ulong(0))),
        ("add_key", 248, 217, b"user", b"name", b"x", 1, -2),
        ("request_key", 249, 218, b"user", b"name", 0, -2),
        ("keyctl_session", 250, 219, 0, -3, 1),
        ("memfd_create", 319, 279, b"name", 0),
        ("memfd_secret", 447, 447, 0),
        ("inotify_init", 294, 26, 0),
        ("fanotify_init", 300, 262, 0, 0),
        ("shmget", 29, 194, 0, 4096, 0o1600),
        ("semget", 64, 190, 0, 1, 0o1600),
        ("msgget", 68, 186, 0, 0o1600),
        ("mq_open", 240, 180, b"name", os.O_CREAT | os.O_RDWR, 0o600, 0),
        ("personality", 135, 92, 0x0400000),
        ("init_module", 175, 105, b"", 0, b""),
        ("finit_module", 313, 273, 0, b"", 0),
        ("delete_module", 176, 106, b"ext4", 2048),
        ("kexec_load", 246, 104, 0, 0, 0, 0),
        ("reboot_without_magic", 169, 142, 0, 0, 0, 0),
        ("swapoff", 168, 225, b"/nothing"),
        ("sethostname", 170, 161, b"mine", 4),
        ("settimeofday", 164, 170, 0, ctypes.create_string_buffer(8)),
        ("kernel_log", 103, 116, 3, ctypes.create_string_buffer(64), 64),
        ("acct", 163, 89, 0),
        ("vhangup", 153, 58),
        ("iopl", 172, None, 3),
        ("modify_ldt", 154, None, 0, ctypes.create_string_buffer(64), 64),
        ("setuid_root", 105, 146, 0),
        ("setresuid_nobody", 117, 147, 65534, 65534, 65534),
        ("setgid", 106, 144, 0),
        ("setgroups", 116, 159, 0, 0),
        ("set_no_death_with_the_parent", 157, 167, 1, 0, 0, 0, 0),
        ("set_dumpable", 157, 167, 4, 1, 0, 0, 0),
        ("allow_new_privileges", 157, 167, 38, 0, 0, 0, 0),
        ("listns_and_calls_to_come", 470, 470, 0, 0, 0, 0),
        ("x32_getpid", 0x40000000 + 39, 0x40000000 + 39),
    )
    for name, x86, arm, *arguments in table:
        ATTEMPTS[name] = _calling(x86, arm, arguments)


def _calling(x86: int | None, arm: int | None, arguments: list[Any]) -> Attempt:
    return lambda _: call(x86, arm, *arguments)


_syscalls()


def _to_processes() -> None:
    """What is asked of another process: name, then the call, for the server and for the zygote."""
    other: dict[str, Callable[[int], object]] = {
        "signal": lambda pid: os.kill(pid, 0),
        "tgkill": lambda pid: call(234, 131, pid, pid, 0),
        "tkill": lambda pid: call(200, 130, pid, 0),
        "queued_signal": lambda pid: call(129, 138, pid, 0, ctypes.create_string_buffer(b"\0" * 8 + b"\xff" * 4, 128)),
        "pidfd_open": lambda pid: os.pidfd_open(pid),
        "ptrace_seize": lambda pid: call(101, 117, 0x4206, pid, 0, 0),
        "kcmp": lambda pid: call(312, 272, pid, os.getpid(), 2, 0, 0),
        "read_memory": lambda pid: call(310, 270, pid, 0, 0, 0, 0, 0),
        "write_memory": lambda pid: call(311, 271, pid, 0, 0, 0, 0, 0),
        "limits": lambda pid: resource.prlimit(pid, resource.RLIMIT_CORE),
        "affinity": lambda pid: os.sched_setaffinity(pid, {0}),
        "priority": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
        "move_pages": lambda pid: call(279, 239, pid, 0, 0, 0, 0, 0),
        "owner_of_signals": lambda pid: fcntl.fcntl(0, fcntl.F_SETOWN, pid),
        "environment": lambda pid: read(f"/proc/{pid}/environ"),
        "memory": lambda pid: read(f"/proc/{pid}/mem"),
        "maps": lambda pid: read(f"/proc/{pid}/maps"),
        "command": lambda pid: read(f"/proc/{pid}/cmdline"),
        "descriptors": lambda pid: os.listdir(f"/proc/{pid}/fd"),
        "executable": lambda pid: os.readlink(f"/proc/{pid}/exe"),
        "root": lambda pid: read(f"/proc/{pid}/root/etc/passwd"),
        "namespace": lambda pid: os.open(f"/proc/{pid}/ns/net", os.O_RDONLY),
        "mercy": lambda pid: write(f"/proc/{pid}/oom_score_adj", "1000"),
    }
    for name, function in other.items():
        ATTEMPTS[f"{name}_of_server"] = _of_server(function)
        ATTEMPTS[f"{name}_of_zygote"] = _of_zygote(function)


def _of_server(ask: Callable[[int], object]) -> Attempt:
    return lambda world: ask(world.server)


def _of_zygote(ask: Callable[[int], object]) -> Attempt:
    return lambda world: ask(world.zygote)


_to_processes()


def _sockets() -> None:
    families = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16, "packet": 17, "key": 15, "alg": 38, "vsock": 40}
    for name, family in families.items():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            ATTEMPTS[f"socket_{name}_{kind.name}"] = _opening(family, kind)


def _opening(family: int, kind: socket.SocketKind) -> Attempt:
    return lambda _: socket.socket(family, kind)


_sockets()
