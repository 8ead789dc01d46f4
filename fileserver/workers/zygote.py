"""The process that workers are forked from: `python -m fileserver.workers.zygote ENTRY DESCRIPTOR PARENT`.

It has the libraries loaded, which takes a second, and a fork of it takes milliseconds. It does what the server asks
over one socket, tells how each worker ended, and ends with the server. It has one thread, no work and no secrets: the
server starts it with a bare environment.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys

from fileserver.workers import sandbox, wire
from fileserver.workers.child import Birth, Entry, live
from fileserver.workers.limits import PoolLimits


def main(entry_name: str, descriptor: int, parent: int) -> None:
    """Serve the server at the other end of the socket until it is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal's Ctrl-C reaches the whole group; the server decides
    sandbox.die_with_parent(parent)
    layers = sandbox.leave()
    sandbox.die_with_parent(parent)  # again: a change of privileges makes the kernel forget it
    entry: Entry = importlib.import_module(entry_name)
    entry.prepare()
    gc.collect()
    gc.freeze()  # so that a collection in a worker does not copy our pages
    with socket.socket(fileno=descriptor) as server:
        _Forks(server, entry, layers).serve()


class _Forks:
    """The forked workers, by the descriptors that tell of their end."""

    def __init__(self, server: socket.socket, entry: Entry, layers: frozenset[str]) -> None:
        self._server = server
        self._entry = entry
        self._layers = layers
        self._workers: dict[int, tuple[int, int]] = {}  # pidfd: (the server's number for it, pid)
        self._poll = select.poll()
        self._poll.register(server, select.POLLIN)

    def serve(self) -> None:
        """Fork and bury, until the server has closed its end."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._workers:
                    self._bury(descriptor)
                elif not self._answer():
                    return

    def _answer(self) -> bool:
        received = wire.receive_packet(self._server)
        if received is None:
            return False
        asked, descriptors = received
        try:
            self._fork(asked["fork"], PoolLimits(**asked["limits"]), descriptors)
        except OSError as error:  # no room for another process
            wire.send_packet(self._server, {"failed": asked["fork"], "reason": str(error)})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _fork(self, number: int, limits: PoolLimits, descriptors: list[int]) -> None:
        control, errors = descriptors
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            live(self._entry, Birth(parent, control, errors, limits, self._layers))
        pidfd = os.pidfd_open(pid)
        self._workers[pidfd] = (number, pid)
        self._poll.register(pidfd, select.POLLIN)
        wire.send_packet(self._server, {"forked": number, "pid": pid}, [pidfd])

    def _bury(self, pidfd: int) -> None:
        number, pid = self._workers.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status, usage = os.wait4(pid, 0)
        told = {
            "ended": number,
            "status": status,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_kib": usage.ru_maxrss,
        }
        wire.send_packet(self._server, told)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
