"""What a request says, before any route acts on it: its key, its right to write, the promises it makes of its body."""

from collections.abc import Mapping
from email.message import EmailMessage
from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from fastapi import Request
from pydantic import BeforeValidator
from starlette.convertors import Convertor, register_url_convertor

from fileserver.api.service import service_of
from fileserver.delivery.asgi import body_of
from fileserver.delivery.upload import Promise
from fileserver.http import problems
from fileserver.http.digests import MalformedDigest, parse_content_md5, parse_digests
from fileserver.http.fields import Fields
from fileserver.http.origins import parse_origins
from fileserver.http.problems import Problem, ProblemError
from storage import TooLarge


class _KeyConvertor(Convertor[str]):
    """Any text at all in a path template: Starlette's own `path` stops at a line feed, which a file's name may hold."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _NumberConvertor(Convertor[int]):
    """A number in a path template. Starlette's own takes digits without end, which Python refuses to read."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("key", _KeyConvertor())
register_url_convertor("number", _NumberConvertor())

Flag: TypeAlias = Annotated[bool, BeforeValidator(lambda text: text == "" or text)]
"""A parameter that is true where it stands alone, as in `?recursive`."""

_SAME_SITE = frozenset({"same-origin", "none"})
_HASHES = {"sha-256": "sha256", "sha-512": "sha512"}


def fields_of(request: Request) -> Fields:
    """The request's header fields."""
    return Fields.from_asgi(request.scope["headers"])


def key_text(request: Request, prefix: str) -> str:
    """What follows the route's prefix in the path; bytes that are no UTF-8 are kept as lone surrogates (PEP 383).

    The decoded path of ASGI has lost them, so the raw path is decoded here.
    """
    return route_path(request).removeprefix(prefix)


def route_path(request: Request) -> str:
    """The path below the prefix that the application is mounted at, decoded as keys are."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path = unquote_to_bytes(raw.partition(b"?")[0]).decode("utf-8", "surrogateescape")
    return path.removeprefix(request.scope.get("root_path", ""))


def query_text(request: Request, name: str, default: str = "") -> str:
    """A parameter that is a key, or a part of one, decoded as keys are; the last one where it is given twice.

    The framework's own reading has lost the bytes that are no UTF-8.
    """
    query: str = request.scope["query_string"].decode("utf-8", "surrogateescape")
    return dict(parse_qsl(query, keep_blank_values=True, errors="surrogateescape")).get(name, default)


def root_href(request: Request) -> str:
    """The path that the application is mounted at, with a `/` at its end."""
    return quote(request.scope.get("root_path", "")) + "/"


def file_href(request: Request, key: str) -> str:
    """The path of a stored file or folder on this server, below whatever prefix the application is mounted at."""
    return f"{root_href(request)}files/{quote(key.encode('utf-8', 'surrogateescape'))}"


def must_be_writable(request: Request) -> None:
    """Refuse to change anything on a read-only server, or at another site's instigation."""
    if not service_of(request).settings.may_write:
        raise ProblemError(Problem(problems.READ_ONLY, "This server is read-only."))
    must_be_of_this_site(request)


def must_be_of_this_site(request: Request) -> None:
    """Refuse what another site instigates.

    Browsers say where a request comes from by Sec-Fetch-Site (W3C Fetch Metadata), or at least by Origin. Pages of
    allowed origins may, though Sec-Fetch-Site calls them cross-site.
    """
    origin = request.headers.get("origin")
    if parse_origins(service_of(request).settings.allowed_origins).allows(origin):
        return
    site = request.headers.get("sec-fetch-site", "same-origin")
    is_foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host")
    if site not in _SAME_SITE or is_foreign:
        raise ProblemError(Problem(problems.CROSS_SITE, "Another site may not do this here."))


def promise_of(request: Request) -> Promise:
    """What the client says of the body: its length, and the digests to check it against (RFC 9530).

    Raises TooLarge, and ProblemError for a malformed digest.
    """
    fields = fields_of(request)
    max_size = service_of(request).settings.max_size
    length = content_size(fields)
    if length is not None and max_size is not None and length > max_size:
        raise TooLarge(max_size)
    return Promise(length, max_size, merged(content_digests(fields), repr_digests(fields)))


def media_type_of(request: Request) -> str:
    """The media type of the body in lower case, without its parameters (RFC 9110 s.8.3.1)."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def media_parameters_of(request: Request) -> Mapping[str, str]:
    """The parameters of the body's media type, by their names in lower case (RFC 9110 s.5.6.6, s.8.3.1)."""
    message = EmailMessage()
    message["content-type"] = request.headers.get("content-type", "")
    return {name.lower(): value for name, value in message["content-type"].params.items()}


def must_be_whole(fields: Fields) -> None:
    """Raises ProblemError for a part of a file, where only whole ones are taken (RFC 9110 s.14.5)."""
    if fields.lines("content-range"):
        raise ProblemError(Problem(problems.CONTENT_RANGE_NOT_SUPPORTED, "Send the whole file: parts are not taken."))


async def json_body(request: Request, what: str, max_size: int) -> bytes:
    """The whole body, which is `what` as JSON. Raises ProblemError unless it is that by name, and no larger."""
    if media_type_of(request) != "application/json":
        detail = f"Send {what} as application/json."
        accepted = (("accept-post", "application/json"),) if request.method == "POST" else ()
        raise ProblemError(Problem(problems.UNSUPPORTED_MEDIA_TYPE, detail), accepted)
    too_large = ProblemError(Problem(problems.TOO_LARGE, f"It has at most {max_size} bytes."))
    if (content_size(fields_of(request)) or 0) > max_size:
        raise too_large
    body = bytearray()
    async for chunk in body_of(request.receive):
        body += chunk
        if len(body) > max_size:
            raise too_large
    return bytes(body)


def content_size(fields: Fields) -> int | None:
    """The size of the body, where the client says it; a request that says nothing of a body has none.

    RFC 9112 s.6.3, rule 7.
    """
    length = fields.only("content-length")
    if length is None:
        return None if fields.lines("transfer-encoding") else 0
    return int(length)


def content_digests(fields: Fields) -> dict[str, bytes]:
    """The digests that the body has to have, by names of `hashlib`. Raises ProblemError."""
    return merged(_digests(fields, "content-digest"), _content_md5(fields))


def repr_digests(fields: Fields) -> dict[str, bytes]:
    """The digests that the whole file has to have, by names of `hashlib`. Raises ProblemError."""
    return _digests(fields, "repr-digest")


def merged(some: dict[str, bytes], others: dict[str, bytes]) -> dict[str, bytes]:
    """Digests of the same bytes from two fields. Raises ProblemError where they differ."""
    if any(others.get(name, digest) != digest for name, digest in some.items()):
        raise ProblemError(Problem(problems.DIGEST_MISMATCH, "The digests of the request differ."))
    return some | others


def _digests(fields: Fields, name: str) -> dict[str, bytes]:
    try:
        found = parse_digests(fields.lines(name))
    except MalformedDigest as error:
        raise ProblemError(Problem(problems.MALFORMED_DIGEST, f"{name} cannot be read.")) from error
    return {_HASHES[algorithm]: digest for algorithm, digest in found.items()}


def _content_md5(fields: Fields) -> dict[str, bytes]:
    try:
        return {"md5": parse_content_md5(", ".join(lines))} if (lines := fields.lines("content-md5")) else {}
    except MalformedDigest as error:
        raise ProblemError(Problem(problems.MALFORMED_DIGEST, "Content-MD5 cannot be read.")) from error


def owner_of(request: Request) -> str:
    """Who makes a request, by what an application that embeds this one found out; empty for anyone.

    The identity of Starlette's authentication (`scope["user"]`).
    """
    user = request.scope.get("user")
    return str(user.identity) if user is not None and user.is_authenticated else ""
