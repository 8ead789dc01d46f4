"""Servers on one root, as small as they come, and clients of theirs that fall silent, leave, or are cut off.

Two sites on one root are to each other what two processes are: drafts are locked by open file, not by process.
"""

from collections.abc import AsyncIterator, Awaitable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from storage import Catalogue, Key, Library, LocalStore, MemoryStore, OpenUpload, Store, Upload, UploadLimits, Uploads
from storage.promises import Promises
from tests.storage.conftest import content_of, pieces

OWNER = "owner"
LIMITS = UploadLimits(max_uploads=100, lifetime_s=3600, max_size=None)


def catalogue_path(root: Path) -> Path:
    """Where the catalogue of a root is."""
    return root / ".fileserver" / "catalogue.sqlite3"


@dataclass(frozen=True, slots=True)
class Site:
    """All that one server has of its storage."""

    store: Store
    catalogue: Catalogue
    promises: Promises
    library: Library
    uploads: Uploads

    async def begin(self, key: str | None = "a", *, length: int | None = None, owner: str = OWNER) -> str:
        """The id of a new upload."""
        name = None if key is None else Key(key)
        created = await self.uploads.create(owner=owner, key=name, length=length, is_ending=True, terms="terms")
        return created.upload_id

    def resume(self, upload_id: str) -> AbstractAsyncContextManager[OpenUpload]:
        """See `Uploads.resume`."""
        return self.uploads.resume(upload_id, owner=OWNER)

    async def append(self, upload_id: str, *chunks: bytes, digests: Mapping[str, bytes] | None = None) -> int:
        """What one request adds at the upload's offset; answers the new offset."""
        async with self.resume(upload_id) as opened:
            return await opened.append(opened.offset, pieces(*chunks), digests=digests or {})

    async def part(self, content: bytes) -> str:
        """The id of an upload that is full and becomes no file of its own."""
        upload_id = await self.begin(None, length=len(content))
        await self.append(upload_id, content)
        return upload_id

    async def offset(self, upload_id: str) -> int:
        """How far an upload is."""
        async with self.resume(upload_id) as opened:
            return opened.offset

    async def kept(self, upload_id: str) -> bytes:
        """The bytes of an upload so far."""
        async with self.resume(upload_id) as opened:
            return b"".join([chunk async for chunk in opened.content()])

    async def commit(self, upload_id: str) -> Upload:
        """Make an upload the file of its key."""
        async with self.resume(upload_id) as opened:
            return await opened.commit()

    async def content(self, key: str) -> bytes:
        """The bytes of a stored file."""
        async with self.library.open(Key(key)) as reader:
            return await content_of(reader, 1 << 20)


@asynccontextmanager
async def site_of(store: Store, catalogue: Catalogue, limits: UploadLimits = LIMITS) -> AsyncIterator[Site]:
    """A server of these, which it starts and closes."""
    library = Library(store, catalogue, lambda _head, _name: "text/plain")
    await library.start()
    try:
        uploads = Uploads(library, store, catalogue, limits)
        yield Site(store, catalogue, Promises(catalogue), library, uploads)
    finally:
        await library.close()


def site_in(root: Path, limits: UploadLimits = LIMITS) -> AbstractAsyncContextManager[Site]:
    """A server of a directory."""
    return site_of(LocalStore(root), Catalogue(catalogue_path(root)), limits)


def site_in_memory() -> AbstractAsyncContextManager[Site]:
    """A server of a dictionary."""
    return site_of(MemoryStore(), Catalogue(None))


class Silent:
    """The chunks of a client that then sends nothing more; `began` once all of them were taken."""

    def __init__(self, *chunks: bytes) -> None:
        self.began = anyio.Event()
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        self.began.set()
        await anyio.sleep_forever()


async def leaving(*chunks: bytes) -> AsyncIterator[bytes]:
    """The chunks of a client whose connection breaks."""
    for chunk in chunks:
        yield chunk
    raise ConnectionResetError


async def cancelled_at(number: int, work: Awaitable[object]) -> bool:
    """Do the work, cancelled when it waits for the n-th time; whether it waited that often."""
    with anyio.CancelScope() as scope:
        steps = _Counted(work, number, scope)
        await steps
    return steps.count >= number


async def awaits_of(work: Awaitable[object]) -> int:
    """Do the work; how often it waited."""
    steps = _Counted(work, 0, anyio.CancelScope())
    await steps
    return steps.count


class _Counted:
    """An awaitable that cancels a scope the n-th time that it suspends."""

    def __init__(self, work: Awaitable[object], number: int, scope: anyio.CancelScope) -> None:
        self.count = 0
        self._steps = work.__await__()
        self._number = number
        self._scope = scope

    def __await__(self) -> Generator[Any, Any, None]:
        thrown: BaseException | None = None
        while True:
            try:
                awaited = next(self._steps) if thrown is None else self._throw(thrown)
            except StopIteration:
                return
            self.count += 1
            if self.count == self._number:
                self._scope.cancel()
            try:
                yield awaited
            except BaseException as error:  # what the loop throws in, the work answers
                thrown = error
            else:
                thrown = None

    def _throw(self, error: BaseException) -> Any:
        assert isinstance(self._steps, Generator)
        return self._steps.throw(error)
