"""One upload while a request works on it."""

import hashlib
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, replace

import anyio

from storage.errors import (
    DigestMismatch,
    LengthMismatch,
    NotFound,
    NotKept,
    OffsetMismatch,
    PromiseExceeded,
    TooLarge,
    UploadExpired,
    UploadIsComplete,
)
from storage.hashing import RunningDigests, digest_of
from storage.holds import Hold
from storage.library import Library, Received
from storage.model import Condition, Upload, UploadLimits, always
from storage.progress import Progress, Progresses
from storage.promises import Promises
from storage.store import BLOCK, Draft

KEPT_WHEN_COMPLETE_S = 86_400  # for clients that never saw the last answer
_STRETCH = 64 << 20  # bytes of one body between two syncs: what a power cut may cost
_READ_BACK_AT_ONCE = 64 << 20  # bytes that another process took are hashed before the next come; more, at the end
_CHUNK_SIZE = 1 << 20
_NOTHING: Mapping[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all open uploads share."""

    library: Library
    promises: Promises
    digests: RunningDigests
    progresses: Progresses
    limits: UploadLimits
    boot: str


class OpenUpload:
    """Made by `Uploads.resume`, and closed by it."""

    def __init__(self, upload: Upload, draft: Draft | None, hold: Hold, around: Surroundings) -> None:
        self.upload = upload
        self._draft = draft
        self._hold = hold
        self._around = around
        self._is_discarded = False

    @property
    def offset(self) -> int:
        """How many bytes have come, durably."""
        return (self.upload.length or 0) if self._draft is None else self._draft.size

    @property
    def expires_at_s(self) -> float:
        """When the upload will have been left alone for too long (Unix time)."""
        touched_s, lifetime_s = self.upload.touched_ms / 1000, self._around.limits.lifetime_s
        if self._draft is None:
            return touched_s + min(lifetime_s, KEPT_WHEN_COMPLETE_S)
        return max(touched_s, self._draft.modified_ns / 1e9) + lifetime_s

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
            await self._amend(length=length, is_ending=is_ending)
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
        PromiseExceeded, DigestMismatch, UploadIsComplete, UploadTakenOver, NoSpace, NotKept (the upload is gone then),
        StoreDegraded, and what the chunks raise.
        """
        draft = self._taken_draft()
        if offset != draft.size:
            raise OffsetMismatch(draft.size, offset)
        if size is not None:
            self._require_room(offset + size)
        if digests:
            await self._amend(unverified_from=offset)
        try:
            await self._receive(draft, offset, chunks, size, digests)
        except NotKept:
            await self.discard()
            raise
        except (TooLarge, PromiseExceeded, DigestMismatch):
            await self._cut(draft, offset)
            raise
        except BaseException:
            if digests:
                await self._cut(draft, offset)
            raise
        # a file that is full is committed next, or its last bytes come again
        if digests or not self.is_full or self.upload.key is None:
            await self._acknowledge(draft, is_due=bool(digests))
        return draft.size

    async def commit(self, *, condition: Condition = always) -> Upload:
        """Make the upload the file of its key; answers the complete upload, also when it was complete before.

        Raises what `Library.commit` raises.
        """
        key = self.upload.key
        if self.upload.is_complete or key is None:
            return self.upload
        draft, sha256 = self._taken_draft(), await self.sha256()
        entry, is_new = await self._around.library.commit(
            Received(draft, sha256), key, condition=condition, upload_id=self.upload.upload_id
        )
        self._draft = None
        self._around.digests.drop(self.upload.upload_id)
        self._around.progresses.drop(self.upload.upload_id)
        self.upload = replace(self.upload, length=entry.size, sha256=sha256, is_new=is_new)
        return self.upload

    async def conclude(self) -> Upload:
        """The upload has become what it was for, and its bytes are needed no more; answers it, complete."""
        draft = self._taken_draft()
        done = replace(
            self.upload,
            length=draft.size,
            sha256=await self.sha256(),
            is_new=True,
            touched_ms=time.time_ns() // 1_000_000,
        )
        await self._amend(length=done.length, sha256=done.sha256, is_new=True, touched_ms=done.touched_ms)
        self.upload, self._draft = done, None
        self._around.digests.drop(done.upload_id)
        await self._progress().discard(draft, done.length)
        self._around.progresses.drop(done.upload_id)
        return done

    async def check(self, digests: Mapping[str, bytes]) -> None:
        """Raises DigestMismatch unless all bytes so far have these digests, by names of `hashlib`."""
        draft = self._taken_draft()
        for name, digest in digests.items():
            if (await self.sha256() if name == "sha256" else await digest_of(draft, name)) != digest:
                raise DigestMismatch(name)

    async def sha256(self) -> bytes:
        """The digest of all bytes so far."""
        draft = self._taken_draft()
        running = self._around.digests.take(self.upload.upload_id, draft)
        try:
            await running.catch_up(draft)
        finally:  # a client that does not wait so long comes again, and finds it further on
            self._around.digests.keep(self.upload.upload_id, running, draft, is_synced=True)
        return running.digest()

    def content(self) -> AsyncGenerator[bytes, None]:
        """All bytes so far."""
        draft = self._taken_draft()
        return draft.chunks(range(draft.size), _CHUNK_SIZE)

    async def prepare(self) -> None:
        """Cut off what cannot be believed of an append that was cut off itself; what can, is acknowledged by now.

        After a power cut that is all past the last sync: file systems tell of sizes before they have the bytes. Of a
        body whose digest was to be checked it is all. Raises NotFound where bytes are lost that were durable, and
        UploadExpired.
        """
        if self.expires_at_s < time.time():
            raise UploadExpired(self.upload.upload_id)
        if self._draft is None:
            return
        draft, upload = self._draft, self.upload
        is_same_run = upload.boot == self._around.boot
        believed = draft.size if is_same_run else await self._left_by_a_power_cut(draft)
        if upload.unverified_from is not None:
            believed = min(believed, upload.unverified_from)
        if draft.size < upload.synced:
            await self.discard()
            raise NotFound(upload.upload_id)
        if believed < draft.size:
            await self._cut(draft, believed)
        elif draft.size > upload.synced or not is_same_run:
            await self._acknowledge(draft, is_due=not is_same_run)

    async def discard(self) -> None:
        """Forget the upload and throw its bytes away. Discarding twice is fine."""
        if self._is_discarded:
            return
        self._is_discarded = True
        with anyio.CancelScope(shield=True):
            await self._around.promises.drop(self.upload.upload_id, size=self.offset)
            self._around.digests.drop(self.upload.upload_id)
            self._around.progresses.drop(self.upload.upload_id)
            if self._draft is not None:
                await self._draft.discard()

    async def close(self) -> None:
        """Let go of the draft and keep it."""
        if self._draft is not None:
            await self._draft.close()

    async def _left_by_a_power_cut(self, draft: Draft) -> int:
        """How many bytes can be believed: those that were promised, and whole blocks behind them that were written."""
        synced = self.upload.synced
        if synced % BLOCK:
            return synced
        return max(synced, await draft.written_until(synced) // BLOCK * BLOCK)

    async def _receive(
        self, draft: Draft, offset: int, chunks: AsyncIterable[bytes], size: int | None, digests: Mapping[str, bytes]
    ) -> None:
        checks = {name: hashlib.new(name) for name in digests}
        running = self._around.digests.take(self.upload.upload_id, draft)
        progress, length = self._progress(), self.upload.length
        arriving = progress.of(self._bounded(chunks, offset), draft, length)
        body = _Stretches(arriving, sys.maxsize if digests else _STRETCH)
        try:
            if offset - running.size <= _READ_BACK_AT_ONCE:
                await running.catch_up(draft)
            carried = (running,) if running.size == offset else ()
            with self._hold.receiving():
                while not body.is_over:
                    rest = None if size is None else offset + size - draft.size
                    await draft.append(draft.size, body.stretch(), size=rest, hashes=(*carried, *checks.values()))
                    if not body.is_over:
                        await self._acknowledge(draft)
            progress.tell(draft, length)
        finally:
            self._around.digests.keep(self.upload.upload_id, running, draft, is_synced=body.is_over)
            await progress.settle()
        for name, digest in digests.items():
            if checks[name].digest() != digest:
                raise DigestMismatch(name)

    async def _bounded(self, chunks: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            size += len(chunk)
            self._require_room(size)
            yield chunk

    async def _acknowledge(self, draft: Draft, *, is_due: bool = False) -> None:
        """Promise that a power cut leaves the bytes that are there: they are synced.

        What ends a block needs no record of it, after what did, too. With `is_due` it is recorded anyway.
        """
        synced = draft.size
        if not (is_due or synced % BLOCK or self.upload.synced % BLOCK):
            return
        await self._amend(synced=synced, boot=self._around.boot, unverified_from=None)
        self.upload = replace(self.upload, synced=synced, boot=self._around.boot, unverified_from=None)

    async def _cut(self, draft: Draft, offset: int) -> None:
        with anyio.CancelScope(shield=True):
            self._around.digests.drop(self.upload.upload_id)
            touched_ms = max(time.time_ns() // 1_000_000, self.upload.touched_ms + 1)  # whoever follows sees the cut
            synced = min(self.upload.synced, offset)
            await self._amend(synced=synced, unverified_from=offset, touched_ms=touched_ms)  # a crash cuts again
            self.upload = replace(self.upload, touched_ms=touched_ms)
            await draft.truncate(offset)
            await self._acknowledge(draft, is_due=True)

    async def _amend(self, **values: str | int | bytes | bool | None) -> None:
        await self._around.promises.amend(self.upload.upload_id, **values)

    def _require_room(self, size: int) -> None:
        self._require_size(size)
        if self.upload.length is not None and size > self.upload.length:
            raise PromiseExceeded(self.upload.length)

    def _require_size(self, size: int | None) -> None:
        max_size = self._around.limits.max_size
        if size is not None and max_size is not None and size > max_size:
            raise TooLarge(max_size)

    def _progress(self) -> Progress:
        return self._around.progresses.of(self.upload.upload_id, self.upload.key)

    def _taken_draft(self) -> Draft:
        if self._draft is None:
            raise UploadIsComplete(self.upload.upload_id)
        return self._draft


class _Stretches:
    """A body in stretches of about a size, each of which can be made durable before the next begins."""

    def __init__(self, chunks: AsyncIterator[bytes], size: int) -> None:
        self._chunks = chunks
        self._size = size
        self.is_over = False

    async def stretch(self) -> AsyncIterator[bytes]:
        """The next one."""
        size = 0
        while size < self._size:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self.is_over = True
                return
            size += len(chunk)
            yield chunk
