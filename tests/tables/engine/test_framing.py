"""The engine gets every row once, wherever its blocks are cut."""

import os
from collections.abc import Callable

import pytest

from fileserver.tables.engine.framing import new_filler
from fileserver.tables.engine.grammar import BUFFER_SIZE, Marks
from fileserver.tables.engine.pump import Rejects
from fileserver.tables.engine.session import open_connection
from fileserver.tables.engine.source import open_pipe, open_source
from fileserver.tables.plan import Input
from tests.tables.engine.reading import pipe_with

_LINES = [
    "1,2\n" * 100_000,
    '\n""x"",""y""' * 40_000,
    "\n" * 400_000,
    "a line\r\nof two\r" * 20_000,
]


def _read_by_the_engine(table: bytes, told: Input) -> list[tuple[str | None, ...]]:
    connection, source, pipe = open_connection(), pipe_with(table), open_pipe()
    connection.execute("SET threads = 2")
    try:
        read = open_source(source, told, pipe, Rejects(None, 0, 0))
        rows: list[tuple[str | None, ...]] = connection.execute(f"FROM {read.scan}").fetchall()
        read.pump.join()
        read.pump.check()
    finally:
        connection.close()
        for descriptor in (source, pipe.read):
            os.close(descriptor)
    return rows


def _one(value: str) -> tuple[str, ...]:
    return (value,)


def _three(value: str) -> tuple[str, ...]:
    return ("007", value, "x")


@pytest.mark.parametrize("lines", _LINES)
@pytest.mark.parametrize("row", [_one, _three])
def test_values_of_many_lines_stand_over_the_cuts_of_the_engine(
    lines: str, row: Callable[[str], tuple[str, ...]]
) -> None:
    values = [row(lines.replace('""', '"')), row("short")] * 12
    records = [",".join(f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in value) for value in values]
    table = "\n".join([",".join("abc"[: len(values[0])]), *records]) + "\n"
    assert len(table) > BUFFER_SIZE
    assert _read_by_the_engine(table.encode(), Input(delimiter=",")) == values


@pytest.mark.parametrize("distance", range(-3, 4))
def test_a_record_may_begin_or_end_just_where_a_cut_is(distance: int) -> None:
    before = b"x" * 99 + b",y\n"
    count, rest = divmod(BUFFER_SIZE + distance, len(before))
    table = (
        b"a,b\n" + b"z" * (rest + len(before) - 3) + b",y\n" + before * (count - 1) + b'"p\nq","r\n1,2\n"\n' + before
    )
    rows = _read_by_the_engine(table, Input())
    assert rows[-2:] == [("p\nq", "r\n1,2\n"), ("x" * 99, "y")]
    assert len(rows) == count + 2


def test_a_filler_holds_no_mark() -> None:
    assert not set(new_filler(Marks(b"a", b"0", b"0"))) & {"a", "0"}
