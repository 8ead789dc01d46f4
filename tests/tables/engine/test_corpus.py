"""Tables of every well-formed shape come back with the values they had, and of malformed ones no line is lost."""

import csv
import io
import random
from collections.abc import AsyncIterator

import pytest

from tests.tables.engine.working import Workshop, workshop

# What RFC 4180 s.2 allows, and what is found beside it: (table, whether it comes back byte for byte).
_CORPUS = {
    "two records": (b"aaa,bbb,ccc\nzzz,yyy,xxx\n", True),
    "carriage returns": (b"aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", True),
    "no last line end": (b"aaa,bbb\nzzz,yyy", False),
    "needless quotes": (b'"aaa","bbb"\n"zzz","yyy"\n', False),
    "line break in quotes": (b'aaa,"b\nbb"\nzzz,"y\n\ny"\n', True),
    "crlf in quotes": (b'aaa,"b\r\nbb"\r\nzzz,"y\r\ny"\r\n', True),
    "line feed in quotes among crlf": (b'aaa,bbb\r\nzzz,"y\ny"\r\n', True),
    "delimiter in quotes": (b'aaa,"b,b"\nzzz,",,,"\n', True),
    "doubled quotes": (b'aaa,"b""bb"\n"""","y"""\n', True),
    "quotes and line breaks": (b'aaa,bbb\n"""x""\n""","\n"\n', True),
    "empty and quoted empty": (b'a,b,c\n,"",\n"",,""\n', True),
    "spaces around": (b"a , b\n x, y \n", True),
    "spaces alone": (b"a,b\n , \n", True),
    "json in a cell": (b'key,val\n1,"{""type"": ""Point"", ""xs"": [1, 2]}"\n', True),
    "one column": (b'a\n1\n""\n3\n', True),
    "one row": (b"a,b\n", True),
    "utf-8": ("a,b\n日本語,🙂\nمرحبا,e\u0301\n".encode(), True),
    "byte order mark": ("\ufeffa,b\n1,2\n".encode(), False),
    "a byte order mark within": ("a,b\n\ufeff1,2\n".encode(), True),
    "line separators that are none": ("a,b\n1\u2028x,2\u0085y\n3\x0bz,4\x0cz\n".encode(), True),
    "numbers of all kinds": (b"a,b,c\n007,1e5,-0.00\n12345678901234567890,.5,+3\n0x1F,1_000,inf\n", True),
    "words that mean things elsewhere": (b"a,b,c\nNULL,null,NA\nTrue,nan,None\n\\N,#N/A,-\n", True),
    "formulas": (b'a,b\n=SUM(A1:A9),+1\n@x,"-1,5"\n', True),
    "control characters": (b"a,b\n\x01,\x7f\n\t,x\n", True),
    "dates": (b"a,b\n2024-02-30,1/2/3\n2024-01-01T00:00:00Z,12:60\n", True),
    "backslashes": (b'a,b\nC:\\temp\\,\\n\n"\\","\\"""\n', False),
}


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A pool for all tests of this file."""
    async with workshop(tmp_path_factory.mktemp("jobs")) as shop:
        yield shop


@pytest.mark.parametrize("name", _CORPUS)
async def test_a_well_formed_table_comes_back_with_its_values(shop: Workshop, name: str) -> None:
    table, is_same = _CORPUS[name]
    output = (await shop.run({"input": {"delimiter": ","}}, table)).text.encode()
    assert _values(output) == _values(table.removeprefix(b"\xef\xbb\xbf"))
    assert (output == table) is is_same
    assert (await shop.run({"input": {"delimiter": ","}}, output)).text.encode() == output


@pytest.mark.parametrize("name", _CORPUS)
async def test_its_values_are_the_same_after_a_sort_and_back_again(shop: Workshop, name: str) -> None:
    table, _ = _CORPUS[name]
    header, *rows = _values(table.removeprefix(b"\xef\xbb\xbf"))
    plan = {"input": {"delimiter": ","}, "steps": [{"op": "sort", "by": [{"column": header[0], "desc": True}]}]}
    output = (await shop.run(plan, table)).text.encode()
    assert sorted(_values(output)[1:]) == sorted(rows)


async def test_of_a_malformed_table_every_line_is_a_row_a_reject_or_blank(shop: Workshop) -> None:
    chance = random.Random(4180)
    kinds = [b"1,2,3"] * 2000 + [b"", b"1,2", b"1,2,3,4", b'"x"y,2,3', b'x"y,2,3', b"\xff,2,3", b"1,2,", b"a\rb,2,3"]
    lines = [chance.choice(kinds) for _ in range(300_000)]
    plan = {"input": {"on_bad_row": "skip", "encoding": "utf-8"}}
    done = await shop.run(plan, b"a,b,c\n" + b"\n".join(lines) + b"\n", rejects_size=1 << 30)
    rows_out = done.output.count(b"\n") - 1
    assert rows_out + len(done.rejects) + done.counts["blank_lines"] == len(lines)
    assert {each["line"] for each in done.rejects} == {
        number for number, line in enumerate(lines, 2) if line not in (b"", b"1,2,3", b"1,2,")
    }


def _values(table: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.decode(), newline="")))
