"""What a process and its descendants spend while something is measured: processor time, and memory at its highest.

Looked at every few milliseconds, because workers come and go: what one spends between the last look and its end is
not seen.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.load import LoadFailed
from benchmarks.processes import TICKS, stat, tree

LOOK_S = 0.02
PATIENCE_S = 60.0


class Watch:
    """Looks at a process from the beginning of the `with` block to its end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._before: dict[int, float] = {}
        self._spent: dict[int, float] = {}
        self._peaks: dict[int, int] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._before = dict(self._spent)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all."""
        return sum(self._spent.values()) - sum(self._before.values())

    @property
    def peak(self) -> int:
        """Bytes of memory that the process itself held at its highest since it was started."""
        return self._peaks.get(self.pid, 0)

    @property
    def child_peak(self) -> int:
        """The same of the descendant that held most; pages that it shares with others are counted too."""
        return max((peak for pid, peak in self._peaks.items() if pid != self.pid), default=0)

    def busiest_child(self) -> tuple[int, float]:
        """The descendant that has spent most since the beginning, and its processor seconds."""
        spent = {
            pid: seconds - self._before.get(pid, 0.0) for pid, seconds in dict(self._spent).items() if pid != self.pid
        }
        return max(spent.items(), key=lambda each: each[1], default=(0, 0.0))

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        for pid in tree(self.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self._spent[pid] = own_cpu_s(pid)
                self._peaks[pid] = max(highest(pid), self._peaks.get(pid, 0))


def own_cpu_s(pid: int) -> float:
    """Processor seconds of a process and its threads, without its descendants."""
    return sum(int(field) for field in stat(pid)[11:13]) / TICKS


def highest(pid: int) -> int:
    """Bytes of memory that a process held at its highest; 0 for one that has ended and is not yet reaped."""
    return next((size for name, size in _sizes(pid) if name == "VmHWM"), 0)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return next((size for name, size in _sizes(pid) if name == "VmRSS"), 0)


def has_ended(pid: int) -> bool:
    """Whether a process is no more; one that only waits to be reaped holds nothing."""
    try:
        return stat(pid)[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so. Raises LoadFailed after PATIENCE_S."""
    started_s = time.monotonic()
    while not is_so():
        if time.monotonic() - started_s > PATIENCE_S:
            raise LoadFailed(f"it has not become so in {PATIENCE_S:.0f} s")
        time.sleep(0.002)


def _sizes(pid: int) -> list[tuple[str, int]]:
    pairs = [line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.endswith(" kB")]
    return [(name, int(value.split()[0]) * 1024) for name, value in pairs]
