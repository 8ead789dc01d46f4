"""What tells a file from the one that it was, or that had its name, before: kept by a client in eight digits."""

import hashlib

from storage.watches import Place

BEGINNING_SIZE = 256
"""Of a file's beginning; a log's first lines have a time in them."""
_DIGITS = 4  # for each of the two: so it can be said which of them is another


class Origin:
    """A file's place and its first bytes, as far as they are known: those before the last offset asked about."""

    def __init__(self, place: Place) -> None:
        # Device numbers change when a machine starts anew; a place without an inode changes with each version.
        self._place = _digits(str(place[1]).encode()) if isinstance(place, tuple) else "0" * _DIGITS
        self._head = b""
        self._whole: str | None = None  # the fingerprint of a whole head, for it is asked of each line

    def learn(self, offset: int, content: bytes) -> None:
        """Take in bytes of the file, none of those before them being left out."""
        if offset <= len(self._head) < BEGINNING_SIZE:
            self._head += content[len(self._head) - offset : BEGINNING_SIZE - offset]

    def fingerprint(self, offset: int) -> str:
        """The file as it is known to who has read so far: of its place, and of what it begins with."""
        if offset < BEGINNING_SIZE:
            return self._place + _digits(self._head[:offset])
        if self._whole is None:
            self._whole = self._place + _digits(self._head)
        return self._whole

    def is_elsewhere(self, fingerprint: str) -> bool:
        """Whether a fingerprint is of a file in another place."""
        return fingerprint[:_DIGITS] != self._place


def _digits(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGITS // 2).hexdigest()
