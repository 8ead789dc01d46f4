"""What is kept about a file goes with it, in the transaction that records where it went.

What people said of a file, and where they are in it, belongs to the key. What was learned from its bytes belongs to one
version of it (`Entry.identity`), and is never true of another.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, cast, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema

SAID = (schema.comments, schema.positions)
LEARNED = (schema.digests, schema.learned_digests, schema.media_types)
"""Each table names the file by its column `key`, and those of what was learned have one row for it."""

_AFTER_SLASH = chr(ord("/") + 1)


@dataclass(frozen=True, slots=True)
class Renamed:
    """The identities of one version before and after it was given another name, which may change them."""

    before: str
    after: str


async def delete_about(connection: AsyncConnection, key: str) -> None:
    """Drop what was said about a file, and where anyone was in it, in the transaction that records its removal.

    A key that ends in `/` means all files in that folder, here and below.
    """
    await _delete(connection, SAID, key)


async def delete_all_about(connection: AsyncConnection, key: str) -> None:
    """Drop what was said about a file, or all files in a folder, and what was learned from their bytes."""
    await _delete(connection, (*SAID, *LEARNED, schema.wanted_digests), key)


async def move_about(connection: AsyncConnection, old: str, new: str) -> None:
    """Let all that was said about a file, or about all files in a folder, follow it.

    What was kept about a file that it replaces there goes: that was another one.
    """
    for table in SAID:
        await _move(connection, table, old, new)


async def move_all_about(connection: AsyncConnection, old: str, new: str, *, renamed: Renamed | None = None) -> None:
    """Let what was learned from the bytes of a file, or of all files in a folder, follow it too.

    `renamed` is for a single file, whose identity a rename changes: what is known of any other version of it goes. In a
    folder that has another name all files are the versions that they were.
    """
    for table in LEARNED:
        if renamed is not None:
            others = is_about(table, old), table.c.identity != renamed.before
            await connection.execute(delete(table).where(*others))
            its = update(table).where(is_about(table, old)).values(identity=renamed.after)
            await connection.execute(its)
        await _move(connection, table, old, new)
    await _delete(connection, (schema.wanted_digests,), old)  # asked for again by whoever still wants one
    await move_about(connection, old, new)


def is_about(table: Table, key: str) -> ColumnElement[bool]:
    """Whether a row is about a file, or about any in a folder where the key ends in `/`."""
    column = table.c.key
    if not key.endswith("/"):
        return column == key
    return and_(column >= key, column < key[:-1] + _AFTER_SLASH)


async def copy_learned(connection: AsyncConnection, old: str, new: str) -> None:
    """Let what was learned from the files of a folder be known under another name of it too."""
    for table in LEARNED:
        others = (each for each in table.c if each.name != "key")
        moved = select(_moved(table, old, new), *others).where(is_about(table, old))
        rows = insert(table).prefix_with("OR REPLACE").from_select([each.name for each in table.c], moved)
        await connection.execute(rows)


async def drop_copies(connection: AsyncConnection, old: str, new: str) -> None:
    """Take back what `copy_learned` did."""
    for table in LEARNED:
        copies = select(_moved(table, old, new), table.c.identity).where(is_about(table, old))
        row = tuple_(table.c.key, table.c.identity)
        await connection.execute(delete(table).where(is_about(table, new), row.in_(copies)))


async def _delete(connection: AsyncConnection, tables: tuple[Table, ...], key: str) -> None:
    for table in tables:
        await connection.execute(delete(table).where(is_about(table, key)))


async def _move(connection: AsyncConnection, table: Table, old: str, new: str) -> None:
    """One statement for all rows: a folder may hold a million files."""
    key, moved = table.c.key, _moved(table, old, new)
    replaced = select(moved).where(is_about(table, old))
    await connection.execute(delete(table).where(is_about(table, new), key.in_(replaced)))
    await connection.execute(update(table).where(is_about(table, old)).values(key=moved))


def _moved(table: Table, old: str, new: str) -> ColumnElement[str]:
    """The other key of what is below `old`: names are bytes here, which need not be text."""
    below = func.substr(table.c.key, len(schema.as_bytes(old)) + 1)
    return cast(literal(new, schema.KeyBytes).op("||")(below), schema.KeyBytes)
