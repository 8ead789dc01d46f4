"""A disk that fills up until not one byte is taken: what was acknowledged stays, and the server goes on serving.

64 MB of ext4 in an image file. Whoever has no room left is told so (507) and nothing of his file is kept under its key;
files can be removed from a full disk, and what they give free can be used again.
"""

import random
from itertools import count
from pathlib import Path

from tests.durability.changes import Change, Delete
from tests.durability.crew import KINDS, Crew
from tests.durability.disks import loop_disk
from tests.support.files import MIB, known_bytes
from tests.support.server import Server, running_server
from tests.support.wire import request

_SIZES = (3 * MIB, 300_000, 30_000, 3000, 300, 1)
_numbers = count()


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    with loop_disk(tmp_path, 64 * MIB) as disk:
        with running_server(disk.root) as server:
            crew = Crew(1)
            _fill(crew, server)
            assert disk.free() < 8 * MIB
            crew.look(server)
            assert request(server.port, "GET", "/health").status == 200
            _remove_half(crew, server)
            crew.finish(server)
            _fill(crew, server)
        with running_server(disk.root) as server:
            crew.look(server)
            _remove_half(crew, server)
            crew.finish(server)


def _fill(crew: Crew, server: Server) -> None:
    """Store files of every kind until not even the smallest finds room."""
    for size in _SIZES:
        for client, kind in zip(crew.clients, KINDS, strict=True):
            has_room = True
            while has_room:
                client.attempt(_change(kind, size), server.port)
                has_room = not client.refusals
            assert {answer.status for answer in client.refusals} == {507}, client.refusals
            client.refusals.clear()


def _change(kind: type[Change], size: int) -> Change:
    number = next(_numbers)
    return kind(f"{number % 7}/{number}.bin", known_bytes(size, seed=number), random.Random(number), is_new=True)


def _remove_half(crew: Crew, server: Server) -> None:
    for client in crew.clients:
        for key in sorted(client.held)[::2]:
            client.attempt(Delete(key, None, random.Random(1), is_new=False), server.port)
        assert client.refusals == []
