"""Moves that are under way, and what is told of those that are done.

A move claims both places in the transaction that records it here, and its record goes with the claims: whoever finds
the claims of a dead process learns what it was about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Index, Table, Text, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.about import Renamed, delete_all_about, drop_copies, move_all_about
from storage.change import NewChange, add_change, origin_mark
from storage.keys import Key
from storage.model import Entry, Json

_moves = Table(
    "moves",
    schema.metadata,
    Column("token", Text, primary_key=True),
    Column("old", schema.KeyBytes, nullable=False),
    Column("new", schema.KeyBytes, nullable=False),
    Column("identity", Text, nullable=False),
)

_changes = schema.changes.c
Index("changes_by_origin", _changes.subject, _changes.id, sqlite_where=_changes.kind == "moved")


@dataclass(frozen=True, slots=True)
class Move:
    """A file, or a folder (both keys end in `/`), on its way under the claims of this token.

    `identity` is what it had before: a file's changes by the way.
    """

    token: str
    old: str
    new: str
    identity: str

    @property
    def is_of_folder(self) -> bool:
        """Whether all that is below it moves along."""
        return self.old.endswith("/")


async def begin_move(connection: AsyncConnection, move: Move) -> None:
    """Record a move, in the transaction that claims both places; one of the same token is planned anew."""
    await end_move(connection, move.token)
    values = {"token": move.token, "old": move.old, "new": move.new, "identity": move.identity}
    await connection.execute(insert(_moves).values(values))


async def move_under(connection: AsyncConnection, token: str) -> Move | None:
    """The move whose claims have this token."""
    row = (await connection.execute(select(_moves).where(_moves.c.token == token))).one_or_none()
    return None if row is None else Move(*row)


async def end_move(connection: AsyncConnection, token: str) -> None:
    """Forget a move, in the transaction that ends its claims."""
    await connection.execute(delete(_moves).where(_moves.c.token == token))


async def take_back(connection: AsyncConnection, token: str) -> None:
    """Forget a move that came to nothing, and what was foretold of it."""
    move = await move_under(connection, token)
    if move is not None and move.is_of_folder:
        await drop_copies(connection, move.old, move.new)
    await end_move(connection, token)


async def record_move(
    connection: AsyncConnection, move: Move, arrived: Entry | None, *, etag: str | None, sha256: bytes | None
) -> None:
    """Let all that is known follow what has been moved, and tell of it. `arrived` is the file, of a folder None.

    The digest is that of the file with this etag. Where it has another now, somebody was just writing to it in its
    place: nothing is known of its bytes then.
    """
    is_same = arrived is not None and arrived.etag == etag
    renamed = None if arrived is None else Renamed(move.identity if is_same else "", arrived.identity)
    await delete_all_about(connection, move.new)
    await move_all_about(connection, move.old, move.new, renamed=renamed)
    content: dict[str, Json] = {"from": move.old}
    if arrived is not None:
        digest = None if sha256 is None or not is_same else sha256.hex()
        content |= {"size": arrived.size, "etag": f'"{digest or arrived.etag}"', "sha256": digest}
    identity = None if arrived is None else arrived.identity
    await add_change(connection, NewChange("moved", Key(move.new), content, identity=identity))


async def departures(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Of those of these keys that were moved away: the number of the change that tells so last, and its time (ms)."""
    marks = {origin_mark(key): key for key in keys}
    if not marks:
        return {}
    last = select(func.max(_changes.id)).where(_changes.kind == "moved", _changes.subject.in_(marks))
    rows = await connection.execute(
        select(_changes.subject, _changes.id, _changes.at_ms).where(_changes.id.in_(last.group_by(_changes.subject)))
    )
    return {marks[mark]: (number, at_ms) for mark, number, at_ms in rows}
