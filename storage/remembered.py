"""Entries with all that is known of them, kept in memory for those that are asked for again."""

import time
from collections import OrderedDict
from typing import TypeAlias

from storage.keys import Key
from storage.model import Entry

Version: TypeAlias = tuple[Key, str]
"""A file's key and identity."""

_MOST = 16_384  # versions whose entries stay in memory, about 11 MB
UNKNOWN_S = 30.0  # for so long nobody is asked again for a digest that nobody knew


def version_of(entry: Entry) -> Version:
    """What tells the entry's version from all others."""
    return entry.key, entry.identity


class Remembered:
    """The entries that were asked for last.

    All that is known of a version stays true, so they need no care; only a digest may be learned later, by another
    process as well.
    """

    def __init__(self, unknown_s: float = UNKNOWN_S) -> None:
        self._unknown_s = unknown_s
        self._entries: OrderedDict[Version, Entry] = OrderedDict()
        self._unknown_until: dict[Version, float] = {}  # on the monotonic clock, for those without a digest

    def recall(self, version: Version) -> Entry | None:
        """The entry, unless it has to be put together anew."""
        entry = self._entries.get(version)
        if entry is None or (entry.sha256 is None and time.monotonic() > self._unknown_until[version]):
            return None
        self._entries.move_to_end(version)
        return entry

    def keep(self, entry: Entry) -> None:
        """Remember an entry with all that is known of it now."""
        version = version_of(entry)
        self._entries[version] = entry
        if entry.sha256 is None:
            self._unknown_until[version] = time.monotonic() + self._unknown_s
        if len(self._entries) > _MOST:
            oldest, _ = self._entries.popitem(last=False)
            self._unknown_until.pop(oldest, None)

    def forget(self, version: Version) -> None:
        """Put it together anew when it is asked for next."""
        self._entries.pop(version, None)
        self._unknown_until.pop(version, None)
