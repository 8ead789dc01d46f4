"""What became of the rows of a table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came (`rows_in` is the sum of the next three) and what became of them; the header is no row."""

    rows_in: int = 0
    rows_out: int = 0
    rows_rejected: int = 0
    rows_filtered: int = 0
    blank_lines: int = 0

    def plus(self, *, out: int = 0, rejected: int = 0, filtered: int = 0, blank: int = 0) -> "Counts":
        """These and more.

        >>> Counts().plus(out=2, filtered=1)
        Counts(rows_in=3, rows_out=2, rows_rejected=0, rows_filtered=1, blank_lines=0)
        """
        return Counts(
            self.rows_in + out + rejected + filtered,
            self.rows_out + out,
            self.rows_rejected + rejected,
            self.rows_filtered + filtered,
            self.blank_lines + blank,
        )
