"""Files that may have been changed by others, from the first word of it until it is time to look. Pure: no I/O.

What counts is how a file stands against what was told of it when it is looked at: an editor that renames, writes anew
and removes the old has replaced one file.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from storage.change import NewChange
from storage.keys import Folder, Key
from storage.model import Entry, Json

_ENOUGH = 2000


@dataclass(slots=True)
class Suspect:
    """A key about which something was heard.

    `origin` is the key that its bytes were last told under, as long as they are the same; none for others. `heir` is
    where a rename has taken what was here.
    """

    key: Key
    due_s: float
    since_ms: int
    was_known: bool
    origin: Key | None
    heir: Key | None = None
    is_closed: bool = False


class Suspects:
    """All suspects in the order in which they are due; `settle_s` after the first word of each."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._waiting: dict[Key, Suspect] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether those that are waiting come before any that are still to be found."""
        return len(self._waiting) >= _ENOUGH

    @property
    def due_s(self) -> float | None:
        """When the first is due, on the clock of those who add them."""
        return next((suspect.due_s for suspect in self._waiting.values()), None)

    def changed(self, key: Key, *, was_known: bool, now: "Now", is_closed: bool) -> None:
        """Other bytes may be there, or none any more. Until they are closed somebody may be writing them."""
        suspect = self._suspect(key, was_known, now)
        suspect.origin = None
        suspect.is_closed = is_closed

    def found(self, key: Key, *, was_known: bool, now: "Now") -> None:
        """The same, by a look, which says less than what may have been heard."""
        if key not in self._waiting:
            self._suspect(key, was_known, now).origin = None

    def doubt(self) -> None:
        """Word was lost: nobody knows where the present bytes come from."""
        for suspect in self._waiting.values():
            suspect.origin, suspect.is_closed = None, False

    def moved(self, old: Key, new: Key, *, were_known: tuple[bool, bool], now: "Now") -> None:
        """What was under one key is under another."""
        source = self._suspect(old, were_known[0], now)
        target = self._suspect(new, were_known[1], now)
        target.origin, target.is_closed = source.origin, source.is_closed or source.origin is not None
        source.origin = None
        if target.origin is not None and (first := self._waiting.get(target.origin)) is not None:
            first.heir = new

    def rename(self, old: Folder, new: Folder) -> None:
        """A folder has another name, and with it all that was heard of what is below it."""
        if any(key.startswith(old) for key in self._waiting):
            for suspect in self._waiting.values():
                suspect.key = _renamed(suspect.key, old, new)
                suspect.origin = suspect.origin and _renamed(suspect.origin, old, new)
                suspect.heir = suspect.heir and _renamed(suspect.heir, old, new)
            self._waiting = {suspect.key: suspect for suspect in self._waiting.values()}

    def clear(self) -> None:
        """Leave all of them to a look at everything."""
        self._waiting.clear()

    def take(self, now_s: float, most: int) -> list[Suspect]:
        """The first that are due, and those with them that renames have taken to or from their places."""
        taken: list[Suspect] = []
        for suspect in list(itertools.islice(self._waiting.values(), most)):
            if suspect.due_s > now_s:
                break
            related = [suspect.key]
            while related:
                if (each := self._waiting.pop(related.pop(), None)) is not None:
                    taken.append(each)
                    related += [key for key in (each.origin, each.heir) if key is not None]
        return taken

    def postpone(self, suspects: Iterable[Suspect], now_s: float) -> None:
        """Look at them later."""
        for suspect in suspects:
            suspect.due_s = now_s + self._settle_s
            self._waiting[suspect.key] = suspect

    def _suspect(self, key: Key, was_known: bool, now: "Now") -> Suspect:
        suspect = self._waiting.get(key)
        if suspect is None:
            origin = key if was_known else None
            suspect = Suspect(key, now.seconds + self._settle_s, now.since_ms, was_known, origin)
            self._waiting[key] = suspect
        return suspect


@dataclass(frozen=True, slots=True)
class Now:
    """When something was heard, on the monotonic clock; it has happened since a time on the wall (Unix)."""

    seconds: float
    since_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    """What is under a key: a file, or none. Somebody `is_writing` it (None: perhaps)."""

    entry: Entry | None
    is_writing: bool | None = False


@dataclass(frozen=True, slots=True)
class Told:
    """The newest change of a file, with the identity of the version it left."""

    kind: str
    identity: str | None
    at_ms: int


Verdict: TypeAlias = NewChange | Literal["known", "later", "left"]
"""A change to tell; or it is told already, cannot be said yet, or will be heard of again."""


def verdict(suspect: Suspect, look: Look, told: Told | None, *, has_moved: bool, watched_since_ns: int) -> Verdict:
    """What is to be told of a key that nobody of ours is just writing to.

    `has_moved`: nothing is under its origin any more.
    """
    entry = look.entry
    is_later = told is not None and told.at_ms >= suspect.since_ms
    existed = told is not None and _is_there(told) if is_later else suspect.was_known
    if entry is None:
        is_news = existed and (told is None or _is_there(told))
        return NewChange("deleted", suspect.key, {"by": "other"}) if is_news else "known"
    if look.is_writing is not False:
        return "left" if look.is_writing else "later"
    if _is_told(suspect, entry, told, watched_since_ns):
        return "known"
    content: dict[str, Json] = {"size": entry.size, "etag": f'"{entry.etag}"', "by": "other"}
    if suspect.origin is not None and has_moved:
        return NewChange("moved", suspect.key, {"from": suspect.origin, **content}, identity=entry.identity)
    return NewChange("replaced" if existed else "created", suspect.key, content, identity=entry.identity)


def _is_there(told: Told) -> bool:
    return told.kind != "deleted"


def _is_told(suspect: Suspect, entry: Entry, told: Told | None, watched_since_ns: int) -> bool:
    if suspect.origin == suspect.key:
        return True
    if told is not None and told.identity is not None:
        return _version(told.identity) == _version(entry.identity)
    # opened for writing and closed again as it was
    return told is None and suspect.was_known and int(entry.identity.rpartition("-")[2], 16) < watched_since_ns


def _version(identity: str) -> str:
    """What is left of an identity when the name, the owner or the rights have changed: the time of that is its end."""
    return identity.rpartition("-")[0]


def _renamed(key: Key, old: Folder, new: Folder) -> Key:
    return Key(new + key.removeprefix(old)) if key.startswith(old) else key
