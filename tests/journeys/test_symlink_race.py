"""Somebody inside the machine flips a name between a file and a link while it is read, written and deleted."""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import Server, running_server
from tests.support.wire import request

_SECRET = b"the canary sings of what lies outside"
_PLAIN = b"a plain file"
_ROUNDS = 100

# renameat2(2): swap two names in one step, so that neither is ever missing.
_EXCHANGE = 2
_HERE = -100


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose folder has a neighbour with a canary in it."""
    outside = tmp_path_factory.mktemp("race")
    (outside / "root").mkdir()
    (outside / "private").mkdir()
    (outside / "private" / "canary.txt").write_bytes(_SECRET)
    with running_server(outside / "root") as running:
        yield running


def test_a_file_that_becomes_a_link_is_never_followed(watched: Server) -> None:
    name, spare = watched.root / "flip.txt", watched.root.parent / "spare"

    def flip() -> None:
        spare.symlink_to(watched.root.parent / "private" / "canary.txt")
        os.replace(spare, name)
        spare.write_bytes(_PLAIN)
        os.replace(spare, name)

    with _repeated(flip) as times:
        _use(watched, "/files/flip.txt")
    assert times() > _ROUNDS
    _is_unharmed(watched)


def test_a_folder_that_becomes_a_link_is_never_followed(watched: Server) -> None:
    name, spare = watched.root / "flip", watched.root.parent / "spare-folder"
    spare.symlink_to(watched.root.parent / "private")

    def flip() -> None:
        try:
            _exchange(name, spare)
        except FileNotFoundError:  # first of all, and when the server has tidied an empty folder away
            name.mkdir(exist_ok=True)

    with _repeated(flip) as times:
        _use(watched, "/files/flip/canary.txt")
    assert times() > _ROUNDS
    _is_unharmed(watched)


def _use(server: Server, target: str) -> None:
    """Read, list, write and delete a name over and over; no answer holds the canary, none is a failure of ours."""
    folder = target.rpartition("/")[0] + "/"
    seen: set[tuple[str, int]] = set()
    for _ in range(_ROUNDS):
        for method, asked, body in (
            ("PUT", target, _PLAIN),
            ("GET", target, b""),
            ("HEAD", target, b""),
            ("GET", folder, b""),
            ("PUT", folder + "new.txt", _PLAIN),
            ("DELETE", target, b""),
            ("GET", target, b""),
        ):
            answer = request(server.port, method, asked, body=body)
            assert _SECRET not in answer.body
            assert answer.status < 500, (method, asked, answer.status, answer.body)
            seen.add((method, answer.status // 100))
    assert {("GET", 2), ("PUT", 2)} <= seen, f"the race never let anything through: {seen}"


def _is_unharmed(server: Server) -> None:
    """The neighbour holds its canary and nothing else."""
    private = server.root.parent / "private"
    assert {path.name: path.read_bytes() for path in private.iterdir()} == {"canary.txt": _SECRET}


@contextmanager
def _repeated(act: Callable[[], None]) -> Iterator[Callable[[], int]]:
    """Do something over and over in a thread meanwhile; gives how many times it was done."""
    stop = threading.Event()
    times = 0
    failed: list[BaseException] = []

    def repeat() -> None:
        nonlocal times
        try:
            while not stop.is_set():
                act()
                times += 1
        except BaseException as error:  # told to the test below
            failed.append(error)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield lambda: times
    finally:
        stop.set()
        thread.join()
    assert not failed, failed


def _exchange(one: Path, other: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2", str(one))
