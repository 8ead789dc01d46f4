"""Lines as records: their text, their places, and what happens where there is no whole line."""

import base64
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from fileserver.delivery.tail import MOST_OF_LINE, records
from fileserver.http.tails import parse_position
from storage import Key, LastLines, Library

LOG = Key("app.log")


@pytest.fixture
async def followed(library: Library) -> AsyncIterator[Library]:
    """A library whose tails are looked after."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(library.tails.watch)
        await anyio.wait_all_tasks_blocked()
        yield library
        tasks.cancel_scope.cancel()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / LOG


async def lines_of(library: Library, count: int) -> list[dict[str, Any]]:
    """The first records of a tail, so many of them."""
    found: list[dict[str, Any]] = []
    with anyio.fail_after(20):
        async with library.tails.open(LOG, LastLines(10_000)) as tail, aclosing(records(tail)) as batches:
            async for batch in batches:
                found += [{"type": record.kind, **record.content} for record in batch]
                if len(found) >= count:
                    return found
    raise AssertionError


def places(found: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Where each line begins, and what its id says is behind it."""
    return [(record["offset"], parse_position(record["id"]).offset) for record in found]


@pytest.mark.parametrize(
    ("content", "lines", "offsets"),
    [
        (b"one\ntwo\n", ["one", "two"], [(0, 4), (4, 8)]),
        (b"one\ntwo", ["one"], [(0, 4)]),
        (b"\n\n", ["", ""], [(0, 1), (1, 2)]),
        (b"one\r\ntwo\r\r\n\r\n", ["one", "two\r", ""], [(0, 5), (5, 11), (11, 13)]),
        (b"one\rtwo\n", ["one\rtwo"], [(0, 8)]),
        ("größer\u2028\x00\x85\n".encode(), ["größer\u2028\x00\x85"], [(0, 15)]),
        (b"\xef\xbb\xbfone\n", ["\ufeffone"], [(0, 7)]),
    ],
)
async def test_lines_with_their_places(
    followed: Library, log: Path, content: bytes, lines: list[str], offsets: list[tuple[int, int]]
) -> None:
    log.write_bytes(content)
    found = await lines_of(followed, len(lines))
    assert ([record["line"] for record in found], places(found)) == (lines, offsets)
    assert all(set(record) == {"type", "offset", "line", "id"} for record in found)


async def test_a_line_that_is_no_utf8_comes_with_its_bytes(followed: Library, log: Path) -> None:
    log.write_bytes(b"caf\xe9 \xed\xa0\x80\r\nfine\n")
    found = await lines_of(followed, 2)
    assert found[0]["line"] == "caf\ufffd \ufffd\ufffd\ufffd"
    assert base64.b64decode(found[0]["raw"]) == b"caf\xe9 \xed\xa0\x80"
    assert "raw" not in found[1]


async def test_a_long_line_comes_in_parts_that_split_no_character(followed: Library, log: Path) -> None:
    text = "a" + "\u20ac" * (MOST_OF_LINE // 2)  # of three bytes each, and none begins at a multiple of the limit
    log.write_bytes(text.encode() + b"\nnext\n")
    found = await lines_of(followed, 3)
    assert "".join(record["line"] for record in found[:2]) == text
    assert [record.get("partial") for record in found] == [True, None, None]
    assert found[0]["offset"] + len(found[0]["line"].encode()) == found[1]["offset"] <= MOST_OF_LINE
    assert found[2]["line"] == "next"


async def test_a_line_of_exactly_the_limit_is_whole(followed: Library, log: Path) -> None:
    log.write_bytes(b"x" * (MOST_OF_LINE - 1) + b"\n" + b"y" * 9 + b"\n")
    found = await lines_of(followed, 2)
    assert [len(record["line"]) for record in found] == [MOST_OF_LINE - 1, 9]
    assert "partial" not in found[0]


async def test_bytes_without_characters_are_split_all_the_same(followed: Library, log: Path) -> None:
    log.write_bytes(b"\x80" * (2 * MOST_OF_LINE + 10) + b"\n")
    found = await lines_of(followed, 3)
    content = b"".join(base64.b64decode(record["raw"]) for record in found)
    assert content == b"\x80" * (2 * MOST_OF_LINE + 10)


async def test_a_line_is_held_back_until_it_ends(followed: Library, log: Path) -> None:
    log.write_bytes(b"one\ntw")
    async with followed.tails.open(LOG, LastLines(10)) as tail, aclosing(records(tail)) as batches:
        (one,) = await anext(batches)
        log.write_bytes(b"one\ntwo\n")
        (two,) = await anext(batches)
    assert (one.content["line"], two.content["line"], two.content["offset"]) == ("one", "two", 4)


async def test_what_was_held_back_comes_before_word_of_the_rotation(followed: Library, log: Path) -> None:
    log.write_bytes(b"one\nunfinished")
    async with followed.tails.open(LOG, LastLines(10)) as tail, aclosing(records(tail)) as batches:
        await anext(batches)
        log.rename(log.with_suffix(".1"))
        log.write_bytes(b"new\n")
        found = list(await anext(batches))
        while len(found) < 3:
            found += await anext(batches)
    assert [(each.kind, each.content.get("line")) for each in found] == [
        ("line", "unfinished"),
        ("reset", None),
        ("line", "new"),
    ]
    assert found[0].content["partial"] is True
    assert (found[1].content["reason"], found[1].content["offset"]) == ("rotated", 0)
    assert found[1].last_id == found[1].content["id"]


async def test_many_lines_come_in_bounded_batches(followed: Library, log: Path) -> None:
    log.write_bytes(b"\n" * 300_000)
    sizes: list[int] = []
    async with followed.tails.open(LOG, LastLines(300_000)) as tail, aclosing(records(tail)) as batches:
        while sum(sizes) < 300_000:
            sizes.append(len(await anext(batches)))
    assert max(sizes) == 256


async def test_others_have_their_turn_between_two_batches(followed: Library, log: Path) -> None:
    """A client that has left, or takes all at once, never keeps the source waiting."""
    log.write_bytes(b"\n" * 20_000)
    turns = batches_taken = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with followed.tails.open(LOG, LastLines(20_000)) as tail, anyio.create_task_group() as tasks:
        tasks.start_soon(count_turns)
        async with aclosing(records(tail)) as batches:
            while batches_taken < 78:
                assert await anext(batches)
                batches_taken += 1
        tasks.cancel_scope.cancel()
    assert turns >= 77


async def test_records_are_the_same_however_the_bytes_came(followed: Library, log: Path) -> None:
    chance = random.Random(7)
    content = b"".join(
        chance.choice((b"a\n", b"bc\r\n", b"\n", b"x" * 5000, b"\xff\n", "ü\n".encode())) for _ in range(300)
    )
    content += b"\n"
    log.write_bytes(b"")
    found: list[dict[str, Any]] = []
    async with followed.tails.open(LOG, LastLines(10)) as tail, aclosing(records(tail)) as batches:
        written = 0
        while written < len(content) or parse_position(found[-1]["id"]).offset < len(content):
            step = chance.randrange(1, 3000)
            with log.open("ab") as file:
                file.write(content[written : written + step])
            written += step
            if b"\n" in content[written - step : written]:
                found += [{"type": record.kind, **record.content} for record in await anext(batches)]
    assert found == await lines_of(followed, len(found))


async def test_a_line_that_is_never_ended_is_a_sign_of_life_all_the_same(followed: Library, log: Path) -> None:
    log.write_bytes(b"")
    empty = 0

    async def write_dots() -> None:
        while True:
            with log.open("ab") as file:
                file.write(b".")
            await anyio.sleep(0.002)

    async with (
        followed.tails.open(LOG, LastLines(0)) as tail,
        aclosing(records(tail, heartbeat_s=0.1)) as batches,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(write_dots)
        with anyio.fail_after(20):
            while empty < 3:
                assert await anext(batches) == ()
                empty += 1
        tasks.cancel_scope.cancel()
    assert log.stat().st_size > 10
