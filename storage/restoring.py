"""The way out of the trash.

First the claims to the places, then the facts of what is in folders (a file that is there has the etag that it had),
the renames, and the facts of single files with the end of the claims. What a crash leaves is told by where things are:
those that have left the trash have come back, and the facts of the others return to it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.about import Renamed
from storage.catalogue import Catalogue, Claim
from storage.claiming import Claiming
from storage.errors import PreconditionFailed, StorageError
from storage.keys import Key
from storage.model import Entry, Listed, Subfolder
from storage.remembered import version_of
from storage.removal import Place, Removal, Removed, restored, trashed
from storage.trash_keeper import Given, HeldRemoval, TrashKeeper
from storage.trash_records import (
    MovedFile,
    batches,
    end_claims,
    has_facts_ahead,
    identity_of,
    mark_facts_ahead,
    move_files,
    move_folder,
    number_of,
    removal_of,
    restoring,
    tell_restored,
)

_MOST_TRIES = 1000  # names that are tried for one thing


@dataclass(frozen=True, slots=True)
class Restored:
    """Where things are that have come back, by their numbers, and the old places of those that are elsewhere now."""

    places: Mapping[int, Place]
    taken: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Return:
    """One thing on its way back, as it is in the trash, with the claim to its place."""

    number: int
    place: Place
    kept: Listed
    claim: Claim


class Restoring:
    """The way out of one library's trash."""

    def __init__(self, catalogue: Catalogue, claiming: Claiming, keeper: TrashKeeper) -> None:
        self._catalogue = catalogue
        self._claiming = claiming
        self._keeper = keeper

    async def restore(self, held: HeldRemoval, removal: Removal) -> Restored:
        """Put back all that can be; each under the first name beside its own that is free. See `Trash.restore`."""
        places: dict[int, Place] = {}
        refused: dict[int, StorageError] = {}
        left: Mapping[int, Removed] = removal.items
        for attempt in range(_MOST_TRIES):
            tried = {number: restored(item.place, attempt) for number, item in left.items()}
            given = await self._round(held, removal.id, tried)
            refused |= {number: each for number, each in given.items() if isinstance(each, StorageError)}
            places |= {number: tried[number] for number, each in given.items() if not isinstance(each, StorageError)}
            left = {number: left[number] for number, each in given.items() if isinstance(each, PreconditionFailed)}
            if not left:
                break
        if refused and not places:
            raise next(iter(refused.values()))
        return Restored(places, tuple(removal.items[number].place for number in places if number in refused))

    async def finish(self, held: HeldRemoval, claims: Sequence[Claim]) -> None:
        """Do what is left of a dead process's work under these claims."""
        here = await held.find([number_of(claim) for claim in claims])
        for claim in claims:
            kept = here.get(number_of(claim))
            arrived = await self._arrived(claim) if kept is None else None
            async with self._catalogue.keeping() as connection:
                if isinstance(kept, Subfolder) and has_facts_ahead(claim):
                    await move_folder(connection, claim.key, kept.folder)
                if arrived is not None:
                    await _record_arrived(connection, claim, arrived)
                await end_claims(connection, [claim])

    async def _round(self, held: HeldRemoval, removal_id: str, places: Mapping[int, Place]) -> Mapping[int, Given]:
        """Put back what can be, each in the place of its number; why the others could not."""
        returns = await self._returns(held, removal_id, places)
        if not returns:
            return {}
        async with self._claiming.claimed(*(each.claim for each in returns)) as outcome:
            looks = await self._keeper.look([each.place for each in returns])
            coming = {each.number: each for each, look in zip(returns, looks, strict=True) if look is None}
            given: dict[int, Given] = {
                each.number: PreconditionFailed(each.place) for each in returns if each.number not in coming
            }
            await self._move_folders_ahead(coming.values())
            given |= await held.give_back({number: each.place for number, each in coming.items()})
            outcome.record = partial(self._record, returns, frozenset(coming), given)
        return given

    async def _returns(self, held: HeldRemoval, removal_id: str, places: Mapping[int, Place]) -> Sequence[_Return]:
        kept = await held.find(places)
        digests: dict[Key, bytes | None] = {}
        for some in batches([each for each in kept.values() if isinstance(each, Entry)]):
            facts = await self._catalogue.facts_of(some, are_neighbours=False)
            digests |= {each.key: facts[version_of(each)].sha256 for each in some if version_of(each) in facts}
        return [
            _Return(number, places[number], each, restoring(removal_id, number, places[number], each, digests))
            for number, each in kept.items()
        ]

    async def _move_folders_ahead(self, returns: Iterable[_Return]) -> None:
        async with self._catalogue.keeping() as connection:
            for each in returns:
                if isinstance(each.kept, Subfolder):
                    await move_folder(connection, each.kept.folder, each.place)
                    await mark_facts_ahead(connection, each.claim)

    async def _record(self, returns: Sequence[_Return], coming: frozenset[int], given: Mapping[int, Given]) -> None:
        """Let the facts of files follow them, those of folders that stay return, tell of the others, end the claims."""
        for some in batches(returns):
            async with self._catalogue.keeping() as connection:
                await move_files(connection, list(_moved(some, given)))
                for each in some:
                    match given.get(each.number), each.kept:
                        case Entry() as now, _:
                            await tell_restored(connection, each.claim, now.size, now.identity)
                        case Subfolder(), _:
                            await tell_restored(connection, each.claim, None, None)
                        case _, Subfolder(folder) if each.number in coming:
                            await move_folder(connection, each.place, folder)
                await end_claims(connection, [each.claim for each in some])

    async def _arrived(self, claim: Claim) -> Removed | None:
        """What a dead process has put back under a claim, if it is still there."""
        (found,) = await self._keeper.look([claim.key])
        is_it = found is not None and (found.identity is None or found.identity.startswith(claim.etag or ""))
        return found if is_it else None


def _moved(returns: Sequence[_Return], given: Mapping[int, Given]) -> Iterator[MovedFile]:
    for each in returns:
        now = given.get(each.number)
        if isinstance(now, Entry) and isinstance(each.kept, Entry):
            yield MovedFile(each.kept.key, now.key, Renamed(each.kept.identity, now.identity))


async def _record_arrived(connection: AsyncConnection, claim: Claim, arrived: Removed) -> None:
    """Let the facts of a file follow it, and tell of it. Those of a folder came before it."""
    if arrived.identity is not None:
        old = trashed(removal_of(claim), number_of(claim))
        before = await identity_of(connection, old, claim.etag or "")
        await move_files(connection, [MovedFile(old, claim.key, Renamed(before, arrived.identity))])
    await tell_restored(connection, claim, arrived.size, arrived.identity)
