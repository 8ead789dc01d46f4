"""NDJSON and JSON: an object for each row, all columns in their order.

Texts are strings whatever they look like, an empty cell is null, one in quotes is "". Numbers and booleans stand in
columns of such a type alone, and a number that a double does not hold is a string of all its digits (RFC 8259 s.6): no
reader can damage what it reads. Other types are strings, as in CSV.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

import polars as pl
import pyarrow as pa

from fileserver.tables.counts import Counts
from fileserver.tables.engine.formats.contract import Sink, frames
from fileserver.tables.engine.formats.kinds import exact, is_boolean, is_number
from fileserver.tables.engine.formats.names import unique_names
from fileserver.tables.engine.shape import OutColumn
from fileserver.tables.plan import Output


class NdjsonWriter:
    """Prints an object a line. The last line, if the plan wants one, is `{"end": counts}`: no row holds an object."""

    is_text = True

    def __init__(self, output: Output, columns: Sequence[OutColumn], sink: Sink) -> None:
        self._lines = Lines(columns)
        self._has_end_record = output.end_record
        self._sink = sink

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows."""
        for lines in self._lines.of(batch):
            self._sink(lines)

    def close(self, counts: Counts) -> None:
        """Prints the last record, which says that the table is whole."""
        if self._has_end_record:
            self._sink(json.dumps({"end": asdict(counts)}, separators=(",", ":")).encode() + b"\n")


class JsonWriter:
    """Prints one array; what is torn off lacks its bracket."""

    is_text = True

    def __init__(self, columns: Sequence[OutColumn], sink: Sink) -> None:
        self._lines = Lines(columns)
        self._sink = sink
        self._separator = b"\n"
        self._sink(b"[")

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows, a line each: a line end stands nowhere in JSON's strings."""
        for lines in self._lines.of(batch):
            self._sink(self._separator + lines.removesuffix(b"\n").replace(b"\n", b",\n"))
            self._separator = b",\n"

    def close(self, counts: Counts) -> None:
        """Ends the array."""
        self._sink(b"]\n" if self._separator == b"\n" else b"\n]\n")


class Lines:
    """Turns batches into lines of objects."""

    def __init__(self, columns: Sequence[OutColumn]) -> None:
        names = unique_names([column.name for column in columns])
        self._columns = columns
        self._keys = {column.internal: name for column, name in zip(columns, names, strict=True)}
        self._key_size = sum(len(json.dumps(name)) for name in names)
        self._has_texts_only = not any(map(_is_bare, columns))

    def of(self, batch: pa.RecordBatch) -> Iterator[bytes]:
        """The batch's rows, in pieces of whole lines."""
        for frame in frames(batch, self._columns, self._key_size):
            printed = io.BytesIO()
            if self._has_texts_only:
                frame.rename(self._keys).write_ndjson(printed)
            else:
                lines = frame.select(line=pl.concat_str(self._parts()))
                lines.write_csv(printed, include_header=False, quote_style="never")
            yield printed.getvalue()

    def _parts(self) -> list[pl.Expr]:
        """What makes a line: runs of texts as JSON's own objects without their braces, and bare values between them."""
        parts = [pl.lit("{")]
        for is_bare, run in groupby(self._columns, _is_bare):
            for part in map(self._bare, run) if is_bare else [self._texts(list(run))]:
                parts += [part, pl.lit(",")]
        parts[-1] = pl.lit("}")
        return parts

    def _texts(self, columns: list[OutColumn]) -> pl.Expr:
        members = [pl.col(column.internal).alias(self._keys[column.internal]) for column in columns]
        return pl.struct(members).struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")

    def _bare(self, column: OutColumn) -> pl.Expr:
        text = pl.col(column.internal)
        if is_number(column):
            text = pl.when(exact(column)).then(text).otherwise('"' + text + '"')
        key = json.dumps(self._keys[column.internal], ensure_ascii=False)
        return pl.lit(key + ":") + text.fill_null("null")


def _is_bare(column: OutColumn) -> bool:
    return is_number(column) or is_boolean(column)
