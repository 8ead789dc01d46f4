"""tus: bytes are appended where they belong (T4, T5), kept when a connection breaks (T6), and never too many (T7)."""

import pytest

from tests.support.files import known_bytes
from tests.support.server import wait_until
from tests.support.wire import Connection, request, request_bytes
from tests.uploads.dialects import (
    OFFSET_TYPE,
    VERSION,
    Line,
    Tus,
    asked_for,
    assert_problem,
    assert_stored,
    chunked,
    digest,
    draft_size,
    fresh_key,
    stored,
    told,
    tus_patch,
)

_CHUNKED: Line = ("Transfer-Encoding", "chunked")
_CONTENT = known_bytes(300_000)


def test_pieces_become_the_file(tus: Tus) -> None:
    key, offset = fresh_key(), 0
    target = tus.create(key, len(_CONTENT))
    for size in (1, 0, 1000, 65_536, 100_000, 0, len(_CONTENT)):
        piece = _CONTENT[offset : offset + size]
        answer = tus.patch(target, offset, piece)
        offset += len(piece)
        assert (answer.status, told(answer, "upload-offset"), answer.body) == (204, str(offset), b"")
        assert stored(tus.server, key) in (None, _CONTENT)
    assert_stored(tus.server, key, _CONTENT)


def test_the_last_answer_tells_of_the_file(tus: Tus) -> None:
    key = fresh_key("a name.bin")
    answer = tus.patch(tus.begin(key, 6, b"abc"), 3, b"def")
    assert told(answer, "content-location") == f"/files/{key}".replace(" ", "%20")
    got = request(tus.server.port, "GET", told(answer, "content-location"))
    assert got.body == b"abcdef"
    assert told(answer, "etag") == told(got, "etag")
    assert told(answer, "repr-digest") == told(got, "repr-digest") == digest("", b"abcdef")[1]


def test_an_answer_that_was_lost_can_be_had_again(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    last, again = tus.patch(target, 3, b"def"), tus.patch(target, 6)
    assert again.status == last.status == 204
    for name in ("upload-offset", "content-location", "etag", "repr-digest"):
        assert told(again, name) == told(last, name)


def test_nothing_is_appended_to_a_complete_upload(tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, 3, b"abc")
    assert 400 <= tus.patch(target, 3, b"d").status < 500
    assert tus.patch(target, 0, b"xyz").status == 409
    assert (stored(tus.server, key), tus.offset(target)) == (b"abc", 3)


def test_chunks_are_appended(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 6)
    assert tus.patch(target, 0, chunked(b"a", b"bc"), _CHUNKED).status == 204
    assert tus.patch(target, 3, chunked(b"def"), _CHUNKED).status == 204
    assert_stored(tus.server, key, b"abcdef")


@pytest.mark.parametrize(
    "kind",
    [None, "", "application/octet-stream", "text/plain", "application/partial-upload", "application/offset"],
)
def test_another_type_is_415(tus: Tus, kind: str | None) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    lines = () if kind is None else (("Content-Type", kind),)
    answer = tus.ask("PATCH", target, ("Upload-Offset", "3"), *lines, body=b"def")
    assert answer.status == 415
    assert "application/offset+octet-stream" in told(answer, "accept-patch")
    assert tus.offset(target) == 3


def test_the_type_may_be_in_capitals(tus: Tus) -> None:
    target = tus.create(fresh_key(), 6)
    kind = ("Content-Type", "Application/Offset+Octet-Stream")
    assert tus.ask("PATCH", target, kind, ("Upload-Offset", "0"), body=b"abc").status == 204


@pytest.mark.parametrize("offset", [0, 2, 4, 6, 7, 10**15])
def test_another_offset_is_409_and_changes_nothing(tus: Tus, offset: int) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    answer = tus.patch(target, offset, b"def")
    assert (answer.status, told(answer, "upload-offset")) == (409, "3")
    assert tus.offset(target) == 3


_NO_OFFSETS: dict[str, tuple[str, ...]] = {
    "missing": (),
    "empty": ("",),
    "negative": ("-1",),
    "signed": ("+3",),
    "underscore": ("0_3",),
    "hexadecimal": ("0x3",),
    "fraction": ("3.0",),
    "words": ("three",),
    "a list": ("3, 3",),
    "twice": ("3", "3"),
    "two of them": ("3", "0"),
    "with a parameter": ("3;x=1",),
    "digits of another script": ("٣",),
}


@pytest.mark.parametrize("why", _NO_OFFSETS)
def test_an_offset_that_is_no_number_is_400(tus: Tus, why: str) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    lines = tuple(("Upload-Offset", value) for value in _NO_OFFSETS[why])
    assert tus.ask("PATCH", target, OFFSET_TYPE, *lines, body=b"def").status == 400
    assert tus.offset(target) == 3


@pytest.mark.parametrize("offset", [10**18, 2**63, 2**64, 10**30, int("9" * 1000)])
def test_an_offset_beyond_every_disk_is_refused(tus: Tus, offset: int) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert tus.patch(target, offset, b"def").status in (400, 409)
    assert tus.offset(target) == 3


def test_space_round_an_offset_does_not_belong_to_it(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert tus.ask("PATCH", target, OFFSET_TYPE, ("Upload-Offset", " \t3 "), body=b"d").status == 204


@pytest.mark.parametrize("way", ["announced", "chunked"])
def test_bytes_before_a_connection_breaks_are_kept(tus: Tus, way: str) -> None:
    key = fresh_key()
    target = tus.begin(key, len(_CONTENT), _CONTENT[:1000])
    piece = _CONTENT[1000:201_000]
    with Connection(tus.server.port) as connection:
        if way == "announced":
            length = ("Content-Length", str(len(_CONTENT) - 1000))
            connection.send(request_bytes("PATCH", target, length, *tus_patch(1000), body=piece))
        else:
            start = b"%x\r\n" % (2 * len(piece))
            connection.send(request_bytes("PATCH", target, _CHUNKED, *tus_patch(1000), body=start + piece))
    wait_until(lambda: draft_size(tus.server, target), lambda size: size == 201_000)
    assert tus.offset(target) == 201_000
    assert tus.patch(target, 201_000, _CONTENT[201_000:]).status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_an_upload_goes_on_after_a_reset(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    connection = Connection(tus.server.port)
    length = ("Content-Length", str(len(_CONTENT)))
    connection.send(request_bytes("PATCH", target, length, *tus_patch(0), body=_CONTENT[:200_000]))
    connection.reset()
    offset = tus.offset(target)
    assert offset <= 200_000
    assert tus.patch(target, offset, _CONTENT[offset:]).status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_a_file_is_not_there_before_its_last_byte(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 6)
    with asked_for(tus.server, "PATCH", target, 6, *tus_patch(0)) as connection:
        connection.send(b"abcde")
        assert request(tus.server.port, "GET", f"/files/{key}").status == 404
        connection.send(b"f")
        assert connection.answer().status == 204
    assert_stored(tus.server, key, b"abcdef")


def test_too_many_bytes_that_are_announced_are_not_asked_for(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    with Connection(tus.server.port) as connection:
        wait = (("Content-Length", "4"), ("Expect", "100-continue"), ("Connection", "keep-alive"))
        connection.send(request_bytes("PATCH", target, *wait, *tus_patch(3)))
        answer = connection.answer()
        assert (answer.status, answer.head.interim, told(answer, "connection")) == (413, (), "close")
    assert tus.offset(target) == 3


@pytest.mark.parametrize("pieces", [(b"defg",), (b"def", b"g"), (known_bytes(200_000),)], ids=len)
def test_too_many_bytes_in_chunks_leave_the_offset_as_it_was(tus: Tus, pieces: tuple[bytes, ...]) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    assert tus.patch(target, 3, chunked(*pieces), _CHUNKED).status == 413
    assert tus.offset(target) == 3
    assert stored(tus.server, key) is None
    assert tus.patch(target, 3, b"def").status == 204
    assert_stored(tus.server, key, b"abcdef")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((VERSION, OFFSET_TYPE, ("Upload-Offset", "0")), 409),
        ((VERSION, ("Content-Type", "text/plain"), ("Upload-Offset", "3")), 415),
        ((VERSION, OFFSET_TYPE), 400),
        ((("Tus-Resumable", "0.9.0"), OFFSET_TYPE, ("Upload-Offset", "3")), 412),
    ],
)
def test_a_refused_body_is_not_asked_for(tus: Tus, lines: tuple[Line, ...], status: int) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    with Connection(tus.server.port) as connection:
        wait = (("Content-Length", "3"), ("Expect", "100-continue"), ("Connection", "keep-alive"))
        connection.send(request_bytes("PATCH", target, *wait, *lines))
        answer = connection.answer()
        assert (answer.status, answer.head.interim, told(answer, "connection")) == (status, (), "close")


def test_a_refusal_is_a_problem(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert_problem(tus.patch(target, 3, b"defg"), 413, "too-large")
    kind = ("Content-Type", "text/plain")
    wrong = tus.ask("PATCH", target, kind, ("Upload-Offset", "3"), body=b"d")
    assert_problem(wrong, 415, "unsupported-media-type")
