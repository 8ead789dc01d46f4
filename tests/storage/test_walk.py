"""All files, page by page, as far as a prefix goes."""

import pytest

from storage import MemoryStore
from storage.walk import walk
from tests.storage.conftest import put

KEYS = ["a", "b/c", "b/d/e", "b/d/f", "b/dd", "b/e", "b1", "c"]
PREFIXES = ["", "a", "b", "b/", "b/d", "b/d/", "b/d/f", "b/dd", "b1", "c", "bb", "d", "d/", "b/d/z/"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_every_file_of_the_prefix_comes_once_and_in_order(prefix: str, page_size: int) -> None:
    store = MemoryStore()
    for key in KEYS:
        await put(store, key, b"")
    pages = [page async for page in walk(store, prefix, page_size=page_size)]
    assert [entry.key for page in pages for entry in page] == [key for key in KEYS if key.startswith(prefix)]
    assert all(1 <= len(page) <= page_size for page in pages)
