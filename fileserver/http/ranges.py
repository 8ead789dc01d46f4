"""The Range field (RFC 9110 s.14): which bytes of a file a client asks for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = range
"""Half-open byte interval, `range(start, stop)`. Inclusive numbers exist only in the text of fields."""

MAX_PARTS = 16  # more is no reader of a file but an attack, or gains nothing over the whole (RFC 9110 s.17.15)
MAX_RANGES = 200  # as asked for, empty ones too: a field of 10,000 took 50 ms to sort only to be ignored
COALESCED_GAP = 128  # bytes: sending the gap costs about as much as the header of one more part (s.15.3.7.2)
_SPEC = re.compile(r"(\d{0,19})-(\d{0,19})", re.ASCII)  # 19 digits hold any file; more cannot be meant


@dataclass(frozen=True, slots=True)
class Whole:
    """The field is absent or to be ignored: answer as if it were not there."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The spans to send, in the order asked for; at least one."""

    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """The field is valid, and none of its ranges lies in the file."""


Selection: TypeAlias = Whole | Parts | Unsatisfiable


def select(lines: Sequence[str], size: int) -> Selection:
    """What the lines of a Range field select of a file of `size` bytes.

    >>> select(["bytes=0-4"], 10), select(["bytes=-3"], 10), select(["bytes=10-"], 10)
    (Parts(spans=(range(0, 5),)), Parts(spans=(range(7, 10),)), Unsatisfiable())

    Ignored, as the standard allows or demands: another unit (s.14.2), broken grammar, several lines, more than 19
    digits, any range of an empty file, and sets of more than 200 ranges or that come to more than 16 parts. No
    selection has more bytes than the file, since ranges that overlap become one.
    """
    if len(lines) != 1 or size == 0:
        return Whole()
    unit, _, text = lines[0].partition("=")
    if unit.lower() != "bytes":  # range units are case-insensitive (s.14.1)
        return Whole()
    if text.count(",") >= MAX_RANGES:
        return Whole()  # s.14.2: a set of so many is egregious
    specs = tuple(_specs(text))
    if not specs or None in specs:
        return Whole()
    spans = [span for spec in specs if spec is not None and (span := _span(spec, size))]
    if not spans:
        return Unsatisfiable()  # s.14.1.1: a set is satisfiable when one of its ranges is
    parts = _coalesced(spans)
    return Parts(parts) if len(parts) <= MAX_PARTS else Whole()


def _specs(text: str) -> Iterator[tuple[int | None, int | None] | None]:
    """First and last position of each range, inclusive; None for one that breaks the grammar."""
    for element in text.split(","):
        stripped = element.strip(" \t")
        if not stripped:
            continue  # an empty list element (s.5.6.1.2)
        match = _SPEC.fullmatch(stripped)
        if match is None or stripped == "-":
            yield None
            return
        first, last = (int(digits) if digits else None for digits in match.groups())
        if first is not None and last is not None and last < first:
            yield None  # s.14.1.1: invalid
            return
        yield first, last


def _span(spec: tuple[int | None, int | None], size: int) -> Span:
    """The bytes of one range that exist: an empty span where it is unsatisfiable."""
    first, last = spec
    if first is None:
        return range(max(0, size - (last or 0)), size)  # s.14.1.3: the last N bytes, all where N is more
    return range(first, size if last is None else min(last + 1, size))


def _coalesced(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Overlapping and close spans as one, each at the place of the first that went into it."""
    merged: list[tuple[int, Span]] = []
    for order, span in sorted(enumerate(spans), key=lambda each: each[1].start):
        if merged and span.start <= merged[-1][1].stop + COALESCED_GAP:
            first_order, last = merged[-1]
            merged[-1] = min(first_order, order), range(last.start, max(last.stop, span.stop))
        else:
            merged.append((order, span))
    return tuple(span for _, span in sorted(merged, key=lambda each: each[0]))
