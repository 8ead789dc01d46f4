"""How a table is written is found out, or believed; whatever it is, its values are the same."""

import gzip
import zlib

import pyarrow as pa
import pytest

from fileserver.tables import EncodingFault, HeaderFault, PlanFault
from fileserver.tables.plan import Input
from tests.tables.engine.reading import read_table

_ROWS = [("007", "Köln"), ("1e5", "a,b"), ("", 'said "hi"'), ("12345678901234567890", "two\nlines")]


@pytest.mark.parametrize(
    ("table", "told", "described"),
    [
        pytest.param(b"id,city\n1,2\n", {}, (",", "utf-8", "lf"), id="plain"),
        pytest.param(b"\xef\xbb\xbfid;city\r\n1;2,5\r\n", {}, (";", "utf-8", "crlf"), id="excel-with-semicolons"),
        pytest.param(b"sep=|\r\nid|city\r\n1|2\r\n", {}, ("|", "utf-8", "crlf"), id="excel's-hint"),
        pytest.param(b"id\tcity\n1,2,3\t2\n", {}, ("\t", "utf-8", "lf"), id="tabs"),
        pytest.param("id;city\n1;Köln\n".encode("cp1252"), {}, (";", "cp1252", "lf"), id="cp1252"),
        pytest.param("id,city\n1,Köln\n".encode("utf-16"), {}, (",", "utf-16", "lf"), id="utf-16"),
        pytest.param("id,city\n1,Köln\n".encode("utf-16-be"), {}, (",", "utf-16-be", "lf"), id="utf-16-without-mark"),
        pytest.param("id,city\n1,Köln\n".encode("utf-32"), {}, (",", "utf-32", "lf"), id="utf-32"),
        pytest.param("id,city\n1,Łódź\n".encode("cp1250"), {"encoding": "cp1250"}, (",", "cp1250", "lf"), id="told"),
        pytest.param(b'id,"a;b;c;d"\n1,2\n', {}, (",", "utf-8", "lf"), id="delimiters-in-quotes"),
        pytest.param(b"id^city\n1^2\n", {"delimiter": "^"}, ("^", "utf-8", "lf"), id="told-delimiter"),
        pytest.param(b"id,city\n1,K\xf6", {}, (",", "cp1252", "lf"), id="cp1252-to-the-last-byte"),
        pytest.param("id,city\n1,\ufffd\n".encode(), {}, (",", "utf-8", "lf"), id="a-replacement-character"),
        pytest.param(b"#a,b\n" * 9 + b"id;city\n1;2\n", {"comment": "#"}, (";", "utf-8", "lf"), id="comments"),
        pytest.param(b"id;city\n1;|a,b|\n", {"quote": "|"}, (";", "utf-8", "lf"), id="a-quote-that-could-delimit"),
        pytest.param(b"a b\n1 2\n", {}, (",", "utf-8", "lf"), id="one-column"),
        pytest.param(b"sep=;\na;b\n1;2\n", {"delimiter": ";"}, (";", "utf-8", "lf"), id="excel's-hint-and-told"),
        pytest.param(
            "a,b\n1,ö\n".encode("utf-16-le"), {"encoding": "utf-16"}, (",", "utf-16-le", "lf"), id="told-utf16"
        ),
    ],
)
def test_the_dialect_is_found(table: bytes, told: dict[str, str], described: tuple[str, str, str]) -> None:
    read = read_table(table, Input.model_validate(told))
    found = read.beginning.described()
    assert (found["delimiter"], found["encoding"], found["line_ending"]) == described
    assert read.pump.fault is None
    assert len(read.rows) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_values_are_the_same_in_every_encoding(encoding: str, line_end: str) -> None:
    cells = [("id", "city"), *(tuple(f'"{value.replace(chr(34), 2 * chr(34))}"' for value in row) for row in _ROWS)]
    text = "".join(",".join(row) + line_end for row in cells)
    read = read_table(text.encode(encoding), Input(encoding=encoding))
    assert (read.rows, read.pump.fault) == (_ROWS, None)


def test_lines_may_end_in_either_way_in_one_table() -> None:
    read = read_table(b'a,b\r\n1,2\n3,"x\r\ny"\r\n5,6')
    assert (read.rows, read.pump.fault) == ([("1", "2"), ("3", "x\r\ny"), ("5", "6")], None)


def test_a_table_without_a_header_has_numbered_columns_and_all_its_rows() -> None:
    read = read_table(b"1,2\n3,4\n", Input(header=False))
    assert (read.beginning.names, read.rows) == (("column1", "column2"), [("1", "2"), ("3", "4")])


def test_columns_may_be_named_by_the_plan() -> None:
    assert read_table(b"a,b\n1,2\n", Input(columns=("x", "y"))).beginning.names == ("x", "y")
    read = read_table(b"1,2\n", Input(columns=("x", "y"), header=False))
    assert (read.beginning.names, read.rows) == (("x", "y"), [("1", "2")])
    with pytest.raises(PlanFault, match="2 columns, not 1"):
        read_table(b"a,b\n1,2\n", Input(columns=("x",)))


def test_names_may_be_empty_doubled_and_differ_in_case_alone() -> None:
    assert read_table(b'id,ID,,id,"a ""b"""\n1,2,3,4,5\n').beginning.names == ("id", "ID", "", "id", 'a "b"')


def test_lines_above_the_header_are_skipped_and_counted_as_lines() -> None:
    read = read_table(b'made by "us\non a day\na,b\n1,2\n3\n', Input(skip_rows=2, on_bad_row="skip"))
    assert (read.beginning.names, read.rows) == (("a", "b"), [("1", "2")])
    assert read_table(b"x\n\n\na,b\n1\n", Input(skip_rows=1)).pump.fault.line == 5  # type: ignore[union-attr]


def test_comments_are_no_rows_wherever_they_stand() -> None:
    table = b'# "one\na,b\n# two\n1,2\n#three,"\n3,"x\n# no comment"\n'
    read = read_table(table, Input(comment="#"))
    assert (read.beginning.names, read.rows) == (("a", "b"), [("1", "2"), ("3", "x\n# no comment")])
    assert read.pump.counts().rows_in == 2


def test_five_thousand_columns() -> None:
    header = ",".join(f"c{number}" for number in range(5000))
    read = read_table(f"{header}\n{','.join('x' * 5000)}\n".encode())
    assert (len(read.beginning.names), len(read.rows[0])) == (5000, 5000)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"", "empty"),
        (b"\n\r\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b'"a,b\n1,2\n', "a quote is never closed"),
        (b'a"b,c\n1,2\n', "a quote stands inside"),
        (b"a\0,b\n1,2\n", "a NUL"),
        (b'"' + b"x" * 10_000_000 + b'",b\n1,2\n', "longer than 1048576 bytes"),
        (b"a," * 16_384 + b"a\n", "16385 columns"),
        (b"PK\x03\x04rest of a workbook\n", "an Excel file"),
    ],
)
def test_a_table_without_a_usable_header_is_refused(table: bytes, reason: str) -> None:
    with pytest.raises(HeaderFault) as caught:
        read_table(table)
    assert reason in caught.value.reason


def test_a_field_of_ten_megabytes_is_refused_by_its_line() -> None:
    read = read_table(b'a,b\n1,2\n"' + b"x" * 10_000_000 + b'",4\n')
    assert read.pump.fault is not None
    told = read.pump.fault.as_message()
    assert (told["code"], told["row"], told["line"]) == ("malformed-row", 2, 3)
    assert "longer than 1048576 bytes" in told["reason"]
    assert len(told["raw"]) <= 1000


def test_what_is_no_text_in_its_encoding_is_refused_by_its_offset() -> None:
    table = b"a,b\n" + b"1,2\n" * 100_000 + b"\x81,2\n"
    read = read_table(table, Input(encoding="cp1252"))
    assert isinstance(read.pump.fault, EncodingFault)
    assert read.pump.fault.offset == len(table) - 4


def test_a_damaged_character_is_a_damaged_row_and_not_another_encoding() -> None:
    read = read_table("a,b\nKöln,Żółć\n".encode() + b"\xff,2\n3,4\n", Input(on_bad_row="skip"))
    assert read.beginning.encoding == "utf-8"
    assert (read.rows, read.pump.counts().rows_rejected) == ([("Köln", "Żółć"), ("3", "4")], 1)


def test_a_table_with_one_letter_in_utf_8_is_no_other_encoding_however_much_is_damaged() -> None:
    rows = "301,Köln\n".encode() + "303,Müller\n304,Böhm\n".encode("cp1252")
    read = read_table(b"a,b\n" + b"1,plain\n" * 300 + rows, Input(on_bad_row="skip"))
    assert (read.rows[-1], read.pump.counts().rows_rejected) == (("301", "Köln"), 2)


@pytest.mark.parametrize("encoding", ["nonsense", "base64", "zlib", "../../etc/passwd"])
def test_an_encoding_that_nobody_knows_is_a_fault_of_the_plan(encoding: str) -> None:
    with pytest.raises(PlanFault):
        read_table(b"a,b\n1,2\n", Input(encoding=encoding))


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_packed_tables_are_unpacked_whether_it_was_said_or_not(coding: str) -> None:
    rows = b"".join(b"%d,x\n" % number for number in range(100_000))
    members = gzip.compress(b"a,b\n") + gzip.compress(rows)
    read = read_table(members, coding=coding)
    assert (len(read.rows), read.rows[-1], read.pump.fault) == (100_000, ("99999", "x"), None)
    assert read.pump.counts().bytes_in == len(members)


def test_zstd_is_unpacked() -> None:
    table = b"a,b\n" + b"1,2\n" * 100_000
    assert len(read_table(pa.compress(table, "zstd", asbytes=True), coding="zstd").rows) == 100_000


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_packed_body_that_is_cut_short_is_no_whole_table(coding: str) -> None:
    rows = b"a,b\n" + b"".join(b"%d,x\n" % (number * 7919) for number in range(200_000))
    packed = pa.compress(rows, coding, asbytes=True)
    assert isinstance(read_table(packed[:-20], coding=coding).pump.fault, EncodingFault)


def test_a_bomb_is_refused_after_as_much_as_any_body_may_unpack_to() -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(b"a,b\n") + packer.compress(b"1,2\n" * 50_000_000) + packer.flush()
    fault = read_table(bomb, coding="gzip").pump.fault
    assert isinstance(fault, EncodingFault)
    assert "500 times" in fault.reason


def test_what_stands_above_the_header_may_be_long() -> None:
    comment = b"#" + b"x" * 5_000_000 + b"\n"
    read = read_table(comment + b"\n" * 300_000 + b"#\n" * 300_000 + b"a,b\n1\n", Input(comment="#", on_bad_row="skip"))
    assert (read.beginning.names, read.beginning.blank_lines, read.beginning.line) == (("a", "b"), 300_000, 600_003)
    read = read_table(b"x\n" * 600_000 + b"y" * 5_000_000 + b"\na,b\n1,2\n", Input(skip_rows=600_001))
    assert (read.beginning.names, read.beginning.line, read.rows) == (("a", "b"), 600_003, [("1", "2")])
