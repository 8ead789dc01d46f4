"""Threads that share out work. They are daemons: an interrupted command does not wait for a silent server."""

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Crew(Generic[Item, Result]):
    """At most `size` threads that do `work` on each item, in order; an error ends no thread but its own item."""

    def __init__(self, work: Callable[[Item], Result], items: Iterable[Item], *, size: int) -> None:
        self._work = work
        self._items: SimpleQueue[Item] = SimpleQueue()
        self._results: SimpleQueue[Result | BaseException] = SimpleQueue()
        for item in items:
            self._items.put(item)
        self._count = self._items.qsize()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(min(size, self._count))]

    def results(self) -> Iterator[Result]:
        """The results as they come. Raises the first error that a piece of work raised."""
        for thread in self._threads:
            thread.start()
        for _ in range(self._count):
            result = self._results.get()
            if isinstance(result, BaseException):
                raise result
            yield result

    def disband(self) -> None:
        """Start nothing more, and wait for what is running."""
        self._drain()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            try:
                item = self._items.get_nowait()
            except Empty:
                return
            try:
                result: Result | BaseException = self._work(item)
            except BaseException as error:  # told to whoever waits for the results
                result = error
            self._results.put(result)

    def _drain(self) -> None:
        while True:
            try:
                self._items.get_nowait()
            except Empty:
                return
