"""tus: which version and extensions are spoken (T1, T2), and methods in disguise (T16)."""

import pytest

from tests.support.server import Server
from tests.support.wire import request
from tests.uploads.dialects import OFFSET_TYPE, VERSION, Draft, Line, Tus, checksum, fresh_key, metadata, stored, told

_EXTENSIONS = {
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "termination",
    "checksum",
    "expiration",
    "concatenation",
}
_RESOURCES = ("/uploads", "/uploads/unknown", "/files/", "/files/folder/", "/files/any/key")
_ALLOWED = {
    "/uploads": {"POST", "OPTIONS"},
    "/uploads/unknown": {"HEAD", "GET", "PATCH", "DELETE", "OPTIONS"},
    "/files/": {"POST", "OPTIONS"},
    "/files/folder/": {"POST", "OPTIONS"},
    "/files/any/key": {"PUT", "OPTIONS"},
}


@pytest.mark.parametrize("target", _RESOURCES)
def test_options_tells_what_is_spoken(tus: Tus, target: str) -> None:
    answer = request(tus.server.port, "OPTIONS", target)
    assert answer.status == 204
    assert told(answer, "tus-resumable") == "1.0.0"
    assert told(answer, "tus-version") == "1.0.0"
    assert _list(told(answer, "tus-extension")) == _EXTENSIONS
    assert _list(told(answer, "tus-checksum-algorithm")) == {"sha1", "sha256", "sha512"}
    assert answer.head.get("tus-max-size") is None
    assert _list(told(answer, "allow")) >= _ALLOWED[target]


@pytest.mark.parametrize("version", ["1.0.0", "0.2.2", "nonsense", ""])
def test_options_does_not_ask_for_a_version(tus: Tus, version: str) -> None:
    assert tus.ask("OPTIONS", "/uploads", ("Tus-Resumable", version)).status == 204


def test_the_largest_size_is_told_where_there_is_one(small: Server) -> None:
    assert told(request(small.port, "OPTIONS", "/uploads"), "tus-max-size") == "1000"


_OTHER_VERSIONS = ["", "0.2.2", "1.0", "1.0.1", "2.0.0", "1.0.0, 1.0.0", "v1.0.0", "1.0.0;a"]


@pytest.mark.parametrize("version", _OTHER_VERSIONS)
def test_another_version_is_412_and_nothing_is_done(tus: Tus, version: str) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    other = ("Tus-Resumable", version)
    before = tus.server.drafts()
    answers = (
        tus.ask("POST", "/uploads", other, ("Upload-Length", "0"), metadata(key=fresh_key())),
        tus.ask("POST", "/files/", other, ("Upload-Length", "0"), metadata(key=fresh_key())),
        tus.ask("HEAD", target, other),
        tus.patch(target, 3, b"def", other),
        tus.ask("DELETE", target, other),
    )
    assert [(answer.status, answer.head.get("tus-version")) for answer in answers] == [(412, "1.0.0")] * 5
    assert tus.server.drafts() == before
    assert tus.offset(target) == 3


def test_every_answer_has_the_version(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    answers = {
        "created": tus.ask("POST", "/uploads", ("Upload-Length", "5")),
        "told": tus.ask("HEAD", target),
        "appended": tus.patch(target, 3, b"d"),
        "no length": tus.ask("POST", "/uploads"),
        "no name": tus.ask("POST", "/uploads", ("Upload-Length", "5"), metadata(key="../x")),
        "no such upload": tus.ask("HEAD", "/uploads/unknown"),
        "no such method": tus.ask("PUT", target),
        "wrong type": tus.ask("PATCH", target, ("Content-Type", "text/plain"), ("Upload-Offset", "4"), body=b"e"),
        "wrong offset": tus.patch(target, 0, b"e"),
        "too long": tus.patch(target, 4, b"efg"),
        "wrong checksum": tus.patch(target, 4, b"e", checksum(b"f")),
        "ended": tus.ask("DELETE", target),
        "version": tus.ask("HEAD", target, ("Tus-Resumable", "0.9.0")),
    }
    assert {why: answer.head.get("tus-resumable") for why, answer in answers.items()} == dict.fromkeys(answers, "1.0.0")


def test_a_request_without_a_version_does_not_speak_tus(tus: Tus, draft: Draft) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    answer = draft.ask("PATCH", target, OFFSET_TYPE, ("Upload-Offset", "3"), body=b"def")
    assert (answer.status, told(answer, "tus-version")) == (412, "1.0.0")
    assert tus.offset(target) == 3


def test_a_post_without_either_dialect_creates_nothing(tus: Tus, draft: Draft) -> None:
    before = tus.server.drafts()
    answer = draft.ask("POST", "/uploads", ("Upload-Length", "5"), metadata(key=fresh_key()), body=b"abc")
    assert 400 <= answer.status < 500
    assert tus.server.drafts() == before


def test_a_patch_may_come_as_a_post(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 3)
    answer = tus.ask("POST", target, _as("PATCH"), OFFSET_TYPE, ("Upload-Offset", "0"), body=b"abc")
    assert (answer.status, told(answer, "upload-offset")) == (204, "3")
    assert stored(tus.server, key) == b"abc"


def test_a_delete_may_come_as_a_post(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert tus.ask("POST", target, _as("DELETE")).status == 204
    assert tus.ask("HEAD", target).status == 404


def test_a_head_may_come_as_a_post(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    answer = tus.ask("POST", target, _as("HEAD"))
    assert (answer.status, told(answer, "upload-offset"), answer.body) == (200, "3", b"")


@pytest.mark.parametrize("method", ["PUT", "GET", "POST", "CONNECT", "NONSENSE", "", "PATCH, DELETE"])
def test_no_other_method_hides_in_a_post(tus: Tus, method: str) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    answer = tus.ask("POST", target, _as(method), OFFSET_TYPE, ("Upload-Offset", "3"), body=b"def")
    assert answer.status in (400, 405, 501)
    assert tus.offset(target) == 3


@pytest.mark.parametrize("lines", [(), (("Tus-Resumable", "0.9.0"),)], ids=["no version", "another version"])
def test_a_disguise_needs_the_version(tus: Tus, draft: Draft, lines: tuple[Line, ...]) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert draft.ask("POST", target, _as("DELETE"), *lines).status in (405, 412)
    assert tus.offset(target) == 3


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_disguise_does_not_get_past_the_question_of_the_site(tus: Tus, method: str) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    site = ("Sec-Fetch-Site", "cross-site")
    answer = tus.ask("POST", target, _as(method), site, OFFSET_TYPE, ("Upload-Offset", "3"), body=b"def")
    assert answer.status == 403
    assert tus.offset(target) == 3


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
def test_only_a_post_is_in_disguise(tus: Tus, method: str) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    tus.ask(method, target, _as("DELETE"), OFFSET_TYPE, ("Upload-Offset", "3"))
    assert tus.offset(target) == 3


def test_a_stored_file_is_not_deleted_in_disguise(tus: Tus) -> None:
    key = fresh_key()
    assert request(tus.server.port, "PUT", f"/files/{key}", body=b"kept").status == 201
    tus.ask("POST", f"/files/{key}", VERSION, _as("DELETE"))
    assert stored(tus.server, key) == b"kept"


def _as(method: str) -> Line:
    return "X-HTTP-Method-Override", method


def _list(value: str) -> set[str]:
    return {item.strip() for item in value.split(",")}
