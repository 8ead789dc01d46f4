"""How many connections a client address has to one server."""

from collections import Counter
from ipaddress import IPv6Address, ip_address
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

_HOST_BITS = 64  # of an IPv6 address belong to one customer, who may use them all

_crowds: WeakKeyDictionary[ServerState, Counter[str]] = WeakKeyDictionary()


def come(server: ServerState, address: str) -> int:
    """Count a connection more; how many there are from this place with it."""
    crowd = _crowds.setdefault(server, Counter())
    crowd[place_of(address)] += 1
    return crowd[place_of(address)]


def go(server: ServerState, address: str) -> None:
    """Count a connection less."""
    crowd, place = _crowds[server], place_of(address)
    crowd[place] -= 1
    if not crowd[place]:
        del crowd[place]


def place_of(address: str) -> str:
    """What is counted as one address.

    >>> place_of("203.0.113.7"), place_of("2001:db8::1:2:3:4"), place_of("::ffff:203.0.113.7")
    ('203.0.113.7', '2001:db8::', '203.0.113.7')
    """
    if ":" not in address:
        return address
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS))
    return str(getattr(parsed, "ipv4_mapped", parsed))
