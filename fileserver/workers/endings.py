"""How a worker ended, and what its user is told of it."""

import signal
from dataclasses import dataclass
from typing import Literal

Reason = Literal["done", "killed", "memory", "cpu", "time", "stalled", "crashed"]

OUT_OF_MEMORY = 71  # the exit code of a worker whose job raised MemoryError; EX_OSERR, which Python itself never uses
_MEMORY_WORDS = ("bad_alloc", "memory allocation of", "out of memory")  # the last words of C++, of Rust, of jemalloc


@dataclass(frozen=True, slots=True)
class WorkerEnd:
    """`reason` is "done" only when the job returned. `words`: the first 64 KiB that it wrote to its standard error."""

    reason: Reason
    exit_code: int | None
    signal: int | None
    cpu_s: float = 0.0
    peak_rss: int = 0
    words: str = ""


class WorkerDied(Exception):
    """The worker ended before its job did."""

    def __init__(self, end: WorkerEnd) -> None:
        super().__init__(f"the worker ended: {end.reason}")
        self.end = end

    @property
    def reason(self) -> Reason:
        """Why, in one word."""
        return self.end.reason


class WorkerGone(BrokenPipeError):
    """The worker takes no more input: it has all it needs, or it died; its end tells which."""


class QueueFull(Exception):
    """As many jobs wait already as may."""


def reason_of(status: int, words: str, *, was_starved: bool) -> Reason:
    """Why a worker ended by itself; `was_starved`: the kernel has killed for want of memory meanwhile.

    >>> reason_of(9, "", was_starved=False), reason_of(9, "", was_starved=True), reason_of(0, "", was_starved=True)
    ('killed', 'memory', 'done')
    """
    if status == 0:
        return "done"
    number = status & 0x7F
    if number == signal.SIGXCPU:
        return "cpu"
    if status >> 8 == OUT_OF_MEMORY or (number == signal.SIGABRT and any(word in words for word in _MEMORY_WORDS)):
        return "memory"
    if number == signal.SIGKILL:
        return "memory" if was_starved else "killed"
    return "killed" if number in {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} else "crashed"
