"""A person presses play on whatever they have, in a browser: it plays with sound, and jumps land where they should."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.journeys.playing import Browse, Outcome, Seen, Stand, Wish, chromium, firefox, null_speaker, played
from tests.support.clients import run
from tests.support.media_files import DURATION_S, FRAME_RATE, MATRIX, PITCHES, linked, made, shared_folder
from tests.support.server import Server, running_server

_CONVERTED = sorted(
    name
    for name, recipe in MATRIX.items()
    if recipe.video and recipe.video not in {"h264", "hevc", "vp9", "av1"} and not name.endswith(".webm")
)
"""What no browser plays unless its pictures are converted."""

_GREATEST_LAG_S = 0.25
"""A picture may be shown for some frames; in `variable-rate` one stays for three."""

_ALIKE = 5 * FRAME_RATE
"""Pictures to tell apart: FFmpeg's test picture looks the same again after 12 seconds."""

_GUESSED = {"song.aac": 6}
"""How far off a duration may be, in seconds, where browsers guess it by the size of the file."""

Outcomes = dict[str, Outcome]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where files are made."""
    return shared_folder(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """The origin of the page."""
    with Stand() as stand:
        yield stand


@pytest.fixture(scope="module")
def shelf(folder: Path, stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of every file, that converts pictures and allows the page."""
    root = tmp_path_factory.mktemp("shelf")
    linked(MATRIX, folder, root)
    with running_server(root, "--allowed-origins", stand.origin, "--video-transcode") as server:
        yield server


@pytest.fixture(scope="module")
def in_chromium(shelf: Server, stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of every file."""
    return _all_played(stand, chromium, tmp_path_factory.mktemp("chromium"), shelf)


@pytest.fixture(scope="module")
def in_firefox(shelf: Server, stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of every file."""
    home = tmp_path_factory.mktemp("firefox")
    with null_speaker(home):
        return _all_played(stand, firefox, home, shelf)


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Callable[[str], list[bytes]]:
    """The pictures of a film as they should look, small, by their number."""
    known: dict[str, list[bytes]] = {}

    def pictures_of(name: str) -> list[bytes]:
        pattern = "rotated.mp4" if name == "rotated.mp4" else "h264-silent.mp4"
        return known.setdefault(pattern, _greens(made(pattern, folder)))

    return pictures_of


@pytest.mark.parametrize("name", MATRIX)
def test_chromium_plays_it(in_chromium: Outcomes, pictures: Callable[[str], list[bytes]], name: str) -> None:
    outcome = in_chromium[name]
    assert outcome.error is None
    _is_heard_and_seen(name, outcome, pictures(name))
    # Its own fault: it decodes no picture that refers to one before the key picture it began with.
    assert outcome.failures == [] or (name.startswith("open-gop") and "DECODE" in outcome.failures[0])


@pytest.mark.parametrize("name", MATRIX)
def test_firefox_plays_it(in_firefox: Outcomes, pictures: Callable[[str], list[bytes]], name: str) -> None:
    outcome = in_firefox[name]
    assert outcome.error is None
    _is_heard_and_seen(name, outcome, pictures(name))
    assert outcome.failures == [] or name == "large.wav"  # WAV beyond 4 GiB: it says that it plays it, and does not


def test_what_would_be_converted_is_told_to_be_unplayable_where_nothing_is_converted(
    folder: Path, stand: Stand, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    linked(_CONVERTED, folder, tmp_path)
    with running_server(tmp_path, "--allowed-origins", stand.origin) as server:
        outcomes = played(stand, chromium, tmp_path_factory.mktemp("profile"), server.url, _wishes(_CONVERTED))
    assert {name: outcome.error for name, outcome in outcomes.items()} == dict.fromkeys(
        _CONVERTED, "nothing of what is offered plays here"
    )


def _all_played(stand: Stand, browse: Browse, home: Path, server: Server) -> Outcomes:
    return played(stand, browse, home, server.url, _wishes(MATRIX))


def _wishes(names: Iterable[str]) -> list[Wish]:
    return [Wish(name, MATRIX[name].kind) for name in names]


def _is_heard_and_seen(name: str, outcome: Outcome, pictures: list[bytes]) -> None:
    seen, recipe = outcome.seen, MATRIX[name]
    assert seen is not None, outcome.failures
    assert seen.duration_s == pytest.approx(DURATION_S, abs=_GUESSED.get(name, 0.5))
    assert seen.early_s > 0
    assert seen.late_s > seen.goal_s == pytest.approx(0.6 * seen.duration_s)
    if recipe.kind == "video":
        _is_the_picture_of_its_time(seen, pictures)
    if recipe.audio:
        assert min(abs(seen.pitch_hz - pitch) for pitch in PITCHES) < 15, f"{seen.pitch_hz} Hz"


def _is_the_picture_of_its_time(seen: Seen, pictures: list[bytes]) -> None:
    assert seen.frames > 0
    assert seen.goal_s - _GREATEST_LAG_S < seen.picture_s < seen.goal_s + 5
    about = int(seen.picture_s * FRAME_RATE)
    near = range(max(0, about - _ALIKE), min(len(pictures), about + _ALIKE))
    number = min(near, key=lambda each: _difference(pictures[each], seen.picture))
    assert number / FRAME_RATE == pytest.approx(seen.picture_s, abs=_GREATEST_LAG_S)


def _difference(one: bytes, other: bytes) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def _greens(film: Path) -> list[bytes]:
    """The green of every picture, 32 by 18: what the page looks at."""
    scaled = ("-vf", "scale=32:18:flags=area,format=rgb24", "-f", "rawvideo", "-")
    drawn = run("ffmpeg", "-v", "error", "-nostdin", "-i", film, "-an", *scaled)
    size = 32 * 18 * 3
    return [drawn.output[at : at + size][1::3] for at in range(0, len(drawn.output), size)]
