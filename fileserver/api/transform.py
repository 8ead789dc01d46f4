"""`/transform`: a table in, the transformed table out."""

from functools import partial

from fastapi import APIRouter, Request, Response

from fileserver.api import openapi
from fileserver.api.requests import key_text
from fileserver.api.service import Answer, service_of
from fileserver.delivery.transform import Source, SpillLimits, Transforming, form_file, raw_body, stored_file
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from fileserver.tables import parse_plan
from storage import key_to_read

router = APIRouter(tags=["transform"])

_RAW = frozenset(
    {"", "text/csv", "application/csv", "text/plain", "text/tab-separated-values", "application/octet-stream"}
)


@router.post(
    "/transform",
    summary="Transform the table in the body",
    response_class=Response,
    openapi_extra=openapi.TRANSFORM_BODY,
)
async def transform_body(request: Request) -> Response:
    """The body is the table itself, or a multipart/form-data with it as a file. Nothing is stored.

    The answer begins while the body still arrives.
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return _transformed(request, partial(form_file, content_type=content_type))
    if media_type not in _RAW:
        detail = f"Send the table as text/csv or as a file of a form, not as {media_type}."
        raise ProblemError(
            Problem(problems.UNSUPPORTED_MEDIA_TYPE, detail), (("accept-post", "text/csv, multipart/form-data"),)
        )
    return _transformed(request, raw_body)


@router.get(
    "/transform/{key:key}",
    summary="Transform a stored table",
    response_class=Response,
    openapi_extra=openapi.TRANSFORM_STORED,
)
@router.head("/transform/{key:key}", include_in_schema=False)
async def transform_stored(request: Request) -> Response:
    """The same over a stored file."""
    service = service_of(request)
    key = key_to_read(key_text(request, "/transform/"))
    source = partial(stored_file, library=service.library, key=key, chunk_size=service.settings.chunk_size)
    return _transformed(request, source)


def _transformed(request: Request, source: Source) -> Response:
    service = service_of(request)
    plan = parse_plan(request.query_params.multi_items())
    limits = SpillLimits(None, service.settings.max_spill)
    return Answer(Transforming(plan, source, limits, service.metrics.count_rows))
