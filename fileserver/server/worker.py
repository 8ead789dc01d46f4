"""One worker process, as the supervisor starts it: `python -m fileserver.server.worker`."""

import os
import signal
import socket
import threading
from contextlib import suppress

from fileserver.server.draining import ApplicationFailed
from fileserver.server.handover import READY, Handover
from fileserver.server.logs import configure_logs
from fileserver.server.serving import serve


def main() -> None:
    """Serve on the sockets that were handed over, until SIGTERM comes or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the parent too, which passes it on
    handover = Handover.take()
    configure_logs(handover.settings)
    lifeline = _inherited(handover.lifeline)
    threading.Thread(target=_stop_without_parent, args=(lifeline,), daemon=True).start()
    try:
        serve(
            handover.settings,
            tuple(map(_inherited, handover.sockets)),
            app=handover.app,
            on_started=lambda: lifeline.sendall(READY),
            signals=(signal.SIGTERM,),
        )
    except ApplicationFailed as error:
        raise SystemExit(1) from error


def _inherited(descriptor: int) -> socket.socket:
    inherited = socket.socket(fileno=descriptor)
    inherited.set_inheritable(False)
    return inherited


def _stop_without_parent(lifeline: socket.socket) -> None:
    """Wait for the end of the parent, however it came, and stop as if it had said so."""
    with suppress(ConnectionError):  # it died before it read that we are ready
        lifeline.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
