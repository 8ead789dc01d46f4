"""Programs work in the folder that is served, and people upload beside them: each change is told once, to everybody."""

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.listener import Listener, Record
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import request

_FILES = ("created", "replaced", "deleted", "moved")


def changes(listener: Listener) -> list[Record]:
    """What was told of files but for the marks."""
    return [each for each in tuple(listener.records) if each.kind in _FILES and "mark" not in each.content["key"]]


def lines(listener: Listener) -> Counter[str]:
    """Who did what, and how often it was told."""
    said = Counter[str]()
    for record in changes(listener):
        source = f"{record.content['from']} -> " if record.kind == "moved" else ""
        said[f"{record.content.get('by', 'we')} {record.kind} {source}{record.content['key']}"] += 1
    return said


def mark(server: Server, listener: Listener) -> None:
    """Wait until all that has been done so far is told."""
    name = f"mark-{os.urandom(4).hex()}"
    (server.root / name).write_bytes(b"")
    wait_until(lambda: listener.keys("created"), lambda keys: name in keys, timeout_s=60)


def told(server: Server, listener: Listener, expected: Counter[str]) -> None:
    """Fails unless just this is told."""
    wait_until(lambda: len(changes(listener)), lambda count: count >= expected.total(), timeout_s=120)
    mark(server, listener)
    assert lines(listener) == expected


def do(root: Path, script: str) -> None:
    """What another program does in the folder; `$OUT` is a folder beside it."""
    outside = root.parent / "outside"
    outside.mkdir(exist_ok=True)
    subprocess.run(["sh", "-ec", script], cwd=root, env=os.environ | {"OUT": str(outside)}, check=True)


def put(server: Server, key: str, content: bytes = b"ours") -> None:
    assert request(server.port, "PUT", f"/files/{key}", body=content).status in (200, 201)


def test_programs_and_people_work_beside_each_other(serve: Serve, tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    do(root, "mkdir $OUT/many; cd $OUT/many; for n in $(seq 200); do echo $n > $n; done")
    do(root, "echo x > there; mkdir shelf; echo x > shelf/a; echo x > shelf/b")
    server = serve(root, "--workers", "2")

    def people() -> None:
        for number in range(100):
            put(server, f"ours/{number}")
        for number in range(50):
            put(server, f"ours/{number}", b"again")
        for number in range(50, 100):
            assert request(server.port, "DELETE", f"/files/ours/{number}").status == 204

    with Listener(server.port) as listener:
        wait_until(lambda: listener.times)
        mark(server, listener)
        thread = threading.Thread(target=people)
        thread.start()
        do(root, "cp -r $OUT/many copied; for n in $(seq 100); do echo $n > .$n.part; mv .$n.part sync$n; done")
        do(root, "mv there here; mv shelf cupboard; mv $OUT/many moved")
        thread.join()
        told(server, listener, expected := Counter(_beside_each_other()))
        do(root, "rm -r copied; mv moved/1 copied; mv cupboard moved/")
        gone = [f"other deleted copied/{number}" for number in range(1, 201)]
        moved = ["other moved moved/1 -> copied", "other moved cupboard/ -> moved/cupboard/"]
        told(server, listener, expected + Counter(gone + moved))


def _beside_each_other() -> Iterator[str]:
    yield from (f"we created ours/{number}" for number in range(100))
    yield from (f"we replaced ours/{number}" for number in range(50))
    yield from (f"we deleted ours/{number}" for number in range(50, 100))
    yield from (f"other created sync{number}" for number in range(1, 101))
    yield from (f"other created {folder}/{number}" for folder in ("copied", "moved") for number in range(1, 201))
    yield from ("other moved there -> here", "other moved shelf/ -> cupboard/")


def test_a_thousand_files_are_copied_in_and_each_is_told_of_once_in_every_process(serve: Serve, tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    do(root, "mkdir $OUT/many; cd $OUT/many; for n in $(seq 1000); do echo $n > $n; done")
    server = serve(root, "--workers", "2")
    with Listener(server.port) as first, Listener(server.port) as second, Listener(server.port) as third:
        for listener in (first, second, third):
            wait_until(lambda: listener.times)  # noqa: B023
        mark(server, first)
        do(root, "cp -r $OUT/many many")
        expected = Counter(f"other created many/{number}" for number in range(1, 1001))
        for listener in (first, second, third):
            told(server, listener, expected)
        do(root, "rm -r many")
        for listener in (first, second, third):
            told(server, listener, expected + Counter(f"other deleted many/{number}" for number in range(1, 1001)))


def test_when_the_process_that_watches_dies_another_goes_on(serve: Serve, tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    server = serve(root, "--workers", "2")
    with Listener(server.port) as listener:
        mark(server, listener)
        watcher = watching_pid(root)
        do(root, "echo x > a")
        told(server, listener, expected := Counter(["other created a"]))
        os.kill(watcher, signal.SIGKILL)
        do(root, "echo x > b")
        wait_until(lambda: watching_pid(root), lambda pid: pid not in (0, watcher), timeout_s=30)
        told(server, listener, expected := expected + Counter(["other created b"]))
        do(root, "rm a")
        told(server, listener, expected + Counter(["other deleted a"]))


def watching_pid(root: Path) -> int:
    """The process that has the lock of those who watch; 0 for none."""
    inode = f":{(root / '.fileserver' / 'watching').stat().st_ino}"
    locks = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    return next((int(lock[4]) for lock in locks if lock[1] == "FLOCK" and lock[5].endswith(inode)), 0)


def test_a_server_that_only_reads_tells_what_others_do_and_writes_nothing(serve: Serve, tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    server = serve(root, "--read-only")
    with Listener(server.port) as listener:
        wait_until(lambda: listener.times)
        do(root, "echo x > a; mkdir b; echo x > b/c")
        told(server, listener, Counter(["other created a", "other created b/c"]))
    assert not (root / ".fileserver").exists()


def test_a_folder_too_many_is_reported_once_and_the_others_are_watched(serve: Serve, tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    do(root, "for n in $(seq 20); do mkdir $n; done")
    limit = 'echo 10 > /proc/sys/user/max_inotify_watches; exec "$@"'
    server = serve(root, prefix=("unshare", "--user", "--map-root-user", "sh", "-ec", limit, "sh"))
    with Listener(server.port) as listener:
        wait_until(lambda: listener.times)
        do(root, "echo x > a; for n in $(seq 20); do echo x > $n/b; done; mkdir c; echo x > c/d")
        wait_until(lambda: sum(lines(listener).values()), lambda count: count >= 10, timeout_s=60)
        mark(server, listener)
    assert lines(listener)["other created a"] == 1
    assert set(lines(listener).values()) == {1}
    reports = [line for line in server.access_lines() if line.get("upkeep") == "failed"]
    assert [report["work"] for report in reports] == ["watch"]


@pytest.mark.parametrize("words", [(), ("--workers", "2")])
def test_a_server_that_watches_ends_at_once(serve: Serve, tmp_path: Path, words: tuple[str, ...]) -> None:
    (root := tmp_path / "root").mkdir()
    server = serve(root, *words)
    with Listener(server.port) as listener:
        mark(server, listener)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    assert "Traceback" not in server.log()
