"""A network between a page and its server that can be slow, break, and lead to another server than before."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from anyio.from_thread import BlockingPortal, start_blocking_portal

_PIECE = 16384


@dataclass(slots=True)
class Relay:
    """A relay that runs: `port` is where the page goes, `to_port` where a new connection leads.

    `rate` limits what each connection sends to the server, in bytes a second.
    """

    to_port: int
    rate: float
    port: int = 0
    sent: int = 0
    _portal: BlockingPortal | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _carrying: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The origin, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break all connections that there are."""
        assert self._portal is not None
        self._portal.call(self._abort)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, from_page: asyncio.StreamReader, to_page: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        self._writers.add(to_page)
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            to_page.transport.abort()
            return
        self._writers.add(to_server)
        await asyncio.gather(self._send(from_page, to_server), _answer(from_server, to_page))

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(_PIECE):
                writer.write(piece)
                await writer.drain()
                self.sent += len(piece)
                await asyncio.sleep(len(piece) / self.rate)
        except OSError:
            pass  # cut: both ends know
        finally:
            writer.close()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=2 * _PIECE)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self._abort()
            await asyncio.gather(*self._carrying, return_exceptions=True)


@contextmanager
def relay(to_port: int, *, rate: float = 1e9) -> Iterator[Relay]:
    """A relay to a server of this machine."""
    made = Relay(to_port, rate)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(made._listening()):
        made._portal = portal
        yield made


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
