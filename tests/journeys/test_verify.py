"""`fileserver verify`: what it says of a folder, also beside a server that goes on, and what it leaves alone."""

import hashlib
import json
import os
import pty
import signal
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import Run, run
from tests.support.files import GIB, MIB, known_bytes
from tests.support.server import COMMAND, Serve, wait_until
from tests.support.sparse import make_sparse
from tests.support.wire import request

SHA256 = hashlib.sha256(b"content").hexdigest()


def verify(root: Path, *words: str) -> Run:
    return run(COMMAND, "verify", root, *words)


def told(root: Path, *words: str) -> list[dict[str, Any]]:
    """What `--json` says, line by line."""
    return [json.loads(line) for line in verify(root, "--json", *words).text.splitlines()]


def catalogue(root: Path, statement: str, *values: bytes | str | int) -> list[tuple[Any, ...]]:
    """Ask or change the catalogue behind everybody's back."""
    connection = sqlite3.connect(root / ".fileserver" / "catalogue.sqlite3", timeout=10)
    with connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def store_files(port: int, *keys: str) -> None:
    for key in keys:
        assert request(port, "PUT", f"/files/{key}", body=b"content").status == 201


def test_a_sound_folder_beside_its_server(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    store_files(server.port, "a", "b/c")
    done = verify(tmp_path)
    assert (done.code, done.text) == (0, "2 intact, 0 damaged, 0 missing, 0 foreign; 14 bytes read\n")
    assert done.errors == ""  # no bar where nobody looks


def test_damaged_missing_and_foreign_files_are_told_of(serve: Serve, tmp_path: Path) -> None:
    store_files(serve(tmp_path).port, "damaged", "intact", "missing")
    # A file cannot be changed without its identity; that the digest is another is the same to who compares them.
    catalogue(tmp_path, "UPDATE digests SET sha256 = ? WHERE key = ?", bytes(32), b"damaged")
    (tmp_path / "missing").unlink()
    (tmp_path / "foreign\x1b[2J").write_bytes(b"foreign")
    done = verify(tmp_path)
    assert done.code == 1
    assert done.text.splitlines() == [
        f"damaged damaged (sha-256 {SHA256} instead of {'0' * 64})",
        'foreign "foreign\\u001b[2J"',
        "missing missing",
        "1 intact, 1 damaged, 1 missing, 1 foreign; 14 bytes read",
    ]
    done = verify(tmp_path, "--quiet")
    assert (done.code, [line.split()[0] for line in done.text.splitlines()]) == (1, ["damaged", "missing"])
    done = verify(tmp_path, "intact")
    assert (done.code, done.text.count("\n")) == (0, 1)
    assert told(tmp_path) == [
        {"finding": "damaged", "key": "damaged", "size": 7, "expected": "0" * 64, "found": SHA256},
        {"finding": "foreign", "key": "foreign\x1b[2J", "size": 7, "expected": None, "found": None},
        {"finding": "missing", "key": "missing", "size": None, "expected": None, "found": None},
        {"summary": {"intact": 1, "damaged": 1, "missing": 1, "foreign": 1, "learned": 0, "bytes": 14}},
    ]


def test_foreign_files_are_learned_and_missing_ones_forgotten_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert verify(tmp_path).code == 0
    assert not (tmp_path / ".fileserver").exists()
    assert told(tmp_path, "--learn")[0]["found"] == SHA256
    assert told(tmp_path)[-1]["summary"]["intact"] == 1
    (tmp_path / "a").unlink()
    assert verify(tmp_path, "--learn").code == 1
    assert verify(tmp_path, "--forget").code == 1
    assert verify(tmp_path).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gone"], "gone cannot be read: "),
        (["file"], "file cannot be read: "),
        ([".", "../"], "../: "),
        ([".", "typo"], "typo: no file has a key that begins so"),
        ([".", "--parallel", "0"], "Usage: "),
    ],
)
def test_what_cannot_be_asked_ends_with_2(tmp_path: Path, words: Sequence[str], said: str) -> None:
    (tmp_path / "file").write_text("x")
    done = run(COMMAND, "verify", *words, folder=tmp_path)
    assert done.code == 2
    assert done.errors.removeprefix("fileserver: ").startswith(said)
    assert done.output == b""


def test_drafts_and_claims_of_a_server_that_may_come_back_are_left_alone(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    store_files(server.port, "a")
    server.kill()
    (tmp_path / ".fileserver" / "drafts" / "left").write_bytes(b"half")
    catalogue(tmp_path, "INSERT INTO claims (key, token, expires_at_ms) VALUES (?, 'dead', 0)", b"b")
    assert verify(tmp_path, "--learn").code == 0
    assert (tmp_path / ".fileserver" / "drafts" / "left").read_bytes() == b"half"
    assert catalogue(tmp_path, "SELECT token FROM claims") == [("dead",)]


def test_a_folder_on_a_read_only_medium_is_verified(serve: Serve, tmp_path: Path) -> None:
    """As a snapshot or a backup is: SQLite opens no catalogue with a log where it cannot write."""
    server = serve(tmp_path)
    store_files(server.port, "a", "b")
    server.kill()
    who = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    command = ("unshare", *who, "--mount", "sh", "-c", script, tmp_path, COMMAND, "verify", tmp_path)
    done = run(*command)
    assert (done.code, done.errors) == (0, "")
    assert done.text == "2 intact, 0 damaged, 0 missing, 0 foreign; 14 bytes read\n"
    assert run(*command, "--learn").code == 2


def test_a_terminal_sees_how_far_it_has_come(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    assert request(server.port, "PUT", "/files/film", body=known_bytes(40 * MIB)).status == 201
    terminal, inside = pty.openpty()
    with subprocess.Popen([COMMAND, "verify", tmp_path], stdout=subprocess.PIPE, stderr=inside) as process:
        os.close(inside)
        shown = _all_of(terminal)
        assert process.stdout is not None
        assert process.stdout.read().startswith(b"1 intact")
    assert process.returncode == 0
    assert b"40.0/40.0 MiB" in shown
    assert b"film" in shown


def test_ctrl_c_ends_it_at_once_and_with_neither_verdict(tmp_path: Path) -> None:
    make_sparse(tmp_path / "vast", 1000 * GIB, {})
    with subprocess.Popen([COMMAND, "verify", tmp_path, "--learn"], stdout=subprocess.PIPE) as process:
        wait_until(lambda: _is_reading(process.pid, tmp_path / "vast"))
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def _is_reading(pid: int, path: Path) -> bool:
    folder = Path(f"/proc/{pid}/fd")
    return any(os.path.exists(link) and os.path.samefile(link, path) for link in folder.iterdir())


def _all_of(terminal: int) -> bytes:
    shown = b""
    try:
        while block := os.read(terminal, 65_536):
            shown += block
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    os.close(terminal)
    return shown
