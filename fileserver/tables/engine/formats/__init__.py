"""Formats: batches of rows in, bytes of one format out, as they come."""

from collections.abc import Sequence

from fileserver.tables.engine.formats.columnar import ArrowWriter, ParquetWriter
from fileserver.tables.engine.formats.contract import Sink, Writer
from fileserver.tables.engine.formats.delimited import DelimitedWriter
from fileserver.tables.engine.formats.encodings import load_encodings
from fileserver.tables.engine.formats.ndjson import JsonWriter, NdjsonWriter
from fileserver.tables.engine.formats.xlsx import XlsxWriter
from fileserver.tables.engine.shape import OutColumn, Shape
from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Output

__all__ = ["Sink", "Writer", "load_encodings", "writer"]


def writer(output: Output, columns: Sequence[OutColumn], dialect: Shape, sink: Sink) -> Writer:
    """The writer of the output's format; raises PlanFault for what the format does not have.

    What stands before the rows goes to the sink at once, so that a table of no rows has it too.
    """
    _check(output)
    match output.format:
        case "csv" | "tsv":
            return DelimitedWriter(output, columns, dialect, sink)
        case "ndjson":
            return NdjsonWriter(output, columns, sink)
        case "json":
            return JsonWriter(columns, sink)
        case "parquet":
            return ParquetWriter(columns, sink)
        case "arrow":
            return ArrowWriter(columns, sink)
        case "xlsx":
            return XlsxWriter(columns, sink, has_header=dialect.has_header if output.header is None else output.header)


def _check(output: Output) -> None:
    """Raises PlanFault for a wish that would pass unheard: who asked for it would count on it."""
    is_delimited = output.format in ("csv", "tsv")
    if not is_delimited and output.encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise PlanFault(f"{output.format} has no other encoding than UTF-8", "output.encoding")
    if not is_delimited and output.bom:
        raise PlanFault(f"{output.format} has no byte order mark", "output.bom")
    if output.end_record and output.format != "ndjson":
        raise PlanFault("only ndjson has a record at its end", "output.end_record")
