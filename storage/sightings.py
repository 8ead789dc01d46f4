"""What inotify says of a watched folder, made into suspects and moved folders.

All of it may block, and is called by one thread at a time. Large folders that come or go are looked at a page at a
time, and only while few suspects wait: a tree of a million files takes no more memory than its names.
"""

import time
from collections import deque
from collections.abc import Sequence

from asyncinotify import Event, Inotify, Mask

from storage.change import NewChange
from storage.inotify_tree import InotifyTree, Pages
from storage.keys import Folder, Key, is_reserved
from storage.suspects import Now, Suspects

_TOO_MANY = 50_000  # about 20 MB: from there on a look at everything costs less
_SLICE_S = 0.05  # of looking, before what is due is told


class Sightings:
    """What was seen beneath a root's descriptor since a time (Unix)."""

    def __init__(self, root: int, inotify: Inotify, suspects: Suspects, *, since_ns: int) -> None:
        self.tree = InotifyTree(root, inotify)
        self.suspects = suspects
        self.moved: list[NewChange] = []
        """Folders that have another name, which is told at once."""
        self._gone: deque[Pages] = deque()
        self._unread: deque[Pages] = deque([self.tree.begin(since_ns=since_ns)])
        self._lost_since_ns: int | None = None
        self._now = Now(time.monotonic(), since_ns // 1_000_000)

    @property
    def has_unread(self) -> bool:
        """Whether there is something to look at."""
        return bool(self._gone or self._unread) or self._lost_since_ns is not None

    def close(self) -> None:
        """Let go of the folders that are being listed."""
        for pages in (*self._gone, *self._unread):
            if (close := getattr(pages, "close", None)) is not None:
                close()

    def take(self, events: Sequence[Event], *, sound_ns: int, looked_ns: int) -> None:
        """Take in what was said since `looked_ns`, when it was taken in before.

        Where that is not all, everything that was touched since `sound_ns` is suspected.
        """
        now = self._now = Now(time.monotonic(), looked_ns // 1_000_000)
        arrivals = {event.cookie for event in events if Mask.MOVED_TO in event and self._place(event) is not None}
        departures = {event.cookie: event for event in events if Mask.MOVED_FROM in event}
        for event in events:
            place = self._place(event)
            if Mask.Q_OVERFLOW in event:
                self.suspects.doubt()
                self._lose(sound_ns)
            elif Mask.IGNORED in event:
                self._gone.append(self.tree.end(event.watch))
            elif place is None or (Mask.MOVED_FROM in event and event.cookie in arrivals):
                continue  # not ours, or to be seen where it arrives
            elif (departure := departures.get(event.cookie)) is not None and departure is not event:
                self._arrived(event, self._place(departure), place, now, sound_ns)
            else:
                self._seen(event, place, now)
        if len(self.suspects) > _TOO_MANY:
            self.suspects.clear()
            self._lose(sound_ns)

    def look_around(self) -> None:
        """Go on with what is unread, for a moment and while there are few suspects."""
        until_s = time.monotonic() + _SLICE_S
        while self.has_unread and not self.suspects.is_full and time.monotonic() < until_s:
            unread = self._gone or self._unread
            if not unread and self._lost_since_ns is not None:
                self._unread.append(self.tree.look_again(since_ns=self._lost_since_ns))
                self._lost_since_ns = None
            page = next(unread[0], None)
            if page is None:
                unread.popleft()
                continue
            for found in page:
                self.suspects.found(found.key, was_known=found.was_known, now=self._now)

    def _place(self, event: Event) -> Key | None:
        """Where something has happened; none where it is nothing of ours."""
        folder = self.tree.folder_of(event.watch)
        if folder is None or event.name is None or is_reserved(str(event.name)):
            return None
        return Key(f"{folder}{event.name}")

    def _seen(self, event: Event, place: Key, now: Now) -> None:
        if Mask.ISDIR in event:
            folder = Folder(f"{place}/")
            if Mask.CREATE in event or Mask.MOVED_TO in event:
                self._unread.append(self.tree.look(folder))
            elif Mask.MOVED_FROM in event:
                self._gone.append(self.tree.drop(folder))
        else:
            self.suspects.changed(place, was_known=self.tree.knows(place), now=now, is_closed=Mask.CREATE not in event)

    def _arrived(self, event: Event, old: Key | None, new: Key, now: Now, sound_ns: int) -> None:
        if old is None:
            self._seen(event, new, now)
        elif Mask.ISDIR in event:
            self._renamed(Folder(f"{old}/"), Folder(f"{new}/"), sound_ns)
        else:
            were_known = self.tree.knows(old), self.tree.knows(new)
            self.suspects.moved(old, new, were_known=were_known, now=now)

    def _renamed(self, old: Folder, new: Folder, sound_ns: int) -> None:
        self.suspects.rename(old, new)
        is_half_read = bool(self._unread)
        if not self.tree.has(old) or is_half_read:
            self._unread.append(self.tree.look(new))
        if self.tree.has(old):
            self.moved.append(NewChange("moved", Key(new), {"from": old, "by": "other"}))
            if not self.tree.move(old, new) or is_half_read:
                self._lose(sound_ns)

    def _lose(self, sound_ns: int) -> None:
        """Word was lost of what happened since a time."""
        if self._lost_since_ns is None:
            self._lost_since_ns = sound_ns
