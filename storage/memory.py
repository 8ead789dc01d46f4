"""A store in a dictionary: the contract with nothing below it, for tests and for trying things out."""

import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from storage.errors import DraftBusy, FolderInTheWay, IsFolder, NotFound, OffsetMismatch, StoreDamaged, UnderFile
from storage.keys import Folder, Key
from storage.model import Entry, Listed, Span, Subfolder
from storage.store import DraftState, Fate, Hash, Version


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


@dataclass(slots=True)
class MemoryDraft:
    """Bytes being gathered."""

    store: "MemoryStore"
    draft_id: str
    content: bytearray = field(default_factory=bytearray)
    modified_ns: int = field(default_factory=time.time_ns)
    is_open: bool = False
    is_writing: bool = False
    fate: Fate = Fate.OPEN

    @property
    def size(self) -> int:
        """See `Draft.size`."""
        return len(self.content)

    @property
    def version(self) -> Version:
        """See `Draft.version`."""
        return self.size, self.modified_ns

    async def append(
        self, offset: int, chunks: AsyncIterable[bytes], *, size: int | None = None, hashes: Sequence[Hash] = ()
    ) -> int:
        """See `Draft.append`."""
        del size
        if self.is_writing:
            raise DraftBusy(self.draft_id)
        if offset != self.size:
            raise OffsetMismatch(self.size, offset)
        self.is_writing = True
        try:
            async for chunk in chunks:
                self.content += chunk
                self.modified_ns = time.time_ns()
                for each in hashes:
                    each.update(chunk)
        finally:
            self.is_writing = False
        return self.size

    async def truncate(self, size: int) -> None:
        """See `Draft.truncate`."""
        del self.content[size:]
        self.modified_ns = time.time_ns()

    async def written_until(self, offset: int) -> int:
        """See `Draft.written_until`."""
        del offset
        return self.size

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `Draft.chunks`."""
        for start in range(span.start, span.stop, chunk_size):
            yield bytes(self.content[start : min(start + chunk_size, span.stop)])

    def committed_etag(self) -> str | None:
        """Not known before: versions are numbered as they come."""
        return None

    async def commit(self, key: Key) -> Entry:
        """See `Draft.commit`."""
        entry = self.store.put(key, bytes(self.content))
        self.store.open_drafts.pop(self.draft_id, None)
        self.fate = Fate.COMMITTED
        return entry

    async def discard(self) -> bool:
        """See `Draft.discard`."""
        if self.fate is not Fate.OPEN:
            return False
        self.store.open_drafts.pop(self.draft_id, None)
        self.fate = Fate.DISCARDED
        return True

    async def close(self) -> None:
        """See `Draft.close`."""
        self.is_open = False


@dataclass(frozen=True, slots=True)
class MemoryDraftReader:
    """A draft seen by those who do not write it."""

    draft: MemoryDraft

    def look(self) -> DraftState:
        """See `DraftReader.look`."""
        return DraftState(self.draft.size, self.draft.modified_ns, self.draft.fate)

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """See `DraftReader.chunks`."""
        async with aclosing(self.draft.chunks(span, chunk_size)) as chunks:
            async for chunk in chunks:
                if self.draft.size < span.stop or self.draft.fate is Fate.DISCARDED:
                    raise StoreDamaged(self.draft.draft_id)
                yield chunk

    async def close(self) -> None:
        """See `DraftReader.close`."""


class MemoryStore:
    """Files in a dictionary; lost with the process."""

    def __init__(self) -> None:
        self.open_drafts: dict[str, MemoryDraft] = {}
        self._files: dict[Key, MemoryReader] = {}
        self._versions = itertools.count(1)

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
        if folder and not found:
            raise NotFound(folder)
        return tuple(found[key] for key in sorted(found) if key > after)[:limit]

    async def list_all(
        self, folder: Folder, *, is_recursive: bool, after: str, is_sorted: bool
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """See `Store.list_all`."""
        del is_sorted
        if page := await self.list(folder, is_recursive=is_recursive, after=after, limit=len(self._files)):
            yield page

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

    def put(self, key: Key, content: bytes) -> Entry:
        """Store a file at once. Raises FolderInTheWay."""
        if self._is_folder(key) or self._is_under_file(key):
            raise FolderInTheWay(key)
        version = str(next(self._versions))
        entry = Entry(key, len(content), time.time_ns(), etag=version, identity=version)
        self._files[key] = MemoryReader(entry, content)
        return entry

    def _is_under_file(self, key: Key) -> bool:
        folders = itertools.accumulate(key.split("/")[:-1], "{}/{}".format)
        return any(Key(folder) in self._files for folder in folders)

    def _is_folder(self, key: Key) -> bool:
        return any(other.startswith(key + "/") for other in self._files)
