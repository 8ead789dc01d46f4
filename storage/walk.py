"""All files of a store or a library, page by page."""

from collections.abc import AsyncIterator
from typing import Protocol

from storage.errors import NotFound
from storage.keys import Folder, folder_to_read
from storage.model import Entry, Listed

# Each page of a local folder looks at all its names again; a million make 62 pages of half a second and 10 MB each.
PAGE_SIZE = 16_384


class Listing(Protocol):
    """What lists as `Store.list` does; a library's entries carry what is known of them."""

    async def list(self, folder: Folder, *, is_recursive: bool, after: str, limit: int) -> tuple[Listed, ...]:
        """See `Store.list`."""
        ...


async def walk(store: Listing, prefix: str = "", *, page_size: int = PAGE_SIZE) -> AsyncIterator[tuple[Entry, ...]]:
    """Pages of the files whose keys begin with a prefix, in key order. Raises InvalidKey when it names no place."""
    folder = folder_to_read(prefix[: prefix.rfind("/") + 1])
    after = prefix[:-1]  # the prefix may be a whole key
    while True:
        try:
            page = await store.list(folder, is_recursive=True, after=after, limit=page_size)
        except NotFound:
            return
        files = tuple(each for each in page if isinstance(each, Entry))
        if below := tuple(file for file in files if file.key.startswith(prefix)):
            yield below
        if len(page) < page_size:
            return
        after = files[-1].key
        if after > prefix and not after.startswith(prefix):
            return
