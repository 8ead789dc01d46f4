"""What is kept about files that are gone: it waits for a while, and is dropped then."""

import time
from typing import Any

from sqlalchemy import Column, delete, func, select

from storage.catalogue import Catalogue
from storage.claims import is_claimed
from storage.keys import Key
from storage.opened import has_file
from storage.store import Store

GRACE_S = 3600.0
"""A disk that was pulled out may come back, and so may a log that is rotated."""

AT_ONCE = 500
"""Files that one sweep looks for."""
_MOST_MISSING = 10_000  # files that are waited for, in memory


class GoneSweep:
    """Drops the rows about files that are gone, were gone `grace_s` before, and were removed by no server.

    `key` is the column that names the file, of any table, and `number` one of the same table that grows from row to
    row: what came to the key in between is about another file.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        key: Column[Any],
        number: Column[Any],
        *,
        grace_s: float = GRACE_S,
        at_once: int = AT_ONCE,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._key = key
        self._number = number
        self._grace_s = grace_s
        self._at_once = at_once
        self._position = Key("")
        self._missing: dict[Key, tuple[float, int]] = {}  # since when (monotonic), and the last number until then

    async def sweep(self) -> None:
        """Look for some of the files; each call goes on where the last one ended. Raises StorageError."""
        await self._store.check()
        await self._drop_missing()
        if len(self._missing) < _MOST_MISSING:
            await self._find_missing()

    async def _drop_missing(self) -> None:
        due_s = time.monotonic() - self._grace_s
        for key, (since_s, newest) in list(self._missing.items())[: self._at_once]:
            if since_s > due_s:
                return  # the others are younger still
            del self._missing[key]
            if not await has_file(self._store, key):
                await self._drop(key, newest)

    async def _find_missing(self) -> None:
        keys = select(self._key, func.max(self._number)).where(self._key > self._position)
        async with self._catalogue.reading() as connection:
            rows = await connection.execute(keys.group_by(self._key).order_by(self._key).limit(self._at_once))
            page = [(Key(key), newest) for key, newest in rows]
        for key, newest in page:
            if key not in self._missing and not await has_file(self._store, key):
                self._missing[key] = (time.monotonic(), newest)
        self._position = page[-1][0] if len(page) == self._at_once else Key("")

    async def _drop(self, key: Key, newest: int) -> None:
        async with self._catalogue.changing() as connection:  # what a power cut undoes is swept again
            if not await is_claimed(connection, key):  # it is just coming back
                rows = self._key == key, self._number <= newest
                await connection.execute(delete(self._key.table).where(*rows))
