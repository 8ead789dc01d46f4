"""The command: what it prints when it starts, and the one line it prints when it cannot."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from fileserver.cli import greeting
from fileserver.server.listening import listening
from fileserver.settings import Settings, described
from tests.support.server import COMMAND, Serve


def run(
    *words: str | Path, folder: Path, variables: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run `fileserver` where it is expected to end by itself; `prefix` is a command that ends in exec."""
    command = [*prefix, str(COMMAND), *map(str, words)]
    environment = {**os.environ, **(variables or {})}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_the_version(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path)
    assert (done.returncode, done.stdout.split()[0]) == (0, "fileserver")


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = run("--help", folder=tmp_path).stdout
    assert {"serve", "put", "get", "transform", "verify", "job", "watch"} <= set(shown.split())


def test_help_tells_every_setting_with_its_variable_and_default(tmp_path: Path) -> None:
    shown = " ".join(run("serve", "--help", folder=tmp_path, variables={"COLUMNS": "500"}).stdout.split())
    for setting in described():
        assert f"[{setting.variable}; default: {setting.default}]" in shown
        assert all(word in shown for word in setting.flag.split("/"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["missing"], 1, "missing does not exist"),
        (["letter"], 1, "letter is not a folder"),
        (["--port", "many"], 2, "--port: "),
        (["--config", "none.toml"], 2, "none.toml: No such file or directory"),
        (["--host", "203.0.113.7"], 1, "cannot listen on port 8000 of 203.0.113.7: "),
        (["--uds", "letter"], 1, "letter exists and is not a socket"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    (tmp_path / "letter").write_text("dear")
    done = run("serve", *words, folder=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith(f"fileserver: {said}")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with listening(Settings(port=0)) as (taken,):
        done = run("serve", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_each_fault_of_a_file_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "fileserver.toml").write_text("prot = 1\nhosst = 'x'\n")
    done = run("serve", folder=tmp_path, variables={"FILESERVER_CONFIG": "fileserver.toml"})
    assert done.returncode == 2
    assert [line.split(": ", 2)[2] for line in done.stderr.splitlines()] == [
        "unknown key `prot`",
        "unknown key `hosst`",
    ]


def test_the_default_folder_is_made(tmp_path: Path) -> None:
    run("serve", "--host", "203.0.113.7", folder=tmp_path)
    assert (tmp_path / "files").is_dir()


def test_a_misspelt_variable_is_warned_of(tmp_path: Path) -> None:
    done = run("serve", "--host", "203.0.113.7", folder=tmp_path, variables={"FILESERVER_PROT": "1"})
    assert "FILESERVER_PROT" in done.stderr.splitlines()[0]


def test_a_folder_that_cannot_be_written_to_is_said_in_one_line(tmp_path: Path) -> None:
    """A read-only file system, in a mount namespace of its own: against one of those root has no rights either."""
    who = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    prefix = ("unshare", *who, "--mount", "sh", "-c", script, str(tmp_path))
    done = run("serve", tmp_path, folder=tmp_path, prefix=prefix)
    assert done.returncode == 1
    assert done.stderr == f"fileserver: {tmp_path} cannot be written to: start with --read-only\n"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(), "Anyone who can reach this address may read and write."),
        (Settings(host="0.0.0.0", allow_write=True), "Anyone who can reach this address may read and write."),
        (Settings(host="0.0.0.0"), "Read-only (this address is not loopback; --allow-write lets anyone write)."),
        (Settings(allow_write=False), "Read-only (as asked)."),
    ],
)
def test_the_greeting_says_who_may_do_what(settings: Settings, said: str) -> None:
    assert said in greeting(settings, ["http://127.0.0.1:8000/"])


def test_the_greeting_names_the_folder_and_the_address(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    assert str(tmp_path) in server.log()
    assert f"{server.url}/" in server.log()
