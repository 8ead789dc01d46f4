"""A job in a real worker: forked, sandboxed, limited, over pipes, as the server runs it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fileserver.tables import TableFault, fault_of
from fileserver.workers import Pool, PoolLimits, Worker, WorkerDied, WorkerEnd, WorkerGone

ENTRY = "fileserver.tables.engine.job"
LIMITS = PoolLimits()


@dataclass
class Done:
    """What came of a job: all output, all messages, the rejects, and the fault if there was one."""

    output: bytes
    messages: list[dict[str, Any]]
    end: WorkerEnd
    rejects: list[dict[str, Any]] = field(default_factory=list)

    @property
    def fault(self) -> TableFault | None:
        """Why it failed."""
        last = self.messages[-1] if self.messages else {"type": "nothing"}
        if last["type"] != "failed":
            return None
        return fault_of({name: value for name, value in last.items() if name not in ("type", "counts")})

    @property
    def counts(self) -> dict[str, int]:
        """The last counts."""
        last = self.messages[-1]
        counts: dict[str, int] = last["counts"] if last["type"] == "failed" else last
        return counts

    @property
    def text(self) -> str:
        """The output of a job that did not fail."""
        assert self.fault is None, self.fault
        return self.output.decode()

    @property
    def begun(self) -> dict[str, Any]:
        """What was said before the output."""
        return next(each for each in self.messages if each["type"] == "begun")


class Workshop:
    """Runs jobs in the workers of one pool."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder
        self._jobs = 0

    async def run(
        self,
        plan: Mapping[str, Any],
        table: bytes | Iterable[bytes] | Path,
        files: Mapping[str, bytes] | None = None,
        **spec: Any,
    ) -> Done:
        """A job to its end. A table that is a path is a stored one, bytes arrive live."""
        with ExitStack() as stack:
            stored = stack.enter_context(table.open("rb")).fileno() if isinstance(table, Path) else None
            rejects = self.new_folder() / "rejects.ndjson"
            given = {"rejects": stack.enter_context(rejects.open("ab")).fileno()}
            for name, content in (files or {}).items():
                path = self.new_folder() / "other.csv"
                path.write_bytes(content)
                given[name] = stack.enter_context(path.open("rb")).fileno()
            asked = {**_spec(plan, is_live=stored is None), **spec}
            async with self._pool.worker(asked, given, folder=self.new_folder(), input=stored) as worker:
                done = await _to_the_end(worker, table)
            done.rejects = [json.loads(line) for line in rejects.read_text().splitlines()]
        return done

    def new_folder(self) -> Path:
        """An empty folder."""
        self._jobs += 1
        folder = self._folder / str(self._jobs)
        folder.mkdir()
        return folder


@asynccontextmanager
async def workshop(folder: Path, limits: PoolLimits = LIMITS) -> AsyncIterator[Workshop]:
    """A pool of workers and folders for its jobs."""
    async with Pool(ENTRY, limits) as pool:
        yield Workshop(pool, folder)


def _spec(plan: Mapping[str, Any], *, is_live: bool) -> dict[str, Any]:
    return {
        "kind": "transform",
        "plan": plan,
        "is_live": is_live,
        "content_encoding": "",
        "memory": 1 << 30,
        "spill": 4 << 30,
        "threads": 2,
        "rejects_size": 1 << 20,
    }


async def _to_the_end(worker: Worker, table: bytes | Iterable[bytes] | Path) -> Done:
    messages, output = list[dict[str, Any]](), list[bytes]()

    async def hear() -> None:
        messages.extend([each async for each in worker.messages()])

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_feed(worker, table))
        hearing = tasks.create_task(_quietly(hear()))
        while piece := await worker.read():
            output.append(piece)
        await hearing
    return Done(b"".join(output), messages, await worker.wait())


async def _quietly(heard: Awaitable[None]) -> None:
    with suppress(WorkerDied):  # `Done.end` tells how
        await heard


async def _feed(worker: Worker, table: bytes | Iterable[bytes] | Path) -> None:
    if isinstance(table, Path):
        return
    try:
        for piece in (table,) if isinstance(table, bytes) else table:
            await worker.write(piece)
        worker.end_input()
    except WorkerGone:
        pass
