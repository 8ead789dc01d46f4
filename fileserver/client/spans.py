"""Spans of a file that is fetched in pieces: what is there, what is missing, who fetches what. Pure.

Spans are half-open (`range`); inclusive numbers exist only in the text of Range and Content-Range (RFC 9110 s.14).
"""

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Span: TypeAlias = range

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same bytes as spans that are in order and do not touch.

    >>> joined([range(5, 9), range(0, 3), range(3, 6)])
    (range(0, 9),)
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if merged and span.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, span.stop))
        elif span:
            merged.append(span)
    return tuple(merged)


def missing(done: Sequence[Span], size: int) -> tuple[Span, ...]:
    """What of a file of `size` bytes is not in `done`, which is in order as `joined` leaves it.

    >>> missing([range(2, 4)], 10)
    (range(0, 2), range(4, 10))
    """
    starts = (0, *(span.stop for span in done))
    stops = (*(span.start for span in done), size)
    return tuple(range(start, stop) for start, stop in zip(starts, stops, strict=True) if start < stop)


def divided(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    """The same bytes as at least `count` spans of about one size, in order.

    >>> divided([range(0, 4), range(6, 14)], 3)
    (range(0, 4), range(6, 10), range(10, 14))
    """
    size = -(-sum(map(len, spans)) // count)
    return tuple(part for span in spans for part in _pieces(span, -(-len(span) // size)))


def _pieces(span: Span, count: int) -> Iterable[Span]:
    size = -(-len(span) // count)
    return (range(start, min(start + size, span.stop)) for start in range(span.start, span.stop, size))


def range_field(span: Span) -> str:
    """The Range field that asks for a span.

    >>> range_field(range(0, 500))
    'bytes=0-499'
    """
    return f"bytes={span.start}-{span.stop - 1}"


def parse_content_range(text: str | None) -> tuple[Span, int | None] | None:
    """The span and the whole size (None for `*`) of a 206; None where the field is not to be believed (s.14.4).

    >>> parse_content_range("bytes 0-4/10"), parse_content_range("bytes 5-4/10")
    ((range(0, 5), 10), None)
    """
    match = _CONTENT_RANGE.fullmatch((text or "").strip())
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    size = None if match[3] == "*" else int(match[3])
    if last < first or (size is not None and last >= size):
        return None
    return range(first, last + 1), size
