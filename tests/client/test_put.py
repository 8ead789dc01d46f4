"""`put` to our server, as people use it: where files go, what is told, how the command ends and goes on."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from fileserver.client.progress import Display
from fileserver.client.put import PutOptions, put
from tests.client.conftest import Run, started
from tests.support.cutting_proxy import cutting_proxy
from tests.support.files import MIB, KnownFile, make_file, sha256_of
from tests.support.server import Serve, Server, wait_until


def test_files_and_folders_into_a_folder_of_our_server(server: Server, tmp_path: Path, run: Run) -> None:
    (tmp_path / "shelf" / "deep ü").mkdir(parents=True)
    known = make_file(tmp_path / "shelf" / "deep ü" / "a#b?.bin", 2 * MIB)
    (tmp_path / "shelf" / "empty").touch()
    (tmp_path / "note.txt").write_text("dear")
    done = run("put", "shelf", "note.txt", f"{server.url}/files/put/", "--json")
    assert done.code == 0
    told = {outcome["file"]: outcome for outcome in done.outcomes}
    assert {name: outcome["verified"] for name, outcome in told.items()} == dict.fromkeys(told, True)
    assert told["shelf/deep ü/a#b?.bin"]["sha256"] == known.sha256
    assert told["shelf/empty"]["url"] == f"{server.url}/files/put/shelf/empty"
    assert sha256_of(server.root / "put" / "shelf" / "deep ü" / "a#b?.bin") == known.sha256
    assert (server.root / "put" / "note.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("path", "key"), [("/files/as/other.bin", "as/other.bin"), ("/files/in/", "in/film.bin"), ("/uploads", "film.bin")]
)
def test_where_the_url_leads(server: Server, film: KnownFile, run: Run, path: str, key: str) -> None:
    assert run("put", film.path, server.url + path).code == 0
    assert sha256_of(server.root / key) == film.sha256


def test_a_name_that_is_taken_is_refused_unless_told(server: Server, film: KnownFile, run: Run) -> None:
    (server.root / "taken.bin").write_text("mine")
    refused = run("put", film.path, f"{server.url}/files/taken.bin")
    assert (refused.code, (server.root / "taken.bin").read_text()) == (1, "mine")
    assert "--replace" in refused.errors
    assert run("put", "--replace", film.path, f"{server.url}/files/taken.bin").code == 0
    assert sha256_of(server.root / "taken.bin") == film.sha256


def test_many_cuts_on_the_way_to_our_server(server: Server, tmp_path: Path, display: Display) -> None:
    known = make_file(tmp_path / "cut.bin", 8 * MIB)
    with cutting_proxy(server.port, cuts=6, most_sent=MIB, seed=5) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/files/cut.bin"
        (outcome,) = put([known.path], url, PutOptions(chunk_size=MIB // 2), display)
    assert (outcome.error, outcome.verified, outcome.sha256) == (None, True, known.sha256)
    assert sha256_of(server.root / "cut.bin") == known.sha256
    assert len(proxy.done) == 6


def test_a_killed_upload_goes_on_where_it_was(serve: Serve, tmp_path: Path, run: Run, state: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    known = make_file(tmp_path / "big.bin", 48 * MIB)
    server = serve(root)
    words = ("put", known.path, f"{server.url}/files/big.bin", "--chunk-size", "1MiB", "--json")
    with started(tmp_path, *words) as killed:
        wait_until(lambda: _drafted(server) >= 4 * MIB, timeout_s=30)
        killed.kill()
    assert server.stored() == {}
    assert len(list(state.glob("*.json"))) == 1
    patches = len(_patches(server))
    done = run(*words)
    assert (done.code, done.outcomes[0]["verified"]) == (0, True)
    assert sha256_of(root / "big.bin") == known.sha256
    assert len(_patches(server)) - patches <= 45
    assert list(state.iterdir()) == []


def test_an_interrupted_upload_ends_with_130(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    known = make_file(tmp_path / "big.bin", 64 * MIB)
    server = serve(root)
    with started(tmp_path, "put", known.path, f"{server.url}/files/", "--chunk-size", "256KiB") as interrupted:
        wait_until(lambda: _drafted(server) > 0, timeout_s=30)
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(20) == 130


def _drafted(server: Server) -> int:
    folder = server.root / ".fileserver" / "drafts"
    return sum((folder / name).stat().st_size for name in server.drafts())


def _patches(server: Server) -> list[dict[str, Any]]:
    return [line for line in server.access_lines() if line.get("method") == "PATCH"]


def test_what_fails_is_told_and_the_rest_is_sent(server: Server, film: KnownFile, run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run("put", "missing", "pipe", film.path, f"{server.url}/files/rest/", "--json")
    assert done.code == 1
    told = {Path(outcome["file"]).name: outcome for outcome in done.outcomes}
    assert [told[name]["error"] for name in ("missing", "pipe", "film.bin")] == [
        "No such file or directory",
        "not a file",
        None,
    ]
    assert sha256_of(server.root / "rest" / "film.bin") == film.sha256


def test_what_is_left_out_of_a_folder_is_told(server: Server, film: KnownFile, run: Run, tmp_path: Path) -> None:
    (tmp_path / "shelf" / "empty").mkdir(parents=True)
    os.mkfifo(tmp_path / "shelf" / "pipe")
    (tmp_path / "shelf" / "folder-link").symlink_to(tmp_path)
    (tmp_path / "shelf" / "lost-link").symlink_to("nowhere")
    (tmp_path / "shelf" / "film-link").symlink_to(film.path)
    done = run("put", "shelf", f"{server.url}/files/left")
    assert done.code == 0
    assert [name for name in server.stored() if name.startswith("left/")] == ["left/shelf/film-link"]
    assert {line for line in done.errors.splitlines() if "left out" in line} == {
        "shelf/empty: left out, an empty folder",
        "shelf/folder-link: left out, a link to a folder",
        "shelf/lost-link: left out, not a file",
        "shelf/pipe: left out, not a file",
    }


@pytest.mark.parametrize(
    "words",
    [["only-one"], ["a", "ftp://host/"], ["a", "http://h/", "--chunk-size", "big"], ["a", "http://h/", "-H", "x"]],
)
def test_wrong_usage_is_2(run: Run, words: list[str]) -> None:
    assert run("put", *words).code == 2


def test_a_server_that_is_not_there_is_given_up(film: KnownFile, run: Run) -> None:
    done = run("put", film.path, "http://127.0.0.1:9/files/", "--retries", "0", "--json")
    assert done.code == 1
    assert "Connection refused" in json.loads(done.output)["error"]


def test_the_same_file_twice_at_once_is_sent_once(server: Server, film: KnownFile, run: Run) -> None:
    done = run("put", film.path, film.path, f"{server.url}/files/twice/", "--json")
    assert sorted(outcome["status"] for outcome in done.outcomes) == ["done", "failed"]
    assert sha256_of(server.root / "twice" / "film.bin") == film.sha256
