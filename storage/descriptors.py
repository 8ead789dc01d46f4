"""A file descriptor that threads use and that is closed only when none of them does any more.

A cancelled task leaves its thread at work. Were the descriptor closed then, its number could be given to another file
and the thread would read or write there. Here the last user closes.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SharedDescriptor:
    """Owns a descriptor; `run` lends it to a thread."""

    def __init__(self, descriptor: int, executor: Executor) -> None:
        self._descriptor = descriptor
        self._executor = executor
        self._users = 1  # the owner, until close
        self._is_closed = False
        self._lock = Lock()

    @property
    def number(self) -> int:
        """The descriptor itself, for the owner's own short use."""
        return self._descriptor

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Start the work in a thread at once; the descriptor stays open until it has ended."""
        with self._lock:
            if self._is_closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._users += 1
        try:
            future = self._executor.submit(work, *args, **kwargs)
        except BaseException:
            self._release()
            raise
        future.add_done_callback(lambda _: self._release())
        return asyncio.wrap_future(future)

    def close(self) -> None:
        """Give up the owner's use. Closing twice is fine."""
        if not self._is_closed:
            self._is_closed = True
            self._release()

    def _release(self) -> None:
        with self._lock:
            self._users -= 1
            is_last = self._users == 0
        if is_last:
            os.close(self._descriptor)
