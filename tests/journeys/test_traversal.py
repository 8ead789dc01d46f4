"""A stranger asks for what lies outside the folder, in every spelling, by every route that takes a name.

Requests go out raw: a client that tidies its URLs would hide the question.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest

from tests.support.server import Server, running_server
from tests.support.wire import Answer, form_bytes, request

_SECRET = b"the canary sings of what lies outside"
_OWN = ".fileserver/catalogue.sqlite3"

# Targets as bytes below /files/ or /transform/. CANARY lies beside the root; its folder's name begins like the root's.
_SPELLINGS: dict[str, bytes] = {
    "dots": b"../canary.txt",
    "dots in mid-path": b"folder/../../canary.txt",
    "dots after a file": b"kept.txt/../../canary.txt",
    "many dots": b"../" * 30 + b"canary.txt",
    "dots and a single dot": b"./.././canary.txt",
    "encoded dots": b"%2e%2e/canary.txt",
    "encoded dots in capitals": b"%2E%2E/canary.txt",
    "half encoded dots": b".%2e/canary.txt",
    "encoded slash": b"..%2fcanary.txt",
    "encoded slash in capitals": b"..%2Fcanary.txt",
    "all encoded": b"%2e%2e%2fcanary.txt",
    "encoded twice": b"%252e%252e%252fcanary.txt",
    "encoded three times": b"%25252e%25252e%25252fcanary.txt",
    "backslash": b"..\\canary.txt",
    "encoded backslash": b"..%5ccanary.txt",
    "mixed slashes": b"..%5c../canary.txt",
    "doubled dots": b"....//canary.txt",
    "doubled dots and backslash": b"....%5c%5ccanary.txt",
    "path parameter": b"..;/canary.txt",
    "path parameter with a value": b"..;a=b/canary.txt",
    "doubled slash": b"..//canary.txt",
    "leading slash": b"/../canary.txt",
    "absolute": b"//etc/passwd",
    "absolute, encoded": b"%2fetc%2fpasswd",
    "absolute to the canary": b"%s",
    "drive letter": b"C:%5cWindows%5cwin.ini",
    "file scheme": b"file:///etc/passwd",
    "home": b"~root/.profile",
    "NUL": b"kept.txt%00../../canary.txt",
    "NUL at the end": b"../canary.txt%00",
    "NUL and an innocent end": b"../canary.txt%00.png",
    "overlong dot": b"%c0%ae%c0%ae/canary.txt",
    "overlong slash": b"..%c0%afcanary.txt",
    "overlong in three bytes": b"%e0%80%ae%e0%80%ae/canary.txt",
    "full-width dots": b"%ef%bc%8e%ef%bc%8e/canary.txt",
    "full-width slash": b"..%ef%bc%8fcanary.txt",
    "two-dot leader": b"%e2%80%a5/canary.txt",
    "one-dot leaders": b"%e2%80%a4%e2%80%a4/canary.txt",
    "division slash": b"..%e2%88%95canary.txt",
    "percent-u": b"%u002e%u002e/canary.txt",
    "line feed": b"..%0a/canary.txt",
    "tab": b"..%09/canary.txt",
    "space": b"..%20/canary.txt",
    "trailing dots": b".../canary.txt",
    "sibling by prefix": b"../root-of-another/canary.txt",
    "link to a file": b"link.txt",
    "link to a folder": b"links/canary.txt",
    "link and dots": b"links/../canary.txt",
    "own catalogue": b".fileserver/catalogue.sqlite3",
    "own folder": b".fileserver",
    "own folder as a folder": b".fileserver/",
    "own, encoded": b"%2efileserver/catalogue.sqlite3",
    "own, encoded slash": b".fileserver%2fcatalogue.sqlite3",
    "own after a dot": b"./.fileserver/catalogue.sqlite3",
    "own after a folder": b"folder/../.fileserver/catalogue.sqlite3",
    "own, doubled slash": b"/.fileserver//catalogue.sqlite3",
    "own in capitals": b".FileServer/catalogue.sqlite3",
    "own with trailing dot": b".fileserver./catalogue.sqlite3",
    "own with trailing space": b".fileserver%20/catalogue.sqlite3",
    "own, full-width": b"%ef%bc%8efileserver/catalogue.sqlite3",
    "own, joined by a zero-width": b".file%e2%80%8bserver/catalogue.sqlite3",
    "own drafts": b".fileserver/drafts/",
}


@dataclass(frozen=True, slots=True)
class _Fort:
    """A server and the world around its root."""

    server: Server
    outside: Path
    """The folder that holds the root and everything that nobody may see or touch."""

    def target(self, route: str, spelling: str) -> bytes:
        """The request target of a spelling below a route."""
        raw = _SPELLINGS[spelling]
        if raw == b"%s":
            raw = quote_from_bytes(os.fsencode(self.outside / "canary.txt"), safe="").encode()
        return route.encode() + raw

    def world(self) -> dict[str, bytes]:
        """Every path outside the root with what it holds."""
        root = self.server.root
        paths = (path for path in self.outside.rglob("*") if root not in (path, *path.parents))
        return {str(path): path.read_bytes() if path.is_file() else b"" for path in paths}


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Fort]:
    """A folder with a file, links that lead out of it, and canaries all around."""
    outside = tmp_path_factory.mktemp("outside")
    root = outside / "root"
    for folder in (root / "folder", outside / "root-of-another"):
        folder.mkdir(parents=True)
    (outside / "canary.txt").write_bytes(_SECRET)
    (outside / "root-of-another" / "canary.txt").write_bytes(_SECRET)
    (root / "kept.txt").write_bytes(b"kept")
    (root / "link.txt").symlink_to(outside / "canary.txt")
    (root / "links").symlink_to(outside / "root-of-another")
    with running_server(root) as server:
        yield _Fort(server, outside)


@pytest.fixture
def untouched(fort: _Fort) -> Iterator[None]:
    """Looks, after a test, that the world outside and our own folder are as they were; tidies what was stored."""
    world, kept = fort.world(), fort.server.root / "kept.txt"
    yield
    assert fort.world() == world
    assert kept.read_bytes() == b"kept"
    assert (fort.server.root / _OWN).read_bytes().startswith(b"SQLite format 3\0")
    assert request(fort.server.port, "GET", "/files/kept.txt").body == b"kept"
    for path in fort.server.root.iterdir():
        if path.name not in ("kept.txt", "folder", "link.txt", "links", ".fileserver"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


pytestmark = pytest.mark.usefixtures("untouched")


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_nothing_outside_is_read(fort: _Fort, spelling: str) -> None:
    for route in ("/files/", "/transform/"):
        for method in ("GET", "HEAD"):
            answer = request(fort.server.port, method, fort.target(route, spelling))
            assert 400 <= answer.status < 500, (route, method, answer.status, answer.body[:200])
            _is_discreet(answer, fort)


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_nothing_outside_is_deleted(fort: _Fort, spelling: str) -> None:
    answer = request(fort.server.port, "DELETE", fort.target("/files/", spelling))
    assert 400 <= answer.status < 500, (answer.status, answer.body[:200])
    _is_discreet(answer, fort)


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_nothing_outside_is_written(fort: _Fort, spelling: str) -> None:
    answer = request(fort.server.port, "PUT", fort.target("/files/", spelling), body=b"planted")
    assert answer.status < 500, (answer.status, answer.body[:200])
    _is_discreet(answer, fort)


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_no_form_is_stored_in_a_folder_outside(fort: _Fort, spelling: str) -> None:
    kind, body = form_bytes(("canary.txt", b"planted"), ("planted.txt", b"planted"))
    for end in (b"", b"/"):
        target = fort.target("/files/", spelling) + end
        answer = request(fort.server.port, "POST", target, kind, body=body)
        assert answer.status < 500, (answer.status, answer.body[:200])
        _is_discreet(answer, fort)


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_no_file_name_in_a_form_leads_outside(fort: _Fort, spelling: str) -> None:
    raw = fort.target("", spelling)
    for name in {raw, _decoded(raw), raw.replace(b"/", b"\\"), b"folder/" + raw}:
        kind, body = form_bytes((name, b"planted"))
        answer = request(fort.server.port, "POST", "/files/", kind, body=body)
        assert answer.status < 500, (answer.status, answer.body[:200])
        _is_discreet(answer, fort)


@pytest.mark.parametrize("field", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-HTTP-Method-Override"])
def test_no_field_leads_elsewhere(fort: _Fort, field: str) -> None:
    value = "DELETE" if "Method" in field else "/files/../canary.txt"
    answer = request(fort.server.port, "GET", "/files/kept.txt", (field, value))
    assert answer.body == b"kept"


def test_there_are_forty_spellings() -> None:
    assert len(_SPELLINGS) >= 40


def _is_discreet(answer: Answer, fort: _Fort) -> None:
    """The answer holds nothing of what lies outside, nor says where the root lies."""
    fields = "\n".join(f"{name}: {value}" for name, value in answer.head.fields).encode()
    for told in (_SECRET, b"root:x:0", b"SQLite format 3", os.fsencode(fort.outside)):
        assert told not in answer.body + fields or told in fort.target("", "absolute to the canary")


def _decoded(raw: bytes) -> bytes:
    """The bytes that a percent-encoded name stands for, as far as a quoted string can say them."""
    pieces = raw.split(b"%")
    out = pieces[0]
    for piece in pieces[1:]:
        try:
            out += bytes([int(piece[:2], 16)]) + piece[2:]
        except ValueError:
            out += b"%" + piece
    return out.replace(b"\n", b"%0a").replace(b"\r", b"%0d")
