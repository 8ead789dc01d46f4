"""Server-sent events, byte for byte, and as a reader by the standard takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http import event_stream


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(event_stream.event("a"), b"data: a\n\n", id="data alone"),
        pytest.param(event_stream.event(""), b"data: \n\n", id="empty data is an event still"),
        pytest.param(
            event_stream.event("a\nb\rc\r\nd"), b"data: a\ndata: b\ndata: c\ndata: d\n\n", id="every line end"
        ),
        pytest.param(event_stream.event(" a"), b"data:  a\n\n", id="one space is taken away by the reader"),
        pytest.param(event_stream.event("é\u2028"), "data: é\u2028\n\n".encode(), id="no other character ends a line"),
        pytest.param(event_stream.comment("a\nb"), b":a\n:b\n\n", id="a comment of two lines"),
        pytest.param(event_stream.preamble(retry_ms=9, last_id=None), b"retry: 9\n\n", id="no place to begin at"),
    ],
)
def test_bytes(made: bytes, expected: bytes) -> None:
    assert made == expected


@pytest.mark.parametrize("bad", ["a\nb", "a\rb"])
def test_a_kind_or_an_id_of_two_lines_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        event_stream.event("", kind=bad)
    with pytest.raises(ValueError, match="one line"):
        event_stream.event("", last_id=bad)


def test_an_id_with_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        event_stream.event("", last_id="a\0")


@given(st.text(st.characters(codec="utf-8")))
def test_a_reader_gets_the_content_with_its_line_ends_made_one(content: str) -> None:
    found = event_stream.event(content).decode()
    assert found.endswith("\n\n")
    lines = [line.removeprefix("data:").removeprefix(" ") for line in found[:-2].split("\n")]
    assert "\n".join(lines) == content.replace("\r\n", "\n").replace("\r", "\n")
