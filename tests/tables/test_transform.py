"""A transform in an event loop: it takes what comes, gives what it has, and closes what it was given."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

import anyio
import pytest

from fileserver.tables import RowFault, Transform, parse_plan

_HEADER = b"a,b\n"
_PLENTY = 2000  # chunks: more than what is gathered ahead


class _Chunks:
    """Chunks that know how many were taken and whether they were closed."""

    def __init__(self, chunks: Iterable[bytes], failure: Exception | None = None) -> None:
        self._chunks = iter(chunks)
        self._failure = failure
        self.taken = 0
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        self.taken += 1
        for chunk in self._chunks:
            return chunk
        raise self._failure or StopAsyncIteration

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closed += 1


def _transform(**parameters: str) -> Transform:
    return Transform(parse_plan(list(parameters.items())))


async def _joined(output: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([chunk async for chunk in output])


async def test_chunks_come_out_transformed_and_are_closed() -> None:
    chunks = _Chunks([b"a,b\n1,", b"2\n3,4\n", b"", b"5,6\n"])
    transform = _transform(select="b")
    assert await _joined(transform.output(chunks)) == b"b\n2\n4\n6\n"
    assert (chunks.closed, transform.counts.rows_out, transform.has_reached_limit) == (1, 3, False)


async def test_a_row_leaves_before_the_next_comes() -> None:
    more = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield _HEADER
        for number in range(5):
            yield b"%d,x\n" % number
            await more.wait()
            more.clear()

    output = _transform().output(trickle())
    seen = b""
    for number in range(5):
        while not seen.endswith(b"%d,x\n" % number):
            seen += await anext(output)
        more.set()
    assert await _joined(output) == b""


async def test_many_small_chunks_are_worked_on_together() -> None:
    pieces = [piece async for piece in _transform().output(_Chunks([_HEADER, *[b"1,2\n"] * 20_000]))]
    assert b"".join(pieces) == _HEADER + b"1,2\n" * 20_000
    assert len(pieces) < 2000


async def test_one_huge_chunk_comes_out_in_bounded_pieces() -> None:
    table = _HEADER + b"1,2\n" * 1_000_000
    sizes = [len(piece) async for piece in _transform().output(_Chunks([table]))]
    assert sum(sizes) == len(table)
    assert max(sizes) < 2_000_000


async def test_a_slow_reader_holds_the_chunks_back() -> None:
    chunks = _Chunks([_HEADER, *[b"1,2\n" * 25_000] * _PLENTY])
    output = _transform().output(chunks)
    await anext(output)
    for _ in range(100):
        await anyio.lowlevel.checkpoint()
    assert chunks.taken < 20
    await output.aclose()


async def test_the_limit_ends_the_taking_of_chunks() -> None:
    chunks = _Chunks([_HEADER, *[b"1,2\n" * 25_000] * _PLENTY])
    transform = _transform(limit="3")
    assert await _joined(transform.output(chunks)) == _HEADER + b"1,2\n" * 3
    assert transform.has_reached_limit
    assert chunks.closed == 1
    assert chunks.taken < 20


async def test_a_fault_closes_the_chunks() -> None:
    chunks = _Chunks([_HEADER, b"1\n", *[b"1,2\n" * 25_000] * _PLENTY])
    with pytest.raises(RowFault):
        await _joined(_transform().output(chunks))
    assert chunks.closed == 1


async def test_what_the_chunks_raise_comes_after_what_they_gave() -> None:
    chunks = _Chunks([_HEADER, b"1,2\n3,"], ConnectionResetError())
    seen = b""
    with pytest.raises(ConnectionResetError):
        async for piece in _transform().output(chunks):
            seen += piece
    assert seen == b"a,b\n1,2\n"
    assert chunks.closed == 1


async def test_a_reader_that_leaves_closes_the_chunks() -> None:
    chunks = _Chunks([_HEADER, *[b"1,2\n" * 25_000] * _PLENTY])
    tasks_before = asyncio.all_tasks()
    output = _transform().output(chunks)
    await anext(output)
    await output.aclose()
    assert chunks.closed == 1
    assert asyncio.all_tasks() == tasks_before


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_anywhere_it_closes_the_chunks(turns: int) -> None:
    chunks = _Chunks([_HEADER, *[b"1,2\n" * 25_000] * _PLENTY])
    tasks_before = asyncio.all_tasks()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_joined, _transform().output(chunks))
        for _ in range(turns + 1):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert chunks.closed == 1 or not chunks.taken
    assert asyncio.all_tasks() == tasks_before


async def test_chunks_are_taken_and_closed_in_one_task() -> None:
    seen: set[asyncio.Task[object] | None] = set()

    async def noting() -> AsyncIterator[bytes]:
        try:
            for number in range(5):
                seen.add(asyncio.current_task())
                yield b"%d\n" % number
                await anyio.lowlevel.checkpoint()
        finally:
            seen.add(asyncio.current_task())

    await _joined(_transform(limit="1").output(noting()))
    assert len(seen) == 1


async def test_the_loop_goes_on_while_rows_are_worked_on() -> None:
    table = _HEADER + b'"1","2"\n' * 200_000
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.sleep(0)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        await _joined(_transform(format="ndjson").output(_Chunks([table])))
        tasks.cancel_scope.cancel()
    assert turns > 10
