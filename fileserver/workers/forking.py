"""The zygote from the server's side: start it, ask it for forks, hear of their ends, end it."""

import os
import socket
import subprocess
import sys
from dataclasses import asdict
from itertools import count

import anyio
import anyio.to_thread

from fileserver.workers import wire
from fileserver.workers.limits import PoolLimits
from fileserver.workers.process import Process

# A worker has no use for the server's settings, and they hold secrets.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


# What a worker has freed it keeps for its next job: a page given anew takes 3 us, and a segment of film has 1,500.
_TUNABLES = "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=67108864"


class Zygote:
    """A process that forks workers of one entry. `listen` has to run as long as it is used."""

    def __init__(self, program: subprocess.Popen[bytes], link: socket.socket) -> None:
        self._program = program
        self._link = link
        self._numbers = count()
        self._processes: dict[int, Process] = {}
        self._is_over = False

    @classmethod
    def start(cls, entry: str) -> "Zygote":
        """Started, but still loading: what is asked of it meanwhile waits in its socket."""
        link, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            program = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "fileserver.workers.zygote", entry, str(far.fileno()), str(os.getpid())],
                env=_environment(),
                pass_fds=(far.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        link.setblocking(False)
        return cls(program, link)

    @property
    def is_alive(self) -> bool:
        """Whether it takes orders."""
        return not self._is_over and self._program.poll() is None

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._program.pid

    async def fork(self, limits: PoolLimits) -> Process:
        """A process, born soon. The caller closes it when it has ended. ConnectionError without a zygote."""
        control, far_control = socket.socketpair()
        errors, far_errors = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        process, number = Process(control, errors, cpu_limit_s=limits.cpu_s), next(self._numbers)
        try:
            control.setblocking(False)
            self._processes[number] = process
            await self._ask({"fork": number, "limits": asdict(limits)}, (far_control.fileno(), far_errors))
        except BaseException:
            del self._processes[number]
            process.close()
            raise
        finally:
            far_control.close()
            os.close(far_errors)
        return process

    async def listen(self) -> None:
        """Pass on what the zygote tells, until it is gone; then every process of it has ended, and it is buried."""
        try:
            while True:
                await anyio.wait_readable(self._link)
                if not self._hear():
                    break
        finally:
            with anyio.CancelScope(shield=True):
                await self._bury()

    def kill(self) -> None:
        """End it, and by that all that it forked; `listen` does the rest."""
        self._is_over = True
        self._program.kill()

    async def _ask(self, message: wire.Message, descriptors: tuple[int, ...]) -> None:
        while True:
            try:
                return wire.send_packet(self._link, message, descriptors)
            except BlockingIOError:
                await anyio.wait_writable(self._link)

    def _hear(self) -> bool:
        try:
            received = wire.receive_packet(self._link)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if received is None:
            return False
        told, descriptors = received
        match told:
            case {"forked": int(number), "pid": int(pid)}:
                self._processes[number].born(pid, descriptors[0])
            case {"ended": int(number), "status": int(status), "cpu_s": float(cpu_s), "peak_kib": int(peak)}:
                self._processes.pop(number).ended(status, cpu_s, peak << 10)
            case {"failed": int(number)}:
                self._processes.pop(number).ended(1 << 8, 0.0, 0)
        return True

    async def _bury(self) -> None:
        self.kill()
        for process in self._processes.values():
            await process.orphaned()
        self._processes.clear()
        self._link.close()
        await anyio.to_thread.run_sync(self._program.wait)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "GLIBC_TUNABLES": _TUNABLES}
