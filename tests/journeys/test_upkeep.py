"""A file comes in by another way: after a while its digest is known, and nobody's ETag has changed for that."""

import base64
import hashlib
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.support.files import MIB, make_file
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import Answer, request

_LONG_AGO = 1_500_000_000
_HASHED = "fileserver_hashed_bytes_total"


def copy_in(root: Path, name: str, *, size: int = 3 * MIB) -> str:
    """As `rsync -a` does it: under another name, with the time that it has elsewhere, then renamed. Its Repr-Digest."""
    elsewhere = root.parent / f"{root.name}-{name}"
    known = make_file(elsewhere, size)
    os.utime(elsewhere, (_LONG_AGO, _LONG_AGO))
    shutil.copy2(elsewhere, root / f".{name}.part")
    os.rename(root / f".{name}.part", root / name)
    return f"sha-256=:{base64.b64encode(bytes.fromhex(known.sha256)).decode()}:"


def read(server: Server, name: str, **fields: str) -> Answer:
    headers = tuple((field.replace("_", "-"), value) for field, value in fields.items())
    return request(server.port, "GET", f"/files/{name}", *headers)


def learned(server: Server, name: str) -> Answer:
    """The answer as soon as it has a digest."""
    return wait_until(lambda: read(server, name), lambda answer: answer.head.get("repr-digest") is not None)


def test_its_digest_appears_and_its_etag_stays(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = serve(root)
    digest = copy_in(root, "film")
    before = read(server, "film")
    after = learned(server, "film")
    etag = before.head.get("etag")
    assert etag is not None
    assert after.head.get("etag") == etag
    assert after.head.get("repr-digest") == digest
    assert hashlib.sha256(after.body).hexdigest() not in etag
    rest = read(server, "film", range="bytes=1000000-", if_range=etag)
    assert (rest.status, rest.body) == (206, before.body[1_000_000:])
    assert rest.head.get("repr-digest") == digest
    assert read(server, "film", if_none_match=etag).status == 304


def test_a_changed_file_loses_its_digest_at_once_and_gets_the_new_one(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = serve(root)
    old = copy_in(root, "film")
    assert learned(server, "film").head.get("repr-digest") == old
    new = copy_in(root, "film", size=2 * MIB)
    assert read(server, "film").head.get("repr-digest") in (None, new)
    assert learned(server, "film").head.get("repr-digest") == new


def test_a_digest_that_was_learned_outlives_the_server_and_is_not_learned_again(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    first = serve(root)
    digest = copy_in(root, "film")
    etag = learned(first, "film").head.get("etag")
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(20) == 0
    second = serve(root)
    answer = read(second, "film")
    assert (answer.head.get("etag"), answer.head.get("repr-digest")) == (etag, digest)
    copy_in(root, "another", size=5)
    learned(second, "another")  # no lease of the first one's stands in its way
    assert second.metrics()[_HASHED] == 5


@pytest.mark.parametrize("words", [(), ("--workers", "2")])
def test_of_several_processes_one_hashes(serve: Serve, tmp_path: Path, words: tuple[str, ...]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    servers = [serve(root, *words), serve(root, *words)]
    copy_in(root, "film")
    for server in servers * 4:
        read(server, "film")
    wait_until(lambda: sum(hashed(server) for server in servers), lambda size: size >= 3 * MIB)
    copy_in(root, "another", size=5)
    for server in servers * 4:
        read(server, "another")
    wait_until(lambda: sum(hashed(server) for server in servers), lambda size: size >= 3 * MIB + 5)
    assert sorted(hashed(server) for server in servers) == [0, 3 * MIB + 5]


def test_uploads_are_never_read_again(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = serve(root)
    assert request(server.port, "PUT", "/files/upload", body=bytes(MIB)).status == 201
    copy_in(root, "z", size=5)
    learned(server, "z")
    assert hashed(server) == 5


def test_a_read_only_server_learns_what_is_asked_for_and_writes_nothing(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    digests = {name: copy_in(root, name, size=1000 + len(name)) for name in ("asked", "other")}
    server = serve(root, "--read-only")
    assert learned(server, "asked").head.get("repr-digest") == digests["asked"]
    assert hashed(server) == 1005
    assert sorted(os.listdir(root)) == ["asked", "other"]


def test_a_scrub_logs_damage_as_one_line_and_counts_it(serve: Serve, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    first = serve(root)
    for key in ("damaged", "intact"):
        assert request(first.port, "PUT", f"/files/{key}", body=b"content").status == 201
    first.kill()
    with sqlite3.connect(root / ".fileserver" / "catalogue.sqlite3") as catalogue:
        catalogue.execute("UPDATE digests SET sha256 = ? WHERE key = ?", (bytes(32), b"damaged"))
    catalogue.close()
    server = serve(root, "--scrub-period", "1")
    wait_until(lambda: hashed(server), lambda size: size == 14)
    assert server.metrics()["fileserver_damaged_files_total"] == 1
    (line,) = (line for line in server.access_lines() if "upkeep" in line)
    assert (line["upkeep"], line["key"], line["expected"]) == ("damaged", "damaged", "0" * 64)
    assert line["found"] == hashlib.sha256(b"content").hexdigest()


def hashed(server: Server) -> float:
    return server.metrics().get(_HASHED, 0)
