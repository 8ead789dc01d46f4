"""What whoever follows all jobs is told of one: its beginning, how it goes now and then, and its end."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fileserver.jobs.record import Record

log = logging.getLogger("fileserver.jobs")

Report: TypeAlias = Callable[[Record], Awaitable[None]]

REPORT_S = 1.0
"""How often a job is told of at most, and how long one that somebody waits for has to last to be told of at all."""


async def unreported(_record: Record) -> None:
    """Tells nobody."""


async def report_safely(report: Report, record: Record) -> None:
    """Tell of a job; that nobody can be told is no fault of the job's."""
    try:
        await report(record)
    except Exception as error:  # of any kind: the work goes on
        log.warning("a job could not be told of: %s", type(error).__name__)


class Reports:
    """Those of one job. One `in_background` is told of from its beginning, any other if it lasts."""

    def __init__(self, report: Report, *, in_background: bool) -> None:
        self._report = report
        self._in_background = in_background
        self._due_s = time.monotonic() + (0 if in_background else REPORT_S)
        self._told: Record | None = None

    async def tell(self, record: Record) -> None:
        """Tell of a job that goes on, if that is due and anything is new."""
        if time.monotonic() >= self._due_s and record is not self._told:
            await self._tell(record)

    async def end(self, record: Record) -> None:
        """Tell of a job that is over, if anybody has heard of it."""
        if (self._told is not None or self._in_background) and record is not self._told:
            await self._tell(record)

    async def _tell(self, record: Record) -> None:
        self._told = record
        self._due_s = time.monotonic() + REPORT_S
        await report_safely(self._report, record)
