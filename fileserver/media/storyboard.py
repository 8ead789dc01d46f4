"""A storyboard: small pictures of a film in one, and the WebVTT that tells a player which of them to show when.

A cue's text is the address of the whole with a part of it named, `#xywh=` of Media Fragments URI 1.0 s.4.2.2, which
is what players read for the pictures above their seek bar.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

MOST_TILES = 100
TILE_WIDTH = 160
_COLUMNS = 10
_SHORTEST_S = 2.0
"""Between two tiles: closer ones would mostly show the same keyframe."""
_STEEPEST = 3
"""How many times as high as wide a tile may be, and as wide as high: 100 such are still one picture."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` tiles of `width` to `height` pixels in rows of `columns`, for `duration` seconds in equal parts."""

    duration: float
    count: int
    columns: int
    width: int
    height: int

    @property
    def sheet_size(self) -> tuple[int, int]:
        """Width and height of the whole, in pixels."""
        return self.columns * self.width, -(-self.count // self.columns) * self.height

    @property
    def terms(self) -> dict[str, Any]:
        """What tells it to a worker."""
        return asdict(self)

    @classmethod
    def of_terms(cls, terms: Mapping[str, Any]) -> Self:
        """The grid that `terms` tells."""
        return cls(**terms)

    def place(self, number: int) -> tuple[int, int]:
        """The left upper corner of a tile.

        >>> Grid(60.0, 30, 10, 160, 90).place(11)
        (160, 90)
        """
        row, column = divmod(number, self.columns)
        return column * self.width, row * self.height

    def middle(self, number: int) -> float:
        """The time that a tile stands for, in seconds from the start."""
        return (number + 0.5) * self.duration / self.count


def grid_for(duration: float, aspect: float) -> Grid | None:
    """The grid for a film of `duration` seconds, shown `aspect` times as wide as high; None when there is no time.

    >>> grid_for(7200.0, 16 / 9)
    Grid(duration=7200.0, count=100, columns=10, width=160, height=90)
    >>> grid_for(9.0, 9 / 16).sheet_size
    (640, 284)
    """
    if not duration > 0 or not aspect > 0:
        return None
    count = min(MOST_TILES, max(1, int(duration / _SHORTEST_S)))
    height = round(TILE_WIDTH / min(max(aspect, 1 / _STEEPEST), _STEEPEST))
    return Grid(duration, count, min(count, _COLUMNS), TILE_WIDTH, height)


def storyboard_vtt(grid: Grid, href: str) -> str:
    """The cues, for a storyboard that is found at `href`.

    >>> print(storyboard_vtt(Grid(4.0, 2, 2, 160, 90), "storyboard.webp?v=1"))
    WEBVTT
    <BLANKLINE>
    00:00:00.000 --> 00:00:02.000
    storyboard.webp?v=1#xywh=0,0,160,90
    <BLANKLINE>
    00:00:02.000 --> 00:00:04.000
    storyboard.webp?v=1#xywh=160,0,160,90
    <BLANKLINE>
    """
    return "\n".join(["WEBVTT\n", *(_cue(grid, number, href) for number in range(grid.count))])


def _cue(grid: Grid, number: int, href: str) -> str:
    start, end = (_stamp(edge * grid.duration / grid.count) for edge in (number, number + 1))
    left, top = grid.place(number)
    return f"{start} --> {end}\n{href}#xywh={left},{top},{grid.width},{grid.height}\n"


def _stamp(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}.{thousandths:03}"
