"""One line for each finished request: a JSON object in pure ASCII, whatever the client put into its request.

Nothing a client sends can end a line, move a cursor or turn the direction of text, neither in the log nor in the values
once they are decoded: what is not printable ASCII is escaped twice. Secrets in a query are left out.
"""

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote_plus

from fileserver.delivery.asgi import Scope

Side: TypeAlias = Literal["client", "server"]

log = logging.getLogger("fileserver.access")

REDACTED = "[redacted]"

# Longer ones are cut. Even if each character of them were a quotation mark, which JSON doubles, a line would be shorter
# than the 4096 bytes that a pipe takes in one piece (PIPE_BUF), so that lines of several processes do not mix.
_LONGEST_PATH = 1024
_LONGEST_QUERY = 512
_LONGEST_HEADER = 160

# Parts of parameter names, so that X-Amz-Signature, access_token and apikey are found; better one too many.
_SECRET = re.compile(r"token|sig|key|secret|passw|credential|auth|code", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one finished request.

    `status` is the one sent. A request that ended without an answer has 499 when its client left, else the 500 that
    servers send then. `aborted` says which side ended it early, and None when the answer went out whole.
    """

    scope: Scope
    started_at: float
    """Seconds since the epoch."""
    status: int
    bytes_in: int
    bytes_out: int
    ttfb_s: float | None
    duration_s: float
    aborted: Side | None


def write_access_line(seen: Observation) -> None:
    """Log a finished request."""
    log.info("%s", access_line(seen))


def access_line(seen: Observation) -> str:
    """The line, without its end. Times are UTC and milliseconds, sizes are bytes of bodies."""
    client = seen.scope.get("client")
    return json.dumps(
        {
            "time": datetime.fromtimestamp(seen.started_at, UTC).isoformat(timespec="milliseconds"),
            "client": _plain(client[0]) if client else None,
            "method": _plain(str(seen.scope["method"])),
            "path": path(seen.scope),
            "query": query(seen.scope),
            "status": seen.status,
            "bytes_in": seen.bytes_in,
            "bytes_out": seen.bytes_out,
            "range": _header(seen, b"range"),
            "ttfb_ms": None if seen.ttfb_s is None else round(seen.ttfb_s * 1000, 3),
            "duration_ms": round(seen.duration_s * 1000, 3),
            "aborted": seen.aborted,
            "user_agent": _header(seen, b"user-agent"),
        }
    )


def path(scope: Scope) -> str:
    """What was asked for, percent-encoded as it came; of an address that is its own key, the beginning."""
    for secret in ("uploads", "jobs"):
        prefix = f"{scope.get('root_path', '')}/{secret}/"
        if scope["path"].startswith(prefix):
            its_id = scope["path"].removeprefix(prefix)
            return f"{quote(prefix)}{_plain(its_id[:8])}{REDACTED}"[:_LONGEST_PATH]
    raw = scope.get("raw_path")
    return (quote(scope["path"]) if raw is None else _plain(raw.decode("latin-1")))[:_LONGEST_PATH]


def query(scope: Scope) -> str | None:
    """The query as it came, secrets left out; None without one."""
    return redact(_plain(scope["query_string"].decode("latin-1")))[:_LONGEST_QUERY] or None


def redact(text: str) -> str:
    """The query without the values of parameters that look like secrets.

    >>> redact("download&X-Amz-Signature=0a1b&select=name")
    'download&X-Amz-Signature=[redacted]&select=name'
    """
    return "&".join(map(_redact_one, text.split("&")))


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The first header of this lower-case name."""
    return next((value.decode("latin-1") for each, value in headers if each.lower() == name), None)


def _redact_one(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return f"{name}={REDACTED}" if equals and value and _SECRET.search(unquote_plus(name)) else parameter


def _header(seen: Observation, name: bytes) -> str | None:
    value = header(seen.scope["headers"], name)
    return None if value is None else _plain(value)[:_LONGEST_HEADER]


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
