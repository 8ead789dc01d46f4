"""The head of an answer as it goes over the wire, and how its body is framed (RFC 9112 s.6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE

_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The bytes, and what they promise.

    `length` is that of the body where the head says one. Without one the body comes in chunks, but for HTTP/1.0, which
    does not know them (s.6.1): there it ends with the connection.
    """

    block: bytes
    length: int | None
    is_chunked: bool
    is_close_delimited: bool
    keeps_alive: bool


def response_head(
    status: int, headers: Iterable[tuple[bytes, bytes]], *, method: str, version: str, keeps_alive: bool
) -> ResponseHead:
    """The head of an answer to a request of this method and version. Raises RuntimeError for a malformed field.

    >>> response_head(200, [(b"Vary", b"x")], method="GET", version="1.1", keeps_alive=False).block
    b'HTTP/1.1 200 OK\\r\\nvary: x\\r\\nconnection: close\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n'
    """
    parts = [STATUS_LINE[status]]
    length: int | None = None
    is_chunked = says_close = False
    for given, value in headers:
        name = given.lower()
        if name == b"content-length" and not is_chunked:
            length = int(value)
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            length, is_chunked = None, True
        elif name == b"connection":
            says_close = says_close or b"close" in [token.strip() for token in value.lower().split(b",")]
        parts.append(field_line(name, value))
    if not keeps_alive and not says_close:
        parts.append(b"connection: close\r\n")
    has_body = method != "HEAD" and status not in _WITHOUT_BODY
    has_no_frame = has_body and length is None and not is_chunked
    if has_no_frame and version != "1.0":
        is_chunked = True
        parts.append(b"transfer-encoding: chunked\r\n")
    parts.append(b"\r\n")
    return ResponseHead(
        block=b"".join(parts),
        length=length,
        is_chunked=is_chunked,
        is_close_delimited=has_no_frame and version == "1.0",
        keeps_alive=keeps_alive and not says_close,
    )


@lru_cache(maxsize=4096)
def field_line(name: bytes, value: bytes) -> bytes:
    """A header field with the end of its line. Raises RuntimeError for what is none."""
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    return b"%b: %b\r\n" % (name, value)
