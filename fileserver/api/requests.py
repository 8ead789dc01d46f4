"""What a request says, before any route acts on it: its key, its right to write, the promises it makes of its body."""

from urllib.parse import quote, unquote_to_bytes

from fastapi import Request
from starlette.convertors import Convertor, register_url_convertor

from fileserver.api.service import service_of
from fileserver.delivery.upload import Promise
from fileserver.http import problems
from fileserver.http.digests import MalformedDigest, parse_digests
from fileserver.http.fields import Fields
from fileserver.http.problems import Problem, ProblemError


class _KeyConvertor(Convertor[str]):
    """Any text at all in a path template: Starlette's own `path` stops at a line feed, which a file's name may hold."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("key", _KeyConvertor())

_SAME_SITE = frozenset({"same-origin", "none"})
_HASHES = {"sha-256": "sha256", "sha-512": "sha512"}


def fields_of(request: Request) -> Fields:
    """The request's header fields."""
    return Fields.from_asgi(request.scope["headers"])


def key_text(request: Request, prefix: str) -> str:
    """What follows the route's prefix in the path; bytes that are no UTF-8 are kept as lone surrogates (PEP 383).

    The decoded path of ASGI has lost them, so the raw path is decoded here.
    """
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path = unquote_to_bytes(raw.partition(b"?")[0]).decode("utf-8", "surrogateescape")
    return path.removeprefix(request.scope.get("root_path", "") + prefix)


def root_href(request: Request) -> str:
    """The path that the application is mounted at, with a `/` at its end."""
    return quote(request.scope.get("root_path", "")) + "/"


def file_href(request: Request, key: str) -> str:
    """The path of a stored file or folder on this server, below whatever prefix the application is mounted at."""
    return f"{root_href(request)}files/{quote(key.encode('utf-8', 'surrogateescape'))}"


def must_be_writable(request: Request) -> None:
    """Refuse to change anything on a read-only server, or at another site's instigation.

    Browsers say where a request comes from by Sec-Fetch-Site (W3C Fetch Metadata), or at least by Origin.
    """
    if not service_of(request).settings.may_write:
        raise ProblemError(Problem(problems.READ_ONLY, "This server is read-only."))
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    is_foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host")
    if site not in _SAME_SITE or is_foreign:
        raise ProblemError(Problem(problems.CROSS_SITE, "Another site may not change files here."))


def promise_of(request: Request) -> Promise:
    """What the client says of the body: its length, and the digests to check it against (RFC 9530).

    Raises ProblemError: too large, malformed digest, or a part of a file where only whole ones are taken (RFC 9110
    s.14.5).
    """
    fields = fields_of(request)
    if fields.lines("content-range"):
        raise ProblemError(Problem(problems.CONTENT_RANGE_NOT_SUPPORTED, "Send the whole file: parts are not taken."))
    max_size = service_of(request).settings.max_size
    length = fields.only("content-length")
    if length is not None and max_size is not None and int(length) > max_size:
        raise ProblemError(Problem(problems.TOO_LARGE, f"Files up to {max_size} bytes are taken."))
    return Promise(None if length is None else int(length), max_size, _digests(fields))


def _digests(fields: Fields) -> dict[str, bytes]:
    promised: dict[str, bytes] = {}
    for name in ("content-digest", "repr-digest"):
        try:
            found = parse_digests(fields.lines(name))
        except MalformedDigest as error:
            raise ProblemError(Problem(problems.MALFORMED_DIGEST, f"{name} cannot be read.")) from error
        for algorithm, digest in found.items():
            if promised.setdefault(_HASHES[algorithm], digest) != digest:
                raise ProblemError(Problem(problems.DIGEST_MISMATCH, "Content-Digest and Repr-Digest differ."))
    return promised
