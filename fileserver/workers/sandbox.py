"""The sandbox of a worker, in layers; which of them a kernel gives, and their putting on in the right order.

Three moments. The zygote gives up what no worker needs (`leave`), once for all. A forked worker then limits itself
(`enclose`) before it opens an engine. Landlock (`confine`) comes last: it needs the folder of the job. It holds for one
thread and those that it starts, so no thread may be there before.
"""

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from fileserver.workers import kernel, landlock, seccomp
from fileserver.workers.limits import PoolLimits

LAYERS = frozenset({"landlock", "seccomp", "network", "rlimits", "no_new_privs"})

_CAPABILITIES = 64  # more than any kernel has
_CPU_GRACE_S = 1  # between SIGXCPU, which tells what it was, and SIGKILL, which cannot be ignored


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


@cache
def sandbox_layers() -> frozenset[str]:
    """Which of LAYERS this machine gives, tried in a child of its own; takes a tenth of a second, once."""
    command = [sys.executable, "-P", "-m", "fileserver.workers.sandbox"]
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    tried = subprocess.run(  # noqa: S603 - our own module
        command, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    return frozenset(tried.stdout.split()) & LAYERS


def leave() -> frozenset[str]:
    """Give up network, privileges and the kernel's mercy when memory runs out. The layers that are in force now."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("900")  # before the namespace: its processes own no /proc
    layers = _layer("network", _leave_namespaces) | _layer("no_new_privs", _refuse_privileges)
    _drop_capabilities()
    return layers


def enclose(limits: PoolLimits) -> frozenset[str]:
    """Limit what this process uses and what it may ask of the kernel. The layers that are in force now."""
    layers = _layer("rlimits", lambda: _limit(limits)) | _layer("seccomp", seccomp.close_syscalls)
    return layers | {"network"} if "seccomp" in layers else layers


def confine(folder: str) -> frozenset[str]:
    """Shut every file out but those that are open and those in `folder`. RuntimeError when threads run already."""
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("a thread runs already: the sandbox would not hold it, so warm() may start none")
    return _layer("landlock", lambda: landlock.confine(folder))


def die_with_parent(parent: int) -> None:
    """End when the process `parent`, which started this one, ends, however that comes."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(1)  # it ended before the kernel was asked


def _layer(name: str, put_on: Callable[[], None]) -> frozenset[str]:
    try:
        put_on()
    except (OSError, ValueError):
        return frozenset()
    return frozenset({name})


def _leave_namespaces() -> None:
    """Into a network without interfaces: by privilege, else by a user namespace of our own, where that is allowed."""
    try:
        kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with suppress(OSError), open(f"/proc/self/{name}", "w") as table:
                table.write(text)


def _refuse_privileges() -> None:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def _drop_capabilities() -> None:
    for capability in range(_CAPABILITIES):
        with suppress(OSError):  # without privilege, or the kernel has no such capability
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    with suppress(OSError):
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    kernel.capset(_CapabilityHeader(0x20080522, 0), (ctypes.c_uint32 * 6)())


def _limit(limits: PoolLimits) -> None:
    wanted = {
        resource.RLIMIT_DATA: (limits.data_size, limits.data_size),
        resource.RLIMIT_CPU: (limits.cpu_s, limits.cpu_s + _CPU_GRACE_S),
        resource.RLIMIT_FSIZE: (limits.file_size, limits.file_size),
        resource.RLIMIT_NOFILE: (limits.open_files, limits.open_files),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_MSGQUEUE: (0, 0),
    }
    for kind, (soft, hard) in wanted.items():
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    gained = leave() | enclose(PoolLimits()) | confine("/")
    os.write(1, " ".join(gained).encode())
