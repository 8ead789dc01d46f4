"""A virtual file: bytes of our own and spans of a stored file in turns. Any span of it is told piece by piece."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = range
"""Half-open byte interval, `range(start, stop)`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a virtual file is put together from, in its order."""

    pieces: tuple[bytes | Span, ...]

    @property
    def size(self) -> int:
        """How many bytes the virtual file has."""
        return sum(map(len, self.pieces))

    def parts(self, span: Span) -> Iterator[bytes | Span]:
        """The bytes, and the spans of the stored file, that are this span of the virtual one.

        >>> list(Layout((range(0, 4), b"moov", range(4, 10))).parts(range(2, 9)))
        [range(2, 4), b'moov', range(4, 5)]
        """
        start = 0
        for piece in self.pieces:
            wanted = piece[max(0, span.start - start) : max(0, span.stop - start)]
            if len(wanted):
                yield wanted
            start += len(piece)


def plain(size: int) -> Layout:
    """A file as it is.

    >>> plain(7)
    Layout(pieces=(range(0, 7),))
    """
    return laid_out([range(size)])


def laid_out(pieces: Iterable[bytes | Span]) -> Layout:
    """A layout without empty pieces, and with spans that follow each other as one.

    >>> laid_out([range(0, 4), range(4, 6), b"", range(8, 8), b"ab"])
    Layout(pieces=(range(0, 6), b'ab'))
    """
    joined: list[bytes | Span] = []
    for piece in pieces:
        last = joined[-1] if joined else b""
        if isinstance(piece, range) and isinstance(last, range) and last.stop == piece.start:
            joined[-1] = range(last.start, piece.stop)
        elif len(piece):
            joined.append(piece)
    return Layout(tuple(joined))
