"""What every store promises of its listings."""

from contextlib import aclosing

import pytest

from storage import ROOT, Entry, Folder, Listed, NotFound, Store
from tests.storage.conftest import put

KEYS = ("a", "a.txt", "a/b", "a/b.txt", "a/c/d", "b/x", "é", "z")


def names(listed: tuple[Listed, ...]) -> list[str]:
    return [each.key if isinstance(each, Entry) else each.folder for each in listed]


@pytest.fixture
async def filled(store: Store) -> Store:
    for key in KEYS[1:]:
        await put(store, key, b"x")
    return store


async def test_a_folder_shows_its_files_and_subfolders_in_key_order(filled: Store) -> None:
    listed = await filled.list(ROOT, is_recursive=False, after="", limit=100)
    assert names(listed) == ["a.txt", "a/", "b/", "z", "é"]


async def test_a_recursive_listing_shows_all_files_in_key_order(filled: Store) -> None:
    listed = await filled.list(ROOT, is_recursive=True, after="", limit=100)
    assert names(listed) == ["a.txt", "a/b", "a/b.txt", "a/c/d", "b/x", "z", "é"]


@pytest.mark.parametrize("is_recursive", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_put_together_are_the_listing(filled: Store, limit: int, is_recursive: bool) -> None:
    whole = names(await filled.list(ROOT, is_recursive=is_recursive, after="", limit=100))
    found: list[str] = []
    while page := names(
        await filled.list(ROOT, is_recursive=is_recursive, after=found[-1] if found else "", limit=limit)
    ):
        assert len(page) <= limit
        found += page
    assert found == whole


async def test_a_subfolder_is_listed_with_whole_keys(filled: Store) -> None:
    assert names(await filled.list(Folder("a/"), is_recursive=False, after="", limit=9)) == ["a/b", "a/b.txt", "a/c/"]


async def test_a_missing_folder_is_not_found(filled: Store) -> None:
    with pytest.raises(NotFound):
        await filled.list(Folder("missing/"), is_recursive=False, after="", limit=1)


async def whole(store: Store, folder: Folder = ROOT, *, after: str = "", **kind: bool) -> list[str]:
    """All that a store lists in one go."""
    async with aclosing(store.list_all(folder, after=after, **kind)) as pages:
        return [name async for page in pages for name in names(page)]


@pytest.mark.parametrize("is_recursive", [False, True])
@pytest.mark.parametrize("folder", [ROOT, Folder("a/")])
async def test_all_in_one_go_is_the_listing(filled: Store, folder: Folder, is_recursive: bool) -> None:
    listed = names(await filled.list(folder, is_recursive=is_recursive, after="", limit=100))
    assert await whole(filled, folder, is_recursive=is_recursive, is_sorted=True) == listed
    found = await whole(filled, folder, is_recursive=is_recursive, is_sorted=False)
    assert sorted(found) == sorted(listed)


@pytest.mark.parametrize("after", ["a.txt", "a/", "a/b", "a/c/d", "é"])
async def test_all_in_one_go_may_begin_later(filled: Store, after: str) -> None:
    listed = names(await filled.list(ROOT, is_recursive=True, after=after, limit=100))
    assert await whole(filled, after=after, is_recursive=True, is_sorted=True) == listed


@pytest.mark.parametrize("is_sorted", [False, True])
async def test_all_of_a_missing_folder_is_not_found(filled: Store, is_sorted: bool) -> None:
    with pytest.raises(NotFound):
        await whole(filled, Folder("missing/"), is_recursive=True, is_sorted=is_sorted)


@pytest.mark.parametrize("is_sorted", [False, True])
async def test_all_of_the_empty_root_is_nothing(store: Store, is_sorted: bool) -> None:
    assert await whole(store, is_recursive=True, is_sorted=is_sorted) == []


async def test_the_empty_root_is_an_empty_listing(store: Store) -> None:
    assert await store.list(ROOT, is_recursive=False, after="", limit=1) == ()


async def found(store: Store, part: str, folder: Folder = ROOT, *, after: str = "") -> list[str]:
    """What a store finds below a folder under names that hold a part."""
    async with aclosing(store.search(folder, lambda name: part in name, after=after)) as pages:
        return [name async for page in pages for name in names(page)]


@pytest.mark.parametrize(
    ("part", "folder", "after", "expected"),
    [
        ("a", "", "", ["a.txt", "a/"]),
        ("b", "", "", ["a/b", "a/b.txt", "b/"]),
        ("", "", "", ["a.txt", "a/", "a/b", "a/b.txt", "a/c/", "a/c/d", "b/", "b/x", "z", "é"]),
        ("", "", "a/b", ["a/b.txt", "a/c/", "a/c/d", "b/", "b/x", "z", "é"]),
        ("", "", "a/c/", ["a/c/d", "b/", "b/x", "z", "é"]),
        ("", "a/", "", ["a/b", "a/b.txt", "a/c/", "a/c/d"]),
        ("c", "a/", "", ["a/c/"]),
        ("a", "a/", "", []),
        ("nothing", "", "", []),
        ("/", "", "", []),
    ],
)
async def test_a_search_finds_files_and_folders_by_their_last_names(
    filled: Store, part: str, folder: str, after: str, expected: list[str]
) -> None:
    assert await found(filled, part, Folder(folder), after=after) == expected


async def test_a_search_of_a_missing_folder_is_not_found(filled: Store) -> None:
    with pytest.raises(NotFound):
        await found(filled, "a", Folder("missing/"))
