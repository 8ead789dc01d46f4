"""`/files/[folder/]`: what a folder holds, and forms that add to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from fileserver.api import ietf, openapi, tus
from fileserver.api.forms import store_form
from fileserver.api.requests import (
    content_digests,
    fields_of,
    file_href,
    key_text,
    merged,
    must_be_writable,
    repr_digests,
)
from fileserver.api.service import Answer, json_answer, service_of
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
_STREAMS: tuple[Format, ...] = ("application/x-ndjson", "text/csv", "text/plain")
_OFFERS = ("application/json", "text/html", *_STREAMS)
_HEADERS = {"cache-control": "private, no-cache", "vary": "accept", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a folder a client wants to see."""

    folder: Folder
    is_recursive: bool
    after: str
    limit: int | None


async def list_folder(request: Request, asked: Asked) -> Response:
    """A folder in the media type that the client prefers: JSON and HTML by pages, the others as a whole.

    Raises NotFound, and ProblemError where no type suits.
    """
    chosen = choose(request.headers.getlist("accept"), _OFFERS)
    for stream in _STREAMS:
        if chosen == stream:
            return _stream(request, asked, stream)
    if chosen is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"A folder is listed as {', '.join(_OFFERS)}."))
    limit = min(asked.limit or PAGE_SIZE, PAGE_SIZE)
    listed = await service_of(request).library.list(
        asked.folder, is_recursive=asked.is_recursive, after=asked.after, limit=limit
    )
    next_href = _next_href(request, asked, listed[-1]) if len(listed) == limit else None
    if chosen == "text/html":
        return _html(request, asked, listed, next_href)
    content = {"folder": asked.folder, "entries": _rows(request, listed), "next": next_href}
    link = {"link": f'<{next_href}>; rel="next"'} if next_href else {}  # RFC 8288
    return json_answer(content, {**_HEADERS, **link})


@router.post(
    "/files/{folder:key}",
    summary="Upload files by a form",
    status_code=201,
    response_class=Response,
    openapi_extra=openapi.ADD,
)
async def add(request: Request, replace: bool = False) -> Response:
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
    content_type = media_type if media_type == "application/x-ndjson" else f"{media_type}; charset=utf-8"
    headers = {**_HEADERS, "content-type": content_type, "accept-ranges": "none", "x-accel-buffering": "no"}
    return Answer(
        Listing(
            service_of(request).library,
            asked.folder,
            media_type,
            tuple(headers.items()),
            partial(file_href, request),
            asked.is_recursive,
            asked.after,
            asked.limit,
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
    return HTMLResponse(listing_page(page), headers={**_HEADERS, **dict(page_headers())})


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
