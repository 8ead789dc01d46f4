"""One request and its answer: what an application may send beyond ASGI's core.

- `http.response.zerocopysend`, as ASGI's extensions describe it: a piece of a regular file, between other pieces of a
  body. Without `offset` it is taken from the descriptor's position. EOFError is raised when the bytes are not there.
- `http.response.interim`, ours: `status` (1xx) and `headers`, sent at once, before the answer (RFC 9110 s.15.2).
- After the client has left, `send` raises OSError (ASGI 2.4), with `bytes_sent` when it left within a piece of a file.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected, get_client_addr, get_path_with_query_string

from fileserver.server.response_head import field_line, response_head
from fileserver.server.zero_copy import FileSender, PeerGone

ZEROCOPY = "http.response.zerocopysend"
INTERIM = "http.response.interim"

# Bytes of a body that wait for the application before the client has to. The event loop reads up to 256 KiB at once.
_HIGH_WATER = 512 * 1024

_INTERIM_STATUS = frozenset(range(102, 200))  # 100 is sent when the body is first asked for, 101 by nobody here


class LeftMidway(ClientDisconnected):
    """The client left while a piece of a file was on its way to it."""

    def __init__(self, bytes_sent: int) -> None:
        super().__init__()
        self.bytes_sent = bytes_sent


class Exchange:
    """Stands between the application and uvicorn's cycle of one request."""

    def __init__(
        self,
        app: Any,
        cycle: RequestResponseCycle,
        *,
        read_on: Callable[[], None],
        tear: Callable[[], None],
        has_zero_copy: bool,
    ) -> None:
        self._app = app
        self._cycle = cycle
        self._read_on = read_on
        self._tear = tear
        self._has_zero_copy = has_zero_copy
        self._sender: FileSender | None = None
        self.is_close_delimited = False
        self._body = [bytes(cycle.body)] if cycle.body else []  # what came while others had their turn
        self._body_size = len(cycle.body)

    async def __call__(self, scope: Any, _receive: Any, _send: Any) -> None:
        """Let the application answer."""
        try:
            await self._app(scope, self.receive, self.send)
        except ClientDisconnected:
            pass  # the application has been told, and had nothing to add
        finally:
            if self.is_close_delimited and not self._cycle.response_complete:
                self._tear()  # an orderly close would say that this was all

    def peer_has_gone(self) -> None:
        """The connection is lost."""
        if not self._cycle.response_complete:
            self._cycle.disconnected = True
        self._cycle.message_event.set()
        if self._sender is not None:
            self._sender.peer_has_gone()

    def is_sending(self) -> bool:
        """Whether bytes wait for the client to take them."""
        return self._sender is not None or self._cycle.transport.get_write_buffer_size() > 0

    def is_of(self, cycle: RequestResponseCycle) -> bool:
        """Whether this is the exchange of a cycle."""
        return self._cycle is cycle

    def add_body(self, content: bytes) -> None:
        """The client has sent more of the body."""
        self._body.append(content)
        self._body_size += len(content)
        if self._body_size >= _HIGH_WATER:
            self._cycle.flow.pause_reading()
        self._cycle.message_event.set()

    async def receive(self) -> dict[str, Any]:
        """As uvicorn's own, which copies each piece of a body twice more."""
        cycle = self._cycle
        if cycle.waiting_for_100_continue and not cycle.transport.is_closing():
            cycle.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.waiting_for_100_continue = False
        if not cycle.disconnected and not cycle.response_complete:
            self._read_on()
            await cycle.message_event.wait()
            cycle.message_event.clear()
        if cycle.response_complete or (cycle.disconnected and not self._body):
            return {"type": "http.disconnect"}
        # what came before the client left was acknowledged to it by our kernel
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body, self._body_size = [], 0
        return {"type": "http.request", "body": body, "more_body": cycle.more_body}

    async def send(self, message: Any) -> None:
        """Send one message of the answer. Raises ClientDisconnected, an OSError, and what uvicorn's `send` raises."""
        cycle = self._cycle
        if cycle.disconnected:
            raise ClientDisconnected
        kind = message["type"]
        if kind == ZEROCOPY and self._has_zero_copy:
            await self._send_file(message)
        elif kind == INTERIM:
            await self._send_interim(message)
        elif kind == "http.response.start" and not cycle.response_started:
            await self._start(message)
        else:
            if self.is_close_delimited:
                cycle.expected_content_length = len(message.get("body", b""))
            await cycle.send(message)
        if cycle.disconnected:
            raise ClientDisconnected

    async def _start(self, message: Any) -> None:
        """As uvicorn's own, which looks at each field of a head longer than at all else."""
        cycle = self._cycle
        await cycle.flow.drain()
        if cycle.disconnected:
            return
        scope, status = cycle.scope, message["status"]
        head = response_head(
            status,
            (*cycle.default_headers, *message.get("headers", ())),
            method=scope["method"],
            version=scope["http_version"],
            keeps_alive=cycle.keep_alive,
        )
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        cycle.keep_alive = head.keeps_alive
        cycle.chunked_encoding = head.is_chunked
        cycle.expected_content_length = head.length or 0
        self.is_close_delimited = head.is_close_delimited
        if cycle.access_log:
            what = scope["method"], get_path_with_query_string(scope), scope["http_version"]
            cycle.access_logger.info('%s - "%s %s HTTP/%s" %d', get_client_addr(scope), *what, status)
        cycle.transport.write(head.block)

    async def _send_interim(self, message: Any) -> None:
        if self._cycle.scope["http_version"] != "1.1":
            return  # an older client would take it for the answer
        if self._cycle.response_started:
            raise RuntimeError("An interim answer comes before the final one.")
        if message["status"] not in _INTERIM_STATUS:
            raise ValueError(f"{message['status']} is no interim answer")
        lines = [field_line(name, value) for name, value in message.get("headers", ())]
        await self._cycle.flow.drain()
        if not self._cycle.disconnected:
            self._cycle.transport.write(b"".join((STATUS_LINE[message["status"]], *lines, b"\r\n")))

    async def _send_file(self, message: Any) -> None:
        cycle = self._cycle
        if not cycle.response_started or cycle.response_complete:
            raise RuntimeError(f"Unexpected ASGI message '{ZEROCOPY}'.")
        file = message["file"] if isinstance(message["file"], int) else message["file"].fileno()
        offset = message.get("offset")
        count = message.get("count")
        if count is None:
            start = os.lseek(file, 0, os.SEEK_CUR) if offset is None else offset
            count = max(0, os.fstat(file).st_size - start)
        if count < 0 or (offset or 0) < 0:
            raise ValueError("a piece of a file has a place and a size in it")
        if count and cycle.scope["method"] != "HEAD":
            self._begin_piece(count)
            await self._send_span(file, offset, count)
            if cycle.chunked_encoding:
                cycle.transport.write(b"\r\n")
        if not message.get("more_body", False):
            await cycle.send({"type": "http.response.body", "body": b"", "more_body": False})

    def _begin_piece(self, count: int) -> None:
        """Account for a piece of the body as uvicorn does for its own."""
        cycle = self._cycle
        if cycle.chunked_encoding:
            cycle.transport.write(b"%x\r\n" % count)
        elif not self.is_close_delimited:
            if count > cycle.expected_content_length:
                raise RuntimeError("Response content longer than Content-Length")
            cycle.expected_content_length -= count

    async def _send_span(self, file: int, offset: int | None, count: int) -> None:
        await _until_written(self._cycle.transport, self._cycle.flow)
        if self._cycle.disconnected:
            raise ClientDisconnected
        connection = self._cycle.transport.get_extra_info("socket").fileno()
        self._sender = FileSender(connection, asyncio.get_running_loop())
        is_whole = False
        try:
            await self._sender.send(file, offset, count)
            is_whole = True
        except PeerGone as error:
            raise LeftMidway(self._sender.sent) from error
        finally:
            self._sender.close()
            self._sender = None
            if not is_whole:
                self._break_off()

    def _break_off(self) -> None:
        """A piece is not whole: whatever came after it would pass for its end."""
        self._cycle.disconnected = True
        if not self.is_close_delimited:
            self._cycle.transport.close()


async def _until_written(transport: asyncio.Transport, flow: FlowControl) -> None:
    """Wait until all that was given to the transport is with the kernel, or the connection is lost."""
    if transport.get_write_buffer_size():
        transport.set_write_buffer_limits(0)
        try:
            await flow.drain()
        finally:
            if not transport.is_closing():
                transport.set_write_buffer_limits()
