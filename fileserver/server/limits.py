"""What a client may ask of a connection: the settings of the wire, as the protocol class reads them."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from fileserver.http.hosts import AllowedHosts
from fileserver.http.request_head import HeadLimits
from fileserver.settings import Settings

# Where the setting is not said and the server is reached from other machines: a browser opens 6, a download manager 16,
# and a whole office may sit behind one address.
_CONNECTIONS_PER_ADDRESS = 256
# Deadlines are looked at this often, or four times within the shortest of them.
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, rates in bytes per second, times in seconds. None is no limit."""

    head: HeadLimits
    header_timeout_s: float
    min_rate: int
    min_rate_period_s: float
    max_connections: int
    max_connections_per_address: int | None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    allowed_hosts: AllowedHosts
    has_zero_copy: bool

    @property
    def look_s(self) -> float:
        """The time between two looks at a connection."""
        return min(_LOOK_S, self.header_timeout_s / 4, self.min_rate_period_s / 4)

    def is_trusted(self, address: str) -> bool:
        """Whether this is a proxy of ours, behind which many clients stand."""
        return any(ip_address(address) in network for network in self.trusted_proxies)


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings set."""
    return Limits(
        head=HeadLimits(settings.max_request_line, settings.max_header_size, settings.max_header_fields),
        header_timeout_s=settings.header_timeout,
        min_rate=settings.min_rate,
        min_rate_period_s=settings.min_rate_period,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address
        or (None if settings.is_local else _CONNECTIONS_PER_ADDRESS),
        trusted_proxies=_networks(settings.forwarded_allow_ips),
        allowed_hosts=_allowed_hosts(settings),
        has_zero_copy=settings.zero_copy,
    )


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    if text == "*":
        return ip_network("0.0.0.0/0"), ip_network("::/0")
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _allowed_hosts(settings: Settings) -> AllowedHosts:
    if settings.allowed_hosts is not None:
        return AllowedHosts.parse(each.strip() for each in settings.allowed_hosts.split(",") if each.strip())
    is_loopback = settings.is_local and settings.uds is None
    return AllowedHosts.parse([settings.host] if is_loopback else ["*"])
