"""How the values of settings are written, which of them make sense, and how a setting looks to people."""

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import BeforeValidator, ByteSize, TypeAdapter

KIB = 1024
MIB = 1024**2
GIB = 1024**3
DAY_S = 86400
# No promise is made for longer, and no date that is so far off overflows.
DECADE_S = 3652 * DAY_S

# scheme, host and port as a browser writes them in Origin (RFC 6454 s.6.2): lower case, no path.
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}

_SIZE = TypeAdapter(ByteSize)


@dataclass(frozen=True, slots=True)
class Shown:
    """How a setting looks to people: the kind or unit of its value, its default if None, its own flags."""

    value: str
    default: str | None = None
    flag: str | None = None


def size(value: object) -> object:
    """A text with a unit as bytes; all else as it is."""
    return _SIZE.validate_python(value) if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(size)]
"""Bytes, also written as 500MB or 10GiB."""


def unlimited(value: object) -> object:
    """None for `unlimited`."""
    return None if value == "unlimited" else value


def off(value: object) -> object:
    """None for `off`."""
    return None if value == "off" else value


def prefix(value: str) -> str:
    """A path without a slash at its end. Raises ValueError for one that does not start with a slash."""
    path = value.rstrip("/")
    if path and not path.startswith("/"):
        raise ValueError("a prefix starts with /")
    return path


def addresses(value: str) -> str:
    """Addresses and networks, or `*`. Raises ValueError for what is neither."""
    for part in value.split(",") if value.strip() not in ("", "*") else ():
        ip_network(part.strip(), strict=False)
    return value.strip()


def origins(value: str | None) -> str | None:
    """Origins as browsers write them, or `*`; None for none. Raises ValueError for what no browser would send.

    `null` is refused: every sandboxed frame and every local page has this origin, whoever made it.

    >>> origins("https://Photos.example:443, http://localhost:3000")
    'https://photos.example,http://localhost:3000'
    """
    parts = [part.strip() for part in (value or "").split(",") if part.strip()]
    return ",".join(part if part == "*" else _origin(part) for part in parts) or None


def _origin(text: str) -> str:
    found = _ORIGIN.fullmatch(text.lower())
    if found is None:
        raise ValueError("an origin is a scheme, a host and perhaps a port, as https://photos.example")
    is_default = found["port"] in (None, _DEFAULT_PORTS.get(found["scheme"]))
    return f"{found['scheme']}://{found['host']}" + ("" if is_default else f":{found['port']}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "files.example")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
