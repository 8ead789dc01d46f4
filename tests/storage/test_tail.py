"""Files that grow, shrink and are replaced, as they are followed."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from storage import After, IsFolder, Key, LastLines, LocalStore, MemoryStore, NotFound, Piece, Tails
from tests.storage.tailing import DEADLINE_S, LOG, PAUSE_S, Listener, append, held, listening, looked_after


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


async def test_what_is_appended_comes(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        for number in range(5):
            append(log, b"line %d\n" % number)
            await listener.until_content(b"".join(b"line %d\n" % each for each in range(number + 1)))
        assert listener.resets == []


async def test_growth_in_large_steps_comes_in_bounded_pieces(tails: Tails, log: Path) -> None:
    content = random.Random(1).randbytes(3_000_000)
    async with tails.open(LOG, LastLines(0)) as tail, aclosing(tail.parts(PAUSE_S)) as parts:
        append(log, content)
        sizes: list[int] = []
        with anyio.fail_after(DEADLINE_S):
            while sum(sizes) < len(content):
                part = await anext(parts)
                assert isinstance(part, Piece)
                assert part.content == content[part.offset - 14 : part.offset - 14 + len(part.content)]
                sizes.append(len(part.content))
        assert max(sizes) == 256 * 1024


async def test_a_truncated_file_begins_again(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(10)) as listener:
        await listener.until_content(b"one\ntwo\nthree\n")
        os.truncate(log, 0)
        await listener.until(lambda: listener.resets == [("truncated", 14)])
        append(log, b"new\n")
        await listener.until_content(b"one\ntwo\nthree\nnew\n")


async def test_a_file_cut_short_begins_again_with_what_is_left(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        os.truncate(log, 4)
        await listener.until_content(b"one\n")
        assert listener.resets == [("truncated", 0)]


async def test_a_file_rewritten_longer_than_it_was_is_noticed(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(10)) as listener:
        await listener.until_content(b"one\ntwo\nthree\n")
        log.write_bytes(b"all of it anew, and longer\n")
        await listener.until_content(b"one\ntwo\nthree\nall of it anew, and longer\n")
        assert listener.resets == [("truncated", 14)]


async def test_a_file_whose_beginning_alone_is_written_over_goes_on(tails: Tails, log: Path) -> None:
    """As recorders do, which put the length of a film into its head."""
    log.write_bytes(b"head" + bytes(1000))
    async with listening(tails, LastLines(0)) as listener:
        with log.open("r+b") as file:
            file.write(b"HEAD")
        append(log, b"more")
        await listener.until_content(b"more")
        assert listener.resets == []


async def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        old = log.rename(log.with_suffix(".1"))
        append(old, b"written after the rename\n")
        await listener.until_content(b"written after the rename\n")
        log.write_bytes(b"new file\n")
        append(old, b"and after that\n")
        await listener.until_content(b"written after the rename\nand after that\nnew file\n")
        assert listener.resets == [("rotated", 40)]


async def test_a_file_replaced_in_one_step_is_rotated(tails: Tails, log: Path, tmp_path: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        (tmp_path / "new").write_bytes(b"new file\n")
        (tmp_path / "new").rename(log)
        await listener.until_content(b"new file\n")
        assert listener.resets == [("rotated", 0)]


async def test_a_file_that_is_removed_is_waited_for(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        log.unlink()
        await listener.until_idle()
        log.write_bytes(b"back\n")
        await listener.until_content(b"back\n")
        assert listener.resets == [("rotated", 0)]


async def test_a_file_that_gets_its_name_back_goes_on(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        away = log.rename(log.with_suffix(".away"))
        await listener.until_idle()
        away.rename(log)
        append(log, b"more\n")
        await listener.until_content(b"more\n")
        assert listener.resets == []


async def test_a_folder_in_the_files_place_is_waited_out(tails: Tails, log: Path) -> None:
    async with listening(tails, LastLines(0)) as listener:
        log.unlink()
        log.mkdir()
        await listener.until_idle()
        log.rmdir()
        log.write_bytes(b"back\n")
        await listener.until_content(b"back\n")


async def test_no_link_is_followed_in_the_files_place(tails: Tails, log: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"not meant\n")
    async with listening(tails, LastLines(0)) as listener:
        log.unlink()
        log.symlink_to("other")
        await listener.until_idle()
        log.unlink()
        log.write_bytes(b"meant\n")
        await listener.until_content(b"meant\n")


async def test_what_is_not_there_is_not_found(tails: Tails, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotFound):
        async with tails.open(Key("missing"), LastLines(10)):
            pass
    with pytest.raises(IsFolder):
        async with tails.open(Key("folder"), LastLines(10)):
            pass


async def test_a_file_that_goes_on_past_each_limit_of_what_is_known_of_it(tails: Tails, log: Path) -> None:
    """All appends of one byte up to more than what is remembered of the beginning and of the end."""
    log.write_bytes(b"")
    content = random.Random(5).randbytes(700)
    async with listening(tails, LastLines(0)) as listener:
        for number in range(len(content)):
            append(log, content[number : number + 1])
            if number % 7 == 0:
                await listener.until_content(content[: number + 1])
        await listener.until_content(content)
        assert listener.resets == []


@pytest.mark.usefixtures("open_descriptors")
async def test_listeners_share_a_descriptor_and_a_watch(local: LocalStore, log: Path) -> None:
    async with looked_after(local) as tails:
        await anyio.wait_all_tasks_blocked()
        before = held(log)
        async with anyio.create_task_group() as tasks:
            listeners: list[Listener] = []

            async def listen() -> None:
                async with listening(tails, LastLines(0)) as listener:
                    listeners.append(listener)
                    await listener.until_content(b"more\n")

            for _ in range(200):
                tasks.start_soon(listen)
            with anyio.fail_after(DEADLINE_S):
                while len(listeners) < 200:
                    await anyio.sleep(0.001)
            assert held(log) == (before[0] + 1, before[1] + 1)
            append(log, b"more\n")
        assert held(log) == before


@pytest.mark.parametrize("rotations", [0, 3])
@pytest.mark.usefixtures("open_descriptors")
async def test_who_leaves_leaves_nothing_open(local: LocalStore, log: Path, rotations: int) -> None:
    async with looked_after(local) as tails:
        await anyio.wait_all_tasks_blocked()
        before = held(log)
        async with listening(tails, LastLines(0)) as listener:
            for number in range(rotations):
                log.rename(log.with_suffix(f".{number}"))
                log.write_bytes(b"new\n")
                await listener.until_content(b"new\n" * (number + 1))
            assert held(log) == (before[0] + 1, before[1] + 1)
        assert held(log) == before


@pytest.mark.usefixtures("open_descriptors")
async def test_cancelled_anywhere_it_closes_the_file(local: LocalStore, log: Path) -> None:
    async with looked_after(local) as tails:
        await anyio.wait_all_tasks_blocked()
        before = held(log)
        for steps in range(1, 40):
            async with anyio.create_task_group() as tasks:

                async def listen() -> None:
                    async with listening(tails, LastLines(10)) as listener:
                        await listener.until(lambda: False)

                tasks.start_soon(listen)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            assert held(log) == before


async def test_a_store_that_never_adds_to_a_file_puts_a_longer_one_in_its_place() -> None:
    store = MemoryStore()
    store.put(LOG, b"one\n")
    async with looked_after(store) as tails, listening(tails, LastLines(10)) as listener:
        await listener.until_content(b"one\n")
        store.put(LOG, b"one\ntwo\n")
        await listener.until_content(b"one\ntwo\n")
        assert listener.resets == []
        place = After(listener.tail.offset, listener.tail.origin.fingerprint(listener.tail.offset))
        store.put(LOG, b"one\n")
        await listener.until_content(b"one\ntwo\none\n")
        assert listener.resets == [("rotated", 8)]
        store.put(LOG, b"another, and longer\n")
        await listener.until_content(b"one\ntwo\none\nanother, and longer\n")
        store.put(LOG, b"one\ntwo\nthree\n")
        async with listening(tails, place) as back:
            await back.until_content(b"three\n")
            assert back.resets == []
