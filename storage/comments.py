"""Words about files, at a moment of their playing, at a byte, or about the whole.

They belong to the key: a new version keeps them, a removal takes them along. No comment outlives its file. A removal
claims the key, and its last transaction ends the claim and drops the comments. So a comment waits while its key is
claimed; one that was kept before the claim is dropped with the others, and one that is kept after it looks for the file
once more, finds it gone and takes itself back. What a crash leaves between, and comments on files that somebody removed
behind our back, `CommentSweep` collects.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from storage import schema
from storage.catalogue import Catalogue
from storage.change import NewChange, add_change
from storage.claims import is_claimed
from storage.comment import Comment, NewComment
from storage.errors import IsFolder, KeyBusy, NotFound, TooManyComments
from storage.gone import AT_ONCE, GRACE_S, GoneSweep
from storage.keys import Key
from storage.model import Json
from storage.store import Store

MAX_COMMENTS = 10_000
"""Of one file: to count and to list them stays cheap."""
_PAGE_TEXT = 262_144  # characters that a page may hold: the longest comments would make 48 MB of JSON of a page
_CLAIM_PATIENCE_S = 10.0  # how long a comment waits for the end of a commit or a removal
_CLAIM_PAUSE_S = 0.01

_comments = schema.comments.c
_COLUMNS = (
    _comments.id,
    _comments.key,
    _comments.at_ms,
    _comments.author,
    _comments.text,
    _comments.media_time_s,
    _comments.byte_offset,
)


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Some comments of a file, the oldest first, and whether there are newer ones."""

    comments: Sequence[Comment]
    has_more: bool


class Comments:
    """All comments that a catalogue has on the files of a store."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        *,
        max_comments: int = MAX_COMMENTS,
        patience_s: float = _CLAIM_PATIENCE_S,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._max_comments = max_comments
        self._patience_s = patience_s

    async def add(self, key: Key, new: NewComment) -> Comment:
        """Keep a comment on a stored file, durably, and tell it in the feed.

        Raises NotFound, IsFolder, KeyBusy, TooManyComments.
        """
        await self._store.stat(key)
        with anyio.CancelScope(shield=True):  # or nobody would look whether the file is still there
            comment = await self._kept(key, new)
            try:
                await self._store.stat(key)
            except (NotFound, IsFolder):
                await self.remove(key, comment.id)
                raise
        return comment

    async def get(self, key: Key, comment_id: int) -> Comment | None:
        """One comment of a stored file; None where it has none of this number. Raises NotFound, IsFolder."""
        await self._store.stat(key)
        async with self._catalogue.reading() as connection:
            row = (await connection.execute(select(*_COLUMNS).where(_this(key, comment_id)))).one_or_none()
        return None if row is None else Comment(*row)

    async def page(self, key: Key, *, after: int, limit: int) -> CommentPage:
        """Up to `limit` comments of a stored file with numbers above `after`; fewer where they are long.

        Raises NotFound, IsFolder.
        """
        await self._store.stat(key)
        found = select(*_COLUMNS).where(_comments.key == key, _comments.id > after).order_by(_comments.id).limit(limit)
        some = found.subquery()
        before = func.sum(func.length(some.c.text)).over(order_by=some.c.id, rows=(None, -1))
        sized = select(some, func.coalesce(before, 0).label("before")).subquery()
        newest = select(func.max(_comments.id)).where(_comments.key == key).scalar_subquery()
        bounded = select(sized, newest).where(sized.c.before < _PAGE_TEXT).order_by(sized.c.id)
        async with self._catalogue.reading() as connection:
            rows = (await connection.execute(bounded)).all()
        comments = [Comment(*row[: len(_COLUMNS)]) for row in rows]
        return CommentPage(comments, has_more=bool(rows) and rows[-1].id < rows[-1][-1])

    async def remove(self, key: Key, comment_id: int) -> bool:
        """Take a comment back, and tell so in the feed; whether it was there."""
        async with self._catalogue.keeping() as connection:
            removed = await connection.execute(delete(schema.comments).where(_this(key, comment_id)))
            if removed.rowcount:
                told: dict[str, Json] = {"id": comment_id, "is_deleted": True}
                await add_change(connection, NewChange("comment", key, {"comment": told}))
            return removed.rowcount > 0

    async def _kept(self, key: Key, new: NewComment) -> Comment:
        # Polled: whoever has the claim may be another process, and SQLite wakes nobody.
        with anyio.move_on_after(self._patience_s):
            while True:
                comment = await self._kept_unless_claimed(key, new)
                if comment is not None:
                    return comment
                await anyio.sleep(_CLAIM_PAUSE_S)
        raise KeyBusy(key)

    async def _kept_unless_claimed(self, key: Key, new: NewComment) -> Comment | None:
        at_ms = _now_ms()
        values = (new.author, new.text, new.media_time_s, new.byte_offset)
        async with self._catalogue.keeping() as connection:
            if await is_claimed(connection, key):
                return None
            count = select(func.count()).where(_comments.key == key)
            if (await connection.execute(count)).scalar_one() >= self._max_comments:
                raise TooManyComments(self._max_comments)
            row = dict(zip([column.name for column in _COLUMNS[1:]], (key, at_ms, *values), strict=True))
            number = (
                await connection.execute(insert(schema.comments).values(row).returning(_comments.id))
            ).scalar_one()
            comment = Comment(number, key, at_ms, *values)
            await add_change(connection, NewChange("comment", key, {"comment": comment.told()}))
            return comment


class CommentSweep(GoneSweep):
    """Drops the comments of files that are gone, and were removed by no server."""

    def __init__(self, store: Store, catalogue: Catalogue, *, grace_s: float = GRACE_S, at_once: int = AT_ONCE) -> None:
        super().__init__(store, catalogue, _comments.key, _comments.id, grace_s=grace_s, at_once=at_once)


def _this(key: Key, comment_id: int) -> ColumnElement[bool]:
    return and_(_comments.key == key, _comments.id == comment_id)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
