"""Work that is done in a thread, one piece after another, for those who may not wait for its end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class OneThread:
    """A thread of its own: work that nobody waits for any more still has the turn, and is dropped if it has not begun.

    A limiter would give the turn away as soon as somebody leaves, and threads would pile up.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work when its turn comes. Raises what it raises."""
        return await asyncio.wrap_future(self._executor.submit(work))
