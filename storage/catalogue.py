"""The database beside the store: what was learned about stored files, and who is committing which key.

Everything in it can be rebuilt from the store but for the digests taken while bytes arrived. Facts belong to a version
of a file (`Entry.identity`), so a file edited behind our back simply has none.
"""

import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from anyio import CancelScope
from sqlalchemy import Select, Table, delete, exists, literal, select, union, update
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage import schema
from storage.about import copy_learned, delete_about
from storage.change import NewChange, add_change
from storage.claims import concerns
from storage.errors import NoSpace, StoreUnavailable
from storage.facts import FACTS, FACTS_AMONG, FACTS_BETWEEN
from storage.keys import Key
from storage.model import Entry, Json
from storage.moves import Move, begin_move, end_move, move_under, record_move, take_back
from storage.other_writers import OtherWriters
from storage.signals import Signal

CLAIM_LEASE_S = 60  # a commit takes milliseconds; after a minute its process is taken for dead


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one version of a file beyond what the store itself says.

    `sha256` was taken while the bytes arrived, `learned_sha256` from the stored file.
    """

    sha256: bytes | None = None
    media_type: str | None = None
    learned_sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to commit one key; with the etag and digest the file will have, where they are known beforehand.

    A key that ends in `/` means the folder and all that is in it.
    """

    key: Key
    token: str
    etag: str | None = None
    sha256: bytes | None = None

    @property
    def is_removal(self) -> bool:
        """Whether no file is to come under it."""
        return self.etag is None and self.sha256 is None


_learned = schema.learned_digests.c
_NOTHING = Facts()


class Catalogue:
    """SQLite in a file, or in memory when `path` is None."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._durable = schema.writing_engine(path, is_durable=True)
        self._derived = self._durable if path is None else schema.writing_engine(path, is_durable=False)
        self._reading = self._durable if path is None else schema.reading_engine(path)
        self._others = None if path is None else OtherWriters(path)
        self.changed = Signal()

    async def start(self) -> None:
        """Bring the schema up to date. Raises StoreUnavailable."""
        async with _explained():
            if self._path is None:
                async with self._durable.begin() as connection:
                    await connection.run_sync(schema.metadata.create_all)
            else:
                from storage.migrations import upgrade  # Alembic takes 0.2 s to load; only a start needs it

                await anyio.to_thread.run_sync(upgrade, self._path)

    async def close(self) -> None:
        """Close all connections."""
        for engine in {self._durable, self._derived, self._reading}:
            await engine.dispose()
        if self._others is not None:
            self._others.close()

    async def facts(self, entry: Entry) -> Facts:
        """What is known of this version of this file.

        A version whose commit is under way is known by its claim: so its etag is the same before and after. One
        statement, hence one snapshot: a commit cannot end between the looks.
        """
        version = {"key": entry.key, "identity": entry.identity, "etag": entry.etag}
        async with self.reading() as connection:
            sha256, media_type, learned = (await connection.execute(FACTS, version)).one()
        return Facts(sha256, media_type, learned)

    async def facts_of(self, entries: Iterable[Entry], *, are_neighbours: bool = True) -> dict[tuple[Key, str], Facts]:
        """What is known of these files, by key and identity; claims aside.

        Of neighbours a stretch of the tables tells sooner than a look at each. Between others may lie a million more:
        each is looked for then, and they have to be some hundreds at most.
        """
        keys = sorted((entry.key for entry in entries), key=schema.as_bytes)
        facts: dict[tuple[Key, str], Facts] = {}
        async with self.reading() as connection:
            rows = await connection.execute(
                FACTS_BETWEEN if are_neighbours else FACTS_AMONG,
                {"first": keys[0], "last": keys[-1]} if are_neighbours else {"keys": keys},
            )
            for key, identity, sha256, media_type, learned in rows:
                known = facts.get((Key(key), identity), _NOTHING)
                facts[Key(key), identity] = Facts(
                    known.sha256 or sha256, known.media_type or media_type, known.learned_sha256 or learned
                )
        return facts

    async def claim(self, *claims: Claim, move: Move | None = None, now_ms: int | None = None) -> bool:
        """Take the right to write all of these keys, unless one of them is taken. `now_ms` overrides the clock (Unix).

        Whoever comes again with the same token is the same writer. A dead one's claim has to be ended first. A `move`
        is recorded with its claims.
        """
        with suppress(_Taken):
            async with self.keeping() as connection:
                for claim in claims:
                    if not await take_claim(connection, claim, now_ms=now_ms):
                        raise _Taken
                if move is not None:
                    await begin_move(connection, move)
            return True
        return False

    async def release(self, claim: Claim, committed: Entry | None, *, is_new: bool | None = None) -> None:
        """End a claim and record, in the same transaction, the digest of what was committed under it, and the change.

        The upload whose id is the claim's token is complete then. Where it is not known whether the key is new, a file
        of which something is known was there before. Nothing happens where the claim has been ended.
        """
        async with self.keeping() as connection:
            if not await _ended(connection, claim) or committed is None:
                return
            was_new = is_new
            if was_new is None:
                known = select(schema.digests.c.key).where(schema.digests.c.key == claim.key)
                was_new = (await connection.execute(known)).first() is None
            if claim.sha256 is not None:  # of a copy it may not be known
                row: dict[str, str | bytes | None] = {"identity": committed.identity, "sha256": claim.sha256}
                await connection.execute(_upsert(schema.digests, committed.key, row))
            done = {"length": committed.size, "sha256": claim.sha256, "is_new": is_new, "touched_ms": _now_ms()}
            mine_too = schema.uploads.c.upload_id == claim.token
            await connection.execute(update(schema.uploads).where(mine_too).values(done))
            await add_change(connection, _committed(claim, committed, is_new=was_new))

    async def release_removed(self, claim: Claim) -> None:
        """End the claim to a key whose file is gone: with it goes what was said about it."""
        async with self.keeping() as connection:
            if await _ended(connection, claim):
                await delete_about(connection, claim.key)
                await add_change(connection, NewChange("deleted", claim.key, {}))

    async def release_moved(self, source: Claim, target: Claim, arrived: Entry | None) -> None:
        """End the claims of a move that is done, and let all that is known of it follow; `arrived` as the file is now.

        Nothing happens where the claims have been ended.
        """
        async with self.keeping() as connection:
            move = await move_under(connection, target.token)
            await end_move(connection, target.token)
            if await _ended(connection, source) and await _ended(connection, target) and move is not None:
                await record_move(connection, move, arrived, etag=target.etag, sha256=target.sha256)

    async def give_up(self, *claims: Claim) -> None:
        """End claims under which nothing was done."""
        async with self.keeping() as connection:
            for claim in claims:
                await take_back(connection, claim.token)
                await _ended(connection, claim)

    async def foretell(self, move: Move) -> None:
        """Let what is known of a folder's files be known under its new name before it has it: no etag changes between.

        Nobody else writes there, and it holds nothing.
        """
        async with self.keeping() as connection:
            await copy_learned(connection, move.old, move.new)

    async def move_of(self, claim: Claim) -> Move | None:
        """The move that a claim was taken for."""
        async with self.reading() as connection:
            return await move_under(connection, claim.token)

    async def claims(self) -> tuple[Claim, ...]:
        """All claims, also those of the dead."""
        return await self._claims(select(schema.claims))

    async def expired_claims(self, key: Key | None = None, *, now_ms: int | None = None) -> tuple[Claim, ...]:
        """The claims whose writers are taken for dead; with a key, those that stand in the way of one to it."""
        now_ms = _now_ms() if now_ms is None else now_ms
        expired = select(schema.claims).where(schema.claims.c.expires_at_ms < now_ms)
        return await self._claims(expired if key is None else expired.where(concerns(key)))

    async def _claims(self, statement: Select[*tuple[Any, ...]]) -> tuple[Claim, ...]:
        async with self.reading() as connection:
            rows = await connection.execute(statement)
            return tuple(Claim(row.key, row.token, row.etag, row.sha256) for row in rows)

    async def learn_media_type(self, entry: Entry, media_type: str) -> None:
        """Record what a look at the bytes found: it can be found again, so it is not worth waiting for the medium."""
        row = {"identity": entry.identity, "media_type": media_type}
        async with self.changing() as connection:
            await connection.execute(_upsert(schema.media_types, entry.key, row))

    async def learn_digest(self, entry: Entry, sha256: bytes) -> bool:
        """Record the digest that a stored file turned out to have; whether nobody was just writing or removing it.

        A digest recorded while a removal is under way would outlive the file.
        """
        claimed = schema.claims.c.key == entry.key, schema.claims.c.expires_at_ms >= time.time_ns() // 1_000_000
        async with self.changing() as connection:
            if (await connection.execute(select(schema.claims.c.key).where(*claimed))).first() is not None:
                return False
            row: dict[str, str | bytes | None] = {"identity": entry.identity, "sha256": sha256}
            await connection.execute(_upsert(schema.learned_digests, entry.key, row))
            return True

    async def unlearn_digest(self, entry: Entry) -> None:
        """Take back what was learned of a version."""
        async with self.changing() as connection:
            mine = _learned.key == entry.key, _learned.identity == entry.identity
            await connection.execute(delete(schema.learned_digests).where(*mine))

    async def keys_with_digests(self, first: str, *, limit: int) -> tuple[Key, ...]:
        """The keys from `first` on of which some version's digest is known, in the order of their bytes."""
        pages = (select(table.key).where(table.key >= first) for table in (schema.digests.c, _learned))
        async with self.reading() as connection:
            rows = await connection.execute(union(*pages).order_by("key").limit(limit))
            return tuple(map(Key, rows.scalars()))

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for a short look. Raises StoreUnavailable."""
        return _transaction(self._reading)

    def keeping(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A short transaction that a power cut does not undo. Raises StoreUnavailable."""
        return self._writing(self._durable)

    def changing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A short transaction on what can be found out again: a power cut may lose it. Raises StoreUnavailable."""
        return self._writing(self._derived)

    def version(self) -> int:
        """Another number after each write that was not told by `changed`, or was; 0 where nobody else can write.

        Raises StoreUnavailable.
        """
        return 0 if self._others is None else self._others.version()

    @asynccontextmanager
    async def _writing(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with _transaction(engine) as connection:
            yield connection
        self.changed.set()

    @property
    def is_kept(self) -> bool:
        """Whether what is recorded outlives the process."""
        return self._path is not None

    async def free_upkeep(self) -> None:
        """End the lease of whoever did the upkeep: nobody else is there any more."""
        async with self.changing() as connection:
            await connection.execute(update(schema.upkeep).values(expires_at_ms=0))

    async def forget(self, key: Key) -> None:
        """Drop what is known of a key."""
        async with self.keeping() as connection:
            for table in (schema.digests, schema.learned_digests, schema.wanted_digests, schema.media_types):
                await connection.execute(delete(table).where(table.c.key == key))


class _Taken(Exception):
    """A key is claimed by another: nothing of the transaction is kept."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def take_claim(connection: AsyncConnection, claim: Claim, *, now_ms: int | None = None) -> bool:
    """Take a key unless another has it, or a folder above it, or anything in it; see `Catalogue.claim`."""
    claims = schema.claims.c
    expires_at_ms = (_now_ms() if now_ms is None else now_ms) + CLAIM_LEASE_S * 1000
    row = {"token": claim.token, "expires_at_ms": expires_at_ms, "etag": claim.etag, "sha256": claim.sha256}
    columns = [claims.key, *(claims[name] for name in row)]
    wanted = zip(columns, (claim.key, *row.values()), strict=True)
    is_taken = exists().where(concerns(claim.key), claims.token != claim.token)
    taken = select(*(literal(value, column.type) for column, value in wanted)).where(~is_taken)
    statement = insert(schema.claims).from_select([column.name for column in columns], taken)
    statement = statement.on_conflict_do_update(index_elements=[claims.key], set_=row)
    return (await connection.execute(statement)).rowcount == 1


async def _ended(connection: AsyncConnection, claim: Claim) -> bool:
    mine = schema.claims.c.key == claim.key, schema.claims.c.token == claim.token
    return (await connection.execute(delete(schema.claims).where(*mine))).rowcount > 0


def _committed(claim: Claim, entry: Entry, *, is_new: bool) -> NewChange:
    sha256 = None if claim.sha256 is None else claim.sha256.hex()
    content: dict[str, Json] = {"size": entry.size, "etag": f'"{sha256 or entry.etag}"', "sha256": sha256}
    return NewChange("created" if is_new else "replaced", entry.key, content, identity=entry.identity)


def _upsert(table: Table, key: Key, row: Mapping[str, str | bytes | None]) -> Insert:
    return insert(table).values(key=key, **row).on_conflict_do_update(index_elements=[table.c.key], set_=dict(row))


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    # A statement that is cancelled costs its connection, and with it a database in memory; all of ours are short.
    with CancelScope(shield=True):
        async with _explained(), engine.begin() as connection:
            yield connection


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise NoSpace("the catalogue has no room") from error
        raise StoreUnavailable("the catalogue does not answer") from error
