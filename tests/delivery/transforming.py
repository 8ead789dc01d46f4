"""A workshop with real workers that run the stand-in, and requests to it."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio

from fileserver.delivery.disk_cache import DiskCache
from fileserver.delivery.exchange import TransformRequest
from fileserver.delivery.table_sources import Source, raw_table, stored_table
from fileserver.delivery.transform import Transforming
from fileserver.delivery.upload import Promise
from fileserver.delivery.workshop import Keep, Workshop
from fileserver.jobs import Jobs, Record
from fileserver.jobs.record import record_of
from fileserver.tables import Asked, Counts, Plan
from fileserver.workers import Pool, PoolLimits
from storage import Condition, Key, Library, always
from tests.support.asgi import Exchange, Message, body_events, drive, http_scope

STAND_IN = "tests.delivery.stand_in"
UNTIL_GONE_S = 10.0


@dataclass(frozen=True)
class Site:
    """A workshop over a library, and what became of the transforms in it."""

    workshop: Workshop
    library: Library
    folder: Path
    ends: list[tuple[str, Counts]] = field(default_factory=list)

    def asked(
        self,
        source: Source | None = None,
        *,
        plan: Plan | None = None,
        joins: Mapping[str, Key] | None = None,
        save: str | None = None,
        condition: Condition = always,
        coding: str = "",
    ) -> TransformRequest:
        """A request that says so."""
        promise = Promise(None, None, {})
        return TransformRequest(
            asked=Asked(plan or Plan()),
            source=source or partial(raw_table, length=None, digests={}),
            joins=joins or {},
            owner="",
            job_href=lambda job_id: f"/jobs/{job_id}",
            on_end=lambda state, counts: self.ends.append((state, counts)),
            content_encoding=coding,
            keep=Keep(self.library, Key(save), condition, promise) if save else None,
        )

    def app(self, request: TransformRequest | None = None) -> Transforming:
        """The application that answers it."""
        return Transforming(self.workshop, self.library, request or self.asked())

    def stored(self, key: str) -> Source:
        """A stored table."""
        return partial(stored_table, library=self.library, key=Key(key))

    def records(self) -> list[Record]:
        """What the jobs told last, by their files."""
        return [record_of(path.read_text()) for path in sorted(self.folder.glob("jobs/*/job.json"))]

    def work_folders(self) -> list[Path]:
        """Folders of workers that are there."""
        return sorted(self.folder.glob("jobs/*/work"))

    async def until_free(self) -> None:
        """Wait until every worker that had a job is gone, with its folder."""
        with anyio.fail_after(UNTIL_GONE_S):
            while self.work_folders():
                await anyio.sleep(0.002)


@asynccontextmanager
async def opened_site(folder: Path, library: Library, **limits: int) -> AsyncIterator[Site]:
    """A workshop with its scratch in `folder`."""
    async with Pool(STAND_IN, PoolLimits(**{"jobs": 2, "queue": 1, **limits})) as pool:
        jobs = Jobs(folder / "jobs", 60.0)
        yield Site(Workshop(pool, jobs, 1 << 28, 1 << 28, DiskCache(folder / "tables", 1 << 20)), library, folder)


async def post(
    site: Site,
    *chunks: bytes,
    request: TransformRequest | None = None,
    is_complete: bool = True,
    leaves: bool = False,
    cancel_at_await: int | None = None,
    disconnect_at_send: int | None = None,
    on_send: Callable[[Message], Awaitable[None]] | None = None,
) -> Exchange:
    """Send a table, and see what comes back; `leaves`: the client does, when it has sent this."""
    return await drive(
        site.app(request),
        http_scope("POST", "/transform"),
        body_events(*chunks, is_complete=is_complete),
        disconnect_after_events=leaves,
        cancel_at_await=cancel_at_await,
        disconnect_at_send=disconnect_at_send,
        on_send=on_send,
    )


def children() -> Sequence[int]:
    """Process numbers of the processes that came of this one, zygotes and workers."""
    found, waiting = [], [os.getpid()]
    while waiting:
        pid = waiting.pop()
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            below = [int(number) for number in path.read_text().split()]
            found += below
            waiting += below
    return found
