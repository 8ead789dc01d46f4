"""What a plan in JSON may say, and where it is at fault."""

import json

import pytest

from fileserver.tables import Asked, Plan, PlanFault, parse_plan, parse_query
from fileserver.tables.plan import MAX_STEPS

_STEPS: list[dict[str, object]] = [
    {"op": "types", "columns": {"qty": "int64", "amount": "decimal(18,2)"}},
    {"op": "filter", "where": "qty > 100 and category in ('cat07','cat08')"},
    {"op": "derive", "columns": {"total": "amount * qty"}},
    {"op": "cast", "columns": {"signup": "date"}, "format": "%d/%m/%Y", "on_error": "mark"},
    {"op": "join", "file": "dims/category.csv", "on": {"category": "category"}, "columns": {"label": "category_label"}},
    {"op": "fill_null", "columns": {"flag": "unknown"}},
    {"op": "replace", "column": "city", "map": {"Köln": "Cologne", "": None}},
    {"op": "clean", "columns": "*", "actions": ["trim", "empty_to_null"]},
    {"op": "clean", "columns": ["city"], "actions": ["nfc"]},
    {"op": "distinct", "on": ["email"], "keep": "any"},
    {"op": "group_by", "columns": ["category"], "aggregate": {"n": "count(*)"}, "having": "n > 10"},
    {"op": "sort", "by": [{"column": "total", "desc": True, "type": "float64", "nulls": "first"}]},
    {"op": "sample", "n": 1000, "seed": 1},
    {"op": "limit", "n": 100, "offset": 5},
    {"op": "select", "columns": ["id", "total", ""]},
    {"op": "drop", "columns": ["x"]},
    {"op": "rename", "columns": {"id": "ID"}},
]


def test_an_empty_plan_is_the_default_one() -> None:
    assert parse_plan("{}") == Plan()


def test_every_step_can_be_said() -> None:
    plan = parse_plan(json.dumps({"version": 1, "steps": _STEPS}))
    assert [step.op for step in plan.steps] == [step["op"] for step in _STEPS]


def test_a_plan_survives_its_own_json() -> None:
    plan = parse_plan(json.dumps({"input": {"delimiter": "tab", "quote": None}, "steps": _STEPS}))
    assert parse_plan(plan.model_dump_json()) == plan


def test_the_order_of_what_is_named_is_kept() -> None:
    plan = parse_plan('{"steps":[{"op":"derive","columns":{"z":"1","a":"2","m":"3"}}]}')
    assert json.loads(plan.model_dump_json())["steps"][0]["columns"] == {"z": "1", "a": "2", "m": "3"}
    assert list(json.loads(plan.model_dump_json())["steps"][0]["columns"]) == ["z", "a", "m"]


@pytest.mark.parametrize(
    "type_", ["text", "bool", "int32", "int64", "int128", "float64", "date", "time", "timestamp", "decimal(38,38)"]
)
def test_a_type_of_the_list_is_taken(type_: str) -> None:
    parse_plan(json.dumps({"steps": [{"op": "types", "columns": {"a": type_}}]}))


def _with_step(**step: object) -> str:
    return json.dumps({"steps": [{"op": "limit"}, step]})


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "plan"),
        ("{", "plan"),
        ("[]", "plan"),
        ("null", "plan"),
        ("[" * 100_000, "plan"),
        ('{"a":' * 100_000, "plan"),
        ('"\ud800"', "plan"),
        ('{"version":2}', "version"),
        ('{"steps":{}}', "steps"),
        ('{"selekt":[]}', "selekt"),
        ('{"steps":[{}]}', "steps[0]"),
        ('{"steps":[{"op":"Select"}]}', "steps[0]"),
        ('{"steps":[{"op":"select"}]}', "steps[0].columns"),
        (_with_step(op="select", columns=[]), "steps[1].columns"),
        (_with_step(op="select", columns=["a", 1]), "steps[1].columns[1]"),
        (_with_step(op="select", columns=["a"], more=1), "steps[1].more"),
        (_with_step(op="limit", n="3"), "steps[1].n"),
        (_with_step(op="limit", n=-1), "steps[1].n"),
        (_with_step(op="limit", n=10**18), "steps[1].n"),
        (_with_step(op="limit", n=10**400), "steps[1].n"),
        (_with_step(op="limit", n=1.5), "steps[1].n"),
        (_with_step(op="limit", n=True), "steps[1].n"),
        (_with_step(op="types", columns={"a": "int"}), "steps[1].columns.a"),
        (_with_step(op="types", columns={"a": "decimal(2,3)"}), "steps[1].columns.a"),
        (_with_step(op="types", columns={"a": "decimal(39,1)"}), "steps[1].columns.a"),
        (_with_step(op="types", columns={"a": "int64\n"}), "steps[1].columns.a"),
        (_with_step(op="filter", where=""), "steps[1].where"),
        (_with_step(op="filter", where="x" * 10_001), "steps[1].where"),
        (_with_step(op="filter", where="a = '\0'"), "steps[1].where"),
        (_with_step(op="rename", columns={"a\0": "b"}), "steps[1].columns.a\0"),
        (_with_step(op="rename", columns={"a": "b\0"}), "steps[1].columns.a"),
        (_with_step(op="replace", column="a", map={"x": "\0"}), "steps[1].map.x"),
        (_with_step(op="replace", column="a", map={"x": 1}), "steps[1].map.x"),
        (_with_step(op="clean", columns="a", actions=["trim"]), "steps[1].columns"),
        (_with_step(op="clean", actions=[]), "steps[1].actions"),
        (_with_step(op="clean", actions=["trim", "sweep"]), "steps[1].actions[1]"),
        (_with_step(op="sort", by=[{"column": "a", "desc": "yes"}]), "steps[1].by[0].desc"),
        (_with_step(op="join", file="x.csv", on={}), "steps[1].on"),
        (_with_step(op="join", file="x.csv", on={"a": "a"}, input={"quote": "ab"}), "steps[1].input.quote"),
        (json.dumps({"steps": [{"op": "limit"}] * (MAX_STEPS + 1)}), "steps"),
        ('{"sql":"select 1","steps":[{"op":"limit"}]}', "plan"),
        ('{"tables":{"a":"b"}}', "plan"),
        ('{"tables":{"1a":"b"},"sql":"select 1"}', "tables.1a"),
        ('{"tables":{"Input":"b"},"sql":"select 1"}', "plan"),
        ('{"tables":{"a":"b","A":"c"},"sql":"select 1"}', "plan"),
        ('{"tables":{"stage1":"b"},"sql":"select 1"}', "plan"),
        ('{"input":{"delimiter":"\\""}}', "input.delimiter"),
        ('{"input":{"delimiter":"ö"}}', "input.delimiter"),
        ('{"input":{"header":"no"}}', "input.header"),
        ('{"input":{"delimiter":"|","quote":"|"}}', "input.quote"),
        ('{"input":{"delimiter":"|","escape":"|"}}', "input.escape"),
        ('{"input":{"comment":"\\""}}', "input.comment"),
        ('{"input":{"escape":"#","comment":"#"}}', "input.comment"),
        ('{"output":{"format":"CSV"}}', "output.format"),
        ('{"output":{"delimiter":"\\n"}}', "output.delimiter"),
        ('{"output":{"null_value":"\\u0000"}}', "output.null_value"),
    ],
)
def test_a_fault_is_told_by_its_place_in_the_plan(text: str, field: str) -> None:
    with pytest.raises(PlanFault) as caught:
        parse_plan(text)
    assert caught.value.field == field
    assert caught.value.reason
    assert "pydantic" not in caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        '{"version":1,"version":1}',
        '{"steps":[{"op":"rename","columns":{"a":"b","a":"c"}}]}',
        '{"steps":[{"op":"derive","columns":{"a":"1","\\u0061":"2"}}]}',
    ],
)
def test_a_name_that_stands_twice_in_an_object_is_refused(text: str) -> None:
    with pytest.raises(PlanFault, match="twice"):
        parse_plan(text)


def test_bytes_that_are_no_text_are_a_fault() -> None:
    with pytest.raises(PlanFault):
        parse_plan(b'{"sql":"\xff"}')


def test_every_part_is_described() -> None:
    schema = Plan.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    assert [part["title"] for part in parts if not part.get("description")] == []


def test_what_a_json_plan_is_faulted_for_keeps_its_place() -> None:
    fault = PlanFault("no", "steps[0].where", 3)
    assert parse_query([("plan", '{"steps":[{"op":"filter","where":"a b"}]}')]).as_asked(fault) is fault
    assert Asked(Plan()).as_asked(fault) is fault
