"""Pictures of a film: the one at a time, and the one that stands for the whole."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from av.video.frame import VideoFrame

from fileserver.media.engine.pictures.film import Film, opened_film, require
from fileserver.media.engine.pictures.rendering import picture_of, save_webp, spread_of
from fileserver.media.engine.source import Source

WIDEST = 1920
"""The largest picture that is made, in pixels."""

_POSTER_PARTS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.03)
"""Where in a film a poster is looked for: past the logos, and not at the end."""
_POSTER_TIMES_S = (10.0, 3.0, 0.0)
"""The same, in a film of which nobody knows how long it is."""

_SPREAD_ENOUGH = 20.0
"""Of 255. Fades and title cards lie below, pictures of something above."""


def thumbnail(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """The picture at `t` seconds, or the poster where that is None, at most `width` wide, as WebP."""
    time, width = terms["t"], min(int(terms["width"]), WIDEST)
    with opened_film(source) as film:
        frame = require(_poster_of(film) if time is None else film.picture_at(float(time)))
        save_webp(picture_of(frame, film.stream.sample_aspect_ratio, width=width), product)


def _poster_of(film: Film) -> VideoFrame | None:
    """The first of a few keyframes that shows something, or the one that shows most."""
    duration = film.duration
    times = _POSTER_TIMES_S if duration is None else tuple(part * duration for part in _POSTER_PARTS)
    best, widest = None, -1.0
    for time in times:
        frame = film.keyframe_at(time)
        spread = -1.0 if frame is None else spread_of(frame)
        if spread >= _SPREAD_ENOUGH:
            return frame
        if spread > widest:
            best, widest = frame, spread
    return best
