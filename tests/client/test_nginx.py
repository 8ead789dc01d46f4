"""The client and nginx: as a file server with ranges, as one that takes PUT, and as a proxy that limits requests."""

from pathlib import Path

from tests.client.conftest import Run
from tests.support.files import MIB, make_file, sha256_of
from tests.support.nginx import nginx
from tests.support.server import Server


def test_a_large_file_by_ranges(tmp_path: Path, run: Run) -> None:
    shelf = _folder(tmp_path / "shelf")
    known = make_file(shelf / "film.bin", 66 * MIB + 1)
    with nginx(_folder(tmp_path / "scratch"), f"location / {{ root {shelf}; }}") as origin:
        done = run("get", f"{origin}/film.bin", "-o", "copy.bin", "--json")
    assert (done.code, done.outcomes[0]["sha256"], done.outcomes[0]["verified"]) == (0, known.sha256, False)
    assert sha256_of(tmp_path / "copy.bin") == known.sha256


def test_a_folder_by_plain_puts(tmp_path: Path, run: Run) -> None:
    shelf, sent = _folder(tmp_path / "shelf"), _folder(tmp_path / "sent")
    known = make_file(sent / "film ü.bin", 3 * MIB)
    (sent / "empty").touch()
    dav = f"location / {{ root {shelf}; dav_methods PUT; create_full_put_path on; client_max_body_size 0; }}"
    with nginx(_folder(tmp_path / "scratch"), dav) as origin:
        done = run("put", "sent", f"{origin}/dav/", "--json")
        refused = run("put", "sent", f"{origin}/dav")
        replaced = run("put", "sent", f"{origin}/dav", "--replace")
    assert (done.code, refused.code, replaced.code) == (0, 1, 0)
    assert "--replace replaces it" in refused.errors
    assert {outcome["verified"] for outcome in done.outcomes} == {False}
    assert sha256_of(shelf / "dav" / "sent" / "film ü.bin") == known.sha256
    assert (shelf / "dav" / "sent" / "empty").read_bytes() == b""
    assert "does not speak tus" in done.errors


def test_the_limit_of_a_proxy_need_not_be_told(server: Server, tmp_path: Path, run: Run) -> None:
    known = make_file(tmp_path / "film.bin", 5 * MIB + 1)
    with nginx(_folder(tmp_path / "scratch"), f"location / {{ proxy_pass {server.url}; }}") as origin:
        done = run("put", "film.bin", f"{origin}/files/by-proxy.bin", "--json")
    assert (done.code, done.outcomes[0]["verified"]) == (0, True)
    assert sha256_of(server.root / "by-proxy.bin") == known.sha256


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
