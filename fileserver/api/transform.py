"""`/transform`: a table in, the transformed table out."""

from collections.abc import Iterator
from functools import partial

from fastapi import APIRouter, Request, Response

from fileserver.api import openapi
from fileserver.api.jobs import accepted, job_href
from fileserver.api.requests import (
    content_digests,
    content_size,
    fields_of,
    file_href,
    key_text,
    media_parameters_of,
    media_type_of,
    merged,
    must_be_whole,
    owner_of,
    promise_of,
    repr_digests,
)
from fileserver.api.responses import TransformedTable
from fileserver.api.service import Answer, service_of
from fileserver.api.transform_wishes import Wish, joins_of, prefers_async, wish_of
from fileserver.delivery.asgi import body_of
from fileserver.delivery.exchange import TransformRequest
from fileserver.delivery.long_work import Errand
from fileserver.delivery.stored_later import StoredLater
from fileserver.delivery.table_sources import Source, begun_form, form_table, raw_table, stored_table
from fileserver.delivery.transform import StoringResult, Transforming
from fileserver.delivery.upload import Promise
from fileserver.delivery.workshop import Keep
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from fileserver.tables import MAX_PLAN_SIZE, PlanFault
from storage import Key, TooLarge, key_to_read, name_of

router = APIRouter(tags=["transform"])

_FORM = "multipart/form-data"
_RAW = frozenset(
    {"", "text/csv", "application/csv", "text/plain", "text/tab-separated-values", "application/octet-stream"}
)
_CODINGS = {"": "", "identity": "", "gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}
"""Content codings that a worker can undo, by their names (RFC 9110 s.8.4.1)."""


@router.post(
    "/transform",
    summary="Transform the table in the body",
    response_class=TransformedTable,
    openapi_extra=openapi.TRANSFORM_BODY,
)
async def transform_body(request: Request) -> Response:
    """The body is the table itself, or a multipart/form-data with it as a file; gzip and zstd are undone.

    The answer begins while the body still arrives. Nothing is stored unless `save` names a key for the table, or
    `save_result` one for its transformation; `replace=true` lets them replace a file.
    """
    media_type, coding = media_type_of(request), _coding(request)
    must_be_whole(fields_of(request))
    if media_type == _FORM:
        return await _transform_form(request, coding)
    if media_type not in _RAW:
        raise _unsupported(f"Send the table as text/csv or as a file of a form, not as {media_type}.")
    wish = await wish_of(request, [*request.query_params.multi_items(), *_told_by_media_type(request)])
    fields = fields_of(request)
    digests = {} if wish.save else merged(content_digests(fields), repr_digests(fields))
    source = partial(raw_table, length=content_size(fields), digests=digests)
    promise = promise_of(request) if wish.save else None
    return _answer(request, wish, source, coding=coding, promise=promise)


@router.get(
    "/transform/{key:key}",
    summary="Transform a stored table",
    response_class=TransformedTable,
    openapi_extra=openapi.TRANSFORM_STORED,
)
@router.head("/transform/{key:key}", include_in_schema=False)
async def transform_stored(request: Request) -> Response:
    """The same over a stored file."""
    return await _transform_stored(request, request.query_params.multi_items())


@router.post(
    "/transform/{key:key}",
    summary="Transform a stored table by a plan in JSON",
    response_class=TransformedTable,
    openapi_extra=openapi.TRANSFORM_STORED_BY_PLAN,
)
async def transform_stored_by_plan(request: Request) -> Response:
    """The body is the plan, or empty where the query says it.

    With `Prefer: respond-async` and `save_result` the answer is 202 with the job's address, and nobody has to wait.
    """
    pairs = request.query_params.multi_items()
    body = await _plan_text(request)
    if body:
        if media_type_of(request) != "application/json":
            raise _unsupported("Send the plan as application/json.", accepted="application/json")
        pairs.append(("plan", body))
    return await _transform_stored(request, pairs)


async def _transform_form(request: Request, coding: str) -> Response:
    if coding:
        raise _unsupported("A form comes as it is: compress the file in it, or send it alone.")
    digests = content_digests(fields_of(request))
    form = await begun_form(request.receive, request.headers.get("content-type", ""), digests=digests)
    try:
        given = [(name, value) for name, value in form.fields if value]  # browsers send fields that nobody filled in
        wish = await wish_of(request, [*request.query_params.multi_items(), *given])
        promise = Promise(None, service_of(request).settings.max_size, {})
        return _answer(request, wish, partial(form_table, form=form), name=form.filename, promise=promise)
    except BaseException:
        await form.events.aclose()
        raise


async def _transform_stored(request: Request, pairs: list[tuple[str, str]]) -> Response:
    key = key_to_read(key_text(request, "/transform/"))
    wish = await wish_of(request, pairs)
    if wish.save is not None:
        raise PlanFault("the table is stored already", "save")
    source = partial(stored_table, library=service_of(request).library, key=key)
    if request.method == "POST" and prefers_async(fields_of(request).lines("prefer")):
        return await _answer_before_the_end(request, wish, source, key)
    return _answer(request, wish, source, name=name_of(key), key=key)


async def _answer_before_the_end(request: Request, wish: Wish, source: Source, key: Key) -> Response:
    """Begin a transform that goes on without the client (RFC 7240 s.4.1). Raises PlanFault, NotFound, IsFolder."""
    if wish.save_result is None:
        raise PlanFault(
            "an answer before the end leaves nowhere to send the result: say where to store it", "save_result"
        )
    service = service_of(request)
    async with service.library.open(key):
        asked = _asked(request, wish, source, name=name_of(key), key=key)
    task = StoredLater(
        service.workshop, service.library, asked, wish.save_result, wish.condition, service.settings.max_size
    )
    errand = Errand("transform", asked.told, asked.owner, task)
    return await accepted(request, errand, (("preference-applied", "respond-async"),))


def _answer(
    request: Request,
    wish: Wish,
    source: Source,
    *,
    coding: str = "",
    name: str | None = None,
    promise: Promise | None = None,
    key: Key | None = None,
) -> Response:
    service = service_of(request)
    asked = _asked(request, wish, source, coding=coding, name=name, promise=promise, key=key)
    if wish.save_result is None:
        return TransformedTable(Transforming(service.workshop, service.library, asked))
    href, max_size = partial(file_href, request), service.settings.max_size
    return Answer(
        StoringResult(service.workshop, service.library, asked, wish.save_result, wish.condition, max_size, href)
    )


def _asked(
    request: Request,
    wish: Wish,
    source: Source,
    *,
    coding: str = "",
    name: str | None = None,
    promise: Promise | None = None,
    key: Key | None = None,
) -> TransformRequest:
    service = service_of(request)
    if wish.save is not None and coding:
        raise PlanFault("a table that comes compressed cannot be stored as it is meant", "save")
    keep = Keep(service.library, wish.save, wish.condition, promise) if wish.save and promise else None
    return TransformRequest(
        asked=wish.asked,
        source=source,
        joins=joins_of(wish.asked.plan),
        owner=owner_of(request),
        job_href=partial(job_href, request),
        on_end=service.metrics.count_transform,
        content_encoding=coding,
        name=name,
        download=wish.download,
        keep=keep,
        told={name: str(told) for name, told in (("key", key), ("save_result", wish.save_result)) if told is not None},
    )


def _told_by_media_type(request: Request) -> Iterator[tuple[str, str]]:
    """What the parameters of text/csv say of the table, as parameters of a query that does not (RFC 4180 s.3)."""
    asked, told = request.query_params, media_parameters_of(request)
    if "plan" in asked:
        return
    if "encoding" not in asked and (charset := told.get("charset")):
        yield "encoding", charset
    if "header" not in asked and (header := told.get("header")) in ("present", "absent"):
        yield "header", "true" if header == "present" else "false"


async def _plan_text(request: Request) -> str:
    """The body as text. Raises TooLarge."""
    body = bytearray()
    async for chunk in body_of(request.receive):
        body += chunk
        if len(body) > MAX_PLAN_SIZE:
            raise TooLarge(MAX_PLAN_SIZE)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise PlanFault("the plan is no text in UTF-8", "plan") from error


def _coding(request: Request) -> str:
    """The content coding of the body. Raises ProblemError for one that is not known here."""
    given = ",".join(fields_of(request).lines("content-encoding")).strip().lower()
    if given not in _CODINGS:
        raise _unsupported(
            f"The content coding {given} is not known here.", header="accept-encoding", accepted="gzip, zstd"
        )
    return _CODINGS[given]


def _unsupported(detail: str, *, header: str = "accept-post", accepted: str = f"text/csv, {_FORM}") -> ProblemError:
    return ProblemError(Problem(problems.UNSUPPORTED_MEDIA_TYPE, detail), ((header, accepted),))
