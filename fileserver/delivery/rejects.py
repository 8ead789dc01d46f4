"""The rows that a transform rejected: as its worker wrote them, a JSON object a line, or as CSV."""

import csv
import io
import json
import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import anyio
import anyio.to_thread

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, more, start, while_connected

Form: TypeAlias = Literal["application/x-ndjson", "text/csv"]

COLUMNS = ("line", "row", "column", "reason", "raw")
_CHUNK_SIZE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Rejects:
    """An ASGI application that answers with a file of rejected rows, as far as it has come."""

    path: Path
    form: Form
    headers: HeaderLines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET or HEAD. Raises FileNotFoundError."""
        file = await anyio.to_thread.run_sync(os.open, self.path, os.O_RDONLY | os.O_CLOEXEC)

        async def sending() -> None:
            await start(send, 200, self.headers)
            if scope["method"] != "HEAD":
                async with aclosing(self._blocks(file)) as blocks:
                    async for block in blocks:
                        await more(send, block)
            await end(send)

        try:
            await while_connected(receive, sending)
        finally:
            os.close(file)

    async def _blocks(self, file: int) -> AsyncGenerator[bytes, None]:
        if self.form == "text/csv":
            yield _csv_lines([COLUMNS])
        rest = b""
        offset = 0
        while chunk := await _read(file, offset):
            offset += len(chunk)
            lines, newline, rest = (rest + chunk).rpartition(b"\n")  # the last line may still be on its way
            if newline:
                yield await anyio.to_thread.run_sync(_as_csv, lines) if self.form == "text/csv" else lines + newline


async def _read(file: int, offset: int) -> bytes:
    return await anyio.to_thread.run_sync(os.pread, file, _CHUNK_SIZE, offset)  # not left behind when cancelled


def _as_csv(lines: bytes) -> bytes:
    rejects = map(json.loads, lines.split(b"\n"))
    return _csv_lines([reject.get(column) for column in COLUMNS] for reject in rejects)


def _csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "replace")
