"""Word of changes to open files at the moment they happen, where the kernel gives it (inotify(7)).

One instance serves the whole process, for an account may have few of them (max_user_instances, often 128). A file is
watched through its descriptor, so that no name can be changed between the opening and the watching; the watches of an
account are counted too (max_user_watches). Where there is no room, or no inotify, nothing is told: who needs to know
looks for himself now and then.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

import anyio
from asyncinotify import Event, Inotify, Mask, Watch

from storage.inotify import Instance

# A removed name shows as a change of the number of links: the file itself is there while it is open.
_NAMED = Mask.ATTRIB | Mask.MOVE_SELF | Mask.DELETE_SELF
_CHANGES = Mask.MODIFY | _NAMED

Told: TypeAlias = Callable[[bool], None]
"""Called when a file has changed, with whether its name may have."""


class Notices:
    """What the kernel says of the files that are watched, while `run` runs."""

    def __init__(self) -> None:
        self._inotify: Inotify | None = None
        self._told: dict[int, list[Told]] = {}

    async def run(self) -> None:
        """Pass on what the kernel says until cancelled; returns at once where it says nothing."""
        try:
            inotify = Instance()
        except (OSError, AttributeError):  # no room for another, or no inotify in this system's library
            return
        with inotify:
            self._inotify = inotify
            try:
                while True:
                    # Not by the library's own waiting, which may lose events where a loop calls it twice.
                    await anyio.wait_readable(inotify.fd)
                    self._pass_on_what_came(inotify)
            finally:
                self._inotify = None
                self._told.clear()

    def watch(self, descriptor: int, told: Told) -> Callable[[], None]:
        """Have `told` called of the file that is open here, until the function that this answers is called."""
        if self._inotify is None:
            return _do_nothing
        try:
            watch = self._inotify.add_watch(f"/proc/self/fd/{descriptor}", _CHANGES)
        except OSError:
            return _do_nothing
        # The kernel has one watch for a file, however it was opened and however often.
        self._told.setdefault(watch.wd, []).append(told)
        return partial(self._unwatch, watch, told)

    def _unwatch(self, watch: Watch, told: Told) -> None:
        left = self._told.get(watch.wd, [])
        if told in left:
            left.remove(told)
            if self._inotify is not None and not left:
                del self._told[watch.wd]
                with suppress(OSError):  # gone with its file system
                    self._inotify.rm_watch(watch)

    def _pass_on_what_came(self, inotify: Inotify) -> None:
        with suppress(BlockingIOError):
            while (event := inotify.sync_get()) is not None:
                self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        if Mask.Q_OVERFLOW in event.mask:
            everybody = [told for each in self._told.values() for told in each]
        else:
            everybody = list(self._told.get(event.watch.wd, ())) if event.watch is not None else []
        for told in everybody:
            told(not event.mask & Mask.MODIFY)


def _do_nothing() -> None:
    pass
