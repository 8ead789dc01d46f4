"""uvicorn's own protocol over a socket pair within this process, watched at the places that ours builds upon."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from fileserver.delivery.asgi import Receive, Scope, Send

_App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Watched(HttpToolsProtocol):
    """uvicorn's protocol, which tells of the calls that ours overrides."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.calls: list[str] = []
        self.started: list[tuple[RequestResponseCycle, Any]] = []
        self.at_headers: list[tuple[bytes, tuple[tuple[bytes, bytes], ...]]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.calls.append("connection_made")
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("connection_lost")
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self.calls.append("on_message_begin")
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.calls.append("on_headers_complete")
        self.at_headers.append((self.url, tuple(self.headers)))
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        self.calls.append("on_chunk_header")

    def on_body(self, body: bytes) -> None:
        self.calls.append(f"on_body {len(body)}")
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.calls.append("on_message_complete")
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.calls.append("_start_asgi_task")
        self.started.append((cycle, app))
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self.calls.append("on_response_complete")
        super().on_response_complete()


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection within this process."""

    protocol: Watched
    client: socket.socket
    config: uvicorn.Config
    state: ServerState

    async def send(self, content: bytes) -> None:
        """As the client."""
        await asyncio.get_running_loop().sock_sendall(self.client, content)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Let the loop run until something is so."""
        async with asyncio.timeout(5):
            while not is_so():
                await asyncio.sleep(0)

    async def read_until(self, end: bytes) -> bytes:
        """What the server says, up to this end."""
        said = b""
        async with asyncio.timeout(5):
            while not said.endswith(end):
                received = await asyncio.get_running_loop().sock_recv(self.client, 65536)
                assert received, f"the connection ended after {said!r}"
                said += received
        return said


@asynccontextmanager
async def connected(app: _App, kind: type[Watched] = Watched) -> AsyncIterator[Wire]:
    """A connection to this application; cut at the end."""
    client, theirs = socket.socketpair()
    client.setblocking(False)
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, date_header=False, interface="asgi3"
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    with client:
        transport, protocol = await loop.connect_accepted_socket(
            lambda: kind(config=config, server_state=state, app_state={}), theirs
        )
        try:
            yield Wire(protocol, client, config, state)
        finally:
            transport.abort()
            for task in state.tasks:
                task.cancel()
            await asyncio.gather(*state.tasks, return_exceptions=True)


async def empty(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An application that answers with an empty body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


class Held:
    """An application that does nothing until it `may_end`, and hands its requests out."""

    def __init__(self) -> None:
        self.sends: list[Send] = []
        self.receives: list[Receive] = []
        self.may_end = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        self.sends.append(send)
        self.receives.append(receive)
        await self.may_end.wait()


@asynccontextmanager
async def asked(request: bytes) -> AsyncIterator[tuple[Wire, Held]]:
    """A connection whose first request has come to an application that waits."""
    app = Held()
    async with connected(app) as wire:
        await wire.send(request)
        await wire.until(lambda: app.sends)
        yield wire, app
