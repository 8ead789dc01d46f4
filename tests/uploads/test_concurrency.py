"""Two requests about one upload: the newer ends the older at once, and no byte is lost or mixed (T17, U8)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.files import known_bytes
from tests.support.server import Server, wait_until
from tests.support.wire import Answer, Connection, Truncated, request, request_bytes
from tests.uploads.dialects import (
    INTEROP,
    LAST,
    MORE,
    PARTIAL_TYPE,
    Draft,
    Line,
    Tus,
    asked_for,
    assert_stored,
    checksum,
    draft_size,
    fresh_key,
    stored,
    told,
    tus_patch,
)

_CONTENT = known_bytes(1_000_000)
_SENT = 300_000
_RUNNING: dict[str, tuple[Line, ...]] = {
    "tus": tus_patch(0),
    "draft": (PARTIAL_TYPE, ("Upload-Offset", "0"), LAST),
    "draft, more to come": (PARTIAL_TYPE, ("Upload-Offset", "0"), MORE),
}


@pytest.mark.parametrize("why", _RUNNING)
def test_head_ends_a_running_patch_and_its_offset_holds(tus: Tus, why: str) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    with _stale(tus.server, target, _RUNNING[why]) as connection:
        offset = tus.offset(target)
        assert offset <= _SENT
        _is_ended(connection)
        assert tus.offset(target) == offset
    assert tus.patch(target, offset, _CONTENT[offset:]).status == 204
    assert_stored(tus.server, key, _CONTENT)


@pytest.mark.parametrize("dialect", [Tus, Draft])
def test_a_stale_patch_that_goes_on_adds_nothing(tus: Tus, dialect: type[Tus] | type[Draft]) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    with _stale(tus.server, target, _RUNNING["tus"]) as connection:
        offset = dialect(tus.server).offset(target)
        _send_anyway(connection, _CONTENT[_SENT:])
        _is_ended(connection)
    assert tus.offset(target) == offset
    assert tus.patch(target, offset, _CONTENT[offset:]).status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_offsets_never_go_back_while_patches_come_and_break(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    offsets = [0]
    for _ in range(8):
        start = offsets[-1]
        with asked_for(tus.server, "PATCH", target, len(_CONTENT) - start, *tus_patch(start)) as connection:
            connection.send(_CONTENT[start : start + 60_000])
            offsets.append(tus.offset(target))
    assert offsets == sorted(offsets)
    assert tus.patch(target, offsets[-1], _CONTENT[offsets[-1] :]).status == 204
    assert_stored(tus.server, key, _CONTENT)


@pytest.mark.parametrize("why", _RUNNING)
def test_a_new_patch_ends_one_that_has_sent_nothing(tus: Tus, why: str) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    with asked_for(tus.server, "PATCH", target, len(_CONTENT), *_RUNNING[why]) as connection:
        assert tus.patch(target, 0, _CONTENT).status == 204
        _send_anyway(connection, bytes(len(_CONTENT)))
        _is_ended(connection)
    assert_stored(tus.server, key, _CONTENT)


def test_a_patch_at_an_offset_that_was_passed_meanwhile_is_409(tus: Tus) -> None:
    target = tus.create(fresh_key(), len(_CONTENT))
    with _stale(tus.server, target, tus_patch(0)):
        offset = tus.offset(target)
        answer = tus.patch(target, offset + 1, b"x")
        assert (answer.status, told(answer, "upload-offset")) == (409, str(offset))


@pytest.mark.parametrize("size", [1, 1000, 400_000])
def test_of_many_patches_at_one_offset_at_most_one_is_told_it_won(tus: Tus, size: int) -> None:
    key = fresh_key()
    target = tus.create(key, 2 * size)
    answers = _at_once([tus_patch(0)] * 6, tus.server, target, size)
    won = [number for number, answer in answers.items() if answer is not None and answer.status == 204]
    assert len(won) <= 1
    assert {answer.status for answer in answers.values() if answer is not None} <= {204, 409}
    offset = tus.offset(target)
    assert tus.patch(target, offset, b"#" * (2 * size - offset)).status == 204
    content = stored(tus.server, key) or b""
    assert content == content[:1] * offset + b"#" * (2 * size - offset), "bytes of two requests are mixed"
    if won:
        assert (offset, content[:1]) == (size, _letter(won[0]))


def test_a_delete_ends_a_running_patch(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    with _stale(tus.server, target, tus_patch(0)) as connection:
        assert tus.ask("DELETE", target).status == 204
        _send_anyway(connection, _CONTENT[_SENT:])
        _is_ended(connection)
    wait_until(tus.server.open_transfers, lambda number: number == 0)
    assert tus.ask("HEAD", target).status == 404
    assert (draft_size(tus.server, target), stored(tus.server, key)) == (-1, None)


def test_a_delete_of_the_draft_ends_a_running_patch(tus: Tus, draft: Draft) -> None:
    target = tus.create(fresh_key(), len(_CONTENT))
    with _stale(tus.server, target, _RUNNING["draft"]) as connection:
        assert draft.ask("DELETE", target).status == 204
        _is_ended(connection)
    assert draft.ask("HEAD", target).status == 404
    assert draft_size(tus.server, target) == -1


@pytest.mark.parametrize("state", [MORE, LAST])
def test_head_ends_a_running_creation(draft: Draft, state: Line) -> None:
    key = fresh_key()
    with _creating(draft.server, key, state) as (connection, target):
        offset = draft.offset(target)
        assert offset <= _SENT
        _is_ended(connection)
    assert draft.offset(target) == offset
    assert draft.finish(target, offset, _CONTENT[offset:]).status == 201
    assert_stored(draft.server, key, _CONTENT)


def test_a_delete_ends_a_running_creation(draft: Draft) -> None:
    key = fresh_key()
    with _creating(draft.server, key, LAST) as (connection, target):
        assert draft.ask("DELETE", target).status == 204
        _send_anyway(connection, _CONTENT[_SENT:])
        _is_ended(connection)
    assert draft.ask("HEAD", target).status == 404
    assert stored(draft.server, key) is None


def test_a_checked_patch_that_is_ended_leaves_the_offset(tus: Tus) -> None:
    target = tus.begin(fresh_key(), len(_CONTENT), b"")
    with _stale(tus.server, target, (*tus_patch(0), checksum(_CONTENT))) as connection:
        assert tus.offset(target) == 0
        _is_ended(connection)
    assert tus.offset(target) == 0
    assert tus.patch(target, 0, _CONTENT, checksum(_CONTENT)).status == 204


def test_other_uploads_go_on(tus: Tus) -> None:
    key = fresh_key()
    mine, other = tus.create(key, len(_CONTENT)), tus.create(fresh_key(), 6)
    with asked_for(tus.server, "PATCH", mine, len(_CONTENT), *tus_patch(0)) as connection:
        connection.send(_CONTENT[:_SENT])
        assert tus.offset(other) == 0
        assert tus.ask("HEAD", mine, ("Tus-Resumable", "0.9.0")).status == 412
        connection.send(_CONTENT[_SENT:])
        assert connection.answer().status == 204
    assert_stored(tus.server, key, _CONTENT)


def test_a_refused_request_ends_nothing(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 6)
    with asked_for(tus.server, "PATCH", target, 6, *tus_patch(0)) as connection:
        connection.send(b"abc")
        site = ("Sec-Fetch-Site", "cross-site")
        assert tus.ask("DELETE", target, site).status == 403
        assert tus.patch(target, 0, b"xyz", site).status == 403
        assert tus.ask("PATCH", target, ("Content-Type", "text/plain"), ("Upload-Offset", "0")).status == 415
        connection.send(b"def")
        assert connection.answer().status == 204
    assert_stored(tus.server, key, b"abcdef")


def test_an_upload_is_complete_once_whoever_asks(tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, 6, b"abc")
    answers = _at_once([tus_patch(3)] * 6, tus.server, target, 3)
    assert len([answer for answer in answers.values() if answer is not None and answer.status == 204]) <= 1
    if tus.offset(target) < 6:
        assert tus.patch(target, 3, b"def").status == 204
    content = request(tus.server.port, "GET", f"/files/{key}").body
    assert content[:3] == b"abc"
    assert content[3:] in {b"def", *(_letter(number) * 3 for number in range(6))}


@contextmanager
def _stale(server: Server, target: str, lines: tuple[Line, ...]) -> Iterator[Connection]:
    """A PATCH of the whole content whose client has stopped sending."""
    with asked_for(server, "PATCH", target, len(_CONTENT), *lines) as connection:
        connection.send(_CONTENT[:_SENT])
        yield connection


@contextmanager
def _creating(server: Server, key: str, state: Line) -> Iterator[tuple[Connection, str]]:
    """A creation with the whole content whose client has stopped sending, and the upload's address."""
    with Connection(server.port) as connection:
        length = ("Content-Length", str(len(_CONTENT)))
        connection.send(request_bytes("PUT", f"/files/{key}", length, state, INTEROP, body=_CONTENT[:_SENT]))
        head = connection.next_head()
        assert head.status == 104
        yield connection, head.get("location") or ""


def _send_anyway(connection: Connection, content: bytes) -> None:
    try:
        connection.send(content)
    except OSError:
        return


def _is_ended(connection: Connection) -> None:
    """The server has ended the connection; if it still said something, that was a conflict."""
    try:
        answer = connection.answer()
    except (Truncated, ConnectionError):
        return
    assert answer.status in (404, 409), answer
    assert told(answer, "connection") == "close"


def _letter(number: int) -> bytes:
    return bytes([ord("a") + number])


def _at_once(heads: list[tuple[Line, ...]], server: Server, target: str, size: int) -> dict[int, Answer | None]:
    """The answers to PATCHes sent at one moment, each with a letter of its own; None where none came."""
    answers: dict[int, Answer | None] = {}
    gate = threading.Barrier(len(heads))

    def send(number: int) -> None:
        gate.wait()
        try:
            answers[number] = request(server.port, "PATCH", target, *heads[number], body=_letter(number) * size)
        except (Truncated, ConnectionError):
            answers[number] = None

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(heads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
