"""A folder as a stream of rows: NDJSON, CSV or plain text, a page of the library at a time."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, more, start, while_connected
from storage import LIST_BATCH, Entry, Folder, Library, Listed, name_of

Href: TypeAlias = Callable[[str], str]
"""The URL path of a key or folder."""
Row: TypeAlias = dict[str, str | int | None]
Format: TypeAlias = Literal["application/x-ndjson", "text/csv", "text/plain"]

COLUMNS = ("key", "name", "type", "size", "modified", "media_type", "etag", "sha256", "href")
_FLUSH_SIZE = 64 * 1024  # bytes gathered before they are sent


def row_of(listed: Listed, href: Href) -> Row:
    """What a listing says of a file or folder: sizes in bytes, times in UTC (RFC 3339), digests in hexadecimal."""
    modified = datetime.fromtimestamp(listed.modified_ns // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")
    if isinstance(listed, Entry):
        return {
            "key": listed.key,
            "name": name_of(listed.key),
            "type": "file",
            "size": listed.size,
            "modified": modified,
            "media_type": listed.media_type,
            "etag": f'"{listed.etag}"',
            "sha256": None if listed.sha256 is None else listed.sha256.hex(),
            "href": href(listed.key),
        }
    return {
        "key": listed.folder,
        "name": name_of(listed.folder),
        "type": "folder",
        "size": None,
        "modified": modified,
        "media_type": None,
        "etag": None,
        "sha256": None,
        "href": href(listed.folder),
    }


@dataclass(frozen=True, slots=True)
class Listing:
    """An ASGI application that answers with a whole folder, row by row, in flat memory.

    The first page is read before the answer begins, so that a missing folder is an error and not an empty answer.
    """

    library: Library
    folder: Folder
    media_type: Format
    headers: HeaderLines
    href: Href
    is_recursive: bool
    after: str
    limit: int | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        pages = self._pages()
        first = await anext(pages, ())

        async def sending() -> None:
            await start(send, 200, self.headers)
            if scope["method"] != "HEAD":
                async for block in _gathered(self._lines(first, pages)):
                    await more(send, block)
            await end(send)

        await while_connected(receive, sending)

    async def _pages(self) -> AsyncIterator[tuple[Listed, ...]]:
        after, left = self.after, self.limit
        while left != 0:
            limit = LIST_BATCH if left is None else min(left, LIST_BATCH)
            page = await self.library.list(self.folder, is_recursive=self.is_recursive, after=after, limit=limit)
            yield page
            if len(page) < limit:
                return
            last = page[-1]
            after = last.key if isinstance(last, Entry) else last.folder
            left = None if left is None else left - len(page)

    async def _lines(self, first: tuple[Listed, ...], pages: AsyncIterator[tuple[Listed, ...]]) -> AsyncIterator[bytes]:
        line_of = _LINES[self.media_type]
        if self.media_type == "text/csv":
            yield _csv_line(dict(zip(COLUMNS, COLUMNS, strict=True)))
        for listed in first:
            yield line_of(row_of(listed, self.href))
        async for page in pages:
            for listed in page:
                yield line_of(row_of(listed, self.href))


def _ndjson_line(row: Row) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _csv_line(row: Row) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([row[column] for column in COLUMNS])
    return line.getvalue().encode("utf-8", "surrogateescape")


def _text_line(row: Row) -> bytes:
    key = str(row["key"])
    shown = key if key.isprintable() else json.dumps(key)
    return shown.encode("utf-8", "surrogateescape") + b"\n"


_LINES: dict[Format, Callable[[Row], bytes]] = {
    "application/x-ndjson": _ndjson_line,
    "text/csv": _csv_line,
    "text/plain": _text_line,
}


async def _gathered(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    block = bytearray()
    async for line in lines:
        block += line
        if len(block) >= _FLUSH_SIZE:
            yield bytes(block)
            block.clear()
    yield bytes(block)
