"""tus: bytes whose checksum is wrong are as if they had never come (T13)."""

import base64
import hashlib

import pytest

from tests.support.files import known_bytes
from tests.support.server import wait_until
from tests.support.wire import Connection, request_bytes
from tests.uploads.dialects import (
    OFFSET_TYPE,
    Line,
    Tus,
    assert_stored,
    checksum,
    chunked,
    fresh_key,
    metadata,
    stored,
    told,
    tus_patch,
)

_ALGORITHMS = ("sha1", "sha256", "sha512")
_SHA1 = base64.b64encode(hashlib.sha1(b"def").digest()).decode()
_CONTENT = known_bytes(300_000)


@pytest.mark.parametrize("algorithm", _ALGORITHMS)
def test_a_right_checksum_is_taken(tus: Tus, algorithm: str) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    assert tus.patch(target, 3, b"def", checksum(b"def", algorithm)).status == 204
    assert_stored(tus.server, key, b"abcdef")


@pytest.mark.parametrize("algorithm", _ALGORITHMS)
def test_a_wrong_checksum_is_460_and_leaves_the_offset(tus: Tus, algorithm: str) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    assert tus.patch(target, 3, b"deX", checksum(b"def", algorithm)).status == 460
    assert tus.offset(target) == 3
    assert stored(tus.server, key) is None
    assert tus.patch(target, 3, b"def", checksum(b"def", algorithm)).status == 204
    assert_stored(tus.server, key, b"abcdef")


def test_a_checksum_is_of_its_piece_alone(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    for start in range(0, len(_CONTENT), 100_000):
        piece = _CONTENT[start : start + 100_000]
        assert tus.patch(target, start, piece, checksum(piece)).status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_a_long_piece_with_a_wrong_checksum_is_dropped(tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, len(_CONTENT), _CONTENT[:10])
    assert tus.patch(target, 10, _CONTENT[11:] + b"X", checksum(_CONTENT[10:])).status == 460
    assert tus.offset(target) == 10
    assert tus.patch(target, 10, _CONTENT[10:]).status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_chunks_have_a_checksum_too(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    chunks = ("Transfer-Encoding", "chunked")
    assert tus.patch(target, 3, chunked(b"d", b"eX"), chunks, checksum(b"def")).status == 460
    assert tus.offset(target) == 3
    assert tus.patch(target, 3, chunked(b"d", b"ef"), chunks, checksum(b"def")).status == 204


def test_nothing_at_all_has_a_checksum(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert tus.patch(target, 3, b"", checksum(b"")).status == 204
    assert tus.patch(target, 3, b"", checksum(b"def")).status == 460
    assert tus.offset(target) == 3


_REFUSED = {
    "an unknown algorithm": "md5 " + base64.b64encode(hashlib.md5(b"def").digest()).decode(),
    "a made-up algorithm": f"sha0 {_SHA1}",
    "no digest": "sha1",
    "an empty digest": "sha1 ",
    "no algorithm": f" {_SHA1}",
    "nothing": "",
    "no base64": "sha1 !!!!",
    "a digest of another length": f"sha256 {_SHA1}",
    "a digest that is cut": f"sha1 {_SHA1[:8]}",
    "hexadecimal": f"sha1 {hashlib.sha1(b'def').hexdigest()}",
    "three words": f"sha1 {_SHA1} {_SHA1}",
    "a list": f"sha1 {_SHA1},sha1 {_SHA1}",
    "as the digest fields write it": f"sha-1=:{_SHA1}:",
    "beyond ASCII": "sha1 Größe",
}


@pytest.mark.parametrize("why", _REFUSED)
def test_a_checksum_that_cannot_be_read_is_400(tus: Tus, why: str) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert tus.patch(target, 3, b"def", ("Upload-Checksum", _REFUSED[why])).status == 400
    assert tus.offset(target) == 3


def test_a_checksum_that_is_said_twice_is_400(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert tus.patch(target, 3, b"def", checksum(b"def"), checksum(b"def", "sha256")).status == 400
    assert tus.offset(target) == 3


@pytest.mark.parametrize("way", ["announced", "chunked"])
def test_what_comes_before_a_connection_breaks_is_dropped_where_it_cannot_be_checked(tus: Tus, way: str) -> None:
    key = fresh_key()
    target = tus.begin(key, len(_CONTENT), _CONTENT[:10])
    lines = (*tus_patch(10), checksum(_CONTENT[10:]))
    with Connection(tus.server.port) as connection:
        if way == "announced":
            length: Line = ("Content-Length", str(len(_CONTENT) - 10))
            connection.send(request_bytes("PATCH", target, length, *lines, body=_CONTENT[10:200_000]))
        else:
            chunks = ("Transfer-Encoding", "chunked")
            body = b"%x\r\n" % len(_CONTENT) + _CONTENT[10:200_000]
            connection.send(request_bytes("PATCH", target, chunks, *lines, body=body))
        wait_until(tus.server.open_transfers, lambda number: number > 0)
    wait_until(tus.server.open_transfers, lambda number: number == 0)
    assert tus.offset(target) == 10
    assert tus.patch(target, 10, _CONTENT[10:], checksum(_CONTENT[10:])).status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_bytes_of_a_creation_have_a_checksum_too(tus: Tus) -> None:
    key = fresh_key()
    lines = (("Upload-Length", "3"), metadata(key=key), OFFSET_TYPE)
    assert tus.ask("POST", "/uploads", *lines, checksum(b"abX"), body=b"abc").status == 460
    assert stored(tus.server, key) is None
    made = tus.ask("POST", "/uploads", *lines, checksum(b"abc"), body=b"abc")
    assert (made.status, told(made, "upload-offset")) == (201, "3")
    assert stored(tus.server, key) == b"abc"


def test_content_digest_is_heeded_as_well(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    assert tus.patch(target, 3, b"def", ("Content-Digest", f"sha-256=:{wrong}:")).status == 400
    assert tus.offset(target) == 3
