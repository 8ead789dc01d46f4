"""Figures about the service, measured from outside the application, in Prometheus's text format.

One process keeps them in a registry of its own, so that several applications in it do not meet. With several worker
processes each counts into a file in the directory that PROMETHEUS_MULTIPROC_DIR names, and whichever is asked answers
for all (prometheus-client reads that variable when it is first imported, so it is set for the workers from the start).
"""

import os
import time
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from fileserver.access_log import Observation, Side, header, write_access_line
from fileserver.delivery.asgi import App, Message, Receive, Scope, Send

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

# From a small file to a transform that has to read much before it can answer.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# A client may send any word as its method; each label value lives for ever.
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "MOVE", "COPY", "MKCOL", "OPTIONS"})

# How the bytes of an answer leave, by the message that brings them.
_CHUNK = "http.response.body"
_ZEROCOPY = "http.response.zerocopysend"
_WAYS = {_CHUNK: "chunks", _ZEROCOPY: "zerocopy"}

_INTERNAL_ERROR = 500
_CLIENT_CLOSED_REQUEST = 499  # no status of RFC 9110: nothing was sent, and nobody was there; nginx's word for it


class RowCounts(Protocol):
    """How many rows a transform read, wrote and rejected."""

    @property
    def rows_in(self) -> int:
        """Rows read."""

    @property
    def rows_out(self) -> int:
        """Rows written."""

    @property
    def rows_rejected(self) -> int:
        """Rows that failed."""


class Metrics:
    """All figures of one application, or of all worker processes together."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "fileserver_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.received = Counter("fileserver_received_bytes", "Bytes of request bodies.", registry=registry)
        self.sent = Counter(
            "fileserver_sent_bytes",
            "Bytes of response bodies, through this process in chunks or past it by zerocopy.",
            ("way",),
            registry=registry,
        )
        self.ranges = Counter(
            "fileserver_range_requests",
            "GET requests with a Range: answered with a single part or multiple parts, unsatisfiable (416), or "
            "ignored (200).",
            ("kind",),
            registry=registry,
        )
        self.aborts = Counter(
            "fileserver_aborts",
            "Exchanges that ended early, by the side that ended them.",
            ("side",),
            registry=registry,
        )
        self.open_transfers = Gauge(
            "fileserver_open_transfers",
            "Requests of which body bytes arrived or whose answer began, and that have not ended.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.time_to_first_byte = Histogram(
            "fileserver_time_to_first_byte_seconds",
            "From the head of the request to the head of the answer.",
            ("method", "route"),
            registry=registry,
            buckets=_SECONDS,
        )
        self.rows = Counter(
            "fileserver_transform_rows", "Rows of transforms, by what became of them.", ("kind",), registry=registry
        )
        self.transforms = Counter(
            "fileserver_transforms", "Transforms that ended, by how they did.", ("state",), registry=registry
        )
        self.hashed = Counter(
            "fileserver_hashed_bytes",
            "Bytes of stored files read in the background, to learn their digests or to compare them.",
            registry=registry,
        )
        self.damaged = Counter(
            "fileserver_damaged_files", "Times that a stored file was found to be damaged.", registry=registry
        )
        # To find the figure of some labels takes longer than to count: each is looked up once. Labels are few.
        self.sent_by = {message: self.sent.labels(way) for message, way in _WAYS.items()}
        self._requests_by: dict[tuple[str, str, int], Counter] = {}
        self._time_to_first_byte_by: dict[tuple[str, str], Histogram] = {}

    def exposition(self) -> tuple[bytes, str]:
        """The figures as text, and its media type."""
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return generate_latest(self._registry), CONTENT_TYPE_LATEST
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody), CONTENT_TYPE_LATEST

    def count_transform(self, state: str, counts: RowCounts) -> None:
        """Add a transform that ended, and its rows."""
        self.transforms.labels(state).inc()
        for kind, count in (("in", counts.rows_in), ("out", counts.rows_out), ("rejected", counts.rows_rejected)):
            self.rows.labels(kind).inc(count)

    def count(self, seen: Observation) -> None:
        """Add a finished request."""
        method, route = method_label(seen.scope), route_label(seen.scope)
        answered = method, route, seen.status
        if answered not in self._requests_by:
            self._requests_by[answered] = self.requests.labels(method, route, str(seen.status))
        self._requests_by[answered].inc()
        if seen.ttfb_s is not None:
            self._time_to_first_byte_of(method, route).observe(seen.ttfb_s)
        if seen.aborted is not None:
            self.aborts.labels(seen.aborted).inc()

    def _time_to_first_byte_of(self, method: str, route: str) -> Histogram:
        if (method, route) not in self._time_to_first_byte_by:
            self._time_to_first_byte_by[method, route] = self.time_to_first_byte.labels(method, route)
        return self._time_to_first_byte_by[method, route]


def forget_worker(pid: int, directory: str) -> None:
    """Take a worker process that ended out of the figures that speak of the present; what it counted stays."""
    mark_process_dead(pid, directory)  # type: ignore[no-untyped-call]


def method_label(scope: Scope) -> str:
    """The method, or `other`."""
    method = str(scope["method"])
    return method if method in _METHODS else "other"


def route_label(scope: Scope) -> str:
    """The template of the route that matched, or `unmatched`: never what a client typed."""
    return str(getattr(scope.get("route"), "path", "unmatched"))


class Observe:
    """Pure ASGI middleware that measures what passes, and hands each finished request to the figures and the log."""

    def __init__(self, app: App, *, metrics: Metrics, is_logging: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._is_logging = is_logging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and report it when it has ended, however it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watch = _Watch(scope, receive, send, self._metrics)
        try:
            await self._app(scope, watch.receive, watch.send)
        finally:
            seen = watch.end()
            self._metrics.count(seen)
            if self._is_logging:
                write_access_line(seen)


class _Watch:
    """Stands on both sides of one request while it runs."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, metrics: Metrics) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._metrics = metrics
        self._started_at = time.time()
        self._clock = time.perf_counter()
        self._status: int | None = None
        self._ttfb_s: float | None = None
        self._bytes_in = 0
        self._bytes_out = 0
        self._is_open = False
        self._is_complete = False
        self._has_left = False

    async def receive(self) -> Message:
        """What the client sent."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._has_left = self._has_left or not self._is_complete
        elif size := len(message.get("body", b"")):
            self._open()
            self._bytes_in += size
            self._metrics.received.inc(size)
        return message

    async def send(self, message: Message) -> None:
        """What the client gets. It is counted when the server has taken it."""
        kind = message["type"]
        if kind == "http.response.start":
            self._start(message)
        try:
            await self._send(message)
        except OSError as error:  # how ASGI 2.4 servers say that the client left
            self._has_left = True
            if bytes_sent := getattr(error, "bytes_sent", 0):  # how ours says how much of a piece it has sent
                self._count_bytes(kind, bytes_sent)
            raise
        if kind in _WAYS and not self._has_left:
            self._sent(kind, message)

    def end(self) -> Observation:
        """The request has ended: what was seen of it."""
        if self._is_open:
            self._metrics.open_transfers.dec()
        unanswered = _CLIENT_CLOSED_REQUEST if self._has_left else _INTERNAL_ERROR
        return Observation(
            scope=self._scope,
            started_at=self._started_at,
            status=unanswered if self._status is None else self._status,
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            ttfb_s=self._ttfb_s,
            duration_s=time.perf_counter() - self._clock,
            aborted=self._aborted(),
        )

    def _start(self, message: Message) -> None:
        self._open()
        self._status = int(message["status"])
        self._ttfb_s = time.perf_counter() - self._clock
        kind = _range_kind(self._scope, message)
        if kind is not None:
            self._metrics.ranges.labels(kind).inc()

    def _sent(self, kind: str, message: Message) -> None:
        self._is_complete = not message.get("more_body", False)
        size = message["count"] if kind == _ZEROCOPY else len(message.get("body", b""))
        if size and self._scope["method"] != "HEAD":
            self._count_bytes(kind, size)

    def _count_bytes(self, kind: str, size: int) -> None:
        self._bytes_out += size
        self._metrics.sent_by[kind].inc(size)

    def _open(self) -> None:
        if not self._is_open:
            self._is_open = True
            self._metrics.open_transfers.inc()

    def _aborted(self) -> Side | None:
        if self._has_left:
            return "client"
        return None if self._is_complete or self._status is None else "server"


def _range_kind(scope: Scope, start: Message) -> str | None:
    """What became of a Range; None when there was none, or the answer has nothing to do with it (304, 412)."""
    if scope["method"] != "GET" or header(scope["headers"], b"range") is None:
        return None
    match start["status"]:
        case 206:
            media_type = header(start.get("headers", ()), b"content-type") or ""
            return "multiple" if media_type.startswith("multipart/byteranges") else "single"
        case 416:
            return "unsatisfiable"
        case 200:
            return "ignored"
        case _:
            return None
