"""A person comes back to a film of two hours where they had left it: at an hour and a half."""

from collections.abc import Iterator

import pytest

from tests.journeys.playing import Outcome, Stand, Wish, chromium, played
from tests.support.media_files import DURATION_S, ffmpeg, made, shared_folder
from tests.support.server import Server, running_server

_TIMES = 300
"""The film is one of 24 seconds over and over: two hours that take seconds to make."""
_LEFT_AT_S = 5400.0
_LONG = {"two-hours.mkv": "h264-ac3.mkv", "two-hours.mp4": "index-at-end.mp4"}
_PATIENCE_MS = 20_000.0
"""A machine with other things to do takes its time; what is measured is printed."""


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """The origin of the page."""
    with Stand() as stand:
        yield stand


@pytest.fixture(scope="module")
def shelf(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of long films that allows the page."""
    root = tmp_path_factory.mktemp("long")
    short = shared_folder(tmp_path_factory.getbasetemp())
    for name, part in _LONG.items():
        ffmpeg("-stream_loop", str(_TIMES - 1), "-i", made(part, short), "-map", "0", "-c", "copy", root / name)
    with running_server(root, "--allowed-origins", stand.origin) as server:
        yield server


@pytest.fixture(scope="module")
def resumed(shelf: Server, stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What became of each film, one after the other, none of them ever asked for before."""
    wishes = [Wish(name, "video", goal=None, start=_LEFT_AT_S) for name in _LONG]
    home = tmp_path_factory.mktemp("chromium")
    return played(stand, chromium, home, shelf.url, wishes, at_once=1)


@pytest.mark.parametrize("name", _LONG)
def test_a_film_goes_on_where_it_was_left(resumed: dict[str, Outcome], name: str) -> None:
    outcome = resumed[name]
    seen = outcome.seen
    assert seen is not None, (outcome.error, outcome.failures)
    assert seen.duration_s == pytest.approx(_TIMES * DURATION_S, abs=30)
    assert _LEFT_AT_S < seen.early_s < _LEFT_AT_S + 5
    assert _LEFT_AT_S - 1 < seen.picture_s < _LEFT_AT_S + 10
    assert seen.pitch_hz > 0
    assert seen.first_frame_ms < _PATIENCE_MS
    print(f"{name}, {outcome.chosen[-1]}: a picture {seen.first_frame_ms:.0f} ms after play was pressed")
