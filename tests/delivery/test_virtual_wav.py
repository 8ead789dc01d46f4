"""The sound of stored files on its way out as WAV, decoded by workers while it leaves."""

import json
import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from fileserver.delivery.asgi import Message
from fileserver.delivery.derivatives import Derivatives
from fileserver.delivery.disk_cache import DiskCache
from fileserver.delivery.virtual import Replaced
from fileserver.delivery.virtual_wav import FIRST_WINDOW, WavDownload
from fileserver.media import CannotConvert, DamagedMedia
from fileserver.workers import KeptWorkers, PoolLimits
from storage import Catalogue, Key, Library, LocalStore, NotFound
from tests.delivery.conftest import detected, until_closed
from tests.delivery.wav_stand_in import BLOCK_SIZE, samples
from tests.support.asgi import ZEROCOPY, drive, http_scope

COUNT = FIRST_WINDOW  # of samples: four times the bytes, so that windows of three sizes are needed
SOUND = samples(0, COUNT)
HEAD_SIZE = 44
SIZE = HEAD_SIZE + len(SOUND)
GONE = ({"type": "http.disconnect"},)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests of the file, as they share workers."""
    return "asyncio"


@pytest.fixture(scope="module")
async def workers() -> AsyncIterator[KeptWorkers]:
    async with KeptWorkers("tests.delivery.wav_stand_in", PoolLimits(jobs=2, queue=8)) as opened:
        yield opened


@pytest.fixture
async def derivatives(workers: KeptWorkers, tmp_path: Path) -> AsyncIterator[Derivatives]:
    (tmp_path / "root").mkdir()
    library = Library(
        LocalStore(tmp_path / "root"), Catalogue(tmp_path / "root" / ".fileserver" / "catalogue.sqlite3"), detected
    )
    await library.start()
    yield Derivatives(library, workers, DiskCache(tmp_path / "media", 1 << 20), tmp_path / "empty")
    await library.close()


@pytest.fixture
def download(derivatives: Derivatives, tmp_path: Path) -> WavDownload:
    return stored(derivatives, tmp_path)


def stored(derivatives: Derivatives, folder: Path, **told: Any) -> WavDownload:
    """A download of a file of which the stand-in is told so."""
    (folder / "root" / "song.flac").write_text(json.dumps({"samples": COUNT, **told}))
    return WavDownload(derivatives, Key("song.flac"), "a0", "song.wav", chunk_size=50_000)


def ranged(field: str) -> list[tuple[str, str]]:
    return [("range", field)]


@pytest.mark.parametrize("extensions", [(), (ZEROCOPY,)])
async def test_the_whole_is_a_header_and_every_sample(download: WavDownload, extensions: tuple[str, ...]) -> None:
    exchange = await drive(download, http_scope(extensions=extensions))
    assert (exchange.status, exchange.is_complete, exchange.error) == (200, True, None)
    assert exchange.headers["content-length"] == str(SIZE)
    assert exchange.headers["content-type"] == "audio/wav"
    assert 'filename="song.wav"' in exchange.headers["content-disposition"]
    assert exchange.body[:4] == b"RIFF"
    assert exchange.body[HEAD_SIZE:] == SOUND


async def test_any_range_is_what_the_whole_has_there(download: WavDownload) -> None:
    whole = (await drive(download, http_scope())).body
    chance = random.Random(3)
    spans = [range(2), range(SIZE - 1, SIZE), range(HEAD_SIZE - 1, HEAD_SIZE + 1), range(HEAD_SIZE + 3, SIZE)]
    spans += (range(start, min(SIZE, start + chance.choice((1, 3, 70_000, SIZE))))
              for start in (chance.randrange(SIZE) for _ in range(16)))  # fmt: skip
    for span in spans:
        exchange = await drive(download, http_scope(headers=ranged(f"bytes={span.start}-{span.stop - 1}")))
        assert (exchange.status, exchange.is_complete) == (206, True)
        assert exchange.body == whole[span.start : span.stop], span
        assert exchange.headers["content-range"] == f"bytes {span.start}-{span.stop - 1}/{SIZE}"


async def test_several_ranges_come_as_parts(download: WavDownload) -> None:
    exchange = await drive(
        download, http_scope(headers=ranged(f"bytes=0-3,{HEAD_SIZE + 8}-{HEAD_SIZE + 15},500001-500003"))
    )
    assert exchange.headers["content-length"] == str(len(exchange.body))
    places = [exchange.body.index(part) for part in (b"RIFF", SOUND[8:16], SOUND[500_001 - 44 : 500_004 - 44])]
    assert places == sorted(places)


async def test_past_the_end_is_416_with_the_size(download: WavDownload) -> None:
    exchange = await drive(download, http_scope(headers=ranged(f"bytes={SIZE}-")))
    assert (exchange.status, exchange.headers["content-range"]) == (416, f"bytes */{SIZE}")
    assert exchange.is_complete


async def test_head_says_what_get_would(download: WavDownload) -> None:
    asked = await drive(download, http_scope())
    exchange = await drive(download, http_scope("HEAD"))
    assert (exchange.headers, exchange.body, exchange.is_complete) == (asked.headers, b"", True)


async def test_it_has_a_validator_of_its_own(download: WavDownload) -> None:
    exchange = await drive(download, http_scope())
    async with download.derivatives.library.open(download.key) as reader:
        assert exchange.headers["etag"] == f'"{reader.entry.etag}-wav"'
    again = await drive(download, http_scope(headers=[("if-none-match", exchange.headers["etag"])]))
    assert (again.status, again.body) == (304, b"")


async def test_only_what_is_asked_for_is_decoded(derivatives: Derivatives, tmp_path: Path) -> None:
    download = stored(derivatives, tmp_path, fails=1000)
    exchange = await drive(download, http_scope(headers=ranged(f"bytes=0-{HEAD_SIZE + 1000 * BLOCK_SIZE - 1}")))
    assert exchange.body[HEAD_SIZE:] == SOUND[: 1000 * BLOCK_SIZE]


async def test_what_cannot_be_played_is_raised_before_the_answer_begins(
    derivatives: Derivatives, tmp_path: Path
) -> None:
    for told, fault in (
        ({"is_lossy": True}, CannotConvert),
        ({"fails": 1}, DamagedMedia),
        ({"short": 1}, DamagedMedia),
    ):
        exchange = await drive(stored(derivatives, tmp_path, **told), http_scope())
        assert isinstance(exchange.error, fault)
        assert exchange.messages == []
    exchange = await drive(replace(download_of(derivatives), key=Key("missing")), http_scope())
    assert isinstance(exchange.error, NotFound)
    exchange = await drive(replace(download_of(derivatives), version="another"), http_scope())
    assert isinstance(exchange.error, Replaced)


def download_of(derivatives: Derivatives) -> WavDownload:
    return WavDownload(derivatives, Key("song.flac"), "a0", "song.wav")


def sound_files() -> list[str]:
    """What workers made, and is still open."""
    links = (os.path.join("/proc/self/fd", number) for number in os.listdir("/proc/self/fd"))
    return [link for link in links if os.path.lexists(link) and "memfd:wav" in os.readlink(link)]


@pytest.mark.parametrize("how", ["fails", "short"])
async def test_sound_that_breaks_off_midway_tears_the_answer(
    derivatives: Derivatives, tmp_path: Path, how: str
) -> None:
    exchange = await drive(stored(derivatives, tmp_path, **{how: COUNT // 2}), http_scope())
    assert isinstance(exchange.error, DamagedMedia)
    assert exchange.status == 200
    assert not exchange.is_complete
    assert SOUND.startswith(exchange.body[HEAD_SIZE:])


async def test_a_client_that_leaves_ends_the_work(derivatives: Derivatives, tmp_path: Path) -> None:
    """Also while nothing is sent, since a worker takes long."""
    exchange = await drive(stored(derivatives, tmp_path, hangs=1), http_scope(), GONE)
    assert (exchange.error, exchange.messages) == (None, [])


async def test_a_client_that_leaves_frees_all(download: WavDownload, tmp_path: Path) -> None:
    for sends in range(1, 6):
        exchange = await drive(download, http_scope(), disconnect_at_send=sends)
        assert exchange.error is None
        await until_closed(tmp_path / "root")
        assert sound_files() == []


async def test_the_next_window_is_made_while_one_is_sent(derivatives: Derivatives, tmp_path: Path) -> None:
    """The second fails before anything of the first has left: it did not wait for that."""
    download = stored(derivatives, tmp_path, fails=FIRST_WINDOW // BLOCK_SIZE)

    async def stall(message: Message) -> None:
        if message["type"] == "http.response.body":
            await anyio.sleep_forever()

    exchange = await drive(download, http_scope(), on_send=stall)
    assert isinstance(exchange.error, DamagedMedia)
    assert exchange.body == b""


async def test_cancelled_at_any_moment_it_leaves_nothing_open(download: WavDownload, tmp_path: Path) -> None:
    await drive(download, http_scope("HEAD"))  # the process that workers are forked from takes long to start
    for moment in range(25):
        with anyio.move_on_after(moment * 0.002):
            await download(http_scope(), _wait, _take)
        await until_closed(tmp_path / "root")
        assert sound_files() == []


async def _wait() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


async def _take(_message: Message) -> None:
    await anyio.sleep(0)
