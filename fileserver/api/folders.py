"""`/files/[folder/]`: what a folder holds, and forms that add to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from fileserver.api import ietf, openapi, tus
from fileserver.api.folder_page import folder_page
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
from fileserver.api.service import Answer, service_of
from fileserver.delivery.asgi import ClientLeft, body_of, while_connected
from fileserver.delivery.compressed import compressed
from fileserver.delivery.listing import Asked, Format, Listing, row_of
from fileserver.delivery.upload import checked
from fileserver.http import problems
from fileserver.http.negotiation import accepts_coding, choose
from fileserver.http.problems import Problem, ProblemError
from fileserver.http.resumable import creates_upload
from fileserver.web.page import page_headers
from storage import Entry, Listed, folder_to_write

router = APIRouter(tags=["folders"])

_PAGE_SIZES = {"application/json": 1000, "text/html": 500}
"""Files on a page at most. A folder that is on one page of HTML as a whole comes in the order that people expect; the
more of them, the later a phone paints."""
_STREAMS: Mapping[Format, type[Made]] = {
    "application/json": JsonStream,
    "application/x-ndjson": Lines,
    "text/csv": CsvTable,
    "text/plain": PlainText,
}
_OFFERS = ("application/json", "text/html", "application/x-ndjson", "text/csv", "text/plain")
_HEADERS = {"cache-control": "private, no-cache", "vary": "accept", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser wants to see of a folder: the words it looks for, the name of the file it shows."""

    search: str | None = None
    view: str | None = None


async def list_folder(request: Request, asked: Asked, shown: Shown) -> Response:
    """A folder in the media type that the client prefers: JSON and HTML by pages, the others as a whole.

    A tree as JSON is whole too where no `limit` is asked for. Raises NotFound, and ProblemError where no type suits.
    """
    _must_make_sense(asked)
    is_accepted = accepts_coding(fields_of(request).lines("accept-encoding"), "gzip")
    return Answer(compressed(await _listed(request, asked, shown), is_accepted=is_accepted))


async def _listed(request: Request, asked: Asked, shown: Shown) -> Response:
    chosen = choose(request.headers.getlist("accept"), _OFFERS if asked.is_sorted else tuple(_STREAMS))
    for stream in _STREAMS:
        if chosen == stream and (stream != "application/json" or _is_export(asked)):
            return _stream(request, asked, stream)
    if chosen is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"A folder is listed as {', '.join(_OFFERS)}."))
    return await _page(request, asked, shown, chosen)


def _is_export(asked: Asked) -> bool:
    """Whether all of a tree is meant, rather than a page to look at."""
    return asked.limit is None and asked.words is None and (asked.is_recursive or not asked.is_sorted)


def _must_make_sense(asked: Asked) -> None:
    """Raises ProblemError where a part is asked for of what has no order."""
    parameter = "after" if asked.after else "limit"
    if not asked.is_sorted and (asked.after or asked.limit is not None):
        detail = f"{parameter}: `sort=none` lists all of a folder, in no order that a page could go on in."
        raise ProblemError(Problem(problems.BAD_PARAMETER, detail, {"parameter": parameter}))


async def _page(request: Request, asked: Asked, shown: Shown, media_type: str) -> Response:
    most = _PAGE_SIZES[media_type]
    limit = min(asked.limit or most, most)
    listed = await _some(request, asked, limit)
    next_href = _next_href(request, asked, shown, listed[-1]) if len(listed) == limit else None
    if media_type == "text/html":
        page = await folder_page(
            request, asked, listed, next_href=next_href, search=shown.search, shown_name=shown.view
        )
        return HtmlPage(page, headers={**_HEADERS, **dict(page_headers())})
    content = {"folder": asked.folder, "entries": _rows(request, listed), "next": next_href}
    link = {"link": f'<{next_href}>; rel="next"'} if next_href else {}  # RFC 8288
    return JsonDocument(content, headers={**_HEADERS, **link})


async def _some(request: Request, asked: Asked, limit: int) -> tuple[Listed, ...]:
    """The rows of a page. Raises ClientLeft where nobody waits for them any more: a search may take long."""
    library = service_of(request).library
    if asked.words is None:
        return await asked.page(library, limit)
    found: list[tuple[Listed, ...]] = []

    async def looking() -> None:
        found.append(await asked.page(library, limit))

    await while_connected(request.receive, looking)
    if not found:
        raise ClientLeft
    return found[0]


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
            asked,
            media_type,
            live_headers(made.content_type),
            partial(file_href, request),
        )
    )


def _rows(request: Request, listed: Iterable[Listed]) -> list[dict[str, str | int | None]]:
    return [row_of(each, partial(file_href, request)) for each in listed]


def _next_href(request: Request, asked: Asked, shown: Shown, last: Listed) -> str:
    after = last.key if isinstance(last, Entry) else last.folder
    query = {
        "search": None if shown.search is None else shown.search.encode("utf-8", "surrogateescape"),
        "after": after.encode("utf-8", "surrogateescape"),
        "limit": asked.limit,
        "recursive": asked.is_recursive,
    }
    given = {name: value for name, value in query.items() if value}
    return f"{file_href(request, asked.folder)}?{urlencode(given)}"
