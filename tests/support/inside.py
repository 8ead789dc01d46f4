"""A server within the test's own process, in a thread with a loop of its own: what it holds can be counted to the task.

It is the server that people run (our protocol, uvloop, the application with its lifespan), but for the signals, the
processes and the log. What is counted is the whole process: a test closes its own connections before it counts.
"""

import asyncio
import gc
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import AsyncGeneratorType, GeneratorType
from typing import Any, TypeAlias

import uvicorn
from sqlalchemy import event
from sqlalchemy.pool import Pool

from fileserver.app import create_app
from fileserver.server.draining import DrainingServer
from fileserver.server.limits import limits_of
from fileserver.server.protocol import hard_protocol
from fileserver.settings import Settings
from tests.support.process import process_stats
from tests.support.server import wait_until

_DEADLINE_S = 30.0
_OURS = ("fileserver", "storage")
_Generator: TypeAlias = "AsyncGeneratorType[Any, Any] | GeneratorType[Any, Any, Any]"


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds at one moment; equal when nothing was left behind."""

    tasks: Counter[str]
    """Tasks of the server's loop, by the coroutine they run."""
    generators: Counter[str]
    """Generators of ours that were begun and not ended, asynchronous and plain."""
    descriptors: Counter[str]
    """By the file they stand for; without those of the catalogue, whose pool keeps connections for the next use."""
    checkouts: int
    """Connections to the catalogue that are in use."""
    watches: int
    """Files that inotify watches."""

    def beyond(self, before: "Held") -> dict[str, object]:
        """What is held that was not held before; empty when that is nothing."""
        counted = {name: getattr(self, name) - getattr(before, name) for name in ("tasks", "generators", "descriptors")}
        numbers = {name: getattr(self, name) - getattr(before, name) for name in ("checkouts", "watches")}
        return {name: dict(more) for name, more in counted.items() if more} | {
            name: more for name, more in numbers.items() if more > 0
        }


@dataclass(frozen=True, slots=True)
class Inside:
    """A server that runs in this process."""

    port: int
    root: Path
    loop: asyncio.AbstractEventLoop
    in_use: Callable[[], int]

    def held(self) -> Held:
        """What is held now."""
        return Held(
            tasks=self._in_loop(_tasks),
            generators=self._in_loop(_generators),
            descriptors=_descriptors(),
            checkouts=self.in_use(),
            watches=inotify_watches(os.getpid()),
        )

    def _in_loop(self, look: Callable[[], Counter[str]]) -> Counter[str]:
        async def looked() -> Counter[str]:
            return look()

        return asyncio.run_coroutine_threadsafe(looked(), self.loop).result(_DEADLINE_S)


@contextmanager
def server_inside(root: Path, **settings: Any) -> Iterator[Inside]:
    """A server over `root` on a free loopback port, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = int(listener.getsockname()[1])
    wanted = Settings(root=root, host="127.0.0.1", port=port, access_log=False, **settings)
    loops: list[asyncio.AbstractEventLoop] = []
    server = DrainingServer(
        _config(wanted),
        drain_timeout_s=wanted.drain_timeout,
        on_started=lambda: loops.append(asyncio.get_running_loop()),
        signals=(),
    )
    thread = threading.Thread(target=server.run, args=([listener],))
    with _checkouts() as in_use:
        thread.start()
        try:
            wait_until(lambda: loops or not thread.is_alive(), timeout_s=_DEADLINE_S)
            assert loops, "the server did not start"
            yield Inside(port, root, loops[0], in_use)
        finally:
            server.should_exit = True
            thread.join(_DEADLINE_S)
            listener.close()
            assert not thread.is_alive(), "the server does not end"


def inotify_watches(pid: int) -> int:
    """How many files and folders a process watches, over all its instances (proc(5))."""
    count = 0
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            count += path.read_text().count("inotify wd:")
        except FileNotFoundError:  # closed since the listing
            continue
    return count


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=hard_protocol(limits_of(settings)),
        ws="none",
        interface="asgi3",
        lifespan="on",
        server_header=False,
        log_config=None,
        access_log=False,
    )


@contextmanager
def _checkouts() -> Iterator[Callable[[], int]]:
    """The number of connections in use, of all pools that are made meanwhile or were there."""
    taken = given_back = 0

    def take(*_: object) -> None:
        nonlocal taken
        taken += 1

    def give_back(*_: object) -> None:
        nonlocal given_back
        given_back += 1

    event.listen(Pool, "checkout", take)
    event.listen(Pool, "checkin", give_back)
    try:
        yield lambda: taken - given_back
    finally:
        event.remove(Pool, "checkout", take)
        event.remove(Pool, "checkin", give_back)


def _descriptors() -> Counter[str]:
    held = process_stats(os.getpid()).descriptors
    return Counter({name: count for name, count in held.items() if "/catalogue.sqlite3" not in name})


def _tasks() -> Counter[str]:
    own = asyncio.current_task()
    return Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks() if task is not own)


def _generators() -> Counter[str]:
    """By name; from inside the loop, so that none of its own is looked at while it runs."""
    gc.collect()
    begun = (each for each in gc.get_objects() if isinstance(each, AsyncGeneratorType | GeneratorType))
    return Counter(each.__qualname__ for each in begun if _is_of_ours(each))


def _is_of_ours(generator: "_Generator") -> bool:
    frame = generator.ag_frame if isinstance(generator, AsyncGeneratorType) else generator.gi_frame
    return frame is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] in _OURS
