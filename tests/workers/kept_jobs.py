"""Jobs for workers that are kept: each tells of its process."""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from fileserver.workers import Channel

_KEPT: list[bytes] = []


def prepare() -> None:
    """Nothing is needed."""


def warm() -> None:
    """Nothing takes time."""


def run(_state: None, spec: Mapping[str, Any], channel: Channel) -> None:
    """Do what the job says, and tell."""
    match spec["job"]:
        case "sleep":
            time.sleep(spec["seconds"])
        case "hang":
            time.sleep(1000)
        case "grow":
            _KEPT.append(b"x" * (256 << 20))
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(0)
    channel.tell(
        {
            "type": "failed" if spec["job"] == "fail" else "done",
            "pid": os.getpid(),
            "content": os.pread(channel.files["source"], 100, 0).decode(),
            "descriptors": sum(map(_is_open, range(64))),
        }
    )


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
