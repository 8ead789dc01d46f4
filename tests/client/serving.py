"""The file that the scripted servers have, and a server that behaves only after a while."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from fileserver.client.outcome import Outcome
from fileserver.http.digests import format_digest
from tests.client.scripted_web import Asked, Reply, Script, ranged
from tests.support.files import MIB, known_bytes

CONTENT = known_bytes(3 * MIB + 17)
DIGEST = format_digest("sha-256", hashlib.sha256(CONTENT).digest())
TAG = '"one"'

Fetch = Callable[[Script], Outcome]
"""Fetches /file.bin of a server with a script."""

Send = Callable[..., list[Outcome]]
"""Sends a film to a server with a script."""


class Once:
    """Answers with these in turn, then honestly; keeps the requests."""

    def __init__(self, *replies: Callable[[Asked], Reply], then: Callable[[Asked], Reply] | None = None) -> None:
        self._replies = list(replies)
        self._then = then or (lambda asked: ranged(asked, CONTENT, etag=TAG, repr_digest=DIGEST))
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return (self._replies.pop(0) if self._replies else self._then)(asked)

    @property
    def ranges(self) -> list[str | None]:
        """The Range of each request."""
        return [asked.fields.get("range") for asked in self.asked]


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return sorted(path.name for path in folder.iterdir())
