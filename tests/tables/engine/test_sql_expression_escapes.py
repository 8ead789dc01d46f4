"""Attempts of an expression to leave its columns: each is refused before anything of it runs."""

from collections.abc import Iterator

import duckdb
import pytest

from fileserver.tables.engine.session import lock, open_connection
from fileserver.tables.engine.sql import Column, Scope, expression
from fileserver.tables.faults import PlanFault

SCOPE = Scope((Column("a", "c0", "c0"), Column("b", "c1", "c1")))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_connection() as connection:
        connection.execute("CREATE TABLE input (c0 VARCHAR, c1 VARCHAR)")
        folder = str(tmp_path_factory.mktemp("spilled"))
        lock(connection, paths=(), folder=folder, memory=256 << 20, threads=2, spill=1 << 20)
        yield connection


EXPRESSIONS = """
(SELECT 1)
(SELECT a FROM input)
EXISTS (SELECT 1)
a IN (SELECT b FROM input)
a = ANY (SELECT 1)
a > ALL (SELECT 1)
a = ANY([1, 2])
ARRAY(SELECT 1)
a FROM input
a FROM read_csv('/etc/passwd')
1; SELECT 2
1; DROP TABLE input
a) FROM input --
a UNION SELECT b FROM input
a WHERE true
a LIMIT 1
a ORDER BY b
a GROUP BY b
a QUALIFY true
DISTINCT a
DISTINCT ON (a) b
a USING SAMPLE 1
a INTO x
*
input.*
* EXCLUDE (a)
COLUMNS('.*')
COLUMNS(*)
* LIKE 'a%'
UNPACK(COLUMNS(*))
#1
?
$1
$name
a AS b
b: a
DEFAULT
row_number() OVER ()
sum(a) OVER (ORDER BY b)
lag(a) OVER ()
x -> x
lambda x: x
list_transform([a], x -> x)
list_transform([a], lambda x: x)
[x FOR x IN [a]]
[a, b]
ARRAY[a]
{'x': a}
MAP {'x': a}
(a, b)
ROW(a, b)
struct_pack(x := a)
a COLLATE nocase
a::VARCHAR COLLATE de
a -> '$.x'
a ->> '$.x'
input.a
main.input.a
c0
c1
stage0.c0
rowid
"rowid"
main.upper(a)
system.main.upper(a)
a.upper()
"input".upper()
upper(s := a)
read_csv('/etc/passwd')
read_text('/etc/passwd')
read_blob('/etc/passwd')
glob('*')
getenv('HOME')
getvariable('x')
current_setting('temp_directory')
current_database()
current_schema
current_schema()
current_schemas(true)
current_user
session_user
current_role
user
current_catalog
current_query()
current_query_id()
current_connection_id()
version()
txid_current()
in_search_path('main', 'x')
nextval('s')
currval('s')
pg_sleep(10)
sleep_ms(10000)
write_log('x')
parse_duckdb_log_message('x', 'y')
pg_get_viewdef(1)
has_table_privilege('input', 'select')
inet_server_addr()
random()
setseed(0.5)
uuid()
gen_random_uuid()
uuidv7()
now()
today()
current_date
current_timestamp
localtimestamp
get_current_timestamp()
transaction_timestamp()
age(DATE '2020-01-01')
json_serialize_sql('SELECT 1')
json_deserialize_sql('{}')
json_execute_serialized_sql('{}')
json_serialize_plan('SELECT 1')
query('SELECT 1')
query_table(['input'])
unnest([1])
range(10)
generate_series(1, 10)
list_value(1)
list_aggregate([1], 'sum')
array_agg(a)
list(a)
histogram(a)
json(a)
to_json(a)
from_json(a, '{}')
json_extract(a, '$')
a::JSON
a::INT[]
a::STRUCT(x INT)
a::MAP(INT, INT)
a::ENUM('x')
a::UNION(x INT)
a::mytype
a::main.mytype
a::BLOB
a::BIT
a::GEOMETRY
a::VARIANT
a::"INT; DROP"
x'ab'
cast_to_type(a, 1)
hash(a)
create_sort_key(a, 'ASC')
icu_sort_key(a, 'de')
error('x')
assert_true(false)
export_state(count(a))
finalize(a)
combine(a, b)
constant_or_null(1, a)
alias(a)
typeof(a)
stats(a)
enum_range(NULL::VARCHAR)
can_cast_implicitly(a, 1)
__internal_compress_string_ubigint(a)
"+"(1, 2)
"upper; DROP"(a)
grouping(a)
TRY_CAST(a AS hugeint[])
GROUPING_ID(a)
""".strip().splitlines()


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize("is_aggregate", [False, True])
def test_an_expression_reaches_nothing_but_its_columns(
    connection: duckdb.DuckDBPyConnection, text: str, *, is_aggregate: bool
) -> None:
    with pytest.raises(PlanFault) as caught:
        expression(connection, text, SCOPE, field="where", is_aggregate=is_aggregate)
    assert caught.value.reason


def test_there_are_enough_attempts() -> None:
    assert len(set(EXPRESSIONS)) >= 100
