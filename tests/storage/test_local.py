"""What a directory served in place does beyond the contract: links, pipes, foreign edits, crashes."""

import asyncio
import errno
import os
import resource
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from storage import (
    ROOT,
    Key,
    LocalStore,
    NoSpace,
    NotFound,
    OtherFileSystem,
    ReadOnlyStore,
    StoreDamaged,
    StoreUnavailable,
    beneath,
)
from storage.local_listing import listed_beneath
from tests.storage.conftest import content_of, pieces, put


@pytest.fixture
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file outside the root."""
    path = tmp_path_factory.mktemp("outside") / "secret"
    path.write_bytes(b"secret")
    return path


@pytest.mark.parametrize("has_openat2", [True, False])
@pytest.mark.parametrize("path", ["link", "linked/secret", "inner", "../secret", "folder/../../secret"])
def test_neither_way_of_opening_leaves_the_directory_or_follows_a_link(
    path: str, has_openat2: bool, tmp_path: Path, secret: Path
) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(secret)
    (tmp_path / "inner").symlink_to("a")
    (tmp_path / "linked").symlink_to(secret.parent)
    root = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as refusal:
            os.close(beneath.open_beneath(root, path, os.O_RDONLY, has_openat2=has_openat2))
        assert refusal.value.errno in {errno.ELOOP, errno.ENOTDIR}
    finally:
        os.close(root)


@pytest.mark.parametrize("has_openat2", [True, False])
def test_both_ways_of_opening_reach_what_is_below(has_openat2: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"content")
    root = os.open(tmp_path, os.O_RDONLY)
    descriptor = beneath.open_beneath(root, "folder/a", os.O_RDONLY, has_openat2=has_openat2)
    assert os.read(descriptor, 9) == b"content"
    os.close(descriptor)
    os.close(root)


async def test_links_and_pipes_are_not_found_and_not_listed(local: LocalStore, tmp_path: Path, secret: Path) -> None:
    (tmp_path / "link").symlink_to(secret)
    (tmp_path / "folder").symlink_to(secret.parent)
    os.mkfifo(tmp_path / "pipe")
    for key in ("link", "folder/secret", "pipe"):
        with pytest.raises(NotFound):
            await local.open(Key(key))
    for is_recursive in (False, True):
        assert await local.list(ROOT, is_recursive=is_recursive, after="", limit=9) == ()


async def test_a_commit_over_a_link_replaces_the_link(local: LocalStore, tmp_path: Path, secret: Path) -> None:
    (tmp_path / "link").symlink_to(secret)
    await put(local, "link", b"mine")
    assert secret.read_bytes() == b"secret"
    assert (tmp_path / "link").read_bytes() == b"mine"
    assert not (tmp_path / "link").is_symlink()


async def test_a_name_that_is_no_utf8_is_listed_and_read(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9\n.txt")).write_bytes(b"latin")
    (listed,) = await local.list(ROOT, is_recursive=False, after="", limit=9)
    assert listed.key == "caf\udce9\n.txt"  # type: ignore[union-attr]
    reader = await local.open(listed.key)  # type: ignore[union-attr]
    assert await content_of(reader) == b"latin"
    await reader.close()


async def test_an_over_long_name_is_not_found(local: LocalStore) -> None:
    with pytest.raises(NotFound):
        await local.open(Key("n" * 300))


async def test_a_file_that_shrinks_is_damaged(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    reader = await local.open(Key("a"))
    os.truncate(tmp_path / "a", 50)
    with pytest.raises(StoreDamaged):
        await content_of(reader)
    await reader.close()


async def test_a_file_that_grows_is_read_as_it_was_opened(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    reader = await local.open(Key("a"))
    with (tmp_path / "a").open("ab") as file:
        file.write(b"y" * 100)
    assert await content_of(reader) == b"x" * 100
    await reader.close()


async def test_an_edit_that_restores_the_time_still_changes_the_identity(local: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    status = path.stat()
    before = await local.stat(Key("a"))
    path.write_bytes(b"new")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await local.stat(Key("a"))).identity != before.identity


@pytest.mark.usefixtures("open_descriptors")
async def test_chunks_left_half_read_leave_no_descriptor(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1_000_000)
    for _ in range(50):
        reader = await local.open(Key("a"))
        chunks = reader.chunks(range(1_000_000), 1000)
        await anext(chunks)
        await chunks.aclose()
        await reader.close()


async def test_a_read_that_is_cancelled_closes_the_file_only_after_its_thread(
    local: LocalStore, tmp_path: Path, open_descriptors: None
) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1_000_000)
    for _ in range(50):
        reader = await local.open(Key("a"))
        reading = asyncio.ensure_future(content_of(reader, 100))
        await asyncio.sleep(0)
        reading.cancel()
        await reader.close()
        with pytest.raises(asyncio.CancelledError):
            await reading


def test_a_folder_is_listed_in_order_whatever_fits_a_pass(tmp_path: Path) -> None:
    for name in ("b", "a", "d", "c", "e"):
        (tmp_path / name).write_bytes(b"")
        (tmp_path / f"{name}-folder").mkdir()
        (tmp_path / f"{name}-folder" / "inside").write_bytes(b"")
    root = os.open(tmp_path, os.O_RDONLY)
    for is_recursive in (False, True):
        passes = [
            list(listed_beneath(root, ROOT, is_recursive=is_recursive, after="", batch=batch))
            for batch in (1, 2, 3, 99)
        ]
        assert len(passes[0]) == 10
        assert all(each == passes[0] for each in passes)
    os.close(root)


async def test_our_own_folder_is_not_listed(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "below" / ".fileserver").mkdir(parents=True)
    (tmp_path / "below" / ".fileserver" / "x").write_bytes(b"x")
    assert await local.list(ROOT, is_recursive=True, after="", limit=9) == ()


async def test_a_store_for_reading_creates_nothing_and_refuses_to_write(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    store = LocalStore(tmp_path, is_writable=False)
    await store.start()
    with pytest.raises(ReadOnlyStore):
        await store.draft("d")
    with pytest.raises(ReadOnlyStore):
        await store.delete(Key("a"))
    assert os.listdir(tmp_path) == ["a"]
    await store.close()


async def test_a_missing_root_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await LocalStore(tmp_path / "missing").start()


async def test_only_one_of_two_servers_has_sole_use(local: LocalStore, tmp_path: Path) -> None:
    async with local.sole_use() as is_sole:
        assert is_sole
    other = LocalStore(tmp_path)
    await other.start()
    async with other.sole_use() as is_sole:
        assert not is_sole
    await other.close()


async def test_a_full_disk_is_no_space(local: LocalStore) -> None:
    with pytest.raises(NoSpace):
        await local.draft("d", length=1 << 60)
    assert await local.drafts() == {}


async def test_a_draft_too_big_for_its_limit_is_no_space_and_leaves_nothing(local: LocalStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        draft = await local.draft("d")
        with pytest.raises(NoSpace):
            await draft.append(0, pieces(b"x" * 10_000))
        await draft.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert await local.drafts() == {}


async def test_room_for_bytes_that_never_come_is_given_back(local: LocalStore, tmp_path: Path) -> None:
    size = 8 << 20
    blocks_midway = 0

    async def broken() -> AsyncIterator[bytes]:
        nonlocal blocks_midway
        yield bytes(1 << 20)
        blocks_midway = os.stat(tmp_path / ".fileserver" / "drafts" / "d").st_blocks
        raise ConnectionResetError

    draft = await local.draft("d")
    with pytest.raises(ConnectionResetError):
        await draft.append(0, broken(), size=size)
    status = os.stat(tmp_path / ".fileserver" / "drafts" / "d")
    assert blocks_midway * 512 >= size
    assert status.st_size == 1 << 20
    assert status.st_blocks * 512 < size
    await draft.discard()


async def test_a_mount_point_inside_the_root_is_no_place_for_a_commit(local: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "mounted").mkdir()
    mounting = await anyio.run_process(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / "mounted")], check=False
    )
    if mounting.returncode != 0:
        pytest.skip("mounting a file system takes root")
    try:
        (tmp_path / "mounted" / "a").write_bytes(b"x")
        assert (await local.stat(Key("mounted/a"))).size == 1
        with pytest.raises(OtherFileSystem):
            await put(local, "mounted/b", b"y")
    finally:
        await anyio.run_process(["umount", str(tmp_path / "mounted")])
