"""Steps that need no row but the one at hand let it go at once: DuckDB's plan for them has nothing that waits."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from fileserver.tables.engine.compile import Program, compiled, stage_name
from fileserver.tables.engine.grammar import Marks
from fileserver.tables.engine.session import count_readers, open_connection
from fileserver.tables.engine.source import scan_of
from fileserver.tables.plan import Plan
from tests.tables.engine.programs import Step

_PASSING = {"PROJECTION", "FILTER", "STREAMING_LIMIT", "STREAMING_WINDOW", "UNNEST", "READ_CSV", "HASH_JOIN"}
_CAST = {"op": "cast", "columns": {"n1": "date"}}
_JOIN = {"op": "join", "file": "f", "on": {"n1": "k"}}
_ROW_WISE: list[Step] = [
    {"op": "select", "columns": ["n1"]},
    {"op": "types", "columns": {"n1": "int64"}},
    {"op": "filter", "where": "n1 > 5"},
    {"op": "derive", "columns": {"new": "upper(n1)"}},
    {**_CAST, "on_error": "null"},
    {**_CAST, "on_error": "mark"},
    {**_CAST, "on_error": "abort"},
    {**_CAST, "on_error": "skip"},
    {"op": "fill_null", "columns": {"n1": "x"}},
    {"op": "replace", "column": "n1", "map": {"a": "b"}},
    {"op": "replace", "column": "n1", "map": {str(n): "b" for n in range(1000)}},
    {"op": "clean", "actions": ["trim", "collapse_spaces", "empty_to_null", "lower", "upper", "nfc"]},
    {"op": "limit", "n": 10**9, "offset": 5},
    *({**_JOIN, "how": how} for how in ("inner", "left", "semi", "anti")),
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    taken, sink = os.pipe()
    connection = open_connection()
    scan = scan_of(f"/dev/fd/{taken}", Marks(b","), 3)
    connection.execute(f"CREATE TEMP VIEW {stage_name(0)} AS SELECT * FROM {scan}")
    # larger than the engine takes a pipe to be: it would rather keep the pipe in memory
    connection.execute("CREATE TABLE join0 AS SELECT i::VARCHAR AS c0, 'x' AS c1 FROM range(100000) AS numbers(i)")
    yield connection
    connection.close()
    os.close(taken)
    os.close(sink)


def _program(connection: duckdb.DuckDBPyConnection, *steps: Step) -> Program:
    return compiled(connection, Plan.model_validate({"steps": steps}), ["n0", "n1", "n2"], {0: ["k", "v"]})


def _way_of_rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """The operators that the rows of the pipe pass, from the last to the first; in a join, as the first child."""
    (node,) = json.loads(connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1])
    names = []
    while True:
        names.append(node["name"].strip())
        if not node["children"]:
            return names
        node = node["children"][0]


def _ids(step: Mapping[str, Any]) -> str:
    many = "1000" if len(step.get("map", ())) == 1000 else ""
    return "-".join(filter(None, [step["op"], step.get("on_error"), step.get("how"), many]))


@pytest.mark.parametrize("step", _ROW_WISE, ids=_ids)
def test_a_row_wise_step_waits_for_no_other_row(connection: duckdb.DuckDBPyConnection, step: Step) -> None:
    program = _program(connection, step)
    way = _way_of_rows(connection, program.stages[0].sql)
    assert way[-1] == "READ_CSV"
    assert set(way) <= _PASSING
    assert program.is_streaming
    assert count_readers(connection, program.stages[0].sql) == 1


def test_rows_are_numbered_only_to_be_named_or_to_be_looked_up_in_order(connection: duckdb.DuckDBPyConnection) -> None:
    programs = {_ids(step): _program(connection, step) for step in _ROW_WISE}
    ways = {name: _way_of_rows(connection, program.stages[0].sql) for name, program in programs.items()}
    looked_up = ["replace-1000", "join-inner", "join-left", "join-semi", "join-anti"]
    numbered = [name for name, way in ways.items() if "STREAMING_WINDOW" in way]
    assert numbered == ["cast-abort", "cast-skip", *looked_up]
    assert [name for name, way in ways.items() if "HASH_JOIN" in way] == looked_up


@pytest.mark.parametrize("op", ["sort", "distinct", "group_by", "sample"])
def test_a_step_that_needs_all_rows_says_so(connection: duckdb.DuckDBPyConnection, op: str) -> None:
    steps: dict[str, Step] = {
        "sort": {"op": op, "by": [{"column": "n1"}]},
        "distinct": {"op": op},
        "group_by": {"op": op, "columns": ["n1"]},
        "sample": {"op": op, "n": 5},
    }
    program = _program(connection, steps[op])
    assert not program.is_streaming
    assert count_readers(connection, program.stages[0].sql) == 1


def test_what_a_join_may_have_to_keep_on_disk_is_put_in_order_again(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    cursor.execute("SET memory_limit = '50 MB'")
    cursor.execute(
        "CREATE TABLE join1 AS SELECT repeat('x', 1000) || i AS c0, 'x' AS c1 FROM range(10000) AS numbers(i)"
    )
    sizes = [
        compiled(
            cursor, Plan.model_validate({"steps": [{"op": "limit"}] * place + [_JOIN]}), ["n1"], {place: ["k", "v"]}
        )
        for place in (0, 1)
    ]
    cursor.execute("SET memory_limit = '1 GB'")
    assert [program.is_streaming for program in sizes] == [True, False]


def test_the_first_rows_in_order_are_found_without_keeping_all(connection: duckdb.DuckDBPyConnection) -> None:
    program = _program(
        connection,
        {"op": "sort", "by": [{"column": "n1", "desc": True}]},
        {"op": "select", "columns": ["n2"]},
        {"op": "limit", "n": 10},
    )
    assert "TOP_N" in _way_of_rows(connection, program.stages[0].sql)


def test_a_plan_of_as_many_steps_as_there_may_be_is_compiled(connection: duckdb.DuckDBPyConnection) -> None:
    steps = [{"op": "derive", "columns": {"n1": "upper(n1)", "new": "length(n2)"}}] * 100
    way = _way_of_rows(connection, _program(connection, *steps).stages[0].sql)
    assert set(way) <= _PASSING


@pytest.mark.parametrize(
    ("sql", "is_streaming"),
    [
        ("SELECT n1 FROM input WHERE n2 = 'x'", True),
        ("SELECT upper(n1) FROM input LIMIT 5", True),
        ("SELECT n1, count(*) FROM input GROUP BY n1", False),
        ("SELECT * FROM input ORDER BY n1", False),
        ("SELECT DISTINCT n1 FROM input", False),
        ("SELECT a.n1 FROM input a JOIN input b USING (n1)", False),
    ],
)
def test_a_query_is_known_to_stream_or_not(connection: duckdb.DuckDBPyConnection, sql: str, is_streaming: bool) -> None:
    program = compiled(connection, Plan(sql=sql), ["n0", "n1", "n2"], {})
    assert program.is_streaming == is_streaming
