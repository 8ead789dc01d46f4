"""Who may write a key: one at a time, in whatever process, and what becomes of what the dead have left half done.

A claim is announced before anything is renamed, and ended in the transaction that records what came of it. So whoever
finds one can tell how far its process has come, and do the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from storage.catalogue import Catalogue, Claim
from storage.errors import IsFolder, KeyBusy, NotFound, NotKept, StorageError, StoreDegraded
from storage.keys import Folder, Key
from storage.model import Entry
from storage.moves import Move
from storage.opened import has_file
from storage.store import Store

PATIENCE_S = 10
"""How long a write waits for another of the same key."""
PAUSE_S = 0.01

End: TypeAlias = Callable[[Claim], Awaitable[None]]
"""Does what is left of a dead process's work under a claim."""


@dataclass(slots=True)
class Outcome:
    """What came of a block that had claims: `record` ends them, and keeps what was done; none where nothing was."""

    record: Callable[[], Awaitable[None]] | None = None


class Claiming:
    """The claims of one library."""

    def __init__(self, store: Store, catalogue: Catalogue, *, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._catalogue = catalogue
        self._patience_s = patience_s
        self._ends: dict[str, End] = {}

    def entrust(self, prefix: str, end: End) -> None:
        """Have claims whose tokens begin so ended by those who know what they are for."""
        self._ends[prefix] = end

    @asynccontextmanager
    async def claimed(self, *claims: Claim, move: Move | None = None) -> AsyncIterator[Outcome]:
        """Nobody else writes these keys for the length of the block. Raises KeyBusy.

        A client that leaves now changes nothing: the block ends, and its claims.
        """
        outcome = Outcome()
        with anyio.CancelScope(shield=True):
            await self.take(*claims, move=move)
            try:
                yield outcome
            except (NotKept, StoreDegraded, asyncio.CancelledError):
                raise  # it is not known for sure what is in the file's place: the claim tells whoever looks next
            except BaseException:
                await self._catalogue.give_up(*claims)
                raise
            await (self._catalogue.give_up(*claims) if outcome.record is None else outcome.record())

    async def take(self, *claims: Claim, move: Move | None = None) -> None:
        """Take all of these claims at once, when nobody has one of them any more. Raises KeyBusy."""
        # Polled: the other writer may be another process, and SQLite wakes nobody. A commit is over in milliseconds.
        with anyio.move_on_after(self._patience_s):
            while not await self._catalogue.claim(*claims, move=move):
                for claim in claims:
                    for expired in await self._catalogue.expired_claims(claim.key):
                        await self.end(expired)
                await anyio.sleep(PAUSE_S)
            return
        raise KeyBusy(claims[0].key)

    async def settle(self, token: str) -> None:
        """Wait for the commit under this token to end; end it where its process has died in the midst of it."""
        claim = await self._claim_of(token)
        with anyio.move_on_after(self._patience_s):
            while claim is not None and await self._is_held(claim.key):
                await anyio.sleep(PAUSE_S)
                claim = await self._claim_of(token)
        if claim is not None:
            await self.end(claim)

    async def sweep(self) -> None:
        """Tell of what the dead have done."""
        for claim in await self._catalogue.expired_claims():
            if await self._is_done(claim):
                await self.end(claim)

    async def recover(self) -> None:
        """End all claims: nobody else is there."""
        for claim in await self._catalogue.claims():
            await self.end(claim)

    async def end(self, claim: Claim) -> None:
        """Do what is left of a dead process's commit, removal or move, if it came as far as the file."""
        move = await self._catalogue.move_of(claim)
        if (end := self._end_of(claim)) is not None:
            await end(claim)
        elif move is not None:
            await self._end_move(move)
        elif claim.is_removal:
            await self._end_removal(claim)
        else:
            committed = await self._committed_under(claim)
            if committed is not None:
                await self._store.sync(claim.key)
            await self._catalogue.release(claim, committed)

    async def _end_removal(self, claim: Claim) -> None:
        if await self._is_there(claim.key):
            await self._catalogue.release(claim, None)
        else:  # nobody knows a removed file's bytes
            await self._catalogue.release_removed(claim)

    async def _end_move(self, move: Move) -> None:
        source, target = Claim(Key(move.old), move.token), Claim(Key(move.new), move.token)
        claims = await self._catalogue.claims()
        target = next((each for each in claims if (each.key, each.token) == (target.key, target.token)), target)
        if not await self._has_arrived(move, target):
            await self._catalogue.give_up(source, target)
            return
        await self._store.sync(target.key)
        with suppress(NotFound):
            await self._store.sync(source.key)
        arrived = None if move.is_of_folder else await self._store.stat(target.key)
        await self._catalogue.release_moved(source, target, arrived)

    async def _has_arrived(self, move: Move, target: Claim) -> bool:
        if await self._is_there(Key(move.old)):
            return False
        if move.is_of_folder:
            with suppress(NotFound):
                return await self._store.folder_identity(Folder(move.new)) == move.identity
            return False
        return await self._committed_under(target) is not None

    async def _is_done(self, claim: Claim) -> bool:
        """Whether a write has come as far as the file, and whoever did it is gone."""
        if self._end_of(claim) is not None or await self._catalogue.move_of(claim) is not None:
            return True
        if claim.is_removal:
            return not await self._is_there(claim.key)
        return await self._committed_under(claim) is not None and not await self._is_held(claim.key)

    def _end_of(self, claim: Claim) -> End | None:
        return next((end for prefix, end in self._ends.items() if claim.token.startswith(prefix)), None)

    async def _is_there(self, key: Key) -> bool:
        if not key.endswith("/"):
            return await has_file(self._store, key)
        try:
            await self._store.folder_identity(Folder(key))
        except NotFound:
            return False
        return True

    async def _claim_of(self, token: str) -> Claim | None:
        return next((claim for claim in await self._catalogue.claims() if claim.token == token), None)

    async def _is_held(self, key: Key) -> bool:
        try:
            return await self._store.is_held(key)
        except (NotFound, IsFolder):
            return False

    async def _committed_under(self, claim: Claim) -> Entry | None:
        try:
            entry = await self._store.stat(claim.key)
        except StorageError:
            return None
        return entry if entry.etag == claim.etag else None
