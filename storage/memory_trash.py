"""The trash of a store in a dictionary; lost with the process, like the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from storage.errors import IsFolder, KeyBusy, NotFound, PreconditionFailed, StorageError
from storage.keys import Folder, Key
from storage.model import Entry, Listed, Subfolder
from storage.removal import Place, Removal, Removed, is_folder, trashed
from storage.trash_keeper import Given


class Version(Protocol):
    """One version of a file."""

    @property
    def entry(self) -> Entry:
        """What is known of it."""
        ...


V = TypeVar("V", bound=Version)


class Places(Protocol[V]):
    """The store that things leave and come back to."""

    async def stat(self, key: Key, /) -> Entry:
        """See `Store.stat`."""
        ...

    async def folder_identity(self, folder: Folder, /) -> str:
        """See `Store.folder_identity`."""
        ...

    async def make_folder(self, folder: Folder, /) -> bool:
        """See `Store.make_folder`."""
        ...

    def take_out(self, place: Place, /) -> dict[str, V | None]:
        """Remove a file, or a folder with all that is in it, from its place."""
        ...

    def put_in(self, taken: Mapping[str, V | None], /) -> None:
        """Put what was taken out into these places."""
        ...


@dataclass(slots=True)
class _Kept(Generic[V]):
    """What is in the trash of one removal: by number where it was, and all that was there."""

    items: Sequence[Removed] | None
    content: dict[int, tuple[Place, dict[str, V | None]]] = field(default_factory=dict)
    is_held: bool = False


class MemoryTrash(Generic[V]):
    """What was removed from a dictionary."""

    def __init__(self, places: Places[V]) -> None:
        self.places = places
        self.kept: dict[str, _Kept[V]] = {}

    async def look(self, places: Sequence[Place]) -> tuple[Removed | None, ...]:
        """See `TrashKeeper.look`."""
        return tuple([await self.look_at(place) for place in places])

    async def look_at(self, place: Place) -> Removed | None:
        """What is in a place."""
        try:
            if is_folder(place):
                await self.places.folder_identity(Folder(place))
                return Removed(place)
            entry = await self.places.stat(Key(place))
        except (NotFound, IsFolder):
            return None
        return Removed(place, entry.size, entry.identity)

    async def begin(self, removal_id: str, items: Sequence[Removed] | None) -> "MemoryHeldRemoval[V]":
        """See `TrashKeeper.begin`."""
        self.kept[removal_id] = _Kept(items)
        return await self.hold(removal_id)

    async def hold(self, removal_id: str) -> "MemoryHeldRemoval[V]":
        """See `TrashKeeper.hold`."""
        if removal_id not in self.kept:
            raise NotFound(removal_id)
        if self.kept[removal_id].is_held:
            raise KeyBusy(removal_id)
        self.kept[removal_id].is_held = True
        return MemoryHeldRemoval(self, removal_id)

    async def read(self, removal_id: str) -> Removal:
        """See `TrashKeeper.read`."""
        kept = self.kept.get(removal_id)
        if kept is None or kept.items is None:
            raise NotFound(removal_id)
        return Removal(removal_id, {number: kept.items[number] for number in sorted(kept.content)})

    async def ids(self) -> Mapping[str, bool]:
        """See `TrashKeeper.ids`."""
        return {removal_id: self.kept[removal_id].items is not None for removal_id in sorted(self.kept, reverse=True)}


class MemoryHeldRemoval(Generic[V]):
    """One removal, until it is closed."""

    def __init__(self, trash: MemoryTrash[V], removal_id: str) -> None:
        self._trash = trash
        self._id = removal_id
        self._kept = trash.kept[removal_id]

    async def removal(self) -> Removal | None:
        """See `HeldRemoval.removal`."""
        return None if self._kept.items is None else await self._trash.read(self._id)

    async def find(self, numbers: Iterable[int]) -> Mapping[int, Listed]:
        """See `HeldRemoval.find`."""
        return {number: self._found(number) for number in numbers if number in self._kept.content}

    async def take(self, places: Mapping[int, Place]) -> Mapping[int, Listed]:
        """See `HeldRemoval.take`."""
        for number, place in places.items():
            if await self._trash.look_at(place) is not None:
                self._kept.content[number] = place, self._trash.places.take_out(place)
        if not self._kept.content:
            raise NotFound(next(iter(places.values())))
        return await self.find(places)

    async def give_back(self, places: Mapping[int, Place]) -> Mapping[int, Given]:
        """See `HeldRemoval.give_back`."""
        return {number: await self._given(number, place) for number, place in places.items()}

    async def destroy(self) -> None:
        """See `HeldRemoval.destroy`."""
        self._trash.kept.pop(self._id, None)

    async def close(self) -> None:
        """See `HeldRemoval.close`."""
        self._kept.is_held = False

    def _found(self, number: int) -> Listed:
        place, content = self._kept.content[number]
        version = content.get(place)
        if version is None:
            return Subfolder(Folder(f"{trashed(self._id, number)}/"), 0)
        return replace(version.entry, key=trashed(self._id, number))

    async def _given(self, number: int, place: Place) -> Given:
        if number not in self._kept.content:
            return NotFound(place)
        name = place.rstrip("/")
        if any([await self._trash.look_at(each) for each in (Key(name), Folder(f"{name}/"))]):
            return PreconditionFailed(place)
        above, slash, _ = name.rpartition("/")
        try:
            if slash:
                await self._trash.places.make_folder(Folder(f"{above}/"))
        except StorageError as error:
            return error
        old, content = self._kept.content.pop(number)
        self._trash.places.put_in({place + each.removeprefix(old): version for each, version in content.items()})
        if is_folder(place):
            return Subfolder(Folder(place), 0)
        return await self._trash.places.stat(Key(place))
