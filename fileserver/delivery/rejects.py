"""Rows that long work set aside, such as the rejects of a transform: a JSON object a line, or CSV."""

import csv
import io
import json
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import anyio.to_thread

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, more, start, while_connected
from fileserver.delivery.batches import batched
from fileserver.delivery.live import LINES
from storage import StoreUnavailable

Form: TypeAlias = Literal["application/x-ndjson", "text/csv"]

COLUMNS = ("line", "row", "column", "reason", "raw")
_CHUNK_SIZE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Rejects:
    """An ASGI application that answers with a file of set-aside rows, as far as it has come.

    Raises FileNotFoundError before the answer begins. A file that cannot be read on tears the answer: raises
    StoreUnavailable.
    """

    path: Path
    form: Form
    headers: HeaderLines
    columns: Sequence[str] = COLUMNS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET or HEAD."""
        await anyio.to_thread.run_sync(os.stat, self.path)
        await while_connected(receive, partial(self._send, scope, send))

    async def _send(self, scope: Scope, send: Send) -> None:
        await start(send, 200, self.headers)
        if scope["method"] != "HEAD":
            async with aclosing(batched(self._blocks())) as blocks:
                async for block in blocks:
                    await more(send, block)
        await end(send)

    def _blocks(self) -> Generator[bytes, None, None]:
        if self.form == "text/csv":
            yield _csv_lines([self.columns])
        rows = 0
        try:
            for lines in _whole_lines(self.path):
                rows += lines.count(b"\n")
                yield self._as_csv(lines) if self.form == "text/csv" else lines
        except OSError as error:
            yield self._last(LINES.fault("storage-failed", "The disk failed: these are not all rows."))
            raise StoreUnavailable(error.strerror) from error
        yield self._last(LINES.end({"rows": rows}))

    def _last(self, record: bytes) -> bytes:
        return record if self.form == "application/x-ndjson" else b""

    def _as_csv(self, lines: bytes) -> bytes:
        rows = map(json.loads, lines.splitlines())
        return _csv_lines([row.get(column) for column in self.columns] for row in rows)


def _whole_lines(path: Path) -> Generator[bytes, None, None]:
    """The lines of a file, many at a time. The last line may still be on its way. Raises OSError."""
    rest = b""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_SIZE):
            lines, newline, rest = (rest + chunk).rpartition(b"\n")
            if newline:
                yield lines + newline


def _csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "replace")
