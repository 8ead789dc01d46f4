"""Parquet and Arrow as they leave."""

import gc
import itertools
from collections.abc import Callable, Mapping
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from fileserver.tables.counts import Counts
from fileserver.tables.engine.formats import Writer, writer
from fileserver.tables.engine.formats.columnar import ROW_GROUP_SIZE, arrow_type
from fileserver.tables.engine.shape import OutColumn, Shape
from fileserver.tables.faults import PlanFault, TableFault
from fileserver.tables.plan import Output
from tests.tables.engine.printing import VALUES, batch_of, printed, texts

PAIRS = list(itertools.product(VALUES, VALUES))
OUTPUTS = {name: Output.model_validate({"format": name}) for name in ("parquet", "arrow")}
READERS: Mapping[str, Callable[[bytes], pa.Table]] = {
    "parquet": lambda table: pa.parquet.read_table(pa.BufferReader(table)),
    "arrow": lambda table: pa.ipc.open_stream(table).read_all(),
}
BOTH = pytest.mark.parametrize("name", ["parquet", "arrow"])
TYPES = (
    *("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    *(
        "UBIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL(4,1)",
        "DECIMAL(18,2)",
        "DECIMAL(38,9)",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "BLOB",
    ),
)


@BOTH
def test_every_pair_of_values_comes_back(name: str) -> None:
    table = READERS[name](printed(OUTPUTS[name], texts("a", "b"), PAIRS))
    assert [tuple(row.values()) for row in table.to_pylist()] == PAIRS


def test_other_readers_read_the_same() -> None:
    parquet = pl.read_parquet(printed(OUTPUTS["parquet"], texts("a", "b"), PAIRS))
    assert parquet.rows() == PAIRS
    stream = pl.read_ipc_stream(printed(OUTPUTS["arrow"], texts("a", "b"), PAIRS))
    assert stream.rows() == PAIRS


@BOTH
def test_columns_of_one_name_are_numbered(name: str) -> None:
    table = READERS[name](printed(OUTPUTS[name], texts("a", "a", "A", ""), [tuple("wxyz")]))
    assert table.column_names == ["a", "a_2", "A", ""]


@pytest.mark.parametrize("kind", TYPES)
def test_a_table_of_no_rows_has_the_types_that_duckdb_gives_one_of_some(kind: str) -> None:
    column = OutColumn("a", "c0", kind)
    with duckdb.connect() as connection:
        given = connection.sql(f"SELECT NULL::{kind} AS c0").to_arrow_reader().schema
    assert arrow_type(column) == given.field(0).type
    for name, output in OUTPUTS.items():
        empty = READERS[name](printed(output, [column], []))
        assert empty.num_rows == 0
        assert empty.column_names == ["a"]
        assert name == "parquet" or empty.schema.field(0).type == given.field(0).type


@BOTH
def test_values_keep_their_types(name: str) -> None:
    columns = [OutColumn("d", "c0", "DECIMAL(38,9)"), OutColumn("i", "c1", "BIGINT"), OutColumn("t", "c2")]
    rows = [(Decimal("12345678901234567890.100000000"), 2**63 - 1, "007"), (None, None, None)]
    table = _written(name, columns, batch_of(columns, rows, [pa.decimal128(38, 9), pa.int64(), pa.string()]))
    assert [tuple(row.values()) for row in READERS[name](table).to_pylist()] == rows


@BOTH
def test_an_integer_that_arrow_does_not_hold_is_a_fault(name: str) -> None:
    columns = [OutColumn("big", "c0", "HUGEINT")]
    with duckdb.connect() as connection:
        batch = next(iter(connection.sql("SELECT 170141183460469231731687303715884105727 AS c0").to_arrow_reader()))
    with pytest.raises(TableFault, match="'big'"):
        _written(name, columns, batch)


def test_a_type_that_parquet_lacks_is_a_fault_of_the_plan() -> None:
    columns = [OutColumn("long", "c0", "INTERVAL")]
    with duckdb.connect() as connection:
        batch = next(iter(connection.sql("SELECT INTERVAL 1 DAY AS c0").to_arrow_reader()))
    with pytest.raises(PlanFault, match="Parquet"):
        _written("parquet", columns, batch)


@BOTH
def test_what_is_not_closed_is_never_finished(name: str) -> None:
    pieces: list[bytes] = []
    _begin(name, pieces)
    before = len(pieces)
    gc.collect()
    assert len(pieces) == before
    if name == "parquet":
        with pytest.raises(pa.ArrowInvalid):
            READERS[name](b"".join(pieces))


def test_row_groups_leave_as_they_are_full() -> None:
    pieces: list[bytes] = []
    columns = texts("a")
    parquet = writer(OUTPUTS["parquet"], columns, Shape(), pieces.append)
    batch = batch_of(columns, [(f"{index:01000}",) for index in range(5000)])
    for _ in range(2 * ROW_GROUP_SIZE // batch.nbytes + 2):
        parquet.write(batch)
    assert len(pieces) == 2
    parquet.close(Counts())
    footer = pa.parquet.ParquetFile(pa.BufferReader(b"".join(pieces))).metadata
    assert footer.num_row_groups == 3
    assert footer.row_group(0).column(0).compression == "ZSTD"


def _begin(name: str, pieces: list[bytes]) -> None:
    """A table that is written and thrown away."""
    columns = texts("a")
    table: Writer = writer(OUTPUTS[name], columns, Shape(), pieces.append)
    batch = batch_of(columns, [(f"{index:01000}",) for index in range(5000)])
    for _ in range(10):
        table.write(batch)
    assert pieces


def _written(name: str, columns: list[OutColumn], batch: pa.RecordBatch) -> bytes:
    pieces: list[bytes] = []
    table = writer(OUTPUTS[name], columns, Shape(), pieces.append)
    table.write(batch)
    table.close(Counts())
    return b"".join(pieces)
