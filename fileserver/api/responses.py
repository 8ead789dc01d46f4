"""The answers of our endpoints, each declared once by its media type: what a route says it answers, it answers.

A class is the `response_class` of a route, and `answers` describes a route that chooses among several by Accept.
"""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from fileserver.api.schemas import event_of, reference
from fileserver.api.service import Answer
from fileserver.delivery.asgi import App
from fileserver.http import problems
from fileserver.http.negotiation import choose
from fileserver.http.problems import Problem, ProblemError

_TEXT = {"type": "string"}


class JsonDocument(JSONResponse):
    """JSON escaped down to ASCII: names whose bytes are no UTF-8 survive as lone surrogates."""

    schema: ClassVar[dict[str, str]] = {}

    def render(self, content: object) -> bytes:
        """The document's bytes."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


class HtmlPage(HTMLResponse):
    """A page for a person."""

    schema: ClassVar[dict[str, str]] = _TEXT


class Figures(Response):
    """Prometheus's text exposition format; its version stands in the Content-Type."""

    media_type = "text/plain"
    schema: ClassVar[dict[str, str]] = _TEXT


class Made(Answer):
    """An answer that is made while it is sent, by an ASGI application that sends the headers of `content_type`."""

    content_type: ClassVar[str]
    schema: ClassVar[dict[str, str]] = _TEXT

    def __init__(self, app: App, status_code: int = 200) -> None:  # FastAPI describes the default as the status
        super().__init__(app)
        self.status_code = status_code


class EventStream(Made):
    """Events as they happen (WHATWG HTML s.9.2)."""

    media_type = content_type = "text/event-stream"


class Lines(Made):
    """NDJSON: a JSON text a line, the last of which says that it is the last."""

    media_type = content_type = "application/x-ndjson"


class CsvTable(Made):
    """Rows beneath a header (RFC 4180)."""

    media_type = "text/csv"
    content_type = "text/csv; charset=utf-8; header=present"


class PlainText(Made):
    """Lines of text."""

    media_type = "text/plain"
    content_type = "text/plain; charset=utf-8"


class JsonStream(Made):
    """One JSON document, too long to be made before it is sent."""

    media_type = content_type = "application/json"
    schema = JsonDocument.schema


class TransformedTable(Made):
    """A table in the form that a plan asks for: CSV where it says nothing."""

    media_type = CsvTable.media_type
    content_type = CsvTable.content_type


class HlsPlaylist(Made):
    """A playlist of HTTP Live Streaming (RFC 8216)."""

    media_type = content_type = "application/vnd.apple.mpegurl"


class M3uPlaylist(Made):
    """A playlist that players open."""

    media_type = content_type = "audio/x-mpegurl"


class Mp4Part(Made):
    """A part of an MP4, or all of one (ISO 14496-12)."""

    media_type = content_type = "video/mp4"
    schema: ClassVar[dict[str, str]] = {"type": "string", "format": "binary"}


class WavSound(Made):
    """Samples as they are, behind a short head."""

    media_type = content_type = "audio/wav"
    schema: ClassVar[dict[str, str]] = {"type": "string", "format": "binary"}


class WebPicture(Made):
    """A picture that every browser shows."""

    media_type = content_type = "image/webp"
    schema: ClassVar[dict[str, str]] = {"type": "string", "format": "binary"}


class Picture(Made):
    """A picture of whatever kind it is."""

    media_type = content_type = "image/*"
    schema: ClassVar[dict[str, str]] = {"type": "string", "format": "binary"}


class WebVtt(Made):
    """Subtitles, chapters, or where on a storyboard a moment is (W3C WebVTT)."""

    media_type = "text/vtt"
    content_type = "text/vtt; charset=utf-8"


class FileBytes(Made):
    """A stored file as it is, of whatever type it is."""

    media_type = content_type = "*/*"
    schema: ClassVar[dict[str, str]] = {"type": "string", "format": "binary"}


def chosen(request: Request, kinds: Sequence[type[Made]], what_comes: str) -> type[Made]:
    """The answer that the client likes best. Raises ProblemError, in words that begin so, where it takes none."""
    names = [str(kind.media_type) for kind in kinds]
    name = choose(request.headers.getlist("accept"), names)
    if name is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"{what_comes} as {' or '.join(names)}."))
    return kinds[names.index(name)]


def live_headers(content_type: str) -> tuple[tuple[str, str], ...]:
    """The headers of an answer that goes on for long: kept by nobody, held back by no proxy, chosen by Accept."""
    return (
        ("content-type", content_type),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),  # nginx gathers answers unless it is told not to
        ("accept-ranges", "none"),
        ("x-content-type-options", "nosniff"),
        ("vary", "accept"),
    )


def answers(
    *kinds: type[Response], status: int = 200, document: str | None = None, record: str | None = None
) -> dict[int | str, dict[str, Any]]:
    """What FastAPI's `responses` says of a route that answers in any of these ways.

    `document` and `record` name the schemas of JSON, and of the records of a stream.

    >>> answers(Lines)
    {200: {'content': {'application/x-ndjson': {'schema': {'type': 'string'}}}}}
    """
    return {status: {"content": {str(kind.media_type): _content_of(kind, document, record) for kind in kinds}}}


def _content_of(kind: type[Response], document: str | None, record: str | None) -> dict[str, Any]:
    schema: dict[str, str] = getattr(kind, "schema", _TEXT)
    if document is not None and kind is JsonDocument:
        return {"schema": reference(document)}
    if record is not None and kind is Lines:
        return {"schema": dict(schema), "itemSchema": reference(record)}  # as FastAPI describes its own streams
    if record is not None and kind is EventStream:
        return {"schema": dict(schema), "itemSchema": event_of(record)}
    return {"schema": dict(schema)}
