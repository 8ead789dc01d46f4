"""Where a server of ours has what, as the URL of anything on it tells. Pure."""

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

_KEPT = "surrogateescape"  # a name that is no UTF-8 stays what it is (PEP 383)


@dataclass(frozen=True, slots=True)
class Place:
    """A server, with what it may be mounted at but no slash at the end; and a key there, or how keys begin."""

    server: str
    prefix: str

    def url(self, path: str, *parameters: tuple[str, str]) -> str:
        """Of something else on this server.

        >>> Place("http://h", "").url("/events", ("prefix", "a b/"))
        'http://h/events?prefix=a%20b/'
        """
        query = urlencode(parameters, safe="/", errors=_KEPT, quote_via=quote)
        return f"{self.server}{path}{query and '?'}{query}"


def place_of(url: str) -> Place:
    """What a URL names: something beneath `/files/`, or a whole server.

    >>> place_of("http://h/files/a%20b/"), place_of("http://h/app/files")
    (Place(server='http://h', prefix='a b/'), Place(server='http://h/app', prefix=''))
    """
    parts = urlsplit(url)
    above, is_beneath, key = parts.path.partition("/files/")
    above = above if is_beneath else parts.path.removesuffix("/files")
    server = urlunsplit((parts.scheme, parts.netloc, above.rstrip("/"), "", ""))
    return Place(server, unquote(key, errors=_KEPT))
