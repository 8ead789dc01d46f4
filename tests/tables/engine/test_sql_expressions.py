"""Expressions: what they mean over a table whose values are all text, and where they are refused."""

import math
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileserver.tables.engine.session import lock, open_connection
from fileserver.tables.engine.sql import Column, Scope, described, expression, quoted
from fileserver.tables.engine.sql.functions import AGGREGATES, LISTS, SCALARS, TYPES, WINDOWS
from fileserver.tables.faults import PlanFault

VALUES = {
    "id": "007",
    "qty": "12",
    "amount": "1.50",
    "city": "Köln",
    "day": "2024-02-29",
    "flag": "yes",
    "empty": None,
    "Straße, Nr.": "Am Markt 1",
    'a "b"': "q",
    "Total": "5",
    "current_date": "a column",
    "twice": "1",
}
TYPES_OF_VALUES = {"qty": "int64", "amount": "decimal(18,2)", "day": "date", "Total": "float64"}
COLUMNS = tuple(
    Column(name, f"c{number}", f"TRY_CAST(c{number} AS {TYPES[type_.partition('(')[0]]})", False, type_)
    if (type_ := TYPES_OF_VALUES.get(name))
    else Column(name, f"c{number}", f"c{number}")
    for number, name in enumerate(VALUES)
)
SCOPE = Scope((*COLUMNS, Column("twice", "c0", "c0"), Column("same", "c0", "c0"), Column("SAME", "c1", "c1")))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_connection()
    folder = tmp_path_factory.mktemp("spilled")
    connection.execute(f"CREATE TABLE one ({', '.join(f'c{number} VARCHAR' for number in range(len(VALUES)))})")
    connection.execute(f"INSERT INTO one VALUES ({', '.join('?' for _ in VALUES)})", list(VALUES.values()))
    lock(connection, paths=(), folder=str(folder), memory=1 << 30, threads=2, spill=1 << 30)
    with connection:
        yield connection


def value_of(connection: duckdb.DuckDBPyConnection, text: str, *, is_aggregate: bool = False) -> Any:
    sql = expression(connection, text, SCOPE, field="where", is_aggregate=is_aggregate)
    row = connection.execute(f"SELECT {sql} FROM one").fetchall()[0]
    return row[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("id", "007"),
        ("id = '007'", True),
        ("id = 7", True),
        ("7 = id", True),
        ("id > 6.5", True),
        ("6 < id", True),
        ("8 <= id", False),
        ("id <> 7", False),
        ("id BETWEEN 1 AND 10", True),
        ("id NOT BETWEEN 1 AND 10", False),
        ("id IN (1, 7)", True),
        ("id IN ('x', 7)", True),
        ("id NOT IN (1, 2)", True),
        ("id IS DISTINCT FROM 7", False),
        ("id IS NOT DISTINCT FROM 7", True),
        ("empty IS NOT DISTINCT FROM 7", False),
        ("city > 5", None),
        ("city = 5", None),
        ("city <> 5", None),
        ("city IN (5)", None),
        ("empty > 5", None),
        ("trim(id) > 5", True),
        ("nullif(id, 7)", None),
        ("nullif(id, 8)", "007"),
        ("CASE id WHEN 7 THEN 'seven' ELSE 'other' END", "seven"),
        ("CASE WHEN qty > 5 THEN 'big' ELSE city END", "big"),
        ("if(qty > 5, 'big', 'small')", "big"),
        ("qty * 2 + 1", 25),
        ("-(-qty)", 12),
        ("- -5", 5),
        ("qty - -5", 17),
        ("qty % 5", 2),
        ("qty // 5", 2),
        ("qty / 0", math.inf),
        ("qty // 0", None),
        ("amount * 2", Decimal("3.00")),
        ("round(amount, 0)", Decimal(2)),
        ("QTY > 5", True),
        ("total", 5.0),
        ('"Straße, Nr."', "Am Markt 1"),
        ('"a ""b"""', "q"),
        ("same", "007"),
        ('"SAME"', "12"),
        ("current_date", "a column"),
        ("upper(city) || '!'", "KÖLN!"),
        ("city || 5", "Köln5"),
        ("city LIKE 'K%' AND NOT city ILIKE '%x%'", True),
        ("city SIMILAR TO 'K.*'", True),
        ("regexp_replace(city, 'ö', 'oe')", "Koeln"),
        ("city ~ 'l'", True),
        ("substring(city FROM 2 FOR 2)", "öl"),
        ("city[1]", "K"),
        ("city[2:3]", "öl"),
        ("length(city)", 4),
        ("coalesce(empty, 'none')", "none"),
        ("empty IS NULL", True),
        ("empty IS NOT NULL", False),
        ("flag = true", True),
        ("flag IS TRUE", True),
        ("city IS TRUE", False),
        ("CAST(id AS INT) + 1", 8),
        ("id::decimal(10, 2)", Decimal("7.00")),
        ("TRY_CAST(city AS int64)", None),
        ("TRY(CAST(city AS INT))", None),
        ("year(day)", 2024),
        ("extract(month FROM day)", 2),
        ("strftime(day + INTERVAL 1 DAY, '%d.%m.%Y')", "01.03.2024"),
        ("day > '2024-01-01'", True),
        ("day = DATE '2024-02-29'", True),
        ("date_diff('day', day, DATE '2024-03-02')", 2),
        ("'it''s; -- /* no comment'", "it's; -- /* no comment"),
        ("E'a\\nb'", "a\nb"),
        ("$$a'b$$", "a'b"),
        ("''", ""),
        ("NULL", None),
        ("1_000", 1000),
        ("qty > 5 OR city = 'x' AND id = 1", True),
        ("greatest(qty, 20)", 20),
        ("city -- the end", "Köln"),
    ],
)
def test_an_expression_means_what_it_says(connection: duckdb.DuckDBPyConnection, text: str, value: object) -> None:
    assert value_of(connection, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("count(*)", 1),
        ("count(DISTINCT city)", 1),
        ("sum(qty) / count(*)", 12.0),
        ("sum(qty) FILTER (WHERE city = 'x')", None),
        ("string_agg(city, ',' ORDER BY qty DESC NULLS LAST)", "Köln"),
        ("max(city)", "Köln"),
        ("quantile_cont(qty, 0.5)", 12.0),
        ("percentile_cont(0.5) WITHIN GROUP (ORDER BY qty)", 12.0),
        ("arg_max(city, qty)", "Köln"),
        ("round(avg(amount), 1)", 1.5),
    ],
)
def test_an_aggregate_means_what_it_says(connection: duckdb.DuckDBPyConnection, text: str, value: object) -> None:
    assert value_of(connection, text, is_aggregate=True) == value


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("nope = 1", 0, "no column `nope`"),
        ("'ö' || nope", 7, "no column `nope`"),
        ("citi = 'x'", 0, "did you mean `city`?"),
        ("twice = 1", 0, "more than one column is called `twice`"),
        ("Same = 1", 0, "more than one column is called `Same`"),
        ("city + 1", 5, "city:int64"),
        ("1 - city", 2, "`-` needs a number"),
        ("sum(city)", 0, "city:int64"),
        ("avg(trim(city))", 0, "this is text"),
        ("city = qty", 0, "`city` is text, and it is compared with a number"),
        ("city IN (qty)", 8, "compared with a number"),
        ("qty IN (city, 5)", 7, "compared with a number"),
        ("city > day", 0, "compared with a moment"),
        ("NOT city", 4, "a condition is expected"),
        ("qty > 5 AND city", 12, "a condition is expected"),
        ("CASE WHEN city THEN 1 END", 10, "a condition is expected"),
        ("year(city)", 0, "needs a moment"),
        ("coalesce(city, 0)", 0, "another value beside it is none"),
        ("city > 1e999", 0, "too large"),
        ("city IN (1e999)", 8, "too large"),
        ("city = 1e-99999999", 0, "too small"),
        ("city IN (1, 0e-99999999999999999999)", 8, "too small"),
        ("qty +", None, "syntax error"),
        ("'é' + , 1", 6, "syntax error"),
        ("(qty", None, "syntax error"),
        ("qty city", 0, "an operator is missing before `city`"),
        ("qty, city", 5, "one expression is expected"),
        ("", None, "SELECT clause"),
        ("   ", None, "SELECT clause"),
        ("-- nothing", None, "SELECT clause"),
        ("qty\x00", 3, "NUL"),
        ("city.x", 0, "double quotes"),
        ("CAST(city AS nonsense)", 0, "no type `nonsense`"),
        ("CAST(city AS decimal(1000, 2))", 0, "cannot have these sizes"),
        ("nonsense(city)", 0, "no function `nonsense`"),
        ("uper(city)", 0, "did you mean `upper`?"),
        ("now()", 0, "differ from run to run"),
        ("current_timestamp", 0, "differ from run to run"),
        ("if(qty > 5, 1)", 0, "takes 3 arguments"),
    ],
)
def test_a_fault_says_where_and_what_to_do(
    connection: duckdb.DuckDBPyConnection, text: str, position: int | None, said: str
) -> None:
    with pytest.raises(PlanFault) as caught:
        expression(connection, text, SCOPE, field="steps[0].where", is_aggregate="(city" in text)
    assert said in caught.value.reason
    assert caught.value.field == "steps[0].where"
    if position is not None:
        assert caught.value.position == position


def test_an_aggregate_is_refused_where_there_is_one_row(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PlanFault, match="group_by"):
        expression(connection, "sum(qty)", SCOPE, field="where")


def test_text_is_no_condition(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PlanFault, match="a condition is expected"):
        expression(connection, "city", SCOPE, field="where", is_condition=True)
    assert expression(connection, "city = 'x'", SCOPE, field="where", is_condition=True) == "(c3 = 'x')"


def test_what_only_the_engine_sees_is_a_fault_of_the_plan_too(connection: duckdb.DuckDBPyConnection) -> None:
    sql = expression(connection, "upper(qty)", SCOPE, field="where")
    with pytest.raises(PlanFault) as caught:
        described(connection, f"SELECT {sql} FROM one", field="where")
    assert caught.value.reason == "No function matches the given name and argument types 'upper(BIGINT)'"
    assert caught.value.field == "where"


@pytest.mark.parametrize("depth", [100, 1_000, 3_000])
@pytest.mark.parametrize(
    "before_and_after", [("NOT ", ""), ("(", ")"), ("- ", ""), ("upper(", ")"), ("CASE WHEN ", " THEN 1 END")]
)
def test_deep_nesting_is_refused_and_breaks_nothing(
    connection: duckdb.DuckDBPyConnection, depth: int, before_and_after: tuple[str, str]
) -> None:
    before, after = before_and_after
    try:
        expression(connection, before * depth + "qty > 5" + after * depth, SCOPE, field="where")
    except PlanFault as fault:
        assert "nested too deeply" in fault.reason or depth == 100  # noqa: PT017
    else:
        assert depth == 100 or before == "("
    assert value_of(connection, "qty") == 12


def test_a_long_list_of_conditions_is_no_nesting(connection: duckdb.DuckDBPyConnection) -> None:
    assert value_of(connection, " OR ".join(f"id = {number}" for number in range(500))) is True
    assert value_of(connection, f"id IN ({', '.join(map(str, range(1_000)))})") is True


def test_every_allowed_function_exists(connection: duckdb.DuckDBPyConnection) -> None:
    known = {row[0] for row in connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()}
    listed = {*SCALARS, *AGGREGATES, *WINDOWS, *LISTS} - {"unnest"}
    assert sorted(listed - known) == []


def test_every_allowed_type_exists(connection: duckdb.DuckDBPyConnection) -> None:
    for name, type_ in TYPES.items():
        row = connection.execute(f"SELECT CAST(NULL AS {type_}), typeof(CAST(NULL AS {type_}))").fetchall()[0]
        assert row[0] is None, name


@pytest.mark.parametrize("name", ["plain", "with space", 'with "quotes"', "Ünïcode", "select", "c0", "';--", "a.b"])
def test_any_name_can_be_written_in_quotes(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    scope = Scope((Column("other", "c1", "c1"), Column(name, "c3", "c3")))
    assert expression(connection, quoted(name), scope, field="where") == "c3"


NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.integers(-(10**20), 10**20).map(lambda number: f"{number}.{abs(number) % 1000:03}"),
    st.decimals(-1000, 1000, places=3).map(str),
    st.floats(-1e30, 1e30).map(repr),
    st.sampled_from(
        ["12345678901234567890", "12345678901234567891", "9007199254740993", "9007199254740992", "1e5", ".5"]
    ),
)
OTHERS = st.sampled_from(
    ["", " ", "x", "nan", "inf", "-inf", "Infinity", "1,5", "0x10", "1e", "--1", "٣", "true", "1 2"]
)
OPERATORS = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def decimal_of(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip()) if text.isascii() else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def test_text_is_compared_with_a_number_by_its_exact_value(connection: duckdb.DuckDBPyConnection) -> None:
    scope = Scope((Column("x", "c0", "c0"),))

    @settings(max_examples=150, deadline=None)
    @given(text=st.one_of(NUMBERS, OTHERS), number=NUMBERS, operator=st.sampled_from(sorted(OPERATORS)))
    def check(text: str, number: str, operator: str) -> None:
        value, wanted = decimal_of(text), Decimal(number)
        expected = (None, None) if value is None else (OPERATORS[operator](value, wanted), value == wanted)
        sql = expression(connection, f"x {operator} {number}", scope, field="where")
        sql_in = expression(connection, f"x IN ({number}, {number})", scope, field="where")
        query = f"SELECT {sql}, {sql_in} FROM (SELECT ? AS c0)"
        assert connection.execute(query, [text]).fetchall() == [expected]

    check()
