"""How the service runs: sockets, processes, logs, and how it stops."""

from fileserver.server.draining import ApplicationFailed
from fileserver.server.limits import limits_of
from fileserver.server.listening import CannotListen
from fileserver.server.protocol import HardProtocol, hard_protocol
from fileserver.server.start import APP, run

__all__ = ["APP", "ApplicationFailed", "CannotListen", "HardProtocol", "hard_protocol", "limits_of", "run"]
