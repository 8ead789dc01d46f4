"""`/files/{key}`: a stored file."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from fileserver.api import ietf, openapi
from fileserver.api.folders import Shown, list_folder
from fileserver.api.follow import answer_follow
from fileserver.api.requests import Flag, fields_of, key_text, must_be_whole, must_be_writable, promise_of, query_text
from fileserver.api.responses import (
    CsvTable,
    EventStream,
    FileBytes,
    HtmlPage,
    JsonDocument,
    Lines,
    PlainText,
    answers,
)
from fileserver.api.service import service_of
from fileserver.api.tail import answer_tail, must_have_no_tail
from fileserver.api.trash import remove_folder
from fileserver.api.writes import condition_of, stored_headers
from fileserver.delivery.download import Download
from fileserver.delivery.listing import Asked
from fileserver.delivery.search import words_of
from fileserver.delivery.upload import put_file
from fileserver.http.resumable import creates_upload
from storage import PreconditionFailed, folder_to_read, key_to_read, key_to_write

router = APIRouter(tags=["files"])


@router.get(
    "/files/{key:key}",
    summary="Download a file, or list a folder",
    response_class=FileBytes,
    responses=answers(
        FileBytes, JsonDocument, HtmlPage, Lines, CsvTable, PlainText, EventStream, record="TailRecordOrRow"
    )
    | answers(FileBytes, status=206),
    openapi_extra=openapi.READ_ON,
)
@router.head("/files/{key:key}", include_in_schema=False)
async def read(
    request: Request,
    download: Annotated[
        str | None, Query(description="Have the browser save it, under this name if there is one.")
    ] = None,
    tail: Annotated[
        str | None,
        Query(description="The file's end: `20` or `20lines`, `4096bytes`, `64KiB`, `10MB`; empty: 10 lines."),
    ] = None,
    last_event_id: Annotated[
        str | None, Query(description="With `tail`: where to go on, by the id of a record or a number of bytes.")
    ] = None,
    after: Annotated[str, Query(description="Of a folder: only what comes after this key.")] = "",
    limit: Annotated[int | None, Query(ge=1, description="Of a folder: at most so many.")] = None,
    recursive: Annotated[Flag, Query(description="Of a folder: also what is in its folders.")] = False,
    sort: Annotated[
        Literal["key", "none"], Query(description="Of a folder: `none` is in no order, and the first comes at once.")
    ] = "key",
    search: Annotated[
        str | None,
        Query(description="Of a folder: what has these words in its name, in any case, however deep it lies."),
    ] = None,
    view: Annotated[str | None, Query(description="Of a folder as HTML: show the file of this name.")] = None,
    follow: Annotated[
        Flag | None,
        Query(
            description="True: go on with a file that is being uploaded. False, with `tail`: end with what there is."
        ),
    ] = None,
) -> Response:
    """The file's bytes, whole or in ranges; `download` (optionally with a name) asks the browser to save it.

    `follow` goes on with a file that is still being uploaded. `tail` begins at its end (10 lines, `20lines`, `64KiB`),
    or after `last_event_id`, and goes on with what is appended, unless `follow` is false: raw, as NDJSON or as
    server-sent events by Accept.

    A key that is empty or ends in `/` names a folder, listed as JSON, NDJSON, CSV, plain text or HTML by Accept: up to
    `limit` files after the key `after` (JSON and HTML: 1000 on a page), with `recursive` also those in its folders;
    then JSON without `limit` is whole, too. `sort=none` lists all, the first at once, in whatever order they come.
    `search` lists files and folders below it by words of their names.
    """
    text = key_text(request, "/files/")
    if text == "" or text.endswith("/"):
        must_have_no_tail(tail)
        after = query_text(request, "after", after)
        words = words_of(query_text(request, "search"))
        asked = Asked(folder_to_read(text), recursive, after, limit, sort == "key", words)
        return await list_folder(request, asked, Shown(search if words else None, query_text(request, "view") or None))
    service = service_of(request)
    settings = service.settings
    key = key_to_read(text)
    if tail is not None:
        return await answer_tail(request, key, tail, last_event_id, follow=follow)
    if follow:
        return answer_follow(request, key, download)
    return FileBytes(Download(service.library, key, download, settings.chunk_size, settings.limit_rate))


@router.put(
    "/files/{key:key}",
    summary="Create or replace a file",
    status_code=201,
    response_class=Response,
    openapi_extra=openapi.WRITE,
)
async def write(request: Request) -> Response:
    """Store the body under the key: 201 when the key is new, 200 when it replaces a file.

    If-Match and If-None-Match guard against lost updates; Content-Digest, Repr-Digest and Content-MD5 are verified.
    With Upload-Complete the upload is resumable (IETF draft).
    """
    must_be_writable(request)
    key = key_to_write(key_text(request, "/files/"))
    fields = fields_of(request)
    must_be_whole(fields)
    if creates_upload(fields):
        return await ietf.begin_file(request, key)
    promise = promise_of(request)
    library = service_of(request).library
    condition = condition_of(fields, request.method)
    if not condition(await library.stat(key)):
        raise PreconditionFailed(key)
    entry, is_new = await put_file(request.receive, library, key, promise=promise, condition=condition)
    return Response(status_code=201 if is_new else 200, headers=stored_headers(request, key, entry.sha256, entry.etag))


@router.delete(
    "/files/{key:key}",
    summary="Delete a file or folder",
    status_code=204,
    response_class=Response,
    openapi_extra=openapi.READ,
)
async def remove(request: Request) -> Response:
    """Remove the file; If-Match guards against removing another version than the one meant.

    A key that ends in `/` names a folder, which is removed with all that is in it.
    """
    must_be_writable(request)
    text = key_text(request, "/files/")
    if text.endswith("/"):
        return await remove_folder(request, folder_to_read(text))
    key = key_to_read(text)
    await service_of(request).library.delete(key, condition=condition_of(fields_of(request), request.method))
    return Response(status_code=204, headers={"cache-control": "no-store"})
