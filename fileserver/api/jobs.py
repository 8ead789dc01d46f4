"""`/jobs`: work that takes longer than a moment. What begins it, how it goes, or went, and what it found."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from fileserver.api import openapi
from fileserver.api.job_wishes import BODY, body_of_wish, may_be_asked, task_of, wish_of
from fileserver.api.requests import owner_of, root_href
from fileserver.api.responses import CsvTable, EventStream, JsonDocument, Lines, Made, answers, chosen, live_headers
from fileserver.api.service import service_of
from fileserver.delivery.job_events import event_id, progress
from fileserver.delivery.live import LiveAnswer, framing_of
from fileserver.delivery.long_work import Errand, LongWork, TooManyJobs
from fileserver.delivery.rejects import Form, Rejects
from fileserver.delivery.verifying import COLUMNS
from fileserver.http import problems
from fileserver.http.problems import Headers, Problem, ProblemError
from fileserver.jobs import Json, Record, Work

router = APIRouter(tags=["jobs"])

LastEventId: TypeAlias = Annotated[str | None, Query(description="The id of the last event that the client has seen.")]

_LINES: Mapping[Work, str] = {"transform": "rejects", "verify": "findings"}
"""What a job tells of single rows or files, by its work."""
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_TOO_MANY = Problem(problems.TOO_MANY_JOBS, "Try again in a while.")
_RETRY_AFTER_S = "10"
_ROWS: tuple[type[Made], ...] = (Lines, CsvTable)


@router.post(
    "/jobs",
    summary="Begin a job",
    status_code=202,
    response_class=JsonDocument,
    responses=answers(JsonDocument, status=202, document="Job"),
    openapi_extra=BODY,
)
async def begin(request: Request) -> Response:
    """`verify` reads all files whose keys begin with `prefix` again and compares them with their digests, `hash` learns
    the digests of those that have none, `index` finds out where the rows of a table are. 202: the job is at Location.
    """
    wish = wish_of(await body_of_wish(request))
    may_be_asked(request, wish)
    task = await task_of(service_of(request), long_work_of(request), wish)
    return await accepted(request, Errand(wish.work, wish.asked, owner_of(request), task))


@router.get(
    "/jobs/{job_id}",
    summary="See how a job goes",
    response_class=JsonDocument,
    responses=answers(JsonDocument, document="Job"),
)
@router.head("/jobs/{job_id}", include_in_schema=False)
async def show(request: Request, job_id: str) -> Response:
    """Its state (waiting, running, done, failed, cancelled), the bytes and rows so far, and why it failed."""
    record = await service_of(request).workshop.jobs.find(job_id, owner_of(request))
    return JsonDocument(told_of(request, record), headers=_HEADERS)


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job, or forget it",
    status_code=204,
    response_class=Response,
    responses=answers(JsonDocument, status=202, document="Job"),
)
async def cancel(request: Request, job_id: str) -> Response:
    """202 for a job that goes on: it ends within a second. 204 for one that was over: it is forgotten."""
    record = await service_of(request).workshop.jobs.cancel(job_id, owner_of(request))
    if record.is_over:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    return JsonDocument(told_of(request, record), 202, _HEADERS)


@router.get(
    "/jobs/{job_id}/rejects",
    summary="Fetch the rejected rows",
    response_class=Lines,
    responses=answers(Lines, CsvTable),
)
@router.head("/jobs/{job_id}/rejects", include_in_schema=False)
async def rejects(request: Request, job_id: str) -> Response:
    """As NDJSON or CSV by Accept: physical line and row (from 1), column, reason, and the row as it came.

    The last line of NDJSON is no row: it says how many came before.
    """
    made = chosen(request, _ROWS, "Rejects come")
    path = await service_of(request).workshop.jobs.rejects(job_id, owner_of(request))
    return made(Rejects(path, _form(made), live_headers(made.content_type)))


@router.get(
    "/jobs/{job_id}/findings",
    summary="Fetch what a verification found",
    response_class=Lines,
    responses=answers(Lines, CsvTable),
)
@router.head("/jobs/{job_id}/findings", include_in_schema=False)
async def findings(request: Request, job_id: str) -> Response:
    """The files that are not intact, as NDJSON or CSV by Accept; sizes in bytes, SHA-256 in hexadecimal digits.

    Damaged: the bytes are not those of the recorded digest `expected`. Missing: there is no file. Foreign: it came by
    other ways than the server, and there is nothing to compare it with. The last line of NDJSON is no finding.
    """
    path = await service_of(request).workshop.jobs.findings(job_id, owner_of(request))
    made = chosen(request, _ROWS, "This comes")
    return made(Rejects(path, _form(made), live_headers(made.content_type), COLUMNS))


@router.get(
    "/jobs/{job_id}/events",
    summary="Watch how a job goes",
    response_class=EventStream,
    responses=answers(EventStream, Lines, record="JobRecord")
    | {204: {"description": "The job was over, and the client has seen that."}},
    openapi_extra={"parameters": [openapi.LAST_EVENT_ID]},
)
@router.head("/jobs/{job_id}/events", include_in_schema=False)
async def events(request: Request, job_id: str, last_event_id: LastEventId = None) -> Response:
    """The job as it is and whenever it has changed, until it is over: as server-sent events or NDJSON by Accept.

    Who comes back after the end, with its id as Last-Event-ID, is answered 204: browsers stop at that.
    """
    service = service_of(request)
    jobs = service.workshop.jobs
    record = await jobs.find(job_id, owner_of(request))
    seen = request.headers.get("last-event-id") or last_event_id
    if record.is_over and seen == event_id(record):
        return Response(status_code=204, headers={"cache-control": "no-store"})
    framed = chosen(request, (EventStream, Lines), "This comes")
    source = partial(progress, jobs, record, partial(told_of, request))
    headers = live_headers(framed.content_type)
    return framed(LiveAnswer(headers, framing_of(framed.content_type), source, service.stopping))


def long_work_of(request: Request) -> LongWork:
    """The long work of the application that a request came to."""
    work: LongWork = request.app.state.long_work
    return work


async def accepted(request: Request, errand: Errand, headers: Headers = ()) -> Response:
    """Begin a job; the answer that says where it is. Raises ProblemError."""
    try:
        record = await long_work_of(request).begin(errand)
    except TooManyJobs as error:
        raise ProblemError(_TOO_MANY, (("retry-after", _RETRY_AFTER_S),)) from error
    told = {**_HEADERS, "location": job_href(request, record.id), **dict(headers)}
    return JsonDocument(told_of(request, record), 202, told)


def _form(made: type[Made]) -> Form:
    return "text/csv" if made is CsvTable else "application/x-ndjson"


def job_href(request: Request, job_id: str) -> str:
    """The path of a job, below whatever prefix the application is mounted at."""
    return f"{root_href(request)}jobs/{job_id}"


def job_headers(request: Request, job_id: str) -> Headers:
    """What names the job of an answer."""
    return (("transform-id", job_id), ("link", f'<{job_href(request, job_id)}>; rel="describedby"'))


def told_of(request: Request, record: Record) -> dict[str, Json]:
    """A job as its client sees it; times in UTC (RFC 3339), sizes in bytes, `rate` in bytes a second."""
    href = job_href(request, record.id)
    return {
        "id": record.id,
        "href": href,
        "work": record.work,
        **record.asked,
        "state": record.state,
        "created": _time(record.created_at),
        "changed": _time(record.changed_at),
        "bytes_total": record.bytes_total,
        "bytes_done": record.bytes_done,
        "bytes_out": record.bytes_out,
        "rate": None if record.rate is None else round(record.rate),
        "time_left_s": None if record.time_left_s is None else round(record.time_left_s, 1),
        **record.counts,
        **record.begun,
        "fault": None if record.fault is None else dict(record.fault),
        "saved": [dict(each) for each in record.saved],
        **({_LINES[record.work]: f"{href}/{_LINES[record.work]}"} if record.work in _LINES else {}),
    }


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
