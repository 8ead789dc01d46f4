"""SELECT of users: what it means, under which names its columns leave, and what it may not say."""

from collections.abc import Iterator, Sequence

import duckdb
import pytest

from fileserver.tables.engine.session import lock, open_connection
from fileserver.tables.engine.sql import select
from fileserver.tables.faults import PlanFault

HEADER = ("id", "qty", "tags", "ID", "dup", "dup", "", 'a "b"', "Unit\x1f")
ROWS = [(str(n), str(n * 3), "a,b", f"X{n}", "d1", "d2", "nameless", "quoted", "u") for n in range(5)]
DIMENSION = ("id", "name")
NAMES = [("0", "zero"), ("1", "one"), ("1", "uno"), (None, "none")]
TABLES: dict[str, Sequence[str]] = {"input": HEADER, "dim": DIMENSION}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("spilled")
    with open_connection() as connection:
        for name, header, rows in (("input", HEADER, ROWS), ("dim", DIMENSION, NAMES)):
            columns = ", ".join(f"c{number} VARCHAR" for number in range(len(header)))
            connection.execute(f"CREATE TABLE {name} ({columns})")
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' for _ in header)})", rows)
        lock(connection, paths=(), folder=str(folder), memory=1 << 30, threads=2, spill=1 << 30)
        yield connection


def answer(connection: duckdb.DuckDBPyConnection, text: str) -> tuple[list[str], list[tuple[object, ...]]]:
    query = select(connection, text, TABLES)
    result = connection.execute(query.sql)
    assert [column[0] for column in result.description] == [column.sql for column in query.columns]
    return [column.name for column in query.columns], result.fetchall()


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("SELECT qty FROM input LIMIT 2", ["qty"], [("0",), ("3",)]),
        ("FROM input SELECT qty LIMIT 1 OFFSET 4", ["qty"], [("12",)]),
        ("SELECT id, \"ID\" FROM input WHERE id = '2'", ["id", "ID"], [("2", "X2")]),
        ('SELECT i."ID" AS "id" FROM input i WHERE i.id = \'2\'', ["id"], [("X2",)]),
        ("SELECT QTY FROM INPUT LIMIT 1", ["qty"], [("0",)]),
        ('SELECT "a ""b""" FROM input LIMIT 1', ['a "b"'], [("quoted",)]),
        ("SELECT id, id FROM dim LIMIT 1", ["id", "id"], [("0", "0")]),
        ("SELECT 1 AS a, 2 AS A", ["a", "A"], [(1, 2)]),
        ("SELECT length('\x1f0\x1f\n') FROM dim LIMIT 1", ["length(' 0  ')"], [(4,)]),
        ("SELECT count(*), max(qty) FROM input", ["count(*)", "max(qty)"], [(5, "9")]),
        (
            "SELECT (TRY_CAST(qty AS INT) + 1) * 2, upper(\"ID\") FROM input LIMIT 1",
            ["(TRY_CAST(qty AS INT) + 1) * 2", 'upper("ID")'],
            [(2, "X0")],
        ),
        ("SELECT qty FROM input WHERE TRY_CAST(qty AS INT) > 10", ["qty"], [("12",)]),
        ("SELECT qty FROM input ORDER BY TRY_CAST(qty AS INT) DESC LIMIT 2", ["qty"], [("12",), ("9",)]),
        ("SELECT name, count(*) n FROM dim GROUP BY ALL HAVING count(*) = 1 ORDER BY name LIMIT 1", ["name", "n"],
         [("none", 1)]),
        ("SELECT id, count(*) FROM dim GROUP BY id ORDER BY 1 NULLS FIRST LIMIT 2", ["id", "count(*)"],
         [(None, 1), ("0", 1)]),
        ("SELECT grouping(id), count(*) FROM dim GROUP BY ROLLUP (id) ORDER BY ALL DESC LIMIT 1",
         ["grouping(id)", "count(*)"], [(1, 4)]),
        ("SELECT i.id, d.name FROM input i JOIN dim d ON i.id = d.id ORDER BY ALL", ["id", "name"],
         [("0", "zero"), ("1", "one"), ("1", "uno")]),
        ("SELECT name FROM input LEFT JOIN dim USING (id) ORDER BY name LIMIT 1", ["name"], [("one",)]),
        ("SELECT id FROM input SEMI JOIN dim USING (id) ORDER BY id", ["id"], [("0",), ("1",)]),
        ("SELECT qty FROM input ANTI JOIN dim ON input.id = dim.id ORDER BY qty", ["qty"], [("12",), ("6",), ("9",)]),
        ("SELECT count(*) AS n FROM dim a, dim b", ["n"], [(16,)]),
        ("SELECT count(*) AS n FROM dim a NATURAL JOIN dim b", ["n"], [(3,)]),
        ("SELECT id FROM input WHERE id IN (SELECT id FROM dim) ORDER BY id", ["id"], [("0",), ("1",)]),
        ("SELECT id FROM input WHERE EXISTS (FROM dim WHERE dim.id = input.id) ORDER BY id", ["id"], [("0",), ("1",)]),
        ("SELECT (SELECT count(*) FROM dim d WHERE d.id = i.id) AS n FROM input i WHERE id = '1'", ["n"], [(2,)]),
        ("SELECT (id, name) IN (SELECT id, name FROM dim) AS b FROM dim LIMIT 1", ["b"], [(True,)]),
        ("WITH a AS (SELECT id FROM dim), b(x) AS (FROM a) SELECT x FROM b WHERE x = '0'", ["x"], [("0",)]),
        ("WITH input AS (SELECT name FROM dim WHERE id = '0') SELECT * FROM input", ["name"], [("zero",)]),
        ("WITH a AS (SELECT 1 x) SELECT * FROM (WITH a AS (SELECT 2 y FROM a) FROM a), a", ["y", "x"], [(2, 1)]),
        ("SELECT id FROM dim WHERE id = '0' UNION ALL SELECT '9' ORDER BY 1 DESC", ["id"], [("9",), ("0",)]),
        ("SELECT id FROM input EXCEPT SELECT id FROM dim ORDER BY id", ["id"], [("2",), ("3",), ("4",)]),
        ("SELECT id FROM input INTERSECT SELECT id FROM dim ORDER BY id", ["id"], [("0",), ("1",)]),
        ("SELECT 1 AS a UNION ALL BY NAME SELECT 2 AS b ORDER BY ALL", ["a", "b"], [(1, None), (None, 2)]),
        ("SELECT DISTINCT tags FROM input", ["tags"], [("a,b",)]),
        ("SELECT DISTINCT ON (id) id, name FROM dim ORDER BY id, name DESC", ["id", "name"],
         [("0", "zero"), ("1", "uno"), (None, "none")]),
        ("SELECT * EXCLUDE (id) FROM dim LIMIT 1", ["name"], [("zero",)]),
        ("SELECT * REPLACE (upper(name) AS name) FROM dim LIMIT 1", ["id", "name"], [("0", "ZERO")]),
        ("SELECT * RENAME (name AS label) FROM dim LIMIT 1", ["id", "label"], [("0", "zero")]),
        ("SELECT d.* FROM dim d LIMIT 1", ["id", "name"], [("0", "zero")]),
        ("SELECT x.p FROM dim AS x(p, q) LIMIT 1", ["p"], [("0",)]),
        ("VALUES (1, 'a'), (2, 'b')", ["col0", "col1"], [(1, "a"), (2, "b")]),
        ("SELECT a FROM (VALUES (1), (2)) v(a)", ["a"], [(1,), (2,)]),
        ("SELECT unnest(string_split(tags, ',')) AS tag FROM input LIMIT 2", ["tag"], [("a",), ("b",)]),
        ("SELECT count(*) AS n FROM input i, unnest(string_split(i.tags, ',')) t(x)", ["n"], [(10,)]),
        ("SELECT i.id, t.z FROM input i, LATERAL (SELECT i.qty AS z) t ORDER BY 1 LIMIT 1", ["id", "z"], [("0", "0")]),
        ("SELECT row_number() OVER (ORDER BY id DESC) AS r FROM input ORDER BY id LIMIT 1", ["r"], [(5,)]),
        ("SELECT id FROM input QUALIFY row_number() OVER (ORDER BY id DESC) = 1", ["id"], [("4",)]),
        (
            "SELECT sum(qty::INT) OVER w AS s FROM input WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT"
            " ROW EXCLUDE NO OTHERS) ORDER BY id LIMIT 3",
            ["s"], [(0,), (3,), (9,)],
        ),
        ("SELECT lag(id, 1, '-') OVER (ORDER BY id) AS l FROM input ORDER BY id LIMIT 2", ["l"], [("-",), ("0",)]),
        ("SELECT count(*) FILTER (WHERE id > '2') OVER () AS n FROM input LIMIT 1", ["n"], [(2,)]),
        ("SELECT last_value(id IGNORE NULLS) OVER (ORDER BY name ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED"
         " FOLLOWING) AS l FROM dim LIMIT 1", ["l"], [("0",)]),
    ],
)  # fmt: skip
def test_a_query_means_what_it_says(
    connection: duckdb.DuckDBPyConnection, text: str, names: list[str], rows: list[tuple[object, ...]]
) -> None:
    assert answer(connection, text) == (names, rows)


def test_columns_leave_under_their_own_names_whatever_they_are(connection: duckdb.DuckDBPyConnection) -> None:
    names, rows = answer(connection, "SELECT * FROM input")
    assert (tuple(names), rows) == (HEADER, ROWS)


def test_an_order_holds_for_many_rows(connection: duckdb.DuckDBPyConnection) -> None:
    many = "input a, input b, input c, input d, input e, input f, input g"
    text = f"SELECT a.id || b.id || c.id || d.id || e.id || f.id || g.id AS x FROM {many} ORDER BY md5(x)"
    query = select(connection, text, TABLES)
    ordered = connection.execute(f"SELECT md5(c0) FROM ({query.sql})").fetchall()
    assert len(ordered) == 5**7
    assert ordered == sorted(ordered)


def test_types_are_those_of_the_answer(connection: duckdb.DuckDBPyConnection) -> None:
    query = select(connection, "SELECT id, 1::BIGINT AS n, qty::DECIMAL(10,2) AS d FROM input", TABLES)
    assert [column.type for column in query.columns] == ["VARCHAR", "BIGINT", "DECIMAL(10,2)"]
    assert [column.is_text for column in query.columns] == [True, False, False]


def test_relations_may_be_called_otherwise(connection: duckdb.DuckDBPyConnection) -> None:
    query = select(connection, "SELECT name FROM input", {"input": DIMENSION}, relations={"input": "dim"})
    assert connection.execute(query.sql).fetchall()[0] == ("zero",)


def test_a_table_of_with_is_read_once_however_often_it_is_used(connection: duckdb.DuckDBPyConnection) -> None:
    twice = select(connection, "WITH t AS (SELECT id FROM input) SELECT count(*) FROM t a, t b", TABLES)
    assert " AS MATERIALIZED " in twice.sql
    once = select(connection, "WITH t AS (SELECT id FROM input) SELECT count(*) FROM t", TABLES)
    assert " NOT MATERIALIZED " in once.sql
    assert connection.execute(twice.sql).fetchall() == [(25,)]


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("SELECT nope FROM input", None, '"nope" not found'),
        ("SELECT dup FROM input", 7, "more than one column is called `dup`"),
        ("SELECT i.dup FROM input i", 7, "more than one column is called `dup`"),
        ("SELECT 1 FROM inputs", 14, "did you mean `input`?"),
        ("SELECT qty FROM input WHERE qty > 5", None, "TRY_CAST"),
        ("SELECT sum(qty) FROM input", None, "TRY_CAST"),
        ("SELECT now()", 7, "differ from run to run"),
        ("SELECT input FROM input", None, "a whole row"),
        ("SELECT id FROM input LIMIT 10%", 27, "number of rows"),
        ("SELECT 'é', , 1", 12, "syntax error"),
        ("SELECT id FROM input GROUP BY tags", None, "GROUP BY"),
        ("", None, "expected"),
        ("SELECT (" * 400 + "1" + ")" * 400, None, ""),
        ("SELECT * FROM (" * 60 + "SELECT 1" + ")" * 60, None, "nested too deeply"),
        ("SELECT 1 FROM " + " CROSS JOIN ".join(["dim"] * 900), None, "nested too deeply"),
    ],
)
def test_a_fault_says_what_is_wrong(
    connection: duckdb.DuckDBPyConnection, text: str, position: int | None, said: str
) -> None:
    with pytest.raises(PlanFault) as caught:
        select(connection, text, TABLES)
    assert said in caught.value.reason
    assert caught.value.field == "sql"
    assert position is None or caught.value.position == position
    assert "\x1f" not in caught.value.reason
    assert "c0" not in caught.value.reason
