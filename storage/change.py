"""One numbered row of the feed, and how it comes about: within the transaction that it tells of."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.about import move_about
from storage.keys import Key
from storage.model import Json

ChangeKind: TypeAlias = Literal["created", "replaced", "deleted", "moved", "upload", "job", "comment"]

PROGRESS: tuple[ChangeKind, ...] = ("upload", "job")
"""Kinds of which a later row says all that an earlier one did."""


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change that has no number yet.

    `content` is what clients are told beside the key. `subject` is the id of the draft, upload or job that it is about,
    which nobody is told: it would let anyone act on it. `identity` is that of the file's version, where there is one.
    """

    kind: ChangeKind
    key: Key | None
    content: Mapping[str, Json]
    subject: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to the library, with its number and its time (Unix, ms)."""

    id: int
    at_ms: int
    kind: ChangeKind
    key: Key | None
    content: Mapping[str, Json]


async def add_change(connection: AsyncConnection, change: NewChange) -> None:
    """Add a row to the feed, in the transaction of this connection. What was said about a file moves with it."""
    if change.kind == "moved" and change.key is not None:
        await move_about(connection, Key(str(change.content["from"])), change.key)
    origin = change.content.get("from") if change.kind == "moved" else None
    values = {
        "at_ms": time.time_ns() // 1_000_000,
        "kind": change.kind,
        "key": change.key,
        "subject": change.subject if origin is None else origin_mark(str(origin)),
        "identity": change.identity,
        "content": json.dumps(change.content, separators=(",", ":")),
    }
    await connection.execute(insert(schema.changes), values)


def origin_mark(key: str) -> str:
    """What a row that tells of a move has as its subject: the key before, by which it can be looked up.

    >>> origin_mark("a")
    '61'
    """
    return schema.as_bytes(key).hex()


def public_name(secret_id: str) -> str:
    """What everybody may know an upload or a job by, whose id is all that its owner has to show.

    >>> public_name("id")
    'a56145270ce6b3be'
    """
    return hashlib.sha256(secret_id.encode()).hexdigest()[:16]
