"""Records are read as the plain model reads them, however the bytes come."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileserver.tables.engine.grammar import MAX_RECORD_SIZE, Grammar, Marks
from fileserver.tables.engine.records import Batch, RecordReader
from tests.tables.engine.plain_records import Read, read

_SCRAPS = [b"a", b"1", b",", b",", b'"', b'""', b'"x"', b"\n", b"\n", b"\r\n", b"\r", b";", b"\0", b"\xff", b"#"]
_SCRAPS += ["ö".encode(), b" ", b"1,2\n", b"3,4\r\n", b'"p,q",r\n', b'"two\nlines",s\n', b"#c\n"]


def _batches(table: bytes, reader: RecordReader, cuts: list[int]) -> list[Batch]:
    bounds = [0, *sorted({cut % (len(table) + 1) for cut in cuts}), len(table)]
    return [*(reader.read(table[start:stop]) for start, stop in pairwise(bounds)), reader.finish()]


def _as_read(batches: list[Batch], marks: Marks) -> Read:
    found, grammar = Read(), Grammar(marks)
    for batch in batches:
        lines = list(range(batch.line, batch.line + batch.rows)) if batch.lines is None else batch.lines.tolist()
        position = 0
        for line in lines:
            end = grammar.end_of_record(batch.clean, position, is_final=False)
            assert isinstance(end, int)
            assert batch.clean[end : end + 1] == b"\n", "a clean record ends with a line feed alone"
            found.rows.append((line, list(grammar.cells_of(batch.clean[position:end]))))
            position = end + 1
        assert position == len(batch.clean)
        found.rejects += [(each.row, each.line) for each in batch.rejects]
        found.blanks += batch.blanks
    return found


@settings(max_examples=1500, deadline=None)
@given(
    scraps=st.lists(st.sampled_from(_SCRAPS), max_size=40),
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
    width=st.integers(1, 3),
    comment=st.sampled_from([b"", b"", b"#"]),
    pads=st.booleans(),
    quote=st.sampled_from([b'"', b'"', b"", b"a"]),
)
def test_any_bytes_at_all_are_read_as_the_model_reads_them(
    scraps: list[bytes], cuts: list[int], width: int, comment: bytes, pads: bool, quote: bytes
) -> None:
    table = b"".join(scraps)
    marks = Marks(b",", quote, quote)
    reader = RecordReader(marks, width, line=1, comment=comment, pads=pads, knows_lines=True)
    expected = read(table, width, comment=comment, pads=pads, quote=quote)
    assert _as_read(_batches(table, reader, cuts), marks) == expected


@pytest.mark.parametrize(
    ("table", "clean"),
    [
        (b'"a\\"b",c\n', b'"a""b",c\n'),
        (b'"a\\\\",c\n', b'"a\\",c\n'),
        (b'"a\\,b",c\n', b'"a,b",c\n'),
        (b'"a\\\nb",c\n', b'"a\nb",c\n'),
        (b'"a,b",c\r\n', b'"a,b",c\n'),
        (b"C:\\temp,c\n", b"C:\\temp,c\n"),
    ],
)
def test_an_escape_within_quotes_makes_the_next_character_a_part_of_the_value(table: bytes, clean: bytes) -> None:
    batches = _batches(table, RecordReader(Marks(b",", b'"', b"\\"), 2, line=1), [])
    assert b"".join(batch.clean for batch in batches) == clean


def test_a_doubled_quote_is_malformed_where_quotes_are_escaped() -> None:
    batches = _batches(b'"a""b",c\n', RecordReader(Marks(b",", b'"', b"\\"), 2, line=1), [])
    assert [each.reason for batch in batches for each in batch.rejects] == ["text follows a closing quote"]


def test_a_record_of_the_largest_size_is_a_row_and_one_byte_more_is_none() -> None:
    for extra, rows, rejects in ((0, 2, []), (1, 1, [(1, 1)])):
        table = b"x" * (MAX_RECORD_SIZE - 2 + extra) + b",y\n1,2\n"
        for cuts in ([], [100_000 * number for number in range(11)]):
            found = _as_read(_batches(table, RecordReader(Marks(b","), 2, line=1, knows_lines=True), cuts), Marks(b","))
            assert (len(found.rows), found.rejects) == (rows, rejects)


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    table = b'a,b\n"open,c\n' + b"1,2\n" * 500_000
    batches = _batches(table, RecordReader(Marks(b","), 2, line=1), [1 << 20])
    assert sum(batch.rows for batch in batches) == 500_001
    assert [each.raw for batch in batches for each in batch.rejects] == [b'"open,c']


def test_crumbs_of_a_long_record_cost_no_more_than_its_length() -> None:
    table = b'"' + b"x" * 900_000 + b'",2\n'
    reader = RecordReader(Marks(b","), 2, line=1)
    rows = sum(reader.read(table[start : start + 3]).rows for start in range(0, len(table), 3))
    assert rows + reader.finish().rows == 1


def test_a_comment_that_does_not_end_is_not_kept() -> None:
    reader = RecordReader(Marks(b","), 2, line=1, comment=b"#", knows_lines=True)
    batches = [reader.read(b"#" + b"x" * MAX_RECORD_SIZE) for _ in range(5)]
    batches += [reader.read(b"y\n1,2\n"), reader.finish()]
    found = _as_read(batches, Marks(b","))
    assert (found.rows, found.rejects) == ([(2, [b"1", b"2"])], [])


def test_a_block_of_malformed_records_costs_no_more_than_its_length() -> None:
    reader = RecordReader(Marks(b","), 2, line=1)
    batch = reader.read(b'a"\n' * (1 << 18))
    assert (len(batch.rejects), batch.rejects[-1].line) == (1 << 18, 1 << 18)
