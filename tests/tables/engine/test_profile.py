"""Profiles: what is in a table, by the type that fits all its values."""

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
import pytest

from fileserver.tables.engine.profile import MAX_SHOWN, PEEK_ROWS, ColumnProfile, Profile, profile
from fileserver.tables.engine.session import open_connection


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection as workers have it."""
    with open_connection() as opened:
        yield opened


def profiled(connection: duckdb.DuckDBPyConnection, *columns: Sequence[str | None], rows: int | None = None) -> Profile:
    table = pa.table({f"c{place}": pa.array(values, pa.string()) for place, values in enumerate(columns)})
    with connection.cursor() as making:
        making.register("given", table)
        making.execute("CREATE OR REPLACE TABLE told AS SELECT * FROM given")
    return profile(connection, "told", [f"column {place}" for place in range(len(columns))], rows=rows)


def column(connection: duckdb.DuckDBPyConnection, *values: str | None) -> ColumnProfile:
    return profiled(connection, values).columns[0]


@pytest.mark.parametrize(
    ("type_name", "values", "ends"),
    [
        ("int64", ["10", "9", "-8"], ("-8", "10")),
        ("int64", [str(2**63 - 1), str(-(2**63))], (str(-(2**63)), str(2**63 - 1))),
        ("int64", ["1", None, "", "2"], ("1", "2")),
        ("int128", [str(2**63), "1"], ("1", str(2**63))),
        ("int128", ["24089154938208861744"], ("24089154938208861744",) * 2),
        ("decimal(18,2)", ["10.50", "9.25", "-0.05"], ("-0.05", "10.50")),
        ("decimal(38,2)", ["12345678901234567890.25"], ("12345678901234567890.25",) * 2),
        ("decimal(38,18)", ["0.123456789012345678", "1.5"], ("0.123456789012345678", "1.500000000000000000")),
        ("decimal(18,1)", ["12345678901234567.5"], ("12345678901234567.5",) * 2),
        ("float64", ["1.5", "2", "10.25"], ("1.5", "10.25")),
        ("float64", ["1e5", ".5", "-0.25", "2."], ("-0.25", "100000.0")),
        ("float64", ["0.00000000000000000012", "1e-300"], ("1e-300", "1.2e-19")),
        ("bool", ["TRUE", "false", "True"], ("false", "true")),
        ("date", ["2024-02-29", "1999-12-31"], ("1999-12-31", "2024-02-29")),
        ("timestamp", ["2024-02-29 10:00", "2024-02-28T23:59:59.5Z"], ("2024-02-28 23:59:59.5", "2024-02-29 10:00:00")),
        ("timestamp", ["2024-02-29", "2024-02-29 10:00:00"], ("2024-02-29 00:00:00", "2024-02-29 10:00:00")),
        ("time", ["10:30", "09:15:01.25"], ("09:15:01.25", "10:30:00")),
        ("text", ["007", "8"], ("007", "8")),  # its zeros would go
        ("text", ["+49170123456"], ("+49170123456",) * 2),
        ("text", ["1e5", "1.2345678901234567890"], ("1.2345678901234567890", "1e5")),  # too many digits for a float
        ("text", ["1", " 2"], (" 2", "1")),
        ("text", ["1_000"], ("1_000",) * 2),
        ("text", ["1,5"], ("1,5",) * 2),
        ("text", ["nan", "inf"], ("inf", "nan")),
        ("text", ["9e308"], ("9e308",) * 2),
        ("text", ["1e400"], ("1e400",) * 2),
        ("text", ["0x10"], ("0x10",) * 2),
        ("text", ["1", "true"], ("1", "true")),
        ("text", ["t", "f"], ("f", "t")),
        ("text", ["2023-02-29"], ("2023-02-29",) * 2),
        ("text", ["0000-01-01"], ("0000-01-01",) * 2),  # prints as a year before Christ
        ("text", ["2024-1-1"], ("2024-1-1",) * 2),
        ("text", ["infinity"], ("infinity",) * 2),
        ("text", ["2024-02-29 10:00:00+02:00"], ("2024-02-29 10:00:00+02:00",) * 2),  # its offset would go
        ("text", ["2024-02-29 10:00:00.123456789"], ("2024-02-29 10:00:00.123456789",) * 2),
        ("text", ["25:00"], ("25:00",) * 2),
        ("text", ["9" * 40], ("9" * 40,) * 2),
        ("text", ["1e5", "12345678901234567890"], ("12345678901234567890", "1e5")),
        ("text", ["東京", "Köln", "𝄞"], ("Köln", "𝄞")),  # by code points
        ("text", ["12\n"], ("12\n",) * 2),
        ("text", [None, ""], (None, None)),
        ("text", [], (None, None)),
    ],
)
def test_the_type_fits_all_values(
    connection: duckdb.DuckDBPyConnection, type_name: str, values: list[str | None], ends: tuple[str, str]
) -> None:
    found = column(connection, *values)
    assert (found.type, found.min, found.max) == (type_name, *ends)


@pytest.mark.parametrize(
    ("early", "late", "type_name"),
    [
        ("1", "x", "text"),
        ("1", "2.5", "float64"),
        ("1", str(2**70), "int128"),
        ("1.50", "2.5", "float64"),
        ("2024-01-01", "2024-01-01 12:00", "timestamp"),
        ("", "3", "int64"),
    ],
)
def test_a_late_value_changes_the_type(
    connection: duckdb.DuckDBPyConnection, early: str, late: str, type_name: str
) -> None:
    found = column(connection, *[early] * (PEEK_ROWS + 5), late)
    assert found.type == type_name


def test_what_is_missing_is_counted_apart(connection: duckdb.DuckDBPyConnection) -> None:
    found = column(connection, "a", None, "", "bcd", "", "a")
    assert (found.nulls, found.empty, found.longest) == (1, 2, 3)
    assert found.examples == ("a", "bcd")


def test_the_number_of_different_values_is_about_right(connection: duckdb.DuckDBPyConnection) -> None:
    found = column(connection, *(str(number % 5000) for number in range(50_000)))
    assert 4500 < found.distinct_estimate < 5500


def test_a_long_text_is_cut_where_it_is_shown(connection: duckdb.DuckDBPyConnection) -> None:
    found = column(connection, "é" * 100_000)
    assert found.longest == 100_000
    assert found.min == found.max == found.examples[0] == "é" * (MAX_SHOWN - 1) + "…"


@pytest.mark.parametrize("rows", [0, 1, 29_999, 30_000, 30_001])
def test_the_first_rows_alone_are_looked_at(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    found = profiled(connection, [*["1"] * 29_999, "x"], rows=rows)
    assert (found.rows, found.sampled) == (min(rows, 30_000), rows < 30_000)
    assert found.columns[0].type == ("text" if rows == 0 or rows >= 30_000 else "int64")
    assert found.columns[0].nulls == 0


def test_large_values_make_a_small_sample(connection: duckdb.DuckDBPyConnection) -> None:
    profiled(connection, ["x" * 1000] * 30_000)
    found = profile(connection, "told", ["a"], rows=20_000, size=1 << 20)
    assert (found.sampled, found.rows) == (True, PEEK_ROWS)
    found = profile(connection, "told", ["a"], rows=20_000, size=1 << 30)
    assert (found.sampled, found.rows) == (True, 20_000)


def test_columns_keep_to_themselves(connection: duckdb.DuckDBPyConnection) -> None:
    found = profiled(connection, ["1", "2"], ["a", None], [None, None], ["true", "false"])
    assert [each.type for each in found.columns] == ["int64", "text", "text", "bool"]
    assert [each.nulls for each in found.columns] == [0, 1, 2, 0]
    assert [each.name for each in found.columns] == ["column 0", "column 1", "column 2", "column 3"]


def test_a_table_of_five_thousand_columns(connection: duckdb.DuckDBPyConnection) -> None:
    found = profiled(connection, *([str(place), str(place + 1)] for place in range(5000)))
    assert all(each.type == "int64" and each.min == str(place) for place, each in enumerate(found.columns))
