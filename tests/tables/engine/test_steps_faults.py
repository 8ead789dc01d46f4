"""A plan that cannot be followed is refused before a row is read, with the part of it that is at fault."""

import pytest

from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Plan
from tests.tables.engine.programs import Other, Step, shared_runner

_runner = shared_runner()
_HEADER = ["id", "city", "qty", "day"]
_CITIES: Other = (["name", "label"], [("Köln", "b")])


def _compile(*steps: Step) -> None:
    _runner.run(Plan.model_validate({"steps": steps}), _HEADER, [], {0: _CITIES})


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([{"op": "select", "columns": ["id", "nobody"]}], "steps[0].columns[1]"),
        ([{"op": "select", "columns": ["id", "id"]}], "steps[0].columns[1]"),
        ([{"op": "drop", "columns": _HEADER}], "steps[0].columns"),
        ([{"op": "rename", "columns": {"nobody": "x"}}], "steps[0].columns.nobody"),
        ([{"op": "types", "columns": {"nobody": "bool"}}], "steps[0].columns.nobody"),
        ([{"op": "limit", "n": 1}, {"op": "filter", "where": "nobody > 1"}], "steps[1].where"),
        ([{"op": "filter", "where": "city ="}], "steps[0].where"),
        ([{"op": "derive", "columns": {"a": "id", "b": "upper(city, id)"}}], "steps[0].columns.b"),
        ([{"op": "derive", "columns": {"a": "count(*)"}}], "steps[0].columns.a"),
        ([{"op": "cast", "columns": {"id": "int64"}, "format": "%d"}], "steps[0].format"),
        ([{"op": "cast", "columns": {"id": "date"}, "format": "%Q"}], "steps[0].format"),
        ([{"op": "distinct", "on": ["nobody"]}], "steps[0].on[0]"),
        ([{"op": "group_by"}], "steps[0]"),
        ([{"op": "group_by", "columns": ["id"], "aggregate": {"id": "count(*)"}}], "steps[0].aggregate.id"),
        ([{"op": "group_by", "columns": ["id"], "aggregate": {"c": "city"}}], "steps[0].aggregate.c"),
        ([{"op": "group_by", "columns": ["id"], "aggregate": {"n": "sum(qty)"}}], "steps[0].aggregate.n"),
        ([{"op": "group_by", "aggregate": {"n": "count(*)"}, "having": "id = 1"}], "steps[0].having"),
        ([{"op": "sort", "by": [{"column": "id"}, {"column": "nobody"}]}], "steps[0].by[1].column"),
        ([{"op": "join", "file": "f", "on": {"nobody": "name"}}], "steps[0].on.nobody"),
        ([{"op": "join", "file": "f", "on": {"id": "nobody"}}], "steps[0].on.id"),
        ([{"op": "join", "file": "f", "on": {"id": "name"}, "columns": {"nobody": "x"}}], "steps[0].columns.nobody"),
    ],
)
def test_a_plan_that_cannot_be_followed_says_where(steps: list[Step], field: str) -> None:
    with pytest.raises(PlanFault) as raised:
        _compile(*steps)
    assert raised.value.field == field


def test_a_plan_fault_speaks_of_columns_by_the_names_that_people_know() -> None:
    with pytest.raises(PlanFault, match="`city`") as raised:
        _compile({"op": "group_by", "columns": ["id"], "aggregate": {"c": "city"}})
    assert "c1" not in raised.value.reason
