"""What server, zygote and workers say to each other: JSON, with descriptors beside it (unix(7), SCM_RIGHTS)."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

MOST_DESCRIPTORS = 253  # SCM_MAX_FD
_PACKET_SIZE = 64 << 10  # between server and zygote; what they say is short

Message = dict[str, Any]


def line(message: Mapping[str, Any]) -> bytes:
    """The message as one line.

    >>> line({"type": "done"})
    b'{"type":"done"}\\n'
    """
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def send_packet(to: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """One message over a socket that keeps packets apart. The descriptors stay open here."""
    socket.send_fds(to, [line(message)], list(descriptors))


def receive_packet(source: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message and the descriptors it brought, which the caller closes; None at the end."""
    packet, descriptors, _, _ = socket.recv_fds(source, _PACKET_SIZE, MOST_DESCRIPTORS)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return (json.loads(packet), descriptors) if packet else None


def receive_line(source: socket.socket) -> tuple[Message, list[int]] | None:
    """The first message of a stream, the descriptors that came with its first byte; None when there is none."""
    received, descriptors, _, _ = socket.recv_fds(source, _PACKET_SIZE, MOST_DESCRIPTORS)
    parts = [received]
    while received and not received.endswith(b"\n"):
        parts.append(received := source.recv(_PACKET_SIZE))
    return (json.loads(b"".join(parts)), descriptors) if received else None
