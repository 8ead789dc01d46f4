"""Several worker processes that share the listening sockets, and the parent that watches over them.

uvicorn's supervisor does not serve here: its workers get a terminal's Ctrl-C and the parent's SIGTERM for one stop, a
second signal to the parent reaches none of them, a parent that is killed leaves them behind, and a failed start ends
with 0. Our workers listen to SIGTERM from the parent alone, and each holds one end of a socket pair, its lifeline: it
writes a byte when it is ready, and stops when the other end is gone.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from dataclasses import dataclass, field

from fileserver.metrics import MULTIPROCESS_VARIABLE, forget_worker
from fileserver.server.draining import ApplicationFailed
from fileserver.server.handover import HANDOVER_VARIABLE, READY, Handover
from fileserver.settings import Settings

log = logging.getLogger("fileserver.server")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def supervise(
    settings: Settings, sockets: tuple[socket.socket, ...], *, app: str, on_started: Callable[[], None]
) -> None:
    """Keep `settings.workers` processes serving until a signal says stop. Raises ApplicationFailed."""
    with tempfile.TemporaryDirectory(prefix="fileserver-metrics-") as metrics_directory:
        supervisor = _Supervisor(settings, sockets, app, metrics_directory)
        await supervisor.run(on_started)


@dataclass(slots=True)
class _Supervisor:
    settings: Settings
    sockets: tuple[socket.socket, ...]
    app: str
    metrics_directory: str
    processes: set[Process] = field(default_factory=set)
    is_stopping: bool = False
    has_failed: bool = False

    async def run(self, on_started: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        started = [asyncio.Event() for _ in range(self.settings.workers)]
        async with asyncio.TaskGroup() as tasks:
            for event in started:
                tasks.create_task(self.keep(event))
            for event in started:
                await event.wait()
            if not self.is_stopping:
                on_started()
        if self.has_failed:
            raise ApplicationFailed("a worker process did not start")

    def stop(self) -> None:
        """Let nobody in any more and tell the workers; each call is one more signal to them."""
        self.is_stopping = True
        for listener in self.sockets:
            listener.close()
        for process in self.processes:
            _tell_to_stop(process)

    async def keep(self, started: asyncio.Event) -> None:
        """Keep one worker running, a new one after each that dies. One that ends itself before it is ready is not."""
        try:
            while not self.is_stopping:
                may_go_on = await self.run_worker(started)
                if not may_go_on and not self.is_stopping:
                    self.has_failed = True
                    self.stop()
        finally:
            started.set()

    async def run_worker(self, started: asyncio.Event) -> bool:
        """Run one worker to its end; whether another may do better: it was ready, or something killed it."""
        lifeline, theirs = socket.socketpair()
        with lifeline:
            with theirs:
                process = await self.start_worker(theirs)
            self.processes.add(process)
            if self.is_stopping:  # said while the process was being made
                _tell_to_stop(process)
            is_ready = await _is_ready(lifeline)
            if is_ready:
                started.set()
            code = await process.wait()
        self.processes.discard(process)
        forget_worker(process.pid, self.metrics_directory)
        if not self.is_stopping:
            log.error("worker process %d ended with %d", process.pid, code)
        return is_ready or code < 0

    async def start_worker(self, lifeline: socket.socket) -> Process:
        descriptors = tuple(each.fileno() for each in self.sockets)
        handover = Handover(app=self.app, settings=self.settings, sockets=descriptors, lifeline=lifeline.fileno())
        environment = {
            **os.environ,
            MULTIPROCESS_VARIABLE: self.metrics_directory,
            HANDOVER_VARIABLE: handover.as_text(),
        }
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fileserver.server.worker",
            stdin=DEVNULL,
            env=environment,
            pass_fds=(*descriptors, lifeline.fileno()),
        )


def _tell_to_stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)


async def _is_ready(lifeline: socket.socket) -> bool:
    """Wait for the worker's word; False when it ended without one."""
    lifeline.setblocking(False)
    try:
        return await asyncio.get_running_loop().sock_recv(lifeline, 1) == READY
    except ConnectionResetError:
        return False
