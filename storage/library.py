"""A store and a catalogue kept consistent: the one object the service holds.

The order of writes is decided here and nowhere else. Adding: bytes, then the claim that announces them, then the
rename, then the facts. Removing: facts, then bytes. A crash between any two leaves garbage that `start` clears, or a
file whose digest is not known; never a fact about bytes that are not there.
"""

import hashlib
import math
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

import anyio
import anyio.to_thread

from storage.catalogue import Catalogue, Claim, Facts
from storage.changes import Changes
from storage.claiming import Claiming
from storage.comments import Comments
from storage.described import Listings, with_facts
from storage.errors import (
    DigestMismatch,
    DraftBusy,
    FolderInTheWay,
    IsFolder,
    NotFound,
    PreconditionFailed,
    TooLarge,
    UnderFile,
)
from storage.keys import Folder, Key, name_of
from storage.model import Condition, Entry, Listed, always
from storage.moving import Moving
from storage.opened import Opened
from storage.positions import Positions
from storage.progress import Progress
from storage.promises import Promises
from storage.remembered import Remembered, version_of
from storage.store import Draft, Reader, Store
from storage.tail import Tails
from storage.trash import Trash
from storage.walk import walk
from storage.wanted import Wanted

Detect = Callable[[bytes, str], str]
"""The media type of a file by its first bytes and its name."""

HEAD_SIZE = 65_536  # bytes that detection may look at
_SOUND_S = 1.0  # whoever asks more often wants to know of this process rather than of its disk


@dataclass(frozen=True, slots=True)
class Received:
    """A draft that holds all bytes of a new file, with their SHA-256."""

    draft: Draft
    sha256: bytes


class Library:
    """Stored files and what is known of them."""

    def __init__(self, store: Store, catalogue: Catalogue, detect: Detect) -> None:
        self._store = store
        self._catalogue = catalogue
        self._detect = detect
        self._is_sound_until = -math.inf  # on the monotonic clock
        self._promises = Promises(catalogue)
        self._remembered = Remembered()
        self.listings = Listings(store, catalogue, self._remembered)
        self._digests_learned = 0  # so that who looked before does not remember after that there was none
        self.claiming = Claiming(store, catalogue)
        self.trash = Trash(store.trash, catalogue, self.claiming)
        self.moving = Moving(store, catalogue, self.claiming, self.stat)
        self.wanted = Wanted()
        self.changes = Changes(catalogue)
        self.comments = Comments(store, catalogue)
        self.positions = Positions(store, catalogue)
        self.tails = Tails(store)

    async def start(self) -> None:
        """Open both, and clear what a crash left unless another server is using it. Raises StoreUnavailable."""
        await self._store.start()
        async with self._store.sole_use() as is_sole:
            await self._catalogue.start()
            if is_sole or not self._catalogue.is_kept:
                await self.changes.start()
            if is_sole:
                await self._recover()

    async def close(self) -> None:
        """Close both."""
        await self._catalogue.close()
        await self._store.close()

    async def check(self) -> None:
        """Raises StoreUnavailable unless both answer. That they do is believed for a second."""
        if time.monotonic() < self._is_sound_until:
            return
        await self._store.check()
        await self._catalogue.claims()
        self._is_sound_until = time.monotonic() + _SOUND_S

    def open(self, key: Key) -> Opened:
        """The present version of a file, opened for the length of the block. Raises NotFound, IsFolder."""
        return Opened(self._store, key)

    async def describe(self, reader: Reader) -> Entry:
        """The entry of an opened version with all that is known of it, its media type found out if need be."""
        entry = reader.entry
        if (remembered := self._remembered.recall(version_of(entry))) is not None:
            return remembered
        digests_learned = self._digests_learned
        facts = await self._catalogue.facts(entry)
        if facts.media_type is None:
            media_type = await self._detected(reader)
            await self._catalogue.learn_media_type(entry, media_type)
            facts = replace(facts, media_type=media_type)
        described = with_facts(entry, facts)
        if described.sha256 is not None or digests_learned == self._digests_learned:
            self._remembered.keep(described)
        if described.sha256 is None:
            self.wanted.add(entry.key)
        return described

    async def stat(self, key: Key) -> Entry | None:
        """What a write of this key would replace, with its final etag; None for nothing. Raises FolderInTheWay."""
        try:
            entry = await self._store.stat(key)
        except (IsFolder, UnderFile) as error:
            raise FolderInTheWay(key) from error
        except NotFound:
            return None
        remembered = self._remembered.recall(version_of(entry))
        return remembered or with_facts(entry, await self._catalogue.facts(entry))

    async def list(self, folder: Folder, *, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        """See `Store.list`; entries carry what is known of them, and nothing is found out for a listing."""
        return await self.listings.page(folder, is_recursive=is_recursive, after=after, limit=limit)

    def list_all(
        self, folder: Folder, *, is_recursive: bool, after: str = "", is_sorted: bool = True
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.list_all`; described as by `list`. Between pages no connection to the catalogue is held."""
        return self.listings.pages(folder, is_recursive=is_recursive, after=after, is_sorted=is_sorted)

    def walk(self, prefix: str) -> AsyncIterator[tuple[Entry, ...]]:
        """Pages of the files whose keys begin with a prefix; entries carry what is known of them. Raises InvalidKey."""
        return walk(self, prefix)

    @asynccontextmanager
    async def receive(
        self,
        chunks: AsyncIterable[bytes],
        *,
        length: int | None,
        max_size: int | None,
        digests: Mapping[str, bytes],
        key: Key | None = None,
    ) -> AsyncIterator[Received]:
        """Take in the bytes of a new file; what is not committed within the block is thrown away.

        `digests` go by names of `hashlib`; with a `key` the feed is told. Raises DigestMismatch, TooLarge, NoSpace.
        """
        draft = await self._store.draft(draft_id := secrets.token_urlsafe(16), length=length)
        progress = Progress(self.changes, draft_id, key)
        try:
            hashes = {name: hashlib.new(name) for name in {"sha256", *digests}}
            told = progress.of(_bounded(chunks, max_size), draft, length)
            await draft.append(0, told, size=length, hashes=tuple(hashes.values()))
            for name, digest in digests.items():
                if hashes[name].digest() != digest:
                    raise DigestMismatch(name)
            yield Received(draft, hashes["sha256"].digest())
        finally:
            await progress.discard(draft, length)

    async def commit(
        self, received: Received, key: Key, *, condition: Condition = always, upload_id: str | None = None
    ) -> tuple[Entry, bool]:
        """Publish received bytes under a key; answers the entry and whether the key is new.

        The condition is asked again here, while no other commit of this key can come between. The upload of this id
        is complete then, in the same moment. Raises PreconditionFailed, FolderInTheWay, KeyBusy.
        """
        claim = Claim(key, upload_id or secrets.token_hex(8), received.draft.committed_etag(), received.sha256)
        async with self.claiming.claimed(claim) as outcome:
            current = await self._required(key, condition)
            entry = await received.draft.commit(key)
            outcome.record = partial(self._catalogue.release, claim, entry, is_new=current is None)
        return with_facts(entry, Facts(sha256=received.sha256)), current is None

    async def delete(self, key: Key, *, condition: Condition = always) -> None:
        """Remove a file. Raises NotFound, IsFolder, PreconditionFailed, KeyBusy."""
        await self._store.stat(key)
        claim = Claim(key, secrets.token_hex(8))
        async with self.claiming.claimed(claim) as outcome:
            await self._required(key, condition)
            await self._catalogue.forget(key)
            await self._store.delete(key)
            outcome.record = partial(self._catalogue.release_removed, claim)

    async def settle(self, upload_id: str) -> None:
        """Wait for the commit of an upload to end; end it where its process has died in the midst of it."""
        await self.claiming.settle(upload_id)

    async def sweep(self) -> None:
        """Throw away the drafts that nobody writes and that are no upload's, and tell of what the dead have done."""
        kept = await self._promises.unfinished()
        lost: list[str] = []
        for draft_id in (await self._store.drafts()).keys() - kept.keys():
            with suppress(DraftBusy, NotFound):
                draft = await self._store.open_draft(draft_id)
                try:
                    # Nobody else has it now, and whoever makes an upload has its draft until the upload is kept.
                    upload = await self._promises.get(draft_id)
                    if (upload is None or upload.is_complete) and await draft.discard():
                        lost.append(draft_id)
                finally:
                    await draft.close()
        await self._promises.tell_lost(lost)
        await self.claiming.sweep()

    async def learn_digest(self, entry: Entry, sha256: bytes) -> bool:
        """Record the digest of a stored version, if it is the present one still; its etag stays as it is.

        Whether it was recorded: not while the file is written or removed.
        """
        if not await self._is_present(entry) or not await self._catalogue.learn_digest(entry, sha256):
            return False
        if not await self._is_present(entry):  # removed between the look and the record
            await self._catalogue.unlearn_digest(entry)
            return False
        self._digests_learned += 1
        self._remembered.forget(version_of(entry))
        return True

    async def _is_present(self, entry: Entry) -> bool:
        try:
            return (await self._store.stat(entry.key)).identity == entry.identity
        except (NotFound, IsFolder):
            return False

    async def _required(self, key: Key, condition: Condition) -> Entry | None:
        current = await self.stat(key)
        if not condition(current):
            raise PreconditionFailed(key)
        return current

    async def _detected(self, reader: Reader) -> str:
        head = bytearray()
        async for chunk in reader.chunks(range(min(HEAD_SIZE, reader.entry.size)), HEAD_SIZE):
            head += chunk
        return await anyio.to_thread.run_sync(self._detect, bytes(head), name_of(reader.entry.key))

    async def _recover(self) -> None:
        await self.sweep()
        await self._catalogue.free_upkeep()
        await self.claiming.recover()


async def _bounded(chunks: AsyncIterable[bytes], max_size: int | None) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if max_size is not None and size > max_size:
            raise TooLarge(max_size)
        yield chunk
