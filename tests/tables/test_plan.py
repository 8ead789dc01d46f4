"""What `parse_plan` makes of the pairs of a query, and what it refuses, where."""

from decimal import Decimal

import pytest

from fileserver.tables import PARAMETERS, Plan, PlanFault, parse_plan
from fileserver.tables.dialect import Dialect
from fileserver.tables.filters import Comparison
from fileserver.tables.names import ColumnName


def test_no_parameters_pass_a_table_on() -> None:
    assert parse_plan([]) == Plan()


def test_names_are_split_at_commas_and_may_stand_in_quotes() -> None:
    assert parse_plan([("select", 'id, "a,b" ,"say ""hi""","",unit price')]).select == (
        ColumnName("id", "select", 0),
        ColumnName("a,b", "select", 4),
        ColumnName('say "hi"', "select", 11),
        ColumnName("", "select", 24),
        ColumnName("unit price", "select", 27),
    )


def test_renames_are_pairs() -> None:
    renames = parse_plan([("rename", 'id:ID , "a:b":"c,d"')]).renames
    assert [(each.column.text, each.column.position, each.to) for each in renames] == [
        ("id", 0, "ID"),
        ("a:b", 8, "c,d"),
    ]


@pytest.mark.parametrize(
    ("value", "column", "operator", "literal"),
    [
        ("qty > 100", "qty", ">", Decimal(100)),
        ("qty>100", "qty", ">", Decimal(100)),
        ("  qty  <=  -1.5e3  ", "qty", "<=", Decimal(-1500)),
        ("qty>=.5", "qty", ">=", Decimal("0.5")),
        ("qty != 12345678901234567890", "qty", "!=", Decimal(12345678901234567890)),
        ("city = 'Köln'", "city", "=", "Köln"),
        ("city='it''s'", "city", "=", "it's"),
        ("\"odd name\" != ''", "odd name", "!=", ""),
        ('"a ""b""" < \'\'\'\'', 'a "b"', "<", "'"),
        ("größe_2 = '> 1'", "größe_2", "=", "> 1"),
    ],
)
def test_a_filter_compares_a_column_to_a_literal(
    value: str, column: str, operator: str, literal: Decimal | str
) -> None:
    name = ColumnName(column, "filter", len(value) - len(value.lstrip()))
    assert parse_plan([("filter", value)]).filters == (Comparison(name, operator, literal),)


def test_filter_may_be_given_again() -> None:
    assert len(parse_plan([("filter", "a > 1"), ("filter", "a < 3")]).filters) == 2


@pytest.mark.parametrize(
    ("value", "delimiter"), [("auto", None), (",", b","), (";", b";"), ("tab", b"\t"), ("\t", b"\t"), ("^", b"^")]
)
def test_a_delimiter_is_a_character_or_a_word(value: str, delimiter: bytes | None) -> None:
    assert parse_plan([("delimiter", value)]).dialect == Dialect(delimiter)


@pytest.mark.parametrize(
    ("parameters", "media_type"),
    [
        ([], "text/csv; charset=utf-8; header=present"),
        ([("header", "false")], "text/csv; charset=utf-8; header=absent"),
        ([("output_header", "true"), ("header", "false")], "text/csv; charset=utf-8; header=present"),
        ([("output_header", "false")], "text/csv; charset=utf-8; header=absent"),
        ([("format", "ndjson")], "application/x-ndjson"),
    ],
)
def test_the_media_type_tells_the_output(parameters: list[tuple[str, str]], media_type: str) -> None:
    assert parse_plan(parameters).media_type == media_type


@pytest.mark.parametrize(
    ("parameter", "value", "position"),
    [
        ("selekt", "a", 0),
        ("Select", "a", 0),
        ("", "", 0),
        ("select", "", 0),
        ("select", "a,", 2),
        ("select", "a,,b", 2),
        ("select", "a,  ", 4),
        ("select", "a:b", 1),
        ("select", 'a"b"', 1),
        ("select", '"a"b', 3),
        ("select", '"a', 0),
        ("select", "a,b,a", 4),
        ("rename", "", 0),
        ("rename", "a", 1),
        ("rename", "a:", 2),
        ("rename", ":b", 0),
        ("rename", "a:b:c", 3),
        ("rename", "a:b,", 4),
        ("rename", "a,b:c", 1),
        ("rename", "a:b,a:c", 4),
        ("filter", "", 0),
        ("filter", "  ", 2),
        ("filter", "a", 1),
        ("filter", "a >", 3),
        ("filter", "a >> 1", 3),
        ("filter", "a == 1", 3),
        ("filter", "a <> 1", 3),
        ("filter", "a ~ 1", 2),
        ("filter", "> 1", 0),
        ("filter", "1 > a", 0),
        ("filter", "a-b > 1", 1),
        ("filter", "a b > 1", 2),
        ("filter", "a = Köln", 4),
        ("filter", 'a = "Köln"', 4),
        ("filter", "a = 'Köln", 4),
        ("filter", "a = 'x' y", 8),
        ("filter", "a > 1_000", 5),
        ("filter", "a > 1 and b > 2", 6),
        ("filter", "a > 1e", 5),
        ("filter", "a > nan", 4),
        ("filter", "a > ١", 4),
        ("limit", "", 0),
        ("limit", "-1", 0),
        ("limit", "+1", 0),
        ("limit", "1 ", 1),
        ("limit", "1.5", 1),
        ("limit", "١", 0),
        ("limit", "9" * 19, 18),
        ("format", "xml", 0),
        ("format", "CSV", 0),
        ("delimiter", "", 0),
        ("delimiter", "ab", 0),
        ("delimiter", '"', 0),
        ("delimiter", "\n", 0),
        ("delimiter", "\r", 0),
        ("delimiter", "\0", 0),
        ("delimiter", "ö", 0),
        ("output_delimiter", "auto", 0),
        ("header", "yes", 0),
        ("output_header", "", 0),
        ("on_error", "maybe", 0),
        ("rename", "a:b\0", 3),
        ("filter", "a = '\ud800'", 5),
    ],
)
def test_a_malformed_parameter_is_a_fault_at_its_position(parameter: str, value: str, position: int) -> None:
    with pytest.raises(PlanFault) as caught:
        parse_plan([(parameter, value)])
    assert (caught.value.parameter, caught.value.position) == (parameter, position)
    assert caught.value.reason


@pytest.mark.parametrize("parameter", ["select", "rename", "limit", "format", "header", "on_error"])
def test_a_parameter_given_twice_is_a_fault(parameter: str) -> None:
    value = {"select": "a", "rename": "a:b", "limit": "1", "format": "csv", "header": "true", "on_error": "skip"}[
        parameter
    ]
    with pytest.raises(PlanFault) as caught:
        parse_plan([(parameter, value), (parameter, value)])
    assert (caught.value.parameter, caught.value.position) == (parameter, 0)


@pytest.mark.parametrize("parameter", ["output_delimiter", "output_header"])
def test_csv_options_of_an_ndjson_output_are_a_fault(parameter: str) -> None:
    with pytest.raises(PlanFault) as caught:
        parse_plan([(parameter, {"output_delimiter": ";", "output_header": "true"}[parameter]), ("format", "ndjson")])
    assert caught.value.parameter == parameter


def test_the_first_fault_of_several_is_told() -> None:
    with pytest.raises(PlanFault) as caught:
        parse_plan([("limit", "1"), ("select", ""), ("nothing", "")])
    assert caught.value.parameter == "select"


def test_every_parameter_is_described_and_read() -> None:
    for name in PARAMETERS:
        with pytest.raises(PlanFault) as caught:
            parse_plan([(name, "\0")])
        assert caught.value.reason != "there is no such parameter"
    assert len(PARAMETERS) == 10
