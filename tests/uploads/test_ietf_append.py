"""The IETF's draft: bytes are appended where they belong (U5), as many as were said and no more (U6, U7)."""

import pytest

from tests.support.files import known_bytes
from tests.support.server import wait_until
from tests.support.wire import Answer, Connection, request, request_bytes
from tests.uploads.dialects import (
    INCONSISTENT_LENGTH,
    INTEROP,
    LAST,
    MISMATCHING_OFFSET,
    MORE,
    PARTIAL_TYPE,
    Draft,
    Line,
    assert_stored,
    chunked,
    digest,
    draft_size,
    fresh_key,
    problem_of,
    stored,
    told,
)

_CONTENT = known_bytes(300_000)
_CHUNKED: Line = ("Transfer-Encoding", "chunked")
_SIX: Line = ("Upload-Length", "6")


def test_pieces_become_the_file(draft: Draft) -> None:
    key, offset = fresh_key(), 0
    target = draft.create(key)
    for size in (1, 0, 1000, 65_536, 100_000):
        piece = _CONTENT[offset : offset + size]
        answer = draft.patch(target, offset, piece)
        offset += size
        assert (answer.status, told(answer, "upload-complete"), answer.body) == (204, "?0", b"")
        assert told(answer, "upload-offset") == str(offset)
        assert answer.head.get("location") is None
    assert draft.finish(target, offset, _CONTENT[offset:]).status == 201
    assert_stored(draft.server, key, _CONTENT)


@pytest.mark.parametrize(("rest", "offset"), [(b"def", 3), (b"", 6)])
def test_the_last_answer_is_that_of_the_plain_upload(draft: Draft, rest: bytes, offset: int) -> None:
    key = fresh_key()
    target = draft.create(key, b"abcdef"[:offset])
    answer = draft.finish(target, offset, rest)
    got = request(draft.server.port, "GET", f"/files/{key}")
    assert (answer.status, told(answer, "upload-complete"), told(answer, "upload-offset")) == (201, "?1", "6")
    assert told(answer, "location") == f"/files/{key}"
    assert got.body == b"abcdef"
    assert told(answer, "etag") == told(got, "etag")
    assert told(answer, "repr-digest") == told(got, "repr-digest")


def test_the_last_answer_can_be_had_again(draft: Draft) -> None:
    target = draft.create(fresh_key(), b"abc")
    last, again = draft.finish(target, 3, b"def"), draft.finish(target, 6)
    assert again.status == last.status
    for name in ("upload-complete", "upload-offset", "location", "etag", "repr-digest"):
        assert told(again, name) == told(last, name)


def test_nothing_is_appended_to_a_complete_upload(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc")
    assert draft.finish(target, 3, b"def").status == 201
    assert 400 <= draft.finish(target, 6, b"ghi").status < 500
    assert 400 <= draft.patch(target, 6, b"ghi").status < 500
    assert draft.finish(target, 3, b"xyz").status == 409
    assert_stored(draft.server, key, b"abcdef")


def test_chunks_are_appended(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key)
    assert draft.patch(target, 0, chunked(b"a", b"bc"), _CHUNKED).status == 204
    assert draft.finish(target, 3, chunked(b"def"), _CHUNKED).status == 201
    assert_stored(draft.server, key, b"abcdef")


def test_progress_is_told_without_an_address(draft: Draft) -> None:
    target = draft.create(fresh_key())
    answer = draft.patch(target, 0, _CONTENT, INTEROP)
    assert answer.status == 204
    for head in answer.head.interim:
        assert (head.status, head.get("location")) == (104, None)
        assert int(head.get("upload-offset") or -1) <= len(_CONTENT)


@pytest.mark.parametrize("offset", [0, 2, 4, 6, 999_999_999_999_999])
@pytest.mark.parametrize("state", [MORE, LAST])
def test_another_offset_is_409_and_changes_nothing(draft: Draft, offset: int, state: Line) -> None:
    target = draft.create(fresh_key(), b"abc")
    answer = draft.patch(target, offset, b"def", state)
    assert (answer.status, told(answer, "upload-offset"), told(answer, "upload-complete")) == (409, "3", "?0")
    problem = problem_of(answer)
    assert problem["type"] == MISMATCHING_OFFSET
    assert (problem["expected-offset"], problem["provided-offset"]) == (3, offset)
    assert draft.offset(target) == 3


_NO_INTEGERS: dict[str, tuple[str, ...]] = {
    "missing": (),
    "empty": ("",),
    "negative": ("-1",),
    "signed": ("+3",),
    "underscore": ("0_3",),
    "a decimal": ("3.0",),
    "a word": ("three",),
    "a string": ('"3"',),
    "a boolean": ("?1",),
    "sixteen digits": ("0" * 15 + "3",),
    "thirty digits": (str(10**30),),
    "a list": ("3, 3",),
    "twice": ("3", "3"),
    "two of them": ("3", "0"),
    "digits of another script": ("٣",),
}


@pytest.mark.parametrize("why", _NO_INTEGERS)
def test_an_offset_that_is_no_integer_is_as_good_as_none(draft: Draft, why: str) -> None:
    target = draft.create(fresh_key(), b"abc")
    lines = tuple(("Upload-Offset", value) for value in _NO_INTEGERS[why])
    assert draft.ask("PATCH", target, PARTIAL_TYPE, MORE, *lines, body=b"def").status == 400
    assert draft.offset(target) == 3


@pytest.mark.parametrize("value", ["3;x=1", "03", "  3\t", "3;  x"])
def test_an_offset_is_an_integer(draft: Draft, value: str) -> None:
    target = draft.create(fresh_key(), b"abc")
    answer = draft.ask("PATCH", target, PARTIAL_TYPE, MORE, ("Upload-Offset", value), body=b"def")
    assert (answer.status, told(answer, "upload-offset")) == (204, "6")


@pytest.mark.parametrize("values", [(), ("",), ("1",), ("true",), ("?2",), ("?1, ?1",), ("?1", "?1"), ("?0", "?1")])
def test_whether_more_comes_has_to_be_said(draft: Draft, values: tuple[str, ...]) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc")
    lines = tuple(("Upload-Complete", value) for value in values)
    answer = draft.ask("PATCH", target, PARTIAL_TYPE, ("Upload-Offset", "3"), *lines, body=b"def")
    assert answer.status == 400
    assert (draft.offset(target), stored(draft.server, key)) == (3, None)


@pytest.mark.parametrize("kind", [None, "text/plain", "application/octet-stream", "application/partial"])
def test_another_type_is_415(draft: Draft, kind: str | None) -> None:
    target = draft.create(fresh_key(), b"abc")
    lines = () if kind is None else (("Content-Type", kind),)
    answer = draft.ask("PATCH", target, ("Upload-Offset", "3"), MORE, *lines, body=b"def")
    assert answer.status == 415
    assert "application/partial-upload" in told(answer, "accept-patch")
    assert draft.offset(target) == 3


_INCONSISTENT_CREATIONS: dict[str, tuple[Line, ...]] = {
    "more than comes": (LAST, ("Upload-Length", "7")),
    "less than comes": (LAST, ("Upload-Length", "5")),
    "nothing, and something comes": (LAST, ("Upload-Length", "0")),
}


@pytest.mark.parametrize("why", _INCONSISTENT_CREATIONS)
def test_a_creation_that_contradicts_itself_is_400(draft: Draft, why: str) -> None:
    key = fresh_key()
    answer = draft.ask("PUT", f"/files/{key}", *_INCONSISTENT_CREATIONS[why], INTEROP, body=b"abcdef")
    _is_inconsistent(answer)
    assert stored(draft.server, key) is None


_INCONSISTENT: dict[str, tuple[bytes, tuple[Line, ...]]] = {
    "another length": (b"def", (MORE, ("Upload-Length", "7"))),
    "another length at the end": (b"def", (LAST, ("Upload-Length", "7"))),
    "a shorter length": (b"", (MORE, ("Upload-Length", "4"))),
    "too little at the end": (b"de", (LAST,)),
    "nothing at the end": (b"", (LAST,)),
    "two lengths of one request": (b"de", (LAST, _SIX)),
}


@pytest.mark.parametrize("why", _INCONSISTENT)
def test_a_request_that_contradicts_an_earlier_one_is_400(draft: Draft, why: str) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", _SIX)
    body, lines = _INCONSISTENT[why]
    _is_inconsistent(draft.patch(target, 3, body, *lines))
    assert stored(draft.server, key) is None
    assert draft.offset(target) == 3
    assert draft.finish(target, 3, b"def", _SIX).status == 201


def test_a_length_may_be_told_late(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc")
    assert draft.patch(target, 3, b"d", _SIX).status == 204
    assert told(draft.ask("HEAD", target), "upload-length") == "6"
    _is_inconsistent(draft.patch(target, 4, b"e", ("Upload-Length", "7")))
    assert draft.finish(target, 4, b"ef").status == 201
    assert_stored(draft.server, key, b"abcdef")


def test_too_few_bytes_in_chunks_do_not_complete(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", _SIX)
    _is_inconsistent(draft.finish(target, 3, chunked(b"de"), _CHUNKED))
    assert stored(draft.server, key) is None


@pytest.mark.parametrize("state", [MORE, LAST])
@pytest.mark.parametrize("pieces", [(b"defg",), (b"def", b"g"), (_CONTENT,)], ids=len)
def test_more_than_the_length_ends_the_upload(draft: Draft, state: Line, pieces: tuple[bytes, ...]) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", _SIX)
    assert draft.patch(target, 3, chunked(*pieces), state, _CHUNKED).status in (400, 413)
    assert draft.ask("HEAD", target).status in (404, 410)
    assert draft.finish(target, 6).status in (404, 410)
    assert (stored(draft.server, key), draft_size(draft.server, target)) == (None, -1)


def test_more_than_the_length_is_not_asked_for_where_it_is_announced(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", _SIX)
    wait = (("Content-Length", "4"), ("Expect", "100-continue"), ("Connection", "keep-alive"))
    with Connection(draft.server.port) as connection:
        connection.send(request_bytes("PATCH", target, *wait, PARTIAL_TYPE, MORE, ("Upload-Offset", "3")))
        answer = connection.answer()
    assert (answer.status in (400, 413), answer.head.interim, told(answer, "connection")) == (True, (), "close")
    assert stored(draft.server, key) is None


def test_a_creation_with_more_than_its_length_is_refused(draft: Draft) -> None:
    key = fresh_key()
    lines = (MORE, ("Upload-Length", "2"))
    assert draft.ask("PUT", f"/files/{key}", *lines, body=b"abc").status in (400, 413)
    assert draft.ask("PUT", f"/files/{key}", *lines, _CHUNKED, body=chunked(b"abc")).status in (400, 413)
    assert stored(draft.server, key) is None


@pytest.mark.parametrize("state", [MORE, LAST])
def test_bytes_before_a_connection_breaks_are_kept_and_complete_nothing(draft: Draft, state: Line) -> None:
    key = fresh_key()
    target = draft.create(key, _CONTENT[:1000])
    lines = (PARTIAL_TYPE, state, ("Upload-Offset", "1000"))
    with Connection(draft.server.port) as connection:
        length = ("Content-Length", str(len(_CONTENT) - 1000))
        connection.send(request_bytes("PATCH", target, length, *lines, body=_CONTENT[1000:201_000]))
    wait_until(lambda: draft_size(draft.server, target), lambda size: size == 201_000)
    head = draft.ask("HEAD", target)
    assert (told(head, "upload-offset"), told(head, "upload-complete")) == ("201000", "?0")
    assert stored(draft.server, key) is None
    assert draft.finish(target, 201_000, _CONTENT[201_000:]).status == 201
    assert_stored(draft.server, key, _CONTENT)


_REFUSED: dict[str, tuple[int, tuple[Line, ...]]] = {
    "type": (415, (("Content-Type", "text/plain"), MORE, ("Upload-Offset", "3"))),
    "no offset": (400, (PARTIAL_TYPE, MORE)),
    "digest": (400, (PARTIAL_TYPE, MORE, ("Upload-Offset", "3"), digest("Content-Digest", b"other"))),
    "malformed digest": (400, (PARTIAL_TYPE, MORE, ("Upload-Offset", "3"), ("Content-Digest", "sha-256=:AA:"))),
    "offset": (409, (PARTIAL_TYPE, MORE, ("Upload-Offset", "0"))),
    "length": (413, (PARTIAL_TYPE, MORE, ("Upload-Offset", "3"), ("Content-Length", "4"))),
}


@pytest.mark.parametrize("why", _REFUSED)
def test_a_refusal_says_that_it_is_not_the_files_answer(draft: Draft, why: str) -> None:
    target = draft.create(fresh_key(), b"abc", _SIX)
    status, lines = _REFUSED[why]
    body = b"defg" if why == "length" else b"def"
    answer = draft.ask("PATCH", target, *lines, body=body)
    assert (answer.status, answer.head.get("upload-complete")) == (status, "?0")


def _is_inconsistent(answer: Answer) -> None:
    assert answer.status == 400, (answer, answer.body)
    assert problem_of(answer)["type"] == INCONSISTENT_LENGTH
    assert answer.head.get("upload-complete") == "?0"
