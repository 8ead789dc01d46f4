"""What is known of files before they are removed and after, and servers that die at a given step of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from storage import (
    ROOT,
    Entry,
    Folder,
    Key,
    Listed,
    NewComment,
    NewPosition,
    NotKept,
    Place,
    Removal,
    Removed,
    Trash,
    schema,
)
from storage.trash_keeper import Given, HeldRemoval, TrashKeeper
from tests.storage.conftest import pieces
from tests.storage.sites import OWNER, Site

Step: TypeAlias = Literal["begin", "take", "take half", "give_back", "give_back half", "before give_back", "destroy"]


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a file."""

    etag: str
    sha256: bytes | None
    media_type: str | None
    modified_ns: int
    words: tuple[str, ...]
    position_s: float


def places(*texts: str) -> list[Place]:
    """Files, and folders where a text ends in `/`."""
    return [Folder(text) if text.endswith("/") else Key(text) for text in texts]


async def removed(site: Site, *texts: str) -> str:
    """Remove these; the id that they come back by."""
    return (await site.library.trash.remove(places(*texts))).id


async def store(site: Site, key: str, content: bytes = b"content") -> None:
    """Store a file."""
    async with site.library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
        await site.library.commit(received, Key(key))


async def store_known(site: Site, *keys: str) -> dict[str, Known]:
    """Store files of which much is known: digest and type, a comment, a position."""
    for key in keys:
        await store(site, key, f"content of {key}".encode())
        await site.library.comments.add(Key(key), NewComment(f"about {key}"))
        await site.library.positions.keep(Key(key), OWNER, NewPosition(7.5))
    return {key: await known(site, key) for key in keys}


async def known(site: Site, key: str) -> Known:
    """What is known of a stored file."""
    async with site.library.open(Key(key)) as reader:
        entry = await site.library.describe(reader)
    page = await site.library.comments.page(Key(key), after=0, limit=10)
    words = tuple(comment.text for comment in page.comments)
    position = await site.library.positions.get(Key(key), OWNER)
    return Known(entry.etag, entry.sha256, entry.media_type, entry.modified_ns, words, position.position_s)


async def stored(site: Site) -> list[str]:
    """The keys of all files."""
    pages = site.library.list_all(ROOT, is_recursive=True)
    return [each.key async for page in pages for each in page if isinstance(each, Entry)]


async def facts_left(site: Site) -> dict[str, int]:
    """How many rows there are about files, and how many claims, by the tables that have any."""
    tables = (*_ABOUT_FILES, schema.claims)
    async with site.catalogue.reading() as connection:
        rows = {table.name: len((await connection.execute(table.select())).all()) for table in tables}
    return {name: count for name, count in rows.items() if count}


_ABOUT_FILES = (
    schema.digests,
    schema.learned_digests,
    schema.media_types,
    schema.comments,
    schema.positions,
    schema.wanted_digests,
)


async def told(site: Site) -> list[str]:
    """What the feed says of files and folders, in its order."""
    changes = await site.library.changes.after(0)
    return [f"{change.kind} {change.key}" for change in changes if change.kind not in ("upload", "comment")]


def dying(site: Site, step: Step) -> Trash:
    """The trash of a site that does the step and then nothing more: its claims stay as a killed process leaves them."""
    return Trash(_Dying(site.store.trash, step), site.catalogue, site.library.claiming)


class _Dying:
    def __init__(self, keeper: TrashKeeper, step: Step) -> None:
        self._keeper = keeper
        self._step = step

    async def look(self, places: Sequence[Place]) -> tuple[Removed | None, ...]:
        return await self._keeper.look(places)

    async def begin(self, removal_id: str, items: Sequence[Removed] | None) -> HeldRemoval:
        held = await self._keeper.begin(removal_id, items)
        if self._step == "begin":
            await held.close()
            raise NotKept(self._step)
        return _DyingHeld(held, self._step)

    async def hold(self, removal_id: str) -> HeldRemoval:
        return _DyingHeld(await self._keeper.hold(removal_id), self._step)

    async def read(self, removal_id: str) -> Removal:
        return await self._keeper.read(removal_id)

    async def ids(self) -> Mapping[str, bool]:
        return await self._keeper.ids()


class _DyingHeld:
    def __init__(self, held: HeldRemoval, step: Step) -> None:
        self._held = held
        self._step = step

    async def removal(self) -> Removal | None:
        return await self._held.removal()

    async def find(self, numbers: Iterable[int]) -> Mapping[int, Listed]:
        return await self._held.find(numbers)

    async def take(self, places: Mapping[int, Place]) -> Mapping[int, Listed]:
        if self._step == "take half":
            await self._held.take(_half(places))
        elif self._step == "take":
            await self._held.take(places)
        else:
            return await self._held.take(places)
        raise NotKept(self._step)

    async def give_back(self, places: Mapping[int, Place]) -> Mapping[int, Given]:
        if self._step == "give_back half":
            await self._held.give_back(_half(places))
        elif self._step == "give_back":
            await self._held.give_back(places)
        elif self._step != "before give_back":
            return await self._held.give_back(places)
        raise NotKept(self._step)

    async def destroy(self) -> None:
        if self._step == "destroy":
            raise NotKept(self._step)
        await self._held.destroy()

    async def close(self) -> None:
        await self._held.close()


def _half(places: Mapping[int, Place]) -> Mapping[int, Place]:
    return dict(list(places.items())[: len(places) // 2])
