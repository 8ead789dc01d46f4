"""tus-js-client, in every way it can send a file: tus 1.0 and the draft of the IETF that it speaks."""

from pathlib import Path
from typing import Any

import pytest

from tests.interop.javascript import upload
from tests.support.files import MIB, KnownFile, sha256_of
from tests.support.server import Server, wait_until
from tests.support.wire import request

_TUS = ("Tus-Resumable", "1.0.0")

_WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "chunked": {"chunkSize": MIB},
    "a chunk of the file's size": {"chunkSize": 8 * MIB + 7},
    "with the creation": {"uploadDataDuringCreation": True},
    "with the creation, chunked": {"uploadDataDuringCreation": True, "chunkSize": MIB},
    "a length told at the end": {"given_as": "stream", "uploadLengthDeferred": True, "chunkSize": MIB},
    "POST for PATCH": {"overridePatchMethod": True, "chunkSize": 3 * MIB},
    "parallel": {"parallelUploads": 4},
    "parallel, chunked": {"parallelUploads": 3, "chunkSize": MIB},
    "parallel, with the creation": {"parallelUploads": 2, "uploadDataDuringCreation": True},
}
# As in a browser, where a file is sliced and not streamed: of a stream's parts this client never says that one is last.
_DRAFT: dict[str, Any] = {"protocol": "ietf-draft-05", "given_as": "buffer"}
_DRAFT_WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "chunked": {"chunkSize": MIB},
    "with the creation": {"uploadDataDuringCreation": True},
    "with the creation, chunked": {"uploadDataDuringCreation": True, "chunkSize": MIB},
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_file_comes_whole(store: Server, film: KnownFile, way: str) -> None:
    key = f"tus/{way}.bin"
    sent = upload(film.path, endpoint=_endpoint(store), metadata={"key": key}, **_WAYS[way])
    assert sent.ended == "success", sent.error
    assert sha256_of(store.root / key) == film.sha256
    wait_until(store.drafts, lambda drafts: drafts == [])


@pytest.mark.parametrize("way", _DRAFT_WAYS)
def test_a_file_comes_whole_by_the_draft(store: Server, film: KnownFile, way: str) -> None:
    key = f"draft/{way}.bin"
    sent = upload(film.path, endpoint=_endpoint(store), metadata={"key": key}, **_DRAFT, **_DRAFT_WAYS[way])
    assert sent.ended == "success", sent.error
    assert sha256_of(store.root / key) == film.sha256
    wait_until(store.drafts, lambda drafts: drafts == [])


def test_each_chunk_is_acknowledged(store: Server, film: KnownFile) -> None:
    sent = upload(film.path, endpoint=_endpoint(store), metadata={"filename": "chunks.bin"}, chunkSize=MIB)
    assert sent.offsets == [*range(0, film.size, MIB), film.size]


def test_the_last_answer_tells_of_the_file(store: Server, film: KnownFile) -> None:
    sent = upload(film.path, endpoint=_endpoint(store), metadata={"filename": "told.bin"})
    got = request(store.port, "HEAD", "/files/told.bin").head
    assert sent.fields["content-location"] == "/files/told.bin"
    assert sent.fields["etag"] == got.get("etag") is not None
    assert sent.fields["repr-digest"] == got.get("repr-digest") is not None


def test_a_folder_takes_uploads(store: Server, film: KnownFile) -> None:
    endpoint = f"{store.url}/files/shelf/"
    assert upload(film.path, endpoint=endpoint, metadata={"filename": "Größe & Maß.bin"}).ended == "success"
    assert sha256_of(store.root / "shelf" / "Größe & Maß.bin") == film.sha256


def test_an_empty_file_is_stored(store: Server, tmp_path: Path) -> None:
    (tmp_path / "empty.bin").touch()
    sent = upload(tmp_path / "empty.bin", endpoint=_endpoint(store), metadata={"filename": "empty.bin"})
    assert sent.ended == "success", sent.error
    assert (store.root / "empty.bin").read_bytes() == b""


def test_a_taken_key_is_refused_unless_it_may_be_replaced(store: Server, film: KnownFile) -> None:
    (store.root / "taken.bin").write_bytes(b"taken")
    refused = upload(film.path, endpoint=_endpoint(store), metadata={"filename": "taken.bin"})
    assert (refused.ended, refused.requests) == ("error", (("POST", 409, None),))
    assert (store.root / "taken.bin").read_bytes() == b"taken"
    metadata = {"filename": "taken.bin", "replace": "true"}
    assert upload(film.path, endpoint=_endpoint(store), metadata=metadata).ended == "success"
    assert sha256_of(store.root / "taken.bin") == film.sha256


@pytest.mark.parametrize("options", [{}, _DRAFT], ids=["tus", "draft"])
def test_an_aborted_upload_goes_on(store: Server, film: KnownFile, options: dict[str, Any]) -> None:
    key = f"aborted-{len(options)}.bin"
    told = {"endpoint": _endpoint(store), "metadata": {"filename": key}} | options
    sent = upload(film.path, stop_after=1, after_stop="resume", **told)
    assert sent.ended == "success", sent.error
    assert [method for method, _, _ in sent.requests] == ["POST", "HEAD", "PATCH"]
    assert sha256_of(store.root / key) == film.sha256


@pytest.mark.parametrize("options", [{}, _DRAFT], ids=["tus", "draft"])
def test_another_process_goes_on_where_one_left(
    store: Server, film: KnownFile, tmp_path: Path, options: dict[str, Any]
) -> None:
    key = f"left-{len(options)}.bin"
    told: dict[str, Any] = {"endpoint": _endpoint(store), "metadata": {"filename": key}, "urls": tmp_path / "urls"}
    told |= {"chunkSize": MIB} | options
    left = upload(film.path, stop_after=3 * MIB + 1, **told)
    assert left.ended == "left"
    sent = upload(film.path, **told)
    assert sent.ended == "success", sent.error
    assert sent.requests[0][0] == "HEAD"
    assert 3 * MIB <= left.offsets[-1] <= sent.offsets[0]
    assert sha256_of(store.root / key) == film.sha256


def test_another_process_goes_on_with_all_parts(store: Server, film: KnownFile, tmp_path: Path) -> None:
    told: dict[str, Any] = {"endpoint": _endpoint(store), "metadata": {"filename": "parts.bin"}, "parallelUploads": 3}
    told |= {"urls": tmp_path / "urls", "chunkSize": MIB // 2}
    assert upload(film.path, stop_after=3 * MIB, **told).ended == "left"
    sent = upload(film.path, **told)
    assert sent.ended == "success", sent.error
    assert [method for method, _, _ in sent.requests].count("HEAD") == 3
    assert sha256_of(store.root / "parts.bin") == film.sha256


@pytest.mark.parametrize("parts", [1, 3])
def test_a_terminated_upload_is_gone(store: Server, film: KnownFile, parts: int) -> None:
    before = store.drafts()
    sent = upload(
        film.path,
        endpoint=_endpoint(store),
        metadata={"filename": "terminated.bin"},
        parallelUploads=parts,
        chunkSize=MIB // 2,
        stop_after=6 * MIB,  # more than two of the parts have: all of them have begun
        after_stop="terminate",
    )
    assert sent.ended == "terminated", sent.error
    assert not (store.root / "terminated.bin").exists()
    wait_until(store.drafts, lambda drafts: drafts == before)
    if sent.url is not None:  # an upload in parts has none before its end
        assert request(store.port, "HEAD", sent.url.removeprefix(store.url), _TUS).status == 404


def _endpoint(store: Server) -> str:
    return f"{store.url}/uploads"
