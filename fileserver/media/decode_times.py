"""How long each packet of sound lasts in a segment, so that the next segment begins where this one ends. Pure."""

from collections.abc import Sequence
from itertools import accumulate, pairwise


def decode_times(places: Sequence[int], lengths: Sequence[int], after: int | None) -> tuple[int, list[int]]:
    """When the first packet is decoded, and how long each lasts: in samples, as `places` and `lengths` are.

    `after` is the place of the packet that follows them, None where they are the last. Packets whose clock ran a little
    fast are spread evenly; where sound is missing, the packet before lasts longer. What begins before the file's start
    lasts for as long as it reaches into it.

    >>> decode_times([0, 1024, 2048], [1024] * 3, 3072), decode_times([0, 1024, 9216], [1024] * 3, None)
    ((0, [1024, 1024, 1024]), (0, [1024, 8192, 1024]))
    >>> decode_times([0, 1024, 1024], [1024] * 3, 2048), decode_times([-24, 1000], [1024] * 2, None)
    ((0, [682, 683, 683]), (0, [1000, 1024]))
    """
    if not places:
        return max(0, after or 0), []
    begins: list[int] = []
    run = 0
    for number, (place, length) in enumerate(zip(places, lengths, strict=True), start=1):
        following = places[number] if number < len(places) else after
        is_gap = following is None or following - place > length * 3 // 2
        if is_gap or number == len(places):
            end = place + length if following is None or is_gap else following
            begins += _spread(places[run], end, lengths[run:number])
            run = number
    last = places[-1] + lengths[-1] if after is None else after
    times = [max(0, begin) for begin in [*begins, last]]
    return times[0], [end - begin for begin, end in pairwise(times)]


def _spread(begin: int, end: int, lengths: Sequence[int]) -> list[int]:
    """Where each of what has these `lengths` begins when all of it fills [begin, end)."""
    whole = sum(lengths) or 1
    return [begin + before * (end - begin) // whole for before in accumulate(lengths[:-1], initial=0)]
