"""What is done with the table of tables_data.py, in the words of each tool."""

from dataclasses import dataclass

from benchmarks.transform_client import Query


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work. `sql` is DuckDB's query over {table}; `miller` and `csvkit` are the shell's words after the
    reading, over {file}; empty where the tool has no way that is worth a comparison."""

    key: str
    title: str
    query: Query
    sql: str
    miller: str
    csvkit: str = ""
    copy_options: str = "HEADER"
    miller_formats: str = "--csv"


_ALL = (
    Work("pass", "nothing changed: what comes in goes out", (), "SELECT * FROM {table}", "cat", "csvcut {file}"),
    Work(
        "select",
        "select 3 columns, filter by a number",
        (("types", "qty:int64"), ("filter", "qty > 900"), ("select", "id,city,amount")),
        "SELECT id, city, amount FROM {table} WHERE TRY_CAST(qty AS BIGINT) > 900",
        "filter '$qty > 900' then cut -o -f id,city,amount",
        "csvgrep -c qty -r '^9([0-9][1-9]|[1-9]0)$' {file} | csvcut -c id,city,amount",
    ),
    Work(
        "derive",
        "one column more, made of two",
        (("types", "amount:decimal(18,2),qty:int64"), ("derive", "total=amount * qty")),
        "SELECT *, TRY_CAST(amount AS DECIMAL(18,2)) * TRY_CAST(qty AS BIGINT) AS total FROM {table}",
        "put '$total = $amount * $qty'",
    ),
    Work(
        "group",
        "count and sum for each of 37 groups",
        (("types", "amount:decimal(18,2)"), ("group_by", "category"), ("aggregate", "n=count(*);total=sum(amount)")),
        "SELECT category, count(*) AS n, sum(TRY_CAST(amount AS DECIMAL(18,2))) AS total FROM {table} GROUP BY ALL",
        "stats1 -a count,sum -f amount -g category",
    ),
    Work(
        "sort",
        "all columns, by a number, the largest first",
        (("sort", "-amount:decimal(18,2)"),),
        "SELECT * FROM {table} ORDER BY TRY_CAST(amount AS DECIMAL(18,2)) DESC",
        "sort -nr amount",
        "csvsort -r -c amount {file}",
    ),
    Work(
        "distinct",
        "the first row of each of 300,000 addresses",
        (("distinct", "email"),),
        "SELECT * EXCLUDE (n) FROM (SELECT *, row_number() OVER () AS n FROM {table}) "
        "QUALIFY row_number() OVER (PARTITION BY email ORDER BY n) = 1",
        "head -n 1 -g email",
    ),
    Work(
        "ndjson",
        "CSV to NDJSON",
        (("format", "ndjson"),),
        "SELECT * FROM {table}",
        "cat",
        "csvjson --stream -I {file}",
        copy_options="FORMAT json",
        miller_formats="--icsv --ojsonl",
    ),
)
WORKS = {work.key: work for work in _ALL}
