"""What a server does not let happen: writes where nobody may, from other sites, too large, too many, too old (S28)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.wire import Answer, Connection, request, request_bytes
from tests.uploads.dialects import (
    LAST,
    MORE,
    OFFSET_TYPE,
    PARTIAL_TYPE,
    VERSION,
    Draft,
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

_WRITES: dict[str, tuple[str, str, tuple[Line, ...]]] = {
    "tus creation": ("POST", "/uploads", (VERSION, ("Upload-Length", "3"))),
    "tus creation in a folder": ("POST", "/files/folder/", (VERSION, ("Upload-Length", "3"), metadata(key="x"))),
    "tus PATCH": ("PATCH", "{target}", (VERSION, OFFSET_TYPE, ("Upload-Offset", "3"))),
    "tus DELETE": ("DELETE", "{target}", (VERSION,)),
    "draft creation": ("PUT", "/files/never", (LAST,)),
    "draft creation of a part": ("PUT", "/files/never", (MORE,)),
    "draft creation by POST": ("POST", "/uploads", (MORE, ("Content-Disposition", 'inline; filename="never"'))),
    "draft PATCH": ("PATCH", "{target}", (PARTIAL_TYPE, LAST, ("Upload-Offset", "3"))),
    "draft DELETE": ("DELETE", "{target}", ()),
}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets nobody write."""
    with running_server(tmp_path_factory.mktemp("closed"), "--read-only") as server:
        yield server


@pytest.mark.parametrize("why", _WRITES)
def test_a_read_only_server_is_not_written_to(closed: Server, why: str) -> None:
    method, target, lines = _WRITES[why]
    answer = request(closed.port, method, target.format(target="/uploads/unknown"), *lines)
    assert_problem(answer, 403, "read-only")
    assert list(closed.root.iterdir()) == []


@pytest.mark.parametrize("line", [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")])
@pytest.mark.parametrize("why", _WRITES)
def test_another_site_does_not_write(tus: Tus, why: str, line: Line) -> None:
    opened = tus.begin(fresh_key(), 6, b"abc")
    before = tus.server.drafts()
    method, target, lines = _WRITES[why]
    answer = request(tus.server.port, method, target.format(target=opened), *lines, line, body=b"def")
    assert_problem(answer, 403, "cross-site-refused")
    assert (tus.server.drafts(), stored(tus.server, "never")) == (before, None)
    assert tus.offset(opened) == 3


def test_a_length_above_the_largest_is_413(small: Server) -> None:
    tus, draft = Tus(small), Draft(small)
    answers = (
        tus.ask("POST", "/uploads", ("Upload-Length", "1001")),
        draft.ask("PUT", f"/files/{fresh_key()}", MORE, ("Upload-Length", "1001")),
        draft.ask("PUT", f"/files/{fresh_key()}", LAST, body=bytes(1001)),
        draft.ask("PUT", f"/files/{fresh_key()}", MORE, body=bytes(1001)),
    )
    assert [(answer.status, answer.head.get("location")) for answer in answers] == [(413, None)] * 4
    assert "max-size=1000" in told(answers[1], "upload-limit")
    assert small.drafts() == []


def test_the_largest_size_is_kept_to_the_byte(small: Server) -> None:
    key = fresh_key()
    assert Tus(small).begin(key, 1000, bytes(1000))
    assert stored(small, key) == bytes(1000)
    key = fresh_key()
    assert Draft(small).ask("PUT", f"/files/{key}", LAST, body=bytes(1000)).status == 201
    assert stored(small, key) == bytes(1000)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_length_that_is_told_later_has_the_same_limit(small: Server, *, is_chunked: bool) -> None:
    tus = Tus(small)
    target = told(tus.ask("POST", "/uploads", ("Upload-Defer-Length", "1")), "location")
    assert tus.patch(target, 0, bytes(600)).status == 204
    body, lines = (chunked(bytes(401)), (("Transfer-Encoding", "chunked"),)) if is_chunked else (bytes(401), ())
    assert tus.patch(target, 600, body, *lines).status == 413
    assert tus.patch(target, 600, b"", ("Upload-Length", "1001")).status == 413
    assert tus.offset(target) == 600
    assert tus.ask("DELETE", target).status == 204


def test_parts_together_have_the_same_limit(small: Server) -> None:
    tus = Tus(small)
    part = (("Upload-Concat", "partial"), ("Upload-Length", "600"), OFFSET_TYPE)
    parts = [told(tus.ask("POST", "/uploads", *part, body=bytes(600)), "location") for _ in range(2)]
    assert tus.ask("POST", "/uploads", ("Upload-Concat", f"final;{' '.join(parts)}")).status == 413
    for target in parts:
        assert tus.ask("DELETE", target).status == 204


def test_the_draft_is_told_the_largest_size(small: Server) -> None:
    for target in ("/uploads", "/files/", "/files/any/key"):
        assert "max-size=1000" in told(request(small.port, "OPTIONS", target), "upload-limit")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets three uploads be open."""
    with running_server(tmp_path_factory.mktemp("few"), "--max-uploads", "3") as server:
        yield server


@pytest.fixture
def opened(few: Server) -> Iterator[list[str]]:
    """Three open uploads, ended with the test."""
    targets = [Tus(few).create(fresh_key(), 6), Draft(few).create(fresh_key()), Tus(few).begin(fresh_key(), 6, b"abc")]
    yield targets
    for target in targets:
        Tus(few).ask("DELETE", target)


@pytest.mark.usefixtures("opened")
def test_more_uploads_than_may_be_open_are_429(few: Server) -> None:
    before = few.drafts()
    for answer in _creations(few):
        assert_problem(answer, 429, "too-many-uploads")
        assert answer.head.get("location") is None
    assert few.drafts() == before


@pytest.mark.usefixtures("opened")
def test_a_refused_body_is_not_asked_for(few: Server) -> None:
    with Connection(few.port) as connection:
        wait = (("Content-Length", "3"), ("Expect", "100-continue"), ("Connection", "keep-alive"))
        connection.send(request_bytes("PUT", f"/files/{fresh_key()}", *wait, MORE))
        answer = connection.answer()
    assert (answer.status, answer.head.interim, told(answer, "connection")) == (429, (), "close")


@pytest.mark.usefixtures("opened")
def test_a_plain_upload_is_no_open_one(few: Server) -> None:
    assert request(few.port, "PUT", f"/files/{fresh_key()}", body=b"abc").status == 201


def test_an_upload_that_is_over_makes_room(few: Server, opened: list[str]) -> None:
    tus = Tus(few)
    assert tus.patch(opened[0], 0, b"abcdef").status == 204
    assert tus.ask("DELETE", opened[2]).status == 204
    more = [tus.create(fresh_key(), 6) for _ in range(2)]
    assert tus.ask("POST", "/uploads", ("Upload-Length", "6")).status == 429
    for target in more:
        assert tus.ask("DELETE", target).status == 204


def _creations(server: Server) -> tuple[Answer, ...]:
    tus, draft = Tus(server), Draft(server)
    return (
        tus.ask("POST", "/uploads", ("Upload-Length", "6")),
        tus.ask("POST", "/uploads", ("Upload-Concat", "partial"), ("Upload-Length", "6")),
        tus.ask("POST", "/files/", ("Upload-Length", "6")),
        draft.ask("PUT", f"/files/{fresh_key()}", MORE, body=b"abc"),
        draft.ask("POST", "/uploads", MORE, metadata(key=fresh_key())),
    )


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that keeps two uploads, for a second."""
    arguments = ("--upload-lifetime", "1", "--max-uploads", "2")
    with running_server(tmp_path_factory.mktemp("brief"), *arguments) as server:
        yield server


def test_an_upload_that_is_too_old_is_410(brief: Server) -> None:
    tus, draft = Tus(brief), Draft(brief)
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    assert wait_until(lambda: tus.ask("HEAD", target).status, lambda status: status != 200) == 410
    for client in (tus, draft):
        gone = client.ask("HEAD", target), client.patch(target, 3, b"def"), client.ask("DELETE", target)
        assert {answer.status for answer in gone} <= {404, 410}
        assert {answer.head.get("upload-offset") for answer in gone} == {None}
    assert stored(brief, key) is None


def test_uploads_that_are_too_old_make_room_and_leave_nothing(brief: Server) -> None:
    wait_until(brief.drafts, lambda drafts: drafts == [])
    targets = [Draft(brief).create(fresh_key(), b"abc") for _ in range(2)]
    assert Draft(brief).ask("PUT", f"/files/{fresh_key()}", MORE).status == 429
    wait_until(brief.drafts, lambda drafts: drafts == [])
    assert {Draft(brief).ask("HEAD", target).status for target in targets} <= {404, 410}
    assert Draft(brief).create(fresh_key(), b"abc")


def test_a_file_outlives_its_upload(brief: Server) -> None:
    key = fresh_key()
    target = Tus(brief).begin(key, 3, b"abc")
    wait_until(lambda: Tus(brief).ask("HEAD", target).status, lambda status: status in (404, 410))
    assert (draft_size(brief, target), stored(brief, key)) == (-1, b"abc")


def test_an_upload_that_grew_too_old_while_nobody_served_is_swept(tmp_path: Path, serve: Serve) -> None:
    first = serve(tmp_path, "--upload-lifetime", "1")
    target = Tus(first).begin(fresh_key(), 6, b"abc")
    first.kill()
    second = serve(tmp_path, "--upload-lifetime", "1")
    wait_until(lambda: Tus(second).ask("HEAD", target).status, lambda status: status in (404, 410))
    wait_until(second.drafts, lambda drafts: drafts == [])
