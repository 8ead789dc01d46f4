"""A person stores files: with curl, with a form, with a browser. What is refused leaves nothing behind."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.clients import curl, curl_status
from tests.support.files import MIB, known_bytes, make_file
from tests.support.server import Server, running_server
from tests.support.wire import Answer, form_bytes, request


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server whose folder holds what these tests stored and nothing else."""
    with running_server(tmp_path_factory.mktemp("uploads")) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three MiB and a bit, so that no buffer's size divides it."""
    return make_file(tmp_path / "mine.bin", 3 * MIB + 7).path


def test_curl_stores_a_file_and_replaces_it(store: Server, file: Path) -> None:
    url = f"{store.url}/files/folder/new%20name.bin"
    assert curl_status("-T", file, url) == 201
    assert store.stored()["folder/new name.bin"] == file.read_bytes()
    file.write_bytes(b"second")
    assert curl_status("-T", file, url) == 200
    assert store.stored()["folder/new name.bin"] == b"second"
    assert store.drafts() == []


def test_what_was_stored_is_told_and_comes_back(store: Server) -> None:
    content = known_bytes(2 * MIB + 1)
    put = request(store.port, "PUT", "/files/told.bin", body=content)
    got = request(store.port, "GET", "/files/told.bin")
    assert (put.status, got.status) == (201, 200)
    assert got.body == content
    assert (put.head.get("location") or "").endswith("/files/told.bin")
    assert put.head.get("etag") == got.head.get("etag") is not None
    assert put.head.get("repr-digest") == got.head.get("repr-digest") == _digest(content)


def test_a_chunked_body_without_a_length_is_stored(store: Server, file: Path) -> None:
    assert curl_status("-T", "-", f"{store.url}/files/piped.bin", stdin=file.read_bytes()) == 201
    assert store.stored()["piped.bin"] == file.read_bytes()


def test_curl_stores_several_files_of_one_form(store: Server, file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "Größe & Maß.txt").write_text("ä")
    names = ("mine.bin", "empty.txt", "Größe & Maß.txt")
    forms = [word for name in names for word in ("-F", f'file=@"{tmp_path / name}"')]
    assert curl_status(*forms, f"{store.url}/files/form/") in (200, 201)
    stored = store.stored()
    assert {key for key in stored if key.startswith("form/")} == {f"form/{name}" for name in names}
    assert stored["form/mine.bin"] == file.read_bytes()
    assert stored["form/Größe & Maß.txt"] == "ä".encode()


def test_create_only_is_kept_the_second_time(store: Server, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("first")
    second.write_text("second")
    only = ("-H", "If-None-Match: *", f"{store.url}/files/once.txt")
    assert curl_status("-T", first, *only) == 201
    assert curl_status("-T", second, *only) == 412
    assert store.stored()["once.txt"] == b"first"


def test_a_lost_update_is_refused(store: Server) -> None:
    target = "/files/shared.txt"
    seen = request(store.port, "PUT", target, body=b"one").head.get("etag") or ""
    assert request(store.port, "PUT", target, ("If-Match", seen), body=b"two").status == 200
    assert request(store.port, "PUT", target, ("If-Match", seen), body=b"three").status == 412
    assert store.stored()["shared.txt"] == b"two"


def test_a_delete_heeds_if_match(store: Server) -> None:
    target = "/files/doomed.txt"
    etag = request(store.port, "PUT", target, body=b"x").head.get("etag") or ""
    assert request(store.port, "DELETE", target, ("If-Match", '"other"')).status == 412
    assert "doomed.txt" in store.stored()
    assert request(store.port, "DELETE", target, ("If-Match", etag)).status in (200, 204)
    assert "doomed.txt" not in store.stored()
    assert request(store.port, "GET", target).status == 404


@pytest.mark.parametrize("field", ["Repr-Digest", "Content-Digest"])
def test_a_wrong_digest_stores_nothing(store: Server, field: str) -> None:
    sent = request(store.port, "PUT", "/files/broken.bin", (field, _digest(b"another")), body=b"content")
    _is_problem(sent, 400, "digest-mismatch")
    assert "broken.bin" not in store.stored()
    assert store.drafts() == []


@pytest.mark.parametrize("field", ["Repr-Digest", "Content-Digest"])
def test_a_right_digest_is_stored(store: Server, field: str) -> None:
    key = f"right-{field}.bin"
    assert request(store.port, "PUT", f"/files/{key}", (field, _digest(b"content")), body=b"content").status == 201
    assert store.stored()[key] == b"content"


def test_a_part_of_a_file_is_refused(store: Server) -> None:
    sent = request(store.port, "PUT", "/files/part.bin", ("Content-Range", "bytes 0-3/8"), body=b"part")
    _is_problem(sent, 400)
    assert "part.bin" not in store.stored()


@pytest.mark.parametrize("content", [b"", b"--", b"content"], ids=["empty", "almost", "some"])
def test_a_form_without_its_closing_boundary_stores_nothing(store: Server, content: bytes) -> None:
    before = store.stored()
    kind, body = form_bytes(("whole.txt", b"whole"), ("open.txt", content), is_closed=False)
    _is_problem(request(store.port, "POST", "/files/", kind, body=body), 400)
    assert store.stored() == before
    assert store.drafts() == []


def test_a_form_cut_anywhere_stores_nothing(store: Server) -> None:
    before = store.stored()
    kind, body = form_bytes(("cut.txt", b"content\r\n"))
    statuses = {request(store.port, "POST", "/files/", kind, body=body[:end]).status for end in range(len(body) - 4)}
    assert statuses == {400}
    assert store.stored() == before
    assert store.drafts() == []


def test_the_form_of_a_page_without_scripts_stores_what_a_person_chose(
    store: Server, browser: Browser, tmp_path: Path
) -> None:
    chosen = [tmp_path / "letter.txt", tmp_path / "naïve – ünïcode.bin"]
    chosen[0].write_text("Dear reader")
    make_file(chosen[1], 5 * MIB + 3)
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{store.url}/files/")
        page.set_input_files("form input[type=file][name=file]", chosen)
        with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
            page.click("form:has(input[type=file]) :is(button, input[type=submit])")
        assert posted.value.status < 400
        page.goto(f"{store.url}/files/")
        for path in chosen:
            assert page.get_by_role("link", name=path.name).count() >= 1
            assert store.stored()[path.name] == path.read_bytes()


def test_the_listing_shows_what_was_stored(store: Server) -> None:
    assert request(store.port, "PUT", "/files/shelf/a.txt", body=b"four").status == 201
    assert request(store.port, "PUT", "/files/shelf/b.csv", body=b"x\r\n1\r\n").status == 201
    listed = json.loads(curl("-f", "-H", "Accept: application/json", f"{store.url}/files/shelf/").text)
    assert [(entry["key"], entry["size"]) for entry in listed["entries"]] == [("shelf/a.txt", 4), ("shelf/b.csv", 6)]
    lines = curl("-f", "-H", "Accept: application/x-ndjson", f"{store.url}/files/shelf/").text.splitlines()
    assert {"shelf/a.txt", "shelf/b.csv"} <= {json.loads(line).get("key") for line in lines}
    assert "shelf/b.csv" in curl("-f", "-H", "Accept: text/csv", f"{store.url}/files/shelf/").text
    assert "b.csv" in curl("-f", "-H", "Accept: text/plain", f"{store.url}/files/shelf/").text


def _digest(content: bytes) -> str:
    """A digest field's value (RFC 9530 s.2)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def _is_problem(answer: Answer, status: int, kind: str = "") -> None:
    """The answer is this status as problem+json (RFC 9457), of this kind."""
    assert answer.status == status, answer.body
    assert (answer.head.get("content-type") or "").startswith("application/problem+json")
    assert kind in json.loads(answer.body)["type"]
