"""`/media/{key}/progress`: where somebody has stopped in a film or book, to go on from there on another machine.

Whose position it is says the application that embeds this server; where nobody knows who asks, all share one. It is
nothing of the library's own, so that a read-only server keeps it too, as long as it runs.
"""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fileserver.api import openapi
from fileserver.api.requests import json_body, must_be_of_this_site, owner_of
from fileserver.api.responses import JsonDocument
from fileserver.api.service import service_of
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from storage import Key, NewPosition, Positions

MAX_BODY = 4096
"""Bytes: three short members, however they are written."""
MAX_TIME_S = 1e8
"""Three years: longer than anything that plays."""

_Seconds = Annotated[float, Field(ge=0, le=MAX_TIME_S, allow_inf_nan=False)]


class Progress(BaseModel):
    """Where somebody is in a file, how long it is (both in seconds), and whether they have come to its end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    position: _Seconds
    duration: _Seconds | None = None
    finished: bool = False


BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Progress.model_json_schema()}}}
}
REFUSALS = openapi.problem_responses(
    problems.CROSS_SITE, problems.MALFORMED_REQUEST, problems.NOT_FOUND, problems.UNSUPPORTED_MEDIA_TYPE
)
"""Of `PUT`, as the description has it."""


async def read_progress(request: Request, key: Key) -> Response:
    """Where whoever asks is in a stored file: at its beginning where nobody has told. Raises NotFound, IsFolder."""
    position = await _positions(request).get(key, owner_of(request))
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return JsonDocument(position.told(), headers=headers)


async def write_progress(request: Request, key: Key) -> Response:
    """Keep where whoever asks is in a stored file. Raises NotFound, IsFolder, and ProblemError for what is no such."""
    must_be_of_this_site(request)
    progress = _progress_of(await json_body(request, "the position", MAX_BODY))
    new = NewPosition(progress.position, progress.duration, progress.finished)
    await _positions(request).keep(key, owner_of(request), new)
    return Response(status_code=204, headers={"cache-control": "no-store"})


def _progress_of(body: bytes) -> Progress:
    try:
        return Progress.model_validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] in (("position",), ("duration",), ("finished",)) else ""
        named = {"field": field} if field else {}
        detail = "Send a JSON object with `position`, and `duration` and `finished` where they are known."
        raise ProblemError(Problem(problems.MALFORMED_REQUEST, detail, named)) from error


def _positions(request: Request) -> Positions:
    return service_of(request).library.positions
