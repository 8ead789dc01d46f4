"""What a job has of the world: its descriptors, its folder, and a line to the server."""

import array
import fcntl
import os
import socket
import termios
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fileserver.workers import wire

_UNREAD = 16 << 10  # of the server, from which on progress is dropped: what must arrive has the room that is left


@dataclass(frozen=True, slots=True)
class Channel:
    """`input` and `output` are descriptors that block, -1 for none. `sandbox` names the layers that are in force."""

    input: int
    output: int
    files: Mapping[str, int]
    folder: Path
    sandbox: frozenset[str]
    control: socket.socket
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say it to the server, from any thread. One of the type "progress" is dropped while many wait to be heard."""
        spoken = memoryview(wire.line(message))
        with self._turn:
            if message.get("type") == "progress" and _unread(self.control) > _UNREAD:
                return
            while spoken:
                spoken = spoken[os.write(self.control.fileno(), spoken) :]


def _unread(control: socket.socket) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(control, termios.TIOCOUTQ, count)
    return count[0]
