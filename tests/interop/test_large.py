"""Four gigabytes in chunks: every byte is counted in the digest, and none of them stays in memory."""

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.resuming import TUS, created
from tests.support.files import GIB, MIB
from tests.support.server import Serve, Server
from tests.support.wire import Answer, Connection, request_bytes

_SIZE = 4 * GIB
_CHUNK = 64 * MIB
_PIECE = 8 * MIB
_MARK = 16
_MOST_MEMORY = 32 * MIB
_ZEROS = bytes(_PIECE - _MARK)


@pytest.fixture
def key(tmp_path: Path) -> Iterator[str]:
    """What the file is called; nothing so large stays behind."""
    yield "large.bin"
    (tmp_path / "large.bin").unlink()


def test_four_gigabytes_come_in_flat_memory(serve: Serve, tmp_path: Path, key: str) -> None:
    server = serve(tmp_path)
    path = created(server.port, TUS, key, _SIZE)
    digest = hashlib.sha256()
    before = most = server.stats().rss
    with Connection(server.port) as connection, ThreadPoolExecutor(1) as hasher:
        for start in range(0, _SIZE, _CHUNK):
            hashing = hasher.submit(_hash, digest, start)
            answer, held = _sent(server, connection, path, start)
            hashing.result()
            assert (answer.status, answer.head.get("upload-offset")) == (204, str(start + _CHUNK))
            most = max(most, held)
    assert most - before < _MOST_MEMORY
    assert answer.head.get("repr-digest") == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert (tmp_path / key).stat().st_size == _SIZE
    with (tmp_path / key).open("rb") as stored:
        for place in (0, 2 * GIB - _PIECE, 2 * GIB, _SIZE - _PIECE):
            stored.seek(place)
            assert stored.read(2 * _MARK) == _mark(place) + bytes(_MARK)


def _sent(server: Server, connection: Connection, path: str, start: int) -> tuple[Answer, int]:
    """The answer to one chunk, and how much memory the server held at most while it came."""
    fields = {**TUS.appending(start, is_last=False), "Content-Length": str(_CHUNK), "Connection": "keep-alive"}
    connection.send(request_bytes("PATCH", path, *fields.items()))
    most = 0
    for place in range(start, start + _CHUNK, _PIECE):
        connection.send(_mark(place))
        connection.send(_ZEROS)
        most = max(most, server.stats().rss)
    answer = connection.answer()
    return answer, max(most, server.stats().rss)


def _hash(digest: "hashlib._Hash", start: int) -> None:
    for place in range(start, start + _CHUNK, _PIECE):
        digest.update(_mark(place))
        digest.update(_ZEROS)


def _mark(place: int) -> bytes:
    """What tells one piece from another."""
    return place.to_bytes(_MARK, "big")
