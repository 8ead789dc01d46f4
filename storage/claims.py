"""Which claims stand in one another's way: those to the same key, to a folder above it, to anything in a folder.

So a folder that is moved or removed as a whole waits for the commits that are under way in it, and those that come
later wait for it.
"""

import time
from itertools import accumulate

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.about import is_about

_claims = schema.claims.c


def concerns(key: str) -> ColumnElement[bool]:
    """Whether a claim is to a key (or, where it ends in `/`, to anything in that folder), or to a folder above it."""
    return or_(is_about(schema.claims, key), _claims.key.in_(folders_above(key)))


def folders_above(key: str) -> tuple[str, ...]:
    """The folders that a key lies in, the root aside.

    >>> folders_above("a/b/c"), folders_above("a/b/"), folders_above("a")
    (('a/', 'a/b/'), ('a/',), ())
    """
    names = key.rstrip("/").split("/")[:-1]
    return tuple(accumulate(f"{name}/" for name in names))


async def is_claimed(connection: AsyncConnection, key: str) -> bool:
    """Whether somebody alive has claimed a key, or a folder above it."""
    alive = concerns(key), _claims.expires_at_ms >= time.time_ns() // 1_000_000
    return (await connection.execute(select(_claims.key).where(*alive))).first() is not None
