"""Where a file or folder is to come to: Destination, Overwrite and Depth (RFC 4918 s.10)."""

from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from fastapi import Request

from fileserver.api.requests import fields_of
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError

_FILES = "/files/"
_PORTS = {"http": ":80", "https": ":443"}


def destination_of(request: Request) -> str:
    """The key that Destination names, as text: an address of this host, or a path alone (s.10.3).

    Raises ProblemError: 502 for another host (s.9.8.5).
    """
    parts = _split(_text_of(request))
    if parts.netloc and not _is_here(parts, request):
        raise ProblemError(Problem(problems.OTHER_SERVER, "Destination is on another server."))
    path = unquote_to_bytes(parts.path).decode("utf-8", "surrogateescape")
    root: str = request.scope.get("root_path", "")
    if not path.startswith(root + _FILES):
        raise _malformed(f"Destination is not below {root}{_FILES}.")
    return path.removeprefix(root + _FILES)


def may_replace(request: Request) -> bool:
    """Whether Overwrite lets a file be replaced: T where it is not given (s.10.6). Raises ProblemError."""
    told = (fields_of(request).only("overwrite") or "T").strip().upper()
    if told not in {"T", "F"}:
        raise _malformed("Overwrite is T or F.")
    return told == "T"


def is_deep(request: Request) -> bool:
    """Whether what is in a folder is meant too: unless Depth is 0 (s.10.2). Raises ProblemError."""
    told = (fields_of(request).only("depth") or "infinity").strip().lower()
    if told not in {"0", "infinity"}:
        raise _malformed("Depth is 0 or infinity.")
    return told == "infinity"


def _text_of(request: Request) -> str:
    lines = fields_of(request).lines("destination")
    if len(lines) != 1:
        raise _malformed("A request to move or copy has one Destination.")
    return lines[0].strip()


def _split(text: str) -> SplitResult:
    """The parts of an absolute URI, or of an absolute path; names are percent-encoded in both."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _malformed("Destination cannot be read.") from error
    is_uri = parts.scheme in _PORTS and bool(parts.netloc)
    is_path = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    is_plain = text.isascii() and text.isprintable()  # urlsplit leaves tabs out of a name
    if not is_plain or not (is_uri or is_path) or "?" in text or "#" in text:
        raise _malformed("Destination is an address or a path of this server, percent-encoded, without a query.")
    return parts


def _is_here(parts: SplitResult, request: Request) -> bool:
    """The scheme is not compared: a proxy may have taken another one off."""
    port = _PORTS[parts.scheme]
    host = request.headers.get("host", "").lower().removesuffix(port)
    return parts.netloc.lower().removesuffix(port) == host


def _malformed(detail: str) -> ProblemError:
    return ProblemError(Problem(problems.MALFORMED_REQUEST, detail))
