"""Serve in this process: what we ask of uvicorn."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.importer import import_from_string

from fileserver.server.draining import DrainingServer
from fileserver.server.heap import keep_freed_memory
from fileserver.server.limits import limits_of
from fileserver.server.listening import BACKLOG
from fileserver.server.protocol import hard_protocol
from fileserver.settings import Settings


def serve(
    settings: Settings,
    sockets: tuple[socket.socket, ...],
    *,
    app: str,
    on_started: Callable[[], None],
    signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT),
) -> None:
    """Serve until one of the signals says stop. Raises ApplicationFailed."""
    keep_freed_memory()
    config = _uvicorn_config(settings, app)
    config.timeout_keep_alive = settings.keep_alive_timeout  # type: ignore[assignment]  # a timer takes fractions too
    server = DrainingServer(config, drain_timeout_s=settings.drain_timeout, on_started=on_started, signals=signals)
    server.run(list(sockets))


def _uvicorn_config(settings: Settings, app: str) -> uvicorn.Config:
    return uvicorn.Config(
        import_from_string(app)(settings),
        loop="uvloop",
        http=hard_protocol(limits_of(settings)),
        ws="none",
        interface="asgi3",
        lifespan="on",
        workers=1,  # of this process; unsaid, uvicorn would look for a number in the environment
        root_path=settings.root_path,
        backlog=BACKLOG,
        proxy_headers=settings.forwarded_allow_ips != "",
        forwarded_allow_ips=settings.forwarded_allow_ips,
        server_header=False,
        date_header=True,
        log_config=None,
        access_log=False,
    )
