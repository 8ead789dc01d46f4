"""Workers that are kept between the jobs of one file, and by what they go."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from fileserver.workers import KeptWorkers, PoolLimits, QueueFull, WorkerDied
from fileserver.workers.kept import MOST_IDLE
from tests.workers.pools import children_of, gone, is_running

ENTRY = "tests.workers.kept_jobs"


@pytest.fixture
async def workers() -> AsyncIterator[KeptWorkers]:
    """Two at a time, and two jobs that wait."""
    async with KeptWorkers(ENTRY, PoolLimits(jobs=2, queue=2)) as opened:
        yield opened


async def done(workers: KeptWorkers, folder: Path, subject: str, job: str = "tell", **spec: Any) -> dict[str, Any]:
    """What the worker says of a job on a file whose content is the subject."""
    source = os.memfd_create("source")
    try:
        os.write(source, subject.encode())
        return dict(await workers.do(subject, {"job": job, **spec}, {"source": source}, folder=folder))
    finally:
        os.close(source)


async def test_the_jobs_of_one_file_have_one_process_and_each_its_own_descriptors(
    workers: KeptWorkers, folder: Path
) -> None:
    told = [await done(workers, folder, "a") for _ in range(100)]
    assert len({each["pid"] for each in told}) == 1
    assert {each["content"] for each in told} == {"a"}
    assert len({each["descriptors"] for each in told}) == 1


async def test_another_file_has_another_process(workers: KeptWorkers, folder: Path) -> None:
    pids = {(await done(workers, folder, subject))["pid"] for subject in "abab"}
    assert len(pids) == 2


async def test_two_jobs_at_a_time_have_two_processes_of_which_one_stays(workers: KeptWorkers, folder: Path) -> None:
    found: list[dict[str, Any]] = []

    async def ask() -> None:
        found.append(await done(workers, folder, "a", "sleep", seconds=0.2))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
    pids = {each["pid"] for each in found}
    assert len(pids) == 2
    with anyio.fail_after(20):
        while all(map(is_running, pids)):
            await anyio.sleep(0.01)
    assert any(map(is_running, pids))


async def test_no_more_than_a_few_are_kept(workers: KeptWorkers, folder: Path) -> None:
    pids = [(await done(workers, folder, f"file {number}"))["pid"] for number in range(MOST_IDLE + 3)]
    await gone(*pids[:3])
    assert all(map(is_running, pids[3:]))


@pytest.mark.parametrize("job", ["fail", "grow"])
async def test_one_that_failed_or_has_grown_is_not_kept(workers: KeptWorkers, folder: Path, job: str) -> None:
    pid = (await done(workers, folder, "a", job))["pid"]
    assert not is_running(pid)
    assert (await done(workers, folder, "a"))["pid"] != pid


@pytest.mark.parametrize(("job", "reason"), [("crash", "crashed"), ("exit", "done")])
async def test_one_that_dies_over_its_job_is_told_and_the_next_job_has_another(
    workers: KeptWorkers, folder: Path, job: str, reason: str
) -> None:
    await done(workers, folder, "a")
    with pytest.raises(WorkerDied) as raised:
        await done(workers, folder, "a", job)
    assert raised.value.reason == reason
    assert (await done(workers, folder, "a"))["content"] == "a"


async def test_one_that_was_killed_while_it_waited_is_replaced(workers: KeptWorkers, folder: Path) -> None:
    pid = (await done(workers, folder, "a"))["pid"]
    os.kill(pid, signal.SIGKILL)
    await gone(pid)
    assert (await done(workers, folder, "a"))["pid"] != pid


async def test_each_job_has_its_own_time(folder: Path) -> None:
    async with KeptWorkers(ENTRY, PoolLimits(jobs=1, wall_s=1.0)) as workers:
        for _ in range(4):
            await done(workers, folder, "a", "sleep", seconds=0.4)
        with pytest.raises(WorkerDied) as raised:
            await done(workers, folder, "a", "sleep", seconds=60)
        assert raised.value.reason == "time"


async def test_who_leaves_ends_the_job_and_more_than_may_wait_is_refused(folder: Path) -> None:
    async with KeptWorkers(ENTRY, PoolLimits(jobs=1, queue=0)) as workers:
        pid = (await done(workers, folder, "a"))["pid"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(done, workers, folder, "a", "hang")
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(QueueFull):
                await done(workers, folder, "b")
            tasks.cancel_scope.cancel()
        assert not is_running(pid)


async def test_those_that_nobody_needs_go(folder: Path) -> None:
    async with KeptWorkers(ENTRY, PoolLimits(), idle_s=0.2) as workers:
        await gone((await done(workers, folder, "a"))["pid"])


async def test_at_the_end_nothing_is_left(folder: Path) -> None:
    before, descriptors = children_of(os.getpid()), len(os.listdir("/proc/self/fd"))
    async with KeptWorkers(ENTRY, PoolLimits(jobs=2)) as workers:
        pids = [(await done(workers, folder, subject))["pid"] for subject in "abc"]
    assert not any(is_running(pid) for pid in pids)
    assert children_of(os.getpid()) == before
    assert len(os.listdir("/proc/self/fd")) == descriptors
