"""aiotus: a file in chunks, files in parallel that become one, and the metadata read back."""

import io

import aiotus
import pytest
import yarl

from tests.support.files import MIB, KnownFile, sha256_of
from tests.support.server import Server, wait_until

# aiohttp's word on aiotus, which hands it pieces of more than a megabyte as bytes
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")

_ONCE = aiotus.RetryConfiguration(retry_attempts=1)
_PARTS = 3


@pytest.mark.parametrize("size", [MIB, 9 * MIB])
async def test_a_file_comes_whole(store: Server, film: KnownFile, size: int) -> None:
    key = f"aiotus-{size}.bin"
    location = await _uploaded(store, film, key, size)
    assert location.path.startswith("/uploads/")
    assert sha256_of(store.root / key) == film.sha256


async def test_metadata_is_read_back(store: Server, film: KnownFile) -> None:
    location = await _uploaded(store, film, "Übung.bin", 9 * MIB)
    assert await aiotus.metadata(location, config=_ONCE) == _metadata("Übung.bin")


async def test_parts_become_one_file(store: Server, film: KnownFile) -> None:
    content = film.path.read_bytes()
    step = -(-len(content) // _PARTS)
    parts = [io.BytesIO(content[start : start + step]) for start in range(0, len(content), step)]
    endpoint = f"{store.url}/uploads"
    location = await aiotus.upload_multiple(endpoint, parts, _metadata("joined.bin"), config=_ONCE, chunksize=MIB)
    assert location is not None
    assert sha256_of(store.root / "joined.bin") == film.sha256
    wait_until(store.drafts, lambda drafts: drafts == [])


async def _uploaded(store: Server, film: KnownFile, key: str, size: int) -> yarl.URL:
    """Where the film was uploaded to, in chunks of this size."""
    with film.path.open("rb") as file:
        endpoint = f"{store.url}/uploads"
        location = await aiotus.upload(endpoint, file, _metadata(key), config=_ONCE, chunksize=size)
    assert location is not None
    return location


def _metadata(key: str) -> dict[str, bytes | None]:
    """A key, and a word that has no value, as tus allows."""
    return {"filename": key.encode(), "is_confidential": None}
