"""What is left of a verification that is cut off."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from fileserver.delivery.verifying import verify_files
from fileserver.jobs import Jobs
from storage import Catalogue, Finding, Key, MemoryStore, Pace, Rereader, Verification

DAMAGED = Finding("damaged", Key("b"), 1, bytes(32), b"\1" * 32)


@dataclass(frozen=True, slots=True)
class CutOff(Verification):
    """One that is cut off before its last finding."""

    scope: anyio.CancelScope | None = None

    async def findings(self, watch: Callable[[Key, int], None] = print) -> AsyncGenerator[Finding, None]:
        """A foreign file, and a damaged one."""
        yield Finding("foreign", Key("a"))
        if self.scope is not None:
            self.scope.cancel()
        yield DAMAGED


@asynccontextmanager
async def cut_off(scope: anyio.CancelScope) -> AsyncIterator[CutOff]:
    catalogue, rereader = Catalogue(None), Rereader(Pace(), threads=1)
    await catalogue.start()
    try:
        yield CutOff(MemoryStore(), catalogue, rereader, scope=scope)
    finally:
        await catalogue.close()
        rereader.close()


async def test_a_verification_that_is_cancelled_leaves_all_that_it_found(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    scope = anyio.CancelScope()
    async with jobs.begin("", work="verify") as job, cut_off(scope) as verification:
        with scope:
            await verify_files(job, verification)
        await job.end("cancelled")
    text = (await jobs.findings(job.id, "")).read_text()
    assert [json.loads(line)["key"] for line in text.splitlines()] == ["a", "b"]
