"""Where a tail begins: at a file's last lines or bytes, or where a listener was that comes back."""

import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from storage import After, Beginning, Key, LastBytes, LastLines, LocalStore, NotFound, Tails
from tests.storage.tailing import LOG, append, listening, looked_after


@pytest.fixture(params=["inotify", "looks"])
async def tails(request: pytest.FixtureRequest, local: LocalStore) -> AsyncIterator[Tails]:
    """The files of `tmp_path`, with the kernel's word and without."""
    async with looked_after(local, has_inotify=request.param == "inotify") as kept:
        yield kept


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three lines."""
    path = tmp_path / LOG
    path.write_bytes(b"one\ntwo\nthree\n")
    return path


LONG = b"".join(b"%d %s\n" % (number, b"x" * (number % 300)) for number in range(10_000))


@pytest.mark.parametrize(
    ("content", "beginning", "offset"),
    [
        (b"", LastLines(10), 0),
        (b"one\ntwo\n", LastLines(0), 8),
        (b"one\ntwo\n", LastLines(1), 4),
        (b"one\ntwo\n", LastLines(2), 0),
        (b"one\ntwo\n", LastLines(3), 0),
        (b"one\ntwo", LastLines(1), 4),  # a last line that is not ended counts, as the tool has it
        (b"one\ntwo", LastLines(2), 0),
        (b"\n\n\n", LastLines(1), 2),
        (b"\n\n\n", LastLines(2), 1),
        (b"no end", LastLines(1), 0),
        (LONG, LastLines(1), LONG.rindex(b"\n", 0, -1) + 1),
        (LONG, LastLines(5_000), LONG.index(b"\n5000 ") + 1),
        (LONG, LastLines(9_999), LONG.index(b"\n") + 1),
        (LONG, LastLines(10_000), 0),
        (LONG, LastLines(1_000_000), 0),
        (b"one\ntwo\n", LastBytes(0), 8),
        (b"one\ntwo\n", LastBytes(3), 5),
        (b"one\ntwo\n", LastBytes(8), 0),
        (b"one\ntwo\n", LastBytes(10**19), 0),
        (b"one\ntwo\n", After(0, None), 0),
        (b"one\ntwo\n", After(8, None), 8),
    ],
)
async def test_where_a_tail_begins(
    tails: Tails, tmp_path: Path, content: bytes, beginning: Beginning, offset: int
) -> None:
    (tmp_path / LOG).write_bytes(content)
    async with listening(tails, beginning) as listener:
        assert (listener.tail.offset, listener.tail.reset) == (offset, None)
        await listener.until_content(content[offset:])
        await listener.until_idle()
        assert listener.content == content[offset:]


async def test_lines_begin_where_the_tool_has_them(tails: Tails, tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(20):
        content = b"".join(chance.choice((b"\n", b"a", b"bb\n", b"c" * 20_000)) for _ in range(chance.randrange(60)))
        (tmp_path / LOG).write_bytes(content)
        for count in (0, 1, 2, 3, 7, 30):
            printed = await anyio.run_process(["tail", "-n", str(count), str(tmp_path / LOG)])
            async with tails.open(LOG, LastLines(count)) as tail:
                assert content[tail.offset :] == printed.stdout


async def test_who_comes_back_while_a_file_is_rotated_waits_for_it(tails: Tails, log: Path) -> None:
    async with tails.open(LOG, LastLines(0)) as tail:
        before = After(tail.offset, tail.origin.fingerprint(tail.offset))
    log.rename(log.with_suffix(".1"))
    async with anyio.create_task_group() as tasks:

        async def come_back() -> None:
            async with listening(tails, before) as listener:
                await listener.until_content(b"new\n")
                assert listener.resets == [("rotated", 0)]

        tasks.start_soon(come_back)
        await anyio.wait_all_tasks_blocked()
        log.write_bytes(b"new\n")


async def test_who_comes_back_to_what_is_gone_is_told_in_the_end(local: LocalStore) -> None:
    async with looked_after(local) as tails:
        with pytest.raises(NotFound):
            async with tails.open(Key("missing"), After(5, None)):
                pass


HEADER = b"#" * 1000 + b"\n"


def _append_to(log: Path) -> None:
    append(log, b"more\n")


def _rotate(log: Path) -> None:
    content = log.read_bytes()
    log.rename(log.with_suffix(".1"))
    log.write_bytes(content + b"more\n")  # the very same beginning: only the inode tells


def _truncate(log: Path) -> None:
    os.truncate(log, 5)


def _rewrite(log: Path) -> None:
    log.write_bytes(b"other bytes" + log.read_bytes())


@pytest.mark.parametrize("content", [b"x", b"one\ntwo\n", b"y" * 255, b"z" * 256, HEADER, HEADER * 400])
@pytest.mark.parametrize(
    ("change", "reason"),
    [(_append_to, None), (_rotate, "rotated"), (_truncate, "truncated"), (_rewrite, "truncated")],
)
async def test_coming_back_to_a_file_that_changed_meanwhile(
    tails: Tails, log: Path, content: bytes, change: Callable[[Path], None], reason: str | None
) -> None:
    log.write_bytes(content)
    async with tails.open(LOG, LastLines(0)) as tail:
        place = After(tail.offset, tail.origin.fingerprint(tail.offset))
    change(log)
    now = log.read_bytes()
    if reason == "truncated" and len(now) == len(content) + 4:
        reason = None  # five bytes of one: the file has grown
    async with listening(tails, place) as listener:
        expected = now if reason else now[len(content) :]
        await listener.until_content(expected)
        assert [each for each, _ in listener.resets] == ([reason] if reason else [])


async def test_each_place_on_the_way_can_be_come_back_to(tails: Tails, log: Path) -> None:
    """The fingerprint that a listener made as the file passed is the one that a new listener makes of the file."""
    log.write_bytes(b"")
    places = []
    async with listening(tails, LastLines(0)) as listener:
        for number in range(60):
            append(log, b"line %3d\n" % number)
            await listener.until(lambda: listener.tail.offset == log.stat().st_size)
            places.append((listener.tail.offset, listener.tail.origin.fingerprint(listener.tail.offset)))
    for offset, fingerprint in places:
        async with tails.open(LOG, After(offset, fingerprint)) as tail:
            assert (tail.reset, tail.offset) == (None, offset)


@pytest.mark.parametrize("offset", [15, 10**18])
async def test_a_bare_offset_past_the_end_begins_again(tails: Tails, log: Path, offset: int) -> None:
    async with listening(tails, After(offset, None)) as listener:
        await listener.until_content(b"one\ntwo\nthree\n")
        assert listener.resets == [("truncated", 0)]
