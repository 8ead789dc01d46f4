"""Entries with what is known of them, by the page; nothing is found out for a listing."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from storage.catalogue import Catalogue, Facts
from storage.keys import Folder
from storage.model import Entry, Listed
from storage.remembered import Remembered, version_of
from storage.store import Store

_AT_ONCE = 256  # entries of a listing between two turns of the event loop, about 2 ms


def with_facts(entry: Entry, facts: Facts) -> Entry:
    """The strong etag is the digest where it was taken while the bytes arrived, else the store's own."""
    etag = entry.etag if facts.sha256 is None else facts.sha256.hex()
    return replace(entry, etag=etag, sha256=facts.sha256 or facts.learned_sha256, media_type=facts.media_type)


@dataclass(frozen=True, slots=True)
class Listings:
    """What the store lists, described by the catalogue. Between pages no connection to it is held."""

    store: Store
    catalogue: Catalogue
    remembered: Remembered

    async def page(self, folder: Folder, *, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        """See `Store.list`."""
        listed = await self.store.list(folder, is_recursive=is_recursive, after=after, limit=limit)
        return await self._described(listed, are_neighbours=is_recursive)

    async def pages(
        self, folder: Folder, *, is_recursive: bool, after: str, is_sorted: bool
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.list_all`."""
        listed = self.store.list_all(folder, is_recursive=is_recursive, after=after, is_sorted=is_sorted)
        async with aclosing(listed) as pages:
            async for page in pages:
                yield await self._described(page, are_neighbours=is_recursive and is_sorted)

    async def search(
        self, folder: Folder, is_meant: Callable[[str], bool], *, after: str = ""
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.search`."""
        async with aclosing(self.store.search(folder, is_meant, after=after)) as pages:
            async for page in pages:
                yield await self._described(page, are_neighbours=False)

    async def _described(self, page: Sequence[Listed], *, are_neighbours: bool) -> tuple[Listed, ...]:
        described: list[Listed] = []
        for start in range(0, len(page), _AT_ONCE):
            described += await self._some_described(page[start : start + _AT_ONCE], are_neighbours=are_neighbours)
        return tuple(described)

    async def _some_described(self, listed: Sequence[Listed], *, are_neighbours: bool) -> Iterable[Listed]:
        files = [each for each in listed if isinstance(each, Entry)]
        known = {version_of(each): self.remembered.recall(version_of(each)) for each in files}
        others = [each for each in files if known[version_of(each)] is None]
        if others:
            facts = await self.catalogue.facts_of(others, are_neighbours=are_neighbours)
            for each in others:
                if version_of(each) in facts:
                    known[version_of(each)] = with_facts(each, facts[version_of(each)])
        return [known[version_of(each)] or each if isinstance(each, Entry) else each for each in listed]
