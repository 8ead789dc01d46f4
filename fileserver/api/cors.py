"""Pages of other origins: what their browsers are told, so that they hand our answers over (Fetch, "CORS protocol").

Starlette's CORSMiddleware is not used: it answers refusals as plain text, refuses an empty list of request headers,
and knows nothing of Cross-Origin-Resource-Policy. Which methods and headers a page may use is not decided here: the
browser compares them with our lists, and tells the page's author which one is missing.

Credentials are never asked for (no Access-Control-Allow-Credentials): a page's own token goes in Authorization.
"""

from fastapi import Request, Response
from starlette.datastructures import Headers

from fileserver.api import errors
from fileserver.delivery.asgi import App, Message, Receive, Scope, Send
from fileserver.http import problems
from fileserver.http.origins import AllowedOrigins
from fileserver.http.problems import Problem

_METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "MOVE", "COPY", "MKCOL", "OPTIONS")

_REQUEST_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Content-Digest",
    "Content-Disposition",
    "Content-MD5",
    "Content-Type",
    "Depth",
    "Destination",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Last-Event-ID",
    "Overwrite",
    "Prefer",
    "Range",
    "Repr-Digest",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Complete",
    "Upload-Concat",
    "Upload-Defer-Length",
    "Upload-Draft-Interop-Version",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "Want-Repr-Digest",
    "X-HTTP-Method-Override",
    "X-Request-ID",
    "X-Requested-With",
)

# Beyond the seven that a page may always read, Content-Length, Content-Type and Last-Modified among them.
_RESPONSE_HEADERS = (
    "Accept-Patch",
    "Accept-Post",
    "Accept-Ranges",
    "Allow",
    "Content-Disposition",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "Repr-Digest",
    "Retry-After",
    "Tail-Offset",
    "Transform-Encoding",
    "Transform-Id",
    "Transform-Plan",
    "Transform-Rows-In",
    "Transform-Rows-Out",
    "Transform-Rows-Rejected",
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Complete",
    "Upload-Concat",
    "Upload-Defer-Length",
    "Upload-Draft-Interop-Version",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Limit",
    "Upload-Metadata",
    "Upload-Offset",
)

# The longest that Chromium keeps it. It is kept for one address: each file, each upload is asked for anew.
_PREFLIGHT_MAX_AGE_S = 7200

_PREFLIGHT = {
    "access-control-allow-methods": ", ".join(_METHODS),
    "access-control-allow-headers": ", ".join(_REQUEST_HEADERS),
    "access-control-max-age": str(_PREFLIGHT_MAX_AGE_S),
    "cache-control": "no-store",
}

_Lines = tuple[tuple[bytes, bytes], ...]

_EXPOSED = (b"access-control-expose-headers", ", ".join(_RESPONSE_HEADERS).encode())
# A cache keeps answers to different origins apart, and those without one ("CORS protocol and HTTP caches").
_VARY = (b"vary", b"origin")
_TO_ANYONE: _Lines = ((b"access-control-allow-origin", b"*"), _EXPOSED)

_OWN_PAGES_ALONE = (b"cross-origin-resource-policy", b"same-origin")
_ANY_PAGE = (b"cross-origin-resource-policy", b"cross-origin")


class AllowPagesOf:
    """Middleware that lets pages of these origins read every answer, and answers what browsers ask beforehand."""

    def __init__(self, app: App, *, origins: AllowedOrigins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the grant to the head of the answer, whatever it is; nothing else is looked at."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fields = Headers(scope=scope)
        grant = self._grant(fields.get("origin"))

        async def send_granted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*self._opened(message.get("headers", ())), *grant]}
            await send(message)

        if _is_preflight(scope, fields):
            await self._permission(Request(scope), fields)(scope, receive, send_granted)
        else:
            await self._app(scope, receive, send_granted)

    def _grant(self, origin: str | None) -> _Lines:
        """With `*` one answer does for all: it may be cached once, and needs no Origin."""
        if self._origins.is_any:
            return _TO_ANYONE
        if origin is None or not self._origins.allows(origin):
            return (_VARY,)
        return ((b"access-control-allow-origin", origin.encode("latin-1")), _EXPOSED, _VARY)

    def _opened(self, lines: _Lines) -> _Lines:
        """With `*` pages may also show what they cannot read: an `<img>` without `crossorigin` names no origin."""
        if not self._origins.is_any:
            return lines
        return tuple(_ANY_PAGE if tuple(line) == _OWN_PAGES_ALONE else line for line in lines)

    def _permission(self, request: Request, fields: Headers) -> Response:
        """A browser that gets no 2xx does not send what it asked for ("CORS-preflight fetch")."""
        if not self._origins.allows(fields.get("origin")):
            detail = "Pages of this origin may not use this server."
        elif "access-control-request-private-network" in fields:
            detail = "A page of a public site may not use a server of a private network."
        else:
            return Response(status_code=204, headers=_PREFLIGHT)
        return errors.answer(request, Problem(problems.CROSS_SITE, detail))


def _is_preflight(scope: Scope, fields: Headers) -> bool:
    """An OPTIONS without these is somebody's own question."""
    return scope["method"] == "OPTIONS" and "origin" in fields and "access-control-request-method" in fields
