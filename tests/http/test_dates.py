"""HTTP dates (RFC 9110 s.5.6.7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http.dates import format_http_date, parse_http_date

NOW_S = 1_795_000_000  # November 2026


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("Sunday, 06-Nov-76 08:49:37 GMT", 3_371_878_177),
        ("Sunday, 06-Nov-77 08:49:37 GMT", 247654177),
        ("Thu, 31 Dec 1998 23:59:60 GMT", 915148799),
        ("Sun, 06 Nov 1994 08:49:61 GMT", None),
        ("Sun, 06 Nov 1994 08:60:37 GMT", None),
        ("Sun Nov 16 08:49:37 1994", 784975777),
        ("Sun Nov 6 08:49:37 1994", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sun, 06 Nov 1994 08:49:37 +0100", None),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("sun, 06 nov 1994 08:49:37 gmt", None),
        ("Sun, 30 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 25:49:37 GMT", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("Sun, 0\u0666 Nov 1994 08:49:37 GMT", None),
        ("784111777", None),
        ("", None),
    ],
)
def test_parsing(text: str, expected: int | None) -> None:
    assert parse_http_date(text, now_s=NOW_S) == expected


@given(st.integers(0, 253402300799))
def test_what_is_formatted_parses_back(seconds: int) -> None:
    assert parse_http_date(format_http_date(seconds), now_s=NOW_S) == seconds


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (1 << 62, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-1 << 62, "Mon, 01 Jan 0001 00:00:00 GMT"),
    ],
)
def test_any_time_of_a_file_has_a_date(seconds: int, expected: str) -> None:
    assert format_http_date(seconds) == expected


@given(st.text(), st.integers(0, 253402300799))
def test_any_text_is_a_date_or_none(text: str, now_s: int) -> None:
    parse_http_date(text, now_s=now_s)
    parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now_s=now_s)
