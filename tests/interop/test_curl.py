"""curl speaks the draft of the IETF: whole uploads, uploads in parts, uploads that were broken off."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clients import curl
from tests.support.files import MIB, KnownFile, sha256_of
from tests.support.server import Server, wait_until
from tests.support.wire import form_bytes

_INTEROP = ("-H", "Upload-Draft-Interop-Version: 8")
_WHOLE = ("-H", "Upload-Complete: ?1")
_PART = ("-H", "Upload-Complete: ?0")
_APPEND = ("-X", "PATCH", "-H", "Content-Type: application/partial-upload")


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    fields: dict[str, str]


def test_a_whole_upload_is_told_where_it_could_go_on(store: Server, film: KnownFile) -> None:
    heads = _heads(*_INTEROP, *_WHOLE, "-T", film.path, f"{store.url}/files/whole.bin")
    interim, final = _of(104, heads), heads[-1]
    assert interim.fields["location"].startswith("/uploads/")
    assert "upload-limit" in interim.fields
    assert (final.status, final.fields["upload-complete"]) == (201, "?1")
    assert final.fields["location"].endswith("/files/whole.bin")
    assert sha256_of(store.root / "whole.bin") == film.sha256


@pytest.mark.parametrize("words", [(), ("-H", "Upload-Draft-Interop-Version: 7"), ("--http1.0", *_INTEROP)])
def test_who_speaks_another_version_is_told_nothing_early(
    store: Server, film: KnownFile, words: tuple[str, ...]
) -> None:
    heads = _heads(*words, *_WHOLE, "-T", film.path, f"{store.url}/files/quiet-{len(words)}.bin")
    assert 104 not in [head.status for head in heads]
    assert heads[-1].status == 201


def test_a_file_comes_in_parts(store: Server, film: KnownFile, tmp_path: Path) -> None:
    content = film.path.read_bytes()
    first = _heads(*_PART, "-T", _part(tmp_path, content[:MIB]), f"{store.url}/files/parts.bin")[-1]
    assert (first.status, first.fields["upload-complete"], first.fields["upload-offset"]) == (201, "?0", str(MIB))
    url = store.url + first.fields["location"]
    second = _appended(url, MIB, _part(tmp_path, content[MIB : 5 * MIB]), *_PART)
    assert (second.status, second.fields["upload-complete"]) == (204, "?0")
    assert _offset(url) == 5 * MIB
    last = _appended(url, 5 * MIB, _part(tmp_path, content[5 * MIB :]), *_WHOLE)
    assert (last.status, last.fields["upload-complete"]) == (201, "?1")
    assert last.fields["location"].endswith("/files/parts.bin")
    assert sha256_of(store.root / "parts.bin") == film.sha256


def test_an_upload_may_be_told_its_end_by_nothing_more(store: Server, film: KnownFile) -> None:
    first = _heads(*_PART, "-T", film.path, f"{store.url}/files/ended.bin")[-1]
    assert not (store.root / "ended.bin").exists()
    assert _appended(store.url + first.fields["location"], film.size, Path("/dev/null"), *_WHOLE).status == 201
    assert sha256_of(store.root / "ended.bin") == film.sha256


def test_uploads_take_a_name_from_the_disposition(store: Server, film: KnownFile) -> None:
    name = ("-H", 'Content-Disposition: attachment; filename="by name.bin"')
    heads = _heads("-X", "POST", *name, *_WHOLE, "-T", film.path, f"{store.url}/uploads")
    assert heads[-1].status == 201
    assert sha256_of(store.root / "by name.bin") == film.sha256


def test_a_form_comes_in_parts(store: Server, film: KnownFile, tmp_path: Path) -> None:
    (_, kind), body = form_bytes(("of a form.bin", film.path.read_bytes()))
    posted = ("-H", f"Content-Type: {kind}", "--data-binary", f"@{_part(tmp_path, body[:MIB])}")
    first = _heads("-X", "POST", *_PART, *posted, f"{store.url}/files/box/")[-1]
    assert first.status == 201
    last = _appended(store.url + first.fields["location"], MIB, _part(tmp_path, body[MIB:]), *_WHOLE)
    assert last.status in (200, 201)
    assert sha256_of(store.root / "box" / "of a form.bin") == film.sha256


def test_an_upload_that_ran_out_of_time_goes_on(store: Server, film: KnownFile) -> None:
    slow = ("--limit-rate", "2M", "--max-time", "1")
    heads = _heads(*_INTEROP, *_WHOLE, *slow, "-T", film.path, f"{store.url}/files/timed.bin", ends_with=28)
    _goes_on(store, film, _of(104, heads).fields["location"], "timed.bin")


def test_an_upload_whose_curl_was_killed_goes_on(store: Server, film: KnownFile, tmp_path: Path) -> None:
    dump = tmp_path / "heads"
    dump.touch()
    words = ["curl", "-q", "-sS", "--limit-rate", "2M", "-D", str(dump), *_INTEROP, *_WHOLE]
    with subprocess.Popen([*words, "-T", str(film.path), f"{store.url}/files/killed.bin"]) as process:
        found = wait_until(lambda: re.search(r"(?i)^location: (/uploads/\S+)", dump.read_text(), re.MULTILINE))
        wait_until(lambda: sum(path.stat().st_size for path in _drafts(store)) > MIB)
        process.kill()
    assert found is not None
    _goes_on(store, film, found[1], "killed.bin")


def test_a_wrong_offset_is_put_right(store: Server, film: KnownFile, tmp_path: Path) -> None:
    first = _heads(*_PART, "-T", _part(tmp_path, b"12345"), f"{store.url}/files/wrong.bin")[-1]
    refused = _appended(store.url + first.fields["location"], 6, _part(tmp_path, b"7"), *_WHOLE)
    assert (refused.status, refused.fields["upload-offset"]) == (409, "5")
    assert refused.fields["content-type"].startswith("application/problem+json")


def test_a_cancelled_upload_is_gone(store: Server, tmp_path: Path) -> None:
    before = store.drafts()
    first = _heads(*_PART, "-T", _part(tmp_path, b"12345"), f"{store.url}/files/cancelled.bin")[-1]
    url = store.url + first.fields["location"]
    assert _heads("-X", "DELETE", url)[-1].status == 204
    assert _heads("-I", url)[-1].status == 404
    assert store.drafts() == before


def _goes_on(store: Server, film: KnownFile, location: str, key: str) -> None:
    """What was broken off at some byte is finished from there, by curl's own way of skipping what was sent."""
    assert not (store.root / key).exists()
    url = store.url + location
    offset = _offset(url)
    assert 0 < offset < film.size
    skipping = ("-C", str(offset), "-H", "Content-Range:")
    last = _appended(url, offset, film.path, *_WHOLE, *skipping)
    assert (last.status, last.fields["upload-complete"]) == (201, "?1")
    assert sha256_of(store.root / key) == film.sha256


def _appended(url: str, offset: int, part: Path, *words: str) -> _Head:
    """The answer to a PATCH with this part."""
    return _heads(*_APPEND, "-H", f"Upload-Offset: {offset}", *words, "-T", part, url)[-1]


def _offset(url: str) -> int:
    head = _heads("-I", url)[-1]
    assert (head.status, head.fields["upload-complete"]) == (204, "?0")
    assert head.fields["cache-control"] == "no-store"
    return int(head.fields["upload-offset"])


def _heads(*words: str | Path, ends_with: int = 0) -> list[_Head]:
    """Every head that curl saw, interim ones too; it must end with this code."""
    done = curl("-D", "-", "-o", "/dev/null", *words)
    assert done.code == ends_with, done.errors
    return [_head(block) for block in done.text.split("\r\n\r\n") if block.startswith("HTTP/")]


def _head(block: str) -> _Head:
    first, *lines = block.split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return _Head(int(first.split()[1]), {name.lower(): value.strip() for name, value in pairs})


def _of(status: int, heads: list[_Head]) -> _Head:
    return next(head for head in heads if head.status == status)


def _part(folder: Path, content: bytes) -> Path:
    path = folder / "part"
    path.write_bytes(content)
    return path


def _drafts(store: Server) -> list[Path]:
    folder = store.root / ".fileserver" / "drafts"
    return [folder / name for name in store.drafts()]
