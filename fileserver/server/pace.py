"""Whether bytes move fast enough, over a connection that is waiting for its client.

Any progress is not enough: a client that takes a byte a minute would keep its connection, and what is buffered for it,
for ever. What the kernel knows of the connection counts, not what we have handed to it, for it takes megabytes at once
from us and may take minutes to be rid of them.
"""

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

# struct tcp_info of linux/tcp.h: tcpi_bytes_acked, tcpi_notsent_bytes.
_BYTES_ACKED = 120
_NOTSENT = 144
_TCP_INFO_SIZE = 148


class Options(Protocol):
    """A socket, as event loops show it."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """An option of the socket."""


@dataclass(slots=True)
class Pace:
    """Watches one direction. Averages are taken over one period after another, not over a sliding one."""

    min_rate: int
    period_s: float
    _since: float | None = None
    _moved: int = 0

    def is_too_slow(self, now: float, moved: int, *, is_waiting: bool) -> bool:
        """Told the bytes moved so far and whether we wait for the client: whether it was too slow for a period.

        >>> pace = Pace(min_rate=10, period_s=2)
        >>> [pace.is_too_slow(second, 11 * second, is_waiting=True) for second in range(5)]
        [False, False, False, False, False]
        >>> [pace.is_too_slow(second, 44, is_waiting=True) for second in range(5, 8)]
        [False, True, False]
        """
        if not is_waiting or self._since is None:
            self._since, self._moved = (now, moved) if is_waiting else (None, 0)
            return False
        waited_s = now - self._since
        if waited_s < self.period_s:
            return False
        is_slow = moved - self._moved < self.min_rate * waited_s
        self._since, self._moved = now, moved
        return is_slow


def taken_by_peer(connection: Options) -> tuple[int, bool] | None:
    """Bytes that the other side has acknowledged, and whether more wait because it does not take them.

    What is on its way does not wait: of an answer that comes in drops, the last one always is. None where the system
    does not say: not Linux, or no TCP.
    """
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    except (OSError, AttributeError):
        return None
    if len(info) < _TCP_INFO_SIZE:
        return None
    (acked,) = struct.unpack_from("=Q", info, _BYTES_ACKED)
    (unsent,) = struct.unpack_from("=I", info, _NOTSENT)
    return acked, unsent > 0
