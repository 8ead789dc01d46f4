"""The one table from what went wrong to what the client is told, and the answers made of it."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from fileserver.api.faults import problem_of_fault
from fileserver.api.jobs import job_headers
from fileserver.api.methods import METHODS, allowed_methods
from fileserver.api.requests import file_href, root_href, route_path
from fileserver.api.service import service_of
from fileserver.api.upload_answers import limit, offers
from fileserver.api.writes import key_taken
from fileserver.delivery.asgi import ClientLeft
from fileserver.delivery.exchange import JobCancelled, TransformFailed
from fileserver.delivery.spill import SpillFull
from fileserver.delivery.table_sources import FieldAfterFile
from fileserver.delivery.upload import FieldTooLong, NoFileInForm
from fileserver.delivery.virtual import Replaced
from fileserver.http import problems, tus
from fileserver.http.form_parts import FormTooComplex, MalformedForm
from fileserver.http.negotiation import choose
from fileserver.http.problems import Headers, Problem, ProblemError, ProblemType
from fileserver.http.resumable import InconsistentLength
from fileserver.http.upload_state import MalformedUpload
from fileserver.jobs import NoRoomForJob, NoSuchJob
from fileserver.media import MediaBusy, MediaFault
from fileserver.tables import TableFault
from fileserver.web.page import page_headers, problem_page
from fileserver.workers import QueueFull
from storage import (
    DigestMismatch,
    DraftBusy,
    FolderInTheWay,
    InvalidKey,
    IsFolder,
    KeyBusy,
    LengthMismatch,
    NoSpace,
    NotFound,
    NotKept,
    OffsetMismatch,
    OtherFileSystem,
    PreconditionFailed,
    PromiseExceeded,
    ReadOnlyStore,
    StorageError,
    StoreDegraded,
    TooLarge,
    TooManyUploads,
    UploadExpired,
    UploadIsComplete,
    UploadTakenOver,
)

_TABLE: Mapping[type[Exception], tuple[ProblemType, str]] = {
    DraftBusy: (problems.UPLOAD_BUSY, "Another server is writing this upload. Try again."),
    DigestMismatch: (problems.DIGEST_MISMATCH, "Nothing was stored."),
    FieldAfterFile: (problems.MALFORMED_FORM, "A transform takes one file, and all fields before it."),
    FieldTooLong: (problems.FORM_TOO_COMPLEX, "A field that is no file is too long."),
    FolderInTheWay: (problems.FOLDER_IN_THE_WAY, "A folder has this name, or a file that of a folder above it."),
    FormTooComplex: (problems.FORM_TOO_COMPLEX, "Send fewer parts, or shorter headers."),
    IsFolder: (problems.IS_FOLDER, "This is a folder: its address ends in a slash."),
    InconsistentLength: (problems.INCONSISTENT_LENGTH, "Content-Length and Upload-Length do not agree."),
    JobCancelled: (problems.JOB_CANCELLED, "Somebody has deleted the job."),
    KeyBusy: (problems.KEY_BUSY, "Another write of this file is not over. Try again."),
    LengthMismatch: (problems.INCONSISTENT_LENGTH, "The upload was promised another length, or has more bytes."),
    MalformedForm: (problems.MALFORMED_FORM, "The body is not a whole multipart/form-data."),
    NoSuchJob: (problems.NOT_FOUND, "There is no such job, or no more."),
    NoFileInForm: (problems.MALFORMED_FORM, "The form holds no file."),
    NoRoomForJob: (problems.NO_SPACE, "The disk has no room for this."),
    NoSpace: (problems.NO_SPACE, "The disk has no room for this."),
    NotFound: (problems.NOT_FOUND, "Nothing is stored under this name."),
    OtherFileSystem: (problems.READ_ONLY, "This folder is on another file system than the root: it can be read alone."),
    PreconditionFailed: (problems.PRECONDITION_FAILED, "What is stored is not what the request expects."),
    QueueFull: (problems.TOO_MANY_TRANSFORMS, "Try again in a moment."),
    Replaced: (problems.REPLACED, "Ask for what it is now, and begin again."),
    ReadOnlyStore: (problems.READ_ONLY, "This server is read-only."),
    SpillFull: (problems.NO_SPACE, "The output that waits for you takes more disk than it may."),
    StoreDegraded: (problems.STORAGE_DEGRADED, "The disk failed to keep what it took. Somebody has to look at it."),
    StorageError: (problems.STORAGE_UNAVAILABLE, "The storage failed. Try again later."),
    UploadExpired: (problems.UPLOAD_EXPIRED, "Its bytes are thrown away. Begin again."),
    UploadIsComplete: (problems.UPLOAD_COMPLETE, "All of it has come."),
    UploadTakenOver: (problems.UPLOAD_TAKEN_OVER, "A newer request for the same upload has ended this one."),
}

_TELLING = (
    InvalidKey,
    NotKept,
    TooLarge,
    PromiseExceeded,
    TooManyUploads,
    OffsetMismatch,
    MalformedUpload,
    MediaFault,
    TableFault,
    TransformFailed,
)
"""Errors that carry what the client is told."""

_BAD_PARAMETERS: Mapping[str, str] = {
    "bool_parsing": "it is true or false",
    "greater_than_equal": "it is {ge} or more",
    "int_parsing": "it is a whole number",
    "less_than_equal": "it is {le} or less",
    "literal_error": "it is {expected}",
    "missing": "it is missing",
}
"""What is wrong with a parameter, by pydantic's name for it; of others its own words are told."""


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document, or a page where a person is reading."""
    for kind in (*_TABLE, *_TELLING, ProblemError):
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameter)
    app.add_exception_handler(ClientLeft, _answer_nobody)
    app.add_exception_handler(Exception, _answer_failure)


def answer(request: Request, problem: Problem, headers: Headers = ()) -> Response:
    """A problem as JSON, or as a page for a browser that navigates here."""
    status = problem.type.status
    headers = (*headers, *_in_dialect(request, headers))
    if choose(request.headers.getlist("accept"), ("application/problem+json", "text/html")) == "text/html":
        page = problem_page(status, problem.type.title, problem.detail, root_href(request))
        return _response(status, page.encode(), (*page_headers(), ("cache-control", "no-store"), *headers))
    return _response(status, problem.body(), (*problem.headers(), *headers))


def _response(status: int, body: bytes, headers: Headers) -> Response:
    return Response(body, status, headers={"vary": "accept", **dict(headers), "content-length": str(len(body))})


def _in_dialect(request: Request, headers: Headers) -> Headers:
    """What the protocols of uploads have on each answer: that it speaks of the upload, and not of the file, for one."""
    if "tus-resumable" in request.headers:
        return tus.RESUMABLE
    is_draft = "upload-complete" in request.headers or route_path(request).startswith("/uploads/")
    return (("upload-complete", "?0"),) if is_draft and "upload-complete" not in dict(headers) else ()


def problem_of(error: Exception) -> Problem:
    """The problem that an error of ours is."""
    match error:
        case InvalidKey(reason=reason):
            return Problem(problems.INVALID_KEY, f"{reason[:1].upper()}{reason[1:]}.")
        case TooLarge(max_size=max_size):
            return Problem(problems.TOO_LARGE, f"Files up to {max_size} bytes are taken.", {"max-size": max_size})
        case PromiseExceeded(length=length):
            return Problem(problems.TOO_LARGE, f"The upload was promised {length} bytes.")
        case TooManyUploads(max_uploads=max_uploads):
            return Problem(problems.TOO_MANY_UPLOADS, f"At most {max_uploads} may be open. Finish or cancel some.")
        case OffsetMismatch(expected=expected, given=given):
            offsets = {"expected-offset": expected, "provided-offset": given}
            return Problem(problems.MISMATCHING_OFFSET, f"The upload is at {expected}.", offsets)
        case MalformedUpload():
            return Problem(problems.MALFORMED_UPLOAD, str(error))
        case ProblemError(problem=problem):
            return problem
        case NotKept(is_full=is_full):
            return Problem(*_TABLE[NoSpace if is_full else StoreDegraded])
        case TableFault() | MediaFault():
            return problem_of_fault(error)
        case _:
            kind = next(kind for kind in type(error).__mro__ if kind in _TABLE)
            return Problem(*_TABLE[kind])


async def _answer_error(request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return answer(request, error.problem, error.headers)
    if isinstance(error, IsFolder) and request.method in {"GET", "HEAD"} and _names_a_file(request):
        return RedirectResponse(_folder_href(request, error.key), 307, {"cache-control": "no-store"})
    if isinstance(error, PreconditionFailed) and not _has_preconditions(request):
        error = key_taken(error.key)
        return answer(request, error.problem)
    cause = error.cause if isinstance(error, TransformFailed) else error
    return answer(request, problem_of(cause), _told_with(request, error))


def _told_with(request: Request, error: Exception) -> Headers:
    match error:
        case TransformFailed(job_id=job_id):
            return job_headers(request, job_id)
        case KeyBusy() | DraftBusy() | QueueFull() | MediaBusy():
            return (("retry-after", "1"),)
        case TooManyUploads():
            return (("retry-after", "60"),)
        case OffsetMismatch(expected=expected):
            return (("upload-offset", str(expected)),)
        case TooLarge():
            return (limit(request),)
        case _:
            return ()


def _has_preconditions(request: Request) -> bool:
    """Whether the request's own preconditions are asked: those of a transform would be of what it makes."""
    return not route_path(request).startswith("/transform")


def _folder_href(request: Request, name: str) -> str:
    query = str(request.scope["query_string"], "latin-1")
    return f"{file_href(request, name + '/')}{'?' if query else ''}{query}"


def _names_a_file(request: Request) -> bool:
    return str(getattr(request.scope.get("route"), "path", "")).startswith("/files/")


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    """What the framework refuses: unknown paths, methods that a path does not have."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    methods = allowed_methods(request)
    if request.method == "OPTIONS" and (methods or request.scope["path"] == "*"):
        allow = ", ".join(methods or METHODS)
        told = {"allow": allow, "accept-ranges": "bytes", "cache-control": "no-store", **dict(_offers(request))}
        return Response(status_code=204, headers=told)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"This resource has {', '.join(methods)}."
        return answer(request, Problem(problems.METHOD_NOT_ALLOWED, detail), (("allow", ", ".join(methods)),))
    if status == HTTPStatus.NOT_FOUND:
        return answer(request, Problem(problems.NOT_FOUND, "There is nothing at this address."))
    kind = ProblemType("request-refused", status, problems.REQUEST_REFUSED.title)
    return answer(request, Problem(kind, HTTPStatus(status).phrase))


def _offers(request: Request) -> Headers:
    """Uploads can begin or go on at files, folders and uploads, hence also on the server as a whole."""
    is_place = re.fullmatch("(?s:/(files/.*|uploads(/.*)?))", route_path(request)) or request.scope["path"] == "*"
    return offers(request) if is_place and service_of(request).settings.may_write else ()


async def _answer_bad_parameter(request: Request, error: Exception) -> Response:
    parameter, reason = _fault_of(error.errors()[0]) if isinstance(error, RequestValidationError) else ("", "")
    return answer(request, Problem(problems.BAD_PARAMETER, f"{parameter}: {reason}.", {"parameter": parameter}))


def _fault_of(found: Mapping[str, Any]) -> tuple[str, str]:
    """A parameter and what is wrong with it."""
    told = _BAD_PARAMETERS.get(found["type"], "{msg}")
    return str(found["loc"][-1]), told.format_map({**found, **found.get("ctx", {})})


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)  # never seen: the connection is gone


async def _answer_failure(request: Request, _error: Exception) -> Response:
    return answer(request, Problem(problems.INTERNAL, "This is a fault of the server; it has been logged."))
