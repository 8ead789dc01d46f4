"""Files and folders that were removed, kept for a while so that they can come back as they were.

A removal takes them out of their places whole, in a rename each, and what is known of them goes along: digests, words,
positions. The order of writes is decided here. Into the trash: the claims, the list of what is to come, the renames,
the facts with the end of the claims. Whoever finds the claims of a dead process looks at what has come into the trash
and records that; what has not is where it was. Out of it: see `storage.restoring`. For good: the facts, the list, the
bytes; bytes without a list are garbage that the sweep collects.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import anyio

from storage.about import Renamed, delete_all_about, move_all_about
from storage.catalogue import Catalogue, Claim
from storage.claiming import Claiming
from storage.errors import KeyBusy, NotFound, StorageError
from storage.keys import Folder, Key
from storage.model import Entry, Listed
from storage.removal import Place, Removal, Removed, new_removal_id, outermost, removed_at_ms
from storage.restoring import Restored, Restoring
from storage.trash_keeper import HeldRemoval, TrashKeeper
from storage.trash_records import (
    REMOVING,
    RESTORING,
    MovedFile,
    batches,
    claims_about,
    end_claims,
    forget_removal,
    is_restoring,
    move_files,
    number_of,
    removal_of,
    removing,
    tell_removed,
)

_ONLY = 0  # the number of what is removed for good, by itself


class Trash:
    """What was removed from one library."""

    def __init__(self, keeper: TrashKeeper, catalogue: Catalogue, claiming: Claiming) -> None:
        self._keeper = keeper
        self._catalogue = catalogue
        self._claiming = claiming
        self._restoring = Restoring(catalogue, claiming, keeper)
        claiming.entrust(REMOVING, self._end)
        claiming.entrust(RESTORING, self._end)

    async def remove(self, places: Iterable[Place]) -> Removal:
        """Take files and folders out of their places; what of them is in the trash then, in the order of their keys.

        What lies in a folder that is among them goes with it. Raises NotFound where one is not there, KeyBusy,
        OtherFileSystem, NoSpace, ReadOnlyStore; what cannot be moved stays, and is not in the answer.
        """
        wanted = outermost(places)
        await self._looked(wanted)
        removal_id = new_removal_id()
        claims = [removing(removal_id, number, place) for number, place in enumerate(wanted)]
        async with AsyncExitStack() as stack, self._claiming.claimed(*claims) as outcome:
            items = await self._looked(wanted)
            # held until its claims have ended: whoever has it and finds some takes their owner for dead
            held = await stack.enter_async_context(_closing(await self._keeper.begin(removal_id, items)))
            taken = await _taken(held, wanted)
            outcome.record = partial(self._record, items, claims, taken)
        return Removal(removal_id, {number: items[number] for number in taken})

    async def remove_for_good(self, folder: Folder) -> None:
        """Remove a folder with all that is in it: it leaves its place in one step, and is taken apart after.

        Raises NotFound, KeyBusy, OtherFileSystem, NoSpace, ReadOnlyStore.
        """
        await self._looked((folder,))
        claim = removing(removal_id := new_removal_id(), _ONLY, folder)
        async with AsyncExitStack() as stack:
            async with self._claiming.claimed(claim) as outcome:
                held = await stack.enter_async_context(_closing(await self._keeper.begin(removal_id, None)))
                await _taken(held, (folder,))
                outcome.record = partial(self._record_for_good, claim)
            await held.destroy()

    async def restore(self, removal_id: str) -> Restored:
        """Put all of a removal back, over nothing: under another name where its own is taken.

        Raises NotFound, KeyBusy, and FolderInTheWay where nothing can come back; what cannot stays in the trash.
        """
        async with self._held(removal_id) as held:
            removal = await held.removal()
            if removal is None:
                raise NotFound(removal_id)
            restored = await self._restoring.restore(held, removal)
            if len(restored.places) == len(removal.items):
                with anyio.CancelScope(shield=True):
                    await held.destroy()
            return restored

    async def read(self, removal_id: str) -> Removal:
        """A removal that can be restored. Raises NotFound."""
        removal = await self._keeper.read(removal_id)
        if not removal.items:
            raise NotFound(removal_id)
        return removal

    async def page(self, *, before: str, limit: int) -> tuple[Removal, ...]:
        """Up to `limit` removals that can be restored, the newest first, from the first that is older than `before`.

        An empty `before` is younger than all.
        """
        found: list[Removal] = []
        for removal_id, has_list in (await self._keeper.ids()).items():
            if has_list and (not before or removal_id < before):
                with suppress(NotFound):  # restored since
                    found.append(await self.read(removal_id))
            if len(found) == limit:
                break
        return tuple(found)

    async def forget(self, removal_id: str) -> None:
        """Remove for good what is in the trash. Raises NotFound, KeyBusy."""
        async with self._held(removal_id) as held:
            await self._forget(removal_id, held)

    async def empty(self) -> None:
        """Remove for good all that is in the trash but for what is just coming or going."""
        await self._forget_all((await self._keeper.ids()).keys())

    async def sweep(self, lifetime_s: float) -> None:
        """Remove for good what has been in the trash for so long, and what a crash has left without a list."""
        due_ms = time.time_ns() // 1_000_000 - lifetime_s * 1000
        ids = await self._keeper.ids()
        await self._forget_all(each for each, has_list in ids.items() if not has_list or removed_at_ms(each) < due_ms)

    async def _looked(self, places: Sequence[Place]) -> tuple[Removed, ...]:
        """What is in these places. Raises NotFound."""
        looks = await self._keeper.look(places)
        if None in looks:
            raise NotFound(places[looks.index(None)])
        return tuple(look for look in looks if look is not None)

    @asynccontextmanager
    async def _held(self, removal_id: str) -> AsyncIterator[HeldRemoval]:
        """A removal that nobody else has for the length of the block, with what a dead process left of it done."""
        async with _closing(await self._keeper.hold(removal_id)) as held:
            async with self._catalogue.reading() as connection:
                claims = await claims_about(connection, removal_id)
            if claims:
                await self._finish(held, claims)
            yield held

    async def _forget_all(self, removal_ids: Iterable[str]) -> None:
        """Forget all that nobody has; what cannot be removed keeps none of the others. Raises what stood in the way."""
        refused: StorageError | None = None
        for removal_id in removal_ids:
            try:
                await self.forget(removal_id)
            except (NotFound, KeyBusy):
                continue
            except StorageError as error:
                refused = error
        if refused is not None:
            raise refused

    async def _forget(self, removal_id: str, held: HeldRemoval) -> None:
        async with self._catalogue.keeping() as connection:
            await forget_removal(connection, removal_id)
        await held.destroy()

    async def _end(self, claim: Claim) -> None:
        """Do what is left of a dead process's work under a claim, and under all others of the same removal."""
        with suppress(KeyBusy):  # it is not dead
            try:
                async with self._held(removal_of(claim)):
                    return
            except NotFound:
                await self._catalogue.give_up(claim)

    async def _finish(self, held: HeldRemoval, claims: Sequence[Claim]) -> None:
        await self._restoring.finish(held, [claim for claim in claims if is_restoring(claim)])
        begun = [claim for claim in claims if not is_restoring(claim)]
        found = await held.find([number_of(claim) for claim in begun])
        removal = await held.removal()
        if removal is not None:
            await self._record(removal.items, begun, found)
        elif found:
            await self._record_for_good(begun[0])
        else:
            await self._catalogue.give_up(*begun)

    async def _record(
        self, items: Mapping[int, Removed] | Sequence[Removed], claims: Sequence[Claim], found: Mapping[int, Listed]
    ) -> None:
        """Let what is known follow what is in the trash, tell of it and end the claims, some at a time."""
        for some in batches(claims):
            done = [(items[number_of(claim)], found[number_of(claim)]) for claim in some if number_of(claim) in found]
            async with self._catalogue.keeping() as connection:
                await move_files(connection, [_moved(item, now) for item, now in done if isinstance(now, Entry)])
                for item, now in done:
                    if not isinstance(now, Entry):
                        await move_all_about(connection, item.place, now.folder)
                await tell_removed(connection, [item.place for item, _ in done])
                await end_claims(connection, some)

    async def _record_for_good(self, claim: Claim) -> None:
        async with self._catalogue.keeping() as connection:
            await delete_all_about(connection, claim.key)
            await tell_removed(connection, [Folder(claim.key)])
            await end_claims(connection, [claim])


async def _taken(held: HeldRemoval, places: Sequence[Place]) -> Mapping[int, Listed]:
    """What a new removal has got of these places. Where that is nothing, it is removed again."""
    try:
        return await held.take(dict(enumerate(places)))
    except StorageError:
        if not await held.find(range(len(places))):
            await held.destroy()
        raise


def _moved(item: Removed, now: Entry) -> MovedFile:
    return MovedFile(Key(item.place), now.key, Renamed(item.identity or "", now.identity))


@asynccontextmanager
async def _closing(held: HeldRemoval) -> AsyncIterator[HeldRemoval]:
    try:
        yield held
    finally:
        with anyio.CancelScope(shield=True):
            await held.close()
