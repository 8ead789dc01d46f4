"""A folder as a stream: its defined end, its torn one, how much it holds, and what is left when the client leaves."""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import anyio
import pytest

from fileserver.delivery.asgi import Message
from fileserver.delivery.listing import Asked, Format, Listing, row_of
from fileserver.delivery.search import words_of
from storage import ROOT, Catalogue, Entry, Folder, Key, Library, Listed, LocalStore, NotFound, StoreUnavailable
from tests.delivery.conftest import detected
from tests.support.asgi import Exchange, drive, each_cancellation, http_scope

FORMATS: tuple[Format, ...] = ("application/x-ndjson", "text/csv", "application/json", "text/plain")
COUNT = 1100  # more than a page


class FailingStore(LocalStore):
    """A store whose disk fails in the midst of a listing."""

    async def list_all(
        self, folder: Folder, *, is_recursive: bool, after: str, is_sorted: bool
    ) -> AsyncGenerator[tuple[Listed, ...], None]:
        """One page, then a fault."""
        yield await self.list(folder, is_recursive=is_recursive, after=after, limit=3)
        raise StoreUnavailable("the disk failed")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of files that nobody changes."""
    path = tmp_path_factory.mktemp("filled")
    for number in range(COUNT):
        folder = path / f"{number // 500}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:04}").write_bytes(b"")
    return path


@pytest.fixture
async def library(filled: Path) -> AsyncIterator[Library]:
    """A library over the tree, which it only reads."""
    opened = Library(LocalStore(filled, is_writable=False), Catalogue(None), detected)
    await opened.start()
    yield opened
    await opened.close()


def listing_of(library: Library, media_type: Format, *, is_sorted: bool = True, folder: Folder = ROOT) -> Listing:
    asked = Asked(folder, is_recursive=True, is_sorted=is_sorted)
    return Listing(library, asked, media_type, (), href=lambda key: key)


async def found(library: Library, text: str, *, after: str = "", limit: int | None = None) -> list[str]:
    asked = Asked(ROOT, after=after, limit=limit, words=words_of(text))
    return rows_of(await drive(Listing(library, asked, "application/x-ndjson", (), lambda key: key), http_scope()))


def rows_of(answer: Exchange) -> list[str]:
    return [json.loads(line)["key"] for line in answer.body.splitlines()[:-1]]


@pytest.mark.parametrize("is_sorted", [False, True])
async def test_all_rows_come_once_and_the_end_counts_them(library: Library, is_sorted: bool) -> None:
    answer = await drive(listing_of(library, "application/x-ndjson", is_sorted=is_sorted), http_scope())
    assert sorted(rows_of(answer)) == [f"{number // 500}/{number:04}" for number in range(COUNT)]
    assert json.loads(answer.body.splitlines()[-1]) == {"type": "end", "rows": COUNT}
    assert answer.is_complete


async def test_json_is_one_document(library: Library) -> None:
    answer = await drive(listing_of(library, "application/json"), http_scope())
    document = json.loads(answer.body)
    assert (document["folder"], len(document["entries"]), document["next"]) == ("", COUNT, None)


@pytest.mark.parametrize("media_type", FORMATS)
async def test_rows_leave_in_pieces(library: Library, media_type: Format) -> None:
    answer = await drive(listing_of(library, media_type), http_scope())
    assert max(len(message.get("body", b"")) for message in answer.messages) <= 64 * 1024


@pytest.mark.parametrize("media_type", FORMATS)
async def test_what_is_missing_is_missing_before_the_answer_begins(library: Library, media_type: Format) -> None:
    answer = await drive(listing_of(library, media_type, folder=Folder("missing/")), http_scope())
    assert isinstance(answer.error, NotFound)
    assert answer.messages == []


@pytest.mark.parametrize("media_type", FORMATS)
async def test_a_disk_that_fails_tears_the_answer(filled: Path, media_type: Format) -> None:
    library = Library(FailingStore(filled, is_writable=False), Catalogue(None), detected)
    await library.start()
    answer = await drive(listing_of(library, media_type), http_scope())
    await library.close()
    assert isinstance(answer.error, StoreUnavailable)
    assert not answer.is_complete
    assert b"0/0002" in answer.body
    if media_type == "application/x-ndjson":
        last = json.loads(answer.body.splitlines()[-1])
        assert (last["type"], last["code"]) == ("error", "storage-failed")
    else:
        assert b"rror" not in answer.body


@pytest.mark.parametrize(
    "asked", [Asked(ROOT, True, is_sorted=False), Asked(ROOT, True), Asked(ROOT, words=words_of("1"))]
)
async def test_whoever_leaves_leaves_nothing_open(library: Library, filled: Path, asked: Asked) -> None:
    listing = Listing(library, asked, "text/csv", (), lambda key: key)
    await drive(listing, http_scope())  # what is opened once and for all
    async for _, _ in each_cancellation(lambda number: drive(listing, http_scope(), cancel_at_await=number)):
        pass
    for number in range(1, 12):
        await drive(listing, http_scope(), disconnect_at_send=number)
    with anyio.fail_after(10):  # a thread that was left alone closes what it has when it comes back
        while open_folders(filled):
            await anyio.sleep(0.001)


def open_folders(below: Path) -> list[str]:
    """Descriptors of this process that are folders of a tree, but for the one of the root that a store keeps."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the look itself
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    found.remove(str(below))
    return [target for target in found if target == str(below) or target.startswith(f"{below}/")]


async def test_no_connection_is_held_while_rows_leave(tmp_path: Path, filled: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue.sqlite3")
    library = Library(LocalStore(filled, is_writable=False), catalogue, detected)
    await library.start()

    async def take_them_all(_message: Message) -> None:
        """As many as there are to read with: one that is held would keep this waiting."""
        async with AsyncExitStack() as stack:
            taken = {await stack.enter_async_context(catalogue.reading()) for _ in range(4)}
            assert len(taken) == 4

    answer = await drive(listing_of(library, "text/csv"), http_scope(), on_send=take_them_all)
    await drive(listing_of(library, "text/csv"), http_scope(), disconnect_at_send=5)
    await take_them_all({})
    await library.close()
    assert answer.is_complete


async def test_a_search_streams_what_it_finds_in_key_order(library: Library) -> None:
    assert await found(library, "099") == ["0/0099", *(f"1/099{n}" for n in range(10)), "2/1099"]
    assert await found(library, "99 10") == ["2/1099"]
    assert await found(library, "099", after="1/0996", limit=2) == ["1/0997", "1/0998"]
    assert await found(library, "2") == sorted(
        [*(f"{n // 500}/{n:04}" for n in range(COUNT) if "2" in f"{n:04}"), "2/"]
    )


async def test_a_search_that_finds_nothing_is_a_whole_answer(library: Library) -> None:
    asked = Asked(ROOT, words=words_of("nothing"))
    answer = await drive(Listing(library, asked, "application/json", (), lambda key: key), http_scope())
    assert json.loads(answer.body) == {"folder": "", "entries": [], "next": None}
    assert answer.is_complete


async def test_a_page_of_a_search_is_its_beginning(library: Library) -> None:
    page = await Asked(ROOT, words=words_of("1")).page(library, 3)
    assert [each.key for each in page if isinstance(each, Entry)] == ["0/0001", "0/0010", "0/0011"]


@pytest.mark.parametrize(
    ("modified_s", "told"),
    [(2**40, "9999-12-31T23:59:59Z"), (2**62, "9999-12-31T23:59:59Z"), (-(2**40), "0001-01-01T00:00:00Z")],
)
def test_a_time_that_no_calendar_has_is_the_nearest_that_one_has(modified_s: int, told: str) -> None:
    entry = Entry(Key("a"), 1, modified_s * 1_000_000_000, etag="1", identity="1")
    assert row_of(entry, href=str)["modified"] == told
