"""What is wrong with the head of an HTTP/1 request beyond its grammar, which the parser holds (RFC 9112 s.2 to s.6)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fileserver.http import problems
from fileserver.http.hosts import host_of
from fileserver.http.problems import Problem

MALFORMED = Problem(problems.MALFORMED_REQUEST, "This is not an HTTP/1.1 request.")
TOO_LARGE = Problem(problems.HEADER_TOO_LARGE, "The header fields are more or longer than this server takes.")
TOO_LONG = Problem(problems.URI_TOO_LONG, "The address is longer than this server takes.")

_FIELD_OVERHEAD = 4  # ": " and CRLF
_SCHEMES = (b"http://", b"https://")


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How much of a head is taken: bytes of the request target, bytes of all fields, number of fields."""

    max_request_line: int
    max_header_size: int
    max_header_fields: int


class MalformedTarget(Exception):
    """A request target of no form that is served."""


def origin_form(target: bytes) -> tuple[bytes, bytes | None]:
    """The path and query of a request target, and the authority of an absolute one (RFC 9112 s.3.2).

    Raises MalformedTarget.

    >>> origin_form(b"/a?b"), origin_form(b"http://files.example?b"), origin_form(b"*")
    ((b'/a?b', None), (b'/?b', b'files.example'), (b'*', None))
    """
    if target.startswith(b"/") or target == b"*":
        return target, None
    scheme = next((each for each in _SCHEMES if target[: len(each)].lower() == each), None)
    if scheme is None:
        raise MalformedTarget
    rest = target[len(scheme) :]
    end = min((place for place in map(rest.find, (b"/", b"?", b"#")) if place >= 0), default=len(rest))
    path = rest[end:]
    return path if path.startswith(b"/") else b"/" + path, rest[:end]


def target_fault(method: bytes) -> Problem:
    """What is wrong with a target that `origin_form` does not know: only CONNECT has such (s.3.2.3)."""
    return Problem(problems.NOT_IMPLEMENTED, "This server is no proxy.") if method == b"CONNECT" else MALFORMED


def head_fault(
    version: str,
    fields: Iterable[tuple[bytes, bytes]],
    *,
    authority: bytes | None,
    allows: Callable[[str], bool],
) -> Problem | None:
    """Why a request is not to be served, or None.

    `fields` have names in lower case. `authority` is that of an absolute target, which then stands for Host. The parser
    has refused what is no token, no field value, no Content-Length, and two ways of framing at once (s.6.3).
    """
    if version not in ("1.0", "1.1"):
        if version == "0.9":
            return MALFORMED
        return Problem(problems.VERSION_NOT_SUPPORTED, "This server speaks HTTP/1.1 and HTTP/1.0.")
    hosts = [value for name, value in fields if name == b"host"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    return _coding_fault(version, codings) or _host_fault(version, hosts, authority, allows)


def _coding_fault(version: str, codings: list[bytes]) -> Problem | None:
    if not codings:
        return None
    if version == "1.0":  # s.6.1: such framing is faulty, whatever is meant by it
        return Problem(problems.MALFORMED_REQUEST, "HTTP/1.0 has no Transfer-Encoding.")
    if len(codings) > 1 or codings[0].strip().lower() != b"chunked":
        return Problem(problems.NOT_IMPLEMENTED, "The only transfer coding here is chunked.")
    return None


def _host_fault(
    version: str, hosts: list[bytes], authority: bytes | None, allows: Callable[[str], bool]
) -> Problem | None:
    if len(hosts) > 1 or (not hosts and version != "1.0"):  # s.3.2
        return Problem(problems.MALFORMED_REQUEST, "A request has one Host.")
    given = hosts if authority is None else (*hosts, authority)
    named = [host_of(each.decode("latin-1").strip(" \t")) for each in given]
    if None in named:
        return Problem(problems.MALFORMED_REQUEST, "Host is not the name of a host.")
    host = named[-1] if named else None  # an absolute target's stands for that of Host (s.3.2.2)
    if host is None or allows(host):
        return None
    return Problem(
        problems.MISDIRECTED, f"This server does not answer to {host}. Its setting allowed_hosts says to whom."
    )


def without_upgrade(method: bytes, target: bytes, version: str, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The bytes of a head, less its wish for another protocol (RFC 9110 s.7.8).

    >>> without_upgrade(b"GET", b"/", "1.1", [(b"host", b"a"), (b"upgrade", b"h2c")])
    b'GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n'
    """
    lines = [b"%b: %b\r\n" % field for field in fields if field[0] != b"upgrade"]
    return b"".join((b"%b %b HTTP/%b\r\n" % (method, target, version.encode()), *lines, b"\r\n"))


def size_fault(target: bytes, fields: list[tuple[bytes, bytes]], limits: HeadLimits) -> Problem | None:
    """Whether a whole head is longer than allowed (RFC 9110 s.15.5.15, RFC 6585 s.5)."""
    if len(target) > limits.max_request_line:
        return TOO_LONG
    size = sum([len(name) + len(value) for name, value in fields]) + _FIELD_OVERHEAD * len(fields)
    return TOO_LARGE if size > limits.max_header_size or len(fields) > limits.max_header_fields else None
