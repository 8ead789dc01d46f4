"""What `parse_query` makes of the pairs of a query, what it refuses, and where."""

import json
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import parse_qsl

import pytest

from fileserver.tables import PARAMETERS, Plan, PlanFault, parse_query
from fileserver.tables.plan import Select

Pairs = Sequence[tuple[str, str]]


def _steps(query: str) -> list[dict[str, object]]:
    """The steps that a query asks for, defaults aside."""
    plan = parse_query(parse_qsl(query, keep_blank_values=True, separator="&")).plan
    return [{"op": step.op, **json.loads(step.model_dump_json(exclude_defaults=True))} for step in plan.steps]


def test_no_parameters_pass_a_table_on() -> None:
    assert parse_query([]).plan == Plan()


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("select=id,%20%22a,b%22%20,%22say%20%22%22hi%22%22%22,%22%22,unit price",
         {"op": "select", "columns": ["id", "a,b", 'say "hi"', "", "unit price"]}),
        ("drop=a", {"op": "drop", "columns": ["a"]}),
        ('rename=id:ID , "a:b":"c,d",x:""', {"op": "rename", "columns": {"id": "ID", "a:b": "c,d", "x": ""}}),
        ("types=qty:int64,amount:decimal(18,2)",
         {"op": "types", "columns": {"qty": "int64", "amount": "decimal(18,2)"}}),
        ("types= qty : int64 , amount : decimal (18, 2) ",
         {"op": "types", "columns": {"qty": "int64", "amount": "decimal(18,2)"}}),
        ("filter= a > 1 ", {"op": "filter", "where": " a > 1 "}),
        ("where=a = 'x;y'", {"op": "filter", "where": "a = 'x;y'"}),
        ("derive=total=amount*qty", {"op": "derive", "columns": {"total": "amount*qty"}}),
        ("derive=a=b = 'x;''y'%3B \"c=d\" = f(1%3B2)%3Be=[1%3B2]",
         {"op": "derive", "columns": {"a": "b = 'x;''y'", "c=d": "f(1;2)", "e": "[1;2]"}}),
        ("derive=a=\"b;c\"", {"op": "derive", "columns": {"a": '"b;c"'}}),
        ("derive=a=b)%3Bc=d", {"op": "derive", "columns": {"a": "b)", "c": "d"}}),
        ("derive=a='open%3Bc=d", {"op": "derive", "columns": {"a": "'open;c=d"}}),
        ("cast=signup:date,qty:int64", {"op": "cast", "columns": {"signup": "date", "qty": "int64"}}),
        ("cast=d:date&cast_format=%25d/%25m&cast_on_error=mark",
         {"op": "cast", "columns": {"d": "date"}, "format": "%d/%m", "on_error": "mark"}),
        ('fill_null=flag:unknown,x:""', {"op": "fill_null", "columns": {"flag": "unknown", "x": ""}}),
        ('replace=city:Köln:Cologne,city:NA:,city:"":"",city:"a,b":c',
         {"op": "replace", "column": "city", "map": {"Köln": "Cologne", "NA": None, "": "", "a,b": "c"}}),
        ("clean=trim, empty_to_null", {"op": "clean", "actions": ["trim", "empty_to_null"]}),
        ("distinct=email", {"op": "distinct", "on": ["email"]}),
        ("distinct=*", {"op": "distinct"}),
        ('distinct="*"&keep=any', {"op": "distinct", "on": ["*"], "keep": "any"}),
        ("group_by=a,b", {"op": "group_by", "columns": ["a", "b"]}),
        ("aggregate=n=count(*)", {"op": "group_by", "aggregate": {"n": "count(*)"}}),
        ("aggregate=n=count(*)%3Bm=max(q)&group_by=c&aggregate=s=sum(q)&having=n>1",
         {"op": "group_by", "columns": ["c"], "having": "n>1",
          "aggregate": {"n": "count(*)", "m": "max(q)", "s": "sum(q)"}}),
        ("sort=-total, id : int64", {"op": "sort",
                                     "by": [{"column": "total", "desc": True}, {"column": "id", "type": "int64"}]}),
        ('sort="-x"', {"op": "sort", "by": [{"column": "-x"}]}),
        ("sample=10&seed=7", {"op": "sample", "n": 10, "seed": 7}),
        ("limit=10", {"op": "limit", "n": 10}),
        ("offset=5", {"op": "limit", "offset": 5}),
        ("limit=0&offset=007", {"op": "limit", "n": 0, "offset": 7}),
    ],
)  # fmt: skip
def test_a_step_is_made_of_its_parameters(query: str, step: dict[str, object]) -> None:
    assert _steps(query) == [step]


def test_replacements_are_steps_by_column() -> None:
    assert _steps("replace=a:1:2,b:3:4,a:5:6") == [
        {"op": "replace", "column": "a", "map": {"1": "2", "5": "6"}},
        {"op": "replace", "column": "b", "map": {"3": "4"}},
    ]


def test_repeated_filters_and_derivations_are_steps_of_their_own() -> None:
    steps = _steps("filter=a>1&derive=x=1&where=b>2&derive=y=x&filter=c>3")
    assert [step.get("where") or step["columns"] for step in steps] == ["a>1", "c>3", "b>2", {"x": "1"}, {"y": "x"}]


def test_steps_are_made_in_one_order() -> None:
    backwards = (
        "rename=a:b&drop=c&select=a&limit=1&sample=1&sort=a&distinct=a&group_by=a&derive=d=1&filter=a>1&cast=a:int64"
        "&fill_null=a:b&replace=a:b:c&clean=trim&types=a:int64"
    )
    forwards = "types clean replace fill_null cast filter derive group_by distinct sort sample limit select drop rename"
    assert " ".join(str(step["op"]) for step in _steps(backwards)) == forwards


@pytest.mark.parametrize(
    ("query", "part", "value"),
    [
        ("delimiter=auto", "input.delimiter", "auto"),
        ("delimiter=;", "input.delimiter", ";"),
        ("delimiter=tab", "input.delimiter", "\t"),
        ("quote=none", "input.quote", None),
        ("quote='", "input.quote", "'"),
        ("escape=\\", "input.escape", "\\"),
        ("escape=none", "input.escape", None),
        ("comment=%23", "input.comment", "#"),
        ("encoding=cp1252", "input.encoding", "cp1252"),
        ("header=false", "input.header", False),
        ("columns=a,b,a", "input.columns", ("a", "b", "a")),
        ("skip_rows=3", "input.skip_rows", 3),
        ("on_bad_row=pad", "input.on_bad_row", "pad"),
        ("max_rejects=0", "input.max_rejects", 0),
        ("format=parquet", "output.format", "parquet"),
        ("output_delimiter=tab", "output.delimiter", "\t"),
        ("output_quote_style=always", "output.quote_style", "always"),
        ("output_header=true", "output.header", True),
        ("output_null_value=none", "output.null_value", "none"),
        ("output_line_ending=crlf", "output.line_ending", "crlf"),
        ("output_encoding=utf-16", "output.encoding", "utf-16"),
        ("output_bom=true", "output.bom", True),
        ("output_end_record=true", "output.end_record", True),
        ("formula_guard=tab", "output.formula_guard", "tab"),
        ("delivery=complete", "delivery", "complete"),
        ("sql=select 1", "sql", "select 1"),
    ],
)
def test_what_is_no_step_goes_to_its_part(query: str, part: str, value: object) -> None:
    asked = parse_query(parse_qsl(query, separator="&"))
    found: object = asked.plan
    for name in part.split("."):
        found = getattr(found, name)
    assert found == value
    assert asked.parameters == {part: query.partition("=")[0]}


def test_a_plan_in_json_may_be_given_with_its_delivery() -> None:
    asked = parse_query([("delivery", "complete"), ("plan", '{"steps":[{"op":"limit","n":3}]}')])
    assert (asked.plan.delivery, len(asked.plan.steps)) == ("complete", 1)


@pytest.mark.parametrize(
    ("query", "parameter", "position"),
    [
        ("selekt=a", "selekt", None),
        ("Select=a", "Select", None),
        ("=", "", None),
        ("select=", "select", 0),
        ("select=a,", "select", 2),
        ("select=a,,b", "select", 2),
        ("select=a,  ", "select", 4),
        ("select=a:b", "select", 1),
        ("select=a=b", "select", 1),
        ("select=a;b", "select", 1),
        ('select=a"b"', "select", 1),
        ('select="a"b', "select", 3),
        ('select="a', "select", 0),
        ("select=a,b,a", "select", 4),
        ("rename=a", "rename", 1),
        ("rename=a:", "rename", 2),
        ("rename=:b", "rename", 0),
        ("rename=a:b:c", "rename", 3),
        ("rename=a:b,", "rename", 4),
        ("rename=a:b,a:c", "rename", 4),
        ("types=a", "types", 1),
        ("types=a:", "types", 2),
        ("types=b:int64,a:int", "types", 8),
        ("types=a:decimal(2,3)", "types", 0),
        ("types=a:decimal(18,2", "types", 9),
        ("types=a:int64 b", "types", 8),
        ("cast=a:date&cast_format=", "cast_format", 0),
        ("cast_format=%25d", "cast_format", None),
        ("cast_on_error=null", "cast_on_error", None),
        ("cast=a:date&cast_on_error=no", "cast_on_error", 0),
        ("fill_null=a:", "fill_null", 2),
        ("replace=a:b", "replace", 3),
        ("replace=a::c", "replace", 2),
        ("replace=a:b:c:d", "replace", 5),
        ("replace=a:b:c,a:b:d", "replace", 8),
        ("clean=sweep", "clean", 0),
        ("clean=trim,sweep", "clean", 5),
        ("clean=", "clean", 0),
        ("clean=trim,trim", "clean", 5),
        ("filter=", "filter", 0),
        ("filter=a&where=", "where", 0),
        ("derive=a", "derive", 1),
        ("derive=a=", "derive", 2),
        ("derive==1", "derive", 0),
        ("derive=a=1;", "derive", 4),
        ("derive=a=1;a=2", "derive", 4),
        ("aggregate=count(*)", "aggregate", 8),
        ("aggregate=n=count(*)&aggregate=n=max(a)", "aggregate", 0),
        ("having=n>1", "having", None),
        ("keep=any", "keep", None),
        ("distinct=a&keep=last", "keep", 0),
        ("sort=", "sort", 0),
        ("sort=-", "sort", 1),
        ("sort=a:int", "sort", 2),
        ("sort=a,b:", "sort", 4),
        ("sample=x", "sample", None),
        ("sample=1000001", "sample", 0),
        ("seed=1", "seed", None),
        ("sample=1&seed=9999999999", "seed", 0),
        ("limit=", "limit", None),
        ("limit=-1", "limit", None),
        ("limit=+1", "limit", None),
        ("limit=1.5", "limit", None),
        ("limit=١", "limit", None),
        ("limit=²", "limit", None),
        ("limit=1000000000000000000", "limit", None),
        ("format=CSV", "format", 0),
        ("delimiter=", "delimiter", 0),
        ("delimiter=ab", "delimiter", 0),
        ('delimiter="', "delimiter", 0),
        ("delimiter=%0A", "delimiter", 0),
        ("delimiter=ö", "delimiter", 0),
        ("comment=", "comment", 0),
        ("header=yes", "header", None),
        ("header=", "header", None),
        ("header=True", "header", None),
        ("skip_rows=1000001", "skip_rows", 0),
        ("columns=a,", "columns", 2),
        ("sql=", "sql", 0),
        ("sql=select 1&limit=3", "limit", None),
        ("limit=1&limit=1", "limit", None),
        ("select=a&select=b", "select", None),
        ("plan={}&limit=1", "limit", None),
        ("plan={}&delivery=now", "delivery", 0),
        ("plan={}&plan={}", "plan", None),
        ("plan={", "plan", None),
        ('plan={"steps":[{"op":"limit","n":"1"}]}', "steps[0].n", None),
        ("rename=a:b%00", "rename", 3),
        ("having=n", "having", None),
    ],
)
def test_a_malformed_parameter_is_a_fault_at_its_position(query: str, parameter: str, position: int | None) -> None:
    with pytest.raises(PlanFault) as caught:
        parse_query(parse_qsl(query.replace(";", "%3B").replace("+", "%2B"), keep_blank_values=True))
    assert (caught.value.field, caught.value.position) == (parameter, position)
    assert caught.value.reason


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_half_of_a_surrogate_pair_is_refused_everywhere(name: str) -> None:
    with pytest.raises(PlanFault) as caught:
        parse_query([(name, "a\ud800")])
    assert (caught.value.field, caught.value.position) == (name, 1)


def test_a_fault_of_the_plan_is_told_as_it_was_asked() -> None:
    asked = parse_query(
        [
            ("where", "qty > 1"),
            ("derive", "a=b; total = amount*qty"),
            ("cast", "d:date"),
            ("replace", "a:b:c,d:e:f"),
            ("cast_format", "%d"),
            ("aggregate", "n=count(*);m=max(q)"),
            ("select", "id, total"),
            ("output_bom", "true"),
        ]
    )
    cases = {
        "steps[0].map.b": ("replace", 2),
        "steps[1].map.e": ("replace", 8),
        "steps[1].column": ("replace", 6),
        "steps[2].columns.d": ("cast", 0),
        "steps[2].format": ("cast_format", 0),
        "steps[3].where": ("where", 0),
        "steps[4].columns.total": ("derive", 13),
        "steps[5].aggregate.m": ("aggregate", 13),
        "steps[5].having": ("aggregate", None),
        "steps[6].columns[1]": ("select", 4),
        "steps[6]": ("select", 0),
        "steps[6].columns": ("select", None),
        "output.bom": ("output_bom", 0),
    }
    for field, told in cases.items():
        fault = asked.as_asked(PlanFault("no", field))
        assert (fault.field, fault.position, fault.reason) == (*told, "no"), field


def test_a_position_in_an_expression_becomes_one_in_the_parameter() -> None:
    asked = parse_query([("derive", "a=b; total = amount*qty")])
    fault = asked.as_asked(PlanFault("no such column", "steps[0].columns.total", 7))
    assert "a=b; total = amount*qty"[fault.position :] == "qty"


def test_a_column_with_points_and_brackets_in_its_name_is_found() -> None:
    asked = parse_query([("derive", 'x=1;"a.b[0]"=c+')])
    assert asked.as_asked(PlanFault("no", "steps[0].columns.a.b[0]", 2)).position == 15


@pytest.mark.parametrize("field", ["", "steps", "steps[7].where", "tables.x", "outputs"])
def test_a_part_that_nobody_asked_for_keeps_its_name(field: str) -> None:
    fault = PlanFault("no", field, 1)
    assert parse_query([("limit", "1"), ("output_bom", "true")]).as_asked(fault) is fault


def test_every_parameter_is_described_and_stands_in_order() -> None:
    assert list(PARAMETERS) == sorted(PARAMETERS)
    for name, parameter in PARAMETERS.items():
        assert parameter.name == name
        assert parameter.description
        assert parameter.schema["type"] in ("string", "integer", "boolean")


@pytest.mark.parametrize("name", [name for name, parameter in PARAMETERS.items() if parameter.example])
def test_the_example_of_a_parameter_can_be_asked(name: str) -> None:
    needed = {
        "cast_format": "cast",
        "cast_on_error": "cast",
        "keep": "distinct",
        "having": "group_by",
        "seed": "sample",
    }
    beside: Pairs = [(needed[name], PARAMETERS[needed[name]].example)] if name in needed else []
    parse_query([(name, PARAMETERS[name].example), *beside])


@pytest.mark.parametrize("value", ["(" * 200_000, "'" * 200_001, '"' * 200_001, "a=b" + " " * 200_000, "a=''" * 50_000])
@pytest.mark.parametrize("name", ["derive", "select", "sort", "types", "replace"])
def test_a_long_value_comes_to_an_end(name: str, value: str) -> None:
    with suppress(PlanFault):
        parse_query([(name, value)])


def test_a_table_of_many_columns_can_be_asked_for() -> None:
    names = [f"c{index}" for index in range(5000)]
    (step,) = parse_query([("select", ",".join(names))]).plan.steps
    assert isinstance(step, Select)
    assert step.columns == tuple(names)
