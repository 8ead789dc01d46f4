"""Range selection, row by row (RFC 9110 s.14)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fileserver.http.ranges import MAX_PARTS, MAX_RANGES, Parts, Unsatisfiable, Whole, select

SIZE = 10_000

ROWS: list[tuple[str, list[range] | None]] = [
    # one range
    ("bytes=0-0", [range(0, 1)]),
    ("bytes=0-499", [range(0, 500)]),
    ("bytes=500-", [range(500, SIZE)]),
    ("bytes=-1", [range(SIZE - 1, SIZE)]),
    ("bytes=-500", [range(SIZE - 500, SIZE)]),
    ("bytes=0-", [range(0, SIZE)]),
    # clamped to the file (s.14.1.2)
    ("bytes=9999-20000", [range(9999, SIZE)]),
    ("bytes=-20000", [range(0, SIZE)]),
    ("bytes=0-9999999999999999999", [range(0, SIZE)]),
    # the unit is case-insensitive (s.14.1): Go and Caddy answer 416
    ("Bytes=0-1", [range(0, 2)]),
    ("BYTES=0-1", [range(0, 2)]),
    # white space round commas and empty elements belong to a list (s.5.6.1): nginx answers 416
    ("bytes=0-0, ,2000-2000", [range(0, 1), range(2000, 2001)]),
    ("bytes= 0-0 ,\t2000-2000 ", [range(0, 1), range(2000, 2001)]),
    ("bytes=,0-0,", [range(0, 1)]),
    # one satisfiable range is enough (s.14.1.1): Starlette answers 416
    ("bytes=0-0,99999999-", [range(0, 1)]),
    ("bytes=99999999-,0-0", [range(0, 1)]),
    ("bytes=-0,5-5", [range(5, 6)]),
    # the order is that of the request (s.15.3.7.2): Starlette sorts
    ("bytes=5000-5001,0-1", [range(5000, 5002), range(0, 2)]),
    # overlapping and close ranges are one; it stands where the first of them stood
    ("bytes=0-10,5-20", [range(0, 21)]),
    ("bytes=0-9,10-19", [range(0, 20)]),
    ("bytes=0-9,138-200", [range(0, 201)]),
    ("bytes=0-9,139-200", [range(0, 10), range(139, 201)]),
    ("bytes=8000-8001,5-9,0-4,8002-8003", [range(8000, 8004), range(0, 10)]),
    ("bytes=" + ",".join(["0-"] * 100), [range(0, SIZE)]),
    # unsatisfiable
    ("bytes=10000-", []),
    ("bytes=10000-10001,20000-", []),
    ("bytes=-0", []),  # Go and Caddy answer 206 with 'bytes 10000-9999'
    ("bytes=9999999999999999999-", []),
    # ignored: another unit (Starlette answers 400, Caddy and Go 416)
    ("items=0-5", None),
    ("", None),
    ("bytes", None),
    ("bytes ", None),
    ("bytes = 0-5", None),
    ("bytes =0-5", None),
    # ignored: broken grammar
    ("bytes=", None),
    ("bytes=,", None),
    ("bytes=-", None),
    ("bytes=abc", None),
    ("bytes=5-2", None),
    ("bytes=0-0,5-2", None),
    ("bytes=0-5x", None),
    ("bytes=0--1", None),
    ("bytes=0-5-7", None),
    ("bytes=0 - 5", None),
    ("bytes=+0-+5", None),
    ("bytes=1_0-2_0", None),
    ("bytes=\u0661-\u0662", None),
    ("bytes=\xb2-\xb3", None),
    ("bytes=0x0-0x5", None),
    ("bytes=0-0;1-1", None),
    ("bytes=0-18446744073709551616", None),  # 20 digits
]


@pytest.mark.parametrize(("field", "expected"), ROWS)
def test_selection(field: str, expected: list[range] | None) -> None:
    wanted = Whole() if expected is None else Parts(tuple(expected)) if expected else Unsatisfiable()
    assert select((field,), SIZE) == wanted


def test_no_field_selects_the_whole() -> None:
    assert select((), SIZE) == Whole()


def test_several_lines_are_ignored() -> None:
    assert select(("bytes=0-1", "bytes=0-1"), SIZE) == Whole()


@pytest.mark.parametrize("field", ["bytes=0-", "bytes=-5", "bytes=0-0", "bytes=7-"])
def test_an_empty_file_has_no_ranges(field: str) -> None:
    assert select((field,), 0) == Whole()


@pytest.mark.parametrize(("count", "is_whole"), [(MAX_PARTS, False), (MAX_PARTS + 1, True)])
def test_sixteen_parts_are_the_most(count: int, is_whole: bool) -> None:
    field = "bytes=" + ",".join(f"{start}-{start}" for start in range(0, count * 500, 500))
    assert (select((field,), SIZE) == Whole()) is is_whole


@pytest.mark.parametrize(("count", "is_whole"), [(MAX_RANGES, False), (MAX_RANGES + 1, True)])
def test_two_hundred_ranges_are_the_most_even_where_they_come_to_one(count: int, is_whole: bool) -> None:
    selection = select(("bytes=" + ",".join(["5-9"] * count),), SIZE)
    assert selection == (Whole() if is_whole else Parts((range(5, 10),)))


@pytest.mark.parametrize(
    "field", ["bytes=" + "," * 60_000, "bytes=" + ",".join(f"{n * 999}-{n * 999}" for n in range(10_000))]
)
def test_huge_fields_are_ignored(field: str) -> None:
    assert select((field,), 1 << 40) == Whole()


@given(st.text("bytes=0123456789-, ;x", max_size=40).map("bytes=".__add__), st.integers(0, 50))
@example("bytes=0-0,-0,49-", 50)
def test_spans_lie_in_the_file_and_apart(field: str, size: int) -> None:
    match select((field,), size):
        case Parts(spans):
            covered = [position for span in spans for position in span]
            assert spans
            assert all(span for span in spans)
            assert set(covered) <= set(range(size))
            assert len(covered) == len(set(covered))
        case Whole() | Unsatisfiable():
            pass
