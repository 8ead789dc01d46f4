"""inotify(7) as this room uses it, whatever version of the library is installed."""

import os
from contextlib import suppress
from typing import Any

from asyncinotify import Inotify


class Instance(Inotify):
    """An instance whose descriptor never blocks: asyncinotify 4.4.4 opens one that does, and a stop then never comes.

    It can be thrown away before it was one, as it is where the kernel refuses. Raises OSError then, AttributeError
    where the system's library has no inotify.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        os.set_blocking(self.fd, False)

    def close(self) -> None:
        """Let go of its descriptors."""
        with suppress(AttributeError):
            super().close()
