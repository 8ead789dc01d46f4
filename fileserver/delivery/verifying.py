"""Work on the stored files beneath a prefix, as jobs: all of them read again and compared, or digests learned."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread

from fileserver.jobs import Json, OpenJob
from storage import Entry, Finding, Key, Library, Verification

COLUMNS = ("finding", "key", "size", "expected", "found")
"""Of findings as a table."""
FINDINGS_SIZE = 64 << 20
"""Bytes of findings that one job keeps."""
FOREIGN_SIZE = 32 << 20
"""Bytes of them after which foreign files are counted alone: they push out nothing that is worse."""

_BATCH_SIZE = 64 * 1024
_AT_ONCE = 1000  # files between two turns of the event loop


class Verify(Protocol):
    """Makes a look at the files whose keys begin with `prefix`; with `learn` it records digests."""

    def __call__(self, *, prefix: str, learn: Callable[[Entry, bytes], Awaitable[bool]] | None = None) -> Verification:
        """The look, which nobody has begun."""


async def verify_files(job: OpenJob, verification: Verification) -> None:
    """Compare all files with their digests, and leave word of those that are not intact. Raises StorageError."""
    job.begin({})
    job.set_total((await verification.extent()).size)
    counts = Counter[str](intact=0, damaged=0, missing=0, foreign=0)
    job.count({**counts})
    async with _findings_of(job) as findings, aclosing(verification.findings(_counting(job))) as found:
        async for finding in found:
            counts[finding.kind] += 1
            job.count({**counts})
            if finding.kind != "intact":
                await findings.add(finding)


async def hash_files(job: OpenJob, library: Library, verification: Verification) -> None:
    """Learn the digests of all files that have none; `verification` is one that learns. Raises StorageError."""
    job.begin({})
    counts = {"learned": 0, "not_learned": 0}
    job.count({**counts})
    total = 0
    async for entries in _unknown(library, verification.prefix):
        total += sum(entry.size for entry in entries)
    job.set_total(total)
    watch = _counting(job)
    async for entries in _unknown(library, verification.prefix):
        for entry in entries:
            finding = await verification.look(entry.key, watch=watch)
            if finding is not None:  # else it is gone
                counts["not_learned" if finding.found is None else "learned"] += 1
                job.count({**counts})


async def _unknown(library: Library, prefix: str) -> AsyncIterator[list[Entry]]:
    """The files whose keys begin with a prefix and whose digests are not known, some at a time."""
    async for files in library.walk(prefix):
        for start in range(0, len(files), _AT_ONCE):
            yield [each for each in files[start : start + _AT_ONCE] if each.sha256 is None]
            await anyio.lowlevel.checkpoint()


def _counting(job: OpenJob) -> Callable[[Key, int], None]:
    """Has a job count the bytes that threads read."""
    loop = asyncio.get_running_loop()

    def watch(_key: Key, size: int) -> None:
        loop.call_soon_threadsafe(job.add_done, size)

    return watch


class _Findings:
    """Findings on their way into a job's file: a JSON object a line."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._waiting = bytearray()
        self._size = 0

    async def add(self, finding: Finding) -> None:
        """Leave word of a file, as long as there is room; at once if it is damaged."""
        line = _line(finding)
        if self._size + len(line) > (FOREIGN_SIZE if finding.kind == "foreign" else FINDINGS_SIZE):
            return
        self._size += len(line)
        self._waiting += line
        if finding.kind == "damaged" or len(self._waiting) >= _BATCH_SIZE:
            await self.write()

    async def write(self) -> None:
        """Have all in the file, also when cancelled. Raises OSError."""
        waiting, self._waiting = bytes(self._waiting), bytearray()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_write, self._file, waiting)


@asynccontextmanager
async def _findings_of(job: OpenJob) -> AsyncIterator[_Findings]:
    findings = _Findings(job.rejects)
    try:
        yield findings
    finally:
        await findings.write()


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _line(finding: Finding) -> bytes:
    told: Mapping[str, Json] = {
        "finding": finding.kind,
        "key": finding.key,
        "size": None if finding.kind == "missing" else finding.size,
        "expected": None if finding.expected is None else finding.expected.hex(),
        "found": None if finding.found is None else finding.found.hex(),
    }
    return json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n"
