"""`watch`: the feed of a server as lines, against one that a test decides."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fileserver.client.watch import line_of
from fileserver.http import event_stream
from tests.client.conftest import Run, command, started
from tests.client.scripted_web import Asked, Reply, Said, scripted_web
from tests.support.server import wait_until

SSE = {"Content-Type": "text/event-stream"}
AT = "2026-05-01T12:00:00.000Z"


def event(number: int, kind: str = "created", **members: Any) -> bytes:
    change = {"type": kind, "id": number, "time": AT, "key": f"file {number}", **members}
    return event_stream.event(json.dumps(change), kind=kind, last_id=str(number))


def comment(**members: Any) -> dict[str, Any]:
    """The change that tells of a comment."""
    told = {"id": 7, "key": "a", "time": AT, "media_time": None, "byte_offset": 0, **members}
    return {"id": 9, "key": "a", "comment": told}


class Told:
    """So many changes, three at a time, and then the word that no more will come."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.paths: list[str] = []

    def __call__(self, asked: Asked) -> Said:
        self.paths.append(asked.path)
        first = int(asked.fields.get("last-event-id", "0")) + 1
        if first > self._count:
            return Reply(204)
        events = [event(n, size=n) for n in range(first, min(first + 3, self._count + 1))]
        return Reply(200, SSE, event_stream.preamble(retry_ms=1, last_id=str(first - 1)) + b"".join(events))


def test_each_change_is_a_line_and_comes_once(run: Run) -> None:
    told = Told(7)
    with scripted_web(told) as origin:
        done = run("watch", f"{origin}/")
        as_json = run("watch", origin, "--json", "--quiet", "--since", "5")
    lines = [f"{AT} created  file {n} ({n} byte{'s' * (n > 1)})" for n in range(1, 8)]
    assert (done.code, done.output.splitlines()) == (0, lines)
    assert done.errors.splitlines()[0] == f"watching {origin}/ (from change 0 on)"
    assert done.errors.count("trying again") == 3
    assert done.errors.count("connected again") == 2  # the last answer is that no more will come
    assert [each["id"] for each in as_json.outcomes] == [6, 7]
    assert as_json.outcomes[0] == {"type": "created", "id": 6, "time": AT, "key": "file 6", "size": 6}
    assert as_json.errors == ""


@pytest.mark.parametrize(
    ("path", "words", "asked"),
    [
        ("/", [], "/events"),
        ("/app/files/a%20b/", [], "/app/events?prefix=a%20b/"),
        ("/files/", ["--prefix", "x&y"], "/events?prefix=x%26y"),
        ("/files/a/", ["--prefix", "b", "--kind", "moved", "--kind", "job"], "/events?prefix=a/b&kind=moved&kind=job"),
    ],
)
def test_what_is_watched(run: Run, path: str, words: Sequence[str], asked: str) -> None:
    told = Told(0)
    with scripted_web(told) as origin:
        assert run("watch", f"{origin}{path}", *words).code == 0
    assert told.paths == [asked]


@pytest.mark.parametrize(
    ("kind", "change", "line"),
    [
        ("deleted", {"key": "a"}, "deleted  a"),
        ("moved", {"key": "b", "from": "a"}, "moved    b (from a)"),
        ("upload", {"offset": 512, "length": 1024, "state": "receiving"}, "upload   (receiving, 512 bytes of 1.0 KiB)"),
        ("upload", {"key": "a", "offset": 7, "length": None, "state": "discarded"}, "upload   a (discarded, 7 bytes)"),
        ("job", {"work": "verify", "state": "done", "bytes_done": 7, "bytes_total": 7}, "job      (verify done, 7 "),
        ("comment", comment(author="Ada", text="This is when it began."), "comment  a (Ada: This is when it began.)"),
        ("comment", comment(author=None, text="well\n\x1b[2J"), "comment  a (somebody: well  [2J)"),
        (
            "comment",
            {"key": "a", "id": 9, "comment": {"id": 7, "is_deleted": True}},
            "comment  a (a comment was removed)",
        ),
        ("comment", {"key": "a", "comment": None}, "comment  a"),
        ("created", {"key": "a", "size": 1}, "created  a (1 byte)"),
        ("created", {"key": "caf\udce9/\udcff", "size": 2}, r"created  caf\xe9/\xff (2 bytes)"),
        ("of a later version", {"key": ["a"]}, "of a later version"),
        ("created", {"key": "a\x1b[2J\ud800", "size": "vast"}, "created  a [2J "),
    ],
)
def test_a_change_in_words(kind: str, change: dict[str, Any], line: str) -> None:
    assert line_of(kind, change).startswith(line)
    assert line_of(kind, change).isprintable()


def test_who_missed_something_is_told(run: Run) -> None:
    replies = [Reply(200, SSE, event_stream.event('{"type":"reset","id":9}', kind="reset", last_id="9")), Reply(204)]
    with scripted_web(lambda asked: replies.pop(0)) as origin:
        done = run("watch", origin, "--since", "3")
    assert done.output.startswith("reset    some changes are not known any more")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--since", "a b"], 2, "--since: a b is not the number of a change"),
        (["--header", "x"], 2, "--header x is not NAME:VALUE"),
        ([], 1, "the server answers 404"),
    ],
)
def test_what_cannot_be_watched_is_told_in_one_line(run: Run, words: Sequence[str], code: int, said: str) -> None:
    with scripted_web(lambda asked: Reply(404)) as origin:
        done = run("watch", origin, *words)
    assert (done.code, done.output, done.errors.count("\n")) == (code, "", 1)
    assert said in done.errors


def test_a_port_that_nobody_listens_on_is_told_as_such(run: Run) -> None:
    done = run("watch", "http://user:secret@127.0.0.1:1/files/")
    lines = done.errors.splitlines()
    assert (done.code, len(lines)) == (1, 3)
    assert lines[0].startswith("nothing answers at http://127.0.0.1:1 (Connection refused); trying again in 0.")
    assert [line.partition("(try ")[2] for line in lines[:2]] == ["2 of 3)", "3 of 3)"]
    assert lines[2] == "fileserver: nothing answers at http://127.0.0.1:1 (Connection refused); given up after 3 tries"


def test_a_server_that_is_away_is_waited_for_in_small_steps(run: Run) -> None:
    replies: list[Said] = [Reply(200, SSE, event(1)), Reply(502), Reply(200, SSE, event(2)), Reply(204)]
    with scripted_web(lambda asked: replies.pop(0)) as origin:
        done = run("watch", origin, "--json")
    assert [each["id"] for each in done.outcomes] == [1, 2]
    told = [line.partition("; trying again")[0] for line in done.errors.splitlines()]
    assert told == [
        f"watching {origin}",
        "the stream ended",
        "the server answers 502",
        "connected again",
        "the stream ended",
    ]
    tries = [line.partition("(try ")[2] for line in done.errors.splitlines() if "try " in line]
    assert tries == ["2 of 81)", "3 of 81)", "2 of 81)"]


def endless(asked: Asked) -> Reply:
    """More changes than anybody reads, slowly."""
    return Reply(200, SSE, b"".join(map(event, range(1, 20_000))), sent=4096, drips=True)


def test_a_reader_that_leaves_ends_it_without_a_word(tmp_path: Path) -> None:
    with scripted_web(endless) as origin:
        words = command(["watch", origin])
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, cwd=tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10) == AT[:10].encode()
        process.stdout.close()
        assert process.stderr.read() == f"watching {origin}\n".encode()
        process.stderr.close()
        assert process.wait(30) == 128 + signal.SIGPIPE


def test_an_interrupt_ends_it(tmp_path: Path) -> None:
    output = tmp_path / "lines"
    with (
        scripted_web(endless) as origin,
        output.open("wb") as file,
        started(tmp_path, "watch", origin, output=file) as watching,
    ):
        wait_until(lambda: output.stat().st_size, timeout_s=30)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130
        assert watching.stderr is not None
        assert watching.stderr.read() == f"watching {origin}\n".encode()
