"""CSV and TSV by RFC 4180, with a null kept apart from an empty text: quotes stand around the text alone.

Values leave as they are. Quotes stand where a value needs them, or where the plan wants them, and never around a null.
Only a table of one column prints a null that leaves no mark as `""`: an empty line would be no row at all.
"""

import io
import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

import polars as pl
import pyarrow as pa

from fileserver.tables.counts import Counts
from fileserver.tables.engine.formats.contract import Sink, frames
from fileserver.tables.engine.formats.encodings import BYTE_ORDER_MARK, Encoded
from fileserver.tables.engine.formats.formulas import guarded, guarded_frame
from fileserver.tables.engine.formats.kinds import is_number
from fileserver.tables.engine.shape import OutColumn, Shape
from fileserver.tables.faults import PlanFault, TableFault
from fileserver.tables.plan import Output

_Style: TypeAlias = Literal["necessary", "non_numeric", "never"]
_CELL_SIZE = 8  # bytes that a cell may add to its value, about: a delimiter, quotes, some more doubled


class DelimitedWriter:
    """Prints CSV or TSV."""

    is_text = True

    def __init__(self, output: Output, columns: Sequence[OutColumn], dialect: Shape, sink: Sink) -> None:
        self._columns = columns
        self._internals = [column.internal for column in columns]
        self._output = output
        self._delimiter = _delimiter(output, dialect)
        self._line_end = {"lf": "\n", "crlf": "\r\n", "auto": dialect.line_end}[output.line_ending]
        self._breaking = f"[{re.escape(self._delimiter)}\r\n]"
        self._is_alone = len(columns) == 1
        self._numbers = {column.internal for column in columns if is_number(column)}
        self._rows = 0
        self._has_header = dialect.has_header if output.header is None else output.header
        if re.search(f'{self._breaking}|"', output.null_value):
            raise PlanFault("a null cannot be printed as what needs quotes", "output.null_value")
        self._sink = Encoded(output, sink)
        if self._has_header:
            self._sink(self._header().encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Prints some rows."""
        for rows in frames(batch, self._columns, _CELL_SIZE * len(self._columns)):
            frame = guarded_frame(rows, self._output.formula_guard)
            if self._is_alone and not self._output.null_value:
                frame = frame.fill_null("")
            self._sink(self._printed(frame))
            self._rows += frame.height

    def close(self, counts: Counts) -> None:
        """Prints nothing but what the encoding may need at its end."""
        self._sink.close()

    def _header(self) -> str:
        """The line of names, in quotes as texts are; an empty one is nothing: no name is null."""
        names = [guarded(column.name, self._output.formula_guard) for column in self._columns]
        return self._delimiter.join(map(self._name, names)) + self._line_end

    def _name(self, name: str) -> str:
        style = self._output.quote_style
        if style == "never":
            if re.search(self._breaking, name) or (self._is_alone and not name):
                raise TableFault(f"the column {name!r} cannot be named without quotes, and quote_style is never")
            return name
        is_special = re.search(f'{self._breaking}|"', name) is not None or name.startswith(BYTE_ORDER_MARK)
        if style == "necessary" and not is_special and (name or not self._is_alone):
            return name
        return '"' + name.replace('"', '""') + '"'

    def _printed(self, frame: pl.DataFrame) -> bytes:
        match self._output.quote_style:
            case "never":
                self._check_plain(frame)
                return self._as_csv(frame, "never")
            case "necessary" if not self._has_likeness(frame):
                return self._as_csv(frame, "necessary")
            case "necessary":
                return self._as_csv(frame.select(map(self._quoted_if_needed, self._internals)), "never")
            case "non_numeric" if self._numbers:
                return self._as_csv(frame.select(map(self._quoted_if_text, self._internals)), "never")
            case _:  # Polars quotes what is text by its type, which all is here, and no null
                return self._as_csv(frame, "non_numeric")

    def _as_csv(self, frame: pl.DataFrame, style: _Style) -> bytes:
        printed = io.BytesIO()
        frame.write_csv(
            printed,
            include_header=False,
            separator=self._delimiter,
            line_terminator=self._line_end,
            null_value=self._output.null_value,
            quote_style=style,
        )
        return printed.getvalue()

    def _has_likeness(self, frame: pl.DataFrame) -> bool:
        """Whether a text, printed bare, would be taken for a null or for a byte order mark."""
        if not self._rows and not self._has_header and str(frame.item(0, 0) or "").startswith(BYTE_ORDER_MARK):
            return True
        null = self._output.null_value
        return bool(null) and any((frame[name] == null).any() for name in self._internals)

    def _quoted_if_needed(self, internal: str) -> pl.Expr:
        text = pl.col(internal)
        bare = ["", self._output.null_value]
        needs = text.str.contains(f'{self._breaking}|"|^{BYTE_ORDER_MARK}') | text.is_in(bare)
        return pl.when(needs).then(_quoted(text)).otherwise(text).alias(internal)

    def _quoted_if_text(self, internal: str) -> pl.Expr:
        if internal in self._numbers:
            return self._quoted_if_needed(internal)
        return _quoted(pl.col(internal)).alias(internal)

    def _check_plain(self, frame: pl.DataFrame) -> None:
        """Raises TableFault for a value that would be taken for more than one, or for none."""
        for column in self._columns:
            text = frame[column.internal]
            is_at_fault = text.str.contains(self._breaking)
            if self._is_alone:
                is_at_fault |= text == ""
            row = is_at_fault.index_of(True)
            if row is not None:
                raise TableFault(
                    f"row {self._rows + row + 1} of the output cannot be printed without quotes, which its column "
                    f"{column.name!r} needs, and quote_style is never"
                )


def _quoted(text: pl.Expr) -> pl.Expr:
    quote = pl.lit('"')
    return quote + text.str.replace_all('"', '""', literal=True) + quote


def _delimiter(output: Output, dialect: Shape) -> str:
    if output.format == "tsv":
        return "\t"
    return dialect.delimiter if output.delimiter == "auto" else output.delimiter
