"""`get` as people use it: whose name a file gets, where it goes, how the command ends."""

import gzip
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fileserver.client.get import GetOptions, get
from fileserver.client.progress import Display
from tests.client.conftest import Run, started
from tests.client.scripted_web import Asked, Reply, Script, ranged, scripted_web
from tests.client.serving import CONTENT, DIGEST, TAG, Fetch, Once, names
from tests.support.files import MIB, make_file, sha256_of
from tests.support.server import COMMAND, Serve, Server, wait_until


def test_a_file_of_our_server(server: Server, folder: Path, run: Run) -> None:
    known = make_file(server.root / "own ü.bin", 2 * MIB)
    url = f"{server.url}/files/own%20%C3%BC.bin"
    done = run("get", url, "-o", f"{folder}/", "--json")
    assert done.code == 0
    (outcome,) = done.outcomes
    assert (outcome["status"], outcome["size"], outcome["sha256"]) == ("done", known.size, known.sha256)
    assert names(folder) == ["own ü.bin"]
    assert sha256_of(folder / "own ü.bin") == known.sha256


def test_a_large_file_comes_by_several_connections(serve: Serve, tmp_path: Path, folder: Path, run: Run) -> None:
    root = tmp_path / "root"
    root.mkdir()
    known = make_file(root / "film.bin", 66 * MIB + 5)
    server = serve(root)
    done = run("get", f"{server.url}/files/film.bin", "-o", folder / "film.bin")
    assert (done.code, sha256_of(folder / "film.bin")) == (0, known.sha256)
    seen = wait_until(lambda: [line for line in server.access_lines() if line.get("path") == "/files/film.bin"], bool)
    assert len(seen) > 1
    assert names(folder) == ["film.bin"]


def test_an_empty_file(fetch: Fetch, folder: Path) -> None:
    assert fetch(lambda asked: ranged(asked, b"", etag=TAG)).is_done
    assert (folder / "file.bin").read_bytes() == b""


def test_the_name_that_the_server_says(fetch: Fetch, folder: Path) -> None:
    named = "attachment; filename=\"x\"; filename*=UTF-8''..%2F.s%C5%82o%C5%84.txt"
    assert fetch(lambda asked: ranged(asked, CONTENT, content_disposition=named)).is_done
    assert names(folder) == ["słoń.txt"]


def test_a_redirect_is_followed_without_what_is_meant_for_another(folder: Path, display: Display) -> None:
    secret = (("Authorization", "Bearer x"), ("X-Key", "y"))
    other = Once()
    with scripted_web(other) as there:
        first = Once(then=lambda _: Reply(302, {"Location": f"{there}/elsewhere"}))
        with scripted_web(first) as here:
            outcome = get(f"{here}/file.bin", GetOptions(f"{folder}/", secret), display)
    assert outcome.is_done
    assert names(folder) == ["file.bin"]
    assert (first.asked[0].fields["authorization"], first.asked[0].fields["x-key"]) == ("Bearer x", "y")
    assert not {"authorization", "x-key"} & other.asked[0].fields.keys()


def test_a_password_in_the_url_goes_to_the_server_and_nowhere_else(folder: Path, display: Display) -> None:
    script = Once()
    with scripted_web(script) as origin:
        url = origin.replace("http://", "http://me:p%40ss@") + "/file.bin"
        outcome = get(url, GetOptions(f"{folder}/"), display)
    assert script.asked[0].fields["authorization"] == "Basic bWU6cEBzcw=="
    assert "p%40ss" not in outcome.as_json()


def test_a_file_that_exists_is_not_replaced_unless_told(folder: Path, display: Display) -> None:
    (folder / "file.bin").write_text("mine")
    with scripted_web(Once()) as origin:
        refused = get(f"{origin}/file.bin", GetOptions(f"{folder}/"), display)
        assert (refused.status, (folder / "file.bin").read_text()) == ("failed", "mine")
        forced = get(f"{origin}/file.bin", GetOptions(f"{folder}/", may_replace=True), display)
    assert forced.is_done
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert names(folder) == ["file.bin"]


def test_a_file_that_came_meanwhile_is_not_replaced(fetch: Fetch, folder: Path) -> None:
    def meanwhile(asked: Asked) -> Reply:
        (folder / "file.bin").write_text("mine")
        return ranged(asked, CONTENT, etag=TAG)

    script = Once(lambda asked: Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB), then=meanwhile)
    assert "exists" in (fetch(script).error or "")
    assert (folder / "file.bin").read_text() == "mine"


def test_a_link_in_the_place_of_the_part_is_not_followed(fetch: Fetch, folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / "file.bin.part").symlink_to(victim)
    assert not fetch(Once()).is_done
    assert victim.read_text() == "precious"


def test_an_encoding_that_nobody_asked_for_is_told(run: Run, folder: Path) -> None:
    encoded = gzip.compress(CONTENT)
    with scripted_web(lambda asked: ranged(asked, encoded, content_encoding="gzip")) as origin:
        done = run("get", f"{origin}/file.bin", "-o", folder)
    assert (done.code, (folder / "file.bin").read_bytes()) == (0, encoded)
    assert "encoded (gzip)" in done.errors


def test_a_proxy_of_the_environment_is_used(folder: Path, display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Once()
    with scripted_web(proxy) as origin:
        monkeypatch.delenv("no_proxy")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("http_proxy", origin.replace("http://", "http://me:p%40ss@"))
        outcome = get("http://files.invalid/file.bin", GetOptions(f"{folder}/"), display)
    assert outcome.is_done
    assert proxy.asked[0].path == "http://files.invalid/file.bin"
    assert proxy.asked[0].fields["proxy-authorization"] == "Basic bWU6cEBzcw=="


def test_a_terminal_sees_a_bar_with_speed_and_time_left(folder: Path) -> None:
    terminal, end = pty.openpty()
    slow = Once(then=lambda asked: Reply(200, {"ETag": TAG}, CONTENT[: MIB + 20_000], sent=MIB, drips=True))
    with scripted_web(slow) as origin:
        process = subprocess.Popen([COMMAND, "get", f"{origin}/file.bin", "-o", folder], stderr=end)
        os.close(end)
        shown = _all_shown(terminal)
        assert process.wait(30) == 0
    assert "file.bin" in shown
    assert "1.0/1.0 MiB" in shown
    assert "MB/s" in shown
    assert re.search(r"\d:\d\d:\d\d", shown)
    assert f"{MIB + 20_000} bytes in" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["file:///etc/passwd"],
        ["http://127.0.0.1:99999/x"],
        ["http://"],
        ["http://127.0.0.1:1/", "--header", "no colon"],
        ["http://127.0.0.1:1/a", "http://127.0.0.1:1/b", "-o", "name"],
        ["http://127.0.0.1:1/a", "-o", "-", "--json"],
        ["http://127.0.0.1:1/a", "--parallel", "0"],
        [],
    ],
)
def test_wrong_usage_is_2(run: Run, words: list[str]) -> None:
    done = run("get", *words)
    assert done.code == 2
    assert "Traceback" not in done.errors


def test_one_failure_among_several_is_1_and_the_rest_is_there(server: Server, run: Run, folder: Path) -> None:
    make_file(server.root / "there.bin", 1000)
    done = run("get", f"{server.url}/files/missing", f"{server.url}/files/there.bin", "-o", folder, "--json")
    assert (done.code, [outcome["status"] for outcome in done.outcomes]) == (1, ["failed", "done"])
    assert names(folder) == ["there.bin"]


def test_a_quiet_command_says_nothing(server: Server, run: Run, folder: Path) -> None:
    make_file(server.root / "quiet.bin", 1000)
    done = run("get", f"{server.url}/files/quiet.bin", "-o", folder, "--quiet")
    assert (done.code, done.output, done.errors) == (0, "", "")


def test_standard_output(folder: Path, tmp_path: Path) -> None:
    def cut(asked: Asked) -> Reply:
        honest = ranged(asked, CONTENT, etag=TAG, repr_digest=DIGEST)
        return Reply(honest.status, honest.fields, honest.body, sent=MIB)

    with (
        scripted_web(Once(cut, cut)) as origin,
        (tmp_path / "out").open("wb") as out,
        started(folder, "get", f"{origin}/file.bin", "-o", "-", output=out) as process,
    ):
        assert process.wait(30) == 0
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert names(folder) == []


@pytest.mark.parametrize(
    "script",
    [
        lambda asked: ranged(asked, CONTENT[::-1], etag=TAG, repr_digest=DIGEST),
        Once(
            lambda asked: Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB),
            then=lambda asked: ranged(asked, CONTENT[::-1], etag='"two"'),
        ),
        lambda asked: Reply(200, {}, CONTENT, sent=MIB),
    ],
    ids=["another digest", "changed midway", "cannot be resumed"],
)
def test_standard_output_that_is_not_to_be_used_ends_with_1(folder: Path, script: Script) -> None:
    with scripted_web(script) as origin, started(folder, "get", f"{origin}/file.bin", "-o", "-") as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith(b"-: ")


def test_a_reader_of_standard_output_that_leaves_is_told_in_one_line(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with (
        scripted_web(Once()) as origin,
        os.fdopen(writing, "wb") as out,
        started(folder, "get", f"{origin}/file.bin", "-o", "-", output=out) as process,
    ):
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, b"-: standard output: Broken pipe\n")


def test_serve_starts_without_what_the_client_needs() -> None:
    asked = "import sys, fileserver.cli; print([m for m in ('urllib3', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def _all_shown(terminal: int) -> str:
    """What programs wrote to a terminal until the last of them ended."""
    shown = bytearray()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        while True:
            try:
                shown += screen.read(65536)
            except OSError:  # so Linux says that nobody has the other end
                return shown.decode()
