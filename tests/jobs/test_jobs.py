"""Jobs in their folders: what others see, what a dead owner leaves, what is forgotten and when."""

import doctest
import os
import sys
import time
from pathlib import Path

import anyio
import pytest

from fileserver.jobs import Jobs, NoSuchJob, record, scratch_folder
from fileserver.jobs.scratch import make_private

DEAD_OWNER = """
import anyio, os, sys
from pathlib import Path
from fileserver.jobs import Jobs
async def main():
    async with Jobs(Path(sys.argv[1]), 60).begin("") as job:
        job.begin({"plan": "streaming"})
        (job.work / "spill").write_bytes(b"x")
        print(job.id, flush=True)
        os._exit(9)
anyio.run(main)
"""


FULL_DISK = """
import anyio, os, sys
from pathlib import Path
from fileserver.jobs import Jobs, NoRoomForJob
async def main():
    try:
        async with Jobs(Path(sys.argv[1]), 60).begin(""):
            pass
    except NoRoomForJob:
        assert os.listdir(sys.argv[1]) == []
    else:
        raise AssertionError("there was room")
anyio.run(main)
"""


def test_the_doctest_holds() -> None:
    assert doctest.testmod(record).failed == 0


async def test_others_see_what_the_owner_tells(tmp_path: Path) -> None:
    jobs, others = Jobs(tmp_path, 60), Jobs(tmp_path, 60)
    async with jobs.begin("me") as job:
        assert (await others.find(job.id, "me")).state == "waiting"
        job.begin({"plan": "streaming"})
        job.count({"rows_in": 3})
        job.add_output(10)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(job.until_unwanted)
            with anyio.fail_after(10):
                while (seen := await others.find(job.id, "me")).state != "running":
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        assert (seen.counts, seen.bytes_out, seen.begun) == ({"rows_in": 3}, 10, {"plan": "streaming"})
        await job.end("done")
        await job.end("failed")  # the first word counts
        assert (await others.find(job.id, "me")).state == "done"
    assert (await others.find(job.id, "me")).state == "done"


async def test_a_job_belongs_to_its_owner(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    async with jobs.begin("me") as job:
        with pytest.raises(NoSuchJob):
            await jobs.find(job.id, "you")
        with pytest.raises(NoSuchJob):
            await jobs.cancel(job.id, "you")


async def test_a_job_that_was_not_ended_was_cut_off(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    async with jobs.begin("") as job:
        pass
    found = await jobs.find(job.id, "")
    assert (found.state, found.fault and found.fault["code"]) == ("cancelled", "cut-off")


async def test_the_job_of_a_dead_owner_has_failed(tmp_path: Path) -> None:
    ended = await anyio.run_process([sys.executable, "-c", DEAD_OWNER, str(tmp_path)], check=False)
    job_id = ended.stdout.decode().strip()
    jobs = Jobs(tmp_path, 60)
    found = await jobs.find(job_id, "")
    assert (found.state, found.fault and found.fault["code"]) == ("failed", "engine-failed")
    await jobs.sweep()
    assert not (tmp_path / job_id / "work").exists()
    assert (await jobs.find(job_id, "")).state == "failed"


async def test_old_jobs_are_forgotten_and_running_ones_are_not(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 100)
    async with jobs.begin("") as old, jobs.begin("") as young:
        pass
    async with jobs.begin("") as running:
        for job in (old, running):
            os.utime(tmp_path / job.id / "job.json", (0, time.time() - 200))
        await jobs.sweep()
        assert sorted(os.listdir(tmp_path)) == sorted([young.id, running.id])


async def test_rejects_are_kept_within_a_budget_the_newest_first(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 1000, budget=250)
    kept = []
    for age in (30, 20, 10):
        async with jobs.begin("") as job:
            os.write(job.rejects, b"x" * 100)
        os.utime(tmp_path / job.id / "job.json", (0, time.time() - age))
        kept.append(job.id)
    await jobs.sweep()
    assert sorted(os.listdir(tmp_path)) == sorted(kept[1:])


async def test_no_more_than_so_many_are_kept(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 1000, most=2)
    for _ in range(4):
        async with jobs.begin(""):
            pass
    await jobs.sweep()
    assert len(os.listdir(tmp_path)) == 2


async def test_a_full_disk_is_told_of_and_nothing_is_left(tmp_path: Path) -> None:
    who = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = 'mount -t tmpfs -o nr_inodes=4 none "$0" && exec "$@"'
    command = ["unshare", *who, "--mount", "sh", "-c", script, str(tmp_path)]
    ended = await anyio.run_process([*command, sys.executable, "-c", FULL_DISK, str(tmp_path)], check=False)
    assert ended.returncode == 0, ended.stderr


async def test_what_is_half_made_or_broken_is_swept_in_time(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 60)
    making, broken = tmp_path / ("m" * 22), tmp_path / ("b" * 22)
    for folder in (making, broken):
        folder.mkdir()
    (broken / "job.json").write_text("{")
    os.utime(broken / "job.json", (0, 0))
    with pytest.raises(NoSuchJob):
        await jobs.find(broken.name, "")
    await jobs.sweep()
    assert os.listdir(tmp_path) == [making.name]


async def test_a_sweep_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    above = tmp_path / "jobs"
    above.mkdir()
    (above / "link").symlink_to(target)
    async with Jobs(above, 60).begin("") as job:
        (job.work / "link").symlink_to(target)
    os.utime(above / job.id / "job.json", (0, 0))
    await Jobs(above, 60).sweep()
    assert (target / "kept").exists()


def test_scratch_is_below_the_root_or_private(tmp_path: Path) -> None:
    own = tmp_path / ".fileserver" / "scratch"
    assert scratch_folder(Path("/elsewhere"), own, is_writable=True) == Path("/elsewhere")
    assert scratch_folder(None, own, is_writable=True) == own
    private = scratch_folder(None, own, is_writable=False)
    assert not private.is_relative_to(tmp_path)
    assert private == scratch_folder(None, own, is_writable=False)


def test_a_link_in_the_place_of_a_private_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        make_private(tmp_path / "taken")
