"""Interim answers (RFC 9110 s.15.2) by our extension `http.response.interim`: at once, and before the final one."""

from collections.abc import Iterator

import pytest

from tests.support.scripted import (
    Scripted,
    Step,
    asking,
    body,
    fresh_path,
    in_1_0,
    interim,
    scope_seen,
    scripted,
    start,
)
from tests.support.wire import Connection

_END = body(is_last=True)
_RECEIVE: Step = {"type": "receive"}
_UPLOAD = (("Content-Length", "5"),)


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """A server on each event loop."""
    with scripted(tmp_path_factory.mktemp("interim"), "--loop", request.param) as running:
        yield running


@pytest.mark.parametrize(("version", "is_offered"), [("1.1", True), ("1.0", False)])
def test_it_is_offered_to_clients_that_know_such(server: Scripted, version: str, *, is_offered: bool) -> None:
    with server.connect() as connection:
        assert ("http.response.interim" in scope_seen(connection, version=version)["extensions"]) == is_offered


def test_it_goes_out_as_it_was_said(server: Scripted) -> None:
    hint = interim(103, ("link", "</a.css>; rel=preload"), ("link", "</b.js>"))
    with server.connect() as connection:
        connection.send(asking("/hint", hint, start(length=0), _END, fields=(("Connection", "close"),)))
        raw = connection.read_to_end()
    head, rest = raw.split(b"\r\n\r\n", 1)
    assert head == b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.js>"
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("status", [102, 103, 104, 199])
def test_any_number_comes_before_the_answer(server: Scripted, status: int) -> None:
    many = [interim(status, ("upload-offset", str(number))) for number in range(50)]
    with server.connect() as connection:
        for _ in range(2):  # and the connection is kept
            connection.send(asking("/many", *many, start(), body("final", is_last=True)))
            answer = connection.answer()
            assert (answer.status, answer.body) == (200, b"final")
            assert [(head.status, head.get("upload-offset")) for head in answer.head.interim] == [
                (status, str(number)) for number in range(50)
            ]


def test_it_has_no_fields_but_its_own(server: Scripted) -> None:
    with server.connect() as connection:
        connection.send(asking("/bare", interim(104), start(length=0), _END))
        (bare,) = connection.answer().head.interim
    assert (bare.status, bare.fields) == (104, ())


def test_it_comes_while_the_answer_takes_its_time(server: Scripted) -> None:
    path = fresh_path()
    waiting: Step = {"type": "wait", "name": path[1:]}
    with server.connect() as connection:
        connection.send(asking(path, interim(103), waiting, interim(104), start(204), _END))
        assert connection.next_head().status == 103
        (server.folder / path[1:]).touch()
        assert [connection.next_head().status for _ in range(2)] == [104, 204]


def test_it_comes_while_the_body_still_does(server: Scripted) -> None:
    """Each is here before the client sends what the next waits for."""
    steps = (interim(104, ("upload-offset", "0")), _RECEIVE, interim(104, ("upload-offset", "1")), _RECEIVE)
    with server.connect() as connection:
        connection.send(asking("/upload", *steps, start(201, length=0), _END, method="PUT", fields=_UPLOAD))
        assert connection.next_head().get("upload-offset") == "0"
        connection.send(b"1")
        assert connection.next_head().get("upload-offset") == "1"
        connection.send(b"2345")
        assert connection.answer().status == 201
        _assert_still_good(connection)


def test_a_body_is_still_asked_for(server: Scripted) -> None:
    fields = (*_UPLOAD, ("Expect", "100-continue"))
    steps = (interim(104), _RECEIVE, interim(104), start(201, length=0), _END)
    with server.connect() as connection:
        connection.send(asking("/upload", *steps, method="PUT", fields=fields))
        assert [connection.next_head().status for _ in range(2)] == [104, 100]
        connection.send(b"12345")
        assert [connection.next_head().status for _ in range(2)] == [104, 201]
        _assert_still_good(connection)


def test_a_body_that_is_not_wanted_is_not_asked_for(server: Scripted) -> None:
    fields = (*_UPLOAD, ("Expect", "100-continue"))
    with server.connect() as connection:
        connection.send(asking("/upload", interim(104), start(403, length=0), _END, method="PUT", fields=fields))
        answer = connection.answer()
    assert (answer.status, [head.status for head in answer.head.interim]) == (403, [104])


def test_those_of_a_pipeline_stay_with_their_answers(server: Scripted) -> None:
    requests = [
        asking(
            "/piped", interim(103, ("x-number", number)), start(headers=(("x-number", number),)), body(100_000), _END
        )
        for number in "123"
    ]
    with server.connect() as connection:
        connection.send(b"".join(requests))
        for number in "123":
            head = connection.answer().head
            assert (head.get("x-number"), [each.get("x-number") for each in head.interim]) == (number, [number])


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 200, 204, 304, 404, 1000])
def test_a_status_that_is_not_interim_is_an_error(server: Scripted, status: int) -> None:
    _assert_refused(server, interim(status))


_MALFORMED = {
    "a second line": ("link", "a\r\nx-smuggled: b"),
    "an end of the head": ("link", "a\r\n\r\nHTTP/1.1 200 OK"),
    "a bare LF": ("link", "a\nb"),
    "NUL": ("link", "a\0b"),
    "a space in the name": ("li nk", "a"),
    "a colon in the name": ("link:", "a"),
    "a line in the name": ("link\r\nx-smuggled", "a"),
}


@pytest.mark.parametrize("what", _MALFORMED)
def test_a_malformed_field_is_an_error_and_stays_here(server: Scripted, what: str) -> None:
    _assert_refused(server, interim(103, ("x-good", "a"), _MALFORMED[what]))


@pytest.mark.parametrize("when", ["after the start", "within the body", "after the end"])
def test_after_the_final_answer_began_it_is_an_error(server: Scripted, when: str) -> None:
    path, late = fresh_path(), interim(103, goes_on=True)
    first, second = body("12"), body("345", is_last=True)
    steps = {
        "after the start": (start(length=5), late, first, second),
        "within the body": (start(length=5), first, late, second),
        "after the end": (start(length=5), first, second, late),
    }[when]
    with server.connect() as connection:
        connection.send(asking(path, *steps))
        assert connection.answer().body == b"12345"
        _assert_still_good(connection)
    assert "RuntimeError" in (server.outcomes(path)[steps.index(late)] or ())


def test_an_old_client_gets_none_even_so(server: Scripted) -> None:
    """RFC 9110 s.15.2 forbids it, whatever the application does."""
    with server.connect() as connection:
        connection.send(in_1_0(asking("/old", interim(103, goes_on=True), start(length=0), _END)))
        head = connection.head()
    assert (head.status, head.interim) == (200, ())


def test_who_left_gets_none(server: Scripted) -> None:
    path = fresh_path()
    with server.connect() as connection:
        connection.send(asking(path, interim(103), _RECEIVE, _RECEIVE, interim(103)))
        assert connection.next_head().status == 103
    assert "OSError" in (server.outcomes(path)[-1] or ())


def test_who_was_refused_in_its_body_gets_none(server: Scripted) -> None:
    """To the application it is as if the client had left."""
    path = fresh_path()
    chunked = (("Transfer-Encoding", "chunked"),)
    steps = (interim(104), _RECEIVE, _RECEIVE, interim(104, goes_on=True), start(goes_on=True), _END)
    with server.connect() as connection:
        connection.send(asking(path, *steps, method="PUT", fields=chunked) + b"5\r\nhello\r\n")
        assert connection.next_head().status == 104
        connection.send(b"no size\r\n")
        assert connection.next_head().status == 400
    assert all("OSError" in (outcome or ()) for outcome in server.outcomes(path)[-3:]), server.outcomes(path)


def _assert_refused(server: Scripted, step: Step) -> None:
    """The message is an error to the application, and nothing of it goes out."""
    path = fresh_path()
    with server.connect() as connection:
        connection.send(asking(path, {**step, "goes_on": True}, start(length=0), _END))
        answer = connection.answer()
        assert (answer.status, answer.head.interim) == (200, ())
        assert not {"x-smuggled", "x-good"} & {name for name, _ in answer.head.fields}
        _assert_still_good(connection)
    assert {"RuntimeError", "ValueError"} & set(server.outcomes(path)[0] or ())


def _assert_still_good(connection: Connection) -> None:
    connection.send(asking("/good", start(), body("good", is_last=True)))
    assert connection.answer().body == b"good"
