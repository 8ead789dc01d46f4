"""NDJSON and JSON as they leave."""

import itertools
import json

import pytest

from fileserver.tables.engine.shape import OutColumn
from fileserver.tables.plan import Output
from tests.tables.engine.printing import VALUES, printed, texts

PAIRS = list(itertools.product(VALUES, VALUES))
NDJSON, JSON = Output(format="ndjson"), Output(format="json")


def test_every_pair_of_values_comes_back_a_line_each() -> None:
    lines = printed(NDJSON, texts("a", "b"), PAIRS).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [{"a": one, "b": other} for one, other in PAIRS]


def test_beside_typed_columns_every_value_comes_back_too() -> None:
    columns = [OutColumn("n", "c0", "BIGINT"), *texts("", "a", "b")[1:], OutColumn('t"\n', "c3", "BOOLEAN")]
    rows = [("1", one, other, "true") for one, other in PAIRS]
    lines = printed(NDJSON, columns, rows).decode().split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [
        {"n": 1, "a": one, "b": other, 't"\n': True} for one, other in PAIRS
    ]
    assert list(json.loads(lines[0])) == ["n", "a", "b", 't"\n']


def test_json_is_one_array() -> None:
    assert json.loads(printed(JSON, texts("a", "b"), PAIRS)) == [{"a": one, "b": other} for one, other in PAIRS]


@pytest.mark.parametrize(("rows", "text"), [([], "[]\n"), ([("x",)], '[\n{"a":"x"}\n]\n')])
def test_json_of_few_rows(rows: list[tuple[str]], text: str) -> None:
    assert printed(JSON, texts("a"), rows).decode() == text


def test_texts_are_strings_whatever_they_look_like() -> None:
    assert printed(NDJSON, texts("a", "b", "c"), [("007", "true", "null")]) == b'{"a":"007","b":"true","c":"null"}\n'


@pytest.mark.parametrize("value", VALUES)
def test_any_name_comes_back(value: str | None) -> None:
    name = value or ""
    for columns in (texts(name), [OutColumn(name, "c0", "INTEGER")]):
        assert list(json.loads(printed(NDJSON, columns, [("1",)]))) == [name]


def test_columns_of_one_name_are_numbered() -> None:
    assert printed(NDJSON, texts("a", "a", "a_2", ""), [tuple("wxyz")]) == b'{"a":"w","a_3":"x","a_2":"y","":"z"}\n'


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("BIGINT", "-5", "-5"),
        ("BIGINT", "9007199254740991", "9007199254740991"),
        ("BIGINT", "9007199254740992", '"9007199254740992"'),
        ("HUGEINT", "-170141183460469231731687303715884105728", '"-170141183460469231731687303715884105728"'),
        ("DECIMAL(18,2)", "1.10", "1.10"),
        ("DECIMAL(18,2)", "-0.05", "-0.05"),
        ("DECIMAL(38,9)", "1234567.100000000", "1234567.100000000"),
        ("DECIMAL(18,2)", "1234567890123456.78", '"1234567890123456.78"'),
        ("DOUBLE", "1e+20", "1e+20"),
        ("DOUBLE", "1e-07", "1e-07"),
        ("DOUBLE", "-0.0", "-0.0"),
        ("DOUBLE", "0.1", "0.1"),
        ("DOUBLE", "nan", '"nan"'),
        ("DOUBLE", "-inf", '"-inf"'),
        ("BOOLEAN", "true", "true"),
        ("DATE", "2024-02-29", '"2024-02-29"'),
        ("TIMESTAMP", "2024-02-29 01:02:03.000004", '"2024-02-29 01:02:03.000004"'),
    ],
)
def test_a_number_is_one_if_every_reader_reads_the_same(kind: str, text: str, expected: str) -> None:
    table = printed(NDJSON, [OutColumn("v", "c0", kind), OutColumn("t", "c1")], [(text, "x"), (None, None)]).decode()
    assert table == f'{{"v":{expected},"t":"x"}}\n{{"v":null,"t":null}}\n'


def test_the_last_record_says_that_all_is_there() -> None:
    lines = printed(Output(format="ndjson", end_record=True), texts("a"), [("x",), ("y",)]).splitlines()
    assert json.loads(lines[-1])["end"]["rows_out"] == 2
    assert len(lines) == 3


def test_long_names_do_not_make_large_pieces() -> None:
    columns = texts(*(f"{index:0900}" for index in range(1000)))
    table = printed(NDJSON, columns, [("x",) * 1000] * 40, batch_size=40)
    assert table.count(b"\n") == 40
