"""One upload while a request works on it."""

import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from dataclasses import replace

import anyio

from storage.catalogue import Catalogue
from storage.errors import (
    DigestMismatch,
    LengthMismatch,
    OffsetMismatch,
    StoreDegraded,
    TooLarge,
    UploadExpired,
    UploadIsComplete,
)
from storage.hashing import RunningDigests, digest_of
from storage.holds import Hold
from storage.library import Library, Received
from storage.model import Condition, Upload, UploadLimits, always
from storage.store import Draft

_READ_BACK_AT_ONCE = 64 << 20  # bytes that another process took are hashed before the next come; more, at the end
_CHUNK_SIZE = 1 << 20
_NOTHING: Mapping[str, bytes] = {}


class OpenUpload:
    """Made by `Uploads.resume`, and closed by it."""

    def __init__(
        self,
        upload: Upload,
        draft: Draft | None,
        hold: Hold,
        library: Library,
        catalogue: Catalogue,
        digests: RunningDigests,
        limits: UploadLimits,
    ) -> None:
        self.upload = upload
        self._draft = draft
        self._hold = hold
        self._library = library
        self._catalogue = catalogue
        self._digests = digests
        self._limits = limits

    @property
    def offset(self) -> int:
        """How many bytes have come, durably."""
        return (self.upload.length or 0) if self._draft is None else self._draft.size

    @property
    def expires_at_s(self) -> float:
        """When the upload will have been left alone for too long (Unix time)."""
        modified_s = 0 if self._draft is None else self._draft.modified_ns / 1e9
        return max(self.upload.touched_ms / 1000, modified_s) + self._limits.lifetime_s

    @property
    def is_full(self) -> bool:
        """Whether all bytes have come after which the upload is to end."""
        return self.upload.is_complete or (self.upload.is_ending and self.offset == self.upload.length)

    async def promise(self, length: int | None, *, is_ending: bool) -> None:
        """Keep the length, once it is known, and whether the upload ends with it. Raises LengthMismatch, TooLarge."""
        if length is None:
            length = self.upload.length
        if self.upload.length not in {None, length} or (length is not None and length < self.offset):
            raise LengthMismatch
        self._require_size(length)
        if (length, is_ending) != (self.upload.length, self.upload.is_ending):
            await self._catalogue.amend_upload(self.upload.upload_id, length=length, is_ending=is_ending)
            self.upload = replace(self.upload, length=length, is_ending=is_ending)

    async def append(
        self,
        offset: int,
        chunks: AsyncIterable[bytes],
        *,
        size: int | None = None,
        digests: Mapping[str, bytes] = _NOTHING,
    ) -> int:
        """Take in bytes; answers the new offset. What arrives of an interrupted body is kept.

        Where the `size` of all chunks is known, too many are refused before the first is asked for. With `digests` (by
        names of `hashlib`) the bytes are taken as a whole or not at all. Raises OffsetMismatch, TooLarge,
        DigestMismatch, UploadIsComplete, UploadTakenOver, NoSpace, StoreDegraded (the upload is gone then), and what
        the chunks raise.
        """
        draft = self._taken_draft()
        if offset != draft.size:
            raise OffsetMismatch(draft.size, offset)
        if size is not None:
            self._require_room(offset + size)
        if digests:
            await self._catalogue.amend_upload(self.upload.upload_id, unverified_from=offset)
        try:
            await self._receive(draft, offset, chunks, size, digests)
        except StoreDegraded:
            await self.discard()
            raise
        except (TooLarge, DigestMismatch):
            await self._cut(draft, offset)
            raise
        except BaseException:
            if digests:
                await self._cut(draft, offset)
            raise
        if digests:
            await self._catalogue.amend_upload(self.upload.upload_id, unverified_from=None)
        return draft.size

    async def commit(self, *, condition: Condition = always, digests: Mapping[str, bytes] = _NOTHING) -> Upload:
        """Make the upload the file of its key; answers the complete upload, also when it was complete before.

        `digests` are those that the whole must have. Raises DigestMismatch and what `Library.commit` raises.
        """
        key = self.upload.key
        if self.upload.is_complete or key is None:
            return self.upload
        draft = self._taken_draft()
        sha256 = await self.sha256()
        for name, digest in digests.items():
            if (sha256 if name == "sha256" else await digest_of(draft, name)) != digest:
                raise DigestMismatch(name)
        entry, is_new = await self._library.commit(
            Received(draft, sha256), key, condition=condition, upload_id=self.upload.upload_id
        )
        self._draft = None
        self._digests.drop(self.upload.upload_id)
        self.upload = replace(self.upload, length=entry.size, sha256=sha256, is_new=is_new)
        return self.upload

    async def conclude(self) -> Upload:
        """The upload has become what it was for, and its bytes are needed no more; answers it, complete."""
        draft = self._taken_draft()
        done = replace(self.upload, length=draft.size, sha256=await self.sha256(), is_new=True)
        await self._catalogue.amend_upload(done.upload_id, length=done.length, sha256=done.sha256, is_new=True)
        self.upload, self._draft = done, None
        self._digests.drop(done.upload_id)
        await draft.discard()
        return done

    async def sha256(self) -> bytes:
        """The digest of all bytes so far."""
        draft = self._taken_draft()
        running = self._digests.take(self.upload.upload_id, draft)
        await running.catch_up(draft)
        self._digests.keep(self.upload.upload_id, running)
        return running.digest()

    def content(self) -> AsyncGenerator[bytes, None]:
        """All bytes so far."""
        draft = self._taken_draft()
        return draft.chunks(range(draft.size), _CHUNK_SIZE)

    async def prepare(self) -> None:
        """Cut off what came of a body whose digest was to be checked, if its process died before it was.

        Raises UploadExpired.
        """
        if self.expires_at_s < time.time():
            raise UploadExpired(self.upload.upload_id)
        if self.upload.unverified_from is not None and self._draft is not None:
            await self._cut(self._draft, min(self.upload.unverified_from, self._draft.size))

    async def discard(self) -> None:
        """Forget the upload and throw its bytes away."""
        with anyio.CancelScope(shield=True):
            await self._catalogue.drop_upload(self.upload.upload_id)
            self._digests.drop(self.upload.upload_id)
            if self._draft is not None:
                await self._draft.discard()

    async def close(self) -> None:
        """Let go of the draft and keep it."""
        if self._draft is not None:
            await self._draft.close()

    async def _receive(
        self, draft: Draft, offset: int, chunks: AsyncIterable[bytes], size: int | None, digests: Mapping[str, bytes]
    ) -> None:
        checks = {name: hashlib.new(name) for name in digests}
        running = self._digests.take(self.upload.upload_id, draft)
        if offset - running.size <= _READ_BACK_AT_ONCE:
            await running.catch_up(draft)
        carried = (running,) if running.size == offset else ()
        try:
            with self._hold.receiving():
                hashes = *carried, *checks.values()
                await draft.append(offset, self._bounded(chunks, offset), size=size, hashes=hashes)
        finally:
            self._digests.keep(self.upload.upload_id, running)
        for name, digest in digests.items():
            if checks[name].digest() != digest:
                raise DigestMismatch(name)

    async def _bounded(self, chunks: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            size += len(chunk)
            self._require_room(size)
            yield chunk

    async def _cut(self, draft: Draft, offset: int) -> None:
        with anyio.CancelScope(shield=True):
            self._digests.drop(self.upload.upload_id)
            await draft.truncate(offset)
            if self.upload.unverified_from is not None:
                self.upload = replace(self.upload, unverified_from=None)
            await self._catalogue.amend_upload(self.upload.upload_id, unverified_from=None)

    def _require_room(self, size: int) -> None:
        self._require_size(size)
        if self.upload.length is not None and size > self.upload.length:
            raise TooLarge(self.upload.length)

    def _require_size(self, size: int | None) -> None:
        if size is not None and self._limits.max_size is not None and size > self._limits.max_size:
            raise TooLarge(self._limits.max_size)

    def _taken_draft(self) -> Draft:
        if self._draft is None:
            raise UploadIsComplete(self.upload.upload_id)
        return self._draft
