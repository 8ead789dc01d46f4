"""How much one request carries: all that is left, unless something between here and the server will not have it."""

import re

from fileserver.client.errors import Failed

MIN_CHUNK = 256 * 1024
"""Bytes; below it each request costs more than what it carries, and no known proxy asks for less."""

_FIRST_FALLBACK = 64 * 1024 * 1024  # below Cloudflare's 100 MB, and halving leads to nginx's 1 MiB in six steps
_CHECKED_UP_TO = (
    8 * 1024 * 1024
)  # a piece with a checksum is kept whole or not at all: no more than this is lost by a cut

_SIZE = re.compile(r"(\d{1,15})\s*([KMGT]?)(i?)B?", re.ASCII | re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes, also written with a unit. Raises ValueError for what is none.

    >>> parse_size("8MiB"), parse_size("100MB"), parse_size("1048576")
    (8388608, 100000000, 1048576)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text} is no size: 8MiB and 100MB are")
    size = int(int(match[1]) * (1024 if match[3] else 1000) ** " KMGT".index(match[2].upper() or " "))
    if size < 1:
        raise ValueError(f"{text} is no size of a request")
    return size


class ChunkSizes:
    """Learns from refusals for all files of a command."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._now = most
        self.are_checked = most is not None and most <= _CHECKED_UP_TO
        """Whether each request is to carry its checksum: only where a person asked for small ones."""

    def of(self, rest: int) -> int:
        """Bytes for the next request."""
        return rest if self._now is None else min(rest, self._now)

    def was_refused(self, tried: int) -> None:
        """A request of so many bytes is too large, and always will be. Raises Failed at the least size."""
        if tried <= MIN_CHUNK:
            raise Failed("the server refuses even small requests as too large")
        self._most = self._now = smaller(tried)

    def has_died(self, tried: int) -> None:
        """Connections die again and again within requests of so many bytes: try smaller ones for a while."""
        self._now = min(tried, smaller(tried))

    def has_passed(self) -> None:
        """Go back, step by step, to what is not known to be too much."""
        if self._now is not None and self._now != self._most:
            doubled = self._now * 2
            is_all = self._most is None and doubled > _FIRST_FALLBACK
            self._now = None if is_all else min(doubled, self._most or doubled)


def smaller(tried: int) -> int:
    """The size to try after one that failed.

    >>> smaller(10**10), smaller(2**26), smaller(300_000)
    (67108864, 33554432, 262144)
    """
    return max(MIN_CHUNK, _FIRST_FALLBACK if tried > _FIRST_FALLBACK else tried // 2)
