"""Plans that are small and would have the engine make something giant, or take long: each ends by itself, alone."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fileserver.tables import OutOfMemory, PlanFault, TableFault
from fileserver.workers import PoolLimits
from tests.tables.engine.working import Workshop, workshop

MEMORY = 256 << 20
LIMITS = PoolLimits(data_size=2 << 30, cpu_s=20)
TABLE = b"id,text\n1,x\n2,y\n"
LONG = "repeat('x', 9000000)"


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A pool whose workers may have little."""
    async with workshop(tmp_path_factory.mktemp("jobs"), LIMITS) as shop:
        yield shop


def doubled(expression: str, times: int, column: str = "text") -> dict[str, Any]:
    """A plan that puts the column into the expression again and again."""
    return {"steps": [{"op": "derive", "columns": {column: expression}}] * times}


def derived(expression: str) -> dict[str, Any]:
    """A plan that makes one column."""
    return {"steps": [{"op": "derive", "columns": {"made": expression}}]}


def nested(call: str, inner: str, times: int) -> str:
    """The call within itself; `{}` is its place."""
    for _ in range(times):
        inner = call.replace("{}", inner)
    return inner


def queries(selected: str, times: int) -> str:
    """A query within a query, so many times."""
    return "".join([f"SELECT {selected} AS text FROM ("] * times) + "SELECT text FROM input" + ")" * times


REFUSED = [
    {"sql": "SELECT length(repeat('x', 2000000000)) AS n FROM input"},
    {"sql": queries("text || text", 30)},
    {"sql": f"SELECT array_to_string(string_split({LONG}, ''), '') AS n FROM input"},
    {"sql": "SELECT array_to_string(string_split(repeat('x', 900000), ''), repeat('y', 100)) AS n FROM input"},
    {"sql": f"SELECT count(*) AS n FROM (SELECT unnest(string_split({LONG}, '')) FROM input)"},
    {"sql": f"SELECT regexp_extract_all({LONG}, 'x') AS n FROM input"},
    {"sql": "SELECT repeat(text, 1000000000) AS n FROM (VALUES ('x')) AS v(text)"},
    {"sql": "SELECT n FROM (SELECT max(text) AS n FROM input GROUP BY repeat(text, 100000000))"},
    {"sql": "SELECT sum(strlen(repeat(text, 100000000))) OVER () AS n FROM input"},
    derived("repeat(id, 1000000000)"),
    derived("repeat(repeat(repeat(text, 10000), 10000), 10000)"),
    derived("repeat(text, 9223372036854775807)"),
    derived("length(lpad(text, 2000000000, 'x'))"),
    derived("rpad(lpad(text, 6000000, 'x'), 6000000, 'ä')"),
    derived(f"replace({LONG}, 'x', 'yyyyyyyyyy')"),
    derived(nested("replace({}, 'x', 'xxxxxxxxxx')", "text", 20)),
    derived(nested("regexp_replace({}, '.', '\\0\\0\\0\\0\\0\\0', 'g')", "text", 12)),
    derived(f"regexp_replace({LONG}, '.*', '\\0\\0\\0\\0\\0\\0')"),
    derived(nested("concat({}, {})", "text", 3).replace("text", LONG)),
    derived(f"concat_ws({LONG}, 'a', 'b', 'c')"),
    derived(nested("hex({})", "text", 40)),
    derived(nested("bin({})", "text", 20)),
    derived(nested("url_encode({})", "'%' || repeat('ä', 4000000)", 3)),
    derived(nested("regexp_escape({})", "repeat('%', 4000000)", 6)),
    derived("printf('%2000000000d', 1)"),
    derived("printf('%*d', 2000000000, 1)"),
    derived("printf('%.2000000000f', 1.5)"),
    derived("format('{:>2000000000}', text)"),
    derived("format('{:>{}}', text, 2000000000)"),
    derived("format(repeat('{0}', 1000), repeat(text, 1000000))"),
    derived("strftime(DATE '2024-01-01', repeat('%c', 4000000))"),
    derived("levenshtein(repeat('x', 200000), repeat('y', 200000))"),
    derived("damerau_levenshtein(repeat(text, 20000), repeat('y', 20000))"),
    derived(f"jaro_winkler_similarity({LONG}, reverse({LONG} || 'y'))"),
    derived("editdist3(repeat('x', 200000), repeat('y', 200000))"),
    derived("regexp_matches(repeat('x', 9000000), '(x?){500}(x){500}y')"),
    derived("factorial(1000000)"),
    doubled("text || text", 40),
    doubled("concat(text, '-', text)", 40),
    doubled("overlay(text placing text || text from 1 for 1)", 40),
    {"sql": "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"},
    {"sql": "SELECT unnest(generate_series(1, 1000000000)) AS n"},
    {"sql": "SELECT n FROM range(1000000000) AS t(n)"},
    derived("(" * 4000 + "1" + ")" * 4000),
    derived("-" * 4000 + "1"),
    derived(nested("upper({})", "text", 1000)),
    derived("NOT " * 2000 + "true"),
]


@pytest.mark.parametrize("plan", REFUSED, ids=lambda plan: str(plan)[:100])
async def test_a_bomb_is_refused_in_words(shop: Workshop, plan: dict[str, Any]) -> None:
    done = await shop.run(plan, TABLE, memory=MEMORY, spill=MEMORY)
    assert isinstance(done.fault, TableFault), done.end
    assert type(done.fault) in (TableFault, PlanFault), done.fault
    assert not re.search("stage|c[0-9]|it[.]a|list_transform", done.fault.reason)
    assert done.end.reason == "done"  # and not for want of processor time
    assert done.end.peak_rss < 512 << 20


BOUNDED = [
    derived("'x'" + " || text" * 1000),
    derived(nested("concat({}, text)", "text", 60)),
    derived(nested("lpad({}, 5, 'x')", "text", 80)),
    derived("pow(10, 1000000) + 1e308 * 10"),
    derived(f"id IN ({', '.join(map(str, range(1500)))})"),
    derived(" OR ".join([f"id = {number}" for number in range(600)])),
    derived("text LIKE '" + "%_" * 2000 + "z'"),
    derived(f"{LONG} LIKE '" + "%x_" * 1000 + "z'"),
    derived("regexp_matches(text, repeat('(x?)', 200000))"),
    derived(f"instr({LONG}, repeat('x', 4000000) || 'y')"),
    derived(f"jaccard({LONG}, {LONG})"),
    derived(f"length_grapheme({LONG})"),
    derived(f"length(nfc_normalize(strip_accents(upper({LONG}))))"),
    derived(f"TRY({LONG} || {LONG})"),
    {"sql": f"SELECT text AS a, {', '.join([f'{LONG} AS a{number}' for number in range(4)])} FROM input"},
    {"sql": "SELECT count(*) AS n FROM (VALUES " + ", ".join(["(1)"] * 1000) + ") AS a(n)"},
]


@pytest.mark.parametrize("plan", BOUNDED, ids=lambda plan: str(plan)[:100])
async def test_what_is_large_but_bounded_ends_soon(shop: Workshop, plan: dict[str, Any]) -> None:
    done = await shop.run(plan, TABLE, memory=MEMORY, spill=MEMORY)
    assert done.end.reason == "done", done.end
    assert done.end.peak_rss < 1 << 30


MANY = [
    {"sql": "SELECT string_agg(repeat(id, 1000), ',') AS n FROM input"},
    {"sql": "SELECT string_agg(repeat(id, 1000), ',') OVER (ORDER BY id) AS n FROM input"},
    {"sql": "SELECT repeat(id, 1000000) AS n FROM input ORDER BY 1"},
    {"sql": "SELECT count(DISTINCT repeat(id, 100000)) AS n FROM input"},
    {"sql": "SELECT mode(repeat(id, 100000)) AS n FROM input"},
    {"sql": "SELECT max(strlen(repeat(id, 1000000))) AS n FROM input"},
    {"steps": [{"op": "group_by", "columns": [], "aggregate": {"n": "string_agg(repeat(id, 10000), '')"}}]},
]


@pytest.mark.parametrize("plan", MANY, ids=lambda plan: str(plan)[:100])
async def test_many_large_values_are_more_than_the_memory(shop: Workshop, plan: dict[str, Any]) -> None:
    table = b"id\n" + b"".join(b"%06d\n" % number for number in range(100_000))
    done = await shop.run(plan, table, memory=MEMORY, spill=MEMORY)
    assert isinstance(done.fault, OutOfMemory) or done.end.reason in ("memory", "killed"), (done.fault, done.end)
    assert done.end.peak_rss < 3 << 29
    assert (await shop.run({}, b"a\n1\n")).text == "a\n1\n"


async def test_the_cpu_ends_a_job_that_never_would(shop: Workshop) -> None:
    rows = b"".join(b"%d\n" % number for number in range(3000))
    async with workshop(shop.new_folder(), PoolLimits(data_size=2 << 30, cpu_s=3)) as short:
        done = await short.run(
            {"sql": "WITH t AS (SELECT id FROM input) SELECT count(*) AS n FROM t a, t b, t c, t d WHERE a.id <> d.id"},
            b"id\n" + rows,
            memory=MEMORY,
            spill=MEMORY,
        )
        assert done.end.reason == "cpu"
        assert (await short.run({}, b"a\n1\n")).text == "a\n1\n"
