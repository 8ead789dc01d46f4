"""Python's csv, as a careful person writes it, a function for each work of the benchmark `transform`."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

Cells = list[str]
Header = Cells
Done = tuple[Header, Iterable[Cells]]


def select(header: Header, rows: Iterator[Cells]) -> Done:
    """Three columns of the rows whose `qty` is above 900."""
    qty, *kept = map(header.index, ("qty", "id", "city", "amount"))
    return [header[each] for each in kept], ([row[each] for each in kept] for row in rows if int(row[qty]) > 900)


def derive(header: Header, rows: Iterator[Cells]) -> Done:
    """One column more."""
    amount, qty = header.index("amount"), header.index("qty")
    return [*header, "total"], ([*row, str(Decimal(row[amount]) * int(row[qty]))] for row in rows)


def group(header: Header, rows: Iterator[Cells]) -> Done:
    """Count and sum by category."""
    category, amount = header.index("category"), header.index("amount")
    groups: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        count, total = groups.get(row[category], (0, Decimal(0)))
        groups[row[category]] = count + 1, total + Decimal(row[amount])
    return ["category", "n", "total"], ([key, str(count), str(total)] for key, (count, total) in groups.items())


def sort(header: Header, rows: Iterator[Cells]) -> Done:
    """The largest amount first."""
    amount = header.index("amount")
    return header, sorted(rows, key=lambda row: -float(row[amount]))


def distinct(header: Header, rows: Iterator[Cells]) -> Done:
    """The first row of each e-mail address."""
    email = header.index("email")
    return header, _firsts(rows, email)


def _firsts(rows: Iterator[Cells], column: int) -> Iterator[Cells]:
    seen: set[str] = set()
    for row in rows:
        if row[column] not in seen:
            seen.add(row[column])
            yield row


def unchanged(header: Header, rows: Iterator[Cells]) -> Done:
    """All of it."""
    return header, rows


WORKS: dict[str, Callable[[Header, Iterator[Cells]], Done]] = {
    "pass": unchanged,
    "select": select,
    "derive": derive,
    "group": group,
    "sort": sort,
    "distinct": distinct,
    "ndjson": unchanged,
}


def main(work: str, path: str) -> None:
    """Do the work, to standard output."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header, rows = WORKS[work](next(reader), reader)
        if work == "ndjson":
            sys.stdout.writelines(
                json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
            )
        else:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
