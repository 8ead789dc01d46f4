"""What the job asks of a format, and what every format asks of a batch."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias

import polars as pl
import pyarrow as pa

from fileserver.tables.counts import Counts
from fileserver.tables.engine.shape import OutColumn

Sink: TypeAlias = Callable[[bytes], None]
"""Takes the next bytes of the output, any number of them."""

PIECE_SIZE = 8 * 1024 * 1024  # bytes of output, about, that are made at once: what a writer holds beside its batch


class Writer(Protocol):
    """Prints a table: what stands before its rows when it is made, batches as they come, the rest when it is closed.

    One that is not closed leaves an output that its readers can tell from a whole one, where the format has a way to.
    A batch has a column for each `OutColumn` under its `internal` name. What cannot be printed raises TableFault, and
    then nothing more may be written.
    """

    is_text: bool
    """Whether batches are to hold texts, as DuckDB casts them to VARCHAR, whatever the columns' types are."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows."""

    def close(self, counts: Counts) -> None:
        """Prints what follows the last row."""


def frames(
    batch: pa.RecordBatch, columns: Sequence[OutColumn], row_size: int, *, piece_size: int = PIECE_SIZE
) -> Iterator[pl.DataFrame]:
    """The rows of a batch in pieces of about `piece_size`, if each adds `row_size` bytes to its values."""
    if batch.num_rows == 0:
        return
    frame = pl.DataFrame(batch).select([column.internal for column in columns])
    size = row_size + batch.nbytes // batch.num_rows
    yield from frame.iter_slices(max(1, piece_size // max(size, 1)))
