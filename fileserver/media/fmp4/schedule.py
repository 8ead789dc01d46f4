"""When the packets of a segment are decoded and shown. Pure.

Decode times are the presentation times in order: no container has to tell them, the packets of any segment may be
timed without the others, and where one segment ends the next begins. What is decoded before a picture that is shown
earlier would then be decoded after it is shown; so all of the track is shown a constant `delay` later, and an edit
list in its init segment takes the delay back. Chromium, Firefox and FFmpeg all come to the exact times by that. Offsets
below zero without an edit list are as good for browsers, but FFmpeg shifts the whole film by the lowest it has met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

MOST_REORDERED: Final = 16
"""Pictures that codecs let wait for one that is shown before them."""

_LONGEST = 0xFFFF_FFFF
_FARTHEST: Final = 0x7FFF_FFFF
"""What 32 bits hold, without and with a sign. At 90,000 ticks a second that is half a day."""


def shown_times(times: Sequence[int], hidden: Sequence[bool]) -> list[int]:
    """The presentation times of packets with those hidden that are decoded for others' sake and never to be seen.

    An edit list may begin in the middle of a group of pictures. MSE knows no hiding, so hidden pictures are shown for
    one tick each, right before the first seen picture that follows them all; at the very start, where there is no time
    before it, that picture begins as many ticks later and ends as it should.

    >>> shown_times([0, 1001, 2002], [False] * 3)
    [0, 1001, 2002]
    >>> shown_times([-2002, -1001, 0, 1001], [True, True, False, False])
    [0, 1, 2, 1001]
    >>> shown_times([0, 8008, 4004, 9009], [False, True, True, False])
    [0, 9008, 9007, 9009]
    """
    hides = [is_hidden or time < 0 for time, is_hidden in zip(times, hidden, strict=True)]
    count = sum(hides)
    if not count:
        return list(times)
    in_order = sorted((time, place) for place, time in enumerate(times) if hides[place])
    last = in_order[-1][0]
    seen = [time for time, is_hidden in zip(times, hides, strict=True) if not is_hidden and time > last]
    begin = max(0, min(seen, default=last + 1) - count)
    ranks = {place: rank for rank, (_time, place) in enumerate(in_order)}
    return [begin + ranks[place] if place in ranks else _after(time, begin, count) for place, time in enumerate(times)]


def _after(time: int, begin: int, count: int) -> int:
    """The time of a seen picture, moved out of the way of those hidden from `begin` on."""
    return max(time, begin + count) if begin <= time < begin + count else time


@dataclass(frozen=True, slots=True)
class Timing:
    """`duration` to the decode time of the next packet, and `offset` from the packet's own to when it is shown."""

    duration: int
    offset: int


def scheduled(times: Sequence[int], end: int, delay: int) -> tuple[int, list[Timing]]:
    """The first decode time and the timing of packets in decode order, shown at `times`; the next segment's is `end`.

    >>> scheduled([0, 3003, 1001, 2002], 4004, 1001)[1][:3]
    [Timing(duration=1001, offset=1001), Timing(duration=1001, offset=3003), Timing(duration=1001, offset=0)]
    """
    decoded = sorted(times)
    ends = [*decoded[1:], max(end, decoded[-1])] if decoded else []
    timings = [
        Timing(min(until - begin, _LONGEST), max(-_FARTHEST, min(time + delay - begin, _FARTHEST)))
        for begin, until, time in zip(decoded, ends, times, strict=True)
    ]
    return (decoded[0] if decoded else end), timings


def delay_of(times: Sequence[int], most: int) -> int:
    """How much later than its place in order, at most, a packet is decoded; `times` are those of a film's first ones.

    It is told by how many places a packet is late, and by the longest that a picture is shown, if not longer than
    `most`: where pictures last unequally, later ones may be late by more than any of the first. Of the last ones
    nothing is known, for pictures that are shown between them may follow.

    >>> delay_of([0, 3003, 1001, 2002, 6006, 4004, 5005, *range(7007, 33033, 1001)], 90000)
    1001
    """
    known = max(0, len(times) - MOST_REORDERED)
    ordered = sorted(times)
    places = {time: place for place, time in enumerate(ordered)}
    late = max((place - places[time] for place, time in enumerate(times[:known])), default=0)
    longest = max((min(later - time, most) for time, later in pairwise(ordered[:known])), default=0)
    return max(0, late) * longest
