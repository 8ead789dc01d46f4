"""tus: the grammar of Upload-Metadata (T9), and the key that it leads to, which never leads outside."""

import base64
import os
from pathlib import Path

import pytest

from tests.uploads.dialects import Line, Tus, assert_problem, fresh_key, metadata, stored, told

_FOO = base64.b64encode(b"foo").decode()

_MALFORMED = {
    "a name twice": f"note {_FOO},note {_FOO}",
    "the key twice": f"key {_FOO},key YmFy",
    "a comma at the end": f"note {_FOO},",
    "a comma at the start": f",note {_FOO}",
    "two commas": f"note {_FOO},,other {_FOO}",
    "a comma alone": ",",
    "no base64": "note !!!",
    "base64 that ends early": "note Zm9",
    "base64 of one letter": "note Z",
    "base64 with something behind": "note Zm9v=x",
    "base64 for URLs": "note __--",
    "three words": f"note {_FOO} {_FOO}",
    "a tab between": f"note\t{_FOO}",
    "a name beyond ASCII": f"näme {_FOO}",
    "a value beyond ASCII": "note Größe",
}

_WELL_FORMED = {
    "one pair": f"note {_FOO}",
    "two pairs": f"note {_FOO},other YmFy",
    "no value": "is_confidential",
    "no value, a space": f"note ,other {_FOO}",
    "no value among others": f"a,note {_FOO},b",
    "a value that is no text": "note /w==",
    "CR LF in a value": "note " + base64.b64encode(b"a\r\nSet-Cookie: a=b").decode(),
    "names that look alike": f"note {_FOO},Note {_FOO}",
    "many pairs": ",".join(f"name{number} {_FOO}" for number in range(100)),
}


@pytest.mark.parametrize("why", _MALFORMED)
def test_malformed_metadata_is_400(tus: Tus, why: str) -> None:
    _creates_nothing(tus, {400}, ("Upload-Metadata", _MALFORMED[why]))


@pytest.mark.parametrize("why", _WELL_FORMED)
def test_metadata_is_told_as_it_was_said(tus: Tus, why: str) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "5"), ("Upload-Metadata", _WELL_FORMED[why]))
    assert made.status == 201
    assert told(tus.ask("HEAD", told(made, "location")), "upload-metadata") == _WELL_FORMED[why].strip()


def test_empty_metadata_is_as_good_as_none(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "5"), ("Upload-Metadata", ""))
    assert made.status == 201
    assert not tus.ask("HEAD", told(made, "location")).head.get("upload-metadata")


def test_huge_metadata_is_told_or_refused(tus: Tus) -> None:
    value = "note " + base64.b64encode(b"x" * 45_000).decode()
    made = tus.ask("POST", "/uploads", ("Upload-Length", "5"), ("Upload-Metadata", value))
    assert made.status in (201, 400, 413, 431)
    if made.status == 201:
        assert told(tus.ask("HEAD", told(made, "location")), "upload-metadata") == value


_KEYS: dict[str, tuple[dict[str, str], str]] = {
    "the key": ({"key": "K", "relativePath": "R", "filename": "F", "name": "N"}, "K"),
    "the relative path": ({"relativePath": "R", "filename": "F", "name": "N"}, "R"),
    "the file name": ({"filename": "F", "name": "N"}, "F"),
    "the name": ({"name": "N"}, "N"),
}


@pytest.mark.parametrize("route", ["/uploads", "/files/", "/files/shelf/box/"])
@pytest.mark.parametrize("why", _KEYS)
def test_the_key_comes_from(tus: Tus, why: str, route: str) -> None:
    pairs, letter = _KEYS[why]
    folder = fresh_key("folder")
    named = {name: f"{folder}/{value}" for name, value in pairs.items()}
    made = tus.ask("POST", route, ("Upload-Length", "3"), metadata(**named))
    assert tus.patch(told(made, "location"), 0, b"abc").status == 204
    shelf = route.removeprefix("/files/") if route != "/uploads" else ""
    assert stored(tus.server, f"{shelf}{folder}/{letter}") == b"abc"


@pytest.mark.parametrize("route", ["/uploads", "/files/", "/files/shelf/"])
def test_without_a_name_one_is_made_that_gives_no_address_away(tus: Tus, route: str) -> None:
    targets = [told(tus.ask("POST", route, ("Upload-Length", "3")), "location") for _ in range(2)]
    places = [told(tus.patch(target, 0, b"abc"), "content-location") for target in targets]
    assert places[0] != places[1]
    for target, place in zip(targets, places, strict=True):
        assert place.startswith(route if route != "/uploads" else "/files/")
        assert target.rpartition("/")[2] not in place
        assert stored(tus.server, place.removeprefix("/files/")) == b"abc"


def test_what_scripts_say_instead_of_no_name_is_none(tus: Tus) -> None:
    key = fresh_key()
    made = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(relativePath="null", name=key))
    assert tus.patch(told(made, "location"), 0, b"abc").status == 204
    assert stored(tus.server, key) == b"abc"


def test_a_key_is_stored_in_its_composed_form(tus: Tus) -> None:
    tus.patch(tus.create(fresh_key("cafe\u0301.txt"), 3), 0, b"abc")
    key = fresh_key("Gro\u0308ße & Maß – ünïcode 文.txt")
    place = told(tus.patch(tus.create(key, 3), 0, b"abc"), "content-location")
    assert place.isascii()
    assert stored(tus.server, key.replace("o\u0308", "ö")) == b"abc"


_HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "dots": b"..",
    "a dot": b".",
    "upwards": b"../canary.txt",
    "upwards from within": b"folder/../../canary.txt",
    "upwards after a file": b"kept.txt/../../canary.txt",
    "far upwards": b"../" * 30 + b"etc/canary.txt",
    "absolute": b"/etc/canary.txt",
    "absolute, doubled": b"//etc/canary.txt",
    "a doubled slash": b"folder//canary.txt",
    "a folder": b"folder/",
    "backslash": b"..\\canary.txt",
    "backslash within": b"folder\\canary.txt",
    "a drive": b"C:\\Windows\\canary.txt",
    "NUL": b"canary\0.txt",
    "NUL and an innocent end": b"../canary.txt\0.png",
    "CR LF": b"canary\r\nSet-Cookie: a=b",
    "LF": b"canary\n.txt",
    "CR": b"canary\r.txt",
    "escape": b"canary\x1b[2J.txt",
    "no UTF-8": b"canary\xff.txt",
    "an encoded surrogate": b"canary\xed\xb3\xbf.txt",
    "turned text": "canary\u202etxt.exe".encode(),
    "our own folder": b".fileserver/canary.txt",
    "our own folder itself": b".fileserver",
    "our own drafts": b".fileserver/drafts/canary",
    "our own in capitals": b".FileServer/canary.txt",
    "our own, full-width": "．fileserver/canary.txt".encode(),
    "our own with a dot behind": b".fileserver./canary.txt",
    "dots and spaces": b". . .",
    "a name of 300 bytes": b"n" * 300,
    "a name of 300 bytes in a folder": b"folder/" + b"n" * 300,
    "a key of 1100 bytes": b"/".join([b"n" * 99] * 11),
}


@pytest.mark.parametrize("name", ["key", "relativePath", "filename", "name"])
@pytest.mark.parametrize("why", [each for each in _HOSTILE if each != "empty"])
def test_a_name_that_may_not_be_is_refused(tus: Tus, why: str, name: str) -> None:
    for route in ("/uploads", "/files/", "/files/folder/"):
        if route == "/files/folder/" and why.startswith("our own"):
            continue  # only at the top is that ours
        answer = _creates_nothing(tus, {400}, metadata(**{name: _HOSTILE[why]}), route=route)
        assert "set-cookie" not in {field for field, _ in answer}


def test_an_empty_key_is_no_key(tus: Tus) -> None:
    made = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=""))
    assert made.status in (201, 400)
    if made.status == 201:
        assert tus.patch(told(made, "location"), 0, b"abc").status == 204


def test_a_folder_that_may_not_be_is_refused(tus: Tus) -> None:
    for route in ("/files/../", "/files/%2e%2e/", "/files/.fileserver/", "/files/a//", "/files/a%00/", "/files/a%5cb/"):
        _creates_nothing(tus, {400}, metadata(key="x"), route=route)


def test_a_file_in_the_place_of_a_folder_is_a_conflict(tus: Tus) -> None:
    key = fresh_key()
    tus.patch(tus.create(key, 3), 0, b"abc")
    answer = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=f"{key}/below"))
    if answer.status == 201:
        answer = tus.patch(told(answer, "location"), 0, b"new")
    assert_problem(answer, 409, "folder-in-the-way")
    assert stored(tus.server, key) == b"abc"


def test_a_folder_in_the_place_of_a_file_is_a_conflict(tus: Tus) -> None:
    key = fresh_key("folder/file")
    tus.patch(tus.create(key, 3), 0, b"abc")
    answer = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=key.removesuffix("/file")))
    if answer.status == 201:
        answer = tus.patch(told(answer, "location"), 0, b"new")
    assert answer.status in (404, 409)
    assert stored(tus.server, key) == b"abc"


def test_a_link_leads_nowhere(tus: Tus, tmp_path: Path) -> None:
    folder = fresh_key("links")
    (tus.server.root / folder).mkdir(parents=True)
    (tus.server.root / folder / "outside").symlink_to(tmp_path)
    (tus.server.root / folder / "file").symlink_to(tmp_path / "file")
    for name in ("outside/x", "file"):
        made = tus.ask("POST", "/uploads", ("Upload-Length", "3"), metadata(key=f"{folder}/{name}", replace="true"))
        if made.status == 201:
            tus.patch(told(made, "location"), 0, b"abc")
    assert os.listdir(tmp_path) == []


def test_nothing_has_been_written_outside(tus: Tus) -> None:
    assert os.listdir(tus.server.root.parent) == ["root"]
    assert sorted(os.listdir(tus.server.root / ".fileserver" / "drafts")) == tus.server.drafts()
    assert not list(tus.server.root.rglob("*canary*"))


def _creates_nothing(tus: Tus, statuses: set[int], line: Line, *, route: str = "/uploads") -> tuple[Line, ...]:
    """Nothing is there after the refusal that was not before; its header fields."""
    before = tus.server.drafts()
    answer = tus.ask("POST", route, ("Upload-Length", "5"), line)
    assert answer.status in statuses, (route, answer, answer.body)
    assert answer.head.get("location") is None
    assert tus.server.drafts() == before
    return answer.head.fields
