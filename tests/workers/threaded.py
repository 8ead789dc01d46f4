"""An entry module that starts a thread while it gets warm, which the sandbox would not hold."""

import threading
from typing import Any

from fileserver.workers import Channel


def prepare() -> None:
    """All is imported."""


def warm() -> None:
    """Starts a thread that stays."""
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def run(state: None, spec: dict[str, Any], channel: Channel) -> None:
    """Never called."""
    channel.tell({"type": "done"})
