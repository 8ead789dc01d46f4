"""Figures as Markdown: a table of medians, this server's share of each peer's, and the bars that it has to clear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Figures = dict[str, float]
"""What one run gives, by the heading of its column."""

Results = Mapping[str, Figures]
"""The medians of each peer, by its key."""

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that must not be past its limit; None when the peers it speaks of were not measured."""

    text: str
    figure: float | None
    limit: float
    is_at_most: bool = True

    def line(self) -> str:
        """The verdict, in a line."""
        bound = f"{'at most' if self.is_at_most else 'at least'} {self.limit:g}"
        if self.figure is None:
            return f"- not measured: {self.text}, {bound}"
        is_met = self.figure <= self.limit if self.is_at_most else self.figure >= self.limit
        return f"- {'met' if is_met else 'NOT MET'}: {self.text}, {bound}: {self.figure:.2f}"


def share(results: Results, heading: str, peer: str, *, of: str = OURS) -> float | None:
    """A figure of one peer divided by that of another: `of` / `peer`. None if either is missing."""
    try:
        return results[of][heading] / results[peer][heading]
    except (KeyError, ZeroDivisionError):
        return None


def least(shares: Sequence[float | None]) -> float | None:
    """The smallest of those that were measured."""
    return min((each for each in shares if each is not None), default=None)


def show(title: str, results: Results, names: Mapping[str, str], columns: Mapping[str, str]) -> None:
    """Print the table, then our share of each peer's figures. Columns are headings with their formats."""
    rows = [[names[key], *(columns[heading].format(figures[heading]) for heading in columns)]
            for key, figures in results.items()]  # fmt: skip
    print(f"\n### {title}\n")
    print("| server | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)
    for key in results:
        if key != OURS and OURS in results:
            shares = ((heading, share(results, heading, key)) for heading in columns)
            line = ", ".join(f"{heading} x{figure:.2f}" for heading, figure in shares if figure is not None)
            print(f"- {names[OURS]} / {names[key]}: {line}")


def judge(*bars: Bar) -> None:
    """Print a line for each bar."""
    print()
    for bar in bars:
        print(bar.line(), flush=True)
