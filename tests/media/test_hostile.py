"""Files made to do harm: nothing but the file itself is opened, nothing is fetched, and the server stays well."""

import io
import os
import shutil
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import IncompleteRead
from pathlib import Path

import pytest
from asyncinotify import Inotify, Mask
from av.error import FFmpegError

from fileserver.media.engine.facts.describe import describe
from fileserver.media.engine.pictures.pictures import thumbnail
from fileserver.media.faults import MediaFault
from fileserver.workers.kept import IDLE_S
from tests.media.conftest import MediaFile
from tests.media.engine.conftest import open_source
from tests.support.damaged_media import damaged_files, part_of
from tests.support.evil_media import CLAIMS, evil_texts
from tests.support.process import family_rss
from tests.support.server import Server, running_server, wait_until

_KINDS = ("video/mp4", "video/matroska", "video/mp2t", "video/x-msvideo", "audio/mpeg", "audio/flac", "audio/ogg")
_DAMAGED = 1000
_AT_ONCE = 4
_MOST_MEMORY = 1500 << 20
"""Of the server and its workers together."""

_TORN = 0
"""No status: the bytes of a virtual file turn out to be damaged after its length was told."""

_HONEST = {_TORN, 200, 206, 404, 410, 415, 422, 503, 504, 507}
"""What a file may be the reason of: 404 no such track, 415 no media, 422 damaged or not to be converted, 503 too much
at a time, 504 and 507 past a limit of time or memory."""


@contextmanager
def _unvisited() -> Iterator[str]:
    """The URL of a server that nobody may visit: AssertionError if somebody did."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with suppress(BlockingIOError):
            connection, _ = listener.accept()
            connection.close()
            pytest.fail("something was fetched")


@contextmanager
def _unopened(secret: Path) -> Iterator[None]:
    """AssertionError if the file was opened within the block."""
    with Inotify(sync_timeout=0) as watcher:
        watcher.add_watch(secret, Mask.OPEN)
        yield
        assert list(watcher) == [], "the secret was opened"
        secret.read_bytes()
        assert list(watcher), "nobody would have noticed"


@pytest.fixture
def secret(media_file: MediaFile, tmp_path: Path) -> Path:
    """A film that FFmpeg would gladly play, outside of what is served."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return Path(shutil.copy(media_file("h264-aac.ts"), folder / "secret.ts"))


@pytest.mark.parametrize("kind", _KINDS)
def test_the_engine_opens_nothing_that_a_file_names(secret: Path, tmp_path: Path, kind: str) -> None:
    """As a worker would, but for the sandbox that would stop it: whatever the file was taken for."""
    taken: set[str] = set()
    with _unvisited() as url, _unopened(secret):
        for name, content in evil_texts(secret, url).items():
            path = tmp_path / name
            path.write_bytes(content)
            with open_source(path, kind) as source, suppress(MediaFault, FFmpegError):
                describe(source, {}, io.BytesIO())
                taken.add(name)
                thumbnail(source, {"t": 0, "width": 64}, io.BytesIO())
    assert taken <= {"mov-reference"}  # which is a film, of samples that lie elsewhere


def test_the_server_opens_nothing_that_a_file_names(secret: Path, tmp_path: Path) -> None:
    root = tmp_path / "served"
    with _unvisited() as url, _unopened(secret):
        texts = evil_texts(secret, url)
        files = [f"{name}/{claim}" for name in texts for claim in CLAIMS]
        for name, content in texts.items():
            (root / name).mkdir(parents=True)
            for claim in CLAIMS:
                (root / name / claim).write_bytes(content)
        with running_server(root) as server:
            paths = [file + part for file in files for part in _ASKED]
            answers = dict(zip(paths, _asked(server, paths), strict=True))
    assert {path: status for path, status in answers.items() if status not in _HONEST} == {}


def test_a_thousand_damaged_files_leave_the_server_well(
    media_folder: Path, media_file: MediaFile, tmp_path: Path
) -> None:
    names = damaged_files(_DAMAGED, media_folder, tmp_path)
    os.link(media_file("h264-ac3.mkv"), tmp_path / "good.mkv")
    paths = [part_of(name, number) for number, name in enumerate(names)]
    with running_server(tmp_path, "--media-timeout", "10") as server:
        before, good = server.stats(), _ask(server, "good.mkv")
        answers = dict(zip(paths, _asked(server, paths), strict=True))
        memory, statuses = family_rss(server.pid), Counter(answers.values())
        assert {path: status for path, status in answers.items() if status not in _HONEST} == {}
        assert statuses[200] > _DAMAGED / 4, statuses  # the damage is not so great that nothing is read
        assert memory < _MOST_MEMORY
        assert _ask(server, "good.mkv") == good
        wait_until(
            lambda: server.stats().descriptors - before.descriptors,
            lambda more: more["socket"] <= _AT_ONCE,
            timeout_s=3 * IDLE_S,  # until then workers wait for more work on the last files
        )
        assert server.stats().files_below(tmp_path) == []


_ASKED = ("", "/hls/master.m3u8", "/poster", "/preview?width=64")


def _asked(server: Server, paths: list[str]) -> list[int]:
    """The statuses, in the order of the paths; several are asked at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as clients:
        return [status for status, _ in clients.map(lambda path: _ask(server, path), paths)]


def _ask(server: Server, path: str) -> tuple[int, bytes]:
    """Status and body; the status is 0 where an answer that had begun was cut off."""
    try:
        with urllib.request.urlopen(f"{server.url}/media/{path}", timeout=60) as answer:
            return answer.status, answer.read()
    except IncompleteRead as torn:
        return _TORN, torn.partial
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
