"""The packed names of a folder are a set of names."""

import random

from storage.folder_names import FolderNames

NAMES = (*(f"{number}.mp4" for number in range(2000)), "a", "aa", "\udcff", "a\nb", "é")


def test_it_holds_what_a_set_would() -> None:
    names, expected, draw = FolderNames(), set[str](), random.Random(1)
    for _ in range(20_000):
        name = draw.choice(NAMES)
        if draw.random() < 0.6:
            names.add(name)
            expected.add(name)
        else:
            names.discard(name)
            expected.discard(name)
        assert (name in names) == (name in expected)
        assert len(names) == len(expected)
    assert sorted(names) == sorted(expected)
    assert [name in names for name in NAMES] == [name in expected for name in NAMES]


def test_a_part_of_a_name_is_no_name() -> None:
    names = FolderNames()
    names.add("film.mp4")
    assert [part in names for part in ("film", "mp4", "", "ilm.mp", "film.mp4")] == [False, False, False, False, True]
