"""Whole files read again for their digests, out of everybody's way.

The threads have the lowest priority that the system has. They read past the page cache (O_DIRECT) where the file system
can: memory's copy says nothing about the medium, and files that nobody asked for must not push others out of memory.
"""

import asyncio
import ctypes
import errno
import fcntl
import hashlib
import mmap
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from anyio import CancelScope

from storage.errors import StoreDamaged, StoreUnavailable
from storage.model import Entry
from storage.store import Reader

BLOCK_SIZE: Final = 1 << 20
_DIRECT: Final[int] = getattr(os, "O_DIRECT", 0)  # Linux

# ioprio_set(2): its number by machine; class 3 (idle) of the calling thread.
_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
_THREAD: Final = 1
_IDLE: Final = 3 << 13
_LEAST_NICE: Final = 19

Progress = Callable[[int], None]
"""Told of each block's bytes, in the thread that read them."""


class Pace:
    """A rate in bytes per second, shared by all threads that read; None knows no bounds."""

    def __init__(self, rate: int | None = None) -> None:
        self._rate = rate
        self._free_at_s = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    def take(self, size: int) -> float:
        """Book the reading of `size` bytes: for how many seconds it has to wait."""
        if self._rate is None:
            return 0.0
        with self._lock:
            now_s = time.monotonic()
            start_s = max(now_s, self._free_at_s)
            self._free_at_s = start_s + size / self._rate
            return start_s - now_s


class Rereader:
    """Threads that read whole files. `close` ends them."""

    def __init__(self, pace: Pace, *, threads: int) -> None:
        self._pace = pace
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="reread", initializer=_step_back)

    async def sha256(self, reader: Reader, *, progress: Progress = lambda size: None) -> bytes:
        """The digest of the opened version's bytes. Its descriptor, if it has one, is read from by nobody else.

        Raises StoreDamaged when the file has become shorter, StoreUnavailable when it cannot be read.
        """
        descriptor = reader.fileno()
        if descriptor is None:
            return await self._sha256_of_chunks(reader, progress)
        is_stopped = threading.Event()
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(self._executor, self._sha256, descriptor, reader.entry, is_stopped, progress)
        try:
            return await asyncio.shield(reading)
        finally:
            is_stopped.set()
            with CancelScope(shield=True):  # who closes the reader must find no thread reading from it
                await asyncio.wait([reading])

    def close(self) -> None:
        """End the threads, whose work has ended."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _sha256(self, descriptor: int, entry: Entry, is_stopped: threading.Event, progress: Progress) -> bytes:
        digest, size = hashlib.sha256(), entry.size
        _read_directly(descriptor)
        offset = 0
        most = min(BLOCK_SIZE, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE) or mmap.PAGESIZE
        with mmap.mmap(-1, most, mmap.MAP_PRIVATE) as block, memoryview(block) as view:  # O_DIRECT wants whole pages
            while offset < size and not is_stopped.wait(self._pace.take(min(most, size - offset))):
                try:
                    count = min(_read(descriptor, block, offset), size - offset)
                except OSError as error:
                    raise StoreUnavailable(error.strerror) from error
                if count == 0:
                    raise StoreDamaged(entry.key)
                digest.update(view[:count])
                offset += count
                progress(count)
        return digest.digest()  # of a part, when it was stopped: then nobody is waiting for it

    async def _sha256_of_chunks(self, reader: Reader, progress: Progress) -> bytes:
        digest = hashlib.sha256()
        async for chunk in reader.chunks(range(reader.entry.size), BLOCK_SIZE):
            await asyncio.sleep(self._pace.take(len(chunk)))
            digest.update(chunk)
            progress(len(chunk))
        return digest.digest()


def _step_back() -> None:
    """Give this thread the lowest priority. What the system refuses, or has not, is done without."""
    if not sys.platform.startswith("linux"):
        return
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_NICE)
    if (number := _IOPRIO_SET.get(platform.machine())) is not None:
        ctypes.CDLL(None).syscall(number, _THREAD, 0, _IDLE)


def _read_directly(descriptor: int) -> None:
    with suppress(OSError):  # a file system without it; what else is wrong, the reading finds out
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | _DIRECT)


def _read(descriptor: int, block: mmap.mmap, offset: int) -> int:
    try:
        return os.preadv(descriptor, (block,), offset)
    except OSError as error:
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        if error.errno != errno.EINVAL or not flags & _DIRECT:
            raise
    # an offset that is none of a whole page, after a short read; or a file system that promised too much
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~_DIRECT)
    return os.preadv(descriptor, (block,), offset)
