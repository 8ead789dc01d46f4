"""The catalogue's tables, and how we open SQLite.

A file's key may hold bytes that are no UTF-8 (PEP 383), which no database takes as text: keys are stored as bytes,
whose order is the code-point order of the keys that are text. Digests, learned digests and media types are rows apart:
only a commit writes the first and only a look at the bytes writes the others, so neither can undo the other.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
)
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

_BUSY_TIMEOUT_MS = 10_000  # for the writer of another process; ours wait for the one connection of their pool
_READERS = 4  # connections, each with its thread


class KeyBytes(TypeDecorator[str]):
    """A key, kept as the bytes of its name."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """To the database."""
        return None if value is None else as_bytes(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """From the database."""
        return None if value is None else bytes(value).decode("utf-8", "surrogateescape")


def as_bytes(key: str) -> bytes:
    """What keys are stored as, and ordered by: names that are no UTF-8 come in another order than their texts do."""
    return key.encode("utf-8", "surrogateescape")


metadata = MetaData()

digests = Table(
    "digests",
    metadata,
    Column("key", KeyBytes, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
)

learned_digests = Table(
    "learned_digests",
    metadata,
    Column("key", KeyBytes, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
)

wanted_digests = Table("wanted_digests", metadata, Column("key", KeyBytes, primary_key=True))

upkeep = Table(
    "upkeep",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token", Text, nullable=False),
    Column("expires_at_ms", Integer, nullable=False),
    Column("scrubbed", KeyBytes, nullable=False),
)

media_types = Table(
    "media_types",
    metadata,
    Column("key", KeyBytes, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("media_type", Text, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("key", KeyBytes, primary_key=True),
    Column("token", Text, nullable=False),
    Column("expires_at_ms", Integer, nullable=False),
    Column("etag", Text),
    Column("sha256", LargeBinary),
)

uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("key", KeyBytes),  # none: it does not become a file of its own
    Column("length", BigInteger),  # none: not yet promised
    Column("is_ending", Boolean, nullable=False),
    Column("terms", Text, nullable=False),
    Column("touched_ms", BigInteger, nullable=False),
    Column("synced", BigInteger, nullable=False),
    Column("boot", Text, nullable=False),
    Column("unverified_from", BigInteger),
    Column("wanted_ns", BigInteger),
    Column("sha256", LargeBinary),  # of what it has become
    Column("is_new", Boolean),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", KeyBytes),
    Column("subject", Text),
    Column("identity", Text),
    Column("content", Text, nullable=False),
    Index("changes_by_key", "key", "id"),
    sqlite_autoincrement=True,
)

feed = Table("feed", metadata, Column("id", Integer, primary_key=True), Column("pruned", BigInteger, nullable=False))

feed_gaps = Table(
    "feed_gaps",
    metadata,
    Column("first", Integer, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

comments = Table(
    "comments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", KeyBytes, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("media_time_s", Float),
    Column("byte_offset", BigInteger),
    Index("comments_by_key", "key", "id"),
    sqlite_autoincrement=True,
)

positions = Table(
    "positions",
    metadata,
    Column("key", KeyBytes, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("position_s", Float, nullable=False),
    Column("duration_s", Float),
    Column("is_finished", Boolean, nullable=False),
)


def reading_engine(path: Path) -> AsyncEngine:
    """Connections for statements that each stand alone."""
    engine = create_async_engine(_url(path), isolation_level="AUTOCOMMIT", pool_size=_READERS, max_overflow=0)
    _prepare(engine.sync_engine, "NORMAL")
    return engine


def writing_engine(path: Path | None, *, is_durable: bool) -> AsyncEngine:
    """One connection, for transactions that take SQLite's write lock when they begin.

    Durable: what is committed survives a power cut (synchronous=FULL; with NORMAL, WAL loses the last transactions).
    Without a path the database is in memory and lives as long as the connection.
    """
    engine = create_async_engine(_url(path), poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0)
    _prepare(engine.sync_engine, "FULL" if is_durable else "NORMAL")

    @event.listens_for(engine.sync_engine, "begin")
    def begin_immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _url(path: Path | None) -> str:
    return "sqlite+aiosqlite://" if path is None else f"sqlite+aiosqlite:///{path}"


def _prepare(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.close()
