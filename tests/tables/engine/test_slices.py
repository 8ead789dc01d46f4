"""Slices: rows from anywhere in a file, the same with an index and without."""

import gzip
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fileserver.tables.engine.row_index import MARK_DISTANCE, RowIndex, index_of
from fileserver.tables.engine.slices import FORMATS, MAX_SIZE, Slice, read_slice
from fileserver.tables.plan import Input
from tests.tables.engine.reading import read_table

SKIP = Input(on_bad_row="skip")


@pytest.fixture(scope="module")
def table() -> bytes:
    """About 2 MB with all that makes records hard to find: line ends in quotes, both line ends, bad and blank lines."""
    chance = random.Random(5)
    good = ['{0},plain,"quoted"', '{0},"a\nb\r\nc",""', '{0},"say ""so""",', "{0},Köln\t東京,\r", "{0}", ""]
    lines = [chance.choice(good).format(number) for number in range(110_000)]
    lines[60_000:60_600] = ['x"y,z', "1,2,3"] * 300
    return ("\ufeffid,text,more\n" + "\n".join(lines)).encode()


@pytest.fixture(scope="module")
def rows(table: bytes) -> list[tuple[str, ...]]:
    """The rows of the table, as every other job has them."""
    return read_table(table, SKIP.model_copy(update={"max_rejects": 10**9})).rows


@contextmanager
def opened(path: Path, content: bytes) -> Iterator[int]:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sliced(descriptor: int, index: RowIndex, offset: int, limit: int, told: Input = SKIP) -> Slice:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return read_slice(descriptor, told, index, offset=offset, limit=limit)


def values(found: Slice) -> list[tuple[str, ...]]:
    return [tuple(value or "" for value in row) for row in json.loads(FORMATS["json"](found))["rows"]]


def test_a_slice_is_the_same_whatever_the_index_knows(
    table: bytes, rows: list[tuple[str, ...]], tmp_path: Path
) -> None:
    chance = random.Random(7)
    with opened(tmp_path / "t", table) as descriptor:
        growing = RowIndex()
        for _ in range(3):
            offset, limit = chance.randrange(len(rows) + 10), chance.choice([1, 100])
            growing = index_of(growing.as_bytes())
            for index in (growing, RowIndex()):
                found = sliced(descriptor, index, offset, limit)
                assert values(found) == rows[offset : offset + limit]
                end = offset + limit
                assert found.next == (end if end < len(rows) else None)
    assert len(growing.rows) >= 2


def test_each_mark_is_where_its_row_begins(table: bytes, rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    index = RowIndex()
    with opened(tmp_path / "t", table) as descriptor:
        assert sliced(descriptor, index, len(rows), 1).records == ()
    assert index.total == len(rows)
    assert all(
        later - earlier >= MARK_DISTANCE for earlier, later in zip(index.offsets, index.offsets[1:], strict=False)
    )
    for row, offset in zip(index.rows, index.offsets, strict=True):
        following = b"id,text,more\n" + table[offset : offset + 10_000]
        assert read_table(following, SKIP).rows[0] == rows[row]


def test_with_an_index_little_is_read(table: bytes, rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    index = RowIndex()
    with opened(tmp_path / "t", table) as descriptor:
        sliced(descriptor, index, len(rows), 1)
        row, offset = index.rows[-1], index.offsets[-1]
        sliced(descriptor, index, row + 5, 10)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) <= offset + (1 << 20)
        assert sliced(descriptor, index, 10**15, 10).records == ()
        assert os.lseek(descriptor, 0, os.SEEK_CUR) <= 2 << 20


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_table_that_has_to_be_decoded_is_read_from_its_beginning(encoding: str, tmp_path: Path) -> None:
    text = "id,name\n" + "".join(f"{number},é\n" for number in range(200_000))
    index = RowIndex()
    with opened(tmp_path / "t", text.encode(encoding)) as descriptor:
        assert values(sliced(descriptor, index, 150_000, 2)) == [("150000", "é"), ("150001", "é")]
    assert not index.has_grown


def test_so_is_one_that_is_packed(table: bytes, rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    index = RowIndex()
    with opened(tmp_path / "t", gzip.compress(table, 1)) as descriptor:
        assert values(sliced(descriptor, index, 100_000, 3)) == rows[100_000:100_003]
    assert not index.has_grown


def test_a_slice_ends_where_it_grows_too_large(tmp_path: Path) -> None:
    content = b"a,b\n" + b"".join(b"%d,%s\n" % (number, b"x" * 1_000_000) for number in range(10))
    with opened(tmp_path / "t", content) as descriptor:
        found = sliced(descriptor, RowIndex(), 1, 8)
        assert sum(map(len, found.records)) <= MAX_SIZE
        assert found.next == 1 + len(found.records) == 5
        assert len(sliced(descriptor, RowIndex(), found.next, 8).records) == 4


def test_empty_and_quoted_empty_stay_apart(tmp_path: Path) -> None:
    with opened(tmp_path / "t", b'a;a;"b;c"\r\n1;"";\r\n;"x ""y""";"2\r\n3"\r\n') as descriptor:
        found = sliced(descriptor, RowIndex(), 0, 10)
    assert json.loads(FORMATS["json"](found)) == {
        "columns": ["a", "a", "b;c"],
        "offset": 0,
        "rows": [["1", "", None], [None, 'x "y"', "2\r\n3"]],
        "next": None,
        "total": 2,
    }
    lines = FORMATS["ndjson"](found).decode().splitlines()
    assert json.loads(lines[0]) == {"a": "1", "a_2": "", "b;c": None}
    assert FORMATS["csv"](found) == b'a;a;"b;c"\n1;"";\n;"x ""y""";"2\r\n3"\n'


@pytest.mark.parametrize(
    ("told", "content", "expected"),
    [
        (Input(header=False), b"1,2\n3,4\n", [("1", "2"), ("3", "4")]),
        (Input(skip_rows=1, comment="#"), b"junk\na,b\n#no\n1,2\n", [("1", "2")]),
        (Input(on_bad_row="pad"), b"a,b\n1\n", [("1", "")]),
        (Input(quote="'", escape="\\"), b"a,b\n'x\\'y',2\n", [("x'y", "2")]),
        (Input(), b"a\n\n1\n", [("",), ("1",)]),
    ],
)
def test_a_table_is_read_as_it_is_told_to(
    told: Input, content: bytes, expected: list[tuple[str, ...]], tmp_path: Path
) -> None:
    with opened(tmp_path / "t", content) as descriptor:
        assert values(sliced(descriptor, RowIndex(), 0, 10, told)) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"fsrows1\n",
        RowIndex([5], [600_000], 9).as_bytes()[:-1],
        b"x" + RowIndex([5], [600_000], 9).as_bytes()[1:],
        RowIndex([5, 4], [600_000, 1_200_000]).as_bytes(),
        RowIndex([5, 6], [600_000, 600_000]).as_bytes(),
        RowIndex([-1], [600_000]).as_bytes(),
    ],
)
def test_what_is_no_index_is_taken_for_an_empty_one(content: bytes) -> None:
    assert index_of(content) == RowIndex()
