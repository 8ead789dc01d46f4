"""`/tables/{key}`: what is in a stored table."""

from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from fileserver.api import openapi
from fileserver.api.requests import key_text, owner_of, root_href
from fileserver.api.responses import CsvTable, JsonDocument, JsonStream, Lines, Made, answers
from fileserver.api.service import service_of
from fileserver.delivery.tables import ProfileOf, SliceFormat, SliceOf, TableView
from fileserver.http import problems
from fileserver.http.negotiation import choose
from fileserver.http.problems import Problem, ProblemError
from fileserver.tables import PARAMETERS, Plan, PlanFault, parse_query
from storage import Key, key_to_read

router = APIRouter(tags=["tables"])

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
"""Rows of a slice at most: making one takes a worker some 50 ms."""

_OURS = frozenset({"limit", "offset", "rows"})
_FORMATS: dict[str, SliceFormat] = {"application/json": "json", "application/x-ndjson": "ndjson", "text/csv": "csv"}
_MADE: dict[str, type[Made]] = {"application/json": JsonStream, "application/x-ndjson": Lines, "text/csv": CsvTable}
_HEADERS = {"cache-control": "private, no-cache", "vary": "accept", "x-content-type-options": "nosniff"}
_ROW = 10**15  # no table has so many
_INPUT = [
    each for each in openapi.PLAN if PARAMETERS[each["name"]].part.startswith("input.") or each["name"] == "columns"
]


@router.get(
    "/tables/{key:key}",
    summary="See what is in a stored table",
    response_class=JsonDocument,
    responses=answers(JsonDocument, Lines, CsvTable),
    openapi_extra={"parameters": [openapi.KEY, *_INPUT]},
)
@router.head("/tables/{key:key}", include_in_schema=False)
async def view(
    request: Request,
    offset: Annotated[int | None, Query(ge=0, le=_ROW)] = None,
    limit: Annotated[int | None, Query(ge=1, le=MAX_PAGE_SIZE)] = None,
    rows: Annotated[int, Field(ge=0, le=_ROW)] | Literal["all"] | None = None,
) -> Response:
    """With `offset` or `limit` some rows, as JSON, NDJSON or CSV by Accept; else the table's profile.

    A profile says how the table is written, and of each column the type that fits its values, how many are missing or
    different, their ends and a few of them. It looks at the first 200,000 rows, or 32 MB; `rows` says how many
    instead, or `all`. Malformed rows are left out
    and counted. How a table is read can be said as for a transform.
    """
    key = key_to_read(key_text(request, "/tables/"))
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in _OURS]
    plan = plan_of(pairs)
    if offset is None and limit is None:
        asked: ProfileOf | SliceOf = ProfileOf(rows)
        media_type = _chosen(request, ("application/json",))
    elif rows is None:
        media_type = _chosen(request, tuple(_FORMATS))
        asked = SliceOf(offset or 0, limit or PAGE_SIZE, _FORMATS[media_type])
    else:
        raise PlanFault("`rows` is of profiles, `offset` and `limit` are of slices", "rows")
    service = service_of(request)

    def next_href(row: int) -> str:
        query = urlencode([*pairs, ("offset", str(row)), ("limit", str(limit or PAGE_SIZE))])
        return f"{_href(request, key)}?{query}"

    made = _MADE[media_type]
    headers = tuple({**_HEADERS, "content-type": made.content_type}.items())
    return made(TableView(service.workshop, service.library, key, owner_of(request), plan, asked, headers, next_href))


def plan_of(pairs: Iterable[tuple[str, str]]) -> Plan:
    """How the table is to be read. Raises PlanFault."""
    given = dict.fromkeys(name for name, _ in pairs)
    known = {each["name"] for each in _INPUT}
    for name in given:
        if name not in known:
            raise PlanFault("only how the table is read can be said here, besides `offset`, `limit` and `rows`", name)
    skipping = () if "on_bad_row" in given else (("on_bad_row", "skip"),)  # one bad row hides no table
    return parse_query([*pairs, *skipping]).plan


def _chosen(request: Request, offers: tuple[str, ...]) -> str:
    chosen = choose(request.headers.getlist("accept"), offers)
    if chosen is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"This comes as {', '.join(offers)}."))
    return chosen


def _href(request: Request, key: Key) -> str:
    return f"{root_href(request)}tables/{quote(key.encode('utf-8', 'surrogateescape'))}"
