"""CSV as it leaves: every value comes back from readers of other makers as it was."""

import csv
import io
import itertools
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fileserver.tables.engine.formats import writer
from fileserver.tables.engine.shape import OutColumn, Shape
from fileserver.tables.faults import PlanFault, TableFault
from fileserver.tables.plan import Output
from tests.tables.engine.printing import VALUES, batch_of, printed, read_csv, texts

PAIRS = list(itertools.product(VALUES, VALUES))


@pytest.mark.parametrize("style", ["necessary", "always", "non_numeric"])
@pytest.mark.parametrize("delimiter", [",", ";", "tab", "|", " ", "x", "0"])
@pytest.mark.parametrize("line_ending", ["lf", "crlf"])
def test_every_pair_of_values_comes_back(style: Any, delimiter: str, line_ending: Any) -> None:
    output = Output(quote_style=style, delimiter=delimiter, line_ending=line_ending)
    text = printed(output, texts("a", "b"), PAIRS).decode()
    sign = output.delimiter
    assert read_csv(text, sign) == [["a", "b"], *map(list, PAIRS)]
    by_python = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True))
    assert by_python == [["a", "b"], *([one or "", other or ""] for one, other in PAIRS)]


def test_duckdb_reads_every_pair_of_values(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(printed(Output(), texts("a", "b"), PAIRS))
    with duckdb.connect() as connection:
        read = connection.read_csv(
            str(table), header=True, delimiter=",", quotechar='"', all_varchar=True, allow_quoted_nulls=False
        )
        assert read.fetchall() == PAIRS


@pytest.mark.parametrize("null", ["NULL", "\\N", "a", "007", "-"])
@pytest.mark.parametrize("style", ["necessary", "always", "non_numeric"])
def test_a_text_like_the_word_for_null_is_in_quotes(null: str, style: Any) -> None:
    text = printed(Output(null_value=null, quote_style=style), texts("a", "b"), PAIRS).decode()
    records = read_csv(text, null=null)
    assert records[1:] == list(map(list, PAIRS))


@pytest.mark.parametrize("style", ["necessary", "always", "non_numeric"])
def test_a_single_column_loses_no_row(style: Any) -> None:
    text = printed(Output(quote_style=style), texts("a"), [(value,) for value in VALUES]).decode()
    assert read_csv(text) == [["a"], *([value or ""] for value in VALUES)]
    by_python = list(csv.reader(io.StringIO(text, newline="")))
    assert by_python == read_csv(text)


def test_a_single_column_with_a_word_for_null_keeps_nulls_apart() -> None:
    assert printed(Output(null_value="NULL"), texts("a"), [(None,), ("",), ("NULL",)]) == b'a\nNULL\n""\n"NULL"\n'


def test_only_what_needs_quotes_has_them() -> None:
    row = ("007", " a ", "a b", "'", "#", "\\", "é", "1,2", None, "")
    assert printed(Output(), texts(*"abcdefghij"), [row]).split(b"\n")[1] == '007, a ,a b,\',#,\\,é,"1,2",,""'.encode()


def test_always_means_all_values_and_no_null() -> None:
    assert printed(Output(quote_style="always"), texts("a", "b", "c"), [("1", None, "")]) == b'"a","b","c"\n"1",,""\n'


def test_numbers_are_those_of_columns_of_numbers() -> None:
    columns = [OutColumn("n", "c0", "BIGINT"), OutColumn("t", "c1"), OutColumn("d", "c2", "DECIMAL(9,2)")]
    text = printed(
        Output(quote_style="non_numeric"), columns, [("1", "1", "1.10"), (None, None, None), ("2", "", "-1.00")]
    )
    assert text == b'"n","t","d"\n1,"1",1.10\n,,\n2,"",-1.00\n'


def test_a_number_with_the_delimiter_in_it_is_in_quotes() -> None:
    columns = [OutColumn("n", "c0", "DECIMAL(9,2)"), OutColumn("t", "c1")]
    assert (
        printed(Output(quote_style="non_numeric", delimiter="."), columns, [("1.10", "a")]) == b'"n"."t"\n"1.10"."a"\n'
    )


def test_never_prints_quotes_as_they_are() -> None:
    assert printed(Output(quote_style="never", format="tsv"), texts("a", "b"), [('5"', "a,b")]) == b'a\tb\n5"\ta,b\n'


@pytest.mark.parametrize("value", ["a,b", "a\nb", "a\rb"])
def test_never_refuses_what_would_break_its_row(value: str) -> None:
    with pytest.raises(TableFault, match=r"row 2 of the output .* 'b'"):
        printed(Output(quote_style="never"), texts("a", "b"), [("1", "2"), ("3", value)], batch_size=1)


@pytest.mark.parametrize("value", ["", None])
def test_never_refuses_an_empty_line(value: str | None) -> None:
    with pytest.raises(TableFault, match="quote_style"):
        printed(Output(quote_style="never"), texts("a"), [(value,)])


def test_never_refuses_a_name_that_needs_quotes() -> None:
    with pytest.raises(TableFault, match="'a,b'"):
        printed(Output(quote_style="never"), texts("a,b"), [])


@pytest.mark.parametrize(
    ("output", "shape", "expected"),
    [
        (Output(), Shape(), b"a,b\n"),
        (Output(), Shape(";", "\r\n", True), b"a;b\r\n"),
        (Output(), Shape(has_header=False), b""),
        (Output(header=True), Shape(has_header=False), b"a,b\n"),
        (Output(header=False), Shape(), b""),
        (Output(delimiter="|", line_ending="lf"), Shape(";", "\r\n", True), b"a|b\n"),
        (Output(format="tsv"), Shape(";"), b"a\tb\n"),
        (Output(bom=True), Shape(), b"\xef\xbb\xbfa,b\n"),
    ],
)
def test_a_table_of_no_rows_has_its_header(output: Output, shape: Shape, expected: bytes) -> None:
    assert printed(output, texts("a", "b"), [], shape) == expected


def test_the_header_is_there_before_any_row() -> None:
    pieces: list[bytes] = []
    writer(Output(), texts("a"), Shape(), pieces.append)
    assert pieces == [b"a\n"]


@pytest.mark.parametrize("style", ["necessary", "always"])
def test_names_leave_as_they_are_twice_and_empty_ones_too(style: Any) -> None:
    names = ["a", "a", "", "A", 'x"y', "x,y", "x\ny", " "]
    header = printed(Output(quote_style=style), texts(*names), []).decode()
    assert list(csv.reader(io.StringIO(header, newline=""))) == [names]


def test_an_only_name_that_is_empty_is_no_empty_line() -> None:
    assert printed(Output(), texts(""), [("x",)]) == b'""\nx\n'


@pytest.mark.parametrize("shape", [Shape(), Shape(has_header=False)])
def test_a_first_value_that_begins_like_a_byte_order_mark_is_not_taken_for_one(shape: Shape) -> None:
    text = printed(Output(), texts("\ufeffa", "b"), [("\ufeffx", "y")], shape).decode("utf-8-sig")
    assert read_csv(text) == [["\ufeffa", "b"], ["\ufeffx", "y"]][not shape.has_header :]


@pytest.mark.parametrize("null", ['"', ",", "a\nb", "\r"])
def test_a_word_for_null_that_needs_quotes_is_a_fault_of_the_plan(null: str) -> None:
    with pytest.raises(PlanFault) as caught:
        printed(Output(null_value=null), texts("a"), [])
    assert caught.value.field == "output.null_value"


def test_a_batch_without_rows_prints_nothing() -> None:
    pieces: list[bytes] = []
    columns = texts("a")
    table = writer(Output(header=False), columns, Shape(), pieces.append)
    table.write(batch_of(columns, []))
    assert pieces == []


def test_large_batches_leave_in_small_pieces() -> None:
    pieces: list[bytes] = []
    columns = texts("a")
    table = writer(Output(), columns, Shape(), pieces.append)
    table.write(batch_of(columns, [("x" * 1000,)] * 50_000))
    assert max(map(len, pieces)) < 16 * 1024 * 1024
    assert sum(map(len, pieces)) == 2 + 1001 * 50_000


@pytest.mark.parametrize(
    ("text", "is_formula"),
    [
        *(
            (text, True)
            for text in ("=1+1", "+49 1", "-a", "@a", "\t=1", "\rx", "\n", "  =1", "＝1", "-1+1", "--1", "+", "=")
        ),
        *(
            (text, False)
            for text in ("-5", "+3", "-.5", "-5.", "+1e-5", "-1.5E+10", "a=b", "1-2", "", " a", "'=1", "é")
        ),
    ],
)
def test_formulas_are_guarded_and_numbers_are_none(text: str, is_formula: bool) -> None:
    for guard, mark in (("quote", "'"), ("tab", "\t")):
        output = Output(formula_guard=guard)  # type: ignore[arg-type]
        expected = mark + text if is_formula else text
        assert read_csv(printed(output, texts(text, "b"), [(text, "b")]).decode(), null="?") == [[expected, "b"]] * 2
    assert read_csv(printed(Output(), texts("a", "b"), [(text, "b")]).decode(), null="?")[1] == [text, "b"]
