"""Parquet and Arrow's stream: columns of the types that they have, texts of all others."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet

from fileserver.tables.counts import Counts
from fileserver.tables.engine.formats.contract import Sink
from fileserver.tables.engine.formats.gated import GatedFile
from fileserver.tables.engine.formats.kinds import decimal_of
from fileserver.tables.engine.formats.names import unique_names
from fileserver.tables.engine.shape import OutColumn
from fileserver.tables.faults import PlanFault, TableFault

ROW_GROUP_SIZE = 32 * 1024 * 1024  # bytes in memory: large enough to pack well, small enough for a worker to hold


class ArrowWriter:
    """Prints Arrow's IPC stream, a message for each batch, not packed: JavaScript cannot unpack."""

    is_text = False

    def __init__(self, columns: Sequence[OutColumn], sink: Sink) -> None:
        self._table = _Table(columns)
        self._file = GatedFile(sink)
        self._stream: pa.ipc.RecordBatchStreamWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows."""
        named = self._table.named(batch)
        with self._file.passing():
            self._opened(named.schema).write_batch(named)

    def close(self, counts: Counts) -> None:
        """Prints the mark of the end."""
        with self._file.passing():
            self._opened(self._table.schema()).close()

    def _opened(self, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        if self._stream is None:
            self._stream = pa.ipc.new_stream(self._file, schema)
        return self._stream


class ParquetWriter:
    """Prints Parquet packed by zstd, in row groups of about ROW_GROUP_SIZE."""

    is_text = False

    def __init__(self, columns: Sequence[OutColumn], sink: Sink) -> None:
        self._table = _Table(columns)
        self._file = GatedFile(sink)
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_size = 0
        self._parquet: pa.parquet.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows, or keeps them until they are a row group."""
        self._waiting.append(self._table.named(batch))
        self._waiting_size += batch.nbytes
        if self._waiting_size >= ROW_GROUP_SIZE:
            with self._file.passing():
                self._print_waiting()

    def close(self, counts: Counts) -> None:
        """Prints the last row group, and the footer without which nothing can be read."""
        with self._file.passing():
            if self._waiting:
                self._print_waiting()
            self._opened(self._table.schema()).close()

    def _print_waiting(self) -> None:
        rows = pa.Table.from_batches(self._waiting)
        self._waiting, self._waiting_size = [], 0
        self._opened(rows.schema).write_table(rows)

    def _opened(self, schema: pa.Schema) -> pa.parquet.ParquetWriter:
        if self._parquet is None:
            try:
                self._parquet = pa.parquet.ParquetWriter(self._file, schema, compression="zstd")
            except pa.ArrowNotImplementedError as error:
                raise PlanFault(f"Parquet has no place for a column of this type: {error}", "output.format") from error
        return self._parquet


class _Table:
    """Gives batches the names that leave."""

    def __init__(self, columns: Sequence[OutColumn]) -> None:
        self._columns = columns
        self._names = unique_names([column.name for column in columns])
        self._internals = [column.internal for column in columns]
        self._huge = [column for column in columns if column.type in ("HUGEINT", "UHUGEINT")]

    def named(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch's columns in order under their names; raises TableFault for an integer that Arrow does not hold."""
        for column in self._huge:
            try:
                batch.column(column.internal).validate(full=True)
            except pa.ArrowInvalid as error:
                reason = f"the column {column.name!r} has an integer of more than 38 digits, which the format lacks"
                raise TableFault(reason) from error
        return batch.select(self._internals).rename_columns(self._names)

    def schema(self) -> pa.Schema:
        """The schema of a table of no rows, as DuckDB would make it."""
        types = [arrow_type(column) for column in self._columns]
        return pa.schema(list(zip(self._names, types, strict=True)))


def arrow_type(column: OutColumn) -> pa.DataType:
    """The type in Arrow that DuckDB gives a column; text for types that plans do not name."""
    decimal = decimal_of(column)
    if decimal is not None:
        return pa.decimal128(*decimal)
    return _ARROW_TYPES.get(column.type, pa.string())


_ARROW_TYPES: Mapping[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "HUGEINT": pa.decimal128(38, 0),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "UHUGEINT": pa.decimal128(38, 0),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMP_S": pa.timestamp("s"),
    "TIMESTAMP_MS": pa.timestamp("ms"),
    "TIMESTAMP_NS": pa.timestamp("ns"),
    "BLOB": pa.binary(),
}
