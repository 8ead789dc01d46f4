"""tuspy: chunks with checksums, an upload that another process goes on with."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.storage.filestorage import FileStorage
from tusclient.uploader.uploader import Uploader

from tests.support.files import MIB, KnownFile, sha256_of
from tests.support.server import Server

# This client closes none of the files that it opens.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


# The class itself, with the type that it does not have of its own.
_storage: Callable[[str], FileStorage] = FileStorage


class _Sha512Uploader(Uploader):
    """tuspy with another of the algorithms that the server announces."""

    CHECKSUM_ALGORITHM_PAIR = ("sha512", hashlib.sha512)


@pytest.fixture
def client(store: Server) -> TusClient:
    """tuspy, told nothing but where to."""
    return TusClient(f"{store.url}/uploads")


@pytest.mark.parametrize("size", [MIB, 3 * MIB + 1, 9 * MIB])
def test_chunks_come_with_their_checksums(store: Server, client: TusClient, film: KnownFile, size: int) -> None:
    key = f"checked-{size}.bin"
    client.uploader(str(film.path), chunk_size=size, metadata={"filename": key}, upload_checksum=True).upload()
    assert sha256_of(store.root / key) == film.sha256
    assert store.drafts() == []


def test_another_algorithm_serves_as_well(store: Server, client: TusClient, film: KnownFile) -> None:
    metadata = {"filename": "sha512.bin"}
    _Sha512Uploader(str(film.path), client=client, chunk_size=MIB, metadata=metadata, upload_checksum=True).upload()
    assert sha256_of(store.root / "sha512.bin") == film.sha256


def test_an_upload_goes_on_from_its_url(store: Server, client: TusClient, film: KnownFile) -> None:
    first = client.uploader(str(film.path), chunk_size=MIB, metadata={"filename": "by url.bin"}, upload_checksum=True)
    first.upload(stop_at=5 * MIB)
    second = client.uploader(str(film.path), url=first.url, chunk_size=MIB, upload_checksum=True)
    assert second.offset == 5 * MIB
    second.upload()
    assert sha256_of(store.root / "by url.bin") == film.sha256


def test_an_upload_is_found_again_by_its_fingerprint(
    store: Server, client: TusClient, film: KnownFile, tmp_path: Path
) -> None:
    for stop_at in (3 * MIB, None):
        with closing(_storage(str(tmp_path / "urls.json"))) as urls:
            told = {"metadata": {"filename": "found.bin"}, "store_url": True, "url_storage": urls}
            uploader = client.uploader(str(film.path), chunk_size=MIB, **told)
            uploader.upload(stop_at=stop_at)
    assert sha256_of(store.root / "found.bin") == film.sha256


def test_an_upload_needs_no_metadata(store: Server, client: TusClient, film: KnownFile) -> None:
    before = set(store.stored())
    client.uploader(str(film.path)).upload()  # with a field for it that is empty
    (key,) = set(store.stored()) - before
    assert sha256_of(store.root / key) == film.sha256


def test_a_taken_key_is_told(store: Server, client: TusClient, film: KnownFile) -> None:
    (store.root / "taken.bin").write_bytes(b"taken")
    with pytest.raises(TusCommunicationError) as refused:
        client.uploader(str(film.path), metadata={"filename": "taken.bin"}).upload()
    assert refused.value.status_code == 409
