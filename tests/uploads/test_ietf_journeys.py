"""The IETF's draft: whole uploads, broken off and gone on with, to the answer that a plain one would have had."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.files import known_bytes
from tests.support.server import Server, wait_until
from tests.support.wire import Connection, form_bytes, request, request_bytes
from tests.uploads.dialects import (
    INTEROP,
    LAST,
    MORE,
    Draft,
    Line,
    Tus,
    assert_problem,
    assert_stored,
    draft_size,
    fresh_key,
    metadata,
    stored,
    told,
)

_CONTENT = known_bytes(300_000)
_HALF = 150_000


@pytest.mark.parametrize("expecting", [(), (("Expect", "100-continue"),)], ids=["at once", "when asked"])
def test_a_put_that_broke_off_is_gone_on_with(draft: Draft, expecting: tuple[Line, ...]) -> None:
    key = fresh_key()
    with _broken_off(draft.server, "PUT", f"/files/{key}", _CONTENT, LAST, *expecting) as target:
        head = draft.ask("HEAD", target)
        assert (told(head, "upload-offset"), told(head, "upload-complete")) == (str(_HALF), "?0")
        assert told(head, "upload-length") == str(len(_CONTENT))
        assert stored(draft.server, key) is None
    answer = draft.finish(target, _HALF, _CONTENT[_HALF:])
    assert (answer.status, told(answer, "upload-complete")) == (201, "?1")
    got = request(draft.server.port, "GET", f"/files/{key}")
    assert got.body == _CONTENT
    assert told(answer, "etag") == told(got, "etag")
    assert told(answer, "location") == f"/files/{key}"


def test_a_put_that_breaks_off_again_and_again(draft: Draft) -> None:
    key = fresh_key()
    with Connection(draft.server.port) as connection:
        length = ("Content-Length", str(len(_CONTENT)))
        connection.send(request_bytes("PUT", f"/files/{key}", length, LAST, INTEROP, body=_CONTENT[:1000]))
        target = connection.next_head().get("location") or ""
    offset = wait_until(lambda: draft_size(draft.server, target), lambda size: size == 1000)
    for start in range(offset, 200_000, 60_000):
        assert draft.offset(target) == start
        lines = (("Content-Type", "application/partial-upload"), ("Upload-Offset", str(start)), LAST)
        with Connection(draft.server.port) as connection:
            length = ("Content-Length", str(len(_CONTENT) - start))
            connection.send(request_bytes("PATCH", target, length, *lines, body=_CONTENT[start : start + 60_000]))
        wait_until(lambda: draft_size(draft.server, target), lambda size: size == start + 60_000)  # noqa: B023
    offset = draft.offset(target)
    assert draft.finish(target, offset, _CONTENT[offset:]).status == 201
    assert_stored(draft.server, key, _CONTENT)


def test_a_form_that_broke_off_is_stored_once_and_whole(draft: Draft) -> None:
    folder = fresh_key("folder")
    kind, body = form_bytes(("one.bin", _CONTENT), ("two.bin", b"two"), ("three.txt", _CONTENT[::-1]))
    with _broken_off(draft.server, "POST", f"/files/{folder}/", body, LAST, kind) as target:
        assert draft.offset(target) == _HALF
        assert not (draft.server.root / folder).exists()
    answer = draft.finish(target, _HALF, body[_HALF:])
    assert (answer.status, told(answer, "upload-complete")) == (201, "?1")
    assert [entry["key"] for entry in json.loads(answer.body)["entries"]] == [
        f"{folder}/{name}" for name in ("one.bin", "two.bin", "three.txt")
    ]
    assert stored(draft.server, f"{folder}/one.bin") == _CONTENT
    assert stored(draft.server, f"{folder}/two.bin") == b"two"
    assert stored(draft.server, f"{folder}/three.txt") == _CONTENT[::-1]
    assert draft_size(draft.server, target) == -1


def test_a_form_that_comes_in_pieces_is_stored(draft: Draft) -> None:
    folder = fresh_key("folder")
    kind, body = form_bytes(("one.txt", b"one"), ("two.txt", b"two"))
    made = draft.ask("POST", f"/files/{folder}/", kind, MORE, body=body[:20])
    assert (made.status, told(made, "upload-offset")) == (201, "20")
    target = told(made, "location")
    for start in range(20, len(body), 7):
        assert draft.patch(target, start, body[start : start + 7]).status == 204
    assert draft.finish(target, len(body)).status == 201
    assert stored(draft.server, f"{folder}/one.txt") == b"one"


def test_a_form_without_its_end_stores_nothing(draft: Draft) -> None:
    folder = fresh_key("folder")
    kind, body = form_bytes(("one.txt", b"one"), ("two.txt", b"two"), is_closed=False)
    target = told(draft.ask("POST", f"/files/{folder}/", kind, MORE, body=body[:20]), "location")
    answer = draft.finish(target, 20, body[20:])
    assert_problem(answer, 400, "malformed-form")
    assert told(answer, "upload-complete") == "?1"
    assert not (draft.server.root / folder).exists()


@pytest.mark.parametrize("name", ["../planted.txt", ".fileserver/planted", "a\\\\b", "n" * 300])
def test_a_name_in_a_form_leads_nowhere(draft: Draft, name: str) -> None:
    kind, body = form_bytes((name, b"planted"))
    target = told(draft.ask("POST", "/files/", kind, MORE, body=body[:20]), "location")
    answer = draft.finish(target, 20, body[20:])
    assert answer.status < 500
    assert not (draft.server.root.parent / "planted.txt").exists()
    assert not (draft.server.root / ".fileserver" / "planted").exists()


def test_a_file_of_a_form_is_not_replaced_unasked(draft: Draft) -> None:
    folder = fresh_key("folder")
    assert draft.ask("PUT", f"/files/{folder}/one.txt", body=b"old").status == 201
    kind, body = form_bytes(("one.txt", b"new"), ("two.txt", b"two"))
    target = told(draft.ask("POST", f"/files/{folder}/", kind, MORE, body=body[:20]), "location")
    answer = draft.finish(target, 20, body[20:])
    assert_problem(answer, 409, "key-taken")
    assert told(answer, "upload-complete") == "?1"
    assert (stored(draft.server, f"{folder}/one.txt"), stored(draft.server, f"{folder}/two.txt")) == (b"old", None)
    target = told(draft.ask("POST", f"/files/{folder}/?replace=true", kind, MORE, body=body[:20]), "location")
    assert draft.finish(target, 20, body[20:]).status == 201
    assert stored(draft.server, f"{folder}/one.txt") == b"new"


def test_a_key_taken_meanwhile_is_told_at_the_end(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", ("If-None-Match", "*"))
    assert draft.ask("PUT", f"/files/{key}", body=b"first").status == 201
    answer = draft.finish(target, 3, b"def")
    assert_problem(answer, 412, "precondition-failed")
    assert told(answer, "upload-complete") == "?1"
    assert stored(draft.server, key) == b"first"


def test_a_file_changed_meanwhile_is_told_at_the_end(draft: Draft) -> None:
    key = fresh_key()
    etag = told(draft.ask("PUT", f"/files/{key}", body=b"old"), "etag")
    first, second = (draft.create(key, start, ("If-Match", etag)) for start in (b"1", b"2"))
    assert draft.finish(second, 1, b"nd").status == 200
    answer = draft.finish(first, 1, b"st")
    assert (answer.status, told(answer, "upload-complete")) == (412, "?1")
    assert stored(draft.server, key) == b"2nd"


def test_a_file_that_is_as_expected_is_replaced(draft: Draft) -> None:
    key = fresh_key()
    etag = told(draft.ask("PUT", f"/files/{key}", body=b"old"), "etag")
    assert draft.finish(draft.create(key, b"n", ("If-Match", etag)), 1, b"ew").status == 200
    assert stored(draft.server, key) == b"new"


def test_a_precondition_that_fails_at_once_begins_nothing(draft: Draft) -> None:
    key = fresh_key()
    assert draft.ask("PUT", f"/files/{key}", body=b"old").status == 201
    before = draft.server.drafts()
    for line in (("If-None-Match", "*"), ("If-Match", '"other"')):
        for state in (MORE, LAST):
            answer = draft.ask("PUT", f"/files/{key}", state, line, body=b"new")
            assert_problem(answer, 412, "precondition-failed")
    assert (draft.server.drafts(), stored(draft.server, key)) == (before, b"old")


def test_tus_goes_on_with_what_the_draft_began(tus: Tus, draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", ("Upload-Length", "6"))
    assert tus.offset(target) == 3
    assert tus.patch(target, 3, b"def").status == 204
    assert_stored(tus.server, key, b"abcdef")
    assert told(draft.ask("HEAD", target), "upload-complete") == "?1"


def test_tus_tells_the_length_of_what_the_draft_began(tus: Tus, draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc")
    assert told(tus.ask("HEAD", target), "upload-defer-length") == "1"
    assert tus.patch(target, 3, b"def", ("Upload-Length", "6")).status == 204
    assert_stored(tus.server, key, b"abcdef")


def test_what_tus_takes_for_complete_is_complete(tus: Tus, draft: Draft) -> None:
    keys = fresh_key(), fresh_key()
    begun = tus.create(keys[0], 6)
    assert draft.patch(begun, 0, b"abcdef", MORE).status == 204
    for key, target in zip(keys, (begun, draft.create(keys[1], b"abcdef", ("Upload-Length", "6"))), strict=True):
        head = tus.ask("HEAD", target)
        assert (told(head, "upload-offset"), told(head, "upload-length")) == ("6", "6")
        assert stored(tus.server, key) == b"abcdef", "a client of tus has nothing more to say"


def test_the_draft_goes_on_with_what_tus_began(tus: Tus, draft: Draft) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"ab")
    assert draft.patch(target, 2, b"c").status == 204
    answer = draft.finish(target, 3, b"def")
    assert (answer.status in (200, 201, 204), told(answer, "upload-complete")) == (True, "?1")
    assert_stored(tus.server, key, b"abcdef")
    assert tus.offset(target) == 6


def test_the_draft_ends_what_has_no_length_yet(tus: Tus, draft: Draft) -> None:
    key = fresh_key()
    made = tus.ask("POST", "/uploads", ("Upload-Defer-Length", "1"), metadata(key=key))
    assert draft.finish(told(made, "location"), 0, b"abc").status in (200, 201, 204)
    assert stored(tus.server, key) == b"abc"


@contextmanager
def _broken_off(server: Server, method: str, target: str, body: bytes, *lines: Line) -> Iterator[str]:
    """The address of an upload whose creation was cut after half of the bytes, which have come."""
    with Connection(server.port) as connection:
        length = ("Content-Length", str(len(body)))
        connection.send(request_bytes(method, target, length, *lines, INTEROP))
        early = connection.next_head()
        assert early.status == 104
        connection.send(body[:_HALF])
    address = early.get("location") or ""
    wait_until(lambda: draft_size(server, address), lambda size: size == _HALF)
    yield address
