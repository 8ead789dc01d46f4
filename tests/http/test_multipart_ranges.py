"""Bodies of several ranges, read back by another's parser (RFC 9110 s.14.6)."""

from email.message import Message
from email.parser import BytesParser

import pytest

from fileserver.http.multipart_ranges import byteranges, content_range
from fileserver.http.ranges import Span

FILE = bytes(range(65, 91))


def parts_of(spans: tuple[Span, ...], content_type: str) -> list[Message]:
    body = byteranges(spans, len(FILE), content_type=content_type, boundary="B0")
    sent = b"".join(piece if isinstance(piece, bytes) else FILE[piece.start : piece.stop] for piece in body)
    assert sum(map(len, body)) == len(sent)
    message = BytesParser().parsebytes(b"Content-Type: multipart/byteranges; boundary=B0\r\n\r\n" + sent)
    assert message.is_multipart()
    assert message.epilogue == ""
    return message.get_payload()  # type: ignore[return-value]  # parts, since it is multipart


@pytest.mark.parametrize(
    "spans", [(range(0, 1), range(25, 26)), (range(20, 26), range(0, 5), range(10, 12)), (range(0, 26), range(3, 4))]
)
@pytest.mark.parametrize("content_type", ["text/plain", 'text/plain; charset="utf-8"'])
def test_each_part_says_what_it_is_and_where_it_stands(spans: tuple[Span, ...], content_type: str) -> None:
    assert [
        (part["content-type"], part["content-range"], part.get_payload(decode=True))
        for part in parts_of(spans, content_type)
    ] == [(content_type, content_range(span, len(FILE)), FILE[span.start : span.stop]) for span in spans]


def test_a_large_file_is_described_without_being_touched() -> None:
    size = 1 << 62
    body = byteranges((range(0, size), range(size - 1, size)), size, content_type="video/mp4", boundary="B")
    assert sum(map(len, body)) > size
