"""The session: what a locked connection still does, and what it never does again."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from fileserver.tables.engine.session import count_readers, lock, open_connection

SECRET = "the secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text(SECRET)
    return folder


@pytest.fixture
def locked(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_connection() as connection:
        lock(connection, paths=(), folder=str(folder), memory=256 << 20, threads=2, spill=64 << 20)
        yield connection


def reading(path: str, *names: str) -> str:
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    return f"read_csv('{path}', auto_detect=false, header=false, columns={{{columns}}})"


def test_a_pipe_that_is_allowed_is_read_and_no_other(folder: Path) -> None:
    with open_connection() as connection:
        ours, into_ours = os.pipe()
        other, into_other = os.pipe()
        try:
            path = f"/dev/fd/{ours}"
            lock(connection, paths=(path,), folder=str(folder), memory=256 << 20, threads=2, spill=0)
            os.write(into_ours, b"1,a\n2,b\n")
            os.close(into_ours)
            query = f"SELECT * FROM {reading(path, 'c0', 'c1')}"
            assert count_readers(connection, query) == 1
            assert connection.execute(query).fetchall() == [("1", "a"), ("2", "b")]
            with pytest.raises(duckdb.PermissionException):
                connection.execute(f"SELECT * FROM {reading(f'/dev/fd/{other}', 'c0')}").fetchall()
        finally:
            for descriptor in (ours, other, into_other):
                os.close(descriptor)


def test_readers_are_counted_wherever_they_stand(folder: Path) -> None:
    with open_connection() as connection:
        source, sink = os.pipe()
        os.close(sink)
        try:
            path = f"/dev/fd/{source}"
            lock(connection, paths=(path,), folder=str(folder), memory=256 << 20, threads=2, spill=0)
            table = reading(path, "c0")
            assert count_readers(connection, "SELECT 1") == 0
            assert count_readers(connection, f"SELECT * FROM {table} a, {table} b") == 2
            assert count_readers(connection, f"SELECT * FROM {table} WHERE c0 IN (SELECT c0 FROM {table})") == 2
            kept = f"WITH t AS MATERIALIZED (FROM {table}) SELECT * FROM t a JOIN t b USING (c0)"
            assert count_readers(connection, kept) == 1
        finally:
            os.close(source)


def test_a_reader_of_arrow_is_a_table_on_a_cursor(locked: duckdb.DuckDBPyConnection) -> None:
    batches = (pa.record_batch({"c0": [str(number)]}) for number in range(3))
    schema = pa.schema([("c0", pa.string())])
    cursor = locked.cursor()
    cursor.register("stage1", pa.RecordBatchReader.from_batches(schema, batches))
    answer = cursor.sql("SELECT c0, row_number() OVER () FROM stage1").to_arrow_reader(1000)
    assert answer.read_all().to_pydict() == {"c0": ["0", "1", "2"], "row_number() OVER ()": [1, 2, 3]}


def test_what_does_not_fit_into_memory_is_spilled_and_gone_after(folder: Path) -> None:
    with open_connection() as connection:
        lock(connection, paths=(), folder=str(folder), memory=24 << 20, threads=1, spill=512 << 20)
        query = "SELECT md5(i::VARCHAR) AS h FROM range(1000000) t(i) ORDER BY h"
        reader = connection.sql(query).to_arrow_reader(1000)
        assert reader.read_next_batch().num_rows > 0
        assert any(folder.rglob("*"))
        del reader
    assert not any(path.is_file() for path in folder.rglob("*"))


def test_more_than_may_be_spilled_is_refused(folder: Path) -> None:
    with open_connection() as connection:
        lock(connection, paths=(), folder=str(folder), memory=24 << 20, threads=1, spill=1 << 20)
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute("SELECT md5(i::VARCHAR) AS h FROM range(1000000) t(i) ORDER BY h").fetchmany(1)


def test_a_cast_in_the_reader_drops_no_row(tmp_path: Path, folder: Path) -> None:
    # DuckDB 2.0 moves TRY_CAST into its reader, where a value that is no number raises, or costs the row
    table = tmp_path / "table.csv"
    table.write_text("1,a\nx,b\n3,c\n")
    with open_connection() as connection:
        lock(connection, paths=(str(table),), folder=str(folder), memory=256 << 20, threads=2, spill=0)
        source = reading(str(table), "c0", "c1").replace("header=false", "header=false, ignore_errors=true")
        query = f"SELECT TRY_CAST(c0 AS BIGINT), c1 FROM {source}"
        assert connection.execute(query).fetchall() == [(1, "a"), (None, "b"), (3, "c")]


@pytest.mark.parametrize("is_cursor", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "SET lock_configuration = false",
        "RESET lock_configuration",
        "SET GLOBAL enable_external_access = true",
        "RESET enable_external_access",
        "SET allowed_paths = ['/']",
        "SET allowed_directories = ['/']",
        "RESET allowed_paths",
        "SET memory_limit = '100GB'",
        "SET SESSION threads = 64",
        "SET temp_directory = '/tmp'",
        "SET max_temp_directory_size = '1TB'",
        "SET disabled_optimizers = ''",
        "RESET disabled_optimizers",
        "SET autoinstall_known_extensions = true",
        "SET allow_community_extensions = true",
        "SET python_enable_replacements = true",
        "SET TimeZone = 'Asia/Tokyo'",
        "SET error_on_division_by_zero = true",
        "SET home_directory = '/tmp'",
        "SET extension_directory = '/tmp'",
        "SET log_query_path = '/tmp/log.txt'",
        "SET profiling_output = '/tmp/profile.json'",
        "PRAGMA enable_profiling",
        "PRAGMA memory_limit = '100GB'",
        "CALL enable_logging()",
        "INSTALL httpfs",
        "LOAD httpfs",
        "FORCE INSTALL spatial FROM community",
        "ATTACH '{secret}' AS other",
        "ATTACH 'https://127.0.0.1/x.db'",
        "COPY (SELECT 1) TO '{outside}'",
        "COPY (SELECT 1) TO '/dev/stdout'",
        "EXPORT DATABASE '{outside}'",
        "IMPORT DATABASE '{outside}'",
        "CREATE TABLE t AS FROM '{secret}'",
        "FROM '{secret}'",
        "FROM read_csv('{secret}')",
        "FROM read_text('{secret}')",
        "FROM read_blob('{secret}')",
        "FROM read_json('{secret}')",
        "FROM read_parquet('{secret}')",
        "FROM sniff_csv('{secret}')",
        "FROM glob('/*')",
        "FROM read_text('/proc/self/environ')",
        "FROM read_text('/dev/fd/0')",
        "FROM query('FROM read_text(''{secret}'')')",
        "FROM query_table(['{secret}'])",
        "DESCRIBE FROM '{secret}'",
        "SUMMARIZE '{secret}'",
        "FROM read_csv('https://127.0.0.1/x.csv')",
        "FROM read_csv('s3://bucket/x.csv')",
        "FROM parquet_metadata('{secret}')",
        "CREATE SECRET (TYPE s3)",
        "FROM SECRET",
    ],
)
def test_a_locked_connection_reaches_nothing(
    locked: duckdb.DuckDBPyConnection, tmp_path: Path, statement: str, *, is_cursor: bool
) -> None:
    connection = locked.cursor() if is_cursor else locked
    outside = tmp_path / "outside"
    text = statement.format(secret=tmp_path / "secret.csv", outside=outside)
    with pytest.raises((duckdb.Error, RuntimeError)):
        connection.execute(text).fetchall()
    assert not outside.exists()


def test_a_variable_of_ours_is_no_table(locked: duckdb.DuckDBPyConnection) -> None:
    SECRET_TABLE = pa.table({"c0": [SECRET]})  # noqa: N806
    assert SECRET_TABLE.num_rows == 1
    with pytest.raises(duckdb.CatalogException):
        locked.execute("FROM SECRET_TABLE").fetchall()
