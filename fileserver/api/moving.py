"""MOVE, COPY and MKCOL on `/files/{key}`: other names, copies and new folders, in the words of WebDAV (RFC 4918).

OpenAPI 3.1 has no place for these methods: `docs/files.md` describes them.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request, Response

from fileserver.api.destination import destination_of, is_deep, may_replace
from fileserver.api.methods import allowed_methods
from fileserver.api.requests import content_size, fields_of, file_href, key_text, must_be_writable
from fileserver.api.service import service_of
from fileserver.api.writes import condition_of, stored_headers
from fileserver.delivery.asgi import ClientLeft, while_connected
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from storage import (
    ROOT,
    Condition,
    Entry,
    Folder,
    Key,
    Moving,
    PreconditionFailed,
    SamePlace,
    folder_to_read,
    folder_to_write,
    key_to_read,
    key_to_write,
)

router = APIRouter(tags=["files"], include_in_schema=False)
T = TypeVar("T")


@router.api_route("/files/{key:key}", methods=["MOVE"])
async def move(request: Request) -> Response:
    """Give a file or folder another name: 201 where nothing had it, 204 where a file is replaced (s.9.9)."""
    must_be_writable(request)
    text, destination, moving = key_text(request, "/files/"), destination_of(request), _moving(request)
    if not is_deep(request):
        raise _refused("A folder is moved with all that is in it.")
    try:
        if _is_folder(text):
            old, new = folder_to_read(text), folder_to_write(destination)
            _must_hold(request, old)
            is_new = await moving.move_folder(old, new, is_replacing=may_replace(request))
            return _made(request, new, is_new=is_new)
        file = partial(moving.move, key_to_read(text), _file(destination), condition=_condition(request))
        return _stored(request, *await file(is_replacing=may_replace(request)))
    except SamePlace as error:
        raise _same_place() from error


@router.api_route("/files/{key:key}", methods=["COPY"])
async def copy(request: Request) -> Response:
    """Store a file's bytes, or all that is in a folder, under another name too (s.9.8).

    A folder is copied file by file, as long as the client waits.
    """
    must_be_writable(request)
    text, destination, moving = key_text(request, "/files/"), destination_of(request), _moving(request)
    try:
        if _is_folder(text):
            return await _copy_folder(request, folder_to_read(text), folder_to_write(destination))
        file = partial(moving.copy, key_to_read(text), _file(destination), condition=_condition(request))
        return _stored(request, *await _attended(request, partial(file, is_replacing=may_replace(request))))
    except SamePlace as error:
        raise _same_place() from error


@router.api_route("/files/{key:key}", methods=["MKCOL"])
async def make_folder(request: Request) -> Response:
    """Make a folder, and those above it: 405 where it is there already (s.9.3)."""
    must_be_writable(request)
    if content_size(fields_of(request)) != 0:
        raise ProblemError(Problem(problems.UNSUPPORTED_MEDIA_TYPE, "A folder is made without a body."))
    folder = folder_to_write(key_text(request, "/files/"))
    if folder == ROOT or not await _moving(request).make_folder(folder):
        methods = ", ".join(method for method in allowed_methods(request) if method != "MKCOL")
        raise ProblemError(Problem(problems.METHOD_NOT_ALLOWED, "This folder is there."), (("allow", methods),))
    return _made(request, folder, is_new=True)


async def _copy_folder(request: Request, old: Folder, new: Folder) -> Response:
    _must_hold(request, old)
    copying = partial(_moving(request).copy_folder, old, new, is_replacing=may_replace(request))
    is_new = await _attended(request, partial(copying, is_deep=is_deep(request)))
    return _made(request, new, is_new=is_new)


async def _attended(request: Request, work: Callable[[], Awaitable[T]]) -> T:
    """Do the work as long as the client waits for it. Raises ClientLeft."""
    done: list[T] = []

    async def doing() -> None:
        done.append(await work())

    await while_connected(request.receive, doing)
    if not done:
        raise ClientLeft
    return done[0]


def _moving(request: Request) -> Moving:
    return service_of(request).library.moving


def _condition(request: Request) -> Condition:
    return condition_of(fields_of(request), request.method)


def _must_hold(request: Request, folder: Folder) -> None:
    """Folders have no versions: of the preconditions only `*` can hold of one, or fail. Raises PreconditionFailed."""
    if not _condition(request)(Entry(Key(folder), 0, 0, etag="", identity="")):
        raise PreconditionFailed(folder)


def _is_folder(text: str) -> bool:
    return text == "" or text.endswith("/")


def _file(destination: str) -> Key:
    if _is_folder(destination):
        raise _refused("Destination ends in a slash, and what is to come there is a file.")
    return key_to_write(destination)


def _stored(request: Request, entry: Entry, is_new: bool) -> Response:
    headers = stored_headers(request, entry.key, entry.sha256, entry.etag)
    if not is_new:
        del headers["content-length"]  # RFC 9110 s.8.6: not with 204
    return Response(status_code=201 if is_new else 204, headers=headers)


def _made(request: Request, folder: Folder, *, is_new: bool) -> Response:
    headers = {"location": file_href(request, folder), "cache-control": "no-store"}
    return Response(status_code=201 if is_new else 204, headers=headers)


def _refused(detail: str) -> ProblemError:
    return ProblemError(Problem(problems.MALFORMED_REQUEST, detail))


def _same_place() -> ProblemError:
    detail = "Nothing is moved or copied to where it is, nor a folder into itself, nor over one that it lies in."
    return ProblemError(Problem(problems.SAME_PLACE, detail))
