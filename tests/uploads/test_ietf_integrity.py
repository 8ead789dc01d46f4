"""The IETF's draft: digests of requests and of wholes are verified before anything is kept (U11)."""

import pytest

from tests.support.files import known_bytes
from tests.support.server import wait_until
from tests.support.wire import Connection, form_bytes, request_bytes
from tests.uploads.dialects import (
    INTEROP,
    LAST,
    MORE,
    PARTIAL_TYPE,
    Draft,
    Line,
    Tus,
    assert_problem,
    assert_stored,
    chunked,
    digest,
    draft_size,
    fresh_key,
    metadata,
    stored,
    told,
)

_CONTENT = known_bytes(300_000)
_MALFORMED = ["sha-256=:AAAA:", "sha-256=AAAA", "sha-256=:!!!:", "sha-256", "=:AAAA:", "sha-256=:AAAA:,"]


@pytest.mark.parametrize("algorithms", [("sha-256",), ("sha-512",), ("sha-256", "sha-512")])
def test_a_right_digest_of_a_request_is_taken(draft: Draft, algorithms: tuple[str, ...]) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", digest("Content-Digest", b"abc", *algorithms))
    assert draft.patch(target, 3, b"de", digest("Content-Digest", b"de", *algorithms)).status == 204
    assert draft.finish(target, 5, b"f", digest("Content-Digest", b"f", *algorithms)).status == 201
    assert_stored(draft.server, key, b"abcdef")


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
@pytest.mark.parametrize("state", [MORE, LAST])
def test_a_wrong_digest_of_a_request_leaves_the_offset(draft: Draft, state: Line, algorithm: str) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc")
    answer = draft.patch(target, 3, b"deX", state, digest("Content-Digest", b"def", algorithm))
    assert_problem(answer, 400, "digest-mismatch")
    head = draft.ask("HEAD", target)
    assert (told(head, "upload-offset"), told(head, "upload-complete")) == ("3", "?0")
    assert stored(draft.server, key) is None
    assert draft.finish(target, 3, b"def").status == 201
    assert_stored(draft.server, key, b"abcdef")


def test_of_two_digests_both_have_to_be_right(draft: Draft) -> None:
    target = draft.create(fresh_key(), b"abc")
    right, wrong = digest("Content-Digest", b"def", "sha-256"), digest("Content-Digest", b"deX", "sha-512")
    answer = draft.patch(target, 3, b"def", ("Content-Digest", f"{right[1]}, {wrong[1]}"))
    assert_problem(answer, 400, "digest-mismatch")
    assert draft.offset(target) == 3


def test_a_long_request_with_a_wrong_digest_is_dropped(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, _CONTENT[:10])
    lines = (("Transfer-Encoding", "chunked"), digest("Content-Digest", _CONTENT[10:]))
    wrong = chunked(_CONTENT[10:100_000], _CONTENT[100_000:-1], b"X")
    assert_problem(draft.patch(target, 10, wrong, *lines), 400, "digest-mismatch")
    assert draft.offset(target) == 10
    assert draft.finish(target, 10, _CONTENT[10:]).status == 201
    assert_stored(draft.server, key, _CONTENT)


def test_a_request_whose_digest_cannot_be_checked_leaves_the_offset(draft: Draft) -> None:
    target = draft.create(fresh_key(), _CONTENT[:10])
    length = ("Content-Length", str(len(_CONTENT) - 10))
    lines = (PARTIAL_TYPE, LAST, ("Upload-Offset", "10"), digest("Content-Digest", _CONTENT[10:]))
    with Connection(draft.server.port) as connection:
        connection.send(request_bytes("PATCH", target, length, *lines, body=_CONTENT[10:200_000]))
        wait_until(draft.server.open_transfers, lambda number: number > 0)
    wait_until(draft.server.open_transfers, lambda number: number == 0)
    assert draft.offset(target) == 10
    assert draft.finish(target, 10, _CONTENT[10:]).status == 201


@pytest.mark.parametrize("value", _MALFORMED)
def test_a_digest_that_cannot_be_read_is_400(draft: Draft, value: str) -> None:
    target = draft.create(fresh_key(), b"abc")
    assert_problem(draft.patch(target, 3, b"def", ("Content-Digest", value)), 400, "malformed-digest")
    assert draft.offset(target) == 3


def test_an_algorithm_that_nobody_knows_is_ignored(draft: Draft) -> None:
    target = draft.create(fresh_key(), b"abc")
    assert draft.patch(target, 3, b"def", ("Content-Digest", "sha3-256=:AAAA:, md5=:AAAA:, sha=:AAAA:")).status == 204


@pytest.mark.parametrize("state", [MORE, LAST])
def test_a_creation_with_a_wrong_digest_stores_nothing(draft: Draft, state: Line) -> None:
    key = fresh_key()
    answer = draft.ask("PUT", f"/files/{key}", state, digest("Content-Digest", b"def"), body=b"abc")
    assert_problem(answer, 400, "digest-mismatch")
    assert stored(draft.server, key) is None


@pytest.mark.parametrize("algorithms", [("sha-256",), ("sha-512",), ("sha-256", "sha-512")])
def test_the_whole_is_what_was_promised(draft: Draft, algorithms: tuple[str, ...]) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", digest("Repr-Digest", b"abcdef", *algorithms))
    assert draft.patch(target, 3, b"de").status == 204
    assert draft.finish(target, 5, b"f").status == 201
    assert_stored(draft.server, key, b"abcdef")


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_a_whole_that_is_not_what_was_promised_is_not_stored(draft: Draft, algorithm: str) -> None:
    key = fresh_key()
    target = draft.create(key, b"abc", digest("Repr-Digest", b"abcdef", algorithm))
    answer = draft.finish(target, 3, b"deX")
    assert_problem(answer, 400, "digest-mismatch")
    assert told(answer, "upload-complete") == "?1"
    assert (stored(draft.server, key), draft_size(draft.server, target)) == (None, -1)
    assert draft.ask("HEAD", target).status in (404, 410)
    assert draft.finish(target, 3, b"def").status in (404, 410)


def test_a_whole_in_one_request_that_is_not_what_was_promised_is_not_stored(draft: Draft) -> None:
    key = fresh_key()
    answer = draft.ask("PUT", f"/files/{key}", LAST, INTEROP, digest("Repr-Digest", b"abcdef"), body=b"abcdeX")
    assert_problem(answer, 400, "digest-mismatch")
    assert told(answer, "upload-complete") == "?1"
    target = answer.head.interim[0].get("location") or ""
    assert (stored(draft.server, key), draft_size(draft.server, target)) == (None, -1)
    assert draft.ask("HEAD", target).status in (404, 410)


def test_an_older_file_stays_when_its_successor_is_not_what_was_promised(draft: Draft) -> None:
    key = fresh_key()
    assert draft.ask("PUT", f"/files/{key}", body=b"old").status == 201
    target = draft.create(key, b"abc", digest("Repr-Digest", b"abcdef"))
    assert_problem(draft.finish(target, 3, b"deX"), 400, "digest-mismatch")
    assert stored(draft.server, key) == b"old"


def test_a_form_that_is_not_what_was_promised_is_not_stored(draft: Draft) -> None:
    folder = fresh_key("folder")
    kind, body = form_bytes(("one.txt", b"one"))
    for line in (digest("Repr-Digest", b"other"), digest("Repr-Digest", b"other", "sha-512")):
        answer = draft.ask("POST", f"/files/{folder}/", kind, LAST, line, body=body)
        assert_problem(answer, 400, "digest-mismatch")
        assert told(answer, "upload-complete") == "?1"
    assert stored(draft.server, f"{folder}/one.txt") is None
    right = digest("Repr-Digest", body, "sha-256", "sha-512")
    assert draft.ask("POST", f"/files/{folder}/", kind, LAST, right, body=body).status == 201


def test_a_promise_for_tus_is_kept(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 6, digest("Repr-Digest", b"abcdef"))
    assert tus.patch(target, 0, b"abcdef").status == 204
    assert_stored(tus.server, key, b"abcdef")


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_a_promise_for_tus_that_is_broken_stores_nothing(tus: Tus, algorithm: str) -> None:
    key = fresh_key()
    target = tus.create(key, 6, digest("Repr-Digest", b"abcdef", algorithm))
    assert tus.patch(target, 0, b"abc").status == 204
    assert_problem(tus.patch(target, 3, b"deX"), 400, "digest-mismatch")
    assert (stored(tus.server, key), draft_size(tus.server, target)) == (None, -1)
    assert tus.ask("HEAD", target).status in (404, 410)


def test_a_promise_for_joined_parts_is_kept_or_nothing_is_stored(tus: Tus) -> None:
    lines = (("Upload-Concat", "partial"), ("Upload-Length", "3"))
    parts = []
    for content in (b"abc", b"def"):
        parts.append(told(tus.ask("POST", "/uploads", *lines), "location"))
        assert tus.patch(parts[-1], 0, content).status == 204
    final = ("Upload-Concat", f"final;{' '.join(parts)}")
    key = fresh_key()
    wrong = tus.ask("POST", "/uploads", final, metadata(key=key), digest("Repr-Digest", b"abcdeX"))
    assert (wrong.status, stored(tus.server, key)) == (400, None)
    right = tus.ask("POST", "/uploads", final, metadata(key=key), digest("Repr-Digest", b"abcdef"))
    assert right.status in (201, 400, 404)
    assert stored(tus.server, key) == (b"abcdef" if right.status == 201 else None)


@pytest.mark.parametrize("value", _MALFORMED)
def test_a_promise_that_cannot_be_read_is_400(draft: Draft, tus: Tus, value: str) -> None:
    before = draft.server.drafts()
    line = ("Repr-Digest", value)
    assert_problem(draft.ask("PUT", f"/files/{fresh_key()}", MORE, line, body=b"abc"), 400, "malformed-digest")
    assert_problem(tus.ask("POST", "/uploads", ("Upload-Length", "3"), line), 400, "malformed-digest")
    assert draft.server.drafts() == before
