"""Attempts of a query to leave its tables: each is refused before anything of it runs."""

from collections.abc import Iterator

import duckdb
import pytest

from fileserver.tables.engine.session import lock, open_connection
from fileserver.tables.engine.sql import Column, Scope, expression, select
from fileserver.tables.faults import PlanFault

SCOPE = Scope((Column("a", "c0", "c0"), Column("b", "c1", "c1")))
TABLES = {"input": ("a", "b")}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_connection() as connection:
        connection.execute("CREATE TABLE input (c0 VARCHAR, c1 VARCHAR)")
        folder = str(tmp_path_factory.mktemp("spilled"))
        lock(connection, paths=(), folder=folder, memory=256 << 20, threads=2, spill=1 << 20)
        yield connection


QUERIES = r"""
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/passwd"
FROM '/proc/self/environ'
SELECT * FROM 'https://127.0.0.1/x.csv'
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/dev/fd/0')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_parquet('x')
SELECT * FROM parquet_scan('x')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM python_map_function()
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM glob('/*')
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('input')
SELECT * FROM range(1000000000000)
SELECT * FROM generate_series(1, 10)
SELECT * FROM repeat('x', 1000000000)
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_logs()
SELECT * FROM pragma_table_info('input')
SELECT * FROM pragma_version()
SELECT * FROM pragma_database_list
SELECT * FROM information_schema.tables
SELECT * FROM pg_catalog.pg_settings
SELECT * FROM sqlite_master
SELECT * FROM main.input
SELECT * FROM memory.main.input
SELECT * FROM temp.input
SELECT * FROM stage0
SELECT * FROM "with 0 a"
SELECT * FROM input AT (VERSION => 1)
SELECT * FROM input TABLESAMPLE 10%
SELECT * FROM input USING SAMPLE 5
SELECT * FROM input POSITIONAL JOIN input b
SELECT * FROM input, LATERAL read_text(a)
SELECT * FROM unnest([1]) WITH ORDINALITY
SELECT * FROM (PIVOT input ON a)
SELECT * FROM input PIVOT (count(*) FOR a IN ('x'))
SELECT * FROM (UNPIVOT input ON a, b)
SELECT * FROM (DESCRIBE input)
SELECT * FROM (SUMMARIZE input)
SELECT * FROM (SHOW TABLES)
SELECT * FROM (DELETE FROM input RETURNING *)
SELECT COLUMNS('a') FROM input
SELECT #1 FROM input
SELECT ? FROM input
SELECT $1
SELECT a FROM input LIMIT ?
SELECT list_transform([a], x -> x) FROM input
SELECT [x FOR x IN [1]]
SELECT {'x': 1}
SELECT MAP {'x': 1}
SELECT a COLLATE nocase FROM input
SELECT a FROM input ORDER BY a COLLATE de
SELECT getvariable('x')
SELECT current_setting('temp_directory')
SELECT current_user
SELECT current_date
SELECT user
SELECT current_catalog
SELECT now()
SELECT random() FROM input
SELECT pg_sleep(10)
SELECT getenv('HOME')
SELECT error('x')
SELECT main.upper('a')
SELECT count(*) OVER (ORDER BY random()) FROM input
SELECT read_text('/etc/passwd') OVER ()
SELECT nth_value(getvariable('x'), 1) OVER () FROM input
SELECT a FROM input WHERE b = (SELECT version())
SELECT a FROM input GROUP BY version()
SELECT a FROM input GROUP BY a HAVING version() = 'x'
SELECT a FROM input QUALIFY version() = 'x'
SELECT a FROM input ORDER BY version()
SELECT a FROM input LIMIT (SELECT getvariable('x'))
SELECT * REPLACE (version() AS a) FROM input
SELECT * FROM (VALUES (version()))
SELECT * FROM input x JOIN input y ON version() = 'x'
SELECT DISTINCT ON (version()) a FROM input
SELECT unnest([version()])
SELECT case when version() = 'x' then 1 end
SELECT count(*) FILTER (WHERE version() = 'x') FROM input
SELECT string_agg(a, ',' ORDER BY version()) FROM input
SELECT a FROM input UNION SELECT version()
WITH x AS (SELECT version()) SELECT * FROM x
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r
WITH RECURSIVE r(n) USING KEY (n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT * FROM r
WITH x AS (DELETE FROM input RETURNING *) SELECT * FROM x
WITH x AS (INSERT INTO input VALUES ('1', '2') RETURNING *) SELECT * FROM x
WITH x AS (SELECT * FROM x) SELECT * FROM x
WITH x AS (SELECT * FROM '/etc/passwd') SELECT 1
SELECT (WITH y AS (SELECT 1) SELECT 1) FROM y
SELECT 1; SELECT 2
SELECT 1; DROP TABLE input
SELECT 1 INTO x
INSERT INTO input VALUES ('1', '2')
UPDATE input SET a = 'x'
DELETE FROM input
DROP TABLE input
CREATE TABLE x AS SELECT 1
CREATE VIEW x AS SELECT 1
CREATE MACRO f(x) AS x
CREATE TYPE x AS ENUM ('a')
CREATE SECRET (TYPE s3)
ALTER TABLE input ADD COLUMN x INT
ATTACH ':memory:' AS x
DETACH memory
USE memory
COPY input TO '/tmp/x'
COPY (SELECT 1) TO '/dev/stdout'
COPY input FROM '/etc/passwd'
EXPORT DATABASE '/tmp/x'
INSTALL httpfs
LOAD httpfs
SET memory_limit = '1TB'
SET VARIABLE x = 1
RESET ALL
PRAGMA show_tables
CALL duckdb_settings()
PREPARE x AS SELECT 1
EXECUTE x
DEALLOCATE x
EXPLAIN SELECT 1
EXPLAIN ANALYZE SELECT 1
CHECKPOINT
VACUUM
BEGIN
COMMIT
ANALYZE
DESCRIBE input
SUMMARIZE input
SHOW TABLES
SHOW ALL TABLES
PIVOT input ON a
UNPIVOT input ON a
COMMENT ON TABLE input IS 'x'
.read /etc/passwd
""".strip().splitlines()

# Values and names that are text and nothing else, wherever they stand.
HARMLESS = [
    "'; DROP TABLE input; --",
    "' || (SELECT version()) || '",
    "\\'; --",
    '" FROM input; --',
    "/* */ -- \n ;",
    "{source}",
    "$$; $$",
    "\u2019; DROP",
    "%s %d {0} {}",
]


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_reaches_nothing_but_its_tables(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    with pytest.raises(PlanFault) as caught:
        select(connection, text, TABLES)
    assert "/etc/passwd" not in caught.value.reason or "there is no table" in caught.value.reason


@pytest.mark.parametrize("text", HARMLESS)
def test_text_stays_text(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    written = "'" + text.replace("'", "''") + "'"
    assert connection.execute(f"SELECT {expression(connection, written, SCOPE, field='f')}").fetchall() == [(text,)]
    named = '"' + text.replace('"', '""') + '"'
    query = select(connection, f"SELECT {named}, {written} AS {named} FROM input", {"input": (text, "b")})
    assert [column.name for column in query.columns] == [text, text]
    assert connection.execute(query.sql).fetchall() == []
    assert connection.execute("SELECT count(*) FROM input").fetchall() == [(0,)]


def test_there_are_enough_attempts() -> None:
    assert len(set(QUERIES)) >= 100
