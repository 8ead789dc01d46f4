"""Workbooks as they leave, read by the letter of ECMA-376."""

import gc
import io
import itertools
import re
import zipfile
from typing import TypeAlias
from xml.etree import ElementTree as ET

import pytest

from fileserver.tables.engine.formats import writer, xlsx
from fileserver.tables.engine.formats.cells import letters
from fileserver.tables.engine.shape import OutColumn, Shape
from fileserver.tables.faults import TableFault
from fileserver.tables.plan import Output
from tests.tables.engine.printing import VALUES, Row, batch_of, printed, texts

XLSX = Output(format="xlsx")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Cell: TypeAlias = tuple[str, str]  # its kind and its value


def test_every_pair_of_values_comes_back() -> None:
    pairs = list(itertools.product(VALUES, VALUES))
    cells = _cells(printed(XLSX, texts("a", "b"), pairs))
    expected = {"A1": ("inlineStr", "a"), "B1": ("inlineStr", "b")}
    for number, row in enumerate(pairs, start=2):
        expected |= {
            f"{letter}{number}": ("inlineStr", value)
            for letter, value in zip("AB", row, strict=True)
            if value is not None
        }
    assert cells == expected


@pytest.mark.parametrize(
    ("kind", "text", "cell"),
    [
        ("BIGINT", "-5", ("n", "-5")),
        ("BIGINT", "999999999999999", ("n", "999999999999999")),
        ("BIGINT", "1000000000000000", ("inlineStr", "1000000000000000")),
        ("HUGEINT", "12345678901234567890", ("inlineStr", "12345678901234567890")),
        ("DECIMAL(18,2)", "1.10", ("n", "1.10")),
        ("DECIMAL(18,2)", "1234567890123456.78", ("inlineStr", "1234567890123456.78")),
        ("DOUBLE", "1e+20", ("n", "1e+20")),
        ("DOUBLE", "nan", ("inlineStr", "nan")),
        ("BOOLEAN", "true", ("b", "1")),
        ("BOOLEAN", "false", ("b", "0")),
        ("DATE", "2024-02-29", ("date", "45351")),
        ("DATE", "1900-03-01", ("date", "61")),
        ("DATE", "9999-12-31", ("date", "2958465")),
        ("DATE", "1900-02-28", ("inlineStr", "1900-02-28")),
        ("DATE", "0044-03-15 (BC)", ("inlineStr", "0044-03-15 (BC)")),
        ("TIMESTAMP", "2024-02-29 01:02:03.000004", ("inlineStr", "2024-02-29 01:02:03.000004")),
        ("VARCHAR", "5", ("inlineStr", "5")),
    ],
)
def test_typed_columns_hold_what_excel_keeps_exactly(kind: str, text: str, cell: Cell) -> None:
    table = printed(Output(format="xlsx", header=False), [OutColumn("v", "c0", kind)], [(None,), (text,)])
    assert _cells(table) == {"A2": cell}


def test_the_header_is_there_for_no_rows_and_names_are_numbered() -> None:
    cells = _cells(printed(XLSX, texts("a", "a", "", "=1"), []))
    assert [value for _, value in cells.values()] == ["a", "a_2", "", "=1"]


def test_a_table_without_a_header_begins_with_its_rows() -> None:
    assert _cells(printed(XLSX, texts("a"), [("x",)], Shape(has_header=False))) == {"A1": ("inlineStr", "x")}


def test_the_same_table_makes_the_same_bytes() -> None:
    assert printed(XLSX, texts("a"), [("x",)]) == printed(XLSX, texts("a"), [("x",)])


def test_the_zip_is_whole_and_names_all_its_parts() -> None:
    with zipfile.ZipFile(io.BytesIO(printed(XLSX, texts("a"), [("x",)]))) as book:
        assert book.testzip() is None
        for name in book.namelist():
            ET.fromstring(book.read(name))
        types = book.read("[Content_Types].xml").decode()
        assert set(re.findall(r'PartName="/([^"]+)"', types)) < set(book.namelist())


@pytest.mark.parametrize(
    ("text", "is_too_long"),
    [("x" * 32_767, False), ("x" * 32_768, True), ("é" * 32_767, False), ("😀" * 16_383, False), ("😀" * 16_384, True)],
)
def test_a_cell_holds_so_many_utf_16_units(text: str, is_too_long: bool) -> None:
    if is_too_long:
        with pytest.raises(TableFault, match="32,767"):
            printed(XLSX, texts("a"), [(text,)])
    else:
        assert _cells(printed(XLSX, texts("a"), [(text,)]))["A2"] == ("inlineStr", text)


def test_a_sheet_holds_so_many_columns() -> None:
    names = list(map(str, range(xlsx.MAX_COLUMNS)))
    assert f"{letters(xlsx.MAX_COLUMNS - 1)}1" in _cells(printed(XLSX, texts(*names), []))
    with pytest.raises(TableFault, match="16,384 columns"):
        printed(XLSX, texts(*names, "x"), [])


def test_a_sheet_holds_so_many_rows() -> None:
    columns = texts("a")
    rows: list[Row] = [(None,)] * (xlsx.MAX_ROWS - 1)
    table = writer(XLSX, columns, Shape(), lambda piece: None)
    table.write(batch_of(columns, rows))
    with pytest.raises(TableFault, match="1,048,576 rows"):
        table.write(batch_of(columns, [(None,)]))


def test_what_is_not_closed_is_never_finished() -> None:
    pieces: list[bytes] = []
    _begin(pieces)
    before = len(pieces)
    gc.collect()
    assert len(pieces) == before
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(pieces)))


def _begin(pieces: list[bytes]) -> None:
    """A table that is written and thrown away."""
    columns = texts("a")
    table = writer(XLSX, columns, Shape(), pieces.append)
    table.write(batch_of(columns, [(str(index),) for index in range(100_000)]))


def _cells(table: bytes) -> dict[str, Cell]:
    """The cells by their places."""
    with zipfile.ZipFile(io.BytesIO(table)) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    return {cell.attrib["r"]: _cell(cell) for cell in sheet.iter(f"{MAIN}c")}


def _cell(cell: ET.Element) -> Cell:
    if cell.get("t") == "inlineStr":
        text = cell.findtext(f"{MAIN}is/{MAIN}t") or ""
        return "inlineStr", re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
    kind = "date" if cell.get("s") == "1" else cell.get("t", "n")
    return kind, cell.findtext(f"{MAIN}v") or ""
