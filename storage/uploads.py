"""Uploads that outlive a request: a draft, a client's promise of what it is to become, and who may go on with it.

Knows no protocol. How far an upload has come is the size of its draft and stands nowhere else; when it was last touched
is the draft's own time. The catalogue keeps the promise. Making an upload: draft, then promise. Ending one: promise,
then draft. A crash between leaves a draft that nobody knows, which a sweep collects.
"""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import anyio

from storage.catalogue import Catalogue
from storage.errors import DraftBusy, LengthMismatch, NotFound, StoreUnavailable
from storage.hashing import RunningDigests
from storage.holds import Hold, Holds
from storage.keys import Key
from storage.library import Library
from storage.model import Upload, UploadLimits
from storage.open_upload import OpenUpload
from storage.store import Draft, Store

_ID_BYTES = 24  # of randomness: an upload's id is all that its owner has to show
_KEPT_WHEN_COMPLETE_S = 86_400  # for clients that never saw the last answer
_PATIENCE_S = 10.0  # how long to wait for another process to give an upload up
_PAUSE_S = 0.1
_WATCH_S = 0.5  # between two looks for uploads that other processes want


class Uploads:
    """All uploads of a library."""

    def __init__(self, library: Library, store: Store, catalogue: Catalogue, limits: UploadLimits) -> None:
        self.limits = limits
        self._library = library
        self._store = store
        self._catalogue = catalogue
        self._holds = Holds()
        self._digests = RunningDigests()

    async def create(self, *, owner: str, key: Key | None, length: int | None, is_ending: bool, terms: str) -> Upload:
        """A new upload, empty, durable. Raises TooManyUploads, NoSpace."""
        upload_id = secrets.token_urlsafe(_ID_BYTES)
        upload = Upload(upload_id, owner, key, length, is_ending, terms, time.time_ns() // 1_000_000)
        draft = await self._store.draft(upload_id, length=length, is_lasting=True)
        try:
            await self._catalogue.add_upload(upload, max_uploads=self.limits.max_uploads)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await draft.discard()
            raise
        await draft.close()
        return upload

    @asynccontextmanager
    async def resume(self, upload_id: str, *, owner: str) -> AsyncIterator[OpenUpload]:
        """Work on an upload for the block; a request that is still sending to it ends first.

        Raises NotFound, also for another owner's, UploadExpired, DraftBusy when another process does not let go.
        """
        if self._holds.has(upload_id):
            await self._found(upload_id, owner)  # a stranger ends nobody's request
        async with self._holds.taken(upload_id) as hold:
            opened = await self._opened(upload_id, owner, hold)
            try:
                yield opened
            finally:
                with anyio.CancelScope(shield=True):
                    await opened.close()

    async def cancel(self, upload_id: str, *, owner: str) -> None:
        """Forget an upload and throw its bytes away; what it has become stays. Raises as `resume` does."""
        async with self.resume(upload_id, owner=owner) as upload:
            await upload.discard()

    async def concatenate(self, whole: OpenUpload, parts: Sequence[str]) -> None:
        """Fill an upload with the bytes of others of its owner, which have to be full and no files of their own.

        Raises LengthMismatch, NotFound, and what `OpenUpload.append` raises.
        """
        for part_id in parts:  # one after the other: two that wait for each other's parts would wait for ever
            async with self.resume(part_id, owner=whole.upload.owner) as part:
                if part.upload.key is not None or not part.is_full:
                    raise LengthMismatch
                await whole.append(whole.offset, part.content())

    async def watch(self) -> None:
        """Give up, for as long as it runs, what other processes want."""
        while True:
            await anyio.sleep(_WATCH_S)
            if self._holds:
                with suppress(StoreUnavailable):
                    self._holds.give_up(await self._catalogue.wanted_uploads(within_ms=int(_PATIENCE_S * 1000)))

    async def sweep(self) -> None:
        """Forget uploads that were left alone for too long, and drafts that nobody knows any more."""
        now_s = time.time()
        kept_s = min(_KEPT_WHEN_COMPLETE_S, self.limits.lifetime_s)
        await self._catalogue.drop_complete_uploads(before_ms=int((now_s - kept_s) * 1000))
        modified = await self._store.drafts()
        for upload in await self._catalogue.unfinished_uploads():
            touched_s = max(upload.touched_ms / 1000, modified.get(upload.upload_id, 0) / 1e9)
            if touched_s + self.limits.lifetime_s < now_s:
                await self._catalogue.drop_upload(upload.upload_id)
                self._digests.drop(upload.upload_id)
        await self._library.sweep()

    async def _found(self, upload_id: str, owner: str) -> Upload:
        upload = await self._catalogue.upload(upload_id)
        if upload is None or upload.owner != owner:
            raise NotFound(upload_id)
        return upload

    async def _opened(self, upload_id: str, owner: str, hold: Hold) -> OpenUpload:
        upload = await self._found(upload_id, owner)
        draft = None
        if not upload.is_complete:
            try:
                draft = await self._draft_of(upload_id)
                upload = await self._found(upload_id, owner)  # as its last writer left it
            except NotFound:  # committed by a process that died before it could say so, or lost
                upload = await self._settled(upload_id, owner)
        opened = OpenUpload(upload, draft, hold, self._library, self._catalogue, self._digests, self.limits)
        try:
            await opened.prepare()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await opened.close()
            raise
        return opened

    async def _draft_of(self, upload_id: str) -> Draft:
        is_wanted = False
        with anyio.move_on_after(_PATIENCE_S):
            while True:
                try:
                    draft = await self._store.open_draft(upload_id)
                except DraftBusy:
                    is_wanted = True
                    await self._catalogue.want_upload(upload_id)
                    await anyio.sleep(_PAUSE_S)
                else:
                    if is_wanted:
                        await self._catalogue.amend_upload(upload_id, wanted_ms=None)
                    return draft
        raise DraftBusy(upload_id)

    async def _settled(self, upload_id: str, owner: str) -> Upload:
        await self._library.settle(upload_id)
        upload = await self._found(upload_id, owner)
        if not upload.is_complete:
            await self._catalogue.drop_upload(upload_id)
            raise NotFound(upload_id)
        return upload
