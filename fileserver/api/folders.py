"""`/files/[folder/]`: what a folder holds, and forms that add to it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from fileserver.api import ietf, openapi, tus
from fileserver.api.forms import store_form
from fileserver.api.requests import (
    Flag,
    content_digests,
    fields_of,
    file_href,
    key_text,
    merged,
    must_be_writable,
    repr_digests,
)
from fileserver.api.responses import CsvTable, HtmlPage, JsonDocument, JsonStream, Lines, Made, PlainText, live_headers
from fileserver.api.service import service_of
from fileserver.delivery.asgi import body_of
from fileserver.delivery.listing import Format, Listing, row_of
from fileserver.delivery.upload import checked
from fileserver.http import problems
from fileserver.http.negotiation import choose
from fileserver.http.problems import Problem, ProblemError
from fileserver.http.resumable import creates_upload
from fileserver.web.listing import Crumb, ListingPage, Row, listing_page, page_headers
from storage import Entry, Folder, Listed, folder_to_write, name_of

router = APIRouter(tags=["folders"])

PAGE_SIZE = 1000
"""Files on a page of JSON or HTML at most: making one takes the event loop about 30 ms."""
_STREAMS: Mapping[Format, type[Made]] = {
    "application/json": JsonStream,
    "application/x-ndjson": Lines,
    "text/csv": CsvTable,
    "text/plain": PlainText,
}
_OFFERS = ("application/json", "text/html", "application/x-ndjson", "text/csv", "text/plain")
_HEADERS = {"cache-control": "private, no-cache", "vary": "accept", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a folder a client wants to see."""

    folder: Folder
    is_recursive: bool
    after: str
    limit: int | None
    is_sorted: bool = True

    @property
    def is_export(self) -> bool:
        """Whether all of a tree is meant, rather than a page to look at."""
        return self.limit is None and (self.is_recursive or not self.is_sorted)


async def list_folder(request: Request, asked: Asked) -> Response:
    """A folder in the media type that the client prefers: JSON and HTML by pages, the others as a whole.

    A tree as JSON is whole too where no `limit` is asked for. Raises NotFound, and ProblemError where no type suits.
    """
    _must_make_sense(asked)
    chosen = choose(request.headers.getlist("accept"), _OFFERS if asked.is_sorted else tuple(_STREAMS))
    for stream in _STREAMS:
        if chosen == stream and (stream != "application/json" or asked.is_export):
            return _stream(request, asked, stream)
    if chosen is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"A folder is listed as {', '.join(_OFFERS)}."))
    return await _page(request, asked, chosen)


def _must_make_sense(asked: Asked) -> None:
    """Raises ProblemError where a part is asked for of what has no order."""
    parameter = "after" if asked.after else "limit"
    if not asked.is_sorted and (asked.after or asked.limit is not None):
        detail = f"{parameter}: `sort=none` lists all of a folder, in no order that a page could go on in."
        raise ProblemError(Problem(problems.BAD_PARAMETER, detail, {"parameter": parameter}))


async def _page(request: Request, asked: Asked, media_type: str) -> Response:
    limit = min(asked.limit or PAGE_SIZE, PAGE_SIZE)
    listed = await service_of(request).library.list(
        asked.folder, is_recursive=asked.is_recursive, after=asked.after, limit=limit
    )
    next_href = _next_href(request, asked, listed[-1]) if len(listed) == limit else None
    if media_type == "text/html":
        return _html(request, asked, listed, next_href)
    content = {"folder": asked.folder, "entries": _rows(request, listed), "next": next_href}
    link = {"link": f'<{next_href}>; rel="next"'} if next_href else {}  # RFC 8288
    return JsonDocument(content, headers={**_HEADERS, **link})


@router.post(
    "/files/{folder:key}",
    summary="Upload files by a form",
    status_code=201,
    response_class=JsonDocument,
    openapi_extra=openapi.ADD,
)
async def add(request: Request, replace: Flag = False) -> Response:
    """Store every file of a multipart/form-data body in the folder, none before the form has come whole.

    A name that is taken is a conflict, unless `replace` is true here or in a form field before the files. Resumable
    uploads begin here too: by tus, and by the IETF draft with a form or with a single file.
    """
    must_be_writable(request)
    folder = folder_to_write(key_text(request, "/files/"))
    fields = fields_of(request)
    if tus.is_meant(request):
        return await tus.create(request, folder, is_replacing=replace)
    if creates_upload(fields):
        return await ietf.begin_in_folder(request, folder, is_replacing=replace)
    body = checked(body_of(request.receive), merged(content_digests(fields), repr_digests(fields)))
    content_type = request.headers.get("content-type", "")
    return await store_form(request, body, folder, content_type, is_replacing=replace)


def _stream(request: Request, asked: Asked, media_type: Format) -> Response:
    made = _STREAMS[media_type]
    return made(
        Listing(
            service_of(request).library,
            asked.folder,
            media_type,
            live_headers(made.content_type),
            partial(file_href, request),
            asked.is_recursive,
            asked.after,
            asked.limit,
            asked.is_sorted,
        )
    )


def _rows(request: Request, listed: Iterable[Listed]) -> list[dict[str, str | int | None]]:
    return [row_of(each, partial(file_href, request)) for each in listed]


def _next_href(request: Request, asked: Asked, last: Listed) -> str:
    after = last.key if isinstance(last, Entry) else last.folder
    query = {"after": after.encode("utf-8", "surrogateescape"), "limit": asked.limit, "recursive": asked.is_recursive}
    given = {name: value for name, value in query.items() if value}
    return f"{file_href(request, asked.folder)}?{urlencode(given)}"


def _html(request: Request, asked: Asked, listed: Iterable[Listed], next_href: str | None) -> Response:
    page = ListingPage(
        title=name_of(asked.folder) or "Files",
        crumbs=tuple(_crumbs(request, asked.folder)),
        rows=tuple(_row(request, asked.folder, each) for each in listed),
        next_href=next_href,
        may_write=service_of(request).settings.may_write,
        action_href=file_href(request, asked.folder),
    )
    return HtmlPage(listing_page(page), headers={**_HEADERS, **dict(page_headers())})


def _crumbs(request: Request, folder: Folder) -> Iterator[Crumb]:
    yield Crumb("Files", file_href(request, ""))
    above = ""
    for name in folder.split("/")[:-1]:
        above += f"{name}/"
        yield Crumb(name, file_href(request, above))


def _row(request: Request, folder: Folder, listed: Listed) -> Row:
    key = listed.key if isinstance(listed, Entry) else listed.folder
    href = file_href(request, key)
    is_file = isinstance(listed, Entry)
    return Row(
        name=key.removeprefix(folder).rstrip("/"),
        href=href,
        download_href=f"{href}?download" if is_file else None,
        is_folder=not is_file,
        size=listed.size if isinstance(listed, Entry) else None,
        modified_s=listed.modified_ns // 1_000_000_000,
        media_type=listed.media_type if isinstance(listed, Entry) else None,
    )
