"""A span of a file from the page cache to a socket, without a copy through this process (sendfile(2)).

The event loop is never held up: what is not in the page cache is sent from a thread, which waits there for the disk,
and for a socket that takes no more the loop waits.
"""

import asyncio
import errno
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

IS_AVAILABLE = sys.platform == "linux"

# One system call's worth. A warm megabyte takes about 0.2 ms, for which others wait; then they get their turn.
_WINDOW = 1 << 20
# Pages are read in and thrown out by many at a time, so one byte in so many is looked at.
_STRIDE = 256 * 1024
# What the kernel is asked to read beyond a cold window, while that is on its way to the client.
_READ_AHEAD = 4 << 20
_OF_CONNECTIONS = frozenset(
    {errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}
)
# A disk that is slow to answer holds up so many cold sends; warm ones need no thread.
_DISK = ThreadPoolExecutor(32, thread_name_prefix="sendfile")


class PeerGone(Exception):
    """The connection is no more."""


class FileSender:
    """Sends spans over one connected socket. Whoever makes it closes it."""

    def __init__(self, connection: int, loop: asyncio.AbstractEventLoop) -> None:
        # A descriptor of our own: event loops do not let others wait for theirs.
        self._socket = os.dup(connection)
        self._loop = loop
        self._writable: asyncio.Future[None] | None = None
        self._is_gone = False
        self.sent = 0
        """Bytes that the kernel has taken so far."""

    async def send(self, file: int, offset: int | None, count: int) -> None:
        """Send `count` bytes of a descriptor; without an offset from its position, which moves.

        Raises PeerGone, and EOFError when the file ends before or cannot be read.
        """
        while count:
            window = min(count, _WINDOW)
            try:
                sent = await self._send_window(file, offset, window)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                if error.errno in _OF_CONNECTIONS:
                    raise PeerGone from error
                raise EOFError("the file cannot be read") from error
            else:
                if not sent:
                    raise EOFError("the file is shorter than what is to be sent")
            self.sent += sent
            count -= sent
            if offset is not None:
                offset += sent
            if count:
                await (asyncio.sleep(0) if sent == window else self._until_writable())
            if self._is_gone:
                raise PeerGone

    def peer_has_gone(self) -> None:
        """Told by the protocol, for the loop does not watch our descriptor while nothing waits."""
        self._is_gone = True
        self._wake()

    def close(self) -> None:
        """Let go of the socket."""
        os.close(self._socket)

    async def _send_window(self, file: int, offset: int | None, count: int) -> int:
        if is_warm(file, os.lseek(file, 0, os.SEEK_CUR) if offset is None else offset, count):
            return os.sendfile(self._socket, file, offset, count)
        return await _to_the_end(self._loop.run_in_executor(_DISK, _send_cold, self._socket, file, offset, count))

    async def _until_writable(self) -> None:
        self._writable = self._loop.create_future()
        self._loop.add_writer(self._socket, self._wake)
        try:
            await self._writable
        finally:
            self._loop.remove_writer(self._socket)
            self._writable = None

    def _wake(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)


def is_warm(file: int, offset: int, count: int, *, preadv: Callable[..., int] = os.preadv) -> bool:
    """Whether a span is in the page cache, as far as a look at some of its bytes can tell."""
    look = bytearray(1)
    try:
        for place in (*range(offset, offset + count, _STRIDE), offset + count - 1):
            preadv(file, (look,), place, os.RWF_NOWAIT)
    except OSError:  # not in memory, or a file system that cannot say
        return False
    return True


def _send_cold(connection: int, file: int, offset: int | None, count: int) -> int:
    start = os.lseek(file, 0, os.SEEK_CUR) if offset is None else offset
    os.posix_fadvise(file, start, count + _READ_AHEAD, os.POSIX_FADV_WILLNEED)
    return os.sendfile(connection, file, offset, count)


async def _to_the_end(work: asyncio.Future[int]) -> int:
    """The work's result. A cancellation waits for its end: until then its thread uses descriptors."""
    is_cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        work.exception()  # looked at, or asyncio tells of it in the log: the client has left
        raise asyncio.CancelledError
    return work.result()
