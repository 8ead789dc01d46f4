"""The end of a growing file: how a client says how much of it, and where it was when it comes back.

The grammar is our own, after the tool `tail`: lines by number, bytes by a number with a unit. A position goes where the
standard has text that is opaque to clients (Last-Event-ID, WHATWG HTML s.9.2.4).
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError

MOST_LINES = 1_000_000
"""To find where they begin, all of them are read before the answer begins."""
DEFAULT_LINES = 10  # as the tool has it

_UNITS = {
    "byte": 1,
    "bytes": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_AMOUNT = re.compile(r"(\d{1,19})([A-Za-z]*)", re.ASCII)  # 19 digits hold any file
_POSITION = re.compile(r"(\d{1,19})(?:-([0-9a-f]{8}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lines:
    """The last lines of a file, at most so many."""

    count: int


@dataclass(frozen=True, slots=True)
class Bytes:
    """The last bytes of a file, at most so many."""

    size: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file: how many bytes are before it, and the file's fingerprint where the client knows it."""

    offset: int
    fingerprint: str | None = None

    def __str__(self) -> str:
        """The text that `parse_position` reads.

        >>> str(Position(120, "0f9a33c1")), str(Position(120))
        ('120-0f9a33c1', '120')
        """
        return str(self.offset) if self.fingerprint is None else f"{self.offset}-{self.fingerprint}"


Amount: TypeAlias = Lines | Bytes


def parse_amount(text: str) -> Amount:
    """How much of a file's end a client asks for: a number of lines, or a size; nothing at all means ten lines.

    >>> parse_amount(""), parse_amount("20"), parse_amount("1lines"), parse_amount("64KiB")
    (Lines(count=10), Lines(count=20), Lines(count=1), Bytes(size=65536))

    Raises ProblemError.
    """
    if text == "":
        return Lines(DEFAULT_LINES)
    match = _AMOUNT.fullmatch(text)
    unit = match[2].lower() if match else ""
    if match is None or not (unit in _UNITS or unit in {"", "line", "lines"}):
        raise _bad("tail", "tail is a number of lines, as 20 or 20lines, or a size, as 4096bytes, 64KiB or 10MB.")
    number = int(match[1])
    if unit in _UNITS:
        return Bytes(number * _UNITS[unit])
    if number > MOST_LINES:
        raise _bad("tail", f"At most {MOST_LINES} lines are looked for. A size may be any.")
    return Lines(number)


def parse_position(text: str) -> Position:
    """Where a client goes on.

    >>> parse_position("120-0f9a33c1"), parse_position("120")
    (Position(offset=120, fingerprint='0f9a33c1'), Position(offset=120, fingerprint=None))

    Raises ProblemError.
    """
    match = _POSITION.fullmatch(text)
    if match is None:
        raise _bad("last_event_id", "The last event's id is an offset, or what an earlier answer gave as an id.")
    return Position(int(match[1]), match[2])


def _bad(parameter: str, detail: str) -> ProblemError:
    return ProblemError(Problem(problems.BAD_PARAMETER, detail, {"parameter": parameter}))
