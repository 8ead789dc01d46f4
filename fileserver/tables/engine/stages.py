"""The stages of a program, one after the other: each is a query over what the one before it gives, as it gives it.

Between two stages stands this code. It takes out the rows that a cast has found fault with, which SQL cannot report.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from fileserver.tables.engine.compile import COLUMN, FAULT, ROW, Program, Stage, stage_name
from fileserver.tables.engine.pump import Pump, Rejects
from fileserver.tables.faults import RowFault, TableFault

_Checked: TypeAlias = Callable[[Iterator[pa.RecordBatch], Stage], Iterator[pa.RecordBatch]]

_BATCH_CELLS = 1 << 18
_MOST_ROWS = 1 << 14
_LEAST_ROWS = 1 << 11  # as many as DuckDB works on at a time


def batches_of(
    connection: duckdb.DuckDBPyConnection, program: Program, pump: Pump, rejects: Rejects
) -> Iterator[pa.RecordBatch]:
    """What the last stage gives; the first one reads `stage_name(0)`, which is there.

    Raises RowFault, TooManyRejects and what DuckDB raises.
    """
    found = list[TableFault]()
    try:
        yield from _last_of(connection, program, partial(_without_faults, pump=pump, rejects=rejects, found=found))
    except Exception as error:
        if found:  # between two stages it passed the engine, which knows no faults of ours
            raise found[0] from error
        raise


def _last_of(connection: duckdb.DuckDBPyConnection, program: Program, checked: _Checked) -> Iterator[pa.RecordBatch]:
    rows = max(_LEAST_ROWS, min(_MOST_ROWS, _BATCH_CELLS // max(program.width, 1)))
    readers = list[pa.RecordBatchReader]()
    for number, stage in enumerate(program.stages):
        cursor = connection.cursor() if number else connection  # one with an unfinished result takes no other query
        if number:
            cursor.register(stage_name(number), readers[-1])
        reader = cursor.sql(stage.sql).to_arrow_reader(rows)
        if stage.faults is not None:
            reader = pa.RecordBatchReader.from_batches(_schema_without_faults(reader.schema), checked(reader, stage))
        readers.append(reader)
    yield from readers[-1]


def _schema_without_faults(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in (ROW, FAULT, COLUMN)])


def _without_faults(
    batches: Iterator[pa.RecordBatch], stage: Stage, *, pump: Pump, rejects: Rejects, found: list[TableFault]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        faults = batch.column(FAULT)
        if faults.null_count < len(faults):
            wrong = pc.is_valid(faults)
            try:
                _refuse(list(_told(batch.filter(wrong), pump)), stage, rejects)
            except TableFault as fault:
                found.append(fault)
                raise
            batch = batch.filter(pc.invert(wrong))
        yield batch.drop_columns([ROW, FAULT, COLUMN])


def _refuse(told: list[RowFault], stage: Stage, rejects: Rejects) -> None:
    if stage.faults == "abort":
        raise told[0]
    rejects.add(told)


def _told(batch: pa.RecordBatch, pump: Pump) -> Iterator[RowFault]:
    for row in batch.select([ROW, FAULT, COLUMN]).to_pylist():
        yield pump.row_fault(row[ROW], row[FAULT], row[COLUMN])
