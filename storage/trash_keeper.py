"""The contract of a store's trash, in words. Every keeper passes `tests/storage/conformance/test_trash.py`.

A removal is what was removed at once. Its files and folders leave their places whole, each in one step; whoever has one
open goes on reading it. What is kept of them is found again by their numbers, which are their places in the list that
is written down, durably, before the first of them leaves. A removal without a list cannot be restored.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from storage.errors import StorageError
from storage.model import Listed
from storage.removal import Place, Removal, Removed

Given: TypeAlias = Listed | StorageError
"""What has come into its place, or why it has not."""


class HeldRemoval(Protocol):
    """A removal in the trash that nobody else has, in this process or another; a dead one's is free at once.

    Whoever holds it closes it; closing twice is fine.
    """

    async def removal(self) -> Removal | None:
        """What is listed and still here; None where there is no list."""
        ...

    async def find(self, numbers: Iterable[int]) -> Mapping[int, Listed]:
        """What there is of these numbers, under the keys that it has in the trash."""
        ...

    async def take(self, places: Mapping[int, Place]) -> Mapping[int, Listed]:
        """Take files and folders out of their places, durably: what has come here, as `find` shows it.

        Those that cannot be taken stay. Raises NotFound, OtherFileSystem, NoSpace where that is all of them; NotKept.
        """
        ...

    async def give_back(self, places: Mapping[int, Place]) -> Mapping[int, Given]:
        """Put files and folders into places, durably, and over nothing; missing folders are made. Raises NotKept.

        What could not be given back stays here: PreconditionFailed where something has the name, FolderInTheWay.
        """
        ...

    async def destroy(self) -> None:
        """Remove it and all that is left in it: its list first. Closed then, also where somebody leaves meanwhile."""
        ...

    async def close(self) -> None:
        """Let go of it and keep it."""
        ...


class TrashKeeper(Protocol):
    """Where a store keeps what was removed."""

    async def look(self, places: Sequence[Place]) -> tuple[Removed | None, ...]:
        """What is in these places; None for nothing, and for what has not the kind that is meant.

        Raises OtherFileSystem for what lies where no rename reaches.
        """
        ...

    async def begin(self, removal_id: str, items: Sequence[Removed] | None) -> HeldRemoval:
        """A new removal with its list, durably, and nothing in it yet; without a list where it is for good.

        Raises ReadOnlyStore, NoSpace, NotKept.
        """
        ...

    async def hold(self, removal_id: str) -> HeldRemoval:
        """A removal that is there. Raises NotFound, KeyBusy while another has it."""
        ...

    async def read(self, removal_id: str) -> Removal:
        """A removal, whoever has it. Raises NotFound, also for one without a list."""
        ...

    async def ids(self) -> Mapping[str, bool]:
        """All removals, the newest first, and whether they have lists."""
        ...
