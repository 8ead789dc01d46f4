"""The contract of a store, in words. Every keeper passes `tests/storage/conformance`.

Bytes are kept by key. A file is only ever replaced whole: who opened it goes on reading the version that was opened.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, TypeAlias

from storage.keys import Folder, Key
from storage.model import Entry, Listed, Span
from storage.trash_keeper import TrashKeeper


class Hash(Protocol):
    """What `hashlib` makes."""

    def update(self, block: bytes, /) -> None:
        """Take in more bytes."""
        ...


BLOCK = 4096
"""Of bytes that were never synced, a power cut leaves a beginning, if each append but the last one ends a block of so
many bytes. No file system we know tells of a size before it has the bytes, where they begin new blocks; where they go
on in a block that was there, ext4 does, and shows zeros."""

Version: TypeAlias = tuple[int, int]
"""Size and `modified_ns` of a draft: another one after each append."""


class Reader(Protocol):
    """One opened version of a file, safe to read from many places at once.

    Whoever opened it closes it; closing twice is fine.
    """

    @property
    def entry(self) -> Entry:
        """What the store knows of the opened version."""
        ...

    def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """The bytes of the span, in pieces of `chunk_size` but for the last.

        Raises StoreDamaged when the file has become shorter than the span.
        """
        ...

    def fileno(self) -> int | None:
        """The descriptor of a plain local file with these bytes at the same offsets, or None."""
        ...

    async def close(self) -> None:
        """Let go of the version, also while being cancelled: a keeper that has to wait for it shields itself."""
        ...


class Draft(Protocol):
    """Bytes still being written. It survives the process until it is committed or discarded.

    Whoever has it open has it alone; when that process dies it is free at once.
    """

    @property
    def size(self) -> int:
        """How many bytes are kept: the only record of the offset."""
        ...

    @property
    def modified_ns(self) -> int:
        """When bytes last came in, or were cut off (Unix time)."""
        ...

    @property
    def version(self) -> Version:
        """What tells the draft from what it was before."""
        ...

    async def append(
        self, offset: int, chunks: AsyncIterable[bytes], *, size: int | None = None, hashes: Sequence[Hash] = ()
    ) -> int:
        """Take in bytes at the end and answer the new size, which is durable then.

        `size` is that of all chunks, where it is known: so that a full medium may be noticed before they come. `hashes`
        are updated with every byte kept. Raises OffsetMismatch when `offset` is not the size, DraftBusy while another
        append runs, NoSpace when the medium is full, NotKept when it lost what it took (the draft is of no use then),
        StoreDegraded. What the chunks themselves raise passes through, a cancellation too; the bytes before it are
        kept, not promised.
        """
        ...

    async def take(self, reader: Reader) -> bool:
        """Fill a draft that is empty with the bytes of an opened version, durably, by the cheapest way there is.

        Whether they are surely those of that version: else somebody was changing the file in its place meanwhile.
        Raises as `append` does, and StoreDamaged.
        """
        ...

    async def truncate(self, size: int) -> None:
        """Throw away the bytes past a size, durably."""
        ...

    async def written_until(self, offset: int) -> int:
        """Where the bytes behind an offset end that the medium was given: after a power cut a size may tell of more."""
        ...

    def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """Bytes that are kept, read back as `Reader.chunks` does."""
        ...

    def committed_etag(self) -> str | None:
        """The etag that the file will have if it is committed as it is now, where that is known beforehand."""
        ...

    async def commit(self, key: Key) -> Entry:
        """Make the bytes the file of this key, replacing any other: readers see the old file or the new, whole.

        After it returns a power cut loses nothing. Raises FolderInTheWay, OtherFileSystem. The draft is gone then.
        """
        ...

    async def discard(self) -> bool:
        """Throw the bytes away; whether there were any. Discarding twice, or after a commit, is fine."""
        ...

    async def close(self) -> None:
        """Let go of the draft and keep it."""
        ...


class Fate(Enum):
    """What has become of a draft."""

    OPEN = auto()
    COMMITTED = auto()
    DISCARDED = auto()


@dataclass(frozen=True, slots=True)
class DraftState:
    """A draft at one moment, or the file it has become: its size, when it was last written to, its fate."""

    size: int
    modified_ns: int
    fate: Fate


class DraftReader(Protocol):
    """A draft that others write, read as it comes, and the version of a file that it becomes.

    It takes no lock, and keeps no writer waiting. Whoever opened it closes it; closing twice is fine.
    """

    def look(self) -> DraftState:
        """How it is now. One that was committed stays that, whatever becomes of the file."""
        ...

    def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """The bytes of the span, all of which were there; raises StoreDamaged where they are not any more."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class Store(Protocol):
    """Where bytes are kept by key."""

    @property
    def trash(self) -> TrashKeeper:
        """Where what is removed can be kept for a while."""
        ...

    async def start(self) -> None:
        """Make the store usable. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of everything the store itself opened."""
        ...

    async def open(self, key: Key) -> Reader:
        """The present version of a file. Raises NotFound, UnderFile, IsFolder."""
        ...

    async def stat(self, key: Key) -> Entry:
        """What `open` would show, without opening. Raises NotFound, IsFolder."""
        ...

    async def list(self, folder: Folder, *, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        """Up to `limit` files and subfolders of a folder in the code-point order of their keys, those after `after`.

        A recursive listing goes down into subfolders and shows files alone. A page shorter than `limit` is the last.
        Raises NotFound.
        """
        ...

    def list_all(
        self, folder: Folder, *, is_recursive: bool, after: str, is_sorted: bool
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """All that `list` would show after `after`, as it comes, in pages of some hundreds; whoever leaves closes it.

        Unless `is_sorted` it is all of it in whatever order costs least, so that the first page comes at once. Raises
        NotFound before the first page.
        """
        ...

    def search(
        self, folder: Folder, is_meant: Callable[[str], bool], *, after: str
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """Files and folders below a folder, however deep, whose last names are meant: by key, those after `after`.

        In pages, some of them empty: looking takes its time. Raises NotFound before the first page.
        """
        ...

    async def draft(self, draft_id: str, *, length: int | None = None, is_lasting: bool = False) -> Draft:
        """The draft of this id, opened, made empty where there is none; durably if `is_lasting`.

        Raises DraftBusy while another has it open, NoSpace at once when `length` bytes cannot fit.
        """
        ...

    async def open_draft(self, draft_id: str, *, synced: Version | None = None) -> Draft:
        """A draft that is kept; the bytes it has are durable. As this version (`synced`) they are known to be.

        Raises NotFound, NotKept, DraftBusy while another has it open.
        """
        ...

    async def read_draft(self, draft_id: str) -> DraftReader:
        """A draft that is kept, whoever is writing it. Raises NotFound."""
        ...

    async def drafts(self) -> Mapping[str, int]:
        """The ids of all drafts that are kept, with their `modified_ns`."""
        ...

    async def is_held(self, key: Key) -> bool:
        """Whether whoever committed the file of this key has not ended that yet, as far as can be told."""
        ...

    async def sync(self, key: Key) -> None:
        """Make the name of a file or folder durable, where whoever gave it may have died before. Raises NotKept."""
        ...

    async def check(self) -> None:
        """Raises StoreUnavailable unless files can be read, StoreDegraded once nothing may be written any more."""
        ...

    def sole_use(self) -> AbstractAsyncContextManager[bool]:
        """Whether nobody else has the store open for writing; if so, nobody can while the block lasts.

        Entering waits for another's block to end.
        """
        ...

    async def delete(self, key: Key) -> None:
        """Remove a file, durably. Raises NotFound, IsFolder."""
        ...

    async def move(self, old: Key, new: Key, *, is_replacing: bool) -> Entry:
        """Give a file another name, in one step and durably; its entry then. Missing folders are made.

        Its etag stays, if nobody changed the file. Raises NotFound and IsFolder of the old name; of the new one
        PreconditionFailed where a file has it that is not to be replaced, FolderInTheWay, OtherFileSystem.
        """
        ...

    async def move_folder(self, old: Folder, new: Folder, *, is_replacing: bool) -> bool:
        """Give a folder another name with all that is in it, in one step and durably; whether nothing had the name.

        Only an empty folder is replaced. Raises as `move` does, and FolderInTheWay for one that holds something.
        """
        ...

    async def make_folder(self, folder: Folder) -> bool:
        """Have a folder, durably, with those above it; whether it was not there. Raises FolderInTheWay."""
        ...

    async def folder_identity(self, folder: Folder) -> str:
        """What tells a folder from others, whatever its name is. Raises NotFound."""
        ...
