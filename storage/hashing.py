"""The SHA-256 of a draft, carried on from one append to the next so that its bytes are read back only where need be."""

import hashlib
from collections import OrderedDict

import anyio.to_thread

from storage.store import Draft, Version

_NONE = None, None
_READ_SIZE = 4 << 20  # bytes read back at a time
_KEPT = 1024  # uploads whose digests are carried on; what is forgotten is read back


class Running:
    """The SHA-256 of the first `size` bytes of a draft. It is a `Hash`: an append updates it."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()

    def update(self, block: bytes, /) -> None:
        """Take in the bytes that follow."""
        self._sha256.update(block)
        self.size += len(block)

    def digest(self) -> bytes:
        """The digest of the bytes so far."""
        return self._sha256.digest()

    async def catch_up(self, draft: Draft) -> None:
        """Take in what the draft has beyond, from the draft itself."""
        async for chunk in draft.chunks(range(self.size, draft.size), _READ_SIZE):
            await anyio.to_thread.run_sync(self.update, chunk)


class RunningDigests:
    """Those of the uploads that were written to lately, by their ids."""

    def __init__(self) -> None:
        self._running: OrderedDict[str, tuple[Running, Version | None]] = OrderedDict()

    def take(self, upload_id: str, draft: Draft) -> Running:
        """The digest of a draft's beginning, which is the taker's until it is kept again."""
        running, _ = self._running.pop(upload_id, _NONE)
        return running if running is not None and running.size <= draft.size else Running()

    def synced(self, upload_id: str) -> Version | None:
        """The draft as it was when its digest was kept, if all of it was durable then."""
        _, version = self._running.get(upload_id, _NONE)
        return version

    def keep(self, upload_id: str, running: Running, draft: Draft, *, is_synced: bool) -> None:
        """Keep a digest for the next append, unless it is ahead of the draft: a write that failed was hashed."""
        if running.size > draft.size:
            return
        self._running[upload_id] = running, draft.version if is_synced else None
        if len(self._running) > _KEPT:
            self._running.popitem(last=False)

    def drop(self, upload_id: str) -> None:
        """Forget a digest."""
        self._running.pop(upload_id, None)


async def digest_of(draft: Draft, algorithm: str) -> bytes:
    """The digest of a whole draft by an algorithm of `hashlib`, read back for it."""
    digest = hashlib.new(algorithm)
    async for chunk in draft.chunks(range(draft.size), _READ_SIZE):
        await anyio.to_thread.run_sync(digest.update, chunk)
    return digest.digest()
