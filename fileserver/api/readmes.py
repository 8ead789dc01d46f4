"""READMEs made for the pages of their folders: in a thread, one at a time, remembered by version."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import anyio

from fileserver.delivery.one_thread import OneThread
from fileserver.web.html import Html
from fileserver.web.readme import Readme, plain_article, readme_article

_MOST: Final = 64
"""Made ones that are remembered; each has 20 KB most times, and 2 MB at worst."""


@dataclass(slots=True)
class Readmes:
    """The articles that were made last, by where their file is seen and its etag.

    A page waits `patience_s` for its README; hardly any takes a tenth of the second.
    """

    patience_s: float = 1.0
    _made: dict[tuple[str, str], Html] = field(default_factory=dict)
    _thread: OneThread = field(default_factory=partial(OneThread, "readme"))

    async def article(self, readme: Readme, etag: str) -> Html:
        """The README as an element; as it was written where it takes too long, and made for the next who asks."""
        version = (readme.href, etag)
        if version not in self._made:
            with anyio.move_on_after(self.patience_s):
                await self._thread.run(partial(self._make, version, readme))
        return self._made.get(version) or plain_article(readme)

    def _make(self, version: tuple[str, str], readme: Readme) -> None:
        if version in self._made:
            return  # by whoever had the turn before
        if len(self._made) >= _MOST:
            del self._made[next(iter(self._made))]
        self._made[version] = readme_article(readme)
