"""The IETF's draft: any upload becomes a resumable one by a field (U1, U3), and is told so early (U2)."""

import json

import pytest

from tests.support.wire import Answer, Connection, form_bytes, request, request_bytes
from tests.uploads.dialects import (
    INTEROP,
    LAST,
    MORE,
    Draft,
    Line,
    assert_problem,
    chunked,
    digest,
    fresh_key,
    metadata,
    stored,
    told,
)

_TRUE = {
    "plain": "?1",
    "a parameter": "?1;x=1",
    "a flag": "?1;x",
    "a string": '?1;x="a;b"',
    "space": "  ?1 ",
    "space in parameters": "?1;  x=?0",
}
_FALSE = {"plain": "?0", "a parameter": "?0;x=?1"}
_NO_BOOLEANS: dict[str, tuple[str, ...]] = {
    "empty": ("",),
    "a number": ("1",),
    "zero": ("0",),
    "a word": ("true",),
    "a capital word": ("True",),
    "a string": ('"?1"',),
    "two": ("?2",),
    "a question mark": ("?",),
    "two digits": ("?11",),
    "a letter": ("?T",),
    "a list": ("?1, ?0",),
    "the same in a list": ("?1, ?1",),
    "an inner list": ("(?1)",),
    "twice": ("?1", "?1"),
    "two of them": ("?0", "?1"),
    "a parameter without a name": ("?1;",),
    "a parameter in capitals": ("?1;X=1",),
    "space before the semicolon": ("?1 ;x=1",),
    "something behind": ("?1 x",),
    "a comma": ("?1,",),
    "space between": ("? 1",),
}


@pytest.mark.parametrize("why", _TRUE)
def test_a_whole_upload_is_answered_as_without_the_field(draft: Draft, why: str) -> None:
    key, plain_key = fresh_key("a b.txt"), fresh_key("a b.txt")
    answer = draft.ask("PUT", f"/files/{key}".replace(" ", "%20"), ("Upload-Complete", _TRUE[why]), body=b"content")
    plain = draft.ask("PUT", f"/files/{plain_key}".replace(" ", "%20"), body=b"content")
    assert (answer.status, told(answer, "upload-complete")) == (201, "?1")
    assert told(answer, "location") == f"/files/{key}".replace(" ", "%20")
    assert told(answer, "repr-digest") == told(plain, "repr-digest") == digest("", b"content")[1]
    assert told(answer, "etag") == told(request(draft.server.port, "HEAD", told(answer, "location")), "etag")
    assert stored(draft.server, key) == b"content"
    assert plain.head.get("upload-complete") is None


@pytest.mark.parametrize("why", _FALSE)
def test_a_beginning_becomes_an_upload(draft: Draft, why: str) -> None:
    key = fresh_key()
    answer = draft.ask("PUT", f"/files/{key}", ("Upload-Complete", _FALSE[why]), body=b"abc")
    assert (answer.status, told(answer, "upload-complete"), told(answer, "upload-offset")) == (201, "?0", "3")
    assert told(answer, "location").startswith("/uploads/")
    assert "max-age=" in told(answer, "upload-limit")
    assert stored(draft.server, key) is None
    assert draft.offset(told(answer, "location")) == 3


@pytest.mark.parametrize("why", _NO_BOOLEANS)
def test_a_field_that_is_no_boolean_is_ignored(draft: Draft, why: str) -> None:
    key = fresh_key()
    lines = tuple(("Upload-Complete", value) for value in _NO_BOOLEANS[why])
    answer = draft.ask("PUT", f"/files/{key}", *lines, INTEROP, body=b"content")
    assert (answer.status, answer.head.get("upload-complete"), answer.head.interim) == (201, None, ())
    assert stored(draft.server, key) == b"content"


def test_without_the_field_a_post_to_the_uploads_creates_none(draft: Draft) -> None:
    before = draft.server.drafts()
    for lines in ((), (("Upload-Complete", "true"),), (("Upload-Complete", "?1, ?1"),)):
        answer = draft.ask("POST", "/uploads", *lines, metadata(key=fresh_key()), body=b"abc")
        assert 400 <= answer.status < 500
    assert draft.server.drafts() == before


def test_nothing_may_be_the_whole(draft: Draft) -> None:
    key = fresh_key()
    assert draft.ask("PUT", f"/files/{key}", LAST).status == 201
    assert stored(draft.server, key) == b""


def test_nothing_may_be_the_beginning(draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key)
    assert draft.finish(target, 0, b"content").status == 201
    assert stored(draft.server, key) == b"content"


@pytest.mark.parametrize("state", [MORE, LAST])
def test_chunks_are_taken(draft: Draft, state: Line) -> None:
    key = fresh_key()
    body = chunked(b"ab", b"c")
    answer = draft.ask("PUT", f"/files/{key}", state, ("Transfer-Encoding", "chunked"), body=body)
    assert (answer.status, told(answer, "upload-complete")) == (201, state[1])
    assert stored(draft.server, key) == (b"abc" if state == LAST else None)


def test_a_file_is_replaced(draft: Draft) -> None:
    key = fresh_key()
    assert draft.ask("PUT", f"/files/{key}", body=b"old").status == 201
    assert draft.ask("PUT", f"/files/{key}", LAST, body=b"new").status == 200
    target = draft.create(key, b"newer")
    assert stored(draft.server, key) == b"new"
    assert draft.finish(target, 5).status == 200
    assert stored(draft.server, key) == b"newer"


_NAMES: dict[str, tuple[Line, str]] = {
    "metadata": (metadata(key="{}"), "{}"),
    "a file name": (("Content-Disposition", 'inline; filename="{}"'), "{}"),
    "an attachment's": (("Content-Disposition", 'attachment; filename="{}"'), "{}"),
    "an encoded file name": (("Content-Disposition", "inline; filename=x; filename*=UTF-8''{}%20%C3%A4"), "{} ä"),
}


@pytest.mark.parametrize("why", _NAMES)
def test_a_post_tells_the_name(draft: Draft, why: str) -> None:
    (field, value), expected = _NAMES[why]
    name = fresh_key("named.bin").replace("/", "-")
    line = metadata(key=name) if field == "Upload-Metadata" else (field, value.format(name))
    answer = draft.ask("POST", "/uploads", LAST, line, body=b"content")
    assert (answer.status, told(answer, "upload-complete")) == (201, "?1")
    assert stored(draft.server, expected.format(name)) == b"content"


@pytest.mark.parametrize("name", ["../canary.txt", "..", "a\\\\b", "n" * 300, ".fileserver/x", "a//b"])
@pytest.mark.parametrize("state", [MORE, LAST])
def test_a_post_whose_name_may_not_be_is_refused(draft: Draft, name: str, state: Line) -> None:
    before = draft.server.drafts()
    line = ("Content-Disposition", f'inline; filename="{name}"')
    assert_problem(draft.ask("POST", "/uploads", state, line, body=b"abc"), 400, "invalid-key")
    assert (draft.server.drafts(), list(draft.server.root.rglob("*canary*"))) == (before, [])


@pytest.mark.parametrize("target", ["/files/../x", "/files/.fileserver/x", "/files/%2e%2e%2fx", "/files/a%00b"])
@pytest.mark.parametrize("state", [MORE, LAST])
def test_a_key_that_may_not_be_is_refused(draft: Draft, target: str, state: Line) -> None:
    before = draft.server.drafts()
    assert_problem(draft.ask("PUT", target, state, INTEROP, body=b"abc"), 400, "invalid-key")
    assert draft.server.drafts() == before


def test_a_form_is_stored_when_it_is_whole(draft: Draft) -> None:
    folder = fresh_key("folder")
    kind, body = form_bytes(("one.txt", b"one"), ("two.txt", b"two"))
    answer = draft.ask("POST", f"/files/{folder}/", kind, LAST, body=body)
    assert (answer.status, told(answer, "upload-complete")) == (201, "?1")
    assert [entry["key"] for entry in json.loads(answer.body)["entries"]] == [
        f"{folder}/one.txt",
        f"{folder}/two.txt",
    ]
    assert stored(draft.server, f"{folder}/two.txt") == b"two"


def test_a_post_to_a_folder_tells_the_name_too(draft: Draft) -> None:
    folder = fresh_key("folder")
    name = ("Content-Disposition", 'inline; filename="named.txt"')
    answer = draft.ask("POST", f"/files/{folder}/", ("Content-Type", "text/plain"), name, LAST, body=b"content")
    assert (answer.status, told(answer, "location")) == (201, f"/files/{folder}/named.txt")
    assert stored(draft.server, f"{folder}/named.txt") == b"content"


@pytest.mark.parametrize("version", ["8", "6", "8;x=1"])
@pytest.mark.parametrize("state", [MORE, LAST])
def test_a_client_of_this_draft_is_told_early(draft: Draft, version: str, state: Line) -> None:
    answer = _created(draft, state, ("Upload-Draft-Interop-Version", version))
    first, *rest = answer.head.interim
    assert first.status == 104
    assert (first.get("location") or "").startswith("/uploads/")
    assert "max-age=" in (first.get("upload-limit") or "")
    assert first.get("upload-draft-interop-version") == version[0]
    assert {head.get("location") for head in rest} <= {None, first.get("location")}
    if state == MORE:
        assert told(answer, "location") == first.get("location")


_OTHER_VERSIONS: dict[str, tuple[str, ...]] = {
    "none": (),
    "older": ("5",),
    "between": ("7",),
    "newer": ("9",),
    "negative": ("-8",),
    "a decimal": ("8.0",),
    "a boolean": ("?1",),
    "a string": ('"8"',),
    "a list": ("8, 8",),
    "twice": ("8", "8"),
    "signed": ("+8",),
    "empty": ("",),
}


@pytest.mark.parametrize("why", _OTHER_VERSIONS)
@pytest.mark.parametrize("state", [MORE, LAST])
def test_a_client_of_another_draft_is_not(draft: Draft, why: str, state: Line) -> None:
    lines = tuple((INTEROP[0], value) for value in _OTHER_VERSIONS[why])
    assert _created(draft, state, *lines).head.interim == ()


def test_a_plain_upload_is_told_nothing_early(draft: Draft) -> None:
    assert draft.ask("PUT", f"/files/{fresh_key()}", INTEROP, body=b"abc").head.interim == ()


@pytest.mark.parametrize("state", [MORE, LAST])
def test_it_is_told_before_the_body_comes_and_the_body_is_asked_for(draft: Draft, state: Line) -> None:
    key = fresh_key()
    wait = (("Content-Length", "3"), ("Expect", "100-continue"))
    with Connection(draft.server.port) as connection:
        connection.send(request_bytes("PUT", f"/files/{key}", *wait, state, INTEROP))
        assert sorted(connection.next_head().status for _ in range(2)) == [100, 104]
        connection.send(b"abc")
        assert connection.answer().status == 201


def test_it_is_told_before_the_body_comes_to_those_who_wait_without_asking(draft: Draft) -> None:
    with Connection(draft.server.port) as connection:
        connection.send(request_bytes("PUT", f"/files/{fresh_key()}", ("Content-Length", "3"), LAST, INTEROP))
        early = connection.next_head()
        assert early.status == 104
        assert draft.offset(early.get("location") or "") == 0


def test_a_client_of_http_1_0_is_not_told(draft: Draft) -> None:
    sent = request_bytes("PUT", f"/files/{fresh_key()}", LAST, INTEROP, body=b"abc")
    with Connection(draft.server.port) as connection:
        connection.send(sent.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1))
        assert connection.answer().head.interim == ()


_REFUSED: dict[str, tuple[str, tuple[Line, ...], int]] = {
    "a name": ("/files/../x", (), 400),
    "a precondition": ("/files/taken", (("If-None-Match", "*"),), 412),
    "a precondition of another": ("/files/taken", (("If-Match", '"other"'),), 412),
    "a part": ("/files/x", (("Content-Range", "bytes 0-2/9"),), 400),
    "a digest": ("/files/x", (("Repr-Digest", "sha-256=:AAAA:"),), 400),
    "room": ("/files/x", (("Upload-Length", "99999999999999"),), 507),
}


@pytest.mark.parametrize("why", _REFUSED)
def test_an_upload_that_cannot_be_is_not_begun(draft: Draft, why: str) -> None:
    target, lines, status = _REFUSED[why]
    draft.ask("PUT", "/files/taken", body=b"taken")
    before = draft.server.drafts()
    for state in (MORE, LAST) if why != "room" else (MORE,):
        with Connection(draft.server.port) as connection:
            wait = (("Content-Length", "3"), ("Expect", "100-continue"), ("Connection", "keep-alive"))
            connection.send(request_bytes("PUT", target, *wait, state, INTEROP, *lines))
            answer = connection.answer()
        assert (answer.status, answer.head.interim, told(answer, "connection")) == (status, (), "close")
        assert answer.head.get("location") is None
    assert draft.server.drafts() == before


def _created(draft: Draft, state: Line, *lines: Line) -> Answer:
    answer = draft.ask("PUT", f"/files/{fresh_key()}", state, *lines, body=b"abc")
    assert answer.status == 201
    return answer
