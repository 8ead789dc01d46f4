"""An application whose every step a test can see and hold up, by files in its root; and the process that runs it.

A request for /slow gets the first half of its answer, and the second when `go` exists. /pid says which process answers,
/client what is known of the client. `stopped-PID` appears at the orderly end of the lifespan, `cleaned-PID` when a slow
answer ends, however it ends. With the prefix /broken it does not start.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from fileserver.delivery.asgi import App, Receive, Scope, Send, end, more, start
from fileserver.metrics import Metrics, Observe
from fileserver.server import ApplicationFailed, run
from fileserver.settings import Settings

HALF = b"0123456789" * 10


def create_app(settings: Settings) -> App:
    """The application."""
    metrics = Metrics()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(settings, receive, send)
        elif scope["path"].endswith("/slow"):
            await _slow(settings.root, send)
        else:
            await start(send, 200, ())
            await end(send, _answer(scope, metrics))

    return Observe(app, metrics=metrics, is_logging=settings.access_log)


async def _live(settings: Settings, receive: Receive, send: Send) -> None:
    await receive()
    if settings.root_path == "/broken":
        raise RuntimeError("it does not start")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    _mark(settings.root, "stopped")
    await send({"type": "lifespan.shutdown.complete"})


async def _slow(root: Path, send: Send) -> None:
    try:
        await start(send, 200, [("content-length", str(2 * len(HALF)))])
        await more(send, HALF)
        while not (root / "go").exists():
            await asyncio.sleep(0.01)
        await end(send, HALF)
    finally:
        _mark(root, "cleaned")


def _answer(scope: Scope, metrics: Metrics) -> bytes:
    match scope["path"].removeprefix(scope["root_path"]):
        case "/metrics":
            return metrics.exposition()[0]
        case "/client":
            return json.dumps({"client": scope["client"], "scheme": scope["scheme"]}).encode()
        case _:
            return str(os.getpid()).encode()


def _mark(root: Path, what: str) -> None:
    (root / f"{what}-{os.getpid()}").touch()


def main() -> None:
    """Run it with the settings of the environment."""
    try:
        run(Settings.load({}), announce=lambda urls: print(*urls, flush=True), app=f"{__package__}.stand_in:create_app")
    except ApplicationFailed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
