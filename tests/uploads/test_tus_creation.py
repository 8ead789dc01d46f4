"""tus: creation (T8), with bytes (T10), with a length that is told later (T11), of a key that may be taken."""

import re

import pytest

from tests.support.wire import request
from tests.uploads.dialects import (
    OFFSET_TYPE,
    Line,
    Tus,
    assert_problem,
    chunked,
    draft_size,
    fresh_key,
    metadata,
    stored,
    told,
)

_LATER: Line = ("Upload-Defer-Length", "1")

_NO_NUMBERS = {
    "negative": "-1",
    "negative zero": "-0",
    "signed": "+5",
    "underscore": "1_0",
    "hexadecimal": "0x5",
    "fraction": "5.0",
    "exponent": "1e3",
    "words": "five",
    "NaN": "NaN",
    "empty": "",
    "a list": "5, 5",
    "two numbers": "5 5",
    "digits of another script": "٥",
    "superscript": "5²",
    "with a parameter": "5;x=1",
}


def test_an_upload_is_created(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "5"), metadata(key=fresh_key()))
    assert made.status == 201
    assert re.fullmatch(r"http://127\.0\.0\.1(:\d+)?/uploads/[A-Za-z0-9_-]{20,}", told(made, "location"))
    assert told(made, "cache-control") == "no-store"
    assert draft_size(tus.server, told(made, "location")) == 0


def test_no_two_addresses_are_the_same(tus: Tus) -> None:
    key = fresh_key()
    assert len({tus.create(key, 5) for _ in range(20)}) == 20


@pytest.mark.parametrize("why", _NO_NUMBERS)
def test_a_length_that_is_no_number_is_400(tus: Tus, why: str) -> None:
    _creates_nothing(tus, {400}, ("Upload-Length", _NO_NUMBERS[why]))


@pytest.mark.parametrize("length", [10**18, 10**19 - 1, 2**63, 2**64, 10**30, int("9" * 1000)])
def test_a_length_beyond_every_disk_is_refused(tus: Tus, length: int) -> None:
    _creates_nothing(tus, {400, 413, 507}, ("Upload-Length", str(length)))


def test_a_length_that_the_disk_has_no_room_for_is_507(tus: Tus) -> None:
    _creates_nothing(tus, {507}, ("Upload-Length", str(10**16)))


def test_space_round_a_length_does_not_belong_to_it(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "  5\t "), metadata(key=fresh_key()))
    assert told(tus.ask("HEAD", told(made, "location")), "upload-length") == "5"


@pytest.mark.parametrize("second", ["5", "6"])
def test_a_repeated_length_is_400(tus: Tus, second: str) -> None:
    _creates_nothing(tus, {400}, ("Upload-Length", "5"), ("Upload-Length", second))


def test_no_length_at_all_is_400(tus: Tus) -> None:
    _creates_nothing(tus, {400})


def test_a_length_now_and_later_is_400(tus: Tus) -> None:
    _creates_nothing(tus, {400}, ("Upload-Length", "5"), _LATER)


@pytest.mark.parametrize("value", ["0", "2", "-1", "+1", "01", "true", "", "1, 1", "?1", "1.0"])
def test_a_length_can_be_deferred_by_1_alone(tus: Tus, value: str) -> None:
    _creates_nothing(tus, {400}, ("Upload-Defer-Length", value))


def test_a_repeated_deferral_is_400(tus: Tus) -> None:
    _creates_nothing(tus, {400}, _LATER, _LATER)


def test_an_empty_file_is_complete_at_once(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 0)
    assert stored(tus.server, key) == b""
    assert tus.offset(target) == 0


def test_a_creation_may_bring_the_first_bytes(tus: Tus) -> None:
    key = fresh_key()
    made = tus.ask("POST", "/uploads", ("Upload-Length", "6"), metadata(key=key), OFFSET_TYPE, body=b"abc")
    assert (made.status, told(made, "upload-offset")) == (201, "3")
    assert tus.offset(told(made, "location")) == 3
    assert tus.patch(told(made, "location"), 3, b"def").status == 204
    assert stored(tus.server, key) == b"abcdef"


def test_a_creation_may_bring_all_bytes(tus: Tus) -> None:
    key = fresh_key()
    made = tus.ask("POST", "/uploads", ("Upload-Length", "6"), metadata(key=key), OFFSET_TYPE, body=b"abcdef")
    assert (made.status, told(made, "upload-offset")) == (201, "6")
    assert stored(tus.server, key) == b"abcdef"
    assert tus.offset(told(made, "location")) == 6


@pytest.mark.parametrize("lines", [(("Upload-Length", "6"),), (_LATER,)], ids=["known", "deferred"])
def test_a_creation_may_bring_chunks(tus: Tus, lines: tuple[Line, ...]) -> None:
    chunks = ("Transfer-Encoding", "chunked")
    made = tus.ask("POST", "/uploads", *lines, OFFSET_TYPE, chunks, body=chunked(b"ab", b"c"))
    assert (made.status, told(made, "upload-offset")) == (201, "3")


def test_a_creation_that_brings_more_than_its_length_is_413(tus: Tus) -> None:
    key = fresh_key()
    made = tus.ask("POST", "/uploads", ("Upload-Length", "2"), metadata(key=key), OFFSET_TYPE, body=b"abc")
    assert made.status == 413
    assert stored(tus.server, key) is None


def test_bytes_of_another_type_do_not_come_with_a_creation(tus: Tus) -> None:
    key, kind = fresh_key(), ("Content-Type", "text/plain")
    made = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=key), kind, body=b"abc")
    assert (made.status, tus.offset(told(made, "location")), stored(tus.server, key)) == (201, 0, None)


def test_a_deferred_length_is_told_with_the_last_bytes(tus: Tus) -> None:
    key = fresh_key()
    target = told(tus.ask("POST", "/uploads", _LATER, metadata(key=key)), "location")
    assert tus.patch(target, 0, b"abc").status == 204
    assert stored(tus.server, key) is None
    assert tus.patch(target, 3, b"def", ("Upload-Length", "6")).status == 204
    assert stored(tus.server, key) == b"abcdef"


def test_a_deferred_length_may_be_told_without_bytes(tus: Tus) -> None:
    key = fresh_key()
    target = told(tus.ask("POST", "/uploads", _LATER, metadata(key=key)), "location")
    assert tus.patch(target, 0, b"abc").status == 204
    assert tus.patch(target, 3, b"", ("Upload-Length", "3")).status == 204
    assert stored(tus.server, key) == b"abc"


def test_a_length_that_is_told_stays(tus: Tus) -> None:
    target = told(tus.ask("POST", "/uploads", _LATER, metadata(key=fresh_key())), "location")
    assert tus.patch(target, 0, b"abc", ("Upload-Length", "9")).status == 204
    assert tus.patch(target, 3, b"def", ("Upload-Length", "8")).status == 400
    head = tus.ask("HEAD", target)
    assert (told(head, "upload-offset"), told(head, "upload-length")) == ("3", "9")
    assert head.head.get("upload-defer-length") is None
    assert tus.patch(target, 3, b"def", ("Upload-Length", "9")).status == 204


def test_a_length_below_what_has_come_is_refused(tus: Tus) -> None:
    target = told(tus.ask("POST", "/uploads", _LATER, metadata(key=fresh_key())), "location")
    assert tus.patch(target, 0, b"abc").status == 204
    assert tus.patch(target, 3, b"", ("Upload-Length", "2")).status in (400, 413)
    assert tus.offset(target) == 3


@pytest.mark.parametrize("why", _NO_NUMBERS)
def test_a_length_told_later_that_is_no_number_is_400(tus: Tus, why: str) -> None:
    target = told(tus.ask("POST", "/uploads", _LATER, metadata(key=fresh_key())), "location")
    assert tus.patch(target, 0, b"abc", ("Upload-Length", _NO_NUMBERS[why])).status == 400
    assert tus.offset(target) == 0


def test_a_taken_key_is_told_at_creation(tus: Tus) -> None:
    key = _taken_key(tus)
    answer = tus.ask("POST", "/uploads", ("Upload-Length", "5"), metadata(key=key))
    assert_problem(answer, 409, "key-taken")
    assert answer.head.get("location") is None


def test_a_key_taken_meanwhile_is_told_at_the_end(tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    assert request(tus.server.port, "PUT", f"/files/{key}", body=b"first").status == 201
    assert_problem(tus.patch(target, 3, b"def"), 409, "key-taken")
    assert stored(tus.server, key) == b"first"


def test_of_two_uploads_of_one_key_the_first_that_is_complete_stays(tus: Tus) -> None:
    key = fresh_key()
    one, two = tus.create(key, 3), tus.create(key, 3)
    assert tus.patch(two, 0, b"two").status == 204
    assert_problem(tus.patch(one, 0, b"one"), 409, "key-taken")
    assert stored(tus.server, key) == b"two"


def test_a_file_is_replaced_where_that_is_meant(tus: Tus) -> None:
    key = _taken_key(tus)
    made = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=key, replace="true"))
    assert made.status == 201
    assert stored(tus.server, key) == b"taken"
    assert tus.patch(told(made, "location"), 0, b"new").status == 204
    assert stored(tus.server, key) == b"new"


def test_preconditions_hold_until_the_end(tus: Tus) -> None:
    key = _taken_key(tus)
    etag = told(request(tus.server.port, "HEAD", f"/files/{key}"), "etag")
    lines = (("Upload-Length", "3"), metadata(key=key, replace="true"))
    for line in (("If-None-Match", "*"), ("If-Match", '"other"')):
        assert_problem(tus.ask("POST", "/uploads", *lines, line), 412, "precondition-failed")
    first, second = (told(tus.ask("POST", "/uploads", *lines, ("If-Match", etag)), "location") for _ in range(2))
    assert tus.patch(first, 0, b"1st").status == 204
    assert_problem(tus.patch(second, 0, b"2nd"), 412, "precondition-failed")
    assert stored(tus.server, key) == b"1st"


@pytest.mark.parametrize("word", ["false", "no", "", "1", "True "])
def test_nothing_else_means_to_replace(tus: Tus, word: str) -> None:
    key = _taken_key(tus)
    answer = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=key, replace=word))
    assert answer.status in (400, 409)
    assert stored(tus.server, key) == b"taken"


def _taken_key(tus: Tus) -> str:
    key = fresh_key()
    assert request(tus.server.port, "PUT", f"/files/{key}", body=b"taken").status == 201
    return key


def _creates_nothing(tus: Tus, statuses: set[int], *lines: Line) -> None:
    before = tus.server.drafts()
    answer = tus.ask("POST", "/uploads", metadata(key=fresh_key()), *lines)
    assert answer.status in statuses, (answer, answer.body)
    assert answer.head.get("location") is None
    assert tus.server.drafts() == before
