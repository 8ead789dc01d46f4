"""Every line of a malformed table is accounted for: rows, rejects, blank lines, and nothing besides."""

import errno
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileserver.tables.engine.beginning import Beginning
from fileserver.tables.engine.dialect import Dialect
from fileserver.tables.engine.grammar import Marks
from fileserver.tables.engine.places import Place, Places
from fileserver.tables.engine.pump import Pump, Rejects
from fileserver.tables.engine.records import RecordReader
from fileserver.tables.faults import EngineFailed, RowFault, TooManyRejects
from fileserver.tables.plan import Input
from tests.tables.engine.reading import read_table

_BAD = [b"1", b"1,2,3,4", b'x"y,2,3', b'"x"y,2,3', b"a\rb,2,3", b"\xff,2,3", b"1\0,2,3", b"1,2,", b",,,", b' "x",2,3']
_GOOD = [b"1,2,3", b',"",', b'"a,b",2,3', b"1,2, ", b"\xc3\xb6,2,3"]
_GOOD_ONES = {b"1,2,"}  # three cells, the last of them empty


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_rejects_and_blank_lines_are_the_lines_that_came(seed: int, end: bytes, tmp_path: Path) -> None:
    chance = random.Random(seed)
    lines = [chance.choice(_GOOD) for _ in range(50_000)]
    for place in chance.sample(range(len(lines)), 500):
        lines[place] = chance.choice([*_BAD, b""])
    expected = {number for number, line in enumerate(lines, 2) if line in _BAD and line not in _GOOD_ONES}
    with (tmp_path / "rejects").open("wb") as file:
        rejects = Rejects(file.fileno(), 1 << 30, 10**6)
        read = read_table(b"a,b,c" + end + end.join(lines) + end, Input(on_bad_row="skip"), rejects=rejects)
    counts = read.pump.counts()
    blanks = lines.count(b"")
    assert (counts.rows_rejected, counts.blank_lines) == (len(expected), blanks)
    assert len(read.rows) + counts.rows_rejected + blanks == len(lines)
    assert counts.rows_in == len(read.rows) + counts.rows_rejected
    told = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert {each["line"] for each in told} == expected
    assert all(each["raw"] == lines[each["line"] - 2].decode("utf-8", "replace") for each in told)


def test_the_first_malformed_row_ends_it_unless_asked_otherwise() -> None:
    fault = read_table(b"a,b\n1,2\n\n3\n5,6\n").pump.fault
    assert isinstance(fault, RowFault)
    assert (fault.row, fault.line, fault.raw, fault.reason) == (2, 4, "3", "the header has 2 cells, this row 1")


def test_short_rows_are_filled_if_asked_and_long_ones_are_rejected() -> None:
    read = read_table(b"a,b,c\n1\n1,2\n1,2,3\n1,2,3,4\n", Input(on_bad_row="pad"))
    assert read.rows == [("1", "", ""), ("1", "2", ""), ("1", "2", "3")]
    assert read.pump.counts().rows_rejected == 1


def test_more_rejects_than_allowed_end_it() -> None:
    fault = read_table(b"a,b\n" + b"1\n" * 11, Input(on_bad_row="skip", max_rejects=10)).pump.fault
    assert isinstance(fault, TooManyRejects)
    assert read_table(b"a,b\n" + b"1\n" * 10, Input(on_bad_row="skip", max_rejects=10)).pump.fault is None


def test_a_list_of_rejects_ends_at_its_size_and_the_count_does_not(tmp_path: Path) -> None:
    with (tmp_path / "rejects").open("wb") as file:
        read = read_table(
            b"a,b\n" + b"1\n" * 1000, Input(on_bad_row="skip"), rejects=Rejects(file.fileno(), 500, 10**6)
        )
    assert read.pump.counts().rows_rejected == 1000
    assert 400 < (tmp_path / "rejects").stat().st_size <= 500


def test_the_place_of_a_row_is_known_among_rejects_blank_lines_and_values_of_several_lines() -> None:
    read = read_table(b'a,b\n1\n\n"x\ny",2\n3\n5,6\n7,8\n', Input(on_bad_row="skip"))
    faults = [read.pump.row_fault(number, "?", "a") for number in (1, 2, 3, 4)]
    assert [(fault.row, fault.line, fault.raw) for fault in faults] == [
        (2, 4, '"x\ny",2'),
        (4, 7, "5,6"),
        (5, 8, "7,8"),
        (None, None, None),
    ]


def test_the_place_of_a_row_is_known_where_quotes_are_escaped() -> None:
    read = read_table(b'a,b\n"x\\"y",2\n3,4\n', Input(escape="\\"))
    faults = [read.pump.row_fault(number, "?", "a") for number in (1, 2)]
    assert [(fault.row, fault.line, fault.raw) for fault in faults] == [(1, 2, '"x""y",2'), (2, 3, "3,4")]


def test_the_places_of_rows_that_came_in_crumbs_are_known_as_long_as_others() -> None:
    reader, places = RecordReader(Marks(b","), 2, line=2, knows_lines=True), Places(Marks(b","))
    rows = 0
    for number in range(20_000):
        batch = reader.read(b"%d,x\n" % number)
        places.add(rows + 1, batch)
        rows += batch.rows
    for number in (1, 10_000, 20_000):
        assert places.find(number) == Place(number, number + 1, b"%d,x" % (number - 1))
    assert places.find(20_001) is None


def test_a_pump_that_fails_in_a_way_nobody_thought_of_is_a_fault() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"1,2\n"
        raise OSError(errno.EIO, "Input/output error")

    taken, sink = os.pipe()
    table = Beginning(("a", "b"), Dialect(Marks(b","), "\n"), "", "utf-8", Input(), 2, 0, pieces(), int)
    pump = Pump(table, sink, Rejects(None, 0, 0), aborts=True, knows_lines=False)
    pump.start()
    with os.fdopen(taken, "rb") as file:
        assert file.read() == b"1,2\n"
    pump.join()
    assert isinstance(pump.fault, EngineFailed)
