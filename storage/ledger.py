"""What the processes that share a catalogue tell one another about its upkeep: who does it, and how far it came.

One process has the lease. It renews it while it lives; a dead one's ends by itself.
"""

import time
from collections.abc import Sequence

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from storage import schema
from storage.catalogue import Catalogue
from storage.keys import Key

_ROW = 1  # the table has no other
_ENDED = 0
_upkeep = schema.upkeep.c


class Ledger:
    """The upkeep's part of a catalogue, as the process with this token writes it."""

    def __init__(self, catalogue: Catalogue, token: str) -> None:
        self._catalogue = catalogue
        self._token = token

    async def lease(self, lease_s: float, *, now_ms: int | None = None) -> bool:
        """Take the lease, or renew it, unless another living process has it. `now_ms` overrides the clock."""
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        row = {"token": self._token, "expires_at_ms": now_ms + int(lease_s * 1000)}
        statement = insert(schema.upkeep).values(id=_ROW, scrubbed="", **row)
        free = or_(_upkeep.expires_at_ms < now_ms, _upkeep.token == self._token)
        statement = statement.on_conflict_do_update(index_elements=[_upkeep.id], set_=row, where=free)
        async with self._catalogue.changing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def end_lease(self) -> None:
        """Let another process have it at once."""
        await self._amend(expires_at_ms=_ENDED)

    async def scrubbed(self) -> Key:
        """The key up to which the present scrub has come; empty at its beginning."""
        async with self._catalogue.reading() as connection:
            return Key((await connection.execute(select(_upkeep.scrubbed))).scalar() or "")

    async def scrub_from(self, key: Key) -> None:
        """Record how far the scrub has come."""
        await self._amend(scrubbed=key)

    async def want(self, keys: Sequence[Key]) -> None:
        """Ask whoever has the lease for the digests of these files."""
        rows = [{"key": key} for key in keys]
        async with self._catalogue.changing() as connection:
            await connection.execute(insert(schema.wanted_digests).on_conflict_do_nothing(), rows)

    async def take_wanted(self, limit: int) -> tuple[Key, ...]:
        """Some keys that other processes want, which are wanted no more then."""
        wanted = schema.wanted_digests.c.key
        async with self._catalogue.reading() as connection:
            keys = tuple(map(Key, (await connection.execute(select(wanted).limit(limit))).scalars()))
        if keys:
            async with self._catalogue.changing() as connection:
                await connection.execute(delete(schema.wanted_digests).where(wanted.in_(keys)))
        return keys

    async def _amend(self, **values: str | int) -> None:
        async with self._catalogue.changing() as connection:
            mine = update(schema.upkeep).where(_upkeep.token == self._token)
            await connection.execute(mine.values(values))
