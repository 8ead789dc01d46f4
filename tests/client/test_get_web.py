"""`get` where a URL leads: redirects, folders, servers that are not there, and an output that takes nothing."""

import os
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from fileserver.client.get import GetOptions, get
from fileserver.client.progress import Display
from tests.client.conftest import Run, command, started
from tests.client.scripted_web import Asked, Reply, Script, ranged, scripted_web
from tests.client.serving import CONTENT, TAG, Fetch, Once, names
from tests.support.server import Server


@pytest.mark.parametrize("body", [b"", b"over there"])
def test_a_redirect_on_the_same_host_leaves_the_connection_to_the_next_request(fetch: Fetch, body: bytes) -> None:
    script = Once(lambda _: Reply(307, {"Location": "/other.bin"}, body))
    outcome = fetch(script)
    assert (outcome.error, [asked.path for asked in script.asked]) == (None, ["/file.bin", "/other.bin"])


@pytest.mark.parametrize(
    ("script", "words", "requests"),
    [
        (lambda asked: Reply(302, {"Location": asked.path}), "in a circle", 1),
        (lambda asked: Reply(302, {"Location": f"{asked.path}x"}), "more than 10 redirects", 11),
        (lambda _: Reply(302, {"Location": "http://["}), "which is no URL", 1),
        (lambda _: Reply(302, {"Location": "http://127.0.0.1:99999/"}), "Port out of range", 1),
    ],
)
def test_redirects_that_lead_nowhere_end_at_once(fetch: Fetch, script: Script, words: str, requests: int) -> None:
    asked: list[Asked] = []

    def counted(each: Asked) -> Reply | Literal["cut"]:
        asked.append(each)
        return script(each)

    outcome = fetch(counted)
    assert words in (outcome.error or "")
    assert len(asked) == requests


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_is_not_stored_as_a_file(server: Server, run: Run, folder: Path, slash: str) -> None:
    (server.root / "sub").mkdir(exist_ok=True)
    done = run("get", f"{server.url}/files/sub{slash}", "-o", folder)
    assert (done.code, names(folder)) == (1, [])
    assert "this is a folder: name a file" in done.errors


def test_a_slash_at_the_end_is_a_file_where_the_server_names_it(folder: Path, display: Display) -> None:
    named = 'attachment; filename="all.zip"'
    with scripted_web(lambda asked: ranged(asked, CONTENT, etag=TAG, content_disposition=named)) as origin:
        assert get(f"{origin}/sub/", GetOptions(f"{folder}/"), display).is_done
    assert names(folder) == ["all.zip"]


def test_a_server_that_is_not_there_is_tried_three_times(run: Run, folder: Path) -> None:
    done = run("get", "http://127.0.0.1:1/x", "-o", folder)
    assert done.code == 1
    assert "(try 2 of 3)" in done.errors
    assert "given up after 3 tries" in done.errors
    assert names(folder) == []


def test_json_to_a_full_output_is_told_in_one_line(folder: Path) -> None:
    with (
        scripted_web(Once()) as origin,
        Path("/dev/full").open("wb") as full,
        started(folder, "get", f"{origin}/file.bin", "--json", output=full) as process,
    ):
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, b"fileserver: standard output: No space left on device\n")


def test_json_to_a_reader_that_left_is_told_in_one_line(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with (
        scripted_web(Once()) as origin,
        os.fdopen(writing, "wb") as out,
        started(folder, "get", f"{origin}/file.bin", "--json", output=out) as process,
    ):
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, b"fileserver: standard output: Broken pipe\n")


def test_json_without_any_output_is_told_in_one_line(folder: Path) -> None:
    words = ["sh", "-c", '"$@" >&-', "sh", *command(["get", "http://127.0.0.1:1/x", "--json"])]
    done = subprocess.run(words, cwd=folder, stderr=subprocess.PIPE, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (1, b"fileserver: standard output is closed\n")
