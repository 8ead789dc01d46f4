"""A plan over files of this machine, in one worker of a pool that lives as long as the command."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import anyio

from fileserver.tables import Counts, EngineFailed, OutOfMemory, Plan, TableFault, fault_of
from fileserver.transform_command.ends import (
    MAGIC_SIZE,
    Write,
    appending,
    chunks,
    coding_of,
    is_file_from_its_start,
    reading,
)
from fileserver.workers import Pool, PoolLimits, Worker, WorkerDied, WorkerGone

ENGINE = "fileserver.tables.engine.job"
BEYOND_MEMORY = 3 << 30
"""Bytes of data that a worker may have beside the engine's budget, which does not hold for all that it does."""

FOREVER_S = 365 * 86400
"""Whoever waits can interrupt; no limit is made of it."""

NO_LIMIT = 1 << 50
"""Bytes: of spilt files and of rejects, the disk itself is the limit."""

MAX_THREADS = 8


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: `memory` is the engine's budget in bytes."""

    plan: Plan
    source: str
    rejects: Path | None
    memory: int


@dataclass(slots=True)
class _Heard:
    """What the worker has told last, and whether it died."""

    message: Mapping[str, Any] = field(default_factory=dict)
    death: WorkerDied | None = None


@dataclass(frozen=True, slots=True)
class _Pipe:
    """A table that comes through a pipe: what has been read of it, and where the rest comes from."""

    beginning: bytes
    descriptor: int


async def transformed(job: Job, write: Write, tell: Callable[[Counts], None]) -> Counts:
    """The counts, when all output has been written; `tell` is called with those so far, now and then.

    Raises TableFault, CannotOpen, CannotRead, and what `write` raises.
    """
    with ExitStack() as stack:
        source = stack.enter_context(reading(job.source))
        files = _files(job, stack)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fileserver-transform-")))
        is_file = is_file_from_its_start(source)
        pipe = None if is_file else _Pipe(await _beginning(source), source)
        spec = _spec(job, os.pread(source, MAGIC_SIZE, 0) if pipe is None else pipe.beginning, is_live=not is_file)
        try:
            async with (
                Pool(ENGINE, _limits(job)) as pool,
                pool.worker(spec, files, folder=folder, input=source if is_file else None) as worker,
            ):
                return await _worked(worker, pipe, write, tell)
        except WorkerDied as died:
            raise _fault_of(died) from died


async def _beginning(descriptor: int) -> bytes:
    """The first bytes of a pipe, enough to see how they are compressed."""
    beginning = b""
    async for chunk in chunks(descriptor):
        beginning += chunk
        if len(beginning) >= MAGIC_SIZE:
            break
    return beginning


def _spec(job: Job, beginning: bytes, *, is_live: bool) -> dict[str, Any]:
    return {
        "kind": "transform",
        "plan": job.plan.model_dump(mode="json"),
        "is_live": is_live,
        "content_encoding": coding_of(beginning),
        "memory": job.memory,
        "spill": NO_LIMIT,
        "threads": min(len(os.sched_getaffinity(0)), MAX_THREADS),
        "rejects_size": NO_LIMIT,
    }


def _limits(job: Job) -> PoolLimits:
    return PoolLimits(
        jobs=1,
        warm=0,
        data_size=job.memory + BEYOND_MEMORY,
        cpu_s=FOREVER_S,
        file_size=NO_LIMIT,
        wall_s=FOREVER_S,
    )


def _files(job: Job, stack: ExitStack) -> dict[str, int]:
    """Descriptors of what else the worker reads, and of the file for what it rejects."""
    joined = {f"join:{place}": step.file for place, step in enumerate(job.plan.steps) if step.op == "join"}
    named = {f"table:{name}": file for name, file in job.plan.tables.items()}
    files = {name: stack.enter_context(reading(file)) for name, file in {**joined, **named}.items()}
    if job.rejects is not None:
        files["rejects"] = stack.enter_context(appending(job.rejects))
    return files


async def _worked(worker: Worker, pipe: _Pipe | None, write: Write, tell: Callable[[Counts], None]) -> Counts:
    """Feed, listen and write until the output ends; then what was told last says what the output is worth."""
    heard = _Heard()
    try:
        async with anyio.create_task_group() as listening:
            listening.start_soon(_listen, worker, heard, tell)
            async with anyio.create_task_group() as feeding:
                if pipe is not None:
                    feeding.start_soon(_feed, worker, pipe)
                while chunk := await worker.read():
                    await write(chunk)
                feeding.cancel_scope.cancel()  # it may wait for more of what nobody needs
    except BaseExceptionGroup as group:
        raise _innermost(group) from None
    if heard.message.get("type") == "done":
        return _counts(heard.message)
    if heard.message.get("type") == "failed":
        raise _told_fault(heard.message)
    raise heard.death or EngineFailed("the engine ended without a word")


async def _feed(worker: Worker, pipe: _Pipe) -> None:
    """Pass on what comes. Its end is told only if it is one: after an error of reading the worker must not see any."""
    try:
        await worker.write(pipe.beginning)
        async for chunk in chunks(pipe.descriptor):
            await worker.write(chunk)
    except WorkerGone:
        return
    worker.end_input()


async def _listen(worker: Worker, heard: _Heard, tell: Callable[[Counts], None]) -> None:
    try:
        async for message in worker.messages():
            heard.message = message
            if message["type"] == "progress":
                tell(_counts(message))
    except WorkerDied as died:
        heard.death = died


def _counts(message: Mapping[str, Any]) -> Counts:
    return Counts(**{each.name: message[each.name] for each in fields(Counts)})


def _told_fault(message: Mapping[str, Any]) -> TableFault:
    return fault_of({name: value for name, value in message.items() if name not in ("type", "counts")})


def _fault_of(died: WorkerDied) -> TableFault:
    if died.reason == "memory":
        return OutOfMemory("the transform needs more memory than it may have; --memory gives it more")
    words = died.end.words.strip().splitlines()[-1:]  # of a traceback, the error
    return EngineFailed(": ".join((f"the engine ended before its work did ({died.reason})", *words)))


def _innermost(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception that a group of groups is about."""
    first = group.exceptions[0]
    return _innermost(first) if isinstance(first, BaseExceptionGroup) else first
