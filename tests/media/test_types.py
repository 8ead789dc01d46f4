"""What files of some hundred types are called, and those that detection was not tuned on."""

import random
from pathlib import Path

import pytest

from fileserver.media import HEAD_SIZE, detect
from tests.support.type_corpus import Specimen, make_corpus, specimens

SPECIMENS = specimens()
TYPES = 150


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_corpus(SPECIMENS, tmp_path_factory.mktemp("corpus"))


def _is_right(specimen: Specimen, corpus: dict[str, Path]) -> bool:
    with corpus[specimen.name].open("rb") as file:
        return specimen.is_right(detect(file.read(HEAD_SIZE), specimen.name))


def test_the_corpus_has_many_types_and_a_third_of_it_is_held_out() -> None:
    assert len({specimen.types[0] for specimen in SPECIMENS}) >= TYPES
    assert 0.3 < sum(specimen.is_held_out for specimen in SPECIMENS) / len(SPECIMENS) < 0.37
    assert len({specimen.name for specimen in SPECIMENS}) == len(SPECIMENS)


@pytest.mark.parametrize("is_held_out", [False, True])
def test_of_a_hundred_files_at_most_two_are_called_wrongly(corpus: dict[str, Path], *, is_held_out: bool) -> None:
    part = [specimen for specimen in SPECIMENS if specimen.is_held_out == is_held_out]
    wrong = [specimen.name for specimen in part if not _is_right(specimen, corpus)]
    assert len(wrong) <= 0.02 * len(part), wrong


def test_a_file_cut_anywhere_or_changed_anywhere_has_a_type(corpus: dict[str, Path]) -> None:
    """Every length and offset in a stranger's file may be a lie."""
    chance = random.Random(1)
    for specimen in SPECIMENS:
        with corpus[specimen.name].open("rb") as file:
            head = bytearray(file.read(4096))
        for _ in range(8):
            changed = head[: chance.randrange(len(head) + 1)]
            for _ in range(min(len(changed), 4)):
                changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x7F, 0xFF))
            assert "/" in detect(bytes(changed), specimen.name)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x08free" * 8192, "a.mp4"),
        (b"\x1a\x45\xdf\xa3\x80" * 13_107, "a.mkv"),
        (b"OggS\0\2" + bytes(21), "a.ogg"),
        (b"PK\x03\x04" * 16_384, "a.zip"),
        (b"\xff\xfb\x90\x00" * 16_384, "a.mp3"),
        (b"\0" + b"\xff\xe0" * 32_767, "a.mp3"),
        (b"P5 #" + b" " * 65_000, "a"),
        (b"[ti:" * 16_384, "a"),
        (b"#define " + b"a" * 65_000, "a"),
        (b"solid " + b"\n " * 32_000, "a"),
        (b"d" + b"1" * 65_000, "a"),
        (b"\x89PNG\r\n\x1a\n" + b"ID" * 32_000, "a"),
    ],
)
def test_what_repeats_without_end_has_a_type(head: bytes, name: str) -> None:
    """A pattern that goes back over all of it again and again would not end before the suite's patience does."""
    assert "/" in detect(head[:HEAD_SIZE], name)
