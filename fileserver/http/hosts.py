"""Who a request is addressed to: the authority in Host or in an absolute target (RFC 9110 s.7.2, RFC 3986 s.3.2)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address, ip_address
from typing import Self

# reg-name and IPv4address (RFC 3986 s.3.2.2) with an optional port; an IP-literal goes by the second form.
_NAMED = re.compile(r"(?P<host>(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::(?P<port>[0-9]{0,5}))?")
_LITERAL = re.compile(r"\[(?P<host>[0-9A-Fa-f:.]+)\](?::(?P<port>[0-9]{0,5}))?")
_HIGHEST_PORT = 65535


@lru_cache(maxsize=1024)
def host_of(authority: str) -> str | None:
    """The host of an authority in lower case, IPv6 without its brackets; None where the text is no authority.

    User names are refused: they have no meaning in HTTP and have hidden the real host from many a reader (RFC 9110
    s.4.2.4).

    >>> [host_of(text) for text in ("Files.Example:8000", "[::1]:80", "127.0.0.1", "a b", "me@host", "h:99999", "")]
    ['files.example', '::1', '127.0.0.1', None, None, None, None]
    """
    if found := _NAMED.fullmatch(authority):
        return found["host"].lower() if _is_port(found["port"]) else None
    found = _LITERAL.fullmatch(authority)
    if found is None or not _is_port(found["port"]):
        return None
    try:
        return str(IPv6Address(found["host"]))
    except AddressValueError:
        return None


def is_machine(authority: str) -> bool:
    """Whether an authority is an IP address or `localhost`, and no name that others may answer to as well.

    >>> [is_machine(text) for text in ("127.0.0.1:8000", "[::1]", "localhost", "files.example", "")]
    [True, True, True, False, False]
    """
    host = host_of(authority)
    if host is None or host == "localhost":
        return host is not None
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_port(text: str | None) -> bool:
    return not text or int(text) <= _HIGHEST_PORT


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The names that the server answers to.

    A page of another site may give its own name this machine's address and then read our answers as its own (DNS
    rebinding); its requests still carry its name. An address cannot be rebound, nor can `localhost`, so these always
    pass.

    >>> hosts = AllowedHosts.parse(("files.example", "*.cdn.example"))
    >>> [hosts.allows(name) for name in ("files.example", "a.cdn.example", "cdn.example", "10.0.0.1", "a.localhost")]
    [True, True, False, True, True]
    """

    names: frozenset[str]
    suffixes: tuple[str, ...]
    is_any: bool

    @classmethod
    def parse(cls, patterns: Iterable[str]) -> Self:
        """Names, `*.example.com` for all names below one, `*` for any."""
        wanted = [pattern.lower().rstrip(".") for pattern in patterns]
        return cls(
            names=frozenset(each for each in wanted if not each.startswith("*")),
            suffixes=(".localhost", *(each[1:] for each in wanted if each.startswith("*."))),
            is_any="*" in wanted,
        )

    def allows(self, host: str) -> bool:
        """Whether a host, as `host_of` gives it, may be served."""
        name = host.rstrip(".")
        if self.is_any or name in self.names or name == "localhost" or name.endswith(self.suffixes):
            return True
        return _is_address(name)


@lru_cache(maxsize=1024)
def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
