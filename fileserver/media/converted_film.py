"""What film becomes when it is converted for players: H.264 of one profile and level, and never larger than it holds.

The playlists and the description promise what the engine makes, so all three take it from here. Pure.
"""

from collections.abc import Sequence
from typing import Final

CODECS: Final = "avc1.42c028"
"""Constrained baseline, which all players know, without pictures that are shown in another order than decoded; and
level 4.0, by which players of 1080p are meant."""

_BITS_A_PIXEL = 6
"""In a second at most: 12 Mbit of 1080p. Level 4.0 allows 20 (ITU-T H.264 table A-1)."""

_LEAST_RATE = 500_000
_BOXES = ((1920, 1080), (1280, 720), (960, 540))
"""The longer and the shorter side at most: the first in which a second has no more blocks than it may."""

_MOST_BLOCKS_S = 245_760
"""Blocks of 16 by 16 pixels that level 4.0 has in a second (table A-1): 1080p 30 times, 720p 60 times."""

_BLOCK = 16
_RATES: Final = (1.0, 60.0)
"""Pictures a second that are believed: some containers tell the ticks of their clock instead."""


def converted_size(shown: Sequence[int], frame_rate: float | None) -> tuple[int, int]:
    """Width and height of converted film that is to be shown in this size: even ones, and never enlarged.

    >>> converted_size((1920, 1080), 25.0), converted_size((3840, 1600), 24.0), converted_size((1081, 1921), None)
    ((1920, 1080), (1920, 800), (1080, 1920))
    >>> converted_size((1920, 1080), 60.0), converted_size((4000, 3), None)
    ((1280, 720), (1920, 16))
    """
    sizes = (_within(box, shown) for box in _BOXES)
    return next(size for size in sizes if _blocks(size) * believed_rate(frame_rate) <= _MOST_BLOCKS_S)


def highest_rate(size: tuple[int, int]) -> int:
    """Bits a second that pictures of a size may come to for longer than a second; a segment has half as many more.

    >>> highest_rate((1920, 1080)), highest_rate((320, 180))
    (12441600, 500000)
    """
    width, height = size
    return max(_LEAST_RATE, _BITS_A_PIXEL * width * height)


def believed_rate(frame_rate: float | None) -> float:
    """Pictures a second; 25 where nobody told.

    >>> believed_rate(None), believed_rate(23.976), believed_rate(1000.0)
    (25.0, 23.976, 60.0)
    """
    least, most = _RATES
    return min(max(frame_rate or 25.0, least), most)


def _within(box: tuple[int, int], shown: Sequence[int]) -> tuple[int, int]:
    width, height = (max(1, side) for side in shown)
    scale = min(1.0, box[0] / max(width, height), box[1] / min(width, height))
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(_BLOCK, round(side / 2) * 2)


def _blocks(size: tuple[int, int]) -> int:
    width, height = size
    return -(-width // _BLOCK) * -(-height // _BLOCK)
