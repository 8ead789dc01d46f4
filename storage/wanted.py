"""The keys of files that somebody asked for while their digests were not known."""

import anyio

from storage.keys import Key

_MOST = 1000  # keys; of more, a walk over all files takes care


class Wanted:
    """A few keys, each once, in the order they came."""

    def __init__(self) -> None:
        self._keys: dict[Key, None] = {}
        self._are_there = anyio.Event()

    def add(self, key: Key) -> None:
        """Want the digest of a file, unless very many are wanted already."""
        if len(self._keys) < _MOST:
            self._keys[key] = None
            self._are_there.set()

    async def take(self) -> tuple[Key, ...]:
        """All keys that came since the last time; waits for one."""
        await self._are_there.wait()
        keys = tuple(self._keys)
        self._keys.clear()
        self._are_there = anyio.Event()
        return keys
