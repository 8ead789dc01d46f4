"""uvicorn's HTTP/1.1 protocol with limits on what a client may do to it, and with zero-copy sending.

What the parser (llhttp) lets through is checked once the head is whole, before the application hears of the request.
What is built here upon uvicorn's inner workings is held by tests/server/test_uvicorn.py.
"""

import asyncio
import logging
import socket
import struct
from contextlib import suppress
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl

from fileserver.http import request_head
from fileserver.http.problems import Problem
from fileserver.server import crowd, refusal
from fileserver.server.exchange import INTERIM, ZEROCOPY, Exchange
from fileserver.server.limits import Limits, limits_of
from fileserver.server.pace import Pace, taken_by_peer
from fileserver.server.zero_copy import IS_AVAILABLE
from fileserver.settings import Settings

log = logging.getLogger("fileserver.server")

# After a refusal: what is read of the rest, and for how long, lest a reset cost the client the answer (RFC 9112 s.9.6).
_LINGER_SIZE = 1 << 20
_LINGER_S = 2.0
# Go's measure of what chunk extensions and trailers may add up to: beyond 16 bytes a chunk, and twice the data.
_CHUNK_EXCESS = 16 * 1024
_CHUNK_ALLOWANCE = 16
# Requests of one connection that wait while another is answered. Clients that send ahead at all send a few.
_MOST_WAITING = 100
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close throws away what the kernel still holds


class HardProtocol(HttpToolsProtocol):
    """For `http=` of uvicorn, as it is or as `hard_protocol` makes it."""

    limits: ClassVar[Limits] = limits_of(Settings())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._socket: Any = None
        self._address: str | None = None  # where this connection is counted
        self._watch: asyncio.TimerHandle | None = None
        self._exchange: Exchange | None = None
        self._has_zero_copy = False
        self._look_s = min(self.limits.look_s, self.timeout_keep_alive / 4)

        self._refusal: Problem | None = None  # comes after the answers to the requests before it
        self._is_over = False  # what still comes is thrown away
        self._unread = _LINGER_SIZE
        self._ended_at: float | None = None  # when the client said that it sends no more

        self.url = b""  # uvicorn has none before the first request
        self._is_in_head = True  # or between two requests; else in a body
        self._has_head_begun = False
        self._waiting_since = 0.0
        self._is_at_head = True  # the parser is about to be given the first byte of a head
        self._head_size = 0
        self._body_size = 0  # of all bodies so far
        self._chunk_excess = 0
        self._received = 0
        self._receiving = Pace(self.limits.min_rate, self.limits.min_rate_period_s)
        self._sending = Pace(self.limits.min_rate, self.limits.min_rate_period_s)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._socket = transport.get_extra_info("socket")
        self._has_zero_copy = self.limits.has_zero_copy and IS_AVAILABLE and not is_ssl(transport)
        self._waiting_since = self.loop.time()
        if (problem := self._crowd_problem()) is not None:
            self._is_over = True
            self._send_refusal(problem, refusal.RETRY)
            transport.close()
            return
        if self.limits.min_rate and hasattr(socket, "TCP_USER_TIMEOUT"):
            with suppress(OSError):  # no TCP; else the kernel, too, gives up a client that takes nothing
                timeout_ms = int(self.limits.min_rate_period_s * 1000)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
        self._watch = self.loop.call_later(self._look_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()
        if self._address is not None:
            crowd.go(self.server_state, self._address)
        if self._exchange is not None:  # uvicorn tells the request that came last, which may wait for its turn
            self._exchange.peer_has_gone()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends no more: if its request is whole, it waits for the answer, or is gone (see `_look`)."""
        if self._is_answering() and self._is_in_head and not is_ssl(self.transport):
            self._is_over, self._ended_at = True, self.loop.time()
            self.cycle.keep_alive = False
            return True
        if self._exchange is not None and self._exchange.is_close_delimited:
            self._tear()
        return None

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._is_over:
            self._unread -= len(data)
            if self._unread < 0:
                self.transport.close()
            return
        self._received += len(data)
        cycle, body_size, was_in_body = self.cycle, self._body_size, not self._is_in_head
        self._is_at_head = not was_in_body and not self._has_head_begun
        self._head_size += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as error:
            refused = error.__context__
            self._refuse(refused.problem if isinstance(refused, refusal.Refused) else request_head.MALFORMED)
        except httptools.HttpParserError:
            self._refuse(request_head.MALFORMED)
        else:
            if self._is_in_head:
                self._check_partial_head(data)
            elif was_in_body and self.cycle is cycle:
                self._check_framing_size(len(data), self._body_size - body_size)

    def _feed(self, data: bytes) -> None:
        """Have the parser parse. Raises HttpParserError.

        At a wish to change the protocol the parser stops, before the body of the request, which would be lost. We
        change to no other (RFC 9110 s.7.8), so another parser is given the request without that wish.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            fed = int(stopped.args[0])
        else:
            return
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._feed(request_head.without_upgrade(method, self.url, version, self.headers) + data[fed:])

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self.scope["asgi"]["spec_version"] = "2.4"
        self.scope["extensions"] = {ZEROCOPY: {}} if self._has_zero_copy else {}
        self._has_head_begun = True
        self._waiting_since = self.loop.time()
        if not self._is_at_head:
            self._head_size = 0  # how much of what is being parsed comes before it is not known
        self._is_at_head = False

    def on_headers_complete(self) -> None:
        """The head of a request is whole: check it, and let the application have it."""
        version, method = self.parser.get_http_version(), self.parser.get_method()
        problem = request_head.size_fault(self.url, self.headers, self.limits.head)
        try:
            self.url, authority = request_head.origin_form(self.url)
        except request_head.MalformedTarget:
            raise refusal.Refused(problem or request_head.target_fault(method)) from None
        problem = problem or request_head.head_fault(
            version, self.headers, authority=authority, allows=self.limits.allowed_hosts.allows
        )
        if problem is None and len(self.pipeline) == _MOST_WAITING:
            problem = refusal.TOO_MANY_REQUESTS
        if problem is not None:
            raise refusal.Refused(problem)
        if authority is not None:  # it stands for Host (RFC 9112 s.3.2.2)
            self.headers[:] = [(name, authority if name == b"host" else value) for name, value in self.headers]
        if self.parser.should_upgrade():
            return  # see _feed
        if version == "1.1":
            self.scope["extensions"][INTERIM] = {}
        else:
            self.expect_100_continue = False  # RFC 9110 s.10.1.1
        self._is_in_head = False
        self._chunk_excess = 0
        super().on_headers_complete()
        self.headers = []  # for trailers, which are nobody's headers (RFC 9110 s.6.5.1)

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._body_size += len(body)
        if self._exchange is not None and self._exchange.is_of(self.cycle):
            self._exchange.add_body(body)
        else:
            super().on_body(body)

    def on_chunk_header(self) -> None:
        """The size of a chunk."""
        self._chunk_excess -= _CHUNK_ALLOWANCE

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        if not self.parser.should_keep_alive():  # as a trailer may have said
            self.cycle.keep_alive = False
        self._is_in_head = True
        self._has_head_begun = False
        self._head_size = 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._exchange = Exchange(app, cycle, read_on=self._read_on, tear=self._tear, has_zero_copy=self._has_zero_copy)
        super()._start_asgi_task(cycle, self._exchange)

    def on_response_complete(self) -> None:
        """An answer is whole. Instead of uvicorn's own, which sets a timer for each: here `_look` watches the idle."""
        self.server_state.total_requests += 1
        self._exchange = None
        self._waiting_since = self.loop.time()
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        self._read_on()
        if self._refusal is not None and not self._is_answering():
            self._answer_refusal(self._refusal)

    def _read_on(self) -> None:
        """The application wants more of the client: not while other requests wait for their turn."""
        if not self.pipeline:
            self.flow.resume_reading()

    def _crowd_problem(self) -> Problem | None:
        if len(self.connections) > self.limits.max_connections:
            return refusal.TOO_MANY
        most = self.limits.max_connections_per_address
        if most is None or self.client is None or self.limits.is_trusted(self.client[0]):
            return None
        self._address = self.client[0]
        return refusal.TOO_MANY_FROM_ADDRESS if crowd.come(self.server_state, self._address) > most else None

    def _check_partial_head(self, data: bytes) -> None:
        """After bytes that ended in the midst of a head, or between two requests."""
        if len(self.url) > self.limits.head.max_request_line:
            self._refuse(request_head.TOO_LONG)
        elif self._head_size > self.limits.head.max_header_size:
            self._refuse(request_head.TOO_LARGE)
        elif self._has_head_begun and self.url and data.endswith(b"\n") and self.parser.get_http_version() == "0.0":
            self._refuse(request_head.MALFORMED)  # a line without a version: HTTP/0.9

    def _check_framing_size(self, fed: int, body_size: int) -> None:
        """After bytes that began and ended within a body."""
        self._chunk_excess = max(0, self._chunk_excess + fed - 3 * body_size)
        if self._chunk_excess > _CHUNK_EXCESS:
            self._refuse(request_head.MALFORMED)

    def _look(self) -> None:
        """Now and then: is the client still with us?"""
        now = self.loop.time()
        self._watch = self.loop.call_later(self._look_s, self._look)
        is_late = now - self._waiting_since > self.limits.header_timeout_s
        if self._is_in_head and is_late and not self._is_answering() and self._has_head_begun:
            self._refuse(refusal.TOO_SLOW)
        elif self._is_idle(now) or self._is_forsaken(now):
            self.transport.close()
        elif self._receiving.is_too_slow(now, self._received, is_waiting=self._is_waiting_for_body()):
            self._refuse(refusal.TOO_SLOW)
        elif (taken := taken_by_peer(self._socket)) is not None:
            size, is_waiting = taken
            if self._sending.is_too_slow(now, size, is_waiting=is_waiting):
                self._tear()

    def _is_idle(self, now: float) -> bool:
        patience_s = self.limits.header_timeout_s if self.cycle is None else self.timeout_keep_alive
        has_begun = self._is_in_head and self._has_head_begun
        return not self._is_answering() and not has_begun and now - self._waiting_since > patience_s

    def _is_forsaken(self, now: float) -> bool:
        """Whether the client has ended its side, and nothing is on its way that would tell whether it is there."""
        is_sending = self._exchange is not None and self._exchange.is_sending()
        return self._ended_at is not None and not is_sending and now - self._ended_at > _LINGER_S

    def _is_waiting_for_body(self) -> bool:
        """Whether the application may have more of the body, and it is the client who does not send it."""
        cycle = self.cycle
        return (
            not self._is_in_head
            and self._is_answering()
            and cycle.more_body
            and not cycle.waiting_for_100_continue
            and not self.flow.read_paused
        )

    def _is_answering(self) -> bool:
        return self._exchange is not None

    def _refuse(self, problem: Problem) -> None:
        """Answer the request that is being received, after those before it, and nothing that comes then."""
        self._is_over = True
        if self._is_in_head:
            if self._is_answering():
                self._refusal = problem
            else:
                self._answer_refusal(problem)
        elif self.pipeline and self.pipeline[0][0] is self.cycle:  # its turn has not come
            self.pipeline.popleft()
            self._is_in_head, self._has_head_begun = True, False
            self._refusal = problem
        elif self.cycle.response_complete:
            self.transport.close()
        elif self.cycle.response_started:
            self._tear()
        else:
            self._take_over()
            self._answer_refusal(problem)

    def _take_over(self) -> None:
        """To the application it looks as if the client had left."""
        cycle, self._exchange = self.cycle, None
        cycle.response_started = cycle.response_complete = cycle.disconnected = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()

    def _answer_refusal(self, problem: Problem) -> None:
        self._refusal = None
        self._send_refusal(problem)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self.loop.call_later(_LINGER_S, self.transport.close)

    def _send_refusal(self, problem: Problem, *headers: tuple[bytes, bytes]) -> None:
        client = self.client[0] if self.client else "a client"
        log.info("%s is refused: %s, %s", client, problem.type.slug, problem.detail)
        defaults = (*self.server_state.default_headers, *headers)
        self.transport.write(refusal.answer(problem, self.parser.get_method(), defaults))

    def _tear(self) -> None:
        """End the connection at once, and visibly, with nothing left in the kernel."""
        with suppress(OSError, ValueError):  # ValueError: it has ended already
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


def hard_protocol(limits: Limits) -> type[HardProtocol]:
    """The protocol with these limits."""
    return type("HardProtocol", (HardProtocol,), {"limits": limits})
