"""A word from one task to all that wait for it: something has happened; what, they look for themselves."""

import anyio


class Signal:
    """Set as often as one likes. Who takes `next` before looking, and waits for it after, misses nothing."""

    def __init__(self) -> None:
        self.next = anyio.Event()

    def set(self) -> None:
        """Wake everybody who waits now."""
        self.next.set()
        self.next = anyio.Event()
