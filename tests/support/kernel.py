"""What the kernel still keeps of connections, those included that no process has any more."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Numbers of the kernel's include/net/tcp_states.h.
_TIME_WAIT, _LISTEN = 6, 10
_NAMES = {1: "ESTABLISHED", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 8: "CLOSE_WAIT", 9: "LAST_ACK", 11: "CLOSING"}


@dataclass(frozen=True, slots=True)
class ServerSide:
    """The server's end of a connection."""

    peer_port: int
    state: str
    unsent: int
    """Bytes that the client has not taken."""


def server_sides(port: int, peer_ports: set[int] | None = None) -> list[ServerSide]:
    """The ends that a server on `port` has, of these clients or of all; TIME_WAIT aside."""
    sides = (side for local, side in _connections() if local == port)
    return [side for side in sides if peer_ports is None or side.peer_port in peer_ports]


def _connections() -> Iterator[tuple[int, ServerSide]]:
    """Every IPv4 connection of this network namespace with its local port, as proc(5) tells of /proc/net/tcp."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        number, unsent = int(state, 16), int(queues.partition(":")[0], 16)
        if number not in (_LISTEN, _TIME_WAIT):
            yield _port(local), ServerSide(_port(remote), _NAMES.get(number, state), unsent)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
