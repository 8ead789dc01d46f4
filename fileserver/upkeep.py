"""The storage's background work, for as long as the application lives: its events become figures and log lines."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fileserver.metrics import Metrics
from storage import Damaged, Event, Failed, ForeignChanges, Hashed, Upkeep

log = logging.getLogger("fileserver.upkeep")


@asynccontextmanager
async def kept_up(upkeep: Upkeep | ForeignChanges) -> AsyncIterator[None]:
    """Let the work go on for the length of the block. A fault of its own ends it, and nothing else."""
    task = asyncio.create_task(upkeep.run())
    task.add_done_callback(_tell_of_a_fault)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def teller(metrics: Metrics) -> Callable[[Event], None]:
    """Counts events, and logs those that somebody should look at as one JSON object each."""

    def tell(event: Event) -> None:
        match event:
            case Hashed(size=size):
                metrics.hashed.inc(size)
            case Damaged(finding):
                metrics.damaged.inc()
                expected, found = _hex(finding.expected), _hex(finding.found)
                _warn("damaged", key=_plain(finding.key), size=finding.size, expected=expected, found=found)
            case Failed(work, error):
                _warn("failed", work=work, error=f"{type(error).__name__}: {_plain(str(error))}")

    return tell


def _warn(event: str, **said: str | int | None) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    log.warning("%s", json.dumps({"time": now, "level": "warning", "upkeep": event, **said}))


def _plain(text: str) -> str:
    """Printable ASCII: nothing in a name can end a line or move a cursor, once the line is decoded either."""
    return text.encode("unicode_escape").decode("ascii")


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def _tell_of_a_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("The background work has ended", exc_info=error)
