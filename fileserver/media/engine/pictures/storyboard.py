"""A storyboard: keyframes from all over a film in one picture."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import Image

from fileserver.media.engine.pictures.film import opened_film
from fileserver.media.engine.pictures.rendering import save_webp, tile_of
from fileserver.media.engine.source import Source
from fileserver.media.faults import DamagedMedia
from fileserver.media.storyboard import Grid


def storyboard(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """All tiles of the grid that `terms` tells, as one WebP. One that cannot be decoded looks like the one before."""
    grid = Grid.of_terms(terms)
    sheet = Image.new("RGB", grid.sheet_size)
    shown = tile = None
    with opened_film(source) as film:
        for number in range(grid.count):
            frame = film.keyframe_at(grid.middle(number))
            if frame is not None and frame is not shown:
                shown, tile = frame, tile_of(frame, (grid.width, grid.height))
            if tile is not None:
                sheet.paste(tile, grid.place(number))
    if tile is None:
        raise DamagedMedia("no picture of the film can be decoded")
    save_webp(sheet, product)
