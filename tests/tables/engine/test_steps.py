"""Each step, as a person would try it."""

from typing import Any

import pytest

from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Plan
from tests.tables.engine.programs import Other, Ran, Step, shared_runner

_runner = shared_runner()
_HEADER = ["id", "city", "qty", "day"]
_ROWS = [
    ("007", "Köln", "5", "2024-01-02"),
    ("008", None, " 7 ", "soon"),
    ("007", "", "1.5", None),
    ("12345678901234567890", "Aix", "2.0", "2024-03-01"),
]


def _ran(
    *steps: Step, header: list[str] | None = None, rows: Any = _ROWS, joins: dict[int, Other] | None = None
) -> Ran:
    return _runner.run(Plan.model_validate({"steps": steps}), header or _HEADER, rows, joins)


def _column(ran: Ran, name: str) -> list[str | None]:
    return [row[ran.names.index(name)] for row in ran.rows]


def test_a_plan_without_steps_hands_on_what_came() -> None:
    ran = _ran()
    assert (ran.names, ran.rows) == (_HEADER, list(_ROWS))


def test_select_drop_and_rename_move_no_value() -> None:
    ran = _ran(
        {"op": "select", "columns": ["qty", "id", "city"]},
        {"op": "drop", "columns": ["city"]},
        {"op": "rename", "columns": {"qty": "id", "id": "qty"}},
    )
    assert (ran.names, ran.rows[1]) == (["id", "qty"], (" 7 ", "008"))


def test_columns_that_nobody_can_tell_apart_by_name_pass() -> None:
    header = ["a", "a", "A", "", ""]
    assert _ran(header=header, rows=[tuple("12345")]).rows == [tuple("12345")]
    assert _ran({"op": "select", "columns": ["A"]}, header=header, rows=[tuple("12345")]).rows == [("3",)]
    with pytest.raises(PlanFault) as raised:
        _ran({"op": "filter", "where": "a = '1'"}, header=header, rows=[])
    assert raised.value.field == "steps[0].where"


def test_a_declared_type_is_seen_by_expressions_and_never_printed() -> None:
    ran = _ran(
        {"op": "types", "columns": {"qty": "int64"}},
        {"op": "filter", "where": "qty >= 5"},
        {"op": "derive", "columns": {"twice": "qty * 2"}},
    )
    assert _column(ran, "qty") == ["5", " 7 "]
    assert _column(ran, "twice") == ["10", "14"]


def test_derived_columns_all_see_the_table_as_it_was() -> None:
    ran = _ran({"op": "derive", "columns": {"id": "upper(city)", "city": "id", "new": "length(city)"}})
    assert ran.names == [*_HEADER, "new"]
    assert ran.rows[0] == ("KÖLN", "007", "5", "2024-01-02", "4")


def test_a_cast_prints_values_as_its_type_does() -> None:
    ran = _ran({"op": "cast", "columns": {"qty": "decimal(18,2)"}})
    assert _column(ran, "qty") == ["5.00", "7.00", "1.50", "2.00"]


def test_a_cast_names_the_row_that_ends_the_transform() -> None:
    ran = _ran({"op": "filter", "where": "id <> '007'"}, {"op": "cast", "columns": {"day": "date"}})
    assert ran.is_aborted
    assert ran.faults == [(2, "day", "day: cannot cast soon to date")]


def test_a_cast_skips_rows_and_knows_them_in_later_stages() -> None:
    ran = _ran(
        {"op": "cast", "columns": {"day": "date"}, "on_error": "skip"},
        {"op": "sort", "by": [{"column": "id", "desc": True}]},
        {"op": "cast", "columns": {"qty": "int64"}, "on_error": "skip"},
    )
    assert [fault[:2] for fault in ran.faults] == [(2, "day"), (3, "qty")]
    assert _column(ran, "id") == ["12345678901234567890", "007"]


def test_a_cast_of_groups_has_no_row_to_name() -> None:
    ran = _ran(
        {"op": "group_by", "columns": ["day"], "aggregate": {}},
        {"op": "cast", "columns": {"day": "date"}, "on_error": "skip"},
    )
    assert [row for row, _, _ in ran.faults] == [None]


def test_a_cast_makes_null_of_what_it_cannot_cast_and_may_say_so() -> None:
    cast = {"op": "cast", "columns": {"day": "date", "qty": "int32"}}
    assert _column(_ran({**cast, "on_error": "null"}), "qty") == ["5", "7", None, "2"]
    assert _column(_ran({**cast, "on_error": "mark"}), "_errors") == [
        None,
        "day: cannot cast soon to date",
        "qty: cannot cast 1.5 to int32",
        None,
    ]


def test_marks_of_one_row_are_joined() -> None:
    mark = {"op": "cast", "on_error": "mark"}
    steps = {**mark, "columns": {"a": "date", "b": "date"}}, {**mark, "columns": {"c": "bool"}}
    words = "a: cannot cast x to date; b: cannot cast y to date; c: cannot cast z to bool"
    assert _column(_ran(*steps, header=["a", "b", "c"], rows=[("x", "y", "z")]), "_errors") == [words]


def test_a_cast_reads_dates_as_they_are_said_to_be_written() -> None:
    rows = [("05/01/2024", "1"), ("2024-01-05", "2")]
    cast = {"op": "cast", "columns": {"day": "date", "n": "int64"}, "format": "%d/%m/%Y", "on_error": "null"}
    assert _ran(cast, header=["day", "n"], rows=rows).rows == [("2024-01-05", "1"), (None, "2")]


@pytest.mark.parametrize(
    ("type_", "text", "printed"),
    [
        ("int64", "9223372036854775807", "9223372036854775807"),
        ("int64", "9223372036854775808", None),
        ("int64", "\t-5.00 ", "-5"),
        ("int64", "1.5", None),
        ("int64", "0x1F", None),
        ("int64", "1e5", None),
        ("int64", "1_000", None),
        ("int64", "", None),
        ("int128", "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
        ("float64", "1e5", "100000.0"),
        ("float64", "12,5", None),
        ("decimal(10,2)", "0.005", "0.01"),
        ("decimal(4,2)", "100", None),
        ("bool", "YES", "true"),
        ("bool", "2", None),
        ("date", "2024-02-30", None),
        ("time", "9:05", "09:05:00"),
        ("timestamp", "2024-01-05T10:00:00", "2024-01-05 10:00:00"),
        ("text", "  007", "  007"),
    ],
)
def test_a_text_is_of_a_type_or_is_not(type_: str, text: str, printed: str | None) -> None:
    cast = {"op": "cast", "columns": {"a": type_}, "on_error": "null"}
    assert _ran(cast, header=["a"], rows=[(text,)]).rows == [(printed,)]


def test_wide_integers_pass_from_stage_to_stage() -> None:
    steps = {"op": "cast", "columns": {"a": "int128"}}, {"op": "filter", "where": "a > 5"}
    wide = str(2**127 - 1)
    assert _ran(*steps, header=["a"], rows=[(wide,), ("1",)]).rows == [(wide,)]


def test_nulls_are_filled_and_empty_text_is_none() -> None:
    assert _column(_ran({"op": "fill_null", "columns": {"city": "?"}}), "city") == ["Köln", "?", "", "Aix"]


def test_what_fills_or_replaces_is_of_the_type_of_the_column() -> None:
    cast = {"op": "cast", "columns": {"qty": "float64"}, "on_error": "null"}
    assert _column(_ran(cast, {"op": "replace", "column": "qty", "map": {"5.0": "6"}}), "qty")[0] == "6.0"
    for step, field in (
        ({"op": "fill_null", "columns": {"qty": "none"}}, "steps[1].columns.qty"),
        ({"op": "replace", "column": "qty", "map": {"5.0": "five"}}, "steps[1].map.5.0"),
    ):
        with pytest.raises(PlanFault, match="is no double") as raised:
            _ran(cast, step)
        assert raised.value.field == field


@pytest.mark.parametrize("others", [0, 100])
def test_whole_values_are_replaced_by_others_or_null(others: int) -> None:
    values = {f"other {n}": "x" for n in range(others)} | {"Köln": "Cologne", "": None, "A": "wrong"}
    assert _column(_ran({"op": "replace", "column": "city", "map": values}), "city") == ["Cologne", None, None, "Aix"]


def test_text_is_cleaned_in_the_order_given() -> None:
    actions = ["upper", "trim", "collapse_spaces", "nfc", "empty_to_null"]
    rows = [("\u3000e\u0301  x\u00a0",), (" \t",), ("ß",), (None,)]
    ran = _ran({"op": "clean", "actions": actions}, header=["a"], rows=rows)
    assert _column(ran, "a") == ["É X", None, "ẞ", None]


def test_cleaning_everything_leaves_alone_what_is_no_text() -> None:
    cast = {"op": "cast", "columns": {"qty": "float64"}}
    assert _column(_ran(cast, {"op": "clean", "actions": ["upper"]}), "city")[0] == "KÖLN"
    with pytest.raises(PlanFault, match="is no text"):
        _ran(cast, {"op": "clean", "columns": ["qty"], "actions": ["upper"]})


def test_of_rows_alike_the_first_stays_where_it_was() -> None:
    assert _column(_ran({"op": "distinct", "on": ["id"]}), "qty") == ["5", " 7 ", "2.0"]
    rows = [("a", None), ("a", ""), ("a", None), ("", None)]
    for keep in ("first", "any"):
        ran = _ran({"op": "distinct", "keep": keep}, header=["x", "y"], rows=rows)
        assert sorted(ran.rows, key=lambda row: rows.index((row[0] or "", row[1]))) == [
            ("a", None),
            ("a", ""),
            ("", None),
        ]


def test_groups_leave_in_the_order_of_their_keys() -> None:
    ran = _ran({"op": "group_by", "columns": ["id"], "aggregate": {"n": "count(*)", "least": "min(city)"}})
    assert ran.rows == [("007", "2", ""), ("008", "1", None), ("12345678901234567890", "1", "Aix")]
    keys = {"op": "group_by", "columns": ["qty"]}
    ran = _ran({"op": "types", "columns": {"qty": "float64"}}, keys, rows=[("", "", n, "") for n in ("10", "9", None)])
    assert _column(ran, "qty") == ["9", "10", None]


def test_having_sees_what_leaves() -> None:
    ran = _ran({"op": "group_by", "columns": ["id"], "aggregate": {"n": "count(*)"}, "having": "n > 1 and id = '007'"})
    assert ran.rows == [("007", "2")]


def test_a_group_of_everything_is_one_row_also_of_nothing() -> None:
    count = {"op": "group_by", "aggregate": {"n": "count(*)"}}
    assert _ran(count).rows == [("4",)]
    assert _ran(count, rows=[]).rows == [("0",)]


_CITIES: Other = (["name", "label"], [("Köln", "b"), ("Aix", "x"), ("Köln", "a"), (None, "nowhere"), ("", "empty")])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("left", [("007", "b"), ("007", "a"), ("008", None), ("007", "empty"), ("12345678901234567890", "x")]),
        ("inner", [("007", "b"), ("007", "a"), ("007", "empty"), ("12345678901234567890", "x")]),
        ("semi", [("007",), ("007",), ("12345678901234567890",)]),
        ("anti", [("008",)]),
    ],
)
def test_a_join_keeps_our_order_and_then_theirs(how: str, expected: list[tuple[str | None, ...]]) -> None:
    join = {"op": "join", "file": "cities.csv", "on": {"city": "name"}, "how": how}
    ran = _ran({"op": "drop", "columns": ["qty", "day"]}, join, joins={1: _CITIES})
    assert [(row[0], *row[2:]) for row in ran.rows] == expected


def test_a_join_takes_the_columns_that_it_is_told_of() -> None:
    join = {"op": "join", "file": "cities.csv", "on": {"city": "name"}, "columns": {"label": "l", "name": "n"}}
    ran = _ran(join, {"op": "filter", "where": "l = 'x'"}, joins={0: _CITIES})
    assert ran.names == [*_HEADER, "l", "n"]
    assert ran.rows[0][-2:] == ("x", "Aix")


def test_rows_are_sorted_by_value_and_equals_stay_in_order() -> None:
    by_number = {"op": "sort", "by": [{"column": "qty", "type": "float64", "desc": True}]}
    assert _column(_ran(by_number), "qty") == [" 7 ", "5", "2.0", "1.5"]
    assert _column(_ran({"op": "sort", "by": [{"column": "id"}]}), "qty") == ["5", "1.5", " 7 ", "2.0"]
    nulls_first = {"op": "sort", "by": [{"column": "city", "nulls": "first"}]}
    assert _column(_ran(nulls_first), "city") == [None, "", "Aix", "Köln"]


def test_a_sort_of_many_rows_is_stable() -> None:
    rows = [(str(n % 7), str(n)) for n in range(50_000)]
    ran = _ran({"op": "sort", "by": [{"column": "a"}]}, header=["a", "b"], rows=rows)
    assert ran.rows == sorted(rows, key=lambda row: row[0])


@pytest.mark.parametrize(
    "step",
    [
        {"op": "join", "file": "f", "on": {"b": "k"}},
        {"op": "join", "file": "f", "on": {"b": "k"}, "how": "semi"},
        {"op": "replace", "column": "b", "map": {str(n): "x" for n in range(100)}},
        {"op": "distinct", "on": ["a"]},
        {"op": "distinct"},
        {"op": "filter", "where": "b <> '3'"},
        {"op": "limit", "n": 150_000},
    ],
    ids=lambda step: step["op"],
)
def test_many_rows_keep_their_order_whatever_the_threads_do(step: Step) -> None:
    rows = [(str(n), str(n % 7)) for n in range(200_000)]
    theirs: Other = (["k", "v"], [(str(n), f"label {n}") for n in range(7)])
    cast = {"op": "cast", "columns": {"a": "int64"}, "on_error": "skip"}
    numbers = [
        int(number or "") for number in _column(_ran(cast, step, header=["a", "b"], rows=rows, joins={1: theirs}), "a")
    ]
    assert len(numbers) >= 150_000
    assert numbers == sorted(numbers)


def test_aggregates_are_the_same_each_time() -> None:
    rows = [("x", f"0.{n}") for n in range(200_000)]
    cast = {"op": "cast", "columns": {"b": "float64"}, "on_error": "skip"}
    group = {"op": "group_by", "columns": ["a"], "aggregate": {"sum": "sum(b)", "all": "first(b)"}}
    results = [_ran(cast, group, header=["a", "b"], rows=rows).rows for _ in range(3)]
    assert results[0] == results[1] == results[2]


def test_a_sample_is_the_same_for_the_same_seed_and_in_order() -> None:
    rows = [(str(n),) for n in range(1000)]
    samples = [_ran({"op": "sample", "n": 50, "seed": seed}, header=["a"], rows=rows).rows for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert samples[0] == sorted(samples[0], key=lambda row: int(row[0] or ""))
    assert len(samples[0]) == 50


def test_a_limit_comes_after_an_offset() -> None:
    assert _column(_ran({"op": "limit", "n": 1, "offset": 2}), "qty") == ["1.5"]
    assert len(_ran({"op": "limit", "offset": 3}).rows) == 1
    assert _ran({"op": "limit"}).rows == list(_ROWS)


def test_types_that_leave_are_told_to_formats_that_have_types() -> None:
    program = _ran(
        {"op": "cast", "columns": {"qty": "float64"}}, {"op": "derive", "columns": {"n": "length(id)"}}
    ).program
    assert program is not None
    assert [column.type for column in program.columns] == ["VARCHAR", "VARCHAR", "DOUBLE", "VARCHAR", "BIGINT"]
    assert all(column.is_text for column in program.as_text().columns)
