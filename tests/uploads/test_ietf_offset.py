"""The IETF's draft: what is told of an upload (U4), and of the limits beforehand (U9)."""

import pytest

from tests.support.wire import Answer, request
from tests.uploads.dialects import LAST, MORE, Draft, Tus, chunked, fresh_key, metadata, stored, told

_METHODS = pytest.mark.parametrize("method", ["HEAD", "GET"])


@_METHODS
def test_an_upload_is_told_of(draft: Draft, method: str) -> None:
    answer = _told_of(draft, method, draft.create(fresh_key(), b"abc", ("Upload-Length", "6")))
    assert told(answer, "upload-offset") == "3"
    assert told(answer, "upload-complete") == "?0"
    assert told(answer, "upload-length") == "6"


@_METHODS
def test_a_length_that_was_never_said_is_not_told(draft: Draft, method: str) -> None:
    answer = _told_of(draft, method, draft.create(fresh_key(), b"abc"))
    assert told(answer, "upload-offset") == "3"
    assert answer.head.get("upload-length") is None
    assert answer.head.get("upload-defer-length") is None


@_METHODS
def test_an_upload_is_not_complete_before_that_is_said(draft: Draft, method: str) -> None:
    key = fresh_key()
    target = draft.create(key, b"abcdef", ("Upload-Length", "6"))
    answer = _told_of(draft, method, target)
    assert (told(answer, "upload-offset"), told(answer, "upload-complete")) == ("6", "?0")
    assert stored(draft.server, key) is None
    assert draft.finish(target, 6).status == 201
    assert stored(draft.server, key) == b"abcdef"


@_METHODS
def test_a_complete_upload_is_told_of(draft: Draft, method: str) -> None:
    target = draft.create(fresh_key(), b"abc")
    assert draft.finish(target, 3, b"def").status == 201
    answer = _told_of(draft, method, target)
    assert (told(answer, "upload-offset"), told(answer, "upload-complete")) == ("6", "?1")
    assert told(answer, "upload-length") == "6"


_LENGTHS = {
    "plain": ("6", "6"),
    "zero": ("0", "0"),
    "a parameter": ("6;x=1", "6"),
    "zeros before": ("006", "6"),
    "space": ("  6 ", "6"),
}


@pytest.mark.parametrize("why", _LENGTHS)
def test_a_length_is_an_integer(draft: Draft, why: str) -> None:
    said, length = _LENGTHS[why]
    assert told(draft.ask("HEAD", draft.create(fresh_key(), b"", ("Upload-Length", said))), "upload-length") == length


_NO_INTEGERS: dict[str, tuple[str, ...]] = {
    "empty": ("",),
    "negative": ("-1",),
    "signed": ("+6",),
    "underscore": ("1_0",),
    "a decimal": ("6.0",),
    "an exponent": ("1e3",),
    "hexadecimal": ("0x6",),
    "a word": ("six",),
    "a string": ('"6"',),
    "a boolean": ("?1",),
    "sixteen digits": ("9" * 16,),
    "thirty digits": (str(10**30),),
    "a list": ("6, 6",),
    "twice": ("6", "6"),
    "two of them": ("6", "7"),
    "a parameter without a name": ("6;",),
    "something behind": ("6 7",),
    "digits of another script": ("٦",),
}


@pytest.mark.parametrize("why", _NO_INTEGERS)
def test_a_length_that_is_no_integer_is_ignored(draft: Draft, why: str) -> None:
    lines = tuple(("Upload-Length", value) for value in _NO_INTEGERS[why])
    head = draft.ask("HEAD", draft.create(fresh_key(), b"abc", *lines))
    assert (told(head, "upload-offset"), head.head.get("upload-length")) == ("3", None)


def test_a_whole_upload_whose_length_is_no_integer_is_stored(draft: Draft) -> None:
    key = fresh_key()
    assert draft.ask("PUT", f"/files/{key}", LAST, ("Upload-Length", "-3"), body=b"abc").status == 201
    assert stored(draft.server, key) == b"abc"


def test_how_long_an_upload_will_be_there_is_told(draft: Draft) -> None:
    target = draft.create(fresh_key(), b"abc")
    for answer in (draft.ask("HEAD", target), draft.patch(target, 3, b"def")):
        if (limits := answer.head.get("upload-limit")) is not None:
            assert 604_500 <= int(dict(_dictionary(limits))["max-age"]) <= 604_800


@pytest.mark.parametrize("target", ["/uploads", "/files/", "/files/folder/", "/files/any/key"])
def test_limits_are_told_beforehand(draft: Draft, target: str) -> None:
    answer = draft.ask("OPTIONS", target)
    assert answer.status == 204
    limits = dict(_dictionary(told(answer, "upload-limit")))
    assert limits
    assert set(limits) <= {"min-size", "max-size", "max-age", "min-append-size", "max-append-size"}
    assert all(value.isdecimal() for value in limits.values())


def test_what_may_be_appended_is_told(draft: Draft) -> None:
    answer = draft.ask("OPTIONS", draft.create(fresh_key(), b"abc"))
    assert answer.status == 204
    assert "application/partial-upload" in told(answer, "accept-patch")
    assert "application/offset+octet-stream" in told(answer, "accept-patch")
    assert {"HEAD", "PATCH", "DELETE"} <= {each.strip() for each in told(answer, "allow").split(",")}


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_upload_has_no_other_methods(draft: Draft, method: str) -> None:
    target = draft.create(fresh_key(), b"abc")
    answer = draft.ask(method, target, MORE, body=b"def")
    assert answer.status == (405 if method == "PUT" else 400)  # a POST may be another method in disguise
    assert draft.offset(target) == 3


def test_an_upload_of_tus_is_told_of(tus: Tus, draft: Draft) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "6"), metadata(key=fresh_key()))
    assert tus.patch(told(made, "location"), 0, b"abc").status == 204
    answer = _told_of(draft, "HEAD", told(made, "location"))
    assert [told(answer, f"upload-{name}") for name in ("offset", "length", "complete")] == ["3", "6", "?0"]


def test_chunks_tell_no_length(draft: Draft) -> None:
    lines = (MORE, ("Transfer-Encoding", "chunked"))
    made = draft.ask("PUT", f"/files/{fresh_key()}", *lines, body=chunked(b"abc"))
    assert draft.ask("HEAD", told(made, "location")).head.get("upload-length") is None


def _told_of(draft: Draft, method: str, target: str) -> Answer:
    answer = request(draft.server.port, method, target)
    assert (answer.status in (200, 204), answer.body) == (True, b"")
    assert told(answer, "cache-control") == "no-store"
    assert told(answer, "upload-limit")
    return answer


def _dictionary(value: str) -> list[tuple[str, str]]:
    pairs = (member.strip().partition("=") for member in value.split(","))
    return [(name, number) for name, _, number in pairs]
