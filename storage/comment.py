"""One comment on a file, and what becomes of a file's comments within the transaction that removes or moves it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.keys import Key
from storage.model import Json

_key = schema.comments.c.key
_AFTER_SLASH = chr(ord("/") + 1)


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment that nobody has kept yet. `author` is empty for nobody in particular.

    It is about a moment (`media_time_s`), about a byte (`byte_offset`), or about the whole file.
    """

    text: str
    author: str = ""
    media_time_s: float | None = None
    byte_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its number, which grows from one to the next, and its time (Unix, ms)."""

    id: int
    key: Key
    at_ms: int
    author: str
    text: str
    media_time_s: float | None
    byte_offset: int | None

    def told(self) -> dict[str, Json]:
        """The comment as clients see it, in lists and in the feed alike: its time in UTC (RFC 3339)."""
        time = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "id": self.id,
            "key": self.key,
            "time": time.replace("+00:00", "Z"),
            "author": self.author or None,
            "text": self.text,
            "media_time": self.media_time_s,
            "byte_offset": self.byte_offset,
        }


async def delete_comments(connection: AsyncConnection, key: Key) -> None:
    """Drop all that was said about a file, in the transaction that records its removal."""
    await connection.execute(delete(schema.comments).where(_key == key))


async def move_comments(connection: AsyncConnection, old: Key, new: Key) -> None:
    """Let the comments of a file, or of all files in a folder, follow it in the transaction that records the move.

    Those of a file that it replaces there go: they were about another one.
    """
    is_folder = old.endswith("/")
    within = _key.between(old, old[:-1] + _AFTER_SLASH) if is_folder else _key == old
    for key in (await connection.execute(select(_key).where(within).distinct())).scalars().all():
        moved = Key(new + key.removeprefix(old))
        await delete_comments(connection, moved)
        await connection.execute(update(schema.comments).where(_key == key).values(key=moved))
