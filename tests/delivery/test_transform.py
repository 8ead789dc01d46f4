"""Transforms between a client and a real worker: who waits for whom, what is told, what is left."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup

from fileserver.delivery.asgi import ClientLeft
from fileserver.delivery.exchange import JobCancelled, TransformFailed
from fileserver.delivery.spill import MEMORY_SIZE
from fileserver.delivery.table_sources import raw_table
from fileserver.http.digests import format_digest
from fileserver.tables import EngineFailed, OutOfMemory, Plan, PlanFault, RowFault
from fileserver.workers import QueueFull
from storage import DigestMismatch, Key, Library, PreconditionFailed
from tests.delivery.conftest import drafts_in, until_closed
from tests.delivery.transforming import Site, opened_site, post
from tests.support.asgi import Exchange, Message, body_events, drive, each_cancellation, http_scope

HEADER = b"a,b\n"
ROW = b"0123456789,some text that fills a row of a hundred bytes, or of nearly as many as that, as it is here\n"
MIB = 1 << 20


@pytest.fixture
async def site(tmp_path: Path, library: Library) -> AsyncIterator[Site]:
    """A workshop with the stand-in."""
    async with opened_site(tmp_path / "scratch", library) as opened:
        yield opened


def rows(size: int) -> list[bytes]:
    """A table of about so many bytes, in pieces."""
    piece = ROW * (MIB // len(ROW))
    return [HEADER, *[piece] * (size // MIB)]


def cause(exchange: Exchange) -> BaseException:
    """What a transform failed of before its answer began."""
    assert isinstance(exchange.error, TransformFailed), exchange.error
    return exchange.error.cause


async def test_a_small_table_comes_back_with_its_length_and_counts(site: Site) -> None:
    exchange = await post(site, HEADER, ROW * 3)
    assert exchange.body == HEADER + ROW * 3
    headers = exchange.headers
    assert headers["content-length"] == str(len(exchange.body))
    assert (headers["transform-rows-in"], headers["transform-rows-out"]) == ("3", "3")
    assert headers["transform-plan"] == "streaming"
    assert headers["link"] == f'</jobs/{headers["transform-id"]}>; rel="describedby"'
    assert [(record.state, record.bytes_out) for record in site.records()] == [("done", len(exchange.body))]
    assert site.ends[0][1].rows_out == 3


async def test_a_large_one_streams_back_while_it_still_arrives(site: Site) -> None:
    body, began_at = rows(12 * MIB), []
    exchange: Exchange | None = None

    async def look(message: Message) -> None:
        began_at.append(message["type"])

    exchange = await post(site, *body, on_send=look)
    assert exchange.body == b"".join(body)
    assert "content-length" not in exchange.headers
    assert exchange.is_complete


async def test_a_client_that_sends_all_before_it_reads_is_served(site: Site) -> None:
    body = rows(40 * MIB)
    all_sent = anyio.Event()
    events = body_events(*body)

    async def app(scope: Message, receive: object, send: object) -> None:
        async def watched() -> Message:
            message = await receive()  # type: ignore[operator]
            if not message.get("more_body", False):
                all_sent.set()
            return message  # type: ignore[no-any-return]

        await site.app()(scope, watched, send)  # type: ignore[arg-type]

    async def read(_message: Message) -> None:
        await all_sent.wait()

    exchange = await drive(app, http_scope("POST", "/transform"), events, on_send=read)
    assert exchange.error is None
    assert hashlib.sha256(exchange.body).digest() == hashlib.sha256(b"".join(body)).digest()


async def test_after_the_upload_the_worker_waits_for_the_client(site: Site) -> None:
    seen: list[int] = []

    async def read(_message: Message) -> None:
        if not seen:
            previous = -1
            while (made := sum(record.bytes_out for record in site.records())) != previous or not made:
                previous = made
                await anyio.sleep(1.2)  # twice as long as what is told may be old
            seen.append(made)

    exchange = await post(site, HEADER, b"!flood 64\n", on_send=read)
    assert exchange.error is None
    assert len(exchange.body) == len(HEADER) + 64 * MIB
    assert seen[0] <= MEMORY_SIZE + 2 * MIB


async def test_a_stored_table_is_read_by_its_descriptor(site: Site, tmp_path: Path) -> None:
    content = HEADER + ROW * 1000
    (tmp_path / "t.csv").write_bytes(content)
    for _ in range(2):  # each reads from the beginning
        exchange = await drive(site.app(site.asked(site.stored("t.csv"))), http_scope("GET", "/transform/t.csv"))
        assert exchange.body == content
    assert [record.bytes_total for record in site.records()] == [len(content)] * 2


async def test_a_compressed_table_is_the_workers_to_undo(site: Site) -> None:
    exchange = await post(site, gzip.compress(HEADER + ROW), request=site.asked(coding="gzip"))
    assert exchange.body == HEADER + ROW


async def test_joined_tables_are_opened_for_the_worker(site: Site, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_bytes(b"x\n1\n")
    request = site.asked(joins={"join:0": Key("other.csv")})
    exchange = await post(site, HEADER, b"!file join:0\n", request=request)
    assert exchange.body == HEADER + b"x\n1\n"
    missing = await post(site, HEADER, request=site.asked(joins={"join:3": Key("none.csv")}))
    fault = cause(missing)
    assert isinstance(fault, PlanFault)
    assert fault.field == "steps[3].file"


async def test_the_worker_is_told_its_limits(site: Site) -> None:
    exchange = await post(site, HEADER, b"!spec\n")
    spec = json.loads(exchange.body.splitlines()[1])
    assert (spec["kind"], spec["is_live"], spec["memory"]) == ("transform", True, 1 << 28)
    assert Plan.model_validate(spec["plan"]) == Plan()


@pytest.mark.parametrize(
    ("table", "kind"),
    [(b"!plan\n", PlanFault), (b"!row\n", RowFault), (b"!die\n", EngineFailed), (b"!memory\n", OutOfMemory)],
)
async def test_what_fails_before_the_first_byte_can_be_told(site: Site, table: bytes, kind: type[Exception]) -> None:
    exchange = await post(site, table if kind is PlanFault else HEADER + table)
    assert isinstance(cause(exchange), kind)
    assert exchange.messages == []
    [record] = site.records()
    assert record.state == "failed"
    assert record.fault is not None
    assert record.fault["code"] == kind.code  # type: ignore[attr-defined]


COMPLETE = Plan(delivery="complete")


@pytest.mark.parametrize("end", [b"!row\n", b"!die\n"])
async def test_what_fails_later_ends_the_answer_without_its_end(site: Site, end: bytes) -> None:
    exchange = await post(site, *rows(3 * MIB), end)
    assert exchange.error is not None
    assert exchange.status == 200
    assert not exchange.is_complete
    [record] = site.records()
    assert (record.state, site.ends[0][0]) == ("failed", "failed")


async def test_a_complete_answer_has_its_length_and_digest(site: Site) -> None:
    exchange = await post(site, HEADER, b"!flood 20\n", request=site.asked(plan=COMPLETE))
    assert int(exchange.headers["content-length"]) == len(exchange.body) == len(HEADER) + 20 * MIB
    assert exchange.headers["repr-digest"] == format_digest("sha-256", hashlib.sha256(exchange.body).digest())


async def test_who_speaks_http_1_0_gets_the_answer_whole(site: Site) -> None:
    scope = {**http_scope("POST", "/transform"), "http_version": "1.0"}
    exchange = await drive(site.app(), scope, body_events(HEADER, b"!flood 1\n"))
    assert int(exchange.headers["content-length"]) == len(exchange.body)


async def test_a_worker_that_has_enough_ends_the_answer_before_the_upload(site: Site) -> None:
    exchange = await post(site, HEADER, ROW, b"!enough\n", *rows(8 * MIB), is_complete=False)
    assert exchange.body == HEADER + ROW
    assert exchange.is_complete
    assert [record.state for record in site.records()] == ["done"]


async def test_and_does_not_wait_for_a_client_that_says_nothing_more(site: Site) -> None:
    exchange = await post(site, HEADER, ROW, b"!enough\n", is_complete=False)
    assert (exchange.body, exchange.is_complete) == (HEADER + ROW, True)


async def test_a_client_that_sends_on_after_that_before_it_reads_is_served_too(site: Site) -> None:
    events = body_events(HEADER, b"!flood 30\n", b"!enough\n", *rows(20 * MIB))
    received = 0

    async def app(scope: Message, receive: object, send: object) -> None:
        async def watched() -> Message:
            nonlocal received
            message = await receive()  # type: ignore[operator]
            received += message["type"] == "http.request"
            return message  # type: ignore[no-any-return]

        await site.app()(scope, watched, send)  # type: ignore[arg-type]

    async def read(_message: Message) -> None:
        while received < len(events):
            await anyio.sleep(0.001)

    exchange = await drive(app, http_scope("POST", "/transform"), events, on_send=read)
    assert exchange.error is None
    assert len(exchange.body) == len(HEADER) + 30 * MIB


@pytest.mark.parametrize("is_complete", [False, True])
async def test_a_client_that_leaves_ends_the_worker(site: Site, is_complete: bool) -> None:
    exchange = await post(site, HEADER, b"!scratch\n", b"!hang\n", is_complete=is_complete, leaves=True)
    assert exchange.error is None
    assert exchange.messages == []
    await site.until_free()
    [record] = site.records()
    assert (record.state, record.fault and record.fault["code"]) == ("cancelled", "client-left")


async def test_a_client_that_leaves_in_mid_answer_ends_the_worker(site: Site) -> None:
    for number in range(1, 5):
        exchange = await post(site, HEADER, b"!flood 30\n", disconnect_at_send=number)
        assert exchange.error is None or isinstance(exchange.error, ClientLeft)
    await site.until_free()
    assert {record.state for record in site.records()} == {"cancelled"}


async def test_a_job_can_be_cancelled_from_elsewhere(site: Site) -> None:
    async def cancel() -> None:
        while not site.records():
            await anyio.sleep(0.01)
        await site.workshop.jobs.cancel(site.records()[0].id, "")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel)
        exchange = await post(site, HEADER, b"!hang\n")
    assert isinstance(cause(exchange), JobCancelled)
    assert [record.state for record in site.records()] == ["cancelled"]


async def _occupy(site: Site, tasks: TaskGroup, places: int) -> None:
    """Take so many places: two may run, one may wait."""
    for _ in range(places):
        tasks.start_soon(post, site, HEADER + b"!hang\n")
    with anyio.fail_after(10):
        while len(site.records()) < places:
            await anyio.sleep(0.01)


async def test_whoever_finds_the_queue_full_is_told_at_once_and_leaves_no_job(site: Site) -> None:
    async with anyio.create_task_group() as tasks:
        await _occupy(site, tasks, 3)
        exchange = await post(site, HEADER)
        assert isinstance(exchange.error, QueueFull)
        assert len(site.records()) == 3
        tasks.cancel_scope.cancel()


async def test_a_client_that_waits_for_its_turn_may_leave(site: Site, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(HEADER)
    async with anyio.create_task_group() as tasks:
        await _occupy(site, tasks, 2)
        app = site.app(site.asked(site.stored("t.csv")))
        exchange = await drive(app, http_scope("GET", "/transform/t.csv"), disconnect_after_events=True)
        assert (exchange.error, exchange.messages) == (None, [])
        tasks.cancel_scope.cancel()


async def test_nor_does_it_keep_its_place_when_it_leaves_with_a_table_half_sent(site: Site) -> None:
    async with anyio.create_task_group() as tasks:
        await _occupy(site, tasks, 2)
        for _ in range(2):
            exchange = await post(site, HEADER, is_complete=False, leaves=True)
            assert (exchange.error, exchange.messages) == (None, [])
        tasks.cancel_scope.cancel()


async def test_a_digest_is_checked_though_the_worker_had_enough(site: Site) -> None:
    source = partial(raw_table, length=None, digests={"sha256": b"x" * 32})
    exchange = await post(site, HEADER + b"!enough\n", *rows(4 * MIB), request=site.asked(source))
    assert isinstance(exchange.error, DigestMismatch)
    assert not exchange.is_complete
    assert [record.fault and record.fault["code"] for record in site.records()] == ["digest-mismatch"]


async def test_what_is_kept_is_stored_when_all_went_well(site: Site, tmp_path: Path) -> None:
    request = site.asked(save="kept.csv")
    exchange = await post(site, *rows(2 * MIB), request=request)
    assert (tmp_path / "kept.csv").read_bytes() == exchange.body == b"".join(rows(2 * MIB))
    assert [saved["key"] for saved in site.records()[0].saved] == ["kept.csv"]


@pytest.mark.parametrize("end", [b"!row\n", b"!die\n"])
async def test_and_not_when_it_failed(site: Site, tmp_path: Path, end: bytes) -> None:
    await post(site, HEADER, end, request=site.asked(save="kept.csv"))
    await post(site, HEADER, ROW, request=site.asked(save="kept.csv"), is_complete=False, leaves=True)
    assert not (tmp_path / "kept.csv").exists()


async def test_a_key_that_was_taken_meanwhile_is_told_before_the_answer(site: Site, tmp_path: Path) -> None:
    request = site.asked(save="kept.csv", condition=lambda current: current is None)
    (tmp_path / "kept.csv").write_bytes(b"another's")
    exchange = await post(site, HEADER, ROW, request=request)
    assert isinstance(exchange.error, PreconditionFailed)
    assert exchange.messages == []
    assert (tmp_path / "kept.csv").read_bytes() == b"another's"
    assert [record.state for record in site.records()] == ["failed"]


async def test_all_is_kept_though_the_worker_had_enough(site: Site, tmp_path: Path) -> None:
    body = [HEADER, b"!enough\n", *rows(4 * MIB)]
    exchange = await post(site, *body, request=site.asked(save="kept.csv"))
    assert exchange.body == HEADER
    assert (tmp_path / "kept.csv").read_bytes() == b"".join(body)


async def test_a_transform_cancelled_at_any_await_leaves_nothing(site: Site, tmp_path: Path) -> None:
    async def attempt(number: int) -> Exchange:
        return await post(site, *BUSY, request=site.asked(save="kept.csv"), cancel_at_await=number)

    rounds = [exchange async for _, exchange in each_cancellation(attempt)]
    await site.until_free()
    await until_closed(tmp_path)
    assert rounds[-1].is_complete


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584])
async def test_nor_does_one_cancelled_after_some_turns_of_the_loop(site: Site, tmp_path: Path, turns: int) -> None:
    running = asyncio.ensure_future(post(site, *BUSY, request=site.asked(save="kept.csv")))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    await site.until_free()
    await until_closed(tmp_path)
    assert drafts_in(tmp_path) == []


BUSY = (HEADER, b"!scratch\n", ROW * 2000)
