"""A network that breaks: a TCP proxy that cuts connections after random numbers of bytes, in either direction.

Each connection of the proxy is promised a cut while any are left: a direction, a number of bytes that may pass in it,
and a way to end, all drawn from one seed, which is printed. A connection that ends by itself before that is not
counted, and the next one gets a cut of its own. After the last cut everything passes, so that a patient client arrives.
"""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from anyio.from_thread import start_blocking_portal

Direction: TypeAlias = Literal["request", "answer"]
End: TypeAlias = Literal["reset", "close", "silence"]

_ENDS: tuple[End, ...] = ("reset", "close", "silence")
_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a connection ends: after `size` bytes of what the client sends, or of what the server answers.

    `reset` is an RST to both ends and `close` a FIN to both; with `silence` the client is reset and the server hears
    nothing more, as when a network is left: it may wait for the rest of a request that never comes.
    """

    direction: Direction
    size: int
    end: End


@dataclass(slots=True)
class CuttingProxy:
    """A proxy that runs. `port` is where clients connect to; `done` are the cuts so far, in order."""

    port: int
    done: list[Cut] = field(default_factory=list)


class _CutOff(Exception):
    """The bytes that might pass have passed."""


@contextmanager
def cutting_proxy(
    to_port: int, *, cuts: int, most_sent: int, most_answered: int = 2048, seed: int | None = None
) -> Iterator[CuttingProxy]:
    """A proxy to a server of this machine that cuts as often as `cuts` says, then no more.

    Before a cut at most `most_sent` bytes pass to the server, or `most_answered` come back, the head's among them.
    """
    drawn = random.SystemRandom().getrandbits(32) if seed is None else seed
    print(f"cuts are drawn from the seed {drawn}")
    network = _Network(to_port, random.Random(drawn), cuts, {"request": most_sent, "answer": most_answered})
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(network.listening()) as proxy:
        yield proxy


class _Network:
    """The proxy's own side, in a loop of its own."""

    def __init__(self, to_port: int, source: random.Random, cuts: int, most: dict[Direction, int]) -> None:
        self._to_port = to_port
        self._random = source
        self._left = cuts
        self._most = most
        self._proxy = CuttingProxy(0)
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[CuttingProxy]:
        """The proxy, until its end, which is that of all its connections."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield self._proxy
        finally:
            server.close()
            left = tuple(self._writers)
            _abort(*left)
            await asyncio.gather(*self._carrying, *(writer.wait_closed() for writer in left), return_exceptions=True)

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._writers |= {to_client, to_server}
        cut = self._draw()
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_carry(from_client, to_server, _most(cut, "request")))
                ways.create_task(_carry(from_server, to_client, _most(cut, "answer")))
        except* _CutOff:
            assert cut is not None
            self._proxy.done.append(cut)
            self._end(cut.end, to_client, to_server)
        except* OSError:  # one end has gone: so has the other
            self._keep(cut)
            self._end("reset", to_client, to_server)
        else:
            self._keep(cut)
            self._end("close", to_client, to_server)

    def _draw(self) -> Cut | None:
        """The next connection's cut, of those that are left."""
        if self._left == 0:
            return None
        self._left -= 1
        direction: Direction = self._random.choice(("request", "answer"))
        return Cut(direction, self._random.randint(1, self._most[direction]), self._random.choice(_ENDS))

    def _keep(self, cut: Cut | None) -> None:
        """A cut that was not made is another connection's."""
        self._left += cut is not None

    def _end(self, end: End, to_client: asyncio.StreamWriter, to_server: asyncio.StreamWriter) -> None:
        self._writers -= {to_client, to_server}
        match end:
            case "close":
                to_client.close()
                to_server.close()
            case "reset":
                _abort(to_client, to_server)
            case "silence":
                _abort(to_client)
                self._writers.add(to_server)


def _most(cut: Cut | None, direction: Direction) -> int | None:
    """How many bytes may pass in a direction; None is all."""
    return cut.size if cut and cut.direction == direction else None


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
    """Pass bytes on until they end, or until `most` have passed: then raise _CutOff."""
    sink.transport.set_write_buffer_limits(high=0)  # drained is sent
    while piece := await source.read(_PIECE if most is None else min(_PIECE, most)):
        sink.write(piece)
        await sink.drain()
        if most is not None:
            most -= len(piece)
            if most == 0:
                raise _CutOff
    sink.write_eof()


def _abort(*writers: asyncio.StreamWriter) -> None:
    """End these connections with RST."""
    for writer in writers:
        if writer.transport.is_closing():
            continue
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
