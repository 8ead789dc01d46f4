"""Tables of texts, printed in a format, and CSV read by a plain reader that knows a null from an empty text."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from fileserver.tables.counts import Counts
from fileserver.tables.engine.formats import writer
from fileserver.tables.engine.shape import OutColumn, Shape
from fileserver.tables.plan import Output

Row: TypeAlias = Sequence[str | None]

VALUES: tuple[str | None, ...] = (
    *(
        None,
        "",
        " ",
        "a",
        " a ",
        'a"b',
        '"',
        '""',
        "a,b",
        ";",
        "|",
        "\t",
        "\n",
        "\r",
        "a\r\nb",
        "\0",
        "x\0y",
        "\x1f",
        "\x7f",
    ),
    *(
        "\x85",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "é",
        "東京",
        "😀",
        "👩\u200d🚀",
        "'",
        "\\",
        "\\N",
        "#",
        "007",
        "1e5",
        ".5",
        "-0.00",
    ),
    *(
        "12345678901234567890",
        "NULL",
        "nan",
        "true",
        "=1+1",
        "-5",
        "+49 1",
        "@a",
        "_x0041_x0042_",
        "<b>&amp;]]>",
        "{}",
        "[1]",
    ),
)


def texts(*names: str) -> list[OutColumn]:
    """Columns of text of these names."""
    return [OutColumn(name, f"c{index}") for index, name in enumerate(names)]


def printed(
    output: Output,
    columns: Sequence[OutColumn],
    rows: Iterable[Row],
    shape: Shape | None = None,
    *,
    batch_size: int = 50,
) -> bytes:
    """The whole output of a table whose rows come in batches."""
    pieces: list[bytes] = []
    table = writer(output, columns, shape or Shape(), pieces.append)
    whole = list(rows)
    for start in range(0, len(whole), batch_size):
        table.write(batch_of(columns, whole[start : start + batch_size]))
    table.close(Counts(rows_in=len(whole), rows_out=len(whole)))
    return b"".join(pieces)


def batch_of(
    columns: Sequence[OutColumn], rows: Sequence[Sequence[Any]], kinds: Sequence[pa.DataType] = ()
) -> pa.RecordBatch:
    """The rows as a batch; of texts, unless kinds are named."""
    kinds = kinds or [pa.string()] * len(columns)
    arrays = [pa.array([row[index] for row in rows], kind) for index, kind in enumerate(kinds)]
    return pa.RecordBatch.from_arrays(arrays, names=[column.internal for column in columns])


def read_csv(text: str, delimiter: str = ",", null: str = "") -> list[list[str | None]]:
    """The records; a bare cell that reads `null` is None, and one with a quote or a line end in it is refused."""
    records: list[list[str | None]] = [[]]
    place = 0
    value: str | None
    while place < len(text):
        if text[place] == '"':
            value, place = _quoted_at(text, place + 1)
        else:
            start = place
            while text[place] != delimiter and text[place] not in "\r\n":
                assert text[place] != '"', "a quote in a bare cell"
                place += 1
            value = text[start:place] if text[start:place] != null else None
        records[-1].append(value)
        if text[place] == delimiter:
            place += 1
            continue
        place += 2 if text.startswith("\r\n", place) else 1
        records.append([])
    return records[:-1]


def _quoted_at(text: str, place: int) -> tuple[str, int]:
    value = ""
    while True:
        end = text.index('"', place)
        value += text[place:end]
        if not text.startswith('""', end):
            return value, end + 1
        value, place = value + '"', end + 2
