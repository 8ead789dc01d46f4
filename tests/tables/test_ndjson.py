"""Rows as JSON objects: texts all, empty cells null, quoted empty ones empty."""

import json
from itertools import pairwise

import pytest

from fileserver.tables import Engine, parse_plan
from tests.tables.running import output_of, run

_NDJSON = {"format": "ndjson"}


def _objects(table: bytes, **parameters: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output_of(table, {**parameters, **_NDJSON}).split(b"\n")[:-1]]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("x", "x"),
        ("007", "007"),
        ("true", "true"),
        ("", None),
        ('""', ""),
        (" x ", " x "),
        ('" x "', " x "),
        ('"a ""b"" c"', 'a "b" c'),
        ('""""', '"'),
        ('"a,b"', "a,b"),
        ('"two\r\nlines"', "two\r\nlines"),
        ('"\r"', "\r"),
        ("back\\slash", "back\\slash"),
        ('"back\\slash"', "back\\slash"),
        ("tab\tbed", "tab\tbed"),
        ("\x01\x1f\x7f", "\x01\x1f\x7f"),
        ("%s %", "%s %"),
        ("\u2028😀Köln", "\u2028😀Köln"),
        ("\ufeff", "\ufeff"),
    ],
)
@pytest.mark.parametrize("other", ["plain", '"quoted"', "", '"a,b"'])
def test_a_cell_becomes_a_text_or_null(cell: str, value: str | None, other: str) -> None:
    table = f"a,b\n{cell},1\n{other},2\n".encode()
    first, _, end = _objects(table)
    assert first == {"a": value, "b": "1"}
    assert end == {"type": "end", "rows": 2, "rejected": 0}


@pytest.mark.parametrize("delimiter", ["\t", "\\", ";", "%", "x", "'", "\x01", " "])
def test_any_delimiter_may_stand_in_quotes(delimiter: str) -> None:
    table = f'a{delimiter}b\n"1{delimiter}2"{delimiter}3\n'.encode()
    assert _objects(table, delimiter=delimiter)[0] == {"a": f"1{delimiter}2", "b": "3"}


def test_columns_of_one_name_are_numbered() -> None:
    (row, _) = _objects(b"a,a_2,a,,a,\n1,2,3,4,5,6\n")
    assert list(row.items()) == [("a", "1"), ("a_2", "2"), ("a_3", "3"), ("", "4"), ("a_4", "5"), ("_2", "6")]


def test_names_are_escaped_as_values_are() -> None:
    (row, _) = _objects('"a ""b""","c\nd",%s,ü\n1,2,3,4\n'.encode())
    assert list(row) == ['a "b"', "c\nd", "%s", "ü"]


def test_select_and_rename_name_the_members() -> None:
    assert _objects(b"a,b\n1,2\n", select="b", rename="b:x")[0] == {"x": "2"}


def test_a_table_without_rows_is_its_last_line() -> None:
    assert output_of(b"a,b\n", _NDJSON) == b'{"type":"end","rows":0,"rejected":0}\n'


def test_the_last_line_tells_what_was_rejected() -> None:
    output = output_of(b"a,b\n1,2\n3\n5,6\n", {**_NDJSON, "on_error": "skip"})
    assert output.split(b"\n")[2] == b'{"type":"end","rows":2,"rejected":1}'


def test_a_limit_ends_with_the_last_line_too() -> None:
    assert len(_objects(b"a\n1\n2\n3\n", limit="1")) == 2


def test_long_names_do_not_make_long_pieces() -> None:
    engine = Engine(parse_plan([("format", "ndjson")]))
    names = b"a" * 500_000 + b"," + b"b" * 500_000 + b"\n"
    pieces = engine.feed(names + b"1,2\n" * 50_000)
    assert max(len(next(pieces)) for _ in range(5)) < 3_000_000


def test_the_portions_that_bytes_come_in_change_nothing() -> None:
    table = 'a,b\nö,"x\ny"\n"",\n"q""q",\\\n'.encode()
    whole = run([table], _NDJSON)
    for cut in range(len(table)):
        portions = [table[start:stop] for start, stop in pairwise((0, cut, len(table)))]
        assert run(portions, _NDJSON) == whole
