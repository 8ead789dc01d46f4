"""`/trash`: files and folders that were removed, and can come back for a while."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from fileserver.api import openapi
from fileserver.api.requests import fields_of, json_body, must_be_writable, root_href
from fileserver.api.responses import JsonDocument
from fileserver.api.service import service_of
from fileserver.api.trash_body import MAX_BODY, Unwanted, parse_unwanted
from fileserver.api.writes import condition_of
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from storage import Entry, Folder, Json, Key, NotFound, PreconditionFailed, Removal, Removed, Trash

router = APIRouter(tags=["trash"])

PAGE_SIZE = 100
ITEMS_SHOWN = 100
"""Of each removal on a page: all of them are told by the removal's own address."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_TIME: Mapping[str, Any] = {"type": "string", "format": "date-time", "description": "UTC (RFC 3339)."}
_KEYS: Mapping[str, Any] = {"type": "array", "items": _TEXT}
_ITEM: Mapping[str, Any] = {
    "type": "object",
    "required": ["key", "type", "size"],
    "properties": {
        "key": _TEXT,
        "type": {"enum": ["file", "folder"]},
        "size": {"type": ["integer", "null"], "minimum": 0, "description": "Bytes; of a folder null."},
    },
}
_REMOVAL: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "deleted_at", "expires_at", "count", "items"],
    "properties": {
        "id": _TEXT,
        "deleted_at": _TIME,
        "expires_at": _TIME,
        "count": {"type": "integer", "minimum": 0},
        "items": {"type": "array", "items": _ITEM, "description": f"On a page the first {ITEMS_SHOWN} alone."},
    },
}
_PAGE: Mapping[str, Any] = {
    "type": "object",
    "required": ["removals", "next"],
    "properties": {"removals": {"type": "array", "items": _REMOVAL}, "next": {"type": ["string", "null"]}},
}
_RESTORED: Mapping[str, Any] = {
    "type": "object",
    "required": ["restored", "taken", "left"],
    "properties": {
        "restored": {**_KEYS, "description": "The keys that they have now."},
        "taken": {**_KEYS, "description": "The keys of those that came back under other names."},
        "left": {**_KEYS, "description": "The keys of those that could not come back, and are in the trash."},
    },
}
_REFUSALS = openapi.problem_responses(
    problems.INVALID_KEY,
    problems.KEY_BUSY,
    problems.MALFORMED_REQUEST,
    problems.NOT_FOUND,
    problems.READ_ONLY,
    problems.TRASH_OFF,
    problems.UNSUPPORTED_MEDIA_TYPE,
)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Unwanted.model_json_schema()}}}}

RemovalId: TypeAlias = str


def _answer(schema: Mapping[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"application/json": {"schema": schema}}}}


@router.post(
    "/trash",
    summary="Move files and folders to the trash",
    status_code=201,
    response_class=JsonDocument,
    responses=_answer(_REMOVAL, 201),
    openapi_extra={**_BODY, "responses": _REFUSALS},
)
async def remove(request: Request) -> Response:
    """Each leaves its place in one step, a folder with all that is in it. Nothing is removed where one is not there.

    What is in `items` can be restored until `expires_at`.
    """
    must_be_writable(request)
    if not service_of(request).settings.trash_lifetime:
        raise ProblemError(Problem(problems.TRASH_OFF, "There is no trash here: DELETE removes for good."))
    places = parse_unwanted(await json_body(request, "the keys", MAX_BODY))
    try:
        removal = await _trash(request).remove(places)
    except NotFound as error:
        detail = "One of these is not there. Nothing was removed."
        raise ProblemError(Problem(problems.NOT_FOUND, detail, {"key": error.key})) from error
    location = f"{root_href(request)}trash/{removal.id}"
    return JsonDocument(_told(request, removal), 201, {**_HEADERS, "location": location})


@router.get("/trash", summary="See what is in the trash", response_class=JsonDocument, responses=_answer(_PAGE))
@router.head("/trash", include_in_schema=False)
async def show_all(
    request: Request,
    before: Annotated[str, Query(description="The id of the last removal that one has.")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE, description="At most so many.")] = PAGE_SIZE,
) -> Response:
    """What was removed, the newest first; `next` and Link lead to what is older."""
    must_be_writable(request)
    page = await _trash(request).page(before=before, limit=limit)
    next_href = None
    if len(page) == limit:
        next_href = f"{root_href(request)}trash?{urlencode({'before': page[-1].id, 'limit': limit})}"
    link = {"link": f'<{next_href}>; rel="next"'} if next_href else {}  # RFC 8288
    removals: list[Json] = [_told(request, each, most=ITEMS_SHOWN) for each in page]
    return JsonDocument({"removals": removals, "next": next_href}, headers={**_HEADERS, **link})


@router.delete("/trash", summary="Empty the trash", status_code=204, response_class=Response)
async def empty(request: Request) -> Response:
    """Everything in it is removed for good, but for what somebody is just restoring."""
    must_be_writable(request)
    await _trash(request).empty()
    return _done()


@router.get(
    "/trash/{removal_id}",
    summary="See what was removed at once",
    response_class=JsonDocument,
    responses=_answer(_REMOVAL),
)
@router.head("/trash/{removal_id}", include_in_schema=False)
async def show(request: Request, removal_id: RemovalId) -> Response:
    """All that can be restored of it."""
    must_be_writable(request)
    return JsonDocument(_told(request, await _trash(request).read(removal_id)), headers=_HEADERS)


@router.post(
    "/trash/{removal_id}/restore",
    summary="Restore what was removed at once",
    response_class=JsonDocument,
    responses=_answer(_RESTORED),
    openapi_extra={
        "responses": openapi.problem_responses(
            problems.FOLDER_IN_THE_WAY, problems.KEY_BUSY, problems.NOT_FOUND, problems.READ_ONLY
        )
    },
)
async def restore(request: Request, removal_id: RemovalId) -> Response:
    """Each comes back where it was, with its digest, its comments, and where people are in it; over nothing.

    Where a name is taken it is `name (restored)`.
    """
    must_be_writable(request)
    trash = _trash(request)
    removed = await trash.read(removal_id)
    restored = await trash.restore(removal_id)
    left = [item.place for number, item in removed.items.items() if number not in restored.places]
    told = {"restored": list(restored.places.values()), "taken": list(restored.taken), "left": left}
    return JsonDocument(told, headers=_HEADERS)


@router.delete("/trash/{removal_id}", summary="Remove for good", status_code=204, response_class=Response)
async def forget(request: Request, removal_id: RemovalId) -> Response:
    """What was removed at once cannot be restored any more."""
    must_be_writable(request)
    await _trash(request).forget(removal_id)
    return _done()


async def remove_folder(request: Request, folder: Folder) -> Response:
    """Remove a folder for good, with all that is in it (RFC 4918 s.9.6.1). The request may write.

    Folders have no versions: of the preconditions only `*` can hold of one, or fail. Raises PreconditionFailed.
    """
    if not condition_of(fields_of(request), request.method)(Entry(Key(folder), 0, 0, etag="", identity="")):
        raise PreconditionFailed(folder)
    await _trash(request).remove_for_good(folder)
    return _done()


def _trash(request: Request) -> Trash:
    return service_of(request).library.trash


def _told(request: Request, removal: Removal, *, most: int | None = None) -> dict[str, Json]:
    lifetime_s = service_of(request).settings.trash_lifetime
    items: list[Json] = [_item(each) for each in list(removal.items.values())[:most]]
    return {
        "id": removal.id,
        "deleted_at": _time(removal.at_ms / 1000),
        "expires_at": _time(removal.at_ms / 1000 + lifetime_s),
        "count": len(removal.items),
        "items": items,
    }


def _item(removed: Removed) -> Json:
    return {"key": removed.place, "type": "folder" if removed.is_folder else "file", "size": removed.size}


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _done() -> Response:
    return Response(status_code=204, headers={"cache-control": "no-store"})
