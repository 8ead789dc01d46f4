"""How far somebody has come in a file, and what becomes of it in the transaction that removes or moves the file."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.keys import Key
from storage.model import Json

_key = schema.positions.c.key
_AFTER_SLASH = chr(ord("/") + 1)


@dataclass(frozen=True, slots=True)
class NewPosition:
    """A moment to go on from, of a file that may say how long it is (seconds), or that its end was reached."""

    position_s: float
    duration_s: float | None = None
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A position with the time (Unix, ms) when somebody was there; none where nobody has begun."""

    position_s: float = 0.0
    duration_s: float | None = None
    is_finished: bool = False
    at_ms: int | None = None

    def told(self) -> dict[str, Json]:
        """The position as clients see it, its time in UTC (RFC 3339)."""
        return {
            "position": self.position_s,
            "duration": self.duration_s,
            "finished": self.is_finished,
            "updated": None if self.at_ms is None else _rfc3339(self.at_ms),
        }


async def delete_positions(connection: AsyncConnection, key: Key) -> None:
    """Drop where anyone was in a file, in the transaction that records its removal."""
    await connection.execute(delete(schema.positions).where(_key == key))


async def move_positions(connection: AsyncConnection, old: Key, new: Key) -> None:
    """Let the positions in a file, or in all files of a folder, follow it in the transaction that records the move.

    Those in a file that it replaces there go: they were in another one.
    """
    is_folder = old.endswith("/")
    within = _key.between(old, old[:-1] + _AFTER_SLASH) if is_folder else _key == old
    for key in (await connection.execute(select(_key).where(within).distinct())).scalars().all():
        moved = Key(new + key.removeprefix(old))
        await delete_positions(connection, moved)
        await connection.execute(update(schema.positions).where(_key == key).values(key=moved))


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
