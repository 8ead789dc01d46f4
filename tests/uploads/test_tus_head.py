"""tus: what HEAD tells of an upload (T3, T12), and addresses that are no upload's."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.uploads.dialects import LAST, PARTIAL_TYPE, Draft, Tus, fresh_key, metadata, stored, told, tus_patch

_IMF_FIXDATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def test_head_tells_all_of_an_upload(tus: Tus) -> None:
    pairs = metadata(key=fresh_key(), note="ünïcode", empty="")
    made = tus.ask("POST", "/uploads", ("Upload-Length", "6"), pairs)
    tus.patch(told(made, "location"), 0, b"abc")
    head = tus.ask("HEAD", told(made, "location"))
    assert head.status == 200
    assert told(head, "upload-offset") == "3"
    assert told(head, "upload-length") == "6"
    assert told(head, "upload-metadata") == pairs[1]
    assert told(head, "cache-control") == "no-store"
    assert head.head.get("upload-defer-length") is None
    assert head.head.get("upload-concat") is None


def test_head_tells_an_offset_of_zero(tus: Tus) -> None:
    assert told(tus.ask("HEAD", tus.create(fresh_key(), 5)), "upload-offset") == "0"


def test_head_tells_that_the_length_will_be_told_later(tus: Tus) -> None:
    head = tus.ask("HEAD", told(tus.ask("POST", "/uploads", ("Upload-Defer-Length", "1")), "location"))
    assert told(head, "upload-defer-length") == "1"
    assert head.head.get("upload-length") is None
    assert head.head.get("upload-metadata") is None


def test_head_tells_of_a_complete_upload(tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, 3, b"abc")
    head = tus.ask("HEAD", target)
    assert (head.status, told(head, "upload-offset"), told(head, "upload-length")) == (200, "3", "3")
    assert stored(tus.server, key) == b"abc"


def test_every_answer_tells_when_the_upload_ends(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "6"), metadata(key=fresh_key()))
    target = told(made, "location")
    answers = made, tus.ask("HEAD", target), tus.patch(target, 0, b"abc")
    week = datetime.now(UTC) + timedelta(days=7)
    for answer in answers:
        assert _IMF_FIXDATE.fullmatch(told(answer, "upload-expires"))
        assert abs(parsedate_to_datetime(told(answer, "upload-expires")) - week) < timedelta(minutes=5)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_length_of_the_answer_is_not_that_of_the_upload(tus: Tus, method: str) -> None:
    answer = tus.ask(method, tus.begin(fresh_key(), 6, b"abc"))
    assert answer.head.get("content-length") in (None, "0")


_NO_UPLOADS = {
    "unknown": "/uploads/unknown",
    "of the right shape": "/uploads/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "dots": "/uploads/..",
    "upwards": "/uploads/../catalogue.sqlite3",
    "upwards to a file": "/uploads/../../kept.txt",
    "encoded dots": "/uploads/%2e%2e/catalogue.sqlite3",
    "encoded slash": "/uploads/..%2fcatalogue.sqlite3",
    "all encoded": "/uploads/%2e%2e%2f%2e%2e%2fkept.txt",
    "a dot": "/uploads/.",
    "an encoded dot": "/uploads/%2e",
    "NUL": "/uploads/%00",
    "NUL behind": "/uploads/{id}%00",
    "LF behind": "/uploads/{id}%0a",
    "a slash behind": "/uploads/{id}/",
    "something below": "/uploads/{id}/x",
    "a space behind": "/uploads/{id}%20",
    "a dot behind": "/uploads/{id}.",
    "one letter less": "/uploads/{short}",
    "one letter more": "/uploads/{id}A",
    "in other capitals": "/uploads/{swapped}",
    "two slashes": "/uploads//{id}",
    "no UTF-8": "/uploads/%ff%fe",
    "very long": "/uploads/" + "A" * 4000,
    "long for a file": "/uploads/" + "A" * 256,
    "a pattern": "/uploads/%2a",
    "a pattern of SQL": "/uploads/%25",
}


@pytest.mark.parametrize("why", _NO_UPLOADS)
def test_an_address_of_no_upload_is_404(tus: Tus, draft: Draft, why: str) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    name = target.rpartition("/")[2]
    other = _NO_UPLOADS[why].format(id=name, short=name[:-1], swapped=name.swapcase())
    for method in ("HEAD", "DELETE"):
        for answer in (tus.ask(method, other), draft.ask(method, other)):
            assert (answer.status, answer.head.get("upload-offset")) == (404, None), method
    assert tus.ask("PATCH", other, *tus_patch(3), body=b"def").status == 404
    lines = (PARTIAL_TYPE, ("Upload-Offset", "3"), LAST)
    assert draft.ask("PATCH", other, *lines, body=b"def").status == 404
    assert tus.offset(target) == 3
    assert (tus.server.root / ".fileserver" / "catalogue.sqlite3").read_bytes().startswith(b"SQLite format 3\0")
