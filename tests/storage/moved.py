"""Files of which something is known, and looks at what is known of them."""

import hashlib
from types import TracebackType

import anyio

from storage import Change, Entry, Key, NewComment, NewPosition, NotFound
from tests.storage.conftest import pieces
from tests.storage.sites import Site

SHA256 = hashlib.sha256(b"content").digest()
ADA = "ada"


async def store_file(site: Site, key: str, content: bytes = b"content") -> Entry:
    """Store a file through the library."""
    async with site.library.receive(pieces(content), length=None, max_size=None, digests={}) as received:
        return (await site.library.commit(received, Key(key)))[0]


async def say_about(site: Site, key: str, text: str) -> None:
    """Have a comment on a file, and somebody in it."""
    await site.library.comments.add(Key(key), NewComment(text))
    await site.library.positions.keep(Key(key), ADA, NewPosition(float(len(text))))


async def said_about(site: Site, key: str) -> tuple[list[str], float]:
    """The comments on a file, and where somebody is in it."""
    page = await site.library.comments.page(Key(key), after=0, limit=100)
    return [comment.text for comment in page.comments], (await site.library.positions.get(Key(key), ADA)).position_s


async def described(site: Site, key: str) -> Entry:
    """A file's entry with all that is known of it."""
    async with site.library.open(Key(key)) as reader:
        return await site.library.describe(reader)


async def told(site: Site) -> list[Change]:
    """All changes so far."""
    return list(await site.library.changes.after(0, 1000))


class Looking:
    """Looks at both names all the time, as far as there is a file."""

    def __init__(self, site: Site, looks: list[str], *keys: str) -> None:
        self._site, self._looks, self._keys = site, looks, keys
        self._tasks = anyio.create_task_group()

    async def __aenter__(self) -> None:
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._look)
        await anyio.sleep(0.05)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await anyio.sleep(0.05)
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    async def _look(self) -> None:
        while True:
            for key in self._keys:
                try:
                    self._looks.append((await described(self._site, key)).etag)
                except NotFound:
                    await anyio.sleep(0)
