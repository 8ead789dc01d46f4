"""Where people have stopped in films and books, to go on from there.

A position belongs to the key and to whoever was there: a new version keeps it, a removal takes it along. It outlives no
file: what is kept while a removal is under way is dropped in the removal's last transaction, and what is kept after
that looks for the file once more, finds it gone and takes itself back. What a crash leaves, and positions in files that
somebody removed behind our back, a sweep collects. A power cut may lose the last ones: they come every few seconds.
"""

import time

import anyio
from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.catalogue import Catalogue
from storage.errors import IsFolder, NotFound
from storage.gone import GRACE_S, GoneSweep
from storage.keys import Key
from storage.position import NewPosition, Position
from storage.store import Store

MAX_OWNERS = 10_000
"""Who may have a position in one file; of more, those that were there longest ago are forgotten."""

_positions = schema.positions.c


class Positions:
    """All positions that a catalogue has in the files of a store."""

    def __init__(self, store: Store, catalogue: Catalogue, *, max_owners: int = MAX_OWNERS) -> None:
        self._store = store
        self._catalogue = catalogue
        self._max_owners = max_owners

    async def keep(self, key: Key, owner: str, new: NewPosition) -> None:
        """Keep where somebody is in a stored file, instead of where they were before. Raises NotFound, IsFolder."""
        await self._store.stat(key)
        with anyio.CancelScope(shield=True):  # or nobody would look whether the file is still there
            async with self._catalogue.changing() as connection:
                await self._put(connection, key, owner, new)
            try:
                await self._store.stat(key)
            except (NotFound, IsFolder):
                await self.forget(key, owner)
                raise

    async def get(self, key: Key, owner: str) -> Position:
        """Where somebody is in a stored file; at its beginning where nothing is known. Raises NotFound, IsFolder."""
        await self._store.stat(key)
        columns = (_positions.position_s, _positions.duration_s, _positions.is_finished, _positions.at_ms)
        async with self._catalogue.reading() as connection:
            row = (await connection.execute(select(*columns).where(_of(key, owner)))).one_or_none()
        return Position() if row is None else Position(*row)

    async def forget(self, key: Key, owner: str) -> None:
        """Let somebody begin anew."""
        async with self._catalogue.changing() as connection:
            await connection.execute(delete(schema.positions).where(_of(key, owner)))

    async def _put(self, connection: AsyncConnection, key: Key, owner: str, new: NewPosition) -> None:
        values = {
            "at_ms": time.time_ns() // 1_000_000,
            "position_s": new.position_s,
            "duration_s": new.duration_s,
            "is_finished": new.is_finished,
        }
        row = insert(schema.positions).values(key=key, owner=owner, **values)
        await connection.execute(
            row.on_conflict_do_update(index_elements=[_positions.key, _positions.owner], set_=values)
        )
        await self._forget_the_oldest(connection, key)

    async def _forget_the_oldest(self, connection: AsyncConnection, key: Key) -> None:
        newest_first = select(_positions.owner).where(_positions.key == key).order_by(_positions.at_ms.desc())
        too_many = newest_first.offset(self._max_owners)
        await connection.execute(delete(schema.positions).where(_positions.key == key, _positions.owner.in_(too_many)))


class PositionSweep(GoneSweep):
    """Drops the positions in files that are gone, and were removed by no server."""

    def __init__(self, store: Store, catalogue: Catalogue, *, grace_s: float = GRACE_S) -> None:
        super().__init__(store, catalogue, _positions.key, _positions.at_ms, grace_s=grace_s)


def _of(key: Key, owner: str) -> ColumnElement[bool]:
    return and_(_positions.key == key, _positions.owner == owner)
