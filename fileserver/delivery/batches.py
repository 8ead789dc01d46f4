"""What an ordinary generator makes, as batches of bytes for an answer: many rows for each way back from a thread.

Frameworks hand such a generator to a thread for each of its rows. A way there and back takes longer than most rows do.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor

import anyio

SIZE = 64 * 1024
"""Bytes of a batch, and what is made at most while a client is slow."""
PATIENCE_S = 0.05
"""How long a row waits for others at most: nobody sees that it was late."""
_THREADS = ThreadPoolExecutor(32, thread_name_prefix="rows")
"""Their own: a generator that waits for something takes its thread with it."""


async def batched(rows: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
    """What a generator yields, joined to `SIZE` bytes or more, or to what came within `PATIENCE_S`.

    A batch leaves in time also where the row after it takes long. The generator runs in a thread, one row after the
    other, no further than a batch ahead of the caller. In the end it is closed there, which waits for a row that is
    just being made. What it raises passes through, after what it yielded before.
    """
    loop = asyncio.get_running_loop()
    batches = _Batches(rows)
    try:
        while not batches.is_over:
            making = loop.run_in_executor(_THREADS, batches.make)
            while not making.done():
                await asyncio.wait((making,), timeout=PATIENCE_S)
                if batch := batches.take():
                    yield batch
        if batches.failure is not None:
            raise batches.failure
    finally:
        with anyio.CancelScope(shield=True):
            await loop.run_in_executor(_THREADS, batches.close)


class _Batches:
    """The side of the thread. What was made waits in a queue, both ends of which are safe to use at once."""

    def __init__(self, rows: Generator[bytes, None, None]) -> None:
        self._rows = rows
        self._made: deque[bytes] = deque()
        self._turn = threading.Lock()
        self._is_left = False
        self.is_over = False
        self.failure: Exception | None = None

    def make(self) -> None:
        """Make a batch, or as much of it as there is time for; `is_over` tells that there will be no more."""
        with self._turn:
            try:
                self._make()
            except Exception as error:  # of any kind: it is raised again where it is awaited
                self.failure, self.is_over = error, True

    def take(self) -> bytes:
        """What was made and not taken, also while more is being made."""
        return b"".join(self._made.popleft() for _ in range(len(self._made)))

    def close(self) -> None:
        """Close the generator; a row that is being made comes first."""
        self._is_left = True
        with self._turn:
            self._rows.close()

    def _make(self) -> None:
        size, end_s = 0, time.monotonic() + PATIENCE_S
        for row in self._rows:
            self._made.append(row)
            size += len(row)
            if size >= SIZE or self._is_left or time.monotonic() >= end_s:
                return
        self.is_over = True
