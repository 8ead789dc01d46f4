"""Decide, then send: the whole answer to GET and HEAD of a file as one plain value (RFC 9110 s.13 to s.15)."""

from dataclasses import dataclass
from functools import lru_cache

from fileserver.http import problems
from fileserver.http.conditions import Validators, Verdict, evaluate, if_range_holds
from fileserver.http.dates import format_http_date
from fileserver.http.digests import format_digest, wants
from fileserver.http.disposition import content_disposition
from fileserver.http.entity_tags import EntityTag
from fileserver.http.fields import Fields
from fileserver.http.media_types import serve_as
from fileserver.http.multipart_ranges import byteranges, content_range
from fileserver.http.problems import Problem
from fileserver.http.ranges import Parts, Span, Unsatisfiable, Whole, select

# The fields of a request that its answer depends on.
_THAT_MATTER = frozenset(
    {"range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "want-repr-digest"}
)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Representation:
    """What HTTP needs to know of a file; `sha256` where it is known."""

    size: int
    etag: EntityTag
    modified_ns: int
    media_type: str | None
    name: str
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer: literal bytes and spans of the file, in their order. Nothing follows for HEAD and 304."""

    status: int
    headers: Headers
    body: tuple[bytes | Span, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    fields: Fields
    file: Representation
    attachment: str | None
    cache_control: str
    boundary: str
    modified_s: int


def decide(
    method: str,
    fields: Fields,
    representation: Representation,
    *,
    now_s: int,
    attachment: str | None,
    cache_control: str,
    boundary: str,
) -> Decision:
    """The answer to a GET or HEAD.

    `attachment`: None leaves to the media type whether a browser saves the file, empty text makes it save under the
    stored name, other text under that name. `boundary` separates the parts of several ranges.
    """
    modified_s = min(representation.modified_ns // 1_000_000_000, now_s)  # never later than the answer (s.8.8.2.1)
    if fields.has_none(_THAT_MATTER):
        return _plain(method, representation, attachment, cache_control, modified_s)
    question = _Question(method, fields, representation, attachment, cache_control, boundary, modified_s)
    validators = Validators(representation.etag, representation.modified_ns // 1_000_000_000)
    match evaluate(method, fields, validators, now_s=now_s):
        case Verdict.NOT_MODIFIED:
            return Decision(304, _always(question), ())
        case Verdict.PRECONDITION_FAILED:
            problem = Problem(problems.PRECONDITION_FAILED, "The file is not the version that was asked for.")
            return _refusal(question, problem, ())
        case Verdict.PROCEED:
            pass
    size = representation.size
    if method != "GET" or not if_range_holds(fields, validators, now_s=now_s):
        return _whole(question)  # Range is defined for GET alone (s.14.2)
    match select(fields.lines("range"), size):
        case Unsatisfiable():
            problem = Problem(problems.RANGE_NOT_SATISFIABLE, f"The file has {size} bytes.", {"size": size})
            return _refusal(question, problem, (("content-range", f"bytes */{size}"), ("accept-ranges", "bytes")))
        case Parts((span,)):
            return _single(question, span)
        case Parts(spans):
            return _several(question, spans)
        case Whole():
            return _whole(question)


@lru_cache(maxsize=1024)
def _plain(method: str, file: Representation, attachment: str | None, cache_control: str, modified_s: int) -> Decision:
    """The answer to a request that asks for nothing in particular: the same for each."""
    return _whole(_Question(method, Fields(), file, attachment, cache_control, "", modified_s))


def _whole(question: _Question) -> Decision:
    size = question.file.size
    headers = (*_always(question), *_described(question), _content_type(question), ("content-length", str(size)))
    has_body = question.method != "HEAD" and size > 0
    return Decision(200, headers, (range(size),) if has_body else ())


def _single(question: _Question, span: Span) -> Decision:
    placed = (("content-range", content_range(span, question.file.size)), ("content-length", str(len(span))))
    return Decision(206, (*_always(question), *_described(question), _content_type(question), *placed), (span,))


def _several(question: _Question, spans: tuple[Span, ...]) -> Decision:
    _, content_type = _content_type(question)
    body = byteranges(spans, question.file.size, content_type=content_type, boundary=question.boundary)
    headers = (
        *_always(question),
        *_described(question),
        ("content-type", f"multipart/byteranges; boundary={question.boundary}"),
        ("content-length", str(sum(map(len, body)))),
    )
    return Decision(206, headers, body)


def _refusal(question: _Question, problem: Problem, headers: Headers) -> Decision:
    body = () if question.method == "HEAD" else (problem.body(),)
    return Decision(problem.type.status, (*problem.headers(), *headers), body)


def _always(question: _Question) -> Headers:
    """What 200, 206 and 304 share (s.15.3.7, s.15.4.5)."""
    return (
        ("etag", str(question.file.etag)),
        ("cache-control", question.cache_control),
        ("vary", "want-repr-digest"),
    )


def _described(question: _Question) -> Headers:
    file = question.file
    served = serve_as(file.media_type)
    is_inline = question.attachment is None and served.is_inline
    headers: Headers = (
        ("last-modified", format_http_date(question.modified_s)),
        ("accept-ranges", "bytes"),
        (
            "content-disposition",
            content_disposition("inline" if is_inline else "attachment", question.attachment or file.name),
        ),
        *served.security_headers(),
    )
    if file.sha256 is not None and wants(question.fields.lines("want-repr-digest"), "sha-256"):
        headers += (("repr-digest", format_digest("sha-256", file.sha256)),)
    return headers


def _content_type(question: _Question) -> tuple[str, str]:
    return "content-type", serve_as(question.file.media_type).content_type
