"""The catalogue's part about uploads: what each was promised, and what is known of its bytes beyond their number."""

import time
from collections.abc import Mapping
from dataclasses import asdict, fields

from sqlalchemy import ColumnElement, Text, bindparam, delete, func, insert, select, update

from storage import schema
from storage.catalogue import Catalogue
from storage.errors import TooManyUploads
from storage.model import Upload

_uploads = schema.uploads.c
_COLUMNS = tuple(schema.uploads.c[each.name] for each in fields(Upload))
# asked by each request: to put a statement together takes as long as to run it
_BY_ID = select(*_COLUMNS).where(_uploads.upload_id == bindparam("upload_id", type_=Text))


class Promises:
    """All uploads that a catalogue knows."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def add(self, upload: Upload, *, max_uploads: int) -> None:
        """Keep an upload. Raises TooManyUploads when its owner has `max_uploads` that are not complete."""
        unfinished = select(func.count()).where(_uploads.owner == upload.owner, _uploads.sha256.is_(None))
        async with self._catalogue.keeping() as connection:
            if (await connection.execute(unfinished)).scalar_one() >= max_uploads:
                raise TooManyUploads(max_uploads)
            await connection.execute(insert(schema.uploads).values(asdict(upload)))

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

    async def drop(self, upload_id: str) -> None:
        """Forget an upload."""
        async with self._catalogue.keeping() as connection:
            await connection.execute(delete(schema.uploads).where(_uploads.upload_id == upload_id))

    async def drop_complete(self, *, before_ms: int) -> None:
        """Forget the uploads that were complete before a time."""
        old = delete(schema.uploads).where(_uploads.sha256.is_not(None), _uploads.touched_ms < before_ms)
        async with self._catalogue.changing() as connection:
            await connection.execute(old)

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
