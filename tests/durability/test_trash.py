"""A server that is killed while files go into the trash or come out of it, and a disk that is full."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.durability.disks import loop_disk
from tests.durability.faults import injected
from tests.support.files import known_bytes
from tests.support.server import Serve, Server, running_server
from tests.support.wire import Truncated, request

_KEYS = ("a.bin", "folder/b.bin", "folder/deep/c.bin", "z.bin")
_WAL = ".fileserver/catalogue.sqlite3-wal"
_TRASH = ".fileserver/trash"
_JSON = ("Content-Type", "application/json")
_MIB = 1 << 20

_INTO = (
    ("the list", "/^rename", None, 1),
    ("the removal's name", "fsync", _TRASH, 1),
    ("the second rename", "/^rename", None, 3),
    ("the facts", "fdatasync", _WAL, 2),
)
_OUT_OF = (
    ("the facts of folders", "fdatasync", _WAL, 2),
    ("the second rename", "/^rename", None, 2),
    ("the facts of files", "fdatasync", _WAL, 3),
    ("the list", "/^unlink", None, 1),
)


@pytest.mark.parametrize(("name", "call", "path", "when"), _INTO, ids=[each[0] for each in _INTO])
def test_killed_on_the_way_into_the_trash(
    name: str, call: str, path: str | None, when: int, tmp_path: Path, serve: Serve
) -> None:
    server = serve(tmp_path)
    before = _fill(server)
    _be_killed(server, (call, path, when), "/trash", b'{"keys": ["a.bin", "folder/", "z.bin"]}')
    server = serve(tmp_path)
    _assert_each_is_in_one_place(server, before)
    _restore_all(server)
    assert _etags(server) == before


@pytest.mark.parametrize(("name", "call", "path", "when"), _OUT_OF, ids=[each[0] for each in _OUT_OF])
def test_killed_on_the_way_out_of_the_trash(
    name: str, call: str, path: str | None, when: int, tmp_path: Path, serve: Serve
) -> None:
    server = serve(tmp_path)
    before = _fill(server)
    removal = _asked(server, "POST", "/trash", b'{"keys": ["a.bin", "folder/", "z.bin"]}')
    _be_killed(server, (call, path, when), f"/trash/{removal['id']}/restore")
    server = serve(tmp_path)
    _assert_each_is_in_one_place(server, before)
    _restore_all(server)
    assert _etags(server) == before


def test_a_full_disk_lets_files_be_removed_and_has_room_when_they_are_gone(tmp_path: Path) -> None:
    with loop_disk(tmp_path, 64 * _MIB) as disk, running_server(disk.root) as server:
        names = _filled_up(server)
        removal = _asked(server, "POST", "/trash", json.dumps({"keys": names}).encode())
        assert [item["key"] for item in removal["items"]] == sorted(names)
        assert request(server.port, "PUT", "/files/more", body=known_bytes(4 * _MIB, seed=1)).status == 507
        assert request(server.port, "DELETE", f"/trash/{removal['id']}").status == 204
        assert request(server.port, "PUT", "/files/more", body=known_bytes(4 * _MIB, seed=1)).status == 201


def _filled_up(server: Server) -> list[str]:
    """The names of files that fill the disk."""
    names: list[str] = []
    for size in (4 * _MIB, _MIB // 4, 4096):
        while request(server.port, "PUT", f"/files/{len(names)}", body=known_bytes(size, seed=2)).status == 201:
            names.append(str(len(names)))
    return names


def _fill(server: Server) -> dict[str, str | None]:
    """Store files and say something about each; their etags."""
    for number, key in enumerate(_KEYS):
        assert request(server.port, "PUT", f"/files/{key}", body=known_bytes(1000, seed=number)).status == 201
        said = json.dumps({"text": f"about {key}"}).encode()
        assert request(server.port, "POST", f"/comments/{key}", _JSON, body=said).status == 201
    return _etags(server)


def _etags(server: Server) -> dict[str, str | None]:
    """The etags of all files that are there, each with what was said about it."""
    found: dict[str, str | None] = {}
    for key in _KEYS:
        answer = request(server.port, "GET", f"/files/{key}")
        if answer.status == 200:
            found[key] = answer.head.get("etag")
            page = _asked(server, "GET", f"/comments/{key}")
            assert [comment["text"] for comment in page["comments"]] == [f"about {key}"]
    return found


def _be_killed(server: Server, place: tuple[str, str | None, int], target: str, body: bytes = b"") -> None:
    """Ask for something of which this call, the n-th of its thread, is the last of the server."""
    call, path, when = place
    paths = () if path is None else ((server.root / path).resolve(),)
    with (
        injected(server, f"{call}:signal=SIGKILL:when={when}", paths=paths),
        suppress(OSError, Truncated),
    ):
        request(server.port, "POST", target, _JSON, body=body)
    server.process.wait(10)


def _assert_each_is_in_one_place(server: Server, before: dict[str, str | None]) -> None:
    """All files are in their places as they were, or in the trash."""
    there = _etags(server)
    assert there == {key: before[key] for key in there}
    trashed = {key for removal in _asked(server, "GET", "/trash")["removals"] for key in _keys_in(removal)}
    assert trashed.isdisjoint(there)
    assert trashed | there.keys() == set(_KEYS)


def _keys_in(removal: dict[str, Any]) -> set[str]:
    places = [item["key"] for item in removal["items"]]
    return {
        key for key in _KEYS if any(key == each or (each.endswith("/") and key.startswith(each)) for each in places)
    }


def _restore_all(server: Server) -> None:
    for removal in _asked(server, "GET", "/trash")["removals"]:
        told = _asked(server, "POST", f"/trash/{removal['id']}/restore")
        assert (told["taken"], told["left"]) == ([], [])


def _asked(server: Server, method: str, target: str, body: bytes = b"") -> Any:
    """What a request is answered, which succeeds."""
    answer = request(server.port, method, target, _JSON, body=body)
    assert answer.status in {200, 201}, answer
    return json.loads(answer.body)
