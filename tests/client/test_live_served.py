"""`verify`, `job` and `watch` against a real server, on a network that breaks and through the server's own death."""

import asyncio
import json
import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import Key, LocalStore
from tests.client.conftest import Run, started
from tests.support.cutting_proxy import cutting_proxy
from tests.support.files import GIB
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.sparse import make_sparse
from tests.support.wire import request

LONG_S = 60


def put(server: Server, *keys: str) -> None:
    for key in keys:
        assert request(server.port, "PUT", f"/files/{key}", body=b"content").status in (200, 201)


def record(root: Path, key: str, sha256: bytes) -> None:
    """Have the catalogue know this digest of the file as it is, whatever its bytes are."""
    values = {"key": key.encode(), "identity": asyncio.run(identity_of(root, key)), "sha256": sha256}
    with closing(sqlite3.connect(root / ".fileserver" / "catalogue.sqlite3", timeout=10)) as catalogue, catalogue:
        catalogue.execute("REPLACE INTO digests (key, identity, sha256) VALUES (:key, :identity, :sha256)", values)


async def identity_of(root: Path, key: str) -> str:
    store = LocalStore(root, is_writable=False)
    await store.start()
    try:
        return (await store.stat(Key(key))).identity
    finally:
        await store.close()


@pytest.fixture
def vast(tmp_path: Path) -> Path:
    """A folder with a file that takes longer to read than any test waits."""
    root = tmp_path / "root"
    root.mkdir()
    make_sparse(root / "vast", 1000 * GIB, {})
    return root


def states(root: Path) -> list[str]:
    """Those of all jobs."""
    return [json.loads(path.read_text())["state"] for path in root.glob(".fileserver/scratch/jobs/*/job.json")]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_url_is_verified_as_its_folder_is(serve: Serve, tmp_path: Path, run: Run) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = serve(root)
    put(server, "films/damaged", "films/intact", "films/missing", "other")
    record(root, "films/damaged", bytes(32))
    record(root, "other", bytes(32))
    (root / "films" / "missing").unlink()
    for words in ((), ("--json",)):
        of_url = run("verify", f"{server.url}/files/films/", *words)
        of_folder = run("verify", root, "films/", *words)
        assert of_url == of_folder
        assert of_url.code == 1
        assert "films/damaged" in of_url.output
    assert run("verify", f"{server.url}/files/films/none").code == 2


def test_a_verification_over_a_network_that_breaks(serve: Serve, tmp_path: Path, run: Run) -> None:
    """The request that begins it gets through: whoever hears nothing of that cannot know whether it was begun."""
    root = tmp_path / "root"
    root.mkdir()
    server = serve(root)
    put(server, *(f"films/{number:03}" for number in range(200)))
    (root / "films").joinpath("100").unlink()
    told = ["missing films/100", "199 intact, 0 damaged, 1 missing, 0 foreign; 1393 bytes read"]
    with cutting_proxy(server.port, cuts=3, most_sent=2000, most_answered=2000) as proxy:
        while len(proxy.done) < 3:
            done = run("verify", f"http://127.0.0.1:{proxy.port}/files/films/")
            if "is not known" not in done.errors:
                assert (done.code, done.output.splitlines()) == (1, told), done


def test_an_interrupt_ends_the_work_of_the_server(serve: Serve, vast: Path, tmp_path: Path) -> None:
    server = serve(vast)
    record(vast, "vast", bytes(32))
    with started(tmp_path, "verify", f"{server.url}/files/vast") as verifying:
        wait_until(lambda: states(vast), lambda seen: seen == ["running"], timeout_s=LONG_S)
        verifying.send_signal(signal.SIGINT)
        assert verifying.wait(LONG_S) == 130
    wait_until(lambda: states(vast), lambda seen: seen == ["cancelled"])


def test_a_server_that_dies_and_comes_back_has_not_verified(vast: Path, tmp_path: Path) -> None:
    """Killed and started again on its port: whoever watches finds it again, and hears that the work has ended."""
    port = str(free_port())
    with running_server(vast, "--port", port) as server:
        record(vast, "vast", bytes(32))
        url = f"{server.url}/files/vast"
        with started(tmp_path, "verify", url) as verifying:
            wait_until(lambda: states(vast), lambda seen: seen == ["running"], timeout_s=LONG_S)
            server.kill()
            with running_server(vast, "--port", port):
                assert verifying.wait(LONG_S) == 2
            assert verifying.stderr is not None
            said = verifying.stderr.read().decode()
    assert "trying again" in said
    assert "verify failed: the server process that ran this has ended" in said


def test_a_job_is_watched_and_cancelled_by_its_url(serve: Serve, vast: Path, tmp_path: Path, run: Run) -> None:
    server = serve(vast)
    wish = b'{"work":"hash","prefix":"vast"}'
    began = request(server.port, "POST", "/jobs", ("Content-Type", "application/json"), body=wish)
    url = f"{server.url}{began.head.get('location')}"
    with started(tmp_path, "job", url) as watching:
        assert run("job", url, "--cancel").code == 0
        assert watching.wait(LONG_S) == 1
    done = run("job", url, "--json")
    assert (done.code, json.loads(done.output)["state"]) == (1, "cancelled")


def test_a_feed_over_a_broken_network_misses_nothing(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = serve(root)
    lines = tmp_path / "lines"
    with (
        cutting_proxy(server.port, cuts=4, most_sent=100, most_answered=4000) as proxy,
        lines.open("wb") as file,
        started(
            tmp_path, "watch", f"http://127.0.0.1:{proxy.port}/", "--json", "--since", "0", output=file
        ) as watching,
    ):
        names = [f"file {number:03}" for number in range(100)]
        for name in names:
            put(server, name.replace(" ", "%20"))
        wait_until(lambda: keys(lines), lambda told: told[-1:] == names[-1:], timeout_s=LONG_S)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(LONG_S) == 130
    assert keys(lines) == names
    assert len(proxy.done) > 0


def test_a_feed_goes_on_after_the_death_of_its_server(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    lines = tmp_path / "lines"
    port = str(free_port())
    url = f"http://127.0.0.1:{port}/files/seen/"
    with (
        running_server(root, "--port", port) as first,
        lines.open("wb") as file,
        started(tmp_path, "watch", url, "--json", "--kind", "created", "--since", "0", output=file) as watching,
    ):
        put(first, "seen/1", "unseen/2", "seen/3")
        wait_until(lambda: keys(lines), lambda told: told == ["seen/1", "seen/3"], timeout_s=LONG_S)
        first.kill()
        with running_server(root, "--port", port) as second:
            put(second, "seen/4", "seen/3")
            put(second, "seen/5")
            wait_until(lambda: keys(lines), lambda told: told[-1:] == ["seen/5"], timeout_s=LONG_S)
            watching.send_signal(signal.SIGINT)
            assert watching.wait(LONG_S) == 130
    assert keys(lines) == ["seen/1", "seen/3", "seen/4", "seen/5"]


def keys(lines: Path) -> list[str]:
    """What the lines that were written tell of, in order."""
    return [json.loads(line)["key"] for line in lines.read_text().splitlines(keepends=True) if line.endswith("\n")]
