"""A server that stops as its clients would like: the door closes at once, those inside may finish, then it is cut.

uvicorn's own server dies of the signal it was sent, cancels what is left without waiting for it to clean up, leaves out
the application's shutdown when it is forced, and is not hurried by a second SIGTERM. The rest of it stays in use.
"""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from fileserver.lifespan import STOPPING

log = logging.getLogger("fileserver.server")

# uvicorn tells nobody when a connection is lost or a task ends, so we look, as often as it does itself.
_LOOK_S = 0.1
# For transfers that were cut to close their files and drop their drafts.
_CLEAN_UP_S = 5.0


class ApplicationFailed(Exception):
    """The application did not start; its own log lines say why."""


class DrainingServer(uvicorn.Server):
    """Serves until the first signal, drains until `drain_timeout_s` is over or the second signal comes, then cuts.

    The signals only end the serving: `run` returns, and the process may end with 0.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        drain_timeout_s: float,
        on_started: Callable[[], None],
        signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT),
    ) -> None:
        super().__init__(config)
        self._drain_timeout_s = drain_timeout_s
        self._on_started = on_started
        self._signals = signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, accept connections, and say so. Raises ApplicationFailed."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            raise ApplicationFailed("the application did not start") from error
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let transfers finish, cut the rest, and shut the application down."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        self.lifespan.state.get(STOPPING, _do_nothing)()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if not await self._has_drained():
            await self._cut()
        await self.lifespan.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops the server, the second does not wait."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while serving, and do not pass them on to ourselves afterwards."""
        before = {number: signal.signal(number, self.handle_exit) for number in self._signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _has_drained(self) -> bool:
        """Wait for connections and tasks to end: a finished task may still have bytes on their way to a slow client."""
        deadline = time.monotonic() + self._drain_timeout_s
        if self._is_busy():
            log.info("stopping: waiting up to %g s for transfers to finish", self._drain_timeout_s)
        while self._is_busy() and not self.force_exit and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        return not self._is_busy()

    def _is_busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    async def _cut(self) -> None:
        """End the tasks first, which closes what they opened, then connections, without the end of their answers."""
        tasks = set(self.server_state.tasks)
        log.warning("stopping: %d connections are cut", len(self.server_state.connections))
        for connection in list(self.server_state.connections):
            if not _is_answering(connection):
                connection.transport.abort()  # an error page would blame the server, and the client would not resume
        await asyncio.sleep(_LOOK_S)  # they learn of it, and keep what has come
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLEAN_UP_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _do_nothing() -> None:
    pass


def _is_answering(connection: object) -> bool:
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and bool(cycle.response_started)
