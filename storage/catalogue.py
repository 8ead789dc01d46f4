"""The database beside the store: what was learned about stored files, and who is committing which key.

Everything in it can be rebuilt from the store but for the digests taken while bytes arrived. Facts belong to a version
of a file (`Entry.identity`), so a file edited behind our back simply has none.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import anyio.to_thread
from anyio import CancelScope
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage import schema
from storage.errors import StoreUnavailable, TooManyUploads
from storage.keys import Key
from storage.model import Entry, Upload

CLAIM_LEASE_S = 60  # a commit takes milliseconds; after a minute its process is taken for dead


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one version of a file beyond what the store itself says."""

    sha256: bytes | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to commit one key; with the etag and digest the file will have, where they are known beforehand."""

    key: Key
    token: str
    etag: str | None = None
    sha256: bytes | None = None


def _facts_statement() -> Select[bytes | None, str | None]:
    digests, media_types, claims = schema.digests.c, schema.media_types.c, schema.claims.c
    key, identity = bindparam("key", type_=schema.KeyBytes), bindparam("identity", type_=Text)
    committed = select(digests.sha256).where(digests.key == key, digests.identity == identity)
    coming = select(claims.sha256).where(claims.key == key, claims.etag == bindparam("etag"))
    seen = select(media_types.media_type).where(media_types.key == key, media_types.identity == identity)
    return select(func.coalesce(committed.scalar_subquery(), coming.scalar_subquery()), seen.scalar_subquery())


def _facts_between_statement() -> CompoundSelect[str, str, bytes | None, str | None]:
    digests, media_types = schema.digests.c, schema.media_types.c
    ends = bindparam("first", type_=schema.KeyBytes), bindparam("last", type_=schema.KeyBytes)
    committed = select(digests.key, digests.identity, digests.sha256, null().label("media_type"))
    seen = select(media_types.key, media_types.identity, null(), media_types.media_type)
    return union_all(committed.where(digests.key.between(*ends)), seen.where(media_types.key.between(*ends)))


# To put a statement together takes as long as to run it.
_uploads = schema.uploads.c
_FACTS = _facts_statement()
_FACTS_BETWEEN = _facts_between_statement()


class Catalogue:
    """SQLite in a file, or in memory when `path` is None."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._durable = schema.writing_engine(path, is_durable=True)
        self._derived = self._durable if path is None else schema.writing_engine(path, is_durable=False)
        self._reading = self._durable if path is None else schema.reading_engine(path)

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

    async def facts(self, entry: Entry) -> Facts:
        """What is known of this version of this file.

        A version whose commit is under way is known by its claim: so its etag is the same before and after. One
        statement, hence one snapshot: a commit cannot end between the looks.
        """
        version = {"key": entry.key, "identity": entry.identity, "etag": entry.etag}
        async with _transaction(self._reading) as connection:
            sha256, media_type = (await connection.execute(_FACTS, version)).one()
        return Facts(sha256, media_type)

    async def facts_between(self, first: Key, last: Key) -> dict[tuple[Key, str], Facts]:
        """What is known of the files from key `first` to `last`, by key and identity."""
        sha256: dict[tuple[Key, str], bytes | None] = {}
        media_types: dict[tuple[Key, str], str | None] = {}
        async with _transaction(self._reading) as connection:
            rows = await connection.execute(_FACTS_BETWEEN, {"first": first, "last": last})
            for key, identity, digest, media_type in rows:
                if digest is None:
                    media_types[Key(key), identity] = media_type
                else:
                    sha256[Key(key), identity] = digest
        return {version: Facts(sha256.get(version), media_types.get(version)) for version in sha256 | media_types}

    async def claim(self, claim: Claim, *, now_ms: int | None = None) -> bool:
        """Take the right to commit a key, unless a living writer has it. `now_ms` overrides the clock (Unix time).

        Whoever comes again with the same token is the same writer.
        """
        now_ms = _now_ms() if now_ms is None else now_ms
        row = {
            "token": claim.token,
            "expires_at_ms": now_ms + CLAIM_LEASE_S * 1000,
            "etag": claim.etag,
            "sha256": claim.sha256,
        }
        statement = insert(schema.claims).values(key=claim.key, **row)
        statement = statement.on_conflict_do_update(
            index_elements=[schema.claims.c.key],
            set_=row,
            where=or_(schema.claims.c.expires_at_ms < now_ms, schema.claims.c.token == claim.token),
        )
        async with _transaction(self._durable) as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def release(self, claim: Claim, committed: Entry | None, *, is_new: bool = True) -> None:
        """End a claim and record, in the same transaction, the digest of what was committed under it.

        The upload whose id is the claim's token is complete then.
        """
        async with _transaction(self._durable) as connection:
            if committed is not None:
                row = {"identity": committed.identity, "sha256": claim.sha256}
                await connection.execute(_upsert(schema.digests, committed.key, row))
                done = {"length": committed.size, "sha256": claim.sha256, "is_new": is_new, "touched_ms": _now_ms()}
                await connection.execute(update(schema.uploads).where(_uploads.upload_id == claim.token).values(done))
            mine = schema.claims.c.key == claim.key, schema.claims.c.token == claim.token
            await connection.execute(delete(schema.claims).where(*mine))

    async def claims(self) -> tuple[Claim, ...]:
        """All claims, also those of the dead."""
        async with _transaction(self._reading) as connection:
            rows = await connection.execute(select(schema.claims))
            return tuple(Claim(row.key, row.token, row.etag, row.sha256) for row in rows)

    async def add_upload(self, upload: Upload, *, max_uploads: int) -> None:
        """Keep an upload. Raises TooManyUploads when its owner has `max_uploads` that are not complete."""
        unfinished = select(func.count()).where(_uploads.owner == upload.owner, _uploads.sha256.is_(None))
        async with _transaction(self._durable) as connection:
            if (await connection.execute(unfinished)).scalar_one() >= max_uploads:
                raise TooManyUploads(max_uploads)
            await connection.execute(insert(schema.uploads).values(asdict(upload)))

    async def upload(self, upload_id: str) -> Upload | None:
        """The upload of this id."""
        return next(iter(await self._selected(_uploads.upload_id == upload_id)), None)

    async def unfinished_uploads(self) -> tuple[Upload, ...]:
        """All uploads that are not complete."""
        return await self._selected(_uploads.sha256.is_(None))

    async def drop_complete_uploads(self, *, before_ms: int) -> None:
        """Forget the uploads that were complete before a time."""
        old = delete(schema.uploads).where(_uploads.sha256.is_not(None), _uploads.touched_ms < before_ms)
        async with _transaction(self._derived) as connection:
            await connection.execute(old)

    async def amend_upload(self, upload_id: str, **values: str | int | bytes | bool | None) -> None:
        """Change what is kept of an upload, by names of `Upload`."""
        async with _transaction(self._durable) as connection:
            await connection.execute(update(schema.uploads).where(_uploads.upload_id == upload_id).values(values))

    async def drop_upload(self, upload_id: str) -> bool:
        """Forget an upload; whether there was one."""
        async with _transaction(self._durable) as connection:
            dropped = await connection.execute(delete(schema.uploads).where(_uploads.upload_id == upload_id))
        return dropped.rowcount == 1

    async def want_upload(self, upload_id: str) -> None:
        """Tell the process that is writing an upload, whichever it is, that another wants it now."""
        async with _transaction(self._derived) as connection:
            wanted = update(schema.uploads).where(_uploads.upload_id == upload_id).values(wanted_ms=_now_ms())
            await connection.execute(wanted)

    async def wanted_uploads(self, *, within_ms: int) -> tuple[str, ...]:
        """The ids of the uploads that were wanted not longer ago than this."""
        wanted = select(_uploads.upload_id).where(_uploads.wanted_ms > _now_ms() - within_ms)
        async with _transaction(self._reading) as connection:
            return tuple((await connection.execute(wanted)).scalars())

    async def _selected(self, condition: ColumnElement[bool]) -> tuple[Upload, ...]:
        columns = [schema.uploads.c[each.name] for each in fields(Upload)]
        async with _transaction(self._reading) as connection:
            rows = await connection.execute(select(*columns).where(condition))
            return tuple(Upload(*row) for row in rows)

    async def learn_media_type(self, entry: Entry, media_type: str) -> None:
        """Record what a look at the bytes found: it can be found again, so it is not worth waiting for the medium."""
        row = {"identity": entry.identity, "media_type": media_type}
        async with _transaction(self._derived) as connection:
            await connection.execute(_upsert(schema.media_types, entry.key, row))

    async def forget(self, key: Key) -> None:
        """Drop what is known of a key."""
        async with _transaction(self._durable) as connection:
            for table in (schema.digests, schema.media_types):
                await connection.execute(delete(table).where(table.c.key == key))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


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
        raise StoreUnavailable("the catalogue does not answer") from error
