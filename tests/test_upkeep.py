"""What the background's work tells people: figures, and a line for what somebody should look at."""

import asyncio
import json

import pytest
from anyio import lowlevel

from fileserver.metrics import Metrics
from fileserver.upkeep import kept_up, teller
from storage import Catalogue, Damaged, Failed, Finding, Hashed, Key, Library, MemoryStore, StoreUnavailable, Upkeep


def test_what_was_read_is_counted_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    tell = teller(metrics)
    tell(Hashed(Key("a"), 5))
    tell(Hashed(Key("b"), 7))
    assert "fileserver_hashed_bytes_total 12.0" in metrics.exposition()[0].decode()
    assert caplog.messages == []


def test_damage_is_one_line_of_json_whatever_the_name(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    teller(metrics)(Damaged(Finding("damaged", Key("a\n\x1b[2J\udcff\u202e"), 7, bytes(32), b"\x01" * 32)))
    assert "fileserver_damaged_files_total 1.0" in metrics.exposition()[0].decode()
    (line,) = caplog.messages
    assert line.isascii()
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "warning",
        "upkeep": "damaged",
        "key": "a\\n\\x1b[2J\\udcff\\u202e",
        "size": 7,
        "expected": "00" * 32,
        "found": "01" * 32,
    }


def test_bytes_that_cannot_be_read_have_no_digest(caplog: pytest.LogCaptureFixture) -> None:
    teller(Metrics())(Damaged(Finding("damaged", Key("a"), 7, bytes(32))))
    assert json.loads(caplog.messages[0])["found"] is None


def test_work_that_failed_is_told_of_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    teller(Metrics())(Failed("walk", StoreUnavailable("Input/output error")))
    said = json.loads(caplog.messages[0])
    assert (said["upkeep"], said["work"], said["error"]) == ("failed", "walk", "StoreUnavailable: Input/output error")


async def test_a_fault_of_the_work_ends_it_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def faulty() -> None:
        raise ValueError("a fault")

    store, catalogue = MemoryStore(), Catalogue(None)
    library = Library(store, catalogue, lambda head, name: "text/plain")
    await library.start()
    upkeep = Upkeep(
        library,
        store,
        catalogue,
        hash_rate=0,
        scrub_period_s=None,
        report=lambda event: None,
        jobs=(faulty,),
        job_pause_s=0,
    )
    async with kept_up(upkeep):
        while not caplog.messages:
            await lowlevel.checkpoint()
        await library.check()
    await library.close()
    assert caplog.messages == ["The background work has ended"]


async def test_nothing_goes_on_after_the_end() -> None:
    store, catalogue = MemoryStore(), Catalogue(None)
    library = Library(store, catalogue, lambda head, name: "text/plain")
    await library.start()
    before = asyncio.all_tasks()
    async with kept_up(Upkeep(library, store, catalogue, hash_rate=None, scrub_period_s=1, report=lambda event: None)):
        await lowlevel.checkpoint()
    assert asyncio.all_tasks() == before
    await library.close()
