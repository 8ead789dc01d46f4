"""What people type finds what they mean."""

import doctest

import pytest

import fileserver.delivery.search
from fileserver.delivery.search import MAX_WORDS, words_of


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("holiday", "Holiday 2024.MP4"),
        ("2024 mp4", "Holiday 2024.MP4"),
        ("cafe", "cafe\u0301.txt"),
        ("café", "CAFE.txt"),
        ("cafe\u0301", "CAF\u00c9.txt"),
        ("lodz", "Łódź.pdf"),
        ("strasse", "Straße"),
        ("STRASSE", "straße"),
        ("oresund", "Øresund"),
        ("istanbul", "İstanbul"),
        ("οδος", "ΟΔΟΣ"),
        ("привет", "Привет мир"),
        ("ёлка", "Елка"),
        ("日本", "日本語.txt"),
        ("file", "ﬁle"),
        ("abc", "ａｂｃ"),
        ("50%", "50% off"),
        ("a.b", "a.b"),
        ("caf\udce9", "caf\udce9"),
    ],
)
def test_words_find_names_whatever_their_case_and_accents(typed: str, name: str) -> None:
    words = words_of(typed)
    assert words is not None
    assert words.are_in(name)


@pytest.mark.parametrize(("typed", "name"), [("a b", "a"), ("a.b", "axb"), ("ab", "a b"), ("*", "a"), ("дом", "dom")])
def test_words_find_nothing_else(typed: str, name: str) -> None:
    words = words_of(typed)
    assert words is not None
    assert not words.are_in(name)


@pytest.mark.parametrize("typed", ["", " ", "\u3000\t\n", "\u0301"])
def test_nothing_to_look_for_is_no_search(typed: str) -> None:
    assert words_of(typed) is None


def test_more_words_than_anybody_types_are_passed_over() -> None:
    words = words_of(" ".join(map(str, range(10_000))))
    assert words is not None
    assert len(words.words) == MAX_WORDS


def test_the_examples_hold() -> None:
    assert doctest.testmod(fileserver.delivery.search).failed == 0
