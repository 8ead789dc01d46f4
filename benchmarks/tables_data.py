"""A table as people have them, of any size and the same each time: scripts/bench tables_data FILE [--size BYTES].

What naive tools change or lose is in every few rows: zero-padded numbers, integers of 20 digits, 1e5, .5 and -0.00,
six scripts, commas, quotes and line ends within quotes, an empty value beside a quoted empty one, NULL as a word,
formulas, TRUE beside False. Only what needs quotes is quoted and lines end in LF, so a transform that changes nothing
gives back the same bytes.
"""

import argparse
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER = "id,big,exp,city,category,amount,qty,signup,email,note,flag,z,tag\n"
CITIES = (
    "Köln", "São Paulo", "東京", "Москва", "Αθήνα", "القاهرة", '"New York, NY"', "plain town", '"said ""hi"" there"',
)  # fmt: skip
NOTES = ('"line one\nline two"', '""', "", "NULL", "=SUM(A1:A9)", "some longer note text here", "  spaced  ")
ZEROS = ("-0.00", ".5", "007", "+3", "1E5", "0")
FLAGS = ("TRUE", "False", "", "true")

PEOPLE = 300_000
"""So many e-mail addresses there are: rows repeat them, and `distinct` has work to do."""

ROWS_AT_ONCE = 10_000
ROW_SIZE = 160
"""Bytes, and a few more than most rows have, so that the last batch does not go far past the size."""

KINDS_OF_BAD = 4


@dataclass(frozen=True, slots=True)
class Made:
    """What a table has: rows below the header, the malformed ones included, and blank lines, which are none."""

    size: int
    rows: int
    bad_rows: int
    blank_lines: int


def rows(seed: int = 0) -> Iterator[str]:
    """Rows without end, each with its line end."""
    chance = random.Random(seed)
    cities, notes, zeros, flags = map(itertools.cycle, (CITIES, NOTES, ZEROS, FLAGS))
    for number, city, note, zero, flag in zip(itertools.count(), cities, notes, zeros, flags, strict=False):
        big, cents = chance.randrange(10**19, 10**20), chance.randrange(100_000)
        yield (
            f"{number:09},{big},1e{number % 9},{city},cat{number % 37:02},{cents / 100:.2f},{number % 997},"
            f"2024-{number % 12 + 1:02}-{number % 28 + 1:02},user{big % PEOPLE}@example.com,{note},{flag},{zero},"
            f"x{number % 50_000}\n"
        )


def spoilt(row: str, number: int) -> str:
    """The row with the `number`-th mistake: a cell short, a cell too many, a stray quote; each fourth is a blank line.

    >>> [spoilt("a,b\\n", number) for number in range(4)]
    ['b\\n', 'a,b,more\\n', 'a"stray",b\\n', '\\n']
    """
    match number % KINDS_OF_BAD:
        case 0:
            return row.partition(",")[2]
        case 1:
            return f"{row[:-1]},more\n"
        case 2:
            return row.replace(",", '"stray",', 1)
        case _:
            return "\n"


def lines(*, seed: int = 0, bad_every: int = 0) -> Iterator[str]:
    """Rows without end; with `bad_every`, each so-many-th has a mistake."""
    for number, row in enumerate(rows(seed), start=1):
        is_bad = bad_every and number % bad_every == 0
        yield spoilt(row, number // bad_every - 1) if is_bad else row


def write_table(path: Path, size: int, *, seed: int = 0, bad_every: int = 0) -> Made:
    """Make a table of at least so many bytes, and hardly more."""
    source, count = lines(seed=seed, bad_every=bad_every), 0
    with path.open("wb") as file:
        written = file.write(HEADER.encode())
        while written < size:
            wanted = min(ROWS_AT_ONCE, -(-(size - written) // ROW_SIZE))
            written += file.write("".join(itertools.islice(source, wanted)).encode())
            count += wanted
    spoils = count // bad_every if bad_every else 0
    blank_lines = spoils // KINDS_OF_BAD
    return Made(written, count - blank_lines, spoils - blank_lines, blank_lines)


def main() -> None:
    """Make the table that was asked for and tell what it has."""
    parser = argparse.ArgumentParser(prog="scripts/bench tables_data", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--size", type=int, default=10**9, help="bytes; default: 1 GB")
    parser.add_argument("--seed", type=int, default=0, help="other numbers in the same columns")
    parser.add_argument("--bad-every", type=int, default=0, metavar="ROWS", help="a mistake in each so-many-th row")
    asked = parser.parse_args()
    print(write_table(asked.file, asked.size, seed=asked.seed, bad_every=asked.bad_every))


if __name__ == "__main__":
    main()
