"""A folder as a stream of rows: NDJSON, CSV, JSON or plain text, a page of the library at a time."""

import csv
import io
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Literal, Protocol, TypeAlias

import anyio.lowlevel

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, more, start, while_connected
from fileserver.delivery.live import LINES
from fileserver.delivery.search import Words
from fileserver.media.detection.likely import likely_type
from storage import Entry, Folder, Library, Listed, StorageError, name_of

Href: TypeAlias = Callable[[str], str]
"""The URL path of a key or folder."""
Row: TypeAlias = dict[str, str | int | None]
Pages: TypeAlias = AsyncGenerator[tuple[Listed, ...], None]
Format: TypeAlias = Literal["application/x-ndjson", "text/csv", "application/json", "text/plain"]

COLUMNS = ("key", "name", "type", "size", "modified", "media_type", "etag", "sha256", "href")
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799  # the years 1 and 9999, which RFC 3339 has four digits for
_SLICE = 128  # rows made between two turns of the event loop: about 1.5 ms


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a folder somebody wants to see; with `words` what has them in its name, however deep it lies."""

    folder: Folder
    is_recursive: bool = False
    after: str = ""
    limit: int | None = None
    is_sorted: bool = True
    words: Words | None = None

    def pages(self, library: Library) -> Pages:
        """All of it but for the limit, in pages of which some may be empty; whoever leaves closes them."""
        if self.words is not None:
            return library.listings.search(self.folder, self.words.are_in, after=self.after)
        return library.list_all(self.folder, is_recursive=self.is_recursive, after=self.after, is_sorted=self.is_sorted)

    async def page(self, library: Library, limit: int) -> tuple[Listed, ...]:
        """The first `limit` of it; fewer are all. Raises NotFound."""
        if self.words is None:
            return await library.list(self.folder, is_recursive=self.is_recursive, after=self.after, limit=limit)
        found: list[Listed] = []
        async with aclosing(self.pages(library)) as pages:
            async for some in pages:
                found += some
                if len(found) >= limit:
                    break
        return tuple(found[:limit])


def row_of(listed: Listed, href: Href) -> Row:
    """What a listing says of a file or folder: sizes in bytes, times in UTC (RFC 3339), digests in hexadecimal.

    The media type is what its bytes have shown; of a file that nobody has looked into yet, what its name makes likely.
    """
    modified = _time(listed.modified_ns // 1_000_000_000)
    if isinstance(listed, Entry):
        return {
            "key": listed.key,
            "name": name_of(listed.key),
            "type": "file",
            "size": listed.size,
            "modified": modified,
            "media_type": listed.media_type or likely_type(name_of(listed.key)),
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


@lru_cache(maxsize=4096)  # files that came together were modified in the same seconds
def _time(at_s: int) -> str:
    return datetime.fromtimestamp(min(max(at_s, _FIRST_S), _LAST_S), UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Listing:
    """An ASGI application that answers with a whole folder, row by row, in flat memory.

    The first page is read before the answer begins, so that a missing folder is an error and not an empty answer. What
    fails after it tears the connection: raises StorageError, of which NDJSON tells before.
    """

    library: Library
    asked: Asked
    media_type: Format
    headers: HeaderLines
    href: Href

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET or HEAD."""
        async with aclosing(self.asked.pages(self.library)) as pages:
            first = await anext(pages, None)
            sending = self._head if scope["method"] == "HEAD" else partial(self._send, first=first, pages=pages)
            await while_connected(receive, partial(sending, send))

    async def _head(self, send: Send) -> None:
        await start(send, 200, self.headers)
        await end(send)

    async def _send(self, send: Send, *, first: Sequence[Listed] | None, pages: Pages) -> None:
        form, rows = _FORMS[self.media_type], 0
        await start(send, 200, self.headers)
        await more(send, form.begin(self.asked.folder))
        try:
            async with aclosing(self._slices(first, pages)) as slices:
                async for some in slices:
                    await more(send, form.rows([row_of(each, self.href) for each in some], is_first=not rows))
                    rows += len(some)
        except StorageError:
            await more(send, form.fault())
            raise
        await end(send, form.end(rows))

    async def _slices(self, page: Sequence[Listed] | None, pages: Pages) -> AsyncGenerator[Sequence[Listed], None]:
        left = self.asked.limit
        while page is not None and left != 0:
            page = page[:left]
            for at in range(0, len(page), _SLICE):
                yield page[at : at + _SLICE]
                await anyio.lowlevel.checkpoint()  # sending does not wait as long as the client keeps up
            left = None if left is None else left - len(page)
            page = await anext(pages, None) if left != 0 else None


class _Form(Protocol):
    """How rows become bytes, and where they begin and end."""

    def begin(self, folder: Folder) -> bytes:
        """What comes before the first row."""
        ...

    def rows(self, rows: Sequence[Row], *, is_first: bool) -> bytes:
        """Some rows."""
        ...

    def end(self, rows: int) -> bytes:
        """What comes after the last of so many rows."""
        ...

    def fault(self) -> bytes:
        """What comes instead, before the connection is torn."""
        ...


class _Unframed:
    """Rows alone: that they are all can be told by the end of the connection only."""

    def begin(self, folder: Folder) -> bytes:
        del folder
        return b""

    def end(self, rows: int) -> bytes:
        del rows
        return b""

    def fault(self) -> bytes:
        return b""


class _Ndjson(_Unframed):
    def rows(self, rows: Sequence[Row], *, is_first: bool) -> bytes:
        del is_first
        return "".join(f"{_json(row)}\n" for row in rows).encode("ascii")

    def end(self, rows: int) -> bytes:
        return LINES.end({"rows": rows})

    def fault(self) -> bytes:
        return LINES.fault("storage-failed", "The storage failed: these are not all rows.")


class _Csv(_Unframed):
    def begin(self, folder: Folder) -> bytes:
        del folder
        return _csv_lines([COLUMNS])

    def rows(self, rows: Sequence[Row], *, is_first: bool) -> bytes:
        del is_first
        return _csv_lines(row.values() for row in rows)


class _Json(_Unframed):
    """The document of a page, as long as it may get."""

    def begin(self, folder: Folder) -> bytes:
        return f'{{"folder":{_json(folder)},"entries":['.encode("ascii")

    def rows(self, rows: Sequence[Row], *, is_first: bool) -> bytes:
        comma = "" if is_first else ","
        return f"{comma}{','.join(map(_json, rows))}".encode("ascii")

    def end(self, rows: int) -> bytes:
        del rows
        return b'],"next":null}'


class _Text(_Unframed):
    def rows(self, rows: Sequence[Row], *, is_first: bool) -> bytes:
        del is_first
        return "".join(_text_lines(rows)).encode("utf-8", "surrogateescape")


def _text_lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        key = str(row["key"])
        yield f"{key if key.isprintable() else _json(key)}\n"


def _csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue().encode("utf-8", "surrogateescape")


_json = json.JSONEncoder(separators=(",", ":")).encode
_FORMS: dict[Format, _Form] = {
    "application/x-ndjson": _Ndjson(),
    "text/csv": _Csv(),
    "application/json": _Json(),
    "text/plain": _Text(),
}
