"""The gate between a client's text and a path."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import InvalidKey, folder_to_read, folder_to_write, key_to_read, key_to_write, name_of
from storage.keys import MAX_KEY_BYTES, Folder, Key

NEITHER = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/..",
    "./a",
    "a\0b",
    "\ud800",
    ".fileserver",
    ".fileserver/catalogue.sqlite3",
    "a/.fileserver/b",
    ".FileServer/x",
    ".fileserver. /x",
    "．fileserver/x",
]
READ_ALONE = [
    "a\nb",
    "a\x7fb",
    "a\x85b",
    "evil\u202egnp.exe",
    "a\u2066b",
    "\udcff",
    "a\\b",
    "..\\a",
    "...",
    " ",
    "a/. /b",
    "n" * 256,
    "é" * 128,
    "/".join(["n" * 200] * 6),
]
BOTH = ["a", "a/b/c.txt", "...a", "a..b", "~", "%2e%2e", "a b", "-rf", ".hidden", "日本.mp4", "n" * 255, "a:b", "CON"]


@pytest.mark.parametrize("text", NEITHER)
def test_a_name_that_could_leave_the_root_is_no_key(text: str) -> None:
    for gate in (key_to_read, key_to_write):
        with pytest.raises(InvalidKey):
            gate(text)


@pytest.mark.parametrize("text", READ_ALONE)
def test_a_deceptive_name_can_be_read_but_not_written(text: str) -> None:
    assert key_to_read(text) == text
    with pytest.raises(InvalidKey):
        key_to_write(text)


@pytest.mark.parametrize("text", BOTH)
def test_an_ordinary_name_is_a_key(text: str) -> None:
    assert key_to_read(text) == key_to_write(text) == text


def test_written_keys_are_nfc_and_read_keys_are_as_they_are() -> None:
    decomposed = "cafe\u0301"
    assert key_to_write(decomposed) == "caf\u00e9"
    assert key_to_read(decomposed) == decomposed


def test_a_folder_ends_in_a_slash_or_is_the_root() -> None:
    for gate in (folder_to_read, folder_to_write):
        assert gate("") == ""
        assert gate("a/b/") == "a/b/"
        assert gate("a") == "a/"
        with pytest.raises(InvalidKey):
            gate("a//")
        with pytest.raises(InvalidKey):
            gate("/")


def test_the_name_is_the_last_part() -> None:
    assert name_of(Key("a/b.txt")) == "b.txt"
    assert name_of(Folder("a/b/")) == "b"


@given(st.text(max_size=300))
def test_what_may_be_written_is_nfc_short_and_stays_in_the_root(text: str) -> None:
    try:
        key = key_to_write(text)
    except InvalidKey:
        return
    assert unicodedata.is_normalized("NFC", key)
    assert len(key.encode()) <= MAX_KEY_BYTES
    assert not set(key.split("/")) & {"", ".", ".."}
    assert key_to_write(key) == key
