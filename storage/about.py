"""What is kept about a file goes with it, in the transaction that records where it went."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.keys import Key

_TABLES = (schema.comments, schema.positions)
"""Each names the file by its column `key`."""

_AFTER_SLASH = chr(ord("/") + 1)


async def delete_about(connection: AsyncConnection, key: Key) -> None:
    """Drop what was said about a file, and where anyone was in it, in the transaction that records its removal."""
    for table in _TABLES:
        await connection.execute(delete(table).where(table.c.key == key))


async def move_about(connection: AsyncConnection, old: Key, new: Key) -> None:
    """Let all that is kept about a file, or about all files in a folder, follow it.

    What was kept about a file that it replaces there goes: that was another one.
    """
    for table in _TABLES:
        column = table.c.key
        within = column.between(old, old[:-1] + _AFTER_SLASH) if old.endswith("/") else column == old
        for key in (await connection.execute(select(column).where(within).distinct())).scalars().all():
            moved = new + key.removeprefix(old)
            await connection.execute(delete(table).where(column == moved))
            await connection.execute(update(table).where(column == key).values(key=moved))
