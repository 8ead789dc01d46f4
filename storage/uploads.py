"""Uploads that outlive a request: a draft, a client's promise of what it is to become, and who may go on with it.

Knows no protocol. How far an upload has come is the size of its draft and stands nowhere else; when it was last touched
is the draft's own time. The catalogue keeps the promise, and how many of the bytes a power cut has to leave. Making an
upload: draft, then promise. Ending one: promise, then draft. A crash between leaves a draft that nobody knows, which a
sweep collects.
"""

import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import anyio

from storage.arriving import Arriving, newest_arriving
from storage.boot import boot_id
from storage.catalogue import Catalogue
from storage.errors import DraftBusy, LengthMismatch, NotFound, NotKept, StoreDegraded, StoreUnavailable
from storage.hashing import RunningDigests
from storage.holds import Hold, Holds
from storage.keys import Key
from storage.library import Library
from storage.model import Upload, UploadLimits
from storage.open_upload import KEPT_WHEN_COMPLETE_S, OpenUpload, Surroundings
from storage.progress import Progresses
from storage.promises import Promises
from storage.store import Draft, Store

_ID_BYTES = 24  # of randomness: an upload's id is all that its owner has to show
_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_PATIENCE_S = 10.0  # how long to wait for another process to give an upload up
_PAUSE_S = 0.05
_WATCH_S = 0.5  # between two looks for uploads that other processes want


class Uploads:
    """All uploads of a library."""

    def __init__(self, library: Library, store: Store, catalogue: Catalogue, limits: UploadLimits) -> None:
        self.limits = limits
        self._library = library
        self._store = store
        self._promises = Promises(catalogue)
        self._holds = Holds()
        self._digests = RunningDigests()
        self._boot = boot_id()
        progresses = Progresses(library.changes)
        self._around = Surroundings(library, self._promises, self._digests, progresses, limits, self._boot)

    async def create(self, *, owner: str, key: Key | None, length: int | None, is_ending: bool, terms: str) -> Upload:
        """A new upload, empty, durable. Raises TooManyUploads, NoSpace."""
        upload_id = secrets.token_urlsafe(_ID_BYTES)
        upload = Upload(upload_id, owner, key, length, is_ending, terms, _now_ms(), self._boot)
        draft = await self._store.draft(upload_id, length=length, is_lasting=True)
        try:
            await self._promises.add(upload, max_uploads=self.limits.max_uploads)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await draft.discard()
            raise
        await draft.close()
        return upload

    async def done_before(self, *, owner: str, key: Key, terms: str) -> Upload | None:
        """A complete upload that was to become the same: the answer to whoever missed it."""
        return await self._promises.complete_like(Upload("", owner, key, None, True, terms, 0, ""))

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

    async def length_of(self, parts: Sequence[str], *, owner: str) -> int:
        """How long these would be together. Raises LengthMismatch where one is not full, or not a part; NotFound."""
        length = 0
        for part_id in parts:
            async with self.resume(part_id, owner=owner) as part:
                length += _part_length(part)
        return length

    async def concatenate(self, whole: OpenUpload, parts: Sequence[str]) -> None:
        """Fill an upload with the bytes of others of its owner. Raises as `length_of` and `OpenUpload.append` do."""
        for part_id in parts:  # one after the other: two that wait for each other's parts would wait for ever
            async with self.resume(part_id, owner=whole.upload.owner) as part:
                _part_length(part)
                await whole.append(whole.offset, part.content())

    @asynccontextmanager
    async def arriving(self, key: Key) -> AsyncIterator[Arriving | None]:
        """The transfer to a key that bytes came to last, for the length of the block; None where there is none."""
        arriving = await newest_arriving(key, self._store, self._promises)
        try:
            yield arriving
        finally:
            if arriving is not None:
                await arriving.close()

    async def watch(self) -> None:
        """Give up, for as long as it runs, what other processes want."""
        while True:
            await anyio.sleep(_WATCH_S)
            if self._holds:
                with suppress(StoreUnavailable):
                    self._holds.give_up(await self._promises.wanted(within_ns=int(_PATIENCE_S * 1e9)))

    async def sweep(self) -> None:
        """Forget uploads that were left alone for too long, and drafts that nobody knows any more."""
        now_s = time.time()
        kept_s = min(KEPT_WHEN_COMPLETE_S, self.limits.lifetime_s)
        await self._promises.drop_complete(before_ms=int((now_s - kept_s) * 1000))
        modified = await self._store.drafts()
        for upload_id, touched_ms in (await self._promises.unfinished()).items():
            touched_s = max(touched_ms / 1000, modified.get(upload_id, 0) / 1e9)
            if touched_s + self.limits.lifetime_s < now_s:
                await self._expire(upload_id)
        await self._library.sweep()

    async def _expire(self, upload_id: str) -> None:
        try:
            draft = await self._store.open_draft(upload_id)
        except DraftBusy:
            return  # somebody is at work on it
        except NotFound:  # committed by a process that died before it could say so, or lost
            with suppress(NotFound):
                await self._settled(upload_id)
            return
        try:
            await self._promises.drop(upload_id, size=draft.size)
            self._digests.drop(upload_id)
            await draft.discard()
        finally:
            await draft.close()

    async def _found(self, upload_id: str, owner: str) -> Upload:
        upload = await self._promises.get(upload_id)
        if upload is None or upload.owner != owner:
            raise NotFound(upload_id)
        return upload

    async def _opened(self, upload_id: str, owner: str, hold: Hold) -> OpenUpload:
        draft = await self._free_draft(upload_id)
        try:
            upload = await self._found(upload_id, owner)  # after the draft: as its last writer left it
            if draft is None and not upload.is_complete:
                draft = await self._draft_of(upload_id, hold)
                upload = await (self._found(upload_id, owner) if draft else self._settled(upload_id))
            if upload.is_complete and draft is not None:
                await draft.discard()  # a crash kept it from being thrown away
                draft = None
            hold.has_draft = draft is not None
            opened = OpenUpload(upload, draft, hold, self._around)
            await opened.prepare()
        except BaseException:
            if draft is not None:
                with anyio.CancelScope(shield=True):
                    await draft.close()
            raise
        return opened

    async def _free_draft(self, upload_id: str) -> Draft | None:
        """The draft, unless somebody has it, it is not there, or may not be written; no text but an id is asked for."""
        if _ID.fullmatch(upload_id) is None:
            raise NotFound(upload_id)
        with suppress(DraftBusy, NotFound, StoreDegraded):
            return await self._kept_draft(upload_id)
        return None

    async def _draft_of(self, upload_id: str, hold: Hold) -> Draft | None:
        """The draft, once another process has let go of it; None where it has become something, or is lost."""
        with anyio.move_on_after(_PATIENCE_S):
            is_told = False
            while True:
                try:
                    return await self._kept_draft(upload_id)
                except NotFound:
                    return None
                except DraftBusy:
                    if not is_told:
                        await self._promises.want(upload_id, since_ns=hold.since_ns)
                        is_told = True
                await anyio.sleep(_PAUSE_S)
        raise DraftBusy(upload_id)

    async def _kept_draft(self, upload_id: str) -> Draft:
        try:
            return await self._store.open_draft(upload_id, synced=self._digests.synced(upload_id))
        except NotKept:  # not even what was acknowledged can be believed
            await self._promises.drop(upload_id)
            raise

    async def _settled(self, upload_id: str) -> Upload:
        await self._library.settle(upload_id)
        upload = await self._promises.get(upload_id)
        if upload is None or not upload.is_complete:
            await self._promises.drop(upload_id)
            raise NotFound(upload_id)
        return upload


def _part_length(part: OpenUpload) -> int:
    if part.upload.key is not None or not part.is_full:
        raise LengthMismatch
    return part.offset


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
