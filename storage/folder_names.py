"""The names of a folder's files, packed: a million take little more than their own letters.

A set of a million names takes 100 MB. Here a name lies behind a NUL, which none can hold, in the bucket of its hash.
"""

import os
from collections.abc import Iterator

_FULL = 64  # names to a bucket: a search through 2 kB takes less time than the call that asks for it
_END = b"\0"


class FolderNames:
    """A set of file names.

    >>> names = FolderNames()
    >>> names.add("film.mp4")
    >>> "film.mp4" in names, "film" in names, list(names)
    (True, False, ['film.mp4'])
    """

    def __init__(self) -> None:
        self._buckets = [bytearray(_END)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        packed = os.fsencode(name)
        return _place(self._bucket(packed), packed) >= 0

    def __iter__(self) -> Iterator[str]:
        for bucket in self._buckets:
            for packed in bucket[1:].split(_END)[:-1]:
                yield os.fsdecode(bytes(packed))

    def add(self, name: str) -> None:
        """Take in a name, unless it is there."""
        packed = os.fsencode(name)
        bucket = self._bucket(packed)
        if _place(bucket, packed) < 0:
            bucket += packed + _END
            self._count += 1
            if self._count > _FULL * len(self._buckets):
                self._spread()

    def discard(self, name: str) -> None:
        """Leave out a name, if it is there."""
        packed = os.fsencode(name)
        bucket = self._bucket(packed)
        if (place := _place(bucket, packed)) >= 0:
            del bucket[place : place + len(packed) + 1]
            self._count -= 1

    def _bucket(self, packed: bytes) -> bytearray:
        return self._buckets[hash(packed) % len(self._buckets)]

    def _spread(self) -> None:
        """Four times the buckets: all names are moved seldom."""
        names = [bytes(packed) for bucket in self._buckets for packed in bucket[1:].split(_END)[:-1]]
        self._buckets = [bytearray(_END) for _ in range(4 * len(self._buckets))]
        for packed in names:
            bucket = self._bucket(packed)
            bucket += packed + _END


def _place(bucket: bytearray, packed: bytes) -> int:
    return bucket.find(_END + packed + _END)
