"""`job`: any long work watched to its end, or ended; and the bar that a person sees of it."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import Run, command, started
from tests.client.scripted_jobs import Work, told
from tests.client.scripted_web import scripted_web
from tests.support.server import wait_until

JOB = "/app/jobs/one"
TRANSFORM = {"work": "transform", "bytes_total": None, "bytes_done": 70, "rows_in": 5, "rows_out": 4}


def transform(state: str, **members: Any) -> dict[str, Any]:
    return {"id": "one", "state": state, **TRANSFORM, **members}


@pytest.mark.parametrize(
    ("records", "code", "said"),
    [
        ([transform("running"), transform("done")], 0, "transform done: 5 rows in, 4 rows out; 70 bytes read"),
        (
            [transform("failed", fault={"code": "x", "reason": "a row\nis bad"})],
            1,
            "transform failed: a row is bad; 70",
        ),
        ([transform("failed", fault={"code": "x"})], 1, "transform failed: x; 70"),
        ([transform("waiting"), transform("cancelled")], 1, "transform cancelled: 5 rows in"),
    ],
)
def test_a_job_is_watched_to_its_end(run: Run, records: list[dict[str, Any]], code: int, said: str) -> None:
    with scripted_web(Work(records)) as origin:
        done = run("job", f"{origin}{JOB}")
        quiet = run("job", f"{origin}{JOB}/", "--quiet")
        as_json = run("job", f"{origin}{JOB}", "--json")
    assert (done.code, done.output) == (code, "")
    assert done.errors.startswith(said)
    assert (quiet.code, quiet.errors) == (code, "" if code == 0 else done.errors)
    assert (as_json.code, json.loads(as_json.output)) == (code, records[-1])


def test_a_job_is_cancelled_and_watched_until_it_is(run: Run) -> None:
    work = Work([told("running")])
    with scripted_web(work) as origin:
        done = run("job", f"{origin}{JOB}", "--cancel")
    assert (done.code, done.errors.splitlines()[-1][:16]) == (0, "verify cancelled")
    assert [each for each in work.requests if "events" not in each] == [f"GET {JOB}", f"DELETE {JOB}"]


def test_a_job_that_is_over_is_not_forgotten_by_cancelling_it(run: Run) -> None:
    work = Work([transform("done")])
    with scripted_web(work) as origin:
        done = run("job", f"{origin}{JOB}", "--cancel")
    assert (done.code, work.requests) == (1, [f"GET {JOB}"])
    assert done.errors.startswith("transform done")


def test_an_interrupt_leaves_the_job_going_on(tmp_path: Path) -> None:
    work = Work([told("running")] * 1000, told_at_once=1)
    with scripted_web(work) as origin, started(tmp_path, "job", f"{origin}{JOB}") as watching:
        wait_until(lambda: f"GET {JOB}/events" in work.requests, timeout_s=30)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130
    assert set(work.requests) == {f"GET {JOB}/events"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ftp://host/jobs/one"], 2, "is not an http or https URL"),
        (["http://127.0.0.1:1/jobs/one", "--retries", "0"], 1, "nothing answers at http://127.0.0.1:1 (Conn"),
        (["http://127.0.0.1:1/jobs/one", "-H", "nonsense"], 2, "is not NAME:VALUE"),
    ],
)
def test_what_cannot_be_watched_is_told_in_one_line(run: Run, words: Sequence[str], code: int, said: str) -> None:
    done = run("job", *words)
    assert (done.code, done.output, done.errors.count("\n")) == (code, "", 1)
    assert said in done.errors


def test_a_job_that_is_not_there_is_told(run: Run) -> None:
    with scripted_web(Work([])) as origin:
        done = run("job", f"{origin}/app/jobs/two")
    assert (done.code, done.output) == (1, "")
    assert "the server answers 404" in done.errors


def on_a_terminal(*words: str) -> tuple[int, str]:
    """Run the command with a terminal for standard error, 150 columns wide."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "150", "TERM": "xterm"}
    with subprocess.Popen(command(words), stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # EIO is how a terminal ends
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        return process.wait(30), shown.decode()


RUNNING = {"bytes_total": 40 << 20, "bytes_done": 10 << 20, "rate": 1536 << 10, "time_left_s": 20.0}


@pytest.mark.parametrize("words", [("job", JOB), ("verify", "/app/files/")])
def test_a_person_sees_bytes_speed_time_left_and_counts(words: tuple[str, str]) -> None:
    work = Work([told("running", **{**RUNNING, "damaged": 1}), told("running"), told("done")], told_at_once=1)
    with scripted_web(work) as origin:
        code, shown = on_a_terminal(words[0], f"{origin}{words[1]}")
    assert code == 0
    for part in ("verify running 2 intact, 1 damaged", "10.0/40.0 MiB", "1.5 MiB/s", "0:00:20 left"):
        assert part in shown


def test_no_bar_for_who_wants_quiet() -> None:
    with scripted_web(Work([told("running", **RUNNING), told("done")])) as origin:
        assert on_a_terminal("job", f"{origin}{JOB}", "--quiet") == (0, "")
