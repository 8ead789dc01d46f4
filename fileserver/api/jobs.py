"""`/jobs/{id}`: how a transform goes, or went, and the rows it rejected."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from fileserver.api.requests import owner_of, root_href
from fileserver.api.service import Answer, json_answer, service_of
from fileserver.delivery.rejects import Form, Rejects
from fileserver.http import problems
from fileserver.http.negotiation import choose
from fileserver.http.problems import Headers, Problem, ProblemError
from fileserver.jobs import Json, Record

router = APIRouter(tags=["jobs"])

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_FORMS: tuple[Form, ...] = ("application/x-ndjson", "text/csv")


@router.get("/jobs/{job_id}", summary="See how a job goes", response_class=Response)
@router.head("/jobs/{job_id}", include_in_schema=False)
async def show(request: Request, job_id: str) -> Response:
    """Its state (waiting, running, done, failed, cancelled), the bytes and rows so far, and why it failed."""
    record = await service_of(request).workshop.jobs.find(job_id, owner_of(request))
    return json_answer(told_of(request, record), _HEADERS)


@router.delete("/jobs/{job_id}", summary="Cancel a job, or forget it", status_code=204, response_class=Response)
async def cancel(request: Request, job_id: str) -> Response:
    """202 for a job that goes on: it ends within a second. 204 for one that was over: it is forgotten."""
    record = await service_of(request).workshop.jobs.cancel(job_id, owner_of(request))
    if record.is_over:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    return json_answer(told_of(request, record), _HEADERS, status=202)


@router.get("/jobs/{job_id}/rejects", summary="Fetch the rejected rows", response_class=Response)
@router.head("/jobs/{job_id}/rejects", include_in_schema=False)
async def rejects(request: Request, job_id: str) -> Response:
    """As NDJSON or CSV by Accept: physical line and row (from 1), column, reason, and the row as it came."""
    form = next((each for each in _FORMS if each == choose(request.headers.getlist("accept"), _FORMS)), None)
    if form is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"Rejects come as {' or '.join(_FORMS)}."))
    path = await service_of(request).workshop.jobs.rejects(job_id, owner_of(request))
    content_type = f"{form}; charset=utf-8; header=present" if form == "text/csv" else form
    headers = {**_HEADERS, "content-type": content_type, "accept-ranges": "none", "vary": "accept"}
    return Answer(Rejects(path, form, tuple(headers.items())))


def job_href(request: Request, job_id: str) -> str:
    """The path of a job, below whatever prefix the application is mounted at."""
    return f"{root_href(request)}jobs/{job_id}"


def job_headers(request: Request, job_id: str) -> Headers:
    """What names the job of an answer."""
    return (("transform-id", job_id), ("link", f'<{job_href(request, job_id)}>; rel="describedby"'))


def told_of(request: Request, record: Record) -> dict[str, Json]:
    """A job as its client sees it; times in UTC (RFC 3339), sizes in bytes."""
    href = job_href(request, record.id)
    return {
        "id": record.id,
        "href": href,
        "state": record.state,
        "created": _time(record.created_at),
        "changed": _time(record.changed_at),
        "bytes_total": record.bytes_total,
        "bytes_out": record.bytes_out,
        **record.counts,
        **record.begun,
        "fault": None if record.fault is None else dict(record.fault),
        "saved": [dict(each) for each in record.saved],
        "rejects": f"{href}/rejects",
    }


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
