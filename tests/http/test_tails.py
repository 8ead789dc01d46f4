"""How much of a file's end is asked for, and from where on, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http.problems import ProblemError
from fileserver.http.tails import Amount, Bytes, Lines, Position, parse_amount, parse_position

AMOUNTS: list[tuple[str, Amount]] = [
    ("", Lines(10)),
    ("0", Lines(0)),
    ("20", Lines(20)),
    ("007", Lines(7)),
    ("1line", Lines(1)),
    ("20lines", Lines(20)),
    ("20LINES", Lines(20)),
    ("1000000", Lines(1_000_000)),
    ("0bytes", Bytes(0)),
    ("1byte", Bytes(1)),
    ("4096bytes", Bytes(4096)),
    ("64KiB", Bytes(64 * 1024)),
    ("64kib", Bytes(64 * 1024)),
    ("10MB", Bytes(10_000_000)),
    ("10MiB", Bytes(10 * 1024**2)),
    ("2GiB", Bytes(2 * 1024**3)),
    ("1TB", Bytes(10**12)),
    ("9999999999999999999bytes", Bytes(9999999999999999999)),
]
BAD_AMOUNTS = [
    "1000001",
    "99999999999999999999",
    "-1",
    "+1",
    "1.5MB",
    "1_0",
    " 5",
    "5 ",
    "5\n",
    "lines",
    "5 lines",
    "5rows",
    "KiB",
    "5K",
    "5b",
    "\u0665",
    "\xb2",
    "0x10",
    "5KiB5",
    "\0",
]
BAD_POSITIONS = [
    "",
    "-",
    "x",
    "12-",
    "12-0f9a33c",
    "12-0f9a33c12",
    "12-0F9A33C1",
    "12-0f9a33cg",
    "-1",
    "+1",
    "1 ",
    "99999999999999999999",
    "\u0661",
    "1-0f9a33c1\n",
]


@pytest.mark.parametrize(("text", "expected"), AMOUNTS)
def test_an_amount(text: str, expected: Amount) -> None:
    assert parse_amount(text) == expected


@pytest.mark.parametrize("text", BAD_AMOUNTS)
def test_an_amount_that_is_none_is_refused_by_the_parameters_name(text: str) -> None:
    with pytest.raises(ProblemError) as refused:
        parse_amount(text)
    assert (refused.value.problem.type.status, refused.value.problem.extensions) == (400, {"parameter": "tail"})


@pytest.mark.parametrize("text", BAD_POSITIONS)
def test_a_position_that_is_none_is_refused_by_the_parameters_name(text: str) -> None:
    with pytest.raises(ProblemError) as refused:
        parse_position(text)
    assert (refused.value.problem.type.status, refused.value.problem.extensions) == (
        400,
        {"parameter": "last_event_id"},
    )


@given(st.builds(Position, st.integers(0, 10**19 - 1), st.none() | st.text("0123456789abcdef", min_size=8, max_size=8)))
def test_a_position_is_read_as_it_was_written(position: Position) -> None:
    assert parse_position(str(position)) == position
