"""One forked process, as the server knows it: from the fork that was asked for to the end that the zygote told."""

import os
import select
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass

import anyio

from fileserver.workers.endings import Reason, WorkerEnd, reason_of

_WORDS_SIZE = 64 << 10  # a pipe's capacity


@dataclass(frozen=True, slots=True)
class Usage:
    """`rss`: bytes of memory, its own and shared; their peak, once it has ended. `cpu_s`: of all its threads."""

    rss: int
    cpu_s: float


class Process:
    """`control` and `errors` are the server's ends and closed by `close`; the zygote has the others."""

    def __init__(self, control: socket.socket, errors: int, *, cpu_limit_s: int) -> None:
        self.control = control
        self.pid = 0
        self.is_born = anyio.Event()
        self.has_ended = anyio.Event()
        self._errors = errors
        self._cpu_limit_s = cpu_limit_s
        self._pidfd = -1
        self._verdict: Reason | None = None
        self._is_closed = False
        self._kills = _kills_for_memory()
        self._end: WorkerEnd | None = None

    @property
    def end(self) -> WorkerEnd:
        """How it ended; to be asked once it has."""
        assert self._end is not None  # noqa: S101 - for the type: `has_ended` is set with it
        return self._end

    @property
    def is_alive(self) -> bool:
        """Whether it lives now, which the zygote may not have told yet."""
        if self._pidfd < 0 or self.has_ended.is_set():
            return False
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return not poll.poll(0)

    def born(self, pid: int, pidfd: int) -> None:
        """The zygote has forked it."""
        self.pid, self._pidfd = pid, pidfd
        self.is_born.set()
        if self._verdict:
            self._kill()
        if self._is_closed:  # its user has not waited for it
            self.close()

    def kill(self, verdict: Reason) -> None:
        """End it now; the first verdict stands, unless it had ended by itself."""
        self._verdict = self._verdict or verdict
        self._kill()

    def ended(self, status: int, cpu_s: float, peak_rss: int) -> None:
        """The zygote has buried it."""
        words = self._words()
        number = status & 0x7F
        reason = reason_of(status, words, was_starved=_kills_for_memory() > self._kills)
        if number == signal.SIGKILL and cpu_s >= self._cpu_limit_s:
            reason = "cpu"  # it had closed its ears to SIGXCPU
        elif number == signal.SIGKILL and self._verdict:
            reason = self._verdict
        self._end = WorkerEnd(reason, None if number else status >> 8, number or None, cpu_s, peak_rss, words)
        self.is_born.set()
        self.has_ended.set()

    async def orphaned(self) -> None:
        """The zygote is gone and the kernel kills what it forked; make sure of it."""
        if self.has_ended.is_set():
            return
        self._verdict = self._verdict or "crashed"
        if self._pidfd >= 0:
            self._kill()
            with suppress(anyio.ClosedResourceError):  # nobody wants to know any more
                await anyio.wait_readable(self._pidfd)
        self.ended(signal.SIGKILL, 0.0, 0)

    def usage(self) -> Usage:
        """What it has used so far (proc_pid_stat(5))."""
        if self.has_ended.is_set():
            return Usage(self.end.peak_rss, self.end.cpu_s)
        try:
            with open(f"/proc/{self.pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:  # it ends right now
            return Usage(0, 0.0)
        ticks = int(fields[11]) + int(fields[12])
        return Usage(int(fields[21]) * os.sysconf("SC_PAGESIZE"), ticks / os.sysconf("SC_CLK_TCK"))

    def close(self) -> None:
        """Close what the server has of it. Closing twice is fine, and so is closing before it is born."""
        self._is_closed = True
        self.control.close()
        if self._pidfd >= 0:
            anyio.notify_closing(self._pidfd)
        for descriptor in (self._errors, self._pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        self._errors = self._pidfd = -1

    def _kill(self) -> None:
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _words(self) -> str:
        if self._errors < 0:
            return ""
        try:
            return os.read(self._errors, _WORDS_SIZE).decode(errors="replace")
        except BlockingIOError:
            return ""


def _kills_for_memory() -> int:
    """How many processes the kernel has killed for want of memory since it started, on the whole machine."""
    with suppress(OSError), open("/proc/vmstat") as vmstat:
        for line in vmstat:
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
