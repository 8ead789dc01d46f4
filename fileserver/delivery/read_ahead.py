"""What a client sends before anybody asks for it: so that its departure is seen while it waits for its turn."""

from collections import deque

import anyio
import anyio.lowlevel

from fileserver.delivery.asgi import ClientLeft, Message, Receive

SIZE = 1 << 20
"""Bytes that are kept at most; beyond them the client waits, and it is seen only later whether it has left."""


class ReadAhead:
    """The messages of one request, in their order, whether they were kept or still come."""

    def __init__(self, receive: Receive, max_size: int = SIZE) -> None:
        self._receive = receive
        self._left = max_size
        self._kept: deque[Message] = deque()
        self._keeping = anyio.CancelScope()
        self._has_stopped = anyio.Event()

    async def receive(self) -> Message:
        """The next message, as ASGI has it. Not while `keep` runs."""
        return self._kept.popleft() if self._kept else await self._receive()

    async def keep(self) -> None:
        """Keep what comes, until `stop` or until it is enough; to be called once. Raises ClientLeft."""
        try:
            with self._keeping:
                await anyio.lowlevel.checkpoint()  # who is refused at once is not told to send (RFC 9110 s.10.1.1)
                await self._keep()
        finally:
            self._has_stopped.set()

    async def stop(self) -> None:
        """Wait until `keep` has ended: two that receive at a time would change the order of the messages."""
        self._keeping.cancel()
        await self._has_stopped.wait()

    async def _keep(self) -> None:
        while self._left > 0 and not self._keeping.cancel_called:  # a message that is there cannot be cancelled
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            self._kept.append(message)
            self._left -= len(message.get("body", b""))
