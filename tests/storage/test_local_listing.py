"""A directory's listing in one go: in pages, in whatever order is asked for, with one folder open at a time."""

import os
import resource
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from storage import ROOT, Entry, Folder, Key, Listed, LocalStore, StoreUnavailable, Subfolder
from storage.local_listing import PAGE_S, PAGE_SIZE, Pages, found_beneath, listed_beneath

DEPTH = 200  # more folders than frames of recursion would be good for, and than anybody has


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    """The descriptor of a folder."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def key_of(listed: Listed) -> str:
    return listed.key if isinstance(listed, Entry) else listed.folder


def keys(root: int, *, is_sorted: bool, is_recursive: bool = True, batch: int = 99) -> list[str]:
    listed = listed_beneath(root, ROOT, is_recursive=is_recursive, is_sorted=is_sorted, batch=batch)
    return [key_of(each) for each in listed]


def fill(path: Path) -> set[str]:
    for folder in ("a", "a/b", "c", "c/empty"):
        (path / folder).mkdir()
    files = {f"{folder}{name}" for folder in ("", "a/", "a/b/", "c/") for name in ("1", "2", "3")}
    for name in files:
        (path / name).write_bytes(b"")
    return files


@pytest.mark.parametrize("batch", [1, 2, 99])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_every_file_comes_once_whatever_fits_a_pass(tmp_path: Path, root: int, is_sorted: bool, batch: int) -> None:
    files = fill(tmp_path)
    found = keys(root, is_sorted=is_sorted, batch=batch)
    assert len(found) == len(files)
    assert set(found) == files
    assert not is_sorted or found == sorted(files)


@pytest.mark.parametrize("is_sorted", [False, True])
def test_one_folder_alone_shows_its_subfolders(tmp_path: Path, root: int, is_sorted: bool) -> None:
    fill(tmp_path)
    assert sorted(keys(root, is_sorted=is_sorted, is_recursive=False)) == ["1", "2", "3", "a/", "c/"]


@pytest.mark.parametrize("is_sorted", [False, True])
def test_a_deep_tree_takes_no_more_descriptors_than_a_flat_one(tmp_path: Path, root: int, is_sorted: bool) -> None:
    (tmp_path / "/".join("d" * DEPTH)).mkdir(parents=True)
    for depth in range(DEPTH):
        (tmp_path / "/".join("d" * depth) / "file").write_bytes(b"")
    before = len(os.listdir("/proc/self/fd"))
    count = 0
    for _ in listed_beneath(root, ROOT, is_recursive=True, is_sorted=is_sorted):
        count += 1
        assert len(os.listdir("/proc/self/fd")) <= before + 2
    assert count == DEPTH
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("is_sorted", [False, True])
def test_what_goes_away_meanwhile_is_passed_over(tmp_path: Path, root: int, is_sorted: bool) -> None:
    files = fill(tmp_path)
    found = []
    for each in listed_beneath(root, ROOT, is_recursive=True, is_sorted=is_sorted):
        found.append(key_of(each))
        if len(found) == 1:
            for name in ("1", "2", "3"):
                (tmp_path / "c" / name).unlink()
            (tmp_path / "c" / "empty").rmdir()
            (tmp_path / "c").rmdir()
            (tmp_path / "c").symlink_to(tmp_path / "a")
    assert set(found) == {name for name in files if not name.startswith("c/")}


def test_an_unreadable_folder_is_passed_over(tmp_path: Path, root: int) -> None:
    files = fill(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / "a").chmod(0)
    user = os.geteuid()
    os.seteuid(user or 65534)  # nothing is unreadable to root
    try:
        assert set(keys(root, is_sorted=True)) == {name for name in files if not name.startswith("a/")}
    finally:
        os.seteuid(user)
        (tmp_path / "a").chmod(0o700)


async def test_a_listing_that_cannot_go_on_fails(tmp_path: Path) -> None:
    for number in range(PAGE_SIZE + 1):
        (tmp_path / f"{number:05}").write_bytes(b"")
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "inside").write_bytes(b"")
    store = LocalStore(tmp_path, is_writable=False)
    await store.start()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        async with aclosing(store.list_all(ROOT, is_recursive=True, after="", is_sorted=True)) as pages:
            await anext(pages)
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
            with pytest.raises(StoreUnavailable):
                async for _ in pages:
                    pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        await store.close()


async def test_pages_are_some_hundreds_at_most(local: LocalStore, tmp_path: Path) -> None:
    for number in range(2 * PAGE_SIZE + 1):
        (tmp_path / f"{number}").write_bytes(b"")
    async with aclosing(local.list_all(ROOT, is_recursive=True, after="", is_sorted=False)) as pages:
        sizes = [len(page) async for page in pages]
    assert sum(sizes) == 2 * PAGE_SIZE + 1
    assert all(1 <= size <= PAGE_SIZE for size in sizes)


@pytest.mark.parametrize("is_sorted", [False, True])
async def test_whoever_leaves_early_leaves_nothing_open(
    local: LocalStore, tmp_path: Path, open_descriptors: None, is_sorted: bool
) -> None:
    for number in range(PAGE_SIZE + 1):
        (tmp_path / f"{number}").write_bytes(b"")
    async with aclosing(local.list_all(ROOT, is_recursive=True, after="", is_sorted=is_sorted)) as pages:
        await anext(pages)
    with anyio.CancelScope() as scope:
        async with aclosing(local.list_all(ROOT, is_recursive=True, after="", is_sorted=is_sorted)) as pages:
            scope.cancel()
            await anext(pages)


def test_closing_waits_for_the_page_that_is_being_made() -> None:
    is_asked, go_on, is_closed = threading.Event(), threading.Event(), threading.Event()

    def listed() -> Generator[Listed, None, None]:
        try:
            is_asked.set()
            go_on.wait(10)
            yield Entry(Key("a"), 0, 0, "", "")
        finally:
            is_closed.set()

    pages = Pages(listed())
    maker = threading.Thread(target=pages.next)
    maker.start()
    is_asked.wait(10)
    closer = threading.Thread(target=pages.close)
    closer.start()
    assert not is_closed.is_set()
    go_on.set()
    maker.join(10)
    closer.join(10)
    assert is_closed.is_set()
    assert pages.next() is None


@pytest.mark.parametrize("batch", [1, 2, 99])
def test_a_search_comes_in_order_whatever_fits_a_pass(tmp_path: Path, root: int, batch: int) -> None:
    files = fill(tmp_path)
    found = found_beneath(root, ROOT, lambda name: name != "2", batch=batch)
    expected = {name for name in files if not name.endswith("2")} | {"a/", "a/b/", "c/", "c/empty/"}
    assert [key_of(each) for each in found if each is not None] == sorted(expected)


def test_a_search_passes_over_links_and_our_own_folder(tmp_path: Path, root: int) -> None:
    (tmp_path / ".fileserver").mkdir()
    (tmp_path / ".fileserver" / "secret").write_bytes(b"")
    (tmp_path / "out").symlink_to("/")
    (tmp_path / "link").symlink_to(".fileserver/secret")
    os.mkfifo(tmp_path / "pipe")
    assert [each for each in found_beneath(root, ROOT, bool) if each is not None] == []


def test_a_search_that_finds_nothing_stops_for_breath_at_every_folder(tmp_path: Path, root: int) -> None:
    for number in range(20):
        (tmp_path / f"{number}").mkdir()
    assert [*found_beneath(root, ROOT, lambda _: False)] == [None] * 21


def test_a_page_is_empty_where_nothing_was_found_for_long() -> None:
    def listed() -> Generator[Listed | None, None, None]:
        time.sleep(2 * PAGE_S)
        yield None
        yield Subfolder(Folder("a/"), 0)

    pages = Pages(listed())
    assert [pages.next(), pages.next(), pages.next()] == [(), (Subfolder(Folder("a/"), 0),), None]
