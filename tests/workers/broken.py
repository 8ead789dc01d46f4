"""An entry module that cannot be prepared."""

from typing import Any

from fileserver.workers import Channel


def prepare() -> None:
    """Fails."""
    raise RuntimeError("no library here")


def warm() -> None:
    """Never called."""


def run(state: None, spec: dict[str, Any], channel: Channel) -> None:
    """Never called."""
