"""What each step does to a table."""

import pytest

from fileserver.tables import Engine, HeaderFault, PlanFault, parse_plan
from tests.tables.running import counts_of, output_of, run

_CITIES = 'id,city,qty\n1,Köln,5\n2,Aachen,\n3,,10\n4,"",007\n5,"Köln",1e1\n'.encode()


@pytest.mark.parametrize(
    ("comparison", "ids"),
    [
        ("qty > 5", "3 4 5"),
        ("qty >= 5", "1 3 4 5"),
        ("qty = 7", "4"),
        ("qty = 10", "3 5"),
        ("qty != 10", "1 4"),
        ("qty < 7.0", "1"),
        ("qty = '7'", ""),
        ("qty = '007'", "4"),
        ("qty = ''", "2"),
        ("qty != ''", "1 3 4 5"),
        ("city = 'Köln'", "1 5"),
        ("city = ''", "3 4"),
        ("city < 'B'", "2 3 4"),
        ("city >= 'Köln'", "1 5"),
        ("city != 0", ""),
        ("id > 1e-400", "1 2 3 4 5"),
        ("id < 99999999999999999999999", "1 2 3 4 5"),
    ],
)
def test_a_filter_keeps_the_rows_that_match(comparison: str, ids: str) -> None:
    kept = output_of(_CITIES, {"filter": comparison, "select": "id", "output_header": "false"})
    assert kept.decode().split() == ids.split()


@pytest.mark.parametrize(
    ("cell", "is_number"),
    [
        ("12345678901234567891", True),
        ("12345678901234567890", False),
        ("12345678901234567890.00000000000000000001", True),
        (" 99999999999999999999\t", True),
        ('"99999999999999999999"', True),
        ("+1e20", True),
        ("1_2345678901234567899", False),
        ("inf", False),
        ("nan", False),
        ("٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩٩", False),
        ("1e999999999999999", True),
        ("1e9999999999999999999", False),
        ("0x99999999999999999999", False),
        ("", False),
        ('""', False),
        ("1e", False),
    ],
)
def test_numbers_compare_exactly_and_the_rest_never_matches(cell: str, is_number: bool) -> None:
    table = f"n\n{cell}\n".encode()
    assert counts_of(table, {"filter": "n > 12345678901234567890"}).rows_out == is_number


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("x", "x"),
        ('"x"', "x"),
        ('""', ""),
        ('"a,b"', "a,b"),
        ('"a;b"', "a;b"),
        ('"two\r\nlines"', "two\r\nlines"),
        ('"5"" pipe"', '5" pipe'),
        ('""""', '"'),
        ('""",\n"""', '",\n"'),
    ],
)
@pytest.mark.parametrize("output_delimiter", [",", ";"])
def test_a_text_compares_with_what_the_quotes_hold(cell: str, text: str, output_delimiter: str) -> None:
    doubled = text.replace('"', '""')
    table = f'a,b\n1,{cell}\n2,"{doubled}?"\n'.encode()
    parameters = {"filter": f"b = '{text}'", "select": "a", "output_delimiter": output_delimiter}
    assert output_of(table, parameters) == b"a\n1\n"


def test_code_points_decide_the_order_of_texts() -> None:
    table = "t\nz\nä\n\uffff\n😀\n".encode()
    assert output_of(table, {"filter": "t > '\uffff'"}) == "t\n😀\n".encode()


def test_all_filters_must_match() -> None:
    table = b"a,b\n1,1\n1,2\n2,2\n"
    assert output_of(table, [("filter", "a = 1"), ("filter", "b = 2")]) == b"a,b\n1,2\n"


def test_select_orders_columns_and_rename_names_them() -> None:
    table = b'id,"name",qty\r\n1,"a ""b""",5\r\n'
    assert output_of(table, {"rename": "name:n,id:ID", "select": "name,id"}) == b'n,ID\r\n"a ""b""",1\r\n'


def test_every_parameter_names_original_columns() -> None:
    table = b"a,b\n1,2\n3,4\n"
    parameters = {"rename": "a:b,b:a", "filter": "a = 3", "select": "b,a"}
    assert output_of(table, parameters) == b"a,b\n4,3\n"


def test_a_column_that_does_not_leave_may_be_renamed_all_the_same() -> None:
    assert output_of(b"a,b\n1,2\n", {"select": "a", "rename": "b:c"}) == b"a\n1\n"


def test_a_last_row_whose_only_value_is_empty_stays_visible() -> None:
    assert output_of(b"a,b\n1,", {"select": "b"}) == b"b\n\n"


def test_a_new_name_is_quoted_when_it_must_be() -> None:
    assert (
        output_of(b"a,b,c\n", {"rename": 'a:"x,y",b:"say ""hi""",c:plain name'}) == b'"x,y","say ""hi""",plain name\n'
    )


@pytest.mark.parametrize(
    ("table", "parameters", "parameter", "position"),
    [
        (b"a,b\n", {"select": "a,c"}, "select", 2),
        (b"a,b,a\n", {"select": "b,a"}, "select", 2),
        (b"a,b\n", {"filter": "  c > 1"}, "filter", 2),
        (b"a,b,a\n", {"filter": "a > 1"}, "filter", 0),
        (b"a,b\n", {"rename": "a:x,c:y"}, "rename", 4),
        (b"A,b\n", {"select": "a"}, "select", 0),
        (b"1,2\n", {"header": "false", "select": "column3"}, "select", 0),
        (b"a b", {"select": "a"}, "select", 0),
    ],
)
def test_a_column_that_is_not_there_or_not_alone_is_a_fault_before_any_output(
    table: bytes, parameters: dict[str, str], parameter: str, position: int
) -> None:
    with pytest.raises(PlanFault) as caught:
        run([table, b"1,2\n"], parameters)
    assert (caught.value.parameter, caught.value.position) == (parameter, position)


def test_ambiguous_columns_that_nobody_names_are_no_fault() -> None:
    assert output_of(b"a,b,a\n1,2,3\n", {"select": "b"}) == b"b\n2\n"


def test_no_row_still_prints_the_header() -> None:
    assert output_of(b"a,b\n1,2\n", {"filter": "a > 5"}) == b"a,b\n"


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_limit_ends_the_transform_and_nothing_behind_it_matters(limit: int) -> None:
    engine = Engine(parse_plan([("limit", str(limit))]))
    output = b"".join([*engine.feed(b"a\n1\n2\n,,,\xff"), *engine.feed(b'"never closed'), *engine.finish()])
    assert output == b"a\n1\n2\n"[: 2 + 2 * limit]
    assert engine.has_reached_limit
    assert (engine.counts.rows_in, engine.counts.rows_rejected) == (limit, 0)


def test_a_limit_counts_filtered_rows_up_to_the_last_one_out() -> None:
    _, counts = run([b"a\n1\n2\n3\n4\n5\n6\n"], {"filter": "a >= 3", "limit": "2"})
    assert (counts.rows_in, counts.rows_out, counts.rows_filtered) == (4, 2, 2)


def test_a_limit_beyond_the_table_is_not_reached() -> None:
    engine = Engine(parse_plan([("limit", "3")]))
    assert b"".join([*engine.feed(b"a\n1\n2\n"), *engine.finish()]) == b"a\n1\n2\n"
    assert not engine.has_reached_limit


def test_more_columns_than_a_spreadsheet_has_are_refused() -> None:
    widest = b",".join([b"c"] * 16384) + b"\n"
    assert output_of(widest) == widest
    with pytest.raises(HeaderFault):
        output_of(b"c," + widest)
