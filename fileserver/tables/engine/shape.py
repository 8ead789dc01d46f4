"""The shape of a table that arrives, and the columns of one that leaves."""

from dataclasses import dataclass

TEXT = "VARCHAR"  # DuckDB's word for text


@dataclass(frozen=True, slots=True)
class Shape:
    """What output inherits from input; `line_end` is that of the input's first line."""

    delimiter: str = ","
    line_end: str = "\n"
    has_header: bool = True


@dataclass(frozen=True, slots=True)
class OutColumn:
    """A column that leaves as `name`, is `internal` to the engine, and is of DuckDB's `type`."""

    name: str
    internal: str
    type: str = TEXT

    @property
    def is_text(self) -> bool:
        """Whether its values are text, and so leave as they came in formats that have types."""
        return self.type == TEXT
