"""Records to rows: those that have as many cells as the header, apart from blank lines and the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from fileserver.tables.cells import VEILED_LINE_FEED
from fileserver.tables.records import Item, Reject, Run


@dataclass(frozen=True, slots=True)
class Blanks:
    """Blank lines in a row, where they are no rows."""

    size: int


RowItem: TypeAlias = Item | Blanks


def rows_of(run: Run, delimiter: bytes, width: int) -> Iterator[RowItem]:
    """The records of a run that have `width` cells, in runs, and in their places what is between them.

    In a table of one column a blank line is a row with an empty value.

    >>> list(rows_of(Run(2, [b"1,2", b"", b"3"]), b",", 2))  # doctest: +NORMALIZE_WHITESPACE
    [Run(first_line=2, records=[b'1,2'], is_ended=True), Blanks(size=1),
     Reject(line=4, reason='the header has 2 cells, this row 1')]
    """
    delimiters = [record.count(delimiter) for record in run.records]
    if delimiters.count(width - 1) == len(delimiters):
        yield run
    else:
        yield from _sorted_out(run, delimiters, width)


def _sorted_out(run: Run, delimiters: list[int], width: int) -> Iterator[RowItem]:
    line = run.first_line
    for fits, group in groupby(zip(run.records, delimiters, strict=True), lambda pair: pair[1] == width - 1):
        pairs = list(group)
        records = [record for record, _ in pairs]
        if fits:
            yield Run(line, records, run.is_ended)
        else:
            yield from _misfits(pairs, line, width)
        line += len(records) + sum(record.count(VEILED_LINE_FEED) for record in records)


def _misfits(pairs: list[tuple[bytes, int]], line: int, width: int) -> Iterator[RowItem]:
    for record, delimiters in pairs:
        if record == b"":
            yield Blanks(1)
        else:
            yield Reject(line, f"the header has {width} cells, this row {delimiters + 1}")
        line += 1 + record.count(VEILED_LINE_FEED)
