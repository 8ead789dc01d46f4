"""What one request has removed, and its name in the trash. Pure values, and the text that a keeper writes them as."""

import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from storage.errors import StoreDamaged
from storage.keys import MAX_NAME_BYTES, RESERVED_NAME, Folder, Key
from storage.schema import as_bytes

Place: TypeAlias = Key | Folder
"""Where a file is or was; or a folder, with all that is in it."""

_TIME_DIGITS = 16  # hexadecimal, of nanoseconds: until the year 2554
_RANDOM_BYTES = 5
_BELOW_TRASH = f"{RESERVED_NAME}/trash/"


@dataclass(frozen=True, slots=True)
class Removed:
    """A file or folder that was removed: where it was, and the size (bytes) and identity of a file."""

    place: Place
    size: int | None = None
    identity: str | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return is_folder(self.place)


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed at once and can be restored: what there still is of it, by its number in the trash."""

    id: str
    items: Mapping[int, Removed]

    @property
    def at_ms(self) -> int:
        """When it was removed (Unix time)."""
        return removed_at_ms(self.id)


def new_removal_id(*, now_ns: int | None = None) -> str:
    """A name that sorts after all that were given before. `now_ns` overrides the clock (Unix time)."""
    now_ns = time.time_ns() if now_ns is None else now_ns
    return f"{now_ns:0{_TIME_DIGITS}x}{secrets.token_hex(_RANDOM_BYTES)}"


def is_removal_id(text: str) -> bool:
    """Whether a text can be the name of a removal.

    >>> is_removal_id(new_removal_id()), is_removal_id("../../etc/passwd")
    (True, False)
    """
    return len(text) == _TIME_DIGITS + 2 * _RANDOM_BYTES and set(text) <= set("0123456789abcdef")


def removed_at_ms(removal_id: str) -> int:
    """When it was made (Unix time).

    >>> removed_at_ms(new_removal_id(now_ns=1_700_000_000_123_000_000))
    1700000000123
    """
    return int(removal_id[:_TIME_DIGITS], 16) // 1_000_000


def is_folder(place: Place) -> bool:
    """Whether a folder is meant."""
    return place.endswith("/")


def trashed(removal_id: str, number: int) -> Key:
    """The key that a removed file has in the trash, or a folder but for its `/`; no client's text can be one.

    >>> trashed("0", 3)
    '.fileserver/trash/0/3'
    """
    return Key(f"{_BELOW_TRASH}{removal_id}/{number}")


def all_trashed(removal_id: str) -> Key:
    """The folder of all that was removed at once."""
    return Key(f"{_BELOW_TRASH}{removal_id}/")


def outermost(places: Iterable[Place]) -> tuple[Place, ...]:
    """Each once, without those that lie in a folder that is among them.

    >>> outermost((Key("b/c/d"), Key("a"), Folder("b/"), Key("bc"), Key("a")))
    ('a', 'b/', 'bc')
    """
    found: list[Place] = []
    for place in sorted(set(places), key=as_bytes):
        if not found or not (is_folder(found[-1]) and place.startswith(found[-1])):
            found.append(place)
    return tuple(found)


def restored(place: Place, attempt: int) -> Place:
    """The name that something is restored under: its own at the first attempt, and one beside it at the others.

    >>> [restored(Key("a/b.txt"), attempt) for attempt in range(3)]
    ['a/b.txt', 'a/b (restored).txt', 'a/b (restored 2).txt']
    >>> restored(Folder("v1.2/"), 1), restored(Key(".profile"), 1)
    ('v1.2 (restored)/', '.profile (restored)')
    """
    if attempt == 0:
        return place
    above, slash, name = place.rstrip("/").rpartition("/")
    stem, suffix = (name, "") if is_folder(place) else _split(name)
    mark = " (restored)" if attempt == 1 else f" (restored {attempt})"
    stem = _cut(stem, MAX_NAME_BYTES - len(as_bytes(mark + suffix)))
    return Key(f"{above}{slash}{stem}{mark}{suffix}{'/' if is_folder(place) else ''}")


def as_text(items: Sequence[Removed]) -> bytes:
    """What a keeper writes down. Bytes that are no UTF-8 are lone surrogates, and those are escaped."""
    rows = [[each.place, each.size, each.identity] for each in items]
    return json.dumps({"items": rows}, separators=(",", ":")).encode("ascii")


def from_text(text: bytes) -> tuple[Removed, ...]:
    """What `as_text` was given. Raises StoreDamaged."""
    try:
        return tuple(Removed(Key(place), size, identity) for place, size, identity in json.loads(text)["items"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged("a list of the trash cannot be read") from error


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    is_suffix = stem.strip(".") and len(suffix) < 16  # a longer one is a part of a sentence
    return (stem, dot + suffix) if is_suffix else (name, "")


def _cut(text: str, size: int) -> str:
    """The longest beginning of a text that has at most so many bytes."""
    return text if len(as_bytes(text)) <= size else _cut(text[:-1], size)
