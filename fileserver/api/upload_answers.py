"""What clients are told of uploads: where they are, how far they are, what the server offers."""

import math
import time

from fastapi import Request

from fileserver.api.requests import root_href
from fileserver.api.service import service_of
from fileserver.api.upload_terms import terms_of
from fileserver.http import problems, resumable, tus
from fileserver.http.hosts import is_machine
from fileserver.http.problems import Headers, Problem, ProblemError
from fileserver.http.upload_state import UploadState
from storage import OpenUpload

_PASSED_ON = frozenset({"origin", "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"})
NO_STORE = {"cache-control": "no-store"}


def upload_href(request: Request, upload_id: str) -> str:
    """The path of an upload, below whatever prefix the application is mounted at."""
    return f"{root_href(request)}uploads/{upload_id}"


def upload_url(request: Request, upload_id: str) -> str:
    """The address of an upload for clients of tus, some of which cannot follow a path.

    It is whole only where it is surely ours: a name may be that of a proxy, which speaks TLS where we do not.
    """
    path, authority = upload_href(request, upload_id), request.headers.get("host", "")
    is_ours = is_machine(authority) and _PASSED_ON.isdisjoint(request.headers.keys())
    return f"{request.scope['scheme']}://{authority}{path}" if is_ours else path


def state_of(opened: OpenUpload) -> UploadState:
    """An upload as a client may see it."""
    terms = terms_of(opened.upload.terms)
    is_complete = opened.upload.is_complete
    return UploadState(
        offset=opened.offset,
        length=opened.upload.length,
        is_complete=is_complete,
        expires_at_s=math.ceil(opened.expires_at_s),
        metadata=terms.metadata,
        concat=terms.concat,
    )


def limit(request: Request, state: UploadState | None = None) -> tuple[str, str]:
    """Upload-Limit of an upload, or of those to come."""
    settings = service_of(request).settings
    age_s = settings.upload_lifetime if state is None else state.expires_at_s - time.time()
    return "upload-limit", resumable.limit(settings.max_size, max(0, int(age_s)))


def offers(request: Request) -> Headers:
    """What OPTIONS tells of a place where uploads can begin, or go on."""
    return (
        *tus.offers(service_of(request).settings.max_size),
        limit(request),
        ("accept-patch", f"{tus.CHUNK_TYPE}, {resumable.PART_TYPE}"),
    )


def unsupported(media_type: str) -> ProblemError:
    """The bytes of an upload come as one media type."""
    problem = Problem(problems.UNSUPPORTED_MEDIA_TYPE, f"Send the bytes as {media_type}.")
    return ProblemError(problem, (("accept-patch", media_type),))
