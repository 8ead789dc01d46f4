"""`/events`: what happens to the library, as it happens."""

import re
from functools import partial
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from pydantic import WithJsonSchema

from fileserver.api import openapi
from fileserver.api.requests import Flag, file_href, query_text
from fileserver.api.responses import EventStream, Lines, Made, answers, chosen, live_headers
from fileserver.api.schemas import KINDS
from fileserver.api.service import service_of
from fileserver.delivery.feed import Feed, Wanted
from fileserver.delivery.live import LiveAnswer, framing_of
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from storage import ChangeKind, Extent

router = APIRouter(tags=["events"])

_OFFERS: tuple[type[Made], ...] = (EventStream, Lines)
_NUMBER = re.compile(r"[0-9]{1,18}")  # what SQLite counts to


@router.get(
    "/events",
    summary="Watch what happens to the files",
    response_class=EventStream,
    responses=answers(*_OFFERS, record="ChangeRecord"),
    openapi_extra={"parameters": [openapi.LAST_EVENT_ID]},
)
@router.head("/events", include_in_schema=False)
async def events(
    request: Request,
    prefix: Annotated[str, Query(description="Only changes of keys that begin so; a folder ends in `/`.")] = "",
    kind: Annotated[
        list[str] | None,
        Query(description="Only these kinds; several may also stand in one, with commas."),
        WithJsonSchema(KINDS),
    ] = None,
    last_event_id: Annotated[
        str | None, Query(description="The number of the last change that the client has seen; 0: all that are kept.")
    ] = None,
    follow: Annotated[Flag, Query(description="False: the answer ends with what there is.")] = True,
) -> Made:
    """Every change as server-sent events or NDJSON by Accept, from now on or after Last-Event-ID.

    `prefix` and `kind` (several, or with commas between them) say which changes; without `follow` the answer ends with
    what there is. Who asks for what is not kept any more is sent a `reset`: look at the files anew, and go on.
    """
    framed = chosen(request, _OFFERS, "Events come")
    service = service_of(request)
    changes = service.library.changes
    extent = await changes.extent()
    after, reset_to = _start(_asked(request, last_event_id), extent)
    wanted = Wanted(query_text(request, "prefix", prefix), _kinds(kind or []))
    feed = Feed(changes, wanted, partial(file_href, request), after, reset_to, None if follow else extent.newest)
    headers = live_headers(framed.content_type)
    return framed(LiveAnswer(headers, framing_of(framed.content_type), feed.batches, service.stopping, str(after)))


def _asked(request: Request, parameter: str | None) -> int | None:
    """The last number that the client has seen; -1 where it is none of ours.

    A browser that comes back says it in the header, while its address still has the first. Raises ProblemError.
    """
    header = request.headers.get("last-event-id")
    if header:
        return int(header) if _NUMBER.fullmatch(header) else -1
    if parameter is None:
        return None
    if not _NUMBER.fullmatch(parameter):
        raise _bad("last_event_id", "it is the number of a change")
    return int(parameter)


def _start(asked: int | None, extent: Extent) -> tuple[int, int | None]:
    """The number to go on after, and the same again where the client has to be told that it missed something."""
    if asked == 0:
        return extent.pruned, None  # all that is kept
    if asked is None:
        return extent.newest, None
    return (asked, None) if extent.reaches(asked) else (extent.newest, extent.newest)


def _kinds(values: list[str]) -> frozenset[str]:
    """Raises ProblemError."""
    kinds = frozenset(kind for value in values for kind in value.split(",") if kind)
    if unknown := kinds - set(get_args(ChangeKind)):
        raise _bad("kind", f"there is no kind {min(unknown)}, but {', '.join(get_args(ChangeKind))}")
    return kinds


def _bad(parameter: str, why: str) -> ProblemError:
    return ProblemError(Problem(problems.BAD_PARAMETER, f"{parameter}: {why}.", {"parameter": parameter}))
