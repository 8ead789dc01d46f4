"""`verify` of a URL: a server's work, its findings told as those of a folder, against a server that a test decides."""

import json
import signal
from collections.abc import Sequence
from typing import Any

import pytest

from tests.client.conftest import Ended, Run, started
from tests.client.scripted_jobs import COUNTS, Work, told
from tests.client.scripted_web import Reply, Said, scripted_web
from tests.support.server import wait_until

A, B = "a" * 64, "b" * 64
FINDINGS: list[dict[str, Any]] = [
    {"finding": "damaged", "key": "films/a", "size": 7, "expected": A, "found": B},
    {"finding": "damaged", "key": "films/unreadable", "size": 7, "expected": A, "found": None},
    {"finding": "foreign", "key": "films/\x1b[2J", "size": 7, "expected": None, "found": None},
    {"finding": "missing", "key": "films/c", "size": None, "expected": A, "found": None},
]
COUNTED = {"intact": 9, "damaged": 2, "missing": 1, "foreign": 1}
LINES = [
    f"damaged films/a (sha-256 {B} instead of {A})",
    "damaged films/unreadable (it cannot be read)",
    'foreign "films/\\u001b[2J"',
    "missing films/c",
    "9 intact, 2 damaged, 1 missing, 1 foreign; 100 bytes read",
]
DONE = told("done", bytes_done=100, **COUNTS)


def damaged(**members: Any) -> Work:
    return Work([told("waiting"), told("running"), told("done", bytes_done=100, **COUNTED)], FINDINGS, **members)


def verify(run: Run, work: Work, *words: str, path: str = "/app/files/films/") -> Ended:
    with scripted_web(work) as origin:
        return run("verify", f"{origin}{path}", *words)


def test_a_sound_folder(run: Run) -> None:
    work = Work([told("running"), DONE])
    done = verify(run, work)
    assert (done.code, done.output) == (0, "2 intact, 0 damaged, 0 missing, 0 foreign; 100 bytes read\n")
    assert done.errors == ""  # no bar where nobody looks
    assert work.begun == [{"work": "verify", "prefix": "films/"}]


def test_findings_are_told_as_those_of_a_folder(run: Run) -> None:
    done = verify(run, damaged())
    assert (done.code, done.output.splitlines(), done.errors) == (1, LINES, "")
    quiet = verify(run, damaged(), "--quiet")
    assert (quiet.code, quiet.output.splitlines()) == (1, [*LINES[:2], LINES[3]])
    lines = verify(run, damaged(), "--json").outcomes
    assert lines == [*FINDINGS, {"summary": {**COUNTED, "learned": 0, "bytes": 100}}]


@pytest.mark.parametrize(
    ("path", "words", "prefix"),
    [
        ("/app/files/", (), ""),
        ("/app/files", (), ""),
        ("/app/", (), ""),
        ("/app", (), ""),
        ("/app/files/a%20b/%C3%A9?x#y", (), "a b/é"),
        ("/app/files/films/", ("old",), "films/old"),
        ("/app/files/%FF/", (), "\udcff/"),
    ],
)
def test_what_is_verified(run: Run, path: str, words: Sequence[str], prefix: str) -> None:
    work = Work([DONE])
    assert verify(run, work, *words, path=path).code == 0
    assert work.begun == [{"work": "verify", "prefix": prefix}]


def test_broken_connections_are_lived_through(run: Run) -> None:
    cuts = damaged(told_at_once=1, cut_findings=[10, 300, 500])
    done = verify(run, cuts)
    assert (done.code, done.output.splitlines()) == (1, LINES)
    assert cuts.requests.count("GET /app/jobs/one/events") == 3
    assert cuts.requests.count("GET /app/jobs/one/findings") == 4
    assert cuts.requests.count("POST /app/jobs") == 1


def test_a_server_that_is_busy_is_asked_again(run: Run) -> None:
    work = Work([DONE], begins=[Reply(503, {"Retry-After": "1"})])
    done = verify(run, work)
    assert (done.code, len(work.begun)) == (0, 2)
    assert "503" in done.errors


def test_a_job_that_may_have_begun_is_not_begun_twice(run: Run) -> None:
    work = Work([DONE], begins=["cut"])
    done = verify(run, work)
    assert (done.code, done.output, len(work.begun)) == (2, "", 1)
    assert "whether the work has begun is not known" in done.errors


FAULT = {"code": "storage-unavailable", "reason": "the disk\x1b[2J does not answer"}
GARBLED = [{"finding": "damaged", "key": "a", "size": 1, "expected": "\x1b[2J", "found": None}]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (Work([DONE], begins=[Reply(404)]), "the server answers 404"),
        (Work([told("running"), told("failed", fault=FAULT)]), "verify failed: the disk [2J does not answer"),
        (Work([told("cancelled")]), "verify cancelled"),
        (Work([told("done", intact=0)]), "films/: no file has a key that begins so"),
        (Work([{"status": "fine"}]), "this is not a job"),
        (Work([DONE], GARBLED), "in a way that is not known here"),
    ],
)
def test_what_cannot_be_found_out_ends_with_2(run: Run, work: Work, said: str) -> None:
    done = verify(run, work)
    assert (done.code, done.output) == (2, "")
    assert said in done.errors
    assert done.errors.count("\n") == 1


def test_options_for_folders_and_urls_are_kept_apart(run: Run) -> None:
    for words in (("--learn",), ("--forget",)):
        done = run("verify", "http://127.0.0.1:1/", *words)
        assert (done.code, done.errors) == (2, "fileserver: --learn and --forget are for folders\n")


def test_fields_of_the_command_line_are_sent_to_the_server(run: Run) -> None:
    seen: list[str | None] = []
    work = damaged()

    def script(asked: Any) -> Said:
        seen.append(asked.fields.get("authorization"))
        return work(asked)

    with scripted_web(script) as origin:
        run("verify", f"{origin}/app/files/", "--header", "Authorization: Bearer x")
    assert seen == ["Bearer x"] * 3


def test_an_interrupt_ends_the_job(run: Run, tmp_path: Any) -> None:
    work = Work([told("running")] * 1000, told_at_once=1)
    with scripted_web(work) as origin, started(tmp_path, "verify", f"{origin}/app/files/") as verifying:
        wait_until(lambda: "GET /app/jobs/one/events" in work.requests, timeout_s=30)
        verifying.send_signal(signal.SIGINT)
        assert verifying.wait(30) == 130
    assert work.requests[-1] == "DELETE /app/jobs/one"


def test_a_server_that_is_gone_is_given_up_with_the_job_named(run: Run) -> None:
    work = Work([told("running")])
    with scripted_web(lambda asked: work(asked) if asked.method == "POST" else "cut") as origin:
        done = run("verify", f"{origin}/app/files/", "--retries", "1")
    assert done.code == 2
    assert f"fileserver job {origin}/app/jobs/one" in done.errors


def test_summaries_are_json_whatever_a_name_holds(run: Run) -> None:
    work = Work([told("done", missing=1)], [{"finding": "missing", "key": "\ud800", "size": None, "expected": A}])
    done = verify(run, work, "--json")
    assert json.loads(done.output.splitlines()[0])["key"] == "\ud800"
    assert verify(run, work).output.splitlines()[0] == 'missing "\\ud800"'
