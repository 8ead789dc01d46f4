"""A process seen from outside, through /proc: what it holds open, how many threads, how much memory."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """One look at a process."""

    descriptors: Counter[str]
    """Open descriptors by what they lead to; `socket:[123]` and `pipe:[4]` are counted as `socket` and `pipe`."""
    threads: int
    rss: int
    """Resident bytes."""

    def files_below(self, folder: Path) -> list[str]:
        """Open files inside `folder`, each as often as it is open: files served and drafts, not what a server keeps."""
        start = f"{folder.resolve()}/"
        own = f"{start}.fileserver/"
        names = (name for name in self.descriptors.elements() if name.startswith(start))
        return sorted(name for name in names if not name.startswith(own) or name.startswith(f"{own}drafts/"))


def process_stats(pid: int) -> ProcessStats:
    """What the process holds at this moment; ProcessLookupError when it is gone."""
    status = dict(line.split(":", 1) for line in _read(f"/proc/{pid}/status").splitlines() if ":" in line)
    return ProcessStats(
        descriptors=Counter(_targets(pid)),
        threads=int(status["Threads"]),
        rss=int(status["VmRSS"].split()[0]) * 1024,
    )


def family_rss(pid: int) -> int:
    """Resident bytes of a process and all its descendants; those that end meanwhile count as nothing."""
    try:
        own = process_stats(pid).rss
        children = _read(f"/proc/{pid}/task/{pid}/children").split()
    except (ProcessLookupError, KeyError):  # a zombie has no VmRSS
        return 0
    return own + sum(family_rss(int(child)) for child in children)


def _targets(pid: int) -> list[str]:
    targets = []
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except FileNotFoundError:  # closed since the listing
            continue
        targets.append(target.split(":[")[0])
    return targets


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise ProcessLookupError(path) from None
