"""tus: parts become one file, each of them an upload that the client itself has finished (T15)."""

from collections.abc import Collection

import pytest

from tests.support.files import known_bytes
from tests.support.wire import Answer, request
from tests.uploads.dialects import (
    OFFSET_TYPE,
    Line,
    Tus,
    assert_problem,
    fresh_key,
    metadata,
    stored,
    told,
    tus_patch,
)

_PART: Line = ("Upload-Concat", "partial")


def test_parts_become_a_file(tus: Tus) -> None:
    contents = [known_bytes(size, seed=size) for size in (100_000, 0, 1, 70_001)]
    parts = [_part(tus, content) for content in contents]
    key = fresh_key()
    made = _join(tus, key, *parts)
    assert made.status == 201
    assert stored(tus.server, key) == b"".join(contents)
    whole = request(tus.server.port, "GET", f"/files/{key}")
    assert whole.body == b"".join(contents)
    assert told(whole, "repr-digest")


def test_parts_are_joined_in_the_order_that_is_said(tus: Tus) -> None:
    one, two = _part(tus, b"one"), _part(tus, b"two")
    key = fresh_key()
    assert _join(tus, key, two, one).status == 201
    assert stored(tus.server, key) == b"twoone"


def test_parts_are_no_files(tus: Tus) -> None:
    key = fresh_key()
    target = told(tus.ask("POST", "/uploads", _PART, ("Upload-Length", "3"), metadata(key=key)), "location")
    assert tus.patch(target, 0, b"abc").status == 204
    assert stored(tus.server, key) is None
    assert told(tus.ask("HEAD", target), "upload-concat") == "partial"


def test_parts_of_one_file_may_have_its_name(tus: Tus) -> None:
    key = fresh_key()
    assert request(tus.server.port, "PUT", f"/files/{key}", body=b"taken").status == 201
    answer = tus.ask("POST", "/uploads", _PART, ("Upload-Length", "3"), metadata(key=key))
    assert answer.status == 201


def test_a_part_may_come_with_its_creation(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", _PART, ("Upload-Length", "3"), OFFSET_TYPE, body=b"abc")
    key = fresh_key()
    assert _join(tus, key, told(made, "location")).status == 201
    assert stored(tus.server, key) == b"abc"


def test_a_part_may_tell_its_length_later(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", _PART, ("Upload-Defer-Length", "1"))
    assert tus.patch(told(made, "location"), 0, b"abc", ("Upload-Length", "3")).status == 204
    key = fresh_key()
    assert _join(tus, key, told(made, "location")).status == 201
    assert stored(tus.server, key) == b"abc"


def test_head_tells_of_the_whole(tus: Tus) -> None:
    one, two = _part(tus, b"one"), _part(tus, b"three")
    key = fresh_key()
    made = _join(tus, key, one, two)
    head = tus.ask("HEAD", told(made, "location"))
    assert told(head, "upload-concat") == f"final;{one} {two}"
    assert (told(head, "upload-length"), told(head, "upload-offset")) == ("8", "8")
    assert told(head, "upload-metadata") == metadata(key=key)[1]


def test_parts_hand_down_no_metadata(tus: Tus) -> None:
    pairs = metadata(filename=fresh_key(), note="of the part")
    made = tus.ask("POST", "/uploads", _PART, ("Upload-Length", "3"), pairs, OFFSET_TYPE, body=b"abc")
    whole = tus.ask("POST", "/uploads", ("Upload-Concat", f"final;{told(made, 'location')}"))
    assert whole.status == 201
    assert tus.ask("HEAD", told(whole, "location")).head.get("upload-metadata") is None


def test_the_whole_is_not_appended_to(tus: Tus) -> None:
    key = fresh_key()
    whole = told(_join(tus, key, _part(tus, b"one")), "location")
    for offset, body in ((0, b"xyz"), (3, b"xyz"), (3, b"")):
        assert tus.patch(whole, offset, body).status == 403
    assert tus.ask("POST", whole, ("X-HTTP-Method-Override", "PATCH"), *tus_patch(3), body=b"x").status == 403
    assert stored(tus.server, key) == b"one"


@pytest.mark.parametrize("line", [("Upload-Length", "3"), ("Upload-Length", "0"), ("Upload-Defer-Length", "1")])
def test_the_whole_has_no_length_of_its_own(tus: Tus, line: Line) -> None:
    _is_refused(tus, f"final;{_part(tus, b'one')}", line, statuses={400})


def test_a_taken_key_is_told(tus: Tus) -> None:
    key = fresh_key()
    assert request(tus.server.port, "PUT", f"/files/{key}", body=b"taken").status == 201
    assert_problem(_join(tus, key, _part(tus, b"one")), 409, "key-taken")
    assert stored(tus.server, key) == b"taken"


def test_a_name_that_may_not_be_is_refused(tus: Tus) -> None:
    assert_problem(_join(tus, "../canary.txt", _part(tus, b"one")), 400, "invalid-key")


def test_parts_may_be_named_by_their_whole_address(tus: Tus) -> None:
    host = f"127.0.0.1:{tus.server.port}"
    part = _part(tus, b"one")
    key = fresh_key()
    made = tus.ask(
        "POST", "/uploads", ("Host", host), metadata(key=key), ("Upload-Concat", f"final;http://{host}{part}")
    )
    assert made.status == 201
    assert stored(tus.server, key) == b"one"


def test_an_unfinished_part_is_refused(tus: Tus) -> None:
    target = told(tus.ask("POST", "/uploads", _PART, ("Upload-Length", "3"), OFFSET_TYPE, body=b"ab"), "location")
    _is_refused(tus, f"final;{target}")
    _is_refused(tus, f"final;{_part(tus, b'one')} {target}")
    assert tus.patch(target, 2, b"c").status == 204


def test_an_upload_that_is_no_part_is_refused(tus: Tus) -> None:
    unfinished, complete = tus.begin(fresh_key(), 6, b"abc"), tus.begin(fresh_key(), 3, b"abc")
    for target in (unfinished, complete):
        _is_refused(tus, f"final;{target}")
        _is_refused(tus, f"final;{_part(tus, b'one')} {target}")


def test_a_whole_is_no_part(tus: Tus) -> None:
    whole = told(_join(tus, fresh_key(), _part(tus, b"one")), "location")
    _is_refused(tus, f"final;{whole}")


def test_a_part_that_was_ended_is_refused(tus: Tus) -> None:
    part = _part(tus, b"one")
    assert tus.ask("DELETE", part).status == 204
    _is_refused(tus, f"final;{part}")


def test_the_same_part_twice_is_there_twice_or_refused(tus: Tus) -> None:
    part = _part(tus, b"one")
    key = fresh_key()
    answer = _join(tus, key, part, part)
    assert answer.status in (201, 400)
    assert stored(tus.server, key) == (b"oneone" if answer.status == 201 else None)


def test_too_many_parts_are_refused(tus: Tus) -> None:
    part = _part(tus, b"one")
    addresses = " ".join([part] * (60_000 // (len(part) + 1)))
    answer = tus.ask("POST", "/uploads", ("Upload-Concat", f"final;{addresses}"), metadata(key=fresh_key()))
    assert answer.status in (400, 413)


_HOSTILE = {
    "nothing": "",
    "no parts": "final;",
    "no parts, no semicolon": "final",
    "a space": "final; ",
    "another word": "whole;{part}",
    "a word in capitals": "Final;{part}",
    "a comma": "final;{part},{part}",
    "a part that names parts": "partial;{part}",
    "unknown": "final;/uploads/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "one of them unknown": "final;{part} /uploads/unknown",
    "an id alone": "final;{id}",
    "no upload": "final;/files/kept.txt",
    "the collection": "final;/uploads/",
    "upwards": "final;/uploads/../files/kept.txt",
    "upwards to the catalogue": "final;/uploads/../catalogue.sqlite3",
    "upwards, encoded": "final;/uploads/%2e%2e/catalogue.sqlite3",
    "upwards, encoded slash": "final;/uploads/..%2fcatalogue.sqlite3",
    "far upwards": "final;/uploads/../../../../etc/passwd",
    "relative": "final;../../etc/passwd",
    "absolute": "final;/etc/passwd",
    "a file's address": "final;file:///etc/passwd",
    "NUL": "final;{part}%00",
    "a slash behind": "final;{part}/",
    "a long address": "final;/uploads/" + "A" * 30_000,
    "beyond ASCII": "final;/uploads/Größe",
    "brackets of no host": "final;http://[{part}",
}


@pytest.mark.parametrize("why", _HOSTILE)
def test_parts_that_may_not_be_are_refused(tus: Tus, why: str) -> None:
    (tus.server.root / "kept.txt").write_bytes(b"kept")
    part = _part(tus, b"one")
    _is_refused(tus, _HOSTILE[why].format(part=part, id=part.rpartition("/")[2]))
    assert tus.offset(part) == 3


_HOSTS = ["http://files.example", "//files.example", "http://127.0.0.1@files.example", "gopher://127.0.0.1", "file://"]


@pytest.mark.parametrize("host", _HOSTS)
def test_an_address_elsewhere_stands_for_a_part_of_ours_or_none(tus: Tus, host: str) -> None:
    key = fresh_key()
    answer = _join(tus, key, f"{host}{_part(tus, b'one')}")
    assert answer.status in (201, 400)
    assert stored(tus.server, key) == (b"one" if answer.status == 201 else None)
    _is_refused(tus, f"final;{host}/uploads/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")


def test_a_part_and_a_whole_at_once_is_refused(tus: Tus) -> None:
    final = f"final;{_part(tus, b'one')}"
    _is_refused(tus, final, _PART, ("Upload-Length", "3"), statuses={400})


def _part(tus: Tus, content: bytes) -> str:
    """The address of a finished part."""
    target = told(tus.ask("POST", "/uploads", _PART, ("Upload-Length", str(len(content)))), "location")
    if content:
        assert tus.patch(target, 0, content).status == 204
    return target


def _join(tus: Tus, key: str, *parts: str) -> Answer:
    return tus.ask("POST", "/uploads", metadata(key=key), ("Upload-Concat", f"final;{' '.join(parts)}"))


def _is_refused(tus: Tus, concat: str, *lines: Line, statuses: Collection[int] = (400, 404, 409)) -> None:
    """Nothing is made of this, and the answer gives nothing away."""
    key = fresh_key()
    before = tus.server.drafts()
    answer = tus.ask("POST", "/uploads", metadata(key=key), ("Upload-Concat", concat), *lines)
    assert answer.status in statuses, (answer, answer.body)
    assert answer.head.get("location") is None
    assert (stored(tus.server, key), tus.server.drafts()) == (None, before)
    for secret in (b"kept", b"root:x:0", b"SQLite format 3"):
        assert secret not in answer.body
