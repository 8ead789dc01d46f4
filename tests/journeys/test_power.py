"""The power fails in the middle of fifty replacements: each file is the whole old one or the whole new one.

A cut meets several uploads, each at a moment of its own: within the body, or between its last byte and the answer,
while the draft is synced, renamed and recorded.
"""

import base64
import hashlib
import random
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.files import MIB, known_bytes
from tests.support.server import Server, running_server
from tests.support.wire import Connection, Truncated, request, request_bytes

_CUTS = 10
_KEYS = tuple(f"folder/file-{number}.bin" for number in range(5))


@dataclass(slots=True)
class _Replacement:
    """An upload that a power cut meets: what the key held, what it was to hold, what the client was told."""

    key: str
    old: bytes
    new: bytes
    delay_s: float
    status: int | None = None

    def run(self, port: int) -> None:
        """Wait, send, and note the status; silence when the server dies first."""
        time.sleep(self.delay_s)
        try:
            with Connection(port) as connection:
                connection.send(request_bytes("PUT", f"/files/{self.key}", body=self.new))
                self.status = connection.head().status
        except (OSError, Truncated):
            return


def test_fifty_replacements_met_by_a_power_cut_are_whole(tmp_path: Path) -> None:
    chance = random.Random(7)
    met: list[_Replacement] = []
    with running_server(tmp_path) as server:
        held, usual_s = _first_uploads(server)
    for _ in range(_CUTS):
        with running_server(tmp_path) as server:
            held |= _what_is_held(server, met)
            met = [_Replacement(key, old, _next(chance), chance.uniform(0, usual_s)) for key, old in held.items()]
            _cut_power_during(server, met, after_s=chance.uniform(0.3, 1.4) * usual_s)
    with running_server(tmp_path) as server:
        _what_is_held(server, met)


def _first_uploads(server: Server) -> tuple[dict[str, bytes], float]:
    """Store a file for every key at once; what they hold, and how many seconds it took."""
    first = [_Replacement(key, b"", known_bytes(3 * MIB, seed=number), 0) for number, key in enumerate(_KEYS)]
    started = time.monotonic()
    threads = _started(first, server)
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - started
    assert [replacement.status for replacement in first] == [201] * len(_KEYS)
    return {replacement.key: replacement.new for replacement in first}, took_s


def _next(chance: random.Random) -> bytes:
    return known_bytes(3 * MIB + chance.randrange(MIB), seed=chance.randrange(1 << 30))


def _cut_power_during(server: Server, replacements: list[_Replacement], *, after_s: float) -> None:
    threads = _started(replacements, server)
    time.sleep(after_s)
    server.kill()
    for thread in threads:
        thread.join()


def _started(replacements: list[_Replacement], server: Server) -> list[threading.Thread]:
    threads = [threading.Thread(target=replacement.run, args=(server.port,)) for replacement in replacements]
    for thread in threads:
        thread.start()
    return threads


def _what_is_held(server: Server, met: list[_Replacement]) -> dict[str, bytes]:
    """What each key holds after a restart, having looked that it is whole, as promised, and that no draft is left."""
    assert server.drafts() == []
    held = {}
    for replacement in met:
        answer = request(server.port, "GET", f"/files/{replacement.key}")
        assert answer.status == 200
        whole = {replacement.new} if replacement.status is not None else {replacement.old, replacement.new}
        assert answer.body in whole, f"{replacement.key}: {len(answer.body)} bytes after status {replacement.status}"
        assert answer.head.get("repr-digest") in (None, _digest(answer.body))
        held[replacement.key] = answer.body
    return held


def _digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
