"""What is told of jobs: how fast they are, when they began, and to whom they are reported."""

import sys
import time
from pathlib import Path

import anyio
import pytest

from fileserver.jobs import Jobs, NoSuchJob, Record
from fileserver.jobs.record import record_of
from tests.jobs.test_jobs import DEAD_OWNER


class Told:
    """What was reported of jobs."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.records = list[Record]()
        self._fault = fault

    async def __call__(self, record: Record) -> None:
        self.records.append(record)
        if self._fault is not None:
            raise self._fault

    @property
    def states(self) -> list[str]:
        """The states that were told, in order."""
        return [record.state for record in self.records]


async def test_a_job_in_the_background_is_reported_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    told = Told()
    async with Jobs(tmp_path, 60, report=told).begin("", work="verify", in_background=True) as job:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(job.until_unwanted)
            with anyio.fail_after(10):
                while not told.records:
                    await anyio.sleep(0.001)
            job.begin({})
            with anyio.fail_after(10):
                while "running" not in told.states:
                    job.add_done(1)
                    await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()
        await job.end("done")
    assert (told.states[0], told.states[-1], told.states.count("done")) == ("waiting", "done", 1)
    assert {record.work for record in told.records} == {"verify"}


async def test_a_job_that_is_over_in_a_moment_is_not_reported(tmp_path: Path) -> None:
    told = Told()
    async with Jobs(tmp_path, 60, report=told).begin("") as job:
        job.begin({})
        await job.end("done")
    assert told.records == []


async def test_what_is_counted_after_the_end_changes_nothing(tmp_path: Path) -> None:
    told = Told()
    jobs = Jobs(tmp_path, 60, report=told)
    async with jobs.begin("", work="verify", in_background=True) as job:
        await job.end("cancelled")
        job.add_done(1)
    assert (told.states, (await jobs.find(job.id, "")).bytes_done) == (["cancelled"], 0)


async def test_one_that_lasts_is_at_most_once_a_second(tmp_path: Path) -> None:
    times = list[float]()

    async def report(_record: Record) -> None:
        times.append(time.monotonic())

    async with Jobs(tmp_path, 60, report=report).begin("") as job, anyio.create_task_group() as tasks:
        tasks.start_soon(job.until_unwanted)
        began_s = time.monotonic()
        with anyio.fail_after(20):
            while len(times) < 2:
                job.add_output(1)
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert times[0] >= began_s + 0.9
    assert times[1] >= times[0] + 0.9
    assert len(times) == 3  # the end, which was a cut, is told at once


async def test_one_that_was_cut_off_is_reported_so(tmp_path: Path) -> None:
    told = Told()
    async with Jobs(tmp_path, 60, report=told).begin("", in_background=True):
        pass
    assert told.states == ["cancelled"]


async def test_a_job_that_was_none_is_not_reported(tmp_path: Path) -> None:
    told = Told()
    async with Jobs(tmp_path, 60, report=told).begin("", in_background=True) as job:
        job.forget()
    assert told.records == []


async def test_a_report_that_fails_fails_no_job(tmp_path: Path) -> None:
    told = Told(RuntimeError("nobody listens"))
    jobs = Jobs(tmp_path, 60, report=told)
    async with jobs.begin("", in_background=True) as job:
        await job.end("done")
    assert told.states == ["done"]
    assert (await jobs.find(job.id, "")).state == "done"


async def test_the_sweep_reports_those_whose_owner_died_and_does_so_once(tmp_path: Path) -> None:
    ended = await anyio.run_process([sys.executable, "-c", DEAD_OWNER, str(tmp_path)], check=False)
    job_id = ended.stdout.decode().strip()
    told = Told()
    jobs = Jobs(tmp_path, 60, report=told)
    before = await jobs.find(job_id, "")
    changed_at = (tmp_path / job_id / "job.json").stat().st_mtime
    await jobs.sweep()
    await jobs.sweep()
    assert [(record.id, record.state) for record in told.records] == [(job_id, "failed")]
    assert await jobs.find(job_id, "") == before  # a client that saw it failed sees nothing new
    assert (tmp_path / job_id / "job.json").stat().st_mtime == pytest.approx(changed_at, abs=0.001)


def test_a_job_that_died_has_another_time_than_when_it_lived() -> None:
    for number in range(10_000):
        lived = Record("a", "", "running", 1.7e9, 1.7e9 + number * 0.0007)
        assert round(lived.of_a_dead_owner().changed_at * 1000) > round(lived.changed_at * 1000)


async def test_the_end_of_a_job_has_another_time_than_what_was_told_before(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    for _ in range(20):
        async with jobs.begin("") as job:
            before = await jobs.find(job.id, "")
            await job.end("done")
            after = await jobs.find(job.id, "")
        assert round(after.changed_at * 1000) > round(before.changed_at * 1000)


def test_a_record_of_an_earlier_version_can_be_read() -> None:
    text = (
        '{"id":"a","owner":"me","state":"done","created_at":1.5,"changed_at":2.5,"bytes_total":7,"bytes_out":3,'
        '"counts":{"rows_in":1},"begun":{"plan":"streaming"},"fault":null,"saved":[{"key":"k"}]}'
    )
    read = record_of(text)
    assert (read.work, read.bytes_done, read.rate, read.asked) == ("transform", 0, None, {})
    assert (read.state, read.counts, read.saved) == ("done", {"rows_in": 1}, ({"key": "k"},))
    assert record_of(read.as_text()) == read


@pytest.mark.parametrize(
    ("record", "rate", "time_left_s"),
    [
        (Record("a", "", "waiting", 1, 1, 100), None, None),
        (Record("a", "", "running", 1, 2, 100, begun_at=2), None, None),
        (Record("a", "", "running", 1, 4, 100, begun_at=2), 0, None),
        (Record("a", "", "running", 1, 4, None, begun_at=2, bytes_done=10), 5, None),
        (Record("a", "", "running", 1, 4, 100, begun_at=2, bytes_done=10), 5, 18),
        (Record("a", "", "running", 1, 4, 5, begun_at=2, bytes_done=10), 5, 0),
        (Record("a", "", "failed", 1, 4, 100, begun_at=2, bytes_done=10), 5, 0),
    ],
)
def test_rate_and_time_left(record: Record, rate: float | None, time_left_s: float | None) -> None:
    assert (record.rate, record.time_left_s) == (rate, time_left_s)


async def test_what_it_runs_for_is_counted_from_its_beginning(tmp_path: Path) -> None:
    async with Jobs(tmp_path, 60).begin("", asked={"key": "t.csv"}) as job:
        assert job.record.begun_at is None
        job.begin({})
        begun_at = job.record.begun_at
        job.begin({"columns": ["a"]})  # more is known now
        assert job.record.begun_at == begun_at
        assert (job.record.begun, job.record.asked) == ({"columns": ["a"]}, {"key": "t.csv"})


async def test_lines_are_those_of_the_work(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    async with jobs.begin("", work="verify") as verifying, jobs.begin("") as transforming:
        assert (await jobs.findings(verifying.id, "")).exists()
        assert (await jobs.rejects(transforming.id, "")).exists()
        with pytest.raises(NoSuchJob):
            await jobs.rejects(verifying.id, "")
        with pytest.raises(NoSuchJob):
            await jobs.findings(transforming.id, "")
