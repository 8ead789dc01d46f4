"""Excel's workbook (ECMA-376), one sheet, as it streams: a zip whose last member is written row by row.

Texts are texts, whatever they look like: nothing becomes a formula, a date or a rounded number. Numbers, booleans and
dates stand in columns of such types; a number of more digits than the 15 that Excel keeps is a text. Null is no cell.
"""

import io
import zipfile
from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from fileserver.tables.counts import Counts
from fileserver.tables.engine.formats.cells import ROW, cells, escaped
from fileserver.tables.engine.formats.contract import Sink, frames
from fileserver.tables.engine.formats.gated import GatedFile
from fileserver.tables.engine.formats.names import unique_names
from fileserver.tables.engine.formats.workbook import PARTS, SHEET, SHEET_END, SHEET_START
from fileserver.tables.engine.shape import OutColumn
from fileserver.tables.faults import TableFault

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_TEXT = 32_767  # UTF-16 units in a cell
MAX_SHEET_SIZE = 2**31 - 1  # bytes of XML: more need a zip64, which Excel wants to repair

_CELL_SIZE = 80  # bytes of XML around a value, about
_PIECE_SIZE = (
    32 * 1024 * 1024
)  # each piece takes 0.2 ms for a column, however few its rows: wide tables want large ones
_LEVEL = 3  # of packing


class XlsxWriter:
    """Prints a workbook; raises TableFault where the table passes a limit of the format."""

    is_text = True

    def __init__(self, columns: Sequence[OutColumn], sink: Sink, *, has_header: bool) -> None:
        if len(columns) > MAX_COLUMNS:
            raise TableFault(f"a sheet has at most {MAX_COLUMNS:,} columns, and the table has {len(columns):,}")
        self._columns = columns
        self._cells = [cells(column, index) for index, column in enumerate(columns)]
        self._rows = 0
        self._size = 0
        self._file = GatedFile(sink)
        with self._file.passing():
            self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
            for name, part in PARTS.items():
                with self._zip.open(name, "w") as member:  # writestr would note the time: the same table, other bytes
                    member.write(part.encode())
            self._sheet = self._zip.open(SHEET, "w")
            self._print(SHEET_START.encode())
            if has_header:
                self._print_header()

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows."""
        for frame in frames(batch, self._columns, _CELL_SIZE * len(self._columns), piece_size=_PIECE_SIZE):
            self._check(frame)
            with self._file.passing():
                self._print(self._xml(frame, self._cells))
            self._rows += frame.height

    def close(self, counts: Counts) -> None:
        """Prints the end of the sheet, and the directory without which nothing can be read."""
        with self._file.passing():
            self._print(SHEET_END.encode())
            self._sheet.close()
            self._zip.close()

    def _print(self, xml: bytes) -> None:
        self._size += len(xml)
        if self._size > MAX_SHEET_SIZE:
            raise TableFault(f"a sheet has at most {MAX_SHEET_SIZE:,} bytes of XML, which the table passes")
        self._sheet.write(xml)

    def _print_header(self) -> None:
        internals = [column.internal for column in self._columns]
        names = unique_names([column.name for column in self._columns])
        header = pl.DataFrame([names], schema=dict.fromkeys(internals, pl.String), orient="row")
        self._print(self._xml(header, [cells(OutColumn("", name), index) for index, name in enumerate(internals)]))
        self._rows = 1

    def _xml(self, frame: pl.DataFrame, row: Sequence[pl.Expr]) -> bytes:
        """The rows, with line ends between the cells: Polars writes columns far quicker than it joins them."""
        numbers = pl.int_range(self._rows + 1, self._rows + frame.height + 1, dtype=pl.UInt32)
        numbered = escaped(frame).with_columns(numbers.cast(pl.String).alias(ROW))
        start = pl.format('<row r="{}">', pl.col(ROW)).alias("start")
        xml = io.BytesIO()
        numbered.select(start, *row, pl.lit("</row>").alias("end")).write_csv(
            xml, include_header=False, quote_style="never", separator="\n"
        )
        return xml.getvalue()

    def _check(self, frame: pl.DataFrame) -> None:
        """Raises TableFault if the rows are too many, or one of their texts too long."""
        if self._rows + frame.height > MAX_ROWS:
            raise TableFault(f"a sheet has at most {MAX_ROWS:,} rows, and the table has more")
        for column in self._columns:
            text = frame[column.internal]
            long = text.filter(text.str.len_bytes() > MAX_TEXT)
            if any(len(value.encode("utf-16-le")) > 2 * MAX_TEXT for value in long):
                raise TableFault(f"a cell has at most {MAX_TEXT:,} characters; one in {column.name!r} has more")
