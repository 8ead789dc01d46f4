"""The one place where the client touches the network: urllib3's errors become ours here, and redirects are followed.

The fields that a person gives (`--header`, a password in the URL) go to the origin of the URL they were given for, and
to no other that a redirect or a Location names.
"""

import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import BaseHTTPResponse, HTTPHeaderDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError, SSLError

from fileserver.client.digest import BLOCK_SIZE
from fileserver.client.errors import Broken, ClientError, Failed, Refused, Unreachable
from fileserver.client.retries import retry_after_s
from fileserver.client.urls import flaw
from fileserver.http.digests import MalformedDigest, parse_digests

Body = bytes | Iterable[memoryview]

_CONNECTING_S = 15
_SILENCE_S = 60  # a server may hash and sync a large file before it answers; what it forgot to say is asked again
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PASSING = frozenset({408, 423, 425, 429, 500, 502, 503, 504})
"""Statuses that may be others the next time: the rest of 4xx and 5xx is final."""
_SMALL = 64 * 1024  # of an answer that is not a file; more is not read
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer whose body is small, or not wanted."""

    status: int
    fields: HTTPHeaderDict
    body: bytes
    url: str
    """Who answered, after redirects."""


class Incoming:
    """An answer whose body is still to come. Whoever opened it closes it."""

    def __init__(self, response: BaseHTTPResponse, url: str) -> None:
        self._response = response
        self.status = response.status
        self.fields = response.headers
        self.url = url

    @property
    def size(self) -> int | None:
        """Bytes of the body, where its head tells."""
        length = self.fields.get("content-length", "")
        return int(length) if length.isdecimal() and not self.is_chunked else None

    @property
    def is_chunked(self) -> bool:
        """Whether the body says itself where it ends."""
        return "chunked" in self.fields.get("transfer-encoding", "").lower()

    def blocks(self, at_most: int | None = None) -> Iterator[bytes]:
        """The body's bytes as they come, `at_most` so many. Raises Broken where they end before the body should."""
        rest = at_most
        while rest != 0:
            with _translated():
                block = self._response.read1(
                    BLOCK_SIZE if rest is None else min(BLOCK_SIZE, rest), decode_content=False
                )
            if not block:
                if rest is not None:
                    raise Broken("the answer ended early")
                return
            rest = None if rest is None else rest - len(block)
            yield block

    def answer(self) -> Answer:
        """The whole of an answer that is no file."""
        body = b""
        with suppress(HTTPError):  # its status is known all the same
            body = self._response.read(_SMALL, decode_content=False)
        return Answer(self.status, self.fields, body, self.url)

    def close(self) -> None:
        """Keep the connection for the next request where the body was read to its end; else end it."""
        if self._response.length_remaining != 0:
            self._response.close()
        else:
            self.answer()  # http.client takes an empty body for unread until somebody reads it
        self._response.release_conn()

    def interrupt(self) -> None:
        """End the reading of another thread."""
        with suppress(ValueError, OSError, HTTPError):  # it has ended by itself
            self._response.shutdown()


class Web:
    """Connections for one URL that a person gave, and for where it leads; may be shared by threads."""

    def __init__(self, home: str, fields: Iterable[tuple[str, str]] = (), *, connections: int = 4) -> None:
        self.home, credentials = _without_credentials(home)
        self._own = HTTPHeaderDict([*credentials.items(), *fields])
        self._connections = connections
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._is_answered = False
        self._agent = f"fileserver/{version('fileserver')}"

    def ask(self, method: str, url: str, fields: Mapping[str, str] = _NOTHING, *, body: Body = b"") -> Answer:
        """The answer to a request, whatever its status; GET, HEAD and OPTIONS follow redirects. Raises Broken, Failed.

        A body that is no bytes needs a Content-Length among the fields.
        """
        incoming = self._follow(method, url, fields) if method in _SAFE else self._once(method, url, fields, body)
        try:
            return incoming.answer()
        finally:
            incoming.close()

    def open(self, url: str, fields: Mapping[str, str] = _NOTHING) -> Incoming:
        """The answer to a GET, its body unread. Raises Broken, Failed."""
        return self._follow("GET", url, fields)

    def _follow(self, method: str, url: str, fields: Mapping[str, str]) -> Incoming:
        seen = {url}
        for _ in range(_MOST_REDIRECTS + 1):
            incoming = self._once(method, url, fields, None)
            location = incoming.fields.get("location")
            if incoming.status not in _REDIRECTS or location is None:
                return incoming
            incoming.answer()  # what is read to its end leaves the connection to the next request
            incoming.close()
            url = _led(url, location)
            if url in seen:
                raise Failed(f"the server redirects in a circle, by {url}")
            seen.add(url)
        raise Failed(f"more than {_MOST_REDIRECTS} redirects")

    def _once(self, method: str, url: str, fields: Mapping[str, str], body: Body | None) -> Incoming:
        if (wrong := flaw(url)) is not None:
            raise Failed(wrong)
        with _translated(first_url=None if self._is_answered else url):
            response = self._pool(url).urlopen(
                method,
                url,
                body=body,
                headers=self._fields(url, fields),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        self._is_answered = True
        return Incoming(response, url)

    def _fields(self, url: str, fields: Mapping[str, str]) -> HTTPHeaderDict:
        all_fields = HTTPHeaderDict({"User-Agent": self._agent, "Accept-Encoding": "identity"})
        if _is_home(urlsplit(self.home), urlsplit(url)):
            for name in self._own:
                all_fields[name] = self._own[name]
        for name, value in fields.items():
            all_fields[name] = value
        return all_fields

    def _pool(self, url: str) -> urllib3.PoolManager:
        proxy = _proxy(urlsplit(url))
        if proxy not in self._pools:
            self._pools[proxy] = self._new_pool(proxy)
        return self._pools[proxy]

    def _new_pool(self, proxy: str) -> urllib3.PoolManager:
        timeout = urllib3.Timeout(connect=_CONNECTING_S, read=_SILENCE_S)
        if not proxy:
            return urllib3.PoolManager(maxsize=self._connections, blocksize=BLOCK_SIZE, timeout=timeout)
        where, credentials = _without_credentials(proxy)
        fields = {f"Proxy-{name}": value for name, value in credentials.items()}
        return urllib3.ProxyManager(
            where, maxsize=self._connections, blocksize=BLOCK_SIZE, timeout=timeout, proxy_headers=fields
        )


def refusal(answer: Answer) -> Broken | Refused:
    """The error that a status means, with the server's own words where it has some."""
    words = f"the server answers {answer.status}{_reason(answer)}"
    if answer.status in _PASSING:
        wait_s = retry_after_s(answer.fields.get("retry-after"))
        return Broken(words, retry_after_s=wait_s, status=answer.status)
    if answer.status in _REDIRECTS:
        words = f"the server redirects to {answer.fields.get('location')}: give that URL"
    return Refused(words, status=answer.status)


def told_digests(fields: HTTPHeaderDict) -> dict[str, bytes]:
    """The digests of the whole file that a server tells; none where it says them badly."""
    try:
        return parse_digests(fields.getlist("repr-digest"))
    except MalformedDigest:
        return {}


def asked_digests(web: Web, url: str, fields: Mapping[str, str] = _NOTHING) -> dict[str, bytes]:
    """The digests that a server tells of what stands at a URL, when it is asked; none where it would not say."""
    try:
        answer = web.ask("HEAD", url, {"Want-Repr-Digest": "sha-256=10", **fields})
    except ClientError:
        return {}
    return told_digests(answer.fields) if answer.status < 300 else {}


@contextmanager
def _translated(*, first_url: str | None = None) -> Iterator[None]:
    try:
        yield
    except LocationValueError as error:
        raise Failed(str(error)) from error
    except (HTTPError, OSError) as error:
        if isinstance(error, SSLError) and isinstance(_root(error), ssl.SSLCertVerificationError):
            raise Failed(f"the server's certificate is not to be trusted: {_root(error)}") from error
        if first_url is not None and isinstance(error, NewConnectionError | ConnectTimeoutError):
            raise Unreachable(f"nothing answers at {_origin(first_url)} ({_said(_root(error))})") from error
        raise Broken(_words(error)) from error


def _root(error: BaseException) -> BaseException:
    """What an error began with."""
    below = error.__cause__ or error.__context__
    return error if below is None else _root(below)


def _words(error: BaseException) -> str:
    root = _root(error)
    if isinstance(root, http.client.IncompleteRead):  # urllib3's own is a child of it
        return "the answer ended early"
    return f"the connection failed: {_said(root)}"


def _said(root: BaseException) -> str:
    """What the system says of an error."""
    return (root.strerror if isinstance(root, OSError) else None) or str(root) or type(root).__name__


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _reason(answer: Answer) -> str:
    try:
        problem = json.loads(answer.body) if "json" in answer.fields.get("content-type", "") else None
    except ValueError:
        return ""
    said = [problem[key] for key in ("title", "detail") if isinstance(problem.get(key), str)] if problem else []
    return f" ({': '.join(said)})" if said else ""


def _led(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise Failed(f"the server redirects to {location}, which is no URL") from error


def _is_home(home: SplitResult, other: SplitResult) -> bool:
    """Whether the other URL is of the same origin, or of its better half on https."""
    ports = {"http": 80, "https": 443}
    own, its = ((each.scheme, each.port or ports.get(each.scheme)) for each in (home, other))
    return home.hostname == other.hostname and (own == its or (own, its) == (("http", 80), ("https", 443)))


def _proxy(url: SplitResult) -> str:
    """The proxy that the environment names for a URL; empty for none."""
    proxies = getproxies()
    if not proxies or proxy_bypass(url.hostname or ""):
        return ""
    return proxies.get(url.scheme) or proxies.get("all") or ""


def _without_credentials(url: str) -> tuple[str, dict[str, str]]:
    """The URL without its user and password, and the field that carries them."""
    parts = urlsplit(url)
    user, mark, host = parts.netloc.rpartition("@")
    if not mark:
        return url, {}
    encoded = b64encode(unquote(user).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": f"Basic {encoded}"}
