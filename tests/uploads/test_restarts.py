"""An upload outlives the server that it began on, and any worker of it may go on with it (T6, U7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.support.files import known_bytes
from tests.support.server import Server, running_server
from tests.support.wire import Answer, request
from tests.uploads.dialects import (
    LAST,
    MORE,
    PARTIAL_TYPE,
    Draft,
    Tus,
    asked_for,
    assert_stored,
    checksum,
    draft_size,
    fresh_key,
    metadata,
    stored,
    told,
    tus_patch,
)

_CONTENT = known_bytes(1_000_000)


@dataclass(frozen=True, slots=True)
class _Life:
    """A server that was killed in the midst of its work and started again, and what it had been told before."""

    server: Server
    keys: Mapping[str, str]
    targets: Mapping[str, str]
    last: Answer
    expires: str

    @property
    def tus(self) -> Tus:
        """A client of the new server."""
        return Tus(self.server)

    @property
    def draft(self) -> Draft:
        """A client of the new server."""
        return Draft(self.server)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Life]:
    """Uploads of many kinds, of which two were being sent to at the moment of the kill."""
    root = tmp_path_factory.mktemp("restarts")
    names = ("tus", "known", "unknown", "sending", "checked", "given up", "complete", "terms")
    keys = {name: fresh_key() for name in names}
    with running_server(root) as first:
        tus, draft = Tus(first), Draft(first)
        targets = {
            "tus": tus.begin(keys["tus"], len(_CONTENT), _CONTENT[:1000]),
            "known": draft.create(keys["known"], _CONTENT[:2000], ("Upload-Length", str(len(_CONTENT)))),
            "unknown": draft.create(keys["unknown"], _CONTENT[:3000]),
            "given up": tus.begin(keys["given up"], 6, b"abc"),
            "complete": tus.begin(keys["complete"], 6, b"abc"),
            "terms": draft.create(keys["terms"], b"abc", ("If-None-Match", "*")),
            **{name: tus.begin(keys[name], len(_CONTENT), _CONTENT[:1000]) for name in ("sending", "checked")},
        }
        assert tus.ask("DELETE", targets["given up"]).status == 204
        last = tus.patch(targets["complete"], 3, b"def")
        expires = told(tus.ask("HEAD", targets["tus"]), "upload-expires")
        lines, size = tus_patch(1000), len(_CONTENT) - 1000
        with (
            asked_for(first, "PATCH", targets["sending"], size, *lines) as sending,
            asked_for(first, "PATCH", targets["checked"], size, *lines, checksum(_CONTENT[1000:])) as checked,
        ):
            for connection in (sending, checked):
                connection.send(_CONTENT[1000:600_000])
            first.kill()
    with running_server(root) as second:
        yield _Life(second, keys, targets, last, expires)


@pytest.mark.parametrize(("name", "start", "length"), [("known", 2000, len(_CONTENT)), ("unknown", 3000, None)])
def test_an_upload_of_the_draft_goes_on(life: _Life, name: str, start: int, length: int | None) -> None:
    head = life.draft.ask("HEAD", life.targets[name])
    assert told(head, "upload-offset") == str(start)
    assert head.head.get("upload-length") == (None if length is None else str(length))
    assert life.draft.finish(life.targets[name], start, _CONTENT[start:]).status == 201
    assert_stored(life.server, life.keys[name], _CONTENT)


def test_an_upload_of_tus_goes_on(life: _Life) -> None:
    target = life.targets["tus"]
    head = life.tus.ask("HEAD", target)
    assert (told(head, "upload-offset"), told(head, "upload-expires")) == ("1000", life.expires)
    assert told(head, "upload-metadata") == metadata(key=life.keys["tus"])[1]
    assert life.tus.patch(target, 1000, _CONTENT[1000:]).status == 204
    assert_stored(life.server, life.keys["tus"], _CONTENT)


def test_a_beginning_is_kept_of_what_was_being_sent(life: _Life) -> None:
    target = life.targets["sending"]
    offset = life.tus.offset(target)
    assert 1000 <= offset <= 600_000
    assert life.tus.patch(target, offset, _CONTENT[offset:]).status == 204
    assert_stored(life.server, life.keys["sending"], _CONTENT)


def test_nothing_unchecked_is_kept(life: _Life) -> None:
    target = life.targets["checked"]
    assert life.tus.offset(target) == 1000
    assert life.tus.patch(target, 1000, _CONTENT[1000:], checksum(_CONTENT[1000:])).status == 204
    assert_stored(life.server, life.keys["checked"], _CONTENT)


def test_what_was_given_up_does_not_come_back(life: _Life) -> None:
    assert life.tus.ask("HEAD", life.targets["given up"]).status == 404
    assert draft_size(life.server, life.targets["given up"]) == -1


def test_a_complete_upload_is_still_told_of(life: _Life) -> None:
    target = life.targets["complete"]
    assert life.tus.offset(target) == 6
    assert told(life.tus.patch(target, 6), "etag") == told(life.last, "etag")
    assert_stored(life.server, life.keys["complete"], b"abcdef")


def test_terms_outlive_the_server(life: _Life) -> None:
    key = life.keys["terms"]
    assert request(life.server.port, "PUT", f"/files/{key}", body=b"first").status == 201
    answer = life.draft.finish(life.targets["terms"], 3, b"def")
    assert (answer.status, told(answer, "upload-complete")) == (412, "?1")
    assert stored(life.server, key) == b"first"


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two processes; the kernel gives each connection to one of them."""
    with running_server(tmp_path_factory.mktemp("crew"), "--workers", "2", "--max-uploads", "3") as server:
        yield server


def test_any_worker_goes_on_with_an_upload(crew: Server) -> None:
    tus, draft = Tus(crew), Draft(crew)
    key = fresh_key()
    target = tus.create(key, 40_000)
    for start in range(0, 40_000, 2000):
        client = tus if start % 4000 else draft
        assert client.offset(target) == start
        assert client.patch(target, start, _CONTENT[start : start + 2000]).status == 204
    assert draft.finish(target, 40_000).status in (200, 201, 204)
    assert_stored(crew, key, _CONTENT[:40_000])


def test_a_request_to_any_worker_ends_a_running_patch(crew: Server) -> None:
    tus = Tus(crew)
    key = fresh_key()
    target = tus.create(key, len(_CONTENT))
    offsets = [0]
    for _ in range(12):
        start = offsets[-1]
        with asked_for(crew, "PATCH", target, len(_CONTENT) - start, *tus_patch(start)) as connection:
            connection.send(_CONTENT[start : start + 50_000])
            offsets.append(tus.offset(target))
            assert tus.offset(target) == offsets[-1]
    assert offsets == sorted(offsets)
    assert tus.patch(target, offsets[-1], _CONTENT[offsets[-1] :]).status == 204
    assert_stored(crew, key, _CONTENT)


def test_a_delete_to_any_worker_ends_a_running_patch(crew: Server) -> None:
    draft = Draft(crew)
    lines = (PARTIAL_TYPE, LAST, ("Upload-Offset", "0"))
    for _ in range(6):
        key = fresh_key()
        target = draft.create(key, b"", ("Upload-Length", "6"))
        with asked_for(crew, "PATCH", target, 6, *lines) as connection:
            connection.send(b"abc")
            assert draft.ask("DELETE", target).status == 204
        assert draft.ask("HEAD", target).status == 404
        assert (draft_size(crew, target), stored(crew, key)) == (-1, None)


def test_workers_count_open_uploads_together(crew: Server) -> None:
    draft = Draft(crew)
    answers = [draft.ask("PUT", f"/files/{fresh_key()}", MORE, body=b"abc") for _ in range(9)]
    assert sorted(answer.status for answer in answers) == [201] * 3 + [429] * 6
    for answer in answers[:3]:
        assert draft.ask("DELETE", told(answer, "location")).status == 204
