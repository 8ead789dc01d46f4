"""The digest of a file that moves: made of the blocks as they pass, caught up from the file where they did not."""

import hashlib
import os
from collections.abc import Iterable, Mapping

from fileserver.client.errors import Failed

BLOCK_SIZE = 1024 * 1024
"""Bytes moved at once: below 256 KiB the interpreter costs more than the copying."""

_NAMES = {"sha-256": "sha256", "sha-512": "sha512"}


class RunningDigest:
    """Digests of the first `position` bytes of a file, SHA-256 and those that are asked for besides."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self._hashes = {name: hashlib.new(_NAMES[name]) for name in {"sha-256", *algorithms}}
        self.position = 0

    def take(self, position: int, block: bytes | memoryview) -> None:
        """Hash what of a block is new; a block that does not follow on is left to `catch_up`."""
        known = self.position - position
        if not 0 <= known < len(block):
            return
        new = memoryview(block)[known:]
        for each in self._hashes.values():
            each.update(new)
        self.position += len(new)

    def catch_up(self, descriptor: int, stop: int) -> None:
        """Hash the file's bytes up to `stop` that have not passed. Raises Failed where the file is shorter."""
        while self.position < stop:
            block = os.pread(descriptor, min(BLOCK_SIZE, stop - self.position), self.position)
            if not block:
                raise Failed("the file became shorter meanwhile")
            self.take(self.position, block)

    def digest(self, algorithm: str = "sha-256") -> bytes:
        """The digest of the bytes so far."""
        return self._hashes[algorithm].digest()

    def covers(self, told: Mapping[str, bytes]) -> bool:
        """Whether these digests can be compared with what a server told, if it told any."""
        return not told or not self._hashes.keys().isdisjoint(told)

    def agrees(self, told: Mapping[str, bytes]) -> bool | None:
        """Whether the digests that a server told are these; None where it told none that can be compared."""
        compared = [self.digest(name) == digest for name, digest in told.items() if name in self._hashes]
        return all(compared) if compared else None
