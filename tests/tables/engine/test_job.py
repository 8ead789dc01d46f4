"""Jobs in real workers: what a table becomes, what is wrong with one, and the traps of the engine behind."""

import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fileserver.tables import (
    EncodingFault,
    HeaderFault,
    NeedsStoredInput,
    OutOfMemory,
    PlanFault,
    RowFault,
    TableFault,
    TooManyRejects,
)
from tests.tables.engine.working import Workshop, workshop

_NASTY = (
    b"id,name,amount,note\n"
    b'007,"Smith, John",1e5,"said ""hi"""\n'
    b'12345678901234567890, padded ,"",\n'
    b'-0.0,"two\nlines",1.50,NULL\n'
    b"TRUE,nan,inf,=SUM(A1)\n"
) + "042,Żółć,٣,😀\n".encode()


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A pool for all tests of this file."""
    async with workshop(tmp_path_factory.mktemp("jobs")) as shop:
        yield shop


async def test_a_table_that_is_asked_nothing_comes_back_as_it_was(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(_NASTY)
    assert (await shop.run({}, _NASTY)).output == _NASTY
    assert (await shop.run({}, tmp_path / "table.csv")).output == _NASTY
    crlf = b'a,b\r\n1,"two\nlines"\r\n'
    assert (await shop.run({}, crlf)).output == crlf


async def test_byte_by_byte_is_the_same_as_at_once(shop: Workshop) -> None:
    pieces = [_NASTY[place : place + 1] for place in range(len(_NASTY))]
    assert (await shop.run({}, pieces)).output == _NASTY


async def test_a_table_without_rows_has_its_header(shop: Workshop) -> None:
    assert (await shop.run({}, b"a,b\n")).text == "a,b\n"
    assert (await shop.run({"steps": [{"op": "filter", "where": "a = 'x'"}]}, b"a,b\n1,2\n")).text == "a,b\n"
    assert (await shop.run({"steps": [{"op": "sort", "by": [{"column": "a"}]}]}, b"a,b")).text == "a,b\n"


async def test_names_may_be_doubled_empty_or_differ_in_case_alone(shop: Workshop) -> None:
    table = b"id,ID,,id,a b\n1,2,3,4,5\n"
    assert (await shop.run({}, table)).output == table
    assert (await shop.run({"steps": [{"op": "select", "columns": ["ID", "a b", ""]}]}, table)).text == (
        "ID,a b,\n2,5,3\n"
    )
    fault = (await shop.run({"steps": [{"op": "select", "columns": ["id"]}]}, table)).fault
    assert isinstance(fault, PlanFault)


async def test_types_tried_on_a_column_lose_no_row(shop: Workshop) -> None:
    table = b"n,v\n" + b"".join(b"%s,%d\n" % ((b"x" if row % 3 else b"%d" % row), row) for row in range(30_000))
    plan = {
        "input": {"on_bad_row": "skip"},
        "steps": [
            {"op": "types", "columns": {"n": "int64"}},
            {"op": "derive", "columns": {"m": "coalesce(n + 1, -1)"}},
            {"op": "filter", "where": "m >= -1"},
        ],
    }
    done = await shop.run(plan, table)
    assert (done.counts["rows_out"], done.counts["rows_rejected"]) == (30_000, 0)
    assert done.text.splitlines()[1:4] == ["0,0,1", "x,1,-1", "x,2,-1"]


async def test_a_live_table_is_read_once_and_a_stored_one_as_often_as_it_takes(shop: Workshop, tmp_path: Path) -> None:
    plan = {"sql": "SELECT count(*) AS n FROM input a JOIN input b ON a.id = b.id"}
    assert isinstance((await shop.run(plan, _NASTY)).fault, NeedsStoredInput)
    (tmp_path / "table.csv").write_bytes(_NASTY)
    assert (await shop.run(plan, tmp_path / "table.csv")).text == "n\n5\n"
    again = {"sql": "WITH t AS (SELECT id FROM input) SELECT count(*) AS n FROM t"}
    assert (await shop.run(again, _NASTY)).text == "n\n5\n"


async def test_sql_of_no_table_reads_none(shop: Workshop) -> None:
    assert (await shop.run({"sql": "SELECT 1 AS one"}, _NASTY)).text == "one\n1\n"


async def test_a_limit_ends_the_job_before_its_input(shop: Workshop) -> None:
    def endless() -> Iterator[bytes]:
        yield b"a,b\n"
        while True:
            yield b"1,2\n" * 10_000

    done = await shop.run({"steps": [{"op": "limit", "n": 3}]}, endless())
    assert done.text == "a,b\n1,2\n1,2\n1,2\n"


async def test_what_follows_the_last_row_that_is_asked_for_is_not_checked(shop: Workshop, tmp_path: Path) -> None:
    table = b"a,b\n" + b"1,2\n" * 100 + b"broken\n" + b"1,2\n" * 100
    (tmp_path / "table.csv").write_bytes(table)
    for source in (table, tmp_path / "table.csv", [table[:50], table[50:]]):
        for rows in (7, 100):
            steps = [{"op": "limit", "n": rows}, {"op": "drop", "columns": ["b"]}]
            assert (await shop.run({"steps": steps}, source)).text == "a\n" + "1\n" * rows
        fault = (await shop.run({"steps": [{"op": "limit", "n": 101}]}, source)).fault
        assert isinstance(fault, RowFault)
        assert (fault.row, fault.line) == (101, 102)


@pytest.mark.parametrize(
    ("table", "plan", "kind"),
    [
        (b"", {}, HeaderFault),
        (b'"a\n', {}, HeaderFault),
        (b"a,b\n1\n", {}, RowFault),
        ("a,b\nKöln,Żółć\n".encode() + b"\xff,2\n", {}, RowFault),
        (b"a,b\n1,2\n\x81,2\n", {"input": {"encoding": "cp1252"}}, EncodingFault),
        (b"a,b\n1\n2\n", {"input": {"on_bad_row": "skip", "max_rejects": 1}}, TooManyRejects),
        (b"a,b\n1,2\n", {"steps": [{"op": "filter", "where": "c > 1"}]}, PlanFault),
        (b"a,b\n1,2\n", {"steps": [{"op": "filter", "where": "a >> 1"}]}, PlanFault),
        (b"a,b\n1,2\n", {"sql": "SELECT * FROM elsewhere"}, PlanFault),
        (b"a,b\n1,2\n", {"sql": "DROP TABLE input"}, PlanFault),
        (b"a,b\n1,2\n", {"input": {"encoding": "nonsense"}}, PlanFault),
        (b"a,b\nx,2\n", {"steps": [{"op": "cast", "columns": {"a": "int64"}}]}, RowFault),
    ],
)
async def test_what_is_wrong_is_told_before_any_output(
    shop: Workshop, table: bytes, plan: dict[str, Any], kind: type[TableFault]
) -> None:
    done = await shop.run(plan, table)
    assert (type(done.fault), done.output) == (kind, b"")
    assert [each["type"] for each in done.messages if each["type"] != "progress"] == ["failed"]


async def test_a_fault_far_into_the_table_ends_the_output_and_is_told_with_its_place(shop: Workshop) -> None:
    rows = b"".join(b"%d,some text that fills a row\n" % number for number in range(400_000))
    done = await shop.run({}, b"a,b\n" + rows + b"too,many,cells\n")
    assert isinstance(done.fault, RowFault)
    assert (done.fault.row, done.fault.line, done.fault.raw) == (400_001, 400_002, "too,many,cells")
    assert done.output.startswith(b"a,b\n0,some text")
    assert b"cells" not in done.output


async def test_a_decoder_that_fails_late_fails_the_job_whatever_it_was_about_to_say(shop: Workshop) -> None:
    body = gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000)[:-8]
    counted = {"steps": [{"op": "group_by", "aggregate": {"n": "count(*)"}}]}
    done = await shop.run(counted, body, content_encoding="gzip")
    assert (type(done.fault), done.output) == (EncodingFault, b"")


async def test_rejected_rows_are_named_whoever_rejects_them(shop: Workshop) -> None:
    table = b'id,qty\n1,5\n2\n3,x\n"4\n4",7\n5,y\n'
    plan = {
        "input": {"on_bad_row": "skip"},
        "steps": [{"op": "cast", "columns": {"qty": "int64"}, "on_error": "skip"}],
    }
    done = await shop.run(plan, table)
    assert done.text == 'id,qty\n1,5\n"4\n4",7\n'
    assert [(each["row"], each["line"], each["column"], each["raw"]) for each in done.rejects] == [
        (2, 3, None, "2"),
        (3, 4, "qty", "3,x"),
        (5, 7, "qty", "5,y"),
    ]
    assert {name: done.counts[name] for name in ("rows_in", "rows_out", "rows_rejected")} == {
        "rows_in": 5,
        "rows_out": 2,
        "rows_rejected": 3,
    }


@pytest.mark.parametrize(("on_error", "kind"), [("abort", RowFault), ("skip", TooManyRejects)])
async def test_a_fault_between_two_stages_is_told_as_what_it_is(
    shop: Workshop, on_error: str, kind: type[TableFault]
) -> None:
    cast = {"op": "cast", "columns": {"a": "int64"}, "on_error": on_error}
    then = {"op": "cast", "columns": {"b": "int64"}, "on_error": "skip"}
    plan = {"input": {"max_rejects": 0}, "steps": [cast, {"op": "filter", "where": "b <> 'q'"}, then]}
    done = await shop.run(plan, b"a,b\n1,2\nx,3\n")
    assert (type(done.fault), done.output) == (kind, b"")


async def test_values_of_many_lines_are_no_rows_however_long_they_are(shop: Workshop) -> None:
    value = b'"' + b"1,2\n" * 200_000 + b'",x\n'
    table = b"a,b\n" + b"1,2\n" * 500 + value * 12
    done = await shop.run({}, table)
    assert (done.fault, done.output == table) == (None, True)


async def test_rejected_rows_of_a_joined_table_are_none_of_this_one(shop: Workshop) -> None:
    step = {"op": "join", "file": "n.csv", "on": {"a": "k"}, "input": {"on_bad_row": "skip"}}
    done = await shop.run({"steps": [step]}, b"a,b\n1,2\n", {"join:0": b"k,v\n1,x\n7\n"})
    assert (done.text, done.counts["rows_rejected"], len(done.rejects)) == ("a,b,v\n1,2,x\n", 0, 1)


async def test_a_join_reads_another_table_and_says_which_is_malformed(shop: Workshop) -> None:
    plan = {"steps": [{"op": "join", "file": "names.csv", "on": {"id": "key"}, "columns": {"name": "called"}}]}
    done = await shop.run(plan, b"id,n\n1,a\n2,b\n", {"join:0": b"key;name\n2;Zwei\n"})
    assert done.text == "id,n,called\n1,a,\n2,b,Zwei\n"
    fault = (await shop.run(plan, b"id,n\n1,a\n", {"join:0": b"key,name\n2\n"})).fault
    assert isinstance(fault, RowFault)
    assert "joined" in fault.reason


async def test_a_sort_larger_than_its_memory_uses_the_disk_and_loses_nothing(shop: Workshop, tmp_path: Path) -> None:
    rows = [f"{number * 7919 % 1_000_003:07},{'x' * 90}" for number in range(1_000_003)]
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "\n".join(rows) + "\n")
    done = await shop.run({"steps": [{"op": "sort", "by": [{"column": "a"}]}]}, path, memory=64 << 20)
    assert done.output == ("a,b\n" + "\n".join(sorted(rows)) + "\n").encode()
    assert done.end.peak_rss < 400 << 20


async def test_a_sort_that_may_not_use_the_disk_is_out_of_memory(shop: Workshop, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n" + b"".join(b"%09d,%s\n" % (number, b"x" * 90) for number in range(1_000_000)))
    plan = {"steps": [{"op": "sort", "by": [{"column": "a", "desc": True}]}]}
    done = await shop.run(plan, path, memory=64 << 20, spill=8 << 20)
    assert (type(done.fault), done.output) == (OutOfMemory, b"")


async def test_what_was_found_of_the_dialect_is_told(shop: Workshop) -> None:
    done = await shop.run({}, "id;city\r\n1;Köln\r\n".encode("cp1252"))
    assert done.begun["dialect"] == {
        "delimiter": ";",
        "quote": '"',
        "encoding": "cp1252",
        "line_ending": "crlf",
        "header": True,
    }
    assert done.text == "id;city\r\n1;Köln\r\n"


async def test_five_thousand_columns_pass_as_they_came(shop: Workshop) -> None:
    header = ",".join(f"column {number}" for number in range(5000))
    row = ",".join(f"v{number}" if number % 3 else '""' for number in range(5000))
    table = (header + "\n" + (row + "\n") * 500).encode()
    assert (await shop.run({}, table)).output == table


async def test_a_header_nearly_as_long_as_a_record_may_be_is_told_of(shop: Workshop) -> None:
    header = ",".join(f"é{'ü' * 500}{number}" for number in range(1000))
    table = (header + "\n" + ",".join("x" * 1000) + "\n").encode()
    assert len(header.encode()) > 1_000_000
    assert (await shop.run({}, table)).output == table
