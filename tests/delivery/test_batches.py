"""Rows of an ordinary generator leave in batches, in time, and never ahead of who takes them."""

import threading
from collections.abc import Generator
from contextlib import aclosing

import anyio
import pytest

from fileserver.delivery.batches import SIZE, batched

ROW = b"x" * 99 + b"\n"


class Rows:
    """A generator of numbered rows that tells what became of it, and stops where it is told to."""

    def __init__(self, count: int, *, held_at: int | None = None, failing_at: int | None = None) -> None:
        self.made = 0
        self.threads: set[int] = set()
        self.closed_in: int | None = None
        self.is_held = threading.Event()
        self.go_on = threading.Event()
        self._count = count
        self._held_at = held_at
        self._failing_at = failing_at

    def __call__(self) -> Generator[bytes, None, None]:
        """The rows."""
        try:
            for number in range(self._count):
                if number == self._held_at:
                    self.is_held.set()
                    self.go_on.wait(30)
                if number == self._failing_at:
                    raise ZeroDivisionError
                self.threads.add(threading.get_ident())
                self.made += 1
                yield ROW
        finally:
            self.closed_in = threading.get_ident()


async def test_all_rows_come_in_order_and_in_few_batches() -> None:
    numbered = (b"%d\n" % number for number in range(100_000))
    batches = [batch async for batch in batched(_generator(numbered))]
    assert b"".join(batches).split() == [b"%d" % number for number in range(100_000)]
    assert all(batches)
    assert len(batches) < 2 + sum(map(len, batches)) // SIZE * 20  # a machine that is busy cuts some short


def _generator(rows: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    yield from rows


@pytest.mark.parametrize("rows", [(), (b"",), (b"", b"")])
async def test_nothing_makes_no_batch(rows: tuple[bytes, ...]) -> None:
    assert [batch async for batch in batched(_generator(each for each in rows))] == []


async def test_no_row_is_made_on_the_event_loop() -> None:
    rows = Rows(5000)
    assert b"".join([batch async for batch in batched(rows())]) == ROW * 5000
    assert threading.get_ident() not in rows.threads
    assert rows.closed_in not in {None, threading.get_ident()}


async def test_a_row_leaves_though_the_next_one_takes_long() -> None:
    rows = Rows(10, held_at=3)
    async with aclosing(batched(rows())) as batches:
        with anyio.fail_after(10):
            first = await anext(batches)
        assert (first, rows.is_held.is_set(), rows.made) == (ROW * 3, True, 3)
        rows.go_on.set()
        assert b"".join([batch async for batch in batches]) == ROW * 7


async def test_nothing_is_made_ahead_of_a_slow_client() -> None:
    rows = Rows(1_000_000)
    async with aclosing(batched(rows())) as batches:
        taken = 0
        for _ in range(20):
            taken += len(await anext(batches))
            assert rows.made * len(ROW) <= taken + SIZE + len(ROW)
    assert rows.closed_in is not None


async def test_what_was_made_before_a_fault_comes_before_it() -> None:
    rows = Rows(10, failing_at=4)
    found = b""
    with pytest.raises(ZeroDivisionError):
        async for batch in batched(rows()):
            found += batch
    assert found == ROW * 4
    assert rows.closed_in is not None


async def test_whoever_leaves_early_leaves_a_closed_generator() -> None:
    rows = Rows(1_000_000)
    async with aclosing(batched(rows())) as batches:
        await anext(batches)
    assert rows.closed_in not in {None, threading.get_ident()}


async def test_a_cancelled_caller_waits_for_the_row_that_is_being_made() -> None:
    rows = Rows(10, held_at=0)

    async def take() -> None:
        async with aclosing(batched(rows())) as batches:
            async for _ in batches:
                pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await anyio.to_thread.run_sync(rows.is_held.wait, 10)
        tasks.cancel_scope.cancel()
        threading.Timer(0.05, rows.go_on.set).start()
    assert rows.closed_in is not None
    assert rows.made <= 1


async def test_many_at_a_time_do_not_mix() -> None:
    async def take(number: int) -> None:
        row = b"%d\n" % number
        found = [batch async for batch in batched(_generator(row for _ in range(20_000)))]
        assert b"".join(found) == row * 20_000

    async with anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(take, number)
