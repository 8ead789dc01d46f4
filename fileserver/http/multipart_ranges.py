"""The body of an answer with several ranges (RFC 9110 s.14.6, RFC 2046 s.5.1)."""

from collections.abc import Iterable

from fileserver.http.ranges import Span


def byteranges(spans: Iterable[Span], size: int, *, content_type: str, boundary: str) -> tuple[bytes | Span, ...]:
    """Part headers and spans in turns, and the end: the length of the body is the sum of their lengths.

    >>> byteranges([range(0, 1)], 9, content_type="text/plain", boundary="B")[0]
    b'--B\\r\\nContent-Type: text/plain\\r\\nContent-Range: bytes 0-0/9\\r\\n\\r\\n'
    """
    pieces: list[bytes | Span] = []
    for span in spans:
        delimiter = f"\r\n--{boundary}" if pieces else f"--{boundary}"
        head = f"{delimiter}\r\nContent-Type: {content_type}\r\nContent-Range: {content_range(span, size)}\r\n\r\n"
        pieces += (head.encode("latin-1"), span)
    return (*pieces, f"\r\n--{boundary}--\r\n".encode())


def content_range(span: Span, size: int) -> str:
    """The Content-Range of a span that is not empty (RFC 9110 s.14.4).

    >>> content_range(range(0, 5), 10)
    'bytes 0-4/10'
    """
    return f"bytes {span.start}-{span.stop - 1}/{size}"
