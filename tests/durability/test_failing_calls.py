"""A medium that fails, or a process that dies, at each place of a write: the promises hold at all of them.

The order of a write is bytes, fsync, claim, folders, rename, fsync of the folder, facts, answer. An upload of tus has
before that: its draft's name made durable, the promise kept. A place is a system call on a file of the root.
"""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.durability.changes import Change, Form, Ietf, Put, Tus
from tests.durability.crew import Crew
from tests.durability.faults import injected
from tests.support.files import known_bytes
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import request

_WAL = ".fileserver/catalogue.sqlite3-wal"
_CONTENT = known_bytes(3_000_000, seed=3)
_KEPT = known_bytes(70_000, seed=4)


@dataclass(frozen=True, slots=True)
class Place:
    """A call of a kind of upload: the n-th of its thread, on a path below the root or on any."""

    kind: type[Change]
    name: str
    call: str
    path: str | None = None
    when: int = 1
    key: str = "new/folder/file.bin"

    def __str__(self) -> str:
        return f"{self.kind.__name__}-{self.name}"


_SYNCS = (
    Place(Put, "the draft", "fsync", key="file.bin"),
    Place(Put, "the claim", "fdatasync", _WAL),
    Place(Put, "the root's new folder", "fsync", "."),
    Place(Put, "a folder's new folder", "fsync", "new"),
    Place(Put, "the renamed", "fsync", "new/folder"),
    Place(Put, "the facts", "fdatasync", _WAL, when=2),
    Place(Form, "the draft", "fsync", key="file.bin"),
    Place(Form, "the renamed", "fsync", "new/folder"),
    Place(Tus, "the draft's name", "fsync", ".fileserver/drafts"),
    Place(Tus, "the promise", "fdatasync", _WAL),
    Place(Tus, "the renamed", "fsync", "new/folder"),
    Place(Ietf, "the renamed", "fsync", "new/folder"),
)
_MOVES = (
    Place(Put, "the draft made", "openat", ".fileserver/drafts"),
    Place(Put, "the bytes", "/^pwritev"),
    Place(Put, "the claim's bytes", "pwrite64", _WAL),
    Place(Put, "the folder made", "/^mkdir"),
    Place(Put, "the rename", "/^rename"),
    Place(Form, "the rename", "/^rename"),
    Place(Tus, "the bytes", "/^pwritev"),
    Place(Tus, "later bytes", "/^pwritev", when=2),
    Place(Tus, "the rename", "/^rename"),
    Place(Ietf, "the rename", "/^rename"),
)


@pytest.mark.parametrize("place", _SYNCS, ids=str)
def test_a_sync_fails(place: Place, tmp_path: Path, serve: Serve) -> None:
    server = serve(tmp_path)
    crew = Crew(1, (place.kind,))
    assert _stored(server, "kept.bin", _KEPT) == 201
    with injected(server, *_rules(place, "error=EIO"), paths=_paths(place, tmp_path)):
        crew.clients[0].attempt(_change(place, is_new=True), server.port)
    assert [answer.status for answer in crew.refusals] == [503]
    assert request(server.port, "GET", "/files/kept.bin").body == _KEPT
    if place.call == "fsync":
        assert _stored(server, "later.bin", b"later") == 503
        wait_until(lambda: request(server.port, "GET", "/health").status, lambda status: status == 503)
        assert server.stored().keys() - {"kept.bin"} == ({place.key} if place.name == "the renamed" else set())
    if not place.kind.is_resumable:
        assert server.drafts() == []
    server.kill()
    _assert_all_is_well(crew, place, serve(tmp_path))


@pytest.mark.parametrize("place", [*_SYNCS, *_MOVES], ids=str)
def test_the_process_is_killed(place: Place, tmp_path: Path, serve: Serve) -> None:
    server = serve(tmp_path)
    crew = Crew(1, (place.kind,))
    assert _stored(server, "kept.bin", _KEPT) == 201
    with injected(server, *_rules(place, "signal=SIGKILL"), paths=_paths(place, tmp_path)):
        crew.clients[0].attempt(_change(place, is_new=True), server.port)
    assert (crew.refusals, len(crew.undecided)) == ([], 1)
    server.process.wait(10)
    _assert_all_is_well(crew, place, serve(tmp_path))


@pytest.mark.parametrize("place", _MOVES, ids=str)
def test_the_disk_is_full(place: Place, tmp_path: Path, serve: Serve) -> None:
    server = serve(tmp_path)
    crew = Crew(1, (place.kind,))
    assert _stored(server, "kept.bin", _KEPT) == 201
    with injected(server, *_rules(place, "error=ENOSPC"), paths=_paths(place, tmp_path)):
        crew.clients[0].attempt(_change(place, is_new=True), server.port)
    assert [answer.status for answer in crew.refusals] == [507]
    assert request(server.port, "GET", "/files/kept.bin").body == _KEPT
    if not place.kind.is_resumable:
        assert server.drafts() == []
    _assert_all_is_well(crew, place, server)


def _assert_all_is_well(crew: Crew, place: Place, server: Server) -> None:
    """Everything that was promised, and that the server takes what it could not take before."""
    client = crew.clients[0]
    client.held["kept.bin"] = hashlib.sha256(_KEPT).hexdigest()
    crew.look(server)
    crew.settle(server)
    crew.finish(server)
    client.attempt(_change(place, is_new=place.key not in client.held), server.port)
    crew.finish(server)
    assert crew.held.keys() == {"kept.bin", place.key}


def _change(place: Place, *, is_new: bool) -> Change:
    return place.kind(place.key, _CONTENT, random.Random(5), is_new=is_new)


def _rules(place: Place, effect: str) -> tuple[str]:
    return (f"{place.call}:{effect}:when={place.when}",)


def _paths(place: Place, root: Path) -> tuple[Path, ...]:
    return () if place.path is None else ((root / place.path).resolve(),)


def _stored(server: Server, key: str, content: bytes) -> int:
    return request(server.port, "PUT", f"/files/{key}", body=content).status
