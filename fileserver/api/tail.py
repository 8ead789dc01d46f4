"""`/files/{key}?tail`: the end of a file, and what is added to it."""

from fastapi import Request, Response

from fileserver.api.responses import EventStream, FileBytes, Lines, live_headers
from fileserver.api.service import service_of
from fileserver.delivery.live import framing_of
from fileserver.delivery.tail import Following
from fileserver.http import problems
from fileserver.http.negotiation import choose
from fileserver.http.problems import Problem, ProblemError
from fileserver.http.tails import Amount, Position, parse_amount, parse_position
from storage import Key

_RAW = ("text/plain", "application/octet-stream")
_KINDS = {kind.content_type: kind for kind in (Lines, EventStream)}
_OFFERS = (*_RAW, *_KINDS)


async def answer_tail(
    request: Request, key: Key, text: str, last_event_id: str | None, *, follow: bool | None
) -> Response:
    """A file's end by `tail`, or from where a client was: as its bytes, as NDJSON or as SSE, by Accept.

    It goes on with what is appended, unless `follow` is false. Raises ProblemError.
    """
    if follow:  # which means a file that is being uploaded: nobody can mean both
        raise _bad("follow", "a tail goes on by itself, and only `follow=false` goes with it")
    asked = _asked(request, text, last_event_id)
    chosen = choose(request.headers.getlist("accept"), _OFFERS)
    if chosen is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"A tail comes as {', '.join(_OFFERS)}."))
    kind = _KINDS.get(chosen)
    framing = None if kind is None else framing_of(kind.content_type)
    service = service_of(request)
    is_following = follow is None
    following = Following(service.library, key, asked, framing, live_headers, service.stopping, is_following)
    return (kind or FileBytes)(following)


def must_have_no_tail(text: str | None) -> None:
    """Refuse a `tail` of what is no file. Raises ProblemError."""
    if text is not None:
        raise _bad("tail", "a folder has none, only a file")


def _asked(request: Request, text: str, last_event_id: str | None) -> Amount | Position:
    """The header is newer than the address, which an EventSource asks again as it was when it began."""
    amount = parse_amount(text)
    last_id = request.headers.get("last-event-id") or last_event_id
    return parse_position(last_id) if last_id else amount


def _bad(parameter: str, why: str) -> ProblemError:
    return ProblemError(Problem(problems.BAD_PARAMETER, f"{parameter}: {why}.", {"parameter": parameter}))
