"""A job as a source of records: what it yields, and when."""

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path

import anyio

from fileserver.delivery.job_events import event_id, progress
from fileserver.jobs import Jobs, Json, Record


def told(record: Record) -> Mapping[str, Json]:
    return {"state": record.state}


async def test_a_waiting_job_gives_signs_of_life_between_its_changes(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    async with jobs.begin("") as job, aclosing(progress(jobs, job.record, told, heartbeat_s=0.1)) as batches:
        with anyio.fail_after(20):
            (first,) = await anext(batches)
            assert (first.kind, first.content, first.last_id) == ("job", {"state": "waiting"}, event_id(job.record))
            assert await anext(batches) == ()
            await job.end("done")
            later = [record async for batch in batches for record in batch]
    assert [record.content for record in later] == [{"state": "done"}]
    assert later[0].last_id == event_id(job.record) != first.last_id


async def test_a_job_that_is_over_is_told_once(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    async with jobs.begin("") as job:
        await job.end("failed", {"code": "c"})
    assert len([batch async for batch in progress(jobs, job.record, told)]) == 1


async def test_a_job_that_is_forgotten_ends_the_tale(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    async with jobs.begin("") as job:
        waiting = job.record
        await job.end("done")
    await jobs.cancel(job.id, "")
    assert len([batch async for batch in progress(jobs, waiting, told)]) == 1
