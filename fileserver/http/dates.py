"""HTTP dates (RFC 9110 s.5.6.7)."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>[0-5]\d|60)"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"{_DAY}, (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} GMT",  # IMF-fixdate
        rf"{_LONG_DAY}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} GMT",  # RFC 850, obsolete
        rf"{_DAY} {_MONTH} (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",  # asctime, obsolete
    )
)
_FIRST_S = -62_135_596_800  # 0001-01-01 00:00:00
_LAST_S = 253_402_300_799  # 9999-12-31 23:59:59


def parse_http_date(text: str, *, now_s: int) -> int | None:
    """Unix seconds of a date in one of the three forms; None for anything else.

    `now_s` (Unix time) decides the century of a two-digit year: one that seems more than 50 years ahead is in the past.

    >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now_s=1_800_000_000)
    784111777
    """
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _seconds(match, now_s)
    return None


@lru_cache(maxsize=1024)
def format_http_date(seconds: int) -> str:
    """The IMF-fixdate of a Unix time; one out of the years 1 to 9999, which the form cannot say, as the nearest.

    >>> format_http_date(784111777)
    'Sun, 06 Nov 1994 08:49:37 GMT'
    """
    date = datetime.fromtimestamp(min(max(seconds, _FIRST_S), _LAST_S), UTC)
    return f"{_DAYS[date.weekday()]}, {date:%d} {_MONTHS[date.month - 1]} {date.year:04d} {date:%H:%M:%S} GMT"


def _seconds(match: re.Match[str], now_s: int) -> int | None:
    year = int(match["year"])
    if len(match["year"]) == 2:
        this_year = datetime.fromtimestamp(now_s, UTC).year
        year += this_year // 100 * 100
        if year > this_year + 50:
            year -= 100
    clock = (int(match["hour"]), int(match["minute"]), min(int(match["second"]), 59))  # 60 is a leap second
    try:
        date = datetime(year, _MONTHS.index(match["month"]) + 1, int(match["day"]), *clock, tzinfo=UTC)
    except ValueError:  # 30 February, hour 25
        return None
    return int(date.timestamp())
