"""The catalogue's part about uploads: what each was promised, and what is known of its bytes beyond their number."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import ColumnElement, Text, bindparam, delete, func, insert, select, update

from storage import schema
from storage.catalogue import Catalogue
from storage.change import add_change
from storage.errors import TooManyUploads
from storage.keys import Key
from storage.model import Upload
from storage.progress import upload_change

_LOST_AT_ONCE = 500
_MOST = 16  # unfinished transfers to one key that anybody looks at
_changes = schema.changes.c
_uploads = schema.uploads.c
_COLUMNS = tuple(schema.uploads.c[each.name] for each in fields(Upload))
# asked by each request: to put a statement together takes as long as to run it
_BY_ID = select(*_COLUMNS).where(_uploads.upload_id == bindparam("upload_id", type_=Text))


@dataclass(frozen=True, slots=True)
class Transfer:
    """A draft that bytes come to; how many it will have, where that is known; the upload, where it is one."""

    draft_id: str
    length: int | None
    upload: Upload | None


class Promises:
    """All uploads that a catalogue knows."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def add(self, upload: Upload, *, max_uploads: int) -> None:
        """Keep an upload, and tell of it. Raises TooManyUploads when its owner has `max_uploads` unfinished."""
        unfinished = select(func.count()).where(_uploads.owner == upload.owner, _uploads.sha256.is_(None))
        async with self._catalogue.keeping() as connection:
            if (await connection.execute(unfinished)).scalar_one() >= max_uploads:
                raise TooManyUploads(max_uploads)
            await connection.execute(insert(schema.uploads).values(asdict(upload)))
            began = upload_change(upload.upload_id, upload.key, 0, upload.length, state="receiving")
            await add_change(connection, began)

    async def get(self, upload_id: str) -> Upload | None:
        """The upload of this id."""
        async with self._catalogue.reading() as connection:
            row = (await connection.execute(_BY_ID, {"upload_id": upload_id})).one_or_none()
        return None if row is None else Upload(*row)

    async def unfinished(self) -> Mapping[str, int]:
        """The ids of all uploads that are not complete, with their `touched_ms`."""
        open_ones = select(_uploads.upload_id, _uploads.touched_ms).where(_uploads.sha256.is_(None))
        async with self._catalogue.reading() as connection:
            return dict(tuple(row) for row in await connection.execute(open_ones))

    async def complete_like(self, upload: Upload) -> Upload | None:
        """A complete upload of the same owner, to the same key, on the same terms."""
        return next(
            iter(
                await self._selected(
                    (_uploads.owner == upload.owner)
                    & (_uploads.key == upload.key)
                    & (_uploads.terms == upload.terms)
                    & _uploads.sha256.is_not(None)
                )
            ),
            None,
        )

    async def amend(self, upload_id: str, **values: str | int | bytes | bool | None) -> None:
        """Change what is kept of an upload, by names of `Upload`; a power cut does not undo it."""
        async with self._catalogue.keeping() as connection:
            await connection.execute(update(schema.uploads).where(_uploads.upload_id == upload_id).values(values))

    async def drop(self, upload_id: str, *, size: int = 0) -> None:
        """Forget an upload; where it has become nothing, tell that so many bytes are thrown away."""
        mine = _uploads.upload_id == upload_id
        async with self._catalogue.keeping() as connection:
            unfinished = select(_uploads.key, _uploads.length).where(mine, _uploads.sha256.is_(None))
            if (row := (await connection.execute(unfinished)).one_or_none()) is not None:
                key, length = row
                await add_change(connection, upload_change(upload_id, key, size, length, state="discarded"))
            await connection.execute(delete(schema.uploads).where(mine))

    async def drop_complete(self, *, before_ms: int) -> None:
        """Forget the uploads that were complete before a time."""
        old = delete(schema.uploads).where(_uploads.sha256.is_not(None), _uploads.touched_ms < before_ms)
        async with self._catalogue.changing() as connection:
            await connection.execute(old)

    async def arriving(self, key: Key) -> tuple[Transfer, ...]:
        """The drafts that may become the file of a key, as far as is known: those of uploads, and of what is told."""
        unfinished = select(*_COLUMNS).where(_uploads.key == key, _uploads.sha256.is_(None))
        last = select(func.max(_changes.id)).where(_changes.key == key, _changes.kind == "upload")
        told = select(_changes.subject, _changes.content).where(_changes.id.in_(last.group_by(_changes.subject)))
        async with self._catalogue.reading() as connection:
            newest = unfinished.order_by(_uploads.touched_ms.desc()).limit(_MOST)
            uploads = [Upload(*row) for row in await connection.execute(newest)]
            found = {each.upload_id: Transfer(each.upload_id, each.length, each) for each in uploads}
            for draft_id, text in await connection.execute(told.order_by(_changes.id.desc()).limit(_MOST)):
                content = json.loads(text)
                if content["state"] == "receiving":
                    found.setdefault(draft_id, Transfer(draft_id, content["length"], None))
        return tuple(found.values())

    async def tell_lost(self, draft_ids: Sequence[str]) -> None:
        """Tell that drafts were thrown away whose writers had died, where the feed knows of them."""
        for start in range(0, len(draft_ids), _LOST_AT_ONCE):
            mine = _changes.kind == "upload", _changes.subject.in_(draft_ids[start : start + _LOST_AT_ONCE])
            last = select(func.max(_changes.id)).where(*mine).group_by(_changes.subject)
            known = select(_changes.subject, _changes.key, _changes.content).where(_changes.id.in_(last))
            async with self._catalogue.reading() as connection:
                rows = (await connection.execute(known)).all()
            async with self._catalogue.changing() as connection:
                for draft_id, key, text in rows:
                    content = json.loads(text)
                    if content["state"] == "receiving":
                        size, length = content["offset"], content["length"]
                        await add_change(connection, upload_change(draft_id, key, size, length, state="discarded"))

    async def want(self, upload_id: str, *, since_ns: int) -> None:
        """Tell whoever has been writing an upload since before a time that another wants it."""
        async with self._catalogue.changing() as connection:
            wanted = update(schema.uploads).where(_uploads.upload_id == upload_id).values(wanted_ns=since_ns)
            await connection.execute(wanted)

    async def wanted(self, *, within_ns: int) -> Mapping[str, int]:
        """The uploads that were wanted not longer ago than this, and when."""
        recent = _uploads.wanted_ns > time.time_ns() - within_ns
        async with self._catalogue.reading() as connection:
            rows = await connection.execute(select(_uploads.upload_id, _uploads.wanted_ns).where(recent))
            return dict(tuple(row) for row in rows)

    async def _selected(self, condition: ColumnElement[bool]) -> tuple[Upload, ...]:
        async with self._catalogue.reading() as connection:
            rows = await connection.execute(select(*_COLUMNS).where(condition))
            return tuple(Upload(*row) for row in rows)
