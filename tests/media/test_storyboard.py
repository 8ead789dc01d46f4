"""The grid of a storyboard, and the cues that name its tiles."""

import re

import pytest

from fileserver.media.storyboard import MOST_TILES, Grid, grid_for, storyboard_vtt


@pytest.mark.parametrize(
    ("duration", "aspect", "count", "sheet"),
    [
        (0.5, 16 / 9, 1, (160, 90)),
        (30.0, 16 / 9, 15, (1600, 180)),
        (200.0, 4 / 3, 100, (1600, 1200)),
        (36_000.0, 2.39, 100, (1600, 670)),
        (36_000.0, 0.001, 100, (1600, 4800)),
        (36_000.0, 1000.0, 100, (1600, 530)),
    ],
)
def test_a_grid_fits_its_film(duration: float, aspect: float, count: int, sheet: tuple[int, int]) -> None:
    grid = grid_for(duration, aspect)
    assert grid is not None
    assert grid.count == count <= MOST_TILES
    assert grid.sheet_size == sheet


@pytest.mark.parametrize(("duration", "aspect"), [(0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0), (9.0, 0.0)])
def test_without_time_or_shape_there_is_no_grid(duration: float, aspect: float) -> None:
    assert grid_for(duration, aspect) is None


def test_a_grid_survives_the_way_to_a_worker() -> None:
    grid = Grid(33.3, 16, 10, 160, 90)
    assert Grid.of_terms(grid.terms) == grid


def test_cues_cover_the_film_without_gap_and_name_each_tile_once() -> None:
    grid = grid_for(3725.5, 16 / 9)
    assert grid is not None
    text = storyboard_vtt(grid, "storyboard.webp?v=a%22b")
    cues = re.findall(r"^(\S+) --> (\S+)\nstoryboard\.webp\?v=a%22b#xywh=(\d+),(\d+),160,90$", text, re.MULTILINE)
    assert text.startswith("WEBVTT\n\n")
    assert len(cues) == grid.count
    assert cues[0][0] == "00:00:00.000"
    assert cues[-1][1] == "01:02:05.500"
    assert [end for _, end, *_ in cues[:-1]] == [start for start, *_ in cues[1:]]
    assert len({(left, top) for *_, left, top in cues}) == grid.count


def test_a_tile_shows_the_middle_of_its_time() -> None:
    grid = Grid(100.0, 10, 10, 160, 90)
    assert [grid.middle(number) for number in (0, 9)] == [5.0, 95.0]
