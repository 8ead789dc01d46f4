"""What became of the rows of a table, and of its bytes."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """`rows_in` are the records below the header that were read, rejected ones included; blank lines are none.

    `bytes_in` are those of the table as it was sent, packed if it came so.
    """

    rows_in: int = 0
    rows_out: int = 0
    rows_rejected: int = 0
    blank_lines: int = 0
    bytes_in: int = 0

    def as_message(self) -> dict[str, int]:
        """The counts as values that JSON can carry."""
        return asdict(self)
