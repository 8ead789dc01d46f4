"""A store in a dictionary: the contract with nothing below it, for tests and for trying things out."""

import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from storage.claims import folders_above
from storage.errors import (
    DraftBusy,
    FolderInTheWay,
    IsFolder,
    NotFound,
    PreconditionFailed,
    UnderFile,
)
from storage.keys import Folder, Key, name_of
from storage.memory_draft import MemoryDraft, MemoryDraftReader
from storage.memory_trash import MemoryTrash
from storage.model import Entry, Listed, Span, Subfolder
from storage.store import Version


@dataclass(frozen=True, slots=True)
class MemoryReader:
    """One version of a file."""

    entry: Entry
    content: bytes

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `Reader.chunks`."""
        for start in range(span.start, span.stop, chunk_size):
            yield self.content[start : min(start + chunk_size, span.stop)]

    def fileno(self) -> int | None:
        """Never: there is no file."""
        return None

    async def close(self) -> None:
        """See `Reader.close`."""


class MemoryStore:
    """Files in a dictionary; lost with the process."""

    def __init__(self) -> None:
        self.open_drafts: dict[str, MemoryDraft] = {}
        self._files: dict[Key, MemoryReader] = {}
        self._folders: dict[Folder, int] = {}  # those that were made without a file, and when (ns)
        self._versions = itertools.count(1)
        self.trash: MemoryTrash[MemoryReader] = MemoryTrash(self)

    async def start(self) -> None:
        """See `Store.start`."""

    async def close(self) -> None:
        """See `Store.close`."""

    async def open(self, key: Key) -> MemoryReader:
        """See `Store.open`."""
        if key in self._files:
            return self._files[key]
        if self._is_folder(key):
            raise IsFolder(key)
        raise UnderFile(key) if self._is_under_file(key) else NotFound(key)

    async def stat(self, key: Key) -> Entry:
        """See `Store.stat`."""
        return (await self.open(key)).entry

    async def list(self, folder: Folder, *, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        """See `Store.list`."""
        found: dict[str, Listed] = {}
        for key, reader in self._files.items():
            below = key.removeprefix(folder)
            name, slash, _ = below.partition("/")
            if not key.startswith(folder):
                continue
            if slash and not is_recursive:
                found[f"{folder}{name}/"] = Subfolder(Folder(f"{folder}{name}/"), reader.entry.modified_ns)
            else:
                found[key] = reader.entry
        found |= self._made_below(folder, is_recursive=is_recursive)
        if folder and not found and folder not in self._folders:
            raise NotFound(folder)
        return tuple(found[key] for key in sorted(found) if key > after)[:limit]

    async def list_all(
        self, folder: Folder, *, is_recursive: bool, after: str, is_sorted: bool
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.list_all`."""
        del is_sorted
        limit = len(self._files) + len(self._folders)
        if page := await self.list(folder, is_recursive=is_recursive, after=after, limit=limit):
            yield page

    async def search(
        self, folder: Folder, is_meant: Callable[[str], bool], *, after: str
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.search`."""
        files = await self.list(folder, is_recursive=True, after="", limit=len(self._files))
        found: dict[str, Listed] = {each.key: each for each in files if isinstance(each, Entry)}
        for place, each in tuple(found.items()):
            for above in folders_above(place):
                if above.startswith(folder) and above != folder:
                    found.setdefault(above, Subfolder(Folder(above), each.modified_ns))
        made = (each for each in self._folders if each.startswith(folder) and each != folder)
        found |= {each: Subfolder(each, self._folders[each]) for each in made}
        yield tuple(found[key] for key in sorted(found) if key > after and is_meant(name_of(Folder(key))))

    async def draft(self, draft_id: str, *, length: int | None = None, is_lasting: bool = False) -> MemoryDraft:
        """See `Store.draft`; memory never refuses a length, and nothing in it lasts."""
        del length, is_lasting
        self.open_drafts.setdefault(draft_id, MemoryDraft(self, draft_id))
        return await self.open_draft(draft_id)

    async def open_draft(self, draft_id: str, *, synced: Version | None = None) -> MemoryDraft:
        """See `Store.open_draft`."""
        del synced
        if draft_id not in self.open_drafts:
            raise NotFound(draft_id)
        draft = self.open_drafts[draft_id]
        if draft.is_open:
            raise DraftBusy(draft_id)
        draft.is_open = True
        return draft

    async def read_draft(self, draft_id: str) -> MemoryDraftReader:
        """See `Store.read_draft`."""
        if draft_id not in self.open_drafts:
            raise NotFound(draft_id)
        return MemoryDraftReader(self.open_drafts[draft_id])

    async def drafts(self) -> dict[str, int]:
        """See `Store.drafts`."""
        return {draft_id: draft.modified_ns for draft_id, draft in self.open_drafts.items()}

    async def is_held(self, key: Key) -> bool:
        """See `Store.is_held`; a commit here is over in one step."""
        del key
        return False

    async def sync(self, key: Key) -> None:
        """See `Store.sync`."""

    async def check(self) -> None:
        """See `Store.check`."""

    @asynccontextmanager
    async def sole_use(self) -> AsyncIterator[bool]:
        """Always: a dictionary belongs to one process."""
        yield True

    async def delete(self, key: Key) -> None:
        """See `Store.delete`."""
        await self.open(key)
        del self._files[key]

    async def move(self, old: Key, new: Key, *, is_replacing: bool) -> Entry:
        """See `Store.move`."""
        reader = await self.open(old)
        if new in self._files and not is_replacing:
            raise PreconditionFailed(new)
        self._require_free(new)
        del self._files[old]
        moved = self._files[new] = MemoryReader(replace(reader.entry, key=new), reader.content)
        return moved.entry

    async def move_folder(self, old: Folder, new: Folder, *, is_replacing: bool) -> bool:
        """See `Store.move_folder`."""
        await self.folder_identity(old)
        is_new = not self._is_folder(Key(new.removesuffix("/")))
        if not is_new and not is_replacing:
            raise PreconditionFailed(new)
        if any(each.startswith(new) and each != new for each in (*self._files, *self._folders)):
            raise FolderInTheWay(new)
        self._require_no_file(Key(new.removesuffix("/")))
        self.put_in({new + place.removeprefix(old): taken for place, taken in self.take_out(Key(old)).items()})
        return is_new

    async def make_folder(self, folder: Folder) -> bool:
        """See `Store.make_folder`."""
        key = Key(folder.removesuffix("/"))
        self._require_no_file(key)
        is_new = not self._is_folder(key)
        self._folders.setdefault(folder, time.time_ns())
        return is_new

    async def folder_identity(self, folder: Folder) -> str:
        """See `Store.folder_identity`: here no name survives a crash, so a name is enough."""
        if not self._is_folder(Key(folder.removesuffix("/"))):
            raise NotFound(folder)
        return folder

    def take_out(self, place: Key | Folder) -> dict[str, MemoryReader | None]:
        """Remove a file, or all that a folder holds, from its place; of folders there is nothing but the name."""
        files = {key: each for key, each in self._files.items() if key == place or _is_in(key, place)}
        folders = [folder for folder in self._folders if _is_in(folder, place)]
        for key in files:
            del self._files[key]
        for folder in folders:
            del self._folders[folder]
        taken: dict[str, MemoryReader | None] = dict.fromkeys(folders)
        return taken | {str(key): each for key, each in files.items()}

    def put_in(self, taken: Mapping[str, MemoryReader | None]) -> None:
        """Put what was taken out into these places."""
        for place, reader in taken.items():
            if reader is None:
                self._folders[Folder(place)] = time.time_ns()
            else:
                key = Key(place)
                self._files[key] = MemoryReader(replace(reader.entry, key=key), reader.content)

    def put(self, key: Key, content: bytes) -> Entry:
        """Store a file at once. Raises FolderInTheWay."""
        self._require_free(key)
        version = str(next(self._versions))
        entry = Entry(key, len(content), time.time_ns(), etag=version, identity=version)
        self._files[key] = MemoryReader(entry, content)
        return entry

    def _made_below(self, folder: Folder, *, is_recursive: bool) -> dict[str, Listed]:
        """The folders that were made in a folder and may hold nothing."""
        made: dict[str, Listed] = {}
        for each, modified_ns in self._folders.items():
            name, slash, _ = each.removeprefix(folder).partition("/")
            if each.startswith(folder) and slash and not is_recursive:
                made[f"{folder}{name}/"] = Subfolder(Folder(f"{folder}{name}/"), modified_ns)
        return made

    def _require_free(self, key: Key) -> None:
        if self._is_folder(key) or self._is_under_file(key):
            raise FolderInTheWay(key)

    def _require_no_file(self, key: Key) -> None:
        if key in self._files or self._is_under_file(key):
            raise FolderInTheWay(key)

    def _is_under_file(self, key: Key) -> bool:
        folders = itertools.accumulate(key.split("/")[:-1], "{}/{}".format)
        return any(Key(folder) in self._files for folder in folders)

    def _is_folder(self, key: Key) -> bool:
        return any(other.startswith(key + "/") for other in (*self._files, *self._folders))


def _is_in(place: str, folder: str) -> bool:
    return folder.endswith("/") and place.startswith(folder)
