"""Uploads through nginx: as it is installed, with its body limit, with and without its buffers, below a prefix."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.javascript import upload
from tests.support.clients import curl, curl_status
from tests.support.files import MIB, KnownFile, sha256_of
from tests.support.nginx import nginx
from tests.support.server import Serve, Server

_CHUNK = MIB - 1
_PROXIES = {
    "as it is": "location / {{ proxy_pass {url}; }}",
    "with a limit, unbuffered": (
        "client_max_body_size 1m; location / {{ proxy_pass {url}; proxy_request_buffering off; }}"
    ),
    # By HTTP/1.1 an interim answer reaches it, which it takes for the last one (1.22): it must not let it be asked for.
    "unbuffered, by HTTP/1.1": (
        "client_max_body_size 1m; proxy_set_header Upload-Draft-Interop-Version '';"
        " location / {{ proxy_pass {url}; proxy_request_buffering off; proxy_http_version 1.1; }}"
    ),
    "with the name it was asked by": "location / {{ proxy_pass {url}; proxy_set_header Host $http_host; }}",
}
_PREFIX = "location /prefix/ {{ proxy_pass {url}/; proxy_set_header Host $http_host; }}"


@pytest.fixture(scope="module", params=_PROXIES)
def proxied(request: pytest.FixtureRequest, store: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of an nginx before the store."""
    location = _PROXIES[request.param].format(url=store.url)
    with nginx(tmp_path_factory.mktemp("nginx"), location) as origin:
        yield origin


def test_chunks_below_the_limit_come_through(store: Server, film: KnownFile, proxied: str) -> None:
    metadata = {"filename": "chunks.bin", "replace": "true"}
    sent = upload(film.path, endpoint=f"{proxied}/uploads", metadata=metadata, chunkSize=_CHUNK)
    assert sent.ended == "success", sent.error
    assert (sent.url or "").startswith(f"{proxied}/uploads/")
    assert sha256_of(store.root / "chunks.bin") == film.sha256


def test_parts_in_parallel_come_through(store: Server, film: KnownFile, proxied: str) -> None:
    metadata = {"filename": "parts.bin", "replace": "true"}
    sent = upload(film.path, endpoint=f"{proxied}/uploads", metadata=metadata, chunkSize=_CHUNK, parallelUploads=3)
    assert sent.ended == "success", sent.error
    assert sha256_of(store.root / "parts.bin") == film.sha256


@pytest.mark.parametrize("is_with_creation", [False, True])
def test_the_draft_comes_through(store: Server, film: KnownFile, proxied: str, is_with_creation: bool) -> None:
    metadata = {"filename": "draft.bin", "replace": "true"}
    told: dict[str, Any] = {"endpoint": f"{proxied}/uploads", "metadata": metadata, "protocol": "ietf-draft-05"}
    told["uploadDataDuringCreation"] = is_with_creation
    sent = upload(film.path, given_as="buffer", chunkSize=_CHUNK, **told)
    assert sent.ended == "success", sent.error
    assert sha256_of(store.root / "draft.bin") == film.sha256


def test_a_chunk_above_the_limit_is_refused_and_smaller_ones_go_on(
    store: Server, film: KnownFile, proxied: str, tmp_path: Path
) -> None:
    told: dict[str, Any] = {
        "endpoint": f"{proxied}/uploads",
        "metadata": {"filename": "refused.bin", "replace": "true"},
    }
    refused = upload(film.path, urls=tmp_path / "urls", chunkSize=2 * MIB, **told)
    assert refused.ended == "error"
    assert refused.requests[-1][:2] == ("PATCH", 413)
    sent = upload(film.path, urls=tmp_path / "urls", chunkSize=_CHUNK, **told)
    assert sent.ended == "success", sent.error
    assert sent.requests[0] == ("HEAD", 200, 0)
    assert sha256_of(store.root / "refused.bin") == film.sha256


def test_an_aborted_upload_goes_on_through_it(store: Server, film: KnownFile, proxied: str, tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "endpoint": f"{proxied}/uploads",
        "metadata": {"filename": "aborted.bin", "replace": "true"},
    }
    upload(film.path, urls=tmp_path / "urls", chunkSize=_CHUNK, stop_after=3 * MIB, **told)
    sent = upload(film.path, urls=tmp_path / "urls", chunkSize=_CHUNK, **told)
    assert sent.ended == "success", sent.error
    assert sent.requests[0][0] == "HEAD"
    assert sent.offsets[0] >= 2 * _CHUNK
    assert sha256_of(store.root / "aborted.bin") == film.sha256


def test_a_prefix_is_part_of_every_address(serve: Serve, film: KnownFile, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    server = serve(tmp_path / "root", "--root-path", "/prefix")
    with nginx(tmp_path, _PREFIX.format(url=server.url.removesuffix("/prefix"))) as origin:
        endpoint = f"{origin}/prefix/uploads"
        for parts in (1, 2):
            metadata = {"filename": f"prefixed-{parts}.bin"}
            sent = upload(film.path, endpoint=endpoint, metadata=metadata, chunkSize=_CHUNK, parallelUploads=parts)
            assert sent.ended == "success", sent.error
            assert (sent.url or "").startswith(f"{endpoint}/")
            assert sha256_of(server.root / f"prefixed-{parts}.bin") == film.sha256
        assert sent.fields.get("content-location") in (None, "/prefix/files/prefixed-2.bin")
        assert curl_status(f"{origin}/prefix/files/prefixed-1.bin") == 200
        told = curl("-D", "-", "-X", "POST", "-H", "Upload-Complete: ?0", endpoint).text
        assert re.search(r"(?mi)^location: (http://127.0.0.1:\d+)?/prefix/uploads/", told)
