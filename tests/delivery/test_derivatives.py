"""What workers make of stored media: once for all who ask, kept where it was costly, and nothing left behind."""

import os
import resource
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from fileserver.delivery.derivatives import Derivative, Derivatives, name_of
from fileserver.delivery.disk_cache import DiskCache
from fileserver.media import (
    DamagedMedia,
    MediaBusy,
    MediaEngineFailed,
    MediaFault,
    MediaOutOfTime,
    NoSuchTrack,
    NotMedia,
    detect,
)
from fileserver.workers import KeptWorkers, PoolLimits
from storage import Catalogue, Key, Library, LocalStore, StorageError
from tests.support.media_files import made, shared_folder

ENGINE = "fileserver.media.engine.job"
POSTER = Derivative("thumbnail", {"t": None, "width": 64})
FILM, TEXT, RUIN = Key("film.mkv"), Key("words.txt"), Key("ruin.mkv")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests of the file, as they share workers."""
    return "asyncio"


@pytest.fixture(scope="module")
async def library(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    """Holds a film, a text, and the beginning of a film whose rest is noise."""
    root = tmp_path_factory.mktemp("root")
    film = made("h264-aac.mkv", shared_folder(tmp_path_factory.getbasetemp())).read_bytes()
    (root / FILM).write_bytes(film)
    (root / TEXT).write_text("no film\n")
    (root / RUIN).write_bytes(film[:64] + os.urandom(100_000))
    opened = Library(LocalStore(root), Catalogue(None), detect)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def workers() -> AsyncIterator[KeptWorkers]:
    """Two workers at a time, and two jobs that wait."""
    async with KeptWorkers(ENGINE, PoolLimits(jobs=2, queue=2)) as opened:
        yield opened


@pytest.fixture
def derivatives(library: Library, workers: KeptWorkers, tmp_path: Path) -> Derivatives:
    """Without anything that was made before."""
    return Derivatives(library, workers, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")


async def content_of(derivatives: Derivatives, derivative: Derivative, key: Key = FILM) -> bytes:
    async with derivatives.library.open(key) as reader, derivatives.made(reader, derivative) as product:
        return os.pread(product.descriptor, product.size, 0)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_what_is_costly_is_made_once_and_kept_for_the_next_server(
    derivatives: Derivatives, workers: KeptWorkers, tmp_path: Path
) -> None:
    content = await content_of(derivatives, POSTER)
    assert content.startswith(b"RIFF")
    (kept,) = (tmp_path / "media").iterdir()
    assert kept.read_bytes() == content
    kept.write_bytes(b"from the disk")
    next_server = Derivatives(derivatives.library, workers, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")
    assert await content_of(next_server, POSTER) == b"from the disk"


async def test_what_is_cheap_is_made_each_time_and_leaves_nothing(derivatives: Derivatives, tmp_path: Path) -> None:
    cheap = Derivative(POSTER.kind, POSTER.terms, is_kept=False)
    assert await content_of(derivatives, cheap) == await content_of(derivatives, cheap)
    assert not (tmp_path / "media").exists()


async def test_all_who_ask_at_a_time_get_what_one_worker_made(derivatives: Derivatives) -> None:
    """More than may wait for a worker: none is refused."""
    found: list[bytes] = []

    async def ask() -> None:
        found.append(await content_of(derivatives, POSTER))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert len(found) == 20
    assert len(set(found)) == 1


class CountedWorkers(KeptWorkers):
    """Workers that count what is asked of them."""

    jobs = 0

    async def do(
        self, subject: str, spec: Mapping[str, Any], files: Mapping[str, int], *, folder: Path
    ) -> Mapping[str, Any]:
        """The last word of a worker, see KeptWorkers."""
        self.jobs += 1
        return await super().do(subject, spec, files, folder=folder)


async def test_all_who_wait_for_a_damaged_file_hear_of_the_one_failure(library: Library, tmp_path: Path) -> None:
    """Each would meet it anew else, one after the other: a file that takes a minute to fail would block for hours."""
    faults = list[MediaFault]()

    async def ask(derivatives: Derivatives) -> None:
        try:
            await content_of(derivatives, POSTER, RUIN)
        except DamagedMedia as fault:
            faults.append(fault)

    counted = CountedWorkers(ENGINE, PoolLimits(jobs=1, queue=0))
    async with counted:
        derivatives = Derivatives(library, counted, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")
        async with anyio.create_task_group() as tasks:
            for _ in range(300):
                tasks.start_soon(ask, derivatives)
        assert len(faults) == 300
        assert counted.jobs < 100  # some come when it has failed already


async def test_who_waits_for_another_that_leaves_makes_it_himself(derivatives: Derivatives) -> None:
    found: list[bytes] = []
    has_left = anyio.Event()

    async def ask_and_leave() -> None:
        with anyio.CancelScope() as scope:
            async with derivatives.library.open(FILM) as reader:
                scope.cancel()  # lands at the first wait, when the work is announced
                async with derivatives.made(reader, POSTER):
                    pass
        has_left.set()

    async def ask() -> None:
        found.append(await content_of(derivatives, POSTER))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_and_leave)
        tasks.start_soon(ask)
    assert has_left.is_set()
    assert found[0].startswith(b"RIFF")


@pytest.mark.parametrize(
    ("key", "derivative", "fault"),
    [
        (TEXT, POSTER, NotMedia),
        (RUIN, POSTER, DamagedMedia),
        (FILM, Derivative("cover"), NoSuchTrack),
    ],
)
async def test_faults_come_from_the_worker_as_they_are(
    derivatives: Derivatives, key: Key, derivative: Derivative, fault: type[MediaFault], tmp_path: Path
) -> None:
    with pytest.raises(fault):
        await content_of(derivatives, derivative, key)
    assert not (tmp_path / "media").exists() or not any((tmp_path / "media").iterdir())


async def test_nothing_stays_open_whatever_happens(derivatives: Derivatives) -> None:
    await content_of(derivatives, POSTER)
    before = descriptors()
    await content_of(derivatives, Derivative("thumbnail", {"t": 3.0, "width": 64}))
    with pytest.raises(NoSuchTrack):
        await content_of(derivatives, Derivative("cover"))
    for delay_s in (0.0, 0.005, 0.02):
        with anyio.move_on_after(delay_s):
            await content_of(derivatives, Derivative("thumbnail", {"t": delay_s, "width": 64}))
    assert descriptors() == before


async def test_work_that_takes_too_long_is_ended(library: Library, tmp_path: Path) -> None:
    async with KeptWorkers(ENGINE, PoolLimits(wall_s=0.01)) as hurried:
        slow = Derivatives(library, hurried, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")
        with pytest.raises(MediaOutOfTime):
            await content_of(slow, Derivative("waveform", {"pixels": 1000}))


async def test_work_that_took_all_its_time_is_not_tried_again_at_once_in_any_variant(
    library: Library, tmp_path: Path
) -> None:
    async with CountedWorkers(ENGINE, PoolLimits(wall_s=0.01)) as hurried:
        slow = Derivatives(library, hurried, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")
        for pixels in (1000, 999, 998):
            with pytest.raises(MediaOutOfTime):
                await content_of(slow, Derivative("waveform", {"pixels": pixels}))
        assert hurried.jobs == 1


async def test_more_than_may_wait_is_refused(library: Library, tmp_path: Path) -> None:
    refused = 0

    async def ask(derivatives: Derivatives, time_s: int) -> None:
        nonlocal refused
        try:
            await content_of(derivatives, Derivative("thumbnail", {"t": time_s, "width": 64}))
        except MediaBusy:
            refused += 1

    async with KeptWorkers(ENGINE, PoolLimits(jobs=1, queue=0)) as narrow:
        derivatives = Derivatives(library, narrow, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")
        async with anyio.create_task_group() as tasks:
            for time_s in range(3):
                tasks.start_soon(ask, derivatives, time_s)
    assert refused == 2


async def test_what_was_parsed_is_remembered(derivatives: Derivatives) -> None:
    parsed = list[bytes]()

    def parse(content: bytes) -> int:
        parsed.append(content)
        return len(content)

    async with derivatives.library.open(FILM) as reader:
        first = await derivatives.parsed(reader, Derivative("describe"), parse)
        assert await derivatives.parsed(reader, Derivative("describe"), parse) == first
    assert len(parsed) == 1


async def test_many_who_ask_at_once_have_it_parsed_once(derivatives: Derivatives) -> None:
    parsed = list[bytes]()

    def parse(content: bytes) -> int:
        parsed.append(content)
        time.sleep(0.02)  # so that the others have come
        return len(content)

    async def ask() -> None:
        async with derivatives.library.open(FILM) as reader:
            await derivatives.parsed(reader, Derivative("describe"), parse)

    await ask()
    parsed.clear()
    other = Derivatives(derivatives.library, derivatives.workers, derivatives.cache, derivatives.folder)

    async def ask_other() -> None:
        async with other.library.open(FILM) as reader:
            await other.parsed(reader, Derivative("describe"), parse)

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask_other)
    assert len(parsed) <= 2  # two may be at it at a time


@pytest.mark.parametrize(("size", "times"), [(1 << 20, 3), (6 << 20, 4)])
async def test_large_documents_are_remembered_within_a_bound(derivatives: Derivatives, size: int, times: int) -> None:
    """Three of 6 MiB are more than the bound: the first is parsed again."""
    parsed = list[int]()

    def parse(content: bytes) -> int:
        parsed.append(len(content))
        return len(content)

    async with derivatives.library.open(FILM) as reader:
        entry = await derivatives.library.describe(reader)
        for number in (1, 2, 3, 1):
            derivative = Derivative("describe", {"number": number})
            await derivatives.cache.write(name_of(entry, derivative), b"x")
            os.truncate(derivatives.cache.folder / name_of(entry, derivative), size)
            assert await derivatives.parsed(reader, derivative, parse) == size
    assert len(parsed) == times


async def test_a_document_without_end_is_not_read(derivatives: Derivatives) -> None:
    async with derivatives.library.open(FILM) as reader:
        name = name_of(await derivatives.library.describe(reader), Derivative("describe"))
        await derivatives.cache.write(name, b"x")
        os.truncate(derivatives.cache.folder / name, 1 << 30)
        with pytest.raises(MediaEngineFailed):
            await derivatives.parsed(reader, Derivative("describe"), len)


async def test_without_a_free_descriptor_the_storage_has_failed(derivatives: Derivatives) -> None:
    """An OSError would be taken for a client that left: it would get an empty answer."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with derivatives.library.open(FILM) as reader:
        await derivatives.library.describe(reader)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
            with pytest.raises(StorageError):
                async with derivatives.made(reader, Derivative(POSTER.kind, POSTER.terms, is_kept=False)):
                    pass
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_slow_clients_leave_lying_waits_on_disk(derivatives: Derivatives, *, is_kept: bool) -> None:
    """A client that takes its time holds no memory, beyond what all may hold together."""
    content = await content_of(derivatives, POSTER)
    derivatives.held_in_memory = len(content)
    kinds, before = list[str](), descriptors()
    async with derivatives.library.open(FILM) as reader, AsyncExitStack() as stack:
        for time_s in (1.0, 2.0):
            derivative = Derivative("thumbnail", {"t": time_s, "width": 16}, is_kept=is_kept)
            product = await stack.enter_async_context(derivatives.made(reader, derivative))
            derivatives.held_in_memory = product.size  # it is full now
            kinds.append(os.readlink(f"/proc/self/fd/{product.descriptor}"))
            assert os.pread(product.descriptor, 4, 0) == b"RIFF"
            assert os.fstat(product.descriptor).st_size == product.size
    assert kinds[0].startswith("/memfd:")
    assert kinds[1].startswith(str(derivatives.cache.folder))
    assert descriptors() == before
    assert (await content_of(derivatives, Derivative("thumbnail", {"t": 3.0, "width": 16}))).startswith(b"RIFF")


async def test_without_room_for_what_waits_it_is_refused(derivatives: Derivatives, tmp_path: Path) -> None:
    derivatives.held_in_memory = 0
    (tmp_path / "media").write_bytes(b"in the way")
    with pytest.raises(MediaBusy):
        await content_of(derivatives, POSTER)


async def test_a_new_version_is_another_file(derivatives: Derivatives, library: Library) -> None:
    async def sent(content: bytes) -> AsyncIterator[bytes]:
        yield content

    key = Key("changing.mkv")
    film = await read(library, FILM)
    for content in (film, film + b"\xec\x81\x00"):  # an empty Void element
        async with library.receive(sent(content), length=None, max_size=None, digests={}) as received:
            await library.commit(received, key)
        assert (await content_of(derivatives, POSTER, key)).startswith(b"RIFF")
    assert len(list(derivatives.cache.folder.iterdir())) == 2


async def read(library: Library, key: Key) -> bytes:
    async with library.open(key) as reader:
        return b"".join([chunk async for chunk in reader.chunks(range(reader.entry.size), 1 << 20)])
