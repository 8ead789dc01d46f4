"""Delimiters, headers, line ends, byte order marks; and values that nobody touches stay as they are."""

import pytest

from fileserver.tables import Engine, HeaderFault, parse_plan
from fileserver.tables.dialect import Dialect, beginning_of
from tests.tables.running import counts_of, output_of, run

_NASTY = (
    b"id,name,amount,note\r\n"
    b'007,"Smith, John",1e5,"said ""hi"""\r\n'
    b'12345678901234567890, padded ,"",\r\n'
    b'-0.0,"two\r\nlines",1.50,"needless"\r\n' + "042,Żółć,٣,😀\r\n".encode() + b'NULL," x ","lone\rreturn",""""\r\n'
)


def test_nothing_asked_nothing_changed() -> None:
    assert output_of(_NASTY) == _NASTY


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_the_portions_that_bytes_come_in_change_nothing(size: int) -> None:
    portions = [_NASTY[start : start + size] for start in range(0, len(_NASTY), size)]
    parameters = {"select": "note,id", "filter": "id != 5"}
    assert run(portions, parameters) == run([_NASTY], parameters)


def test_chosen_cells_keep_their_bytes() -> None:
    assert output_of(_NASTY, {"select": "note,name", "limit": "3"}) == (
        b'note,name\r\n"said ""hi""","Smith, John"\r\n, padded \r\n"needless","two\r\nlines"\r\n'
    )


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("a,b", ","),
        ("a;b", ";"),
        ("a\tb", "\t"),
        ("a|b", "|"),
        ('"x,y,z";b', ";"),
        ("a;b,c;d", ";"),
        ("\ufeffa;b", ";"),
        ("\n\r\na|b", "|"),
        ("a,b;c,d;e", ","),
        ("a b", ","),
        ('"a;b\nc;d', ","),
    ],
)
def test_the_delimiter_is_the_most_frequent_in_the_first_line(header: str, delimiter: str) -> None:
    beginning = beginning_of(header.encode(), Dialect(), max_size=100, is_all=True)
    assert beginning is not None
    assert beginning.delimiter == delimiter.encode()


def test_a_given_delimiter_is_used_whatever_the_line_looks_like() -> None:
    assert output_of(b"a;b,c\n1;2,3\n", {"delimiter": ",", "select": "c"}) == b"c\n3\n"


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_byte_order_mark_is_no_part_of_the_first_name(size: int) -> None:
    table = "\ufeffid,b\n1,2\n".encode()
    portions = [table[start : start + size] for start in range(0, len(table), size)]
    assert run(portions, {"select": "id"})[0] == b"id\n1\n"


def test_the_output_takes_the_line_end_of_the_first_record() -> None:
    assert output_of(b"a,b\r\n1,2\n3,4\r\n") == b"a,b\r\n1,2\r\n3,4\r\n"
    assert output_of(b"a,b\n1,2\r\n3,4\n") == b"a,b\n1,2\n3,4\n"
    assert output_of(b'"a\nx",b\r\n1,2\n') == b'"a\nx",b\r\n1,2\r\n'


@pytest.mark.parametrize("table", [b"a,b\n1,2", b"a,b", b"a\n1\n\n", b"a\n\n1", b"a,b\r\n1,2", b'a,b\n1,"2"'])
def test_a_missing_last_line_end_stays_missing(table: bytes) -> None:
    assert output_of(table) == table


def test_a_missing_last_line_end_goes_with_its_row() -> None:
    assert output_of(b"a\n1\n2", {"filter": "a = 1"}) == b"a\n1\n"
    assert output_of(b"a\n1\n2", {"filter": "a = 2"}) == b"a\n2"


def test_without_a_header_columns_are_numbered() -> None:
    table = b"1,2\n3,4\n"
    assert output_of(table, {"header": "false", "select": "column2"}) == b"2\n4\n"
    assert output_of(table, {"header": "false", "output_header": "true"}) == b"column1,column2\n1,2\n3,4\n"
    assert output_of(b"1,2", {"header": "false", "output_header": "true"}) == b"column1,column2\n1,2"
    assert output_of(table, {"output_header": "false"}) == b"3,4\n"


def test_a_new_delimiter_quotes_what_now_needs_it_and_nothing_else() -> None:
    table = b'a;x,b,c\n"q",p;q,"r;s"\n"u,v",,""\n'
    expected = b'"a;x";b;c\n"q";"p;q";"r;s"\n"u,v";;""\n'
    assert output_of(table, {"output_delimiter": ";", "delimiter": ","}) == expected


def test_blank_lines_are_skipped_and_counted_apart() -> None:
    output, counts = run([b"\n\r\na,b\n\n1,2\n\r\n\n3,4\n\n"])
    assert output == b"a,b\n1,2\n3,4\n"
    assert (counts.rows_in, counts.rows_out, counts.blank_lines) == (2, 2, 6)


def test_in_one_column_a_blank_line_is_an_empty_value() -> None:
    output, counts = run([b"a\n\n1\n\n"])
    assert output == b"a\n\n1\n\n"
    assert (counts.rows_in, counts.blank_lines) == (3, 0)


@pytest.mark.parametrize("table", [b"", b"\n", b"\r\n\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_table_has_no_header(table: bytes) -> None:
    for has_header in ("true", "false"):
        with pytest.raises(HeaderFault):
            output_of(table, {"header": has_header})


@pytest.mark.parametrize(
    "header", [b'a"b,c', b'"a"b,c', b"a\xff,b", b"a\0,b", b"a\rb,c", b'"never closed', b"\xef\xbb"]
)
def test_a_malformed_header_is_a_fault_even_where_rows_are_skipped(header: bytes) -> None:
    with pytest.raises(HeaderFault):
        output_of(header + b"\n1,2\n", {"on_error": "skip"})


def test_a_header_longer_than_a_record_may_be_is_a_fault() -> None:
    with pytest.raises(HeaderFault):
        run([b"a" * 700_000, b"a" * 700_000])


def test_five_thousand_columns_are_fine() -> None:
    names = [f"c{number}" for number in range(5000)]
    table = "\n".join([",".join(names), ",".join(["x"] * 5000), ""]).encode()
    assert output_of(table, {"select": "c4999,c0", "filter": "c2500 = 'x'"}) == b"c4999,c0\nx,x\n"


def test_every_row_is_counted_once() -> None:
    counts = counts_of(b"a,b\n1,2\n3\n\n4,5\n", {"on_error": "skip", "filter": "a < 2"})
    assert (counts.rows_out, counts.rows_filtered, counts.rows_rejected, counts.blank_lines) == (1, 1, 1, 1)
    assert counts.rows_in == 3


def test_the_delimiter_is_found_in_the_whole_first_record() -> None:
    assert output_of(b'"n\nl";x\n1;2\n', {"select": "x"}) == b"x\n2\n"


def test_a_cell_that_comes_in_crumbs_is_not_read_again_for_each() -> None:
    cell = b'"' + b"x" * 900_000 + b'"'
    crumbs = [cell[start : start + 16] for start in range(0, len(cell), 16)]
    assert run([b"a\n", *crumbs, b"\n"])[0] == b"a\n" + cell + b"\n"


@pytest.mark.parametrize(
    "crumbs", [[b"\n"], [b'\n"', b"\n"], [b'""\n', b'y"', b"\n"], [b'",', b'""', b"\n"], [b'"\r', b"\n"]]
)
def test_a_long_record_leaves_as_soon_as_it_ends(crumbs: list[bytes]) -> None:
    start = b"3,4" + b"x" * 100_000 if crumbs == [b"\n"] else b'"' + b"x" * 100_000
    engine = Engine(parse_plan([("header", "false")]))
    assert list(engine.feed(start)) == []
    pieces = [b"".join(engine.feed(crumb)) for crumb in crumbs]
    assert pieces == [*[b""] * (len(crumbs) - 1), start + b"".join(crumbs)]
