"""Digests on plain uploads are verified before anything is stored (C65)."""

import base64
import hashlib
from collections.abc import Iterator

import pytest

from tests.support.server import Server, running_server
from tests.support.wire import Answer, Connection, form_bytes, request, request_bytes
from tests.uploads.dialects import Line, assert_problem, chunked, digest, fresh_key, stored, told

_FIELDS = pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has no draft but those of these tests."""
    with running_server(tmp_path_factory.mktemp("digests")) as server:
        yield server


@pytest.mark.parametrize("content", [b"content", b"", bytes(300_000)], ids=len)
def test_a_right_md5_is_stored(shelf: Server, content: bytes) -> None:
    key = fresh_key()
    assert request(shelf.port, "PUT", f"/files/{key}", _md5(content), body=content).status == 201
    assert stored(shelf, key) == content


def test_a_wrong_md5_stores_nothing(shelf: Server) -> None:
    _stores_nothing(shelf, "digest-mismatch", _md5(b"other"))


def test_a_wrong_md5_of_chunks_stores_nothing(shelf: Server) -> None:
    _stores_nothing(
        shelf, "digest-mismatch", _md5(b"other"), ("Transfer-Encoding", "chunked"), body=chunked(b"con", b"tent")
    )


@pytest.mark.parametrize(
    "value",
    [
        "",
        "!!!",
        "AAAA",
        hashlib.md5(b"content").hexdigest(),
        base64.b64encode(hashlib.sha256(b"content").digest()).decode(),
        base64.b64encode(hashlib.md5(b"content").digest()).decode()[:-4],
        f":{base64.b64encode(hashlib.md5(b'content').digest()).decode()}:",
        "Größe",
    ],
)
def test_an_md5_that_cannot_be_read_is_400(shelf: Server, value: str) -> None:
    _stores_nothing(shelf, "malformed-digest", ("Content-MD5", value))


def test_an_md5_that_is_said_twice_is_400(shelf: Server) -> None:
    _stores_nothing(shelf, "malformed-digest", _md5(b"content"), _md5(b"other"))


@_FIELDS
@pytest.mark.parametrize("algorithms", [("sha-256",), ("sha-512",), ("sha-256", "sha-512"), ("sha-512", "sha-256")])
def test_a_right_digest_is_stored(shelf: Server, field: str, algorithms: tuple[str, ...]) -> None:
    key = fresh_key()
    answer = request(shelf.port, "PUT", f"/files/{key}", digest(field, b"content", *algorithms), body=b"content")
    assert answer.status == 201
    assert stored(shelf, key) == b"content"


@_FIELDS
@pytest.mark.parametrize("algorithms", [("sha-256",), ("sha-512",), ("sha-256", "sha-512")])
def test_a_wrong_digest_stores_nothing(shelf: Server, field: str, algorithms: tuple[str, ...]) -> None:
    _stores_nothing(shelf, "digest-mismatch", digest(field, b"other", *algorithms))


@_FIELDS
def test_one_wrong_digest_of_two_stores_nothing(shelf: Server, field: str) -> None:
    right, wrong = digest(field, b"content", "sha-256")[1], digest(field, b"other", "sha-512")[1]
    for value in (f"{right}, {wrong}", f"{wrong}, {right}"):
        _stores_nothing(shelf, "digest-mismatch", (field, value))
    _stores_nothing(shelf, "digest-mismatch", (field, right), (field, wrong))


def test_all_fields_have_to_agree(shelf: Server) -> None:
    right, wrong = b"content", b"other"
    _stores_nothing(shelf, "digest-mismatch", digest("Content-Digest", right), digest("Repr-Digest", wrong))
    _stores_nothing(shelf, "digest-mismatch", digest("Repr-Digest", right, "sha-512"), _md5(wrong))
    _stores_nothing(shelf, "digest-mismatch", digest("Content-Digest", wrong, "sha-512"), _md5(right))
    key = fresh_key()
    lines = (_md5(right), digest("Content-Digest", right, "sha-512"), digest("Repr-Digest", right))
    assert request(shelf.port, "PUT", f"/files/{key}", *lines, body=right).status == 201
    assert stored(shelf, key) == right


@_FIELDS
@pytest.mark.parametrize(
    "value", ["sha3-256=:AAAA:", "md5=:AAAA:, sha=:AAAA:", "unixsum=:AAAA:", "x=1", "x", 'x="a,b"', ""]
)
def test_algorithms_that_nobody_knows_are_ignored(shelf: Server, field: str, value: str) -> None:
    key = fresh_key()
    assert request(shelf.port, "PUT", f"/files/{key}", (field, value), body=b"content").status == 201
    assert stored(shelf, key) == b"content"


@_FIELDS
@pytest.mark.parametrize(
    "value",
    [
        "sha-256",
        "sha-256=1",
        "sha-256=AAAA",
        "sha-256=:AAAA:",
        "sha-256=:!!!!:",
        'sha-256="AAAA"',
        "sha-512=:" + base64.b64encode(bytes(32)).decode() + ":",
        "=:AAAA:",
        "sha-256=:AAAA:,",
        ",",
        "Größe",
    ],
)
def test_a_digest_that_cannot_be_read_is_400(shelf: Server, field: str, value: str) -> None:
    _stores_nothing(shelf, "malformed-digest", (field, value))


@_FIELDS
def test_the_last_of_two_members_of_one_name_counts(shelf: Server, field: str) -> None:
    right, wrong = digest(field, b"content")[1], digest(field, b"other")[1]
    assert (
        request(shelf.port, "PUT", f"/files/{fresh_key()}", (field, f"{wrong}, {right}"), body=b"content").status == 201
    )
    _stores_nothing(shelf, "digest-mismatch", (field, f"{right}, {wrong}"))


def test_an_older_file_stays(shelf: Server) -> None:
    key = fresh_key()
    assert request(shelf.port, "PUT", f"/files/{key}", body=b"old").status == 201
    for line in (_md5(b"other"), digest("Repr-Digest", b"other"), digest("Content-Digest", b"other", "sha-512")):
        assert_problem(request(shelf.port, "PUT", f"/files/{key}", line, body=b"new"), 400, "digest-mismatch")
    assert (stored(shelf, key), shelf.drafts()) == (b"old", [])


@pytest.mark.parametrize("line", [("Content-MD5", "AAAA"), ("Repr-Digest", "sha-256=:AAAA:")])
def test_a_body_whose_digest_cannot_be_read_is_not_asked_for(shelf: Server, line: Line) -> None:
    wait = (("Content-Length", "7"), ("Expect", "100-continue"), ("Connection", "keep-alive"))
    with Connection(shelf.port) as connection:
        connection.send(request_bytes("PUT", f"/files/{fresh_key()}", *wait, line))
        answer = connection.answer()
    assert (answer.status, answer.head.interim, told(answer, "connection")) == (400, (), "close")


def test_a_form_has_a_digest_too(shelf: Server) -> None:
    folder = fresh_key("folder")
    kind, body = form_bytes(("one.txt", b"one"))
    for line in (digest("Content-Digest", b"other"), digest("Content-Digest", b"other", "sha-512"), _md5(b"other")):
        assert_problem(request(shelf.port, "POST", f"/files/{folder}/", kind, line, body=body), 400, "digest-mismatch")
    assert (stored(shelf, f"{folder}/one.txt"), shelf.drafts()) == (None, [])
    right = digest("Content-Digest", body)
    assert request(shelf.port, "POST", f"/files/{folder}/", kind, right, _md5(body), body=body).status == 201


def test_the_answer_has_the_digest_of_what_is_stored(shelf: Server) -> None:
    assert told(_put(shelf), "repr-digest") == digest("", b"content", "sha-256")[1]


@pytest.mark.parametrize("value", ["sha-256=10", "sha-256=1, sha-512=0", "nonsense=", "sha-256"])
def test_the_digest_that_is_wanted_is_told(shelf: Server, value: str) -> None:
    assert told(_put(shelf, ("Want-Repr-Digest", value)), "repr-digest") == digest("", b"content", "sha-256")[1]


def test_another_digest_that_is_wanted_is_told_if_any_is(shelf: Server) -> None:
    value = _put(shelf, ("Want-Repr-Digest", "sha-512=10")).head.get("repr-digest")
    assert value in (None, digest("", b"content", "sha-512")[1], digest("", b"content", "sha-256", "sha-512")[1])


@pytest.mark.parametrize("value", ["sha-256=0", "sha-256=0, sha-512=0", "unixsum=5"])
def test_no_digest_is_told_to_those_who_want_none_of_ours(shelf: Server, value: str) -> None:
    assert _put(shelf, ("Want-Repr-Digest", value)).head.get("repr-digest") is None


def _put(shelf: Server, *lines: Line) -> Answer:
    answer = request(shelf.port, "PUT", f"/files/{fresh_key()}", *lines, body=b"content")
    assert answer.status == 201
    return answer


def _stores_nothing(shelf: Server, slug: str, *lines: Line, body: bytes = b"content") -> None:
    key = fresh_key()
    assert_problem(request(shelf.port, "PUT", f"/files/{key}", *lines, body=body), 400, slug)
    assert (stored(shelf, key), shelf.drafts()) == (None, [])


def _md5(content: bytes) -> Line:
    """Content-MD5 (RFC 1864), which clients of object stores still send."""
    return "Content-MD5", base64.b64encode(hashlib.md5(content).digest()).decode()
