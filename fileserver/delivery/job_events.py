"""How a job goes, told as it goes: to a client who watches it, and to the feed."""

import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

import anyio

from fileserver.delivery import live
from fileserver.delivery.live import HEARTBEAT_S, Batches
from fileserver.jobs import TELL_S, Jobs, Json, NoSuchJob, Record, Report
from storage import Changes, Key, NewChange, public_name

Told: TypeAlias = Callable[[Record], Mapping[str, Json]]
"""A job as its client sees it."""


def event_id(record: Record) -> str:
    """What a client shows to say that it has seen this: the time of the change, in milliseconds."""
    return str(round(record.changed_at * 1000))


async def progress(jobs: Jobs, record: Record, told: Told, *, heartbeat_s: float = HEARTBEAT_S) -> Batches:
    """The record of a job now, and again whenever it has changed, until the job is over.

    Looked at, because the job may be another process's. One that is forgotten meanwhile was over before.
    """
    yield (_event(record, told),)
    told_s = time.monotonic()
    while not record.is_over:
        await anyio.sleep(TELL_S)
        try:
            seen = await jobs.find(record.id, record.owner)
        except NoSuchJob:
            return
        if seen != record:
            record, told_s = seen, time.monotonic()
            yield (_event(record, told),)
        elif time.monotonic() >= told_s + heartbeat_s:
            told_s = time.monotonic()
            yield ()


def told_to(changes: Changes) -> Report:
    """Tells the feed of jobs. Raises StorageError."""

    async def report(record: Record) -> None:
        key = record.asked.get("key")
        content: dict[str, Json] = {
            "job": public_name(record.id),
            "work": record.work,
            "state": record.state,
            "bytes_done": record.bytes_done,
            "bytes_total": record.bytes_total,
            **record.counts,
        }
        await changes.add(NewChange("job", Key(key) if isinstance(key, str) else None, content, subject=record.id))

    return report


def _event(record: Record, told: Told) -> live.Record:
    return live.Record("job", told(record), event_id(record))
