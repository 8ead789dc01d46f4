"""A stored file, open for the length of a block; and whether there is one."""

from types import TracebackType

from storage.errors import IsFolder, NotFound
from storage.keys import Key
from storage.store import Reader, Store


class Opened:
    """A reader for the length of a block; a generator would do the same in more time than a warm file takes to open."""

    def __init__(self, store: Store, key: Key) -> None:
        self._store = store
        self._key = key

    async def __aenter__(self) -> Reader:
        self._reader = await self._store.open(self._key)
        return self._reader

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._reader.close()


async def has_file(store: Store, key: Key) -> bool:
    """Whether a file is stored under a key."""
    try:
        await store.stat(key)
    except (NotFound, IsFolder):
        return False
    return True
