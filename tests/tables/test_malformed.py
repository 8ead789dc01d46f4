"""Rows that are no rows: refused by number, or dropped and counted; never mended."""

import pytest

from fileserver.tables import Engine, RowFault, parse_plan
from fileserver.tables.cells import Veil
from fileserver.tables.records import MAX_RECORD_SIZE, RecordReader, Reject
from tests.tables.running import output_of, run

_SKIP = {"on_error": "skip"}


@pytest.mark.parametrize(
    ("rows", "row", "line", "reason"),
    [
        (b"3\n", 2, 3, "the header has 2 cells, this row 1"),
        (b"3,4,5\n", 2, 3, "the header has 2 cells, this row 3"),
        (b'x"y,4\n', 2, 3, "a quote stands inside"),
        (b'3,x"y"\n', 2, 3, "a quote stands inside"),
        (b'"x"y,4\n', 2, 3, "text follows a closing quote"),
        (b'"x" ,4\n', 2, 3, "text follows a closing quote"),
        (b'3,"x\n', 2, 3, "a quote is never closed"),
        (b'3,"x\n"y"z\n', 2, 3, "text follows a closing quote"),
        (b"3,\0\n", 2, 3, "NUL"),
        (b"3,\xff\n", 2, 3, "UTF-8"),
        (b"3,\xed\xa0\x80\n", 2, 3, "UTF-8"),
        (b"3,\xc3\n", 2, 3, "UTF-8"),
        (b"3\r,4\n", 2, 3, "carriage return"),
        (b"3,4\r\r\n", 2, 3, "carriage return"),
        (b"3,4\r", 2, 3, "carriage return"),
        (b'\n\n"3\n\n3",4\n\n"5\n",6,7\n', 3, 9, "the header has 2 cells, this row 3"),
        (b'"3\n3",4\n5,6\n7,8"\n', 4, 6, "a quote stands inside"),
        (b"3,4\n" * 100_000 + b"5\n", 100_002, 100_003, "the header has 2 cells"),
        (b'"3\n3",4\n' * 100_000 + b'5,"', 100_002, 200_003, "a quote is never closed"),
        (b"3," + b"x" * MAX_RECORD_SIZE + b"\n", 2, 3, "longer than"),
        (b'3,"' + b"a longer line\n" * 80_000, 2, 3, "longer than"),
    ],
)
@pytest.mark.parametrize("size", [100_000, 10**9])
def test_a_malformed_row_is_told_by_row_and_line(rows: bytes, row: int, line: int, reason: str, size: int) -> None:
    table = b"a,b\n1,2\n" + rows
    with pytest.raises(RowFault) as caught:
        run(table[start : start + size] for start in range(0, len(table), size))
    assert (caught.value.row, caught.value.line) == (row, line)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("rows", "kept", "rejected"),
    [
        (b"3\n4,5\n", b"4,5\n", 1),
        (b'3,"x\n4,5\n6,7\n', b"4,5\n6,7\n", 1),
        (b'3,"x\n4,"y"\n5,6\n', b'4,"y"\n5,6\n', 1),
        (b'3,"x"y\n4,5\n', b"4,5\n", 1),
        (b'3,"x\xff\ny"\n4,5\n', b"4,5\n", 1),
        (b"3,\xff\n4,5\n\xfe\n6,7\n", b"4,5\n6,7\n", 2),
        (b"3,\0\n4,5\n", b"4,5\n", 1),
        (b'x"\n' * 1000 + b"4,5\n", b"4,5\n", 1000),
        (b"x" * (MAX_RECORD_SIZE + 1) + b"\n4,5\n", b"4,5\n", 1),
        (b"x" * (3 * MAX_RECORD_SIZE) + b"\n4,5\n", b"4,5\n", 1),
        (b'3,"' + b"x" * (3 * MAX_RECORD_SIZE) + b'"\n4,5\n', b"4,5\n", 1),
        (b'3,"\n' + b"4,a longer line\n" * 80_000, b"4,a longer line\n" * 80_000, 1),
    ],
)
@pytest.mark.parametrize("size", [65_536, 10**9])
def test_skip_drops_the_row_counts_it_and_goes_on(rows: bytes, kept: bytes, rejected: int, size: int) -> None:
    table = b"a,b\n1,2\n" + rows
    output, counts = run((table[start : start + size] for start in range(0, len(table), size)), _SKIP)
    assert output == b"a,b\n1,2\n" + kept
    assert counts.rows_rejected == rejected


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1023, 10**9])
def test_the_longest_record_passes(line_end: bytes, size: int) -> None:
    record = b'3,"' + b"\n" * (MAX_RECORD_SIZE - 4) + b'"'
    table = b"a,b" + line_end + record + line_end + b"1,2" + line_end
    portions = [table[start : start + size * 64] for start in range(0, len(table), size * 64)]
    assert run(portions)[0] == table


def test_the_longest_record_passes_beside_a_malformed_one() -> None:
    longest = b"3," + b"x" * (MAX_RECORD_SIZE - 2) + b"\n"
    table = b"a,b\n" + longest
    assert run([table[:-100], table[-100:] + b'x"\n', b"1,2\n"], _SKIP)[0] == table + b"1,2\n"


def test_a_record_without_end_is_refused_once_it_is_too_long() -> None:
    engine = Engine(parse_plan([]))
    assert b"".join(engine.feed(b'a,b\n1,2\n3,"')) == b"a,b\n1,2\n"
    with pytest.raises(RowFault):
        list(engine.feed(b"x\n" * MAX_RECORD_SIZE))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_every_malformed_record_is_told_by_its_line(size: int) -> None:
    lines = b'ok\nx"\n\xff\n"two\n\xff"\nok\n"x"y\n"two\nlines"\nx"\n"'
    reader = RecordReader(b",", Veil(b",", b","), 1)
    items = [item for start in range(0, len(lines), size) for item in reader.read(lines[start : start + size])]
    rejects = [item.line for item in [*items, *reader.finish()] if isinstance(item, Reject)]
    assert rejects == [2, 3, 4, 7, 10, 11]


def test_without_a_header_the_first_good_record_tells_the_columns() -> None:
    output, counts = run([b'x"\n1,2\n3\n4,5\n'], {"header": "false", **_SKIP})
    assert output == b"1,2\n4,5\n"
    assert counts.rows_rejected == 2


def test_a_fault_near_the_beginning_comes_before_any_output() -> None:
    with pytest.raises(RowFault):
        next(Engine(parse_plan([])).feed(b"a,b\n1,2\n3\n"))


def test_a_malformed_corpus_is_accounted_for_line_by_line() -> None:
    good = [b'%d,"a ""b"", c",x\n' % number for number in range(20_000)]
    bad = [b"short\n", b"1,2,3,4\n", b'1,x"y,3\n', b'1,"x"y,3\n', b"1,\xff,3\n", b"1,\0,3\n", b'1,",3\n', b"1\r,2,3\n"]
    lines = [bad[index // 50 % 8] if index % 50 == 7 else line for index, line in enumerate(good)]
    lines = [b"\n" if index % 101 == 5 else line for index, line in enumerate(lines)]
    output, counts = run([b"a,b,c\n" + b"".join(lines)], _SKIP)
    assert output == b"a,b,c\n" + b"".join(line for line in lines if line not in bad and line != b"\n")
    assert counts.rows_rejected == sum(line in bad for line in lines)
    assert counts.rows_out + counts.rows_rejected + counts.blank_lines == len(lines)


def test_a_row_is_never_mended() -> None:
    assert output_of(b'a,b\n"x,1\n', _SKIP) == b"a,b\n"
