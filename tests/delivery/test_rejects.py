"""Rows that were set aside: whole, with a defined end, and torn where they cannot be read on."""

import json
import os
from pathlib import Path

import pytest

from fileserver.delivery.rejects import Form, Rejects
from storage import StoreUnavailable
from tests.support.asgi import drive, each_cancellation, http_scope

ROWS = [{"line": number, "row": number, "column": None, "reason": "no", "raw": f"ü,{number}"} for number in range(2000)]
TEXT = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of rows, the last of which is still on its way."""
    path = tmp_path / "rejects"
    path.write_bytes(TEXT + b'{"line":')
    return path


def rejects(path: Path, form: Form = "application/x-ndjson") -> Rejects:
    return Rejects(path, form, (("content-type", form),))


async def test_ndjson_is_what_was_written_and_an_end_that_counts_it(path: Path) -> None:
    answer = await drive(rejects(path), http_scope())
    assert (answer.body, answer.is_complete) == (TEXT + b'{"type":"end","rows":2000}\n', True)


async def test_csv_has_a_header_and_no_other_end(path: Path) -> None:
    answer = await drive(rejects(path, "text/csv"), http_scope())
    lines = answer.body.decode().split("\r\n")
    assert (lines[0], lines[1], lines[-2], lines[-1]) == (
        "line,row,column,reason,raw",
        '0,0,,no,"ü,0"',
        '1999,1999,,no,"ü,1999"',
        "",
    )
    assert len(lines) == 2002


async def test_other_columns_may_be_told(path: Path) -> None:
    answer = await drive(Rejects(path, "text/csv", (), columns=("raw", "line")), http_scope())
    assert answer.body.startswith(b'raw,line\r\n"\xc3\xbc,0",0\r\n')


@pytest.mark.parametrize("content", [b"", b'{"line":'])
async def test_no_rows_are_an_end(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert (await drive(rejects(path), http_scope())).body == b'{"type":"end","rows":0}\n'


async def test_head_has_no_body(path: Path) -> None:
    answer = await drive(rejects(path), http_scope("HEAD"))
    assert (answer.status, answer.body, answer.is_complete) == (200, b"", True)


async def test_what_is_missing_is_missing_before_the_answer_begins(tmp_path: Path) -> None:
    answer = await drive(rejects(tmp_path / "missing"), http_scope())
    assert isinstance(answer.error, FileNotFoundError)
    assert answer.messages == []


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (
            "application/x-ndjson",
            b'{"type":"error","code":"storage-failed","detail":"The disk failed: these are not all',
        ),
        ("text/csv", b"line,row,column,reason,raw\r\n"),
    ],
)
async def test_what_cannot_be_read_on_is_told_and_torn(tmp_path: Path, form: Form, body: bytes) -> None:
    answer = await drive(rejects(tmp_path, form), http_scope())  # a folder is there, and cannot be read
    assert isinstance(answer.error, StoreUnavailable)
    assert answer.body.startswith(body)
    assert not answer.is_complete


async def test_whoever_leaves_leaves_nothing_open(path: Path) -> None:
    await drive(rejects(path), http_scope())  # what is opened once and for all
    before = len(os.listdir("/proc/self/fd"))
    async for _, _ in each_cancellation(lambda number: drive(rejects(path), http_scope(), cancel_at_await=number)):
        pass
    for number in range(1, 5):
        await drive(rejects(path), http_scope(), disconnect_at_send=number)
    assert len(os.listdir("/proc/self/fd")) == before
