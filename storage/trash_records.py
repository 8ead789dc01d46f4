"""What the catalogue says of things on their way into the trash or out of it: claims, facts, and the feed.

A claim's token tells of which removal it is, and which number in it: `trash/{id}/{number}` on the way in,
`restore/{id}/{number}` on the way out. What is known of a file goes with it, under the key that it has in the trash, so
that a new file of the old name has a name of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import bindparam, delete, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.about import Renamed, delete_all_about, move_all_about
from storage.catalogue import Claim
from storage.change import NewChange, add_change
from storage.keys import Key
from storage.model import Entry, Json, Listed
from storage.removal import Place, all_trashed

REMOVING = "trash/"
RESTORING = "restore/"
T = TypeVar("T")

_AT_ONCE = 200  # things
_FACTS_AHEAD = "ahead"  # for an etag, which a folder has none of
_SAID = (schema.comments, schema.positions)
_LEARNED = (schema.digests, schema.learned_digests, schema.media_types)


@dataclass(frozen=True, slots=True)
class MovedFile:
    """A file that has another key now, and so another identity."""

    old: Key
    new: Key
    renamed: Renamed


def removing(removal_id: str, number: int, place: Place) -> Claim:
    """The claim under which something is removed."""
    return Claim(Key(place), f"{REMOVING}{removal_id}/{number}")


def restoring(removal_id: str, number: int, place: Place, kept: Listed, digests: Mapping[Key, bytes | None]) -> Claim:
    """The claim under which something comes back: until the facts are there, a file's digest is known by it."""
    token = f"{RESTORING}{removal_id}/{number}"
    if isinstance(kept, Entry):
        return Claim(Key(place), token, kept.etag, digests.get(kept.key))
    return Claim(Key(place), token)


def removal_of(claim: Claim) -> str:
    """The removal that a claim is about."""
    return claim.token.split("/")[1]


def number_of(claim: Claim) -> int:
    """The number in it."""
    return int(claim.token.split("/")[2])


def is_restoring(claim: Claim) -> bool:
    """Whether something is on its way out of the trash."""
    return claim.token.startswith(RESTORING)


async def claims_about(connection: AsyncConnection, removal_id: str) -> tuple[Claim, ...]:
    """All that is claimed for a removal."""
    claims = schema.claims.c
    tokens = (claims.token.startswith(f"{way}{removal_id}/", autoescape=True) for way in (REMOVING, RESTORING))
    rows = [row for mine in tokens for row in await connection.execute(select(schema.claims).where(mine))]
    return tuple(Claim(Key(row.key), row.token, row.etag, row.sha256) for row in rows)


async def end_claims(connection: AsyncConnection, claims: Sequence[Claim]) -> None:
    """End them, in the transaction that records what came of them."""
    if claims:
        mine = schema.claims.c.key == bindparam("its_key"), schema.claims.c.token == bindparam("its_token")
        rows = [{"its_key": claim.key, "its_token": claim.token} for claim in claims]
        await connection.execute(delete(schema.claims).where(*mine), rows)


async def move_files(connection: AsyncConnection, files: Sequence[MovedFile]) -> None:
    """Let all that is known of these files follow them, as `move_all_about` does for one: some statements for all."""
    if not files:
        return
    old, new = bindparam("old", type_=schema.KeyBytes), bindparam("new", type_=schema.KeyBytes)
    rows = [
        {"old": file.old, "new": file.new, "before": file.renamed.before, "after": file.renamed.after} for file in files
    ]
    for table in (*_SAID, *_LEARNED):
        await connection.execute(delete(table).where(table.c.key == new), rows)
    for table in _LEARNED:
        its = update(table).where(table.c.key == old, table.c.identity == bindparam("before"))
        await connection.execute(its.values(key=new, identity=bindparam("after")), rows)
    for table in _SAID:
        await connection.execute(update(table).where(table.c.key == old).values(key=new), rows)
    for table in (*_LEARNED, schema.wanted_digests):
        await connection.execute(delete(table).where(table.c.key == old), rows)


async def move_folder(connection: AsyncConnection, old: str, new: str) -> None:
    """Let all that is known of the files in a folder follow them; what was known under the other name was of others."""
    await delete_all_about(connection, new)
    await move_all_about(connection, old, new)


async def mark_facts_ahead(connection: AsyncConnection, claim: Claim) -> None:
    """Record that the facts of a folder are in its place before it is, in the transaction that brings them there."""
    mine = schema.claims.c.key == claim.key, schema.claims.c.token == claim.token
    await connection.execute(update(schema.claims).where(*mine).values(etag=_FACTS_AHEAD))


def has_facts_ahead(claim: Claim) -> bool:
    """Whether the claim to a folder's place says so."""
    return claim.etag == _FACTS_AHEAD


async def tell_removed(connection: AsyncConnection, places: Sequence[Place]) -> None:
    """Tell that these are there no more: of a folder it is said once."""
    for place in places:
        await add_change(connection, NewChange("deleted", Key(place), {}))


async def tell_restored(connection: AsyncConnection, claim: Claim, size: int | None, identity: str | None) -> None:
    """Tell that a file is there that was claimed, or (without a size) a folder with all that is in it."""
    content: dict[str, Json] = {}
    if size is not None:
        sha256 = None if claim.sha256 is None else claim.sha256.hex()
        content = {"size": size, "etag": f'"{sha256 or claim.etag}"', "sha256": sha256}
    await add_change(connection, NewChange("created", claim.key, content, identity=identity))


async def identity_of(connection: AsyncConnection, key: Key, etag: str) -> str:
    """The identity that a file with this etag had when something was learned of it; empty where nothing was."""
    found = union(*(select(table.c.identity).where(table.c.key == key) for table in _LEARNED))
    identities = (await connection.execute(found)).scalars().all()
    return next((each for each in identities if each.startswith(etag)), "")


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as one transaction records: commits wait for it."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


async def forget_removal(connection: AsyncConnection, removal_id: str) -> None:
    """Drop all that is known of what was removed at once."""
    await delete_all_about(connection, all_trashed(removal_id))
