"""What outputs are called, and that nothing is loaded late: a sandboxed worker finds no modules any more."""

import subprocess
import sys
from typing import Any

import pytest

from fileserver.tables.media_types import file_extension, media_type
from fileserver.tables.plan import Output


@pytest.mark.parametrize(
    ("plan", "has_header", "name", "extension"),
    [
        ({}, True, "text/csv; charset=utf-8; header=present", "csv"),
        ({}, False, "text/csv; charset=utf-8; header=absent", "csv"),
        ({"header": True}, False, "text/csv; charset=utf-8; header=present", "csv"),
        ({"header": False}, True, "text/csv; charset=utf-8; header=absent", "csv"),
        ({"encoding": "cp1252"}, True, "text/csv; charset=windows-1252; header=present", "csv"),
        ({"encoding": "latin1"}, True, "text/csv; charset=iso-8859-1; header=present", "csv"),
        ({"encoding": "utf_16"}, True, "text/csv; charset=utf-16; header=present", "csv"),
        ({"encoding": "utf-8-sig"}, True, "text/csv; charset=utf-8; header=present", "csv"),
        ({"format": "tsv"}, True, "text/tab-separated-values; charset=utf-8", "tsv"),
        ({"format": "ndjson"}, True, "application/x-ndjson", "ndjson"),
        ({"format": "json"}, True, "application/json", "json"),
        ({"format": "parquet"}, True, "application/vnd.apache.parquet", "parquet"),
        ({"format": "arrow"}, True, "application/vnd.apache.arrow.stream", "arrows"),
        ({"format": "xlsx"}, True, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ],
)
def test_outputs_have_names(plan: dict[str, Any], has_header: bool, name: str, extension: str) -> None:
    output = Output.model_validate(plan)
    assert media_type(output, has_header=has_header) == name
    assert file_extension(output) == extension


def test_an_unknown_encoding_breaks_out_of_no_header() -> None:
    assert media_type(Output(encoding='x"; y\r\nz')) == "text/csv; charset=xyz; header=present"


_LATE = """
import sys
from fileserver.tables.engine.formats import load_encodings
from fileserver.tables.engine.shape import OutColumn
from fileserver.tables.plan import Output
from tests.tables.engine.printing import printed

load_encodings()
before = set(sys.modules)
kinds = ("VARCHAR", "BIGINT", "DECIMAL(9,2)", "DOUBLE", "DATE", "BOOLEAN")
columns = [OutColumn(f"n{index}", f"c{index}", kind) for index, kind in enumerate(kinds)]
rows = [("=1", "1", "1.10", "nan", "2024-02-29", "true"), (None,) * 6, ("NULL", *[None] * 5)]
for plan in (
    *({"format": name} for name in ("csv", "tsv", "ndjson", "json", "xlsx")),
    *({"quote_style": style} for style in ("necessary", "always", "non_numeric", "never")),
    *({"encoding": encoding} for encoding in ("utf-16", "gb18030", "cp1252", "shift_jis")),
    {"null_value": "NULL", "formula_guard": "quote"},
):
    printed(Output.model_validate(plan), columns, rows)
for name in ("parquet", "arrow"):
    printed(Output(format=name), columns[:1], [row[:1] for row in rows])
print(*sorted(set(sys.modules) - before))
"""


def test_no_writer_loads_a_module_late() -> None:
    run = subprocess.run([sys.executable, "-c", _LATE], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == ""
